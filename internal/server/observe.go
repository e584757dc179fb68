package server

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"time"

	"github.com/hallpass-go/hallpass/internal/wire"
)

const requestIDHeader = "X-Request-Id"

var requestIDPattern = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,128}$`)

// observed gives every request its id, and one line in the log and one count in
// the metrics when it is over. Neither has a URL: tokens travel in them.
func (s *Server) observed(mounts []mount) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		s.open.Add(1)
		defer s.open.Done()
		began := time.Now()
		id, given := s.requestID(r)
		if !given {
			r.Header.Del(requestIDHeader) // what stands there is a stranger's
		}
		r = r.WithContext(context.WithValue(r.Context(), requestIDKey{}, id))
		w := &writer{ResponseWriter: rw}
		w.Header().Set(requestIDHeader, id)
		if s.draining.Load() && r.Header.Get("Upgrade") == "" {
			w.Header().Set("Connection", "close")
		}
		m := s.find(mounts, r)
		r.Pattern = m.path // a mux behind the mount makes it more exact
		method := knownMethod(r.Method)
		s.metrics.inFlight.Inc()
		defer func() {
			problem := recover()
			aborted := problem == http.ErrAbortHandler
			if problem != nil && !aborted {
				aborted = s.panicked(w, r, id, problem)
			}
			s.metrics.inFlight.Dec()
			status := w.statusCode(r)
			s.metrics.request(r.Pattern, status, time.Since(began))
			s.tracing.finish(r, method, r.Pattern)
			level := slog.LevelInfo
			if m.quiet {
				level = slog.LevelDebug
			}
			s.cfg.Logger.LogAttrs(r.Context(), level, "request",
				slog.String("method", method), slog.String("route", r.Pattern), slog.Int("status", status),
				slog.Duration("duration", time.Since(began)), slog.String("client", s.client(r)))
			if aborted {
				panic(http.ErrAbortHandler) // the answer was cut; so must be the connection
			}
		}()
		m.bounds.serve(w, r, m.handler)
	})
}

// panicked answers for a handler that gave up, and logs why once. The panic's own
// text may hold what a request held, so only its type and place are logged. It
// reports whether the answer had begun and must be cut.
func (s *Server) panicked(w *writer, r *http.Request, id string, problem any) (cut bool) {
	text := fmt.Sprintf("%T", problem)
	if err, ok := problem.(interface{ RuntimeError() }); ok {
		text = fmt.Sprint(err) // such as a nil dereference: no data of a request
	}
	s.metrics.panics.Inc()
	s.cfg.Logger.ErrorContext(r.Context(), "a handler panicked", "route", r.Pattern, "panic", text, "stack", string(debug.Stack()))
	if w.status != 0 {
		return true
	}
	s.problem(w, r, http.StatusInternalServerError, wire.CodeInternal, "Internal error", "something went wrong here; the request id is "+id)
	return false
}

// requestID is the one a trusted proxy gave, or a new one.
func (s *Server) requestID(r *http.Request) (id string, given bool) {
	if given := r.Header.Values(requestIDHeader); len(given) == 1 && s.clients.Trusted(r) && requestIDPattern.MatchString(given[0]) {
		return given[0], true
	}
	return rand.Text(), false
}

type requestIDKey struct{}

// logHandler adds the request's id to what is logged on its behalf.
type logHandler struct{ slog.Handler }

func (h logHandler) Handle(ctx context.Context, record slog.Record) error {
	if id, ok := ctx.Value(requestIDKey{}).(string); ok {
		record.AddAttrs(slog.String("request_id", id))
	}
	return h.Handler.Handle(ctx, record)
}

func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return logHandler{h.Handler.WithAttrs(attrs)}
}

func (h logHandler) WithGroup(name string) slog.Handler { return logHandler{h.Handler.WithGroup(name)} }

func (s *Server) problem(w http.ResponseWriter, r *http.Request, status int, code, title, detail string) {
	wire.Problem{Type: "urn:hallpass:problem:" + code, Title: title, Status: status, Code: code, Detail: detail}.Answer(w, r)
}

// knownMethod keeps what a client invents out of logs and labels.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodOptions, http.MethodConnect, http.MethodTrace:
		return method
	}
	return "OTHER"
}

// client is the address of who asks, as far as it is known.
func (s *Server) client(r *http.Request) string {
	if addr := s.clients.Of(r); addr.IsValid() {
		return addr.String()
	}
	return ""
}
