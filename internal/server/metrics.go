package server

import (
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/hallpass-go/hallpass"
)

// Build is what this program was built from.
type Build struct{ Version, Revision, Go string }

// Metrics counts, for Prometheus. No label holds a token, a pass, a person or
// anything else that clients choose.
type Metrics struct {
	registry *prometheus.Registry
	help     map[string]string // of our own, by name

	redemptions *prometheus.CounterVec
	callers     *prometheus.CounterVec
	refusals    *prometheus.CounterVec
	requests    *prometheus.CounterVec
	durations   *prometheus.HistogramVec
	inFlight    prometheus.Gauge
	panics      prometheus.Counter

	loginsBegun   prometheus.Counter
	loginsDone    *prometheus.CounterVec
	loginsRefused *prometheus.CounterVec
	loginsBlocked *prometheus.CounterVec
	mails         *prometheus.CounterVec
	mailUp        prometheus.Gauge

	storeTimes  *prometheus.HistogramVec
	storeErrors *prometheus.CounterVec
	groupSize   prometheus.Histogram
	groupTime   prometheus.Histogram

	reloadOK prometheus.Gauge
	reloadAt prometheus.Gauge
}

// The outcomes of a redemption.
const (
	outcomeHonoured  = "honoured"
	outcomeDuplicate = "duplicate"
	outcomeRefused   = "refused"
	outcomeInvalid   = "invalid"
	outcomeUndecided = "undecided"
)

var latencies = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// NewMetrics returns counters at zero, on a registry of their own.
func NewMetrics(b Build) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), help: map[string]string{}}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.redemptions = m.counters("hallpass_redemptions_total", "Passes presented for use, by outcome: honoured, duplicate, refused, invalid, undecided.", "outcome")
	m.callers = m.counters("hallpass_api_callers_total", "Callers of the API, by the same outcomes of their own passes.", "outcome")
	m.refusals = m.counters("hallpass_refusals_total", "Tokens judged and refused, by reason; requests without one are not among them.", "reason")
	m.requests = m.counters("hallpass_http_requests_total", "HTTP requests, by route pattern and class of status.", "route", "class")
	m.durations = m.histograms("hallpass_http_request_duration_seconds", "Time to answer HTTP requests, by route pattern.", latencies, "route")
	m.inFlight = m.gauge("hallpass_http_requests_in_flight", "HTTP requests being answered.")
	m.panics = m.counter("hallpass_http_panics_total", "Handlers that gave up; each is an error in the log.")
	m.loginsBegun = m.counter("hallpass_logins_begun_total", "Mails with a code and a link that were asked for, whether or not the address may log in.")
	m.loginsDone = m.counters("hallpass_logins_total", "Logins that succeeded, by code or link.", "by")
	m.loginsRefused = m.counters("hallpass_login_refusals_total", "Codes, links and refresh tokens that were refused, by reason; requests without one are not among them.", "reason")
	m.loginsBlocked = m.counters("hallpass_login_blocked_total", "Attempts to log in that were turned away unseen, by what had too many: account, network, global, network_sends, global_sends.", "what")
	m.mails = m.counters("hallpass_mails_total", "Mails: sent, failed (and tried again), given_up.", "outcome")
	m.mailUp = m.gauge("hallpass_mail_up", "Whether the last attempt to send a mail succeeded; 1 before the first.")
	m.storeTimes = m.histograms("hallpass_store_duration_seconds", "Time the store took, by method.", latencies, "method")
	m.storeErrors = m.counters("hallpass_store_errors_total", "Calls the store could not decide, by method.", "method")
	m.groupSize = m.histogram("hallpass_store_group_size", "Writes that shared a transaction.", []float64{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000})
	m.groupTime = m.histogram("hallpass_store_group_duration_seconds", "Time a transaction took.", latencies)
	m.reloadOK = m.gauge("hallpass_reload_success", "Whether the last reload, or the start, took everything over.")
	m.reloadAt = m.gauge("hallpass_reload_timestamp_seconds", "When the last reload, or the start, was.")
	m.constant("hallpass_build_info", "What this program was built from; always 1.", prometheus.Labels{"version": b.Version, "revision": b.Revision, "go": b.Go})

	for _, outcome := range []string{outcomeHonoured, outcomeDuplicate, outcomeRefused, outcomeInvalid, outcomeUndecided} {
		m.redemptions.WithLabelValues(outcome)
		m.callers.WithLabelValues(outcome)
	}
	for _, r := range hallpass.Refusals() {
		if r == hallpass.RefusalMissing {
			continue // most of those are answered without asking the issuer
		}
		m.refusals.WithLabelValues(string(r))
	}
	m.loginSeries()
	m.reloaded(time.Now(), true)
	return m
}

