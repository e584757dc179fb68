package server

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
	apitrace "go.opentelemetry.io/otel/trace"

	"github.com/hallpass-go/hallpass"
)

// TracingWanted says whether the standard variables of OpenTelemetry name a place
// to send traces to.
func TracingWanted(env map[string]string) bool {
	if strings.EqualFold(env["OTEL_SDK_DISABLED"], "true") || strings.EqualFold(env["OTEL_TRACES_EXPORTER"], "none") {
		return false
	}
	return env["OTEL_EXPORTER_OTLP_ENDPOINT"] != "" || env["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] != ""
}

// tracing sends one span per request by OTLP over HTTP. Where to, how many and
// under which name is for the OTEL_ variables to say, which the SDK reads.
type tracing struct {
	provider *trace.TracerProvider
	trusted  func(*http.Request) bool
	logger   *slog.Logger
}

func newTracing(ctx context.Context, s *Server) (*tracing, error) {
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: traces: %w", hallpass.ErrUnavailable, err)
	}
	about, err := resource.New(ctx,
		resource.WithAttributes(attribute.String("service.name", "hallpass")), resource.WithFromEnv(), resource.WithTelemetrySDK())
	if err != nil {
		return nil, &hallpass.FieldError{Field: "OTEL_RESOURCE_ATTRIBUTES", Reason: err.Error()}
	}
	// The SDK knows no other way to be told where its own failures go.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { s.cfg.Logger.Warn("traces could not be sent", "error", err) }))
	provider := trace.NewTracerProvider(trace.WithBatcher(exporter), trace.WithResource(about))
	return &tracing{provider, s.clients.Trusted, s.cfg.Logger}, nil
}

// around begins a span for each request. A stranger's traceparent becomes a link,
// so that nobody outside can write into our traces.
func (t *tracing) around(h http.Handler) http.Handler {
	return otelhttp.NewMiddleware("hallpass",
		otelhttp.WithTracerProvider(t.provider),
		otelhttp.WithPropagators(propagation.TraceContext{}),
		otelhttp.WithPublicEndpointFn(func(r *http.Request) bool { return !t.trusted(r) }),
		otelhttp.WithSpanNameFormatter(func(string, *http.Request) string { return "hallpass" }),
	)(h)
}

// finish names the span after the route. It may be called without tracing.
func (t *tracing) finish(r *http.Request, method, route string) {
	if t == nil {
		return
	}
	span := apitrace.SpanFromContext(r.Context())
	name := route
	if !strings.Contains(name, " ") { // a mux's pattern may name its method
		name = method + " " + route
	}
	span.SetName(name)
	span.SetAttributes(attribute.String("http.route", route))
}

// close sends what is left.
func (t *tracing) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		t.logger.Warn("the last traces could not be sent", "error", err)
	}
}