// watch adds what is read off a server.
func (m *Metrics) watch(s *Server) {
	m.gaugeOf("hallpass_revocations_age_seconds", "How long ago the group revocations were read; above 1 they are read again before anything is honoured.",
		func() float64 { return s.issuer.RulesAge().Seconds() })
	m.gaugeOf("hallpass_keys_age_seconds", "How long ago the store's keys were read.", func() float64 { return s.keys.age().Seconds() })
	m.gaugeOf("hallpass_draining", "Whether the server is on its way out.", func() float64 {
		if s.draining.Load() {
			return 1
		}
		return 0
	})
	m.gaugeOf("hallpass_mail_outbox_depth", "Mails that wait to be sent, in all processes, as this one sees them.", func() float64 {
		depth, _ := s.login.queue()
		return float64(depth)
	})
	m.gaugeOf("hallpass_mail_outbox_oldest_seconds", "How long the oldest of them has waited.", func() float64 {
		_, oldest := s.login.queue()
		return oldest.Seconds()
	})
	m.register(prometheus.NewCounterFunc(prometheus.CounterOpts(m.opts("hallpass_uses_dropped_total", "Uses of unlimited passes that could not be written down.")),
		func() float64 { return float64(s.issuer.Dropped()) }))
	m.register(prometheus.NewCounterFunc(prometheus.CounterOpts(m.opts("hallpass_events_dropped_total", "Refusals, scans and openings that were not written down, because there were too many.")),
		func() float64 { return float64(s.issuer.DroppedEvents()) }))
}

// Group counts a transaction of the store; see sqlitestore.Options.
func (m *Metrics) Group(size int, took time.Duration) {
	m.groupSize.Observe(float64(size))
	m.groupTime.Observe(took.Seconds())
}

func (m *Metrics) decided(d hallpass.Decision) {
	reason, refused := hallpass.RefusalOf(d.Err)
	counter := m.redemptions
	if strings.HasPrefix(string(d.Scope), hallpass.ScopeReserved) {
		counter = m.callers // of our own API; they are none of the passes it looks after
	} else if refused && reason != hallpass.RefusalMissing {
		m.refusals.WithLabelValues(string(reason)).Inc()
	}
	if !d.Redeem {
		return
	}
	outcome := outcomeUndecided
	switch {
	case refused:
		outcome = outcomeRefused
	case d.Err == nil && d.Duplicate:
		outcome = outcomeDuplicate
	case d.Err == nil:
		outcome = outcomeHonoured
	case isFieldError(d.Err):
		outcome = outcomeInvalid
	}
	counter.WithLabelValues(outcome).Inc()
}

func (m *Metrics) request(route string, status int, took time.Duration) {
	m.requests.WithLabelValues(route, strconv.Itoa(status/100)+"xx").Inc()
	m.durations.WithLabelValues(route).Observe(took.Seconds())
}

func (m *Metrics) reloaded(at time.Time, ok bool) {
	m.reloadAt.Set(float64(at.UnixMilli()) / 1000)
	m.reloadOK.Set(0)
	if ok {
		m.reloadOK.Set(1)
	}
}

func (m *Metrics) handler(logger *slog.Logger) http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelError), MaxRequestsInFlight: 4,
	})
}

func (m *Metrics) opts(name, help string) prometheus.Opts {
	m.help[name] = help
	return prometheus.Opts{Name: name, Help: help}
}

func (m *Metrics) register(c prometheus.Collector) { m.registry.MustRegister(c) }

func (m *Metrics) counter(name, help string) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts(m.opts(name, help)))
	m.register(c)
	return c
}

func (m *Metrics) counters(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts(m.opts(name, help)), labels)
	m.register(c)
	return c
}

func (m *Metrics) gauge(name, help string) prometheus.Gauge {
	g := prometheus.NewGauge(prometheus.GaugeOpts(m.opts(name, help)))
	m.register(g)
	return g
}

func (m *Metrics) gaugeOf(name, help string, f func() float64) {
	m.register(prometheus.NewGaugeFunc(prometheus.GaugeOpts(m.opts(name, help)), f))
}

func (m *Metrics) constant(name, help string, labels prometheus.Labels) {
	opts := prometheus.GaugeOpts(m.opts(name, help))
	opts.ConstLabels = labels
	g := prometheus.NewGauge(opts)
	m.register(g)
	g.Set(1)
}

func (m *Metrics) histogram(name, help string, buckets []float64) prometheus.Histogram {
	m.opts(name, help)
	h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets})
	m.register(h)
	return h
}

func (m *Metrics) histograms(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	m.opts(name, help)
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
	m.register(h)
	return h
}
