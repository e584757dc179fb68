package e2e_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// collector is a receiver of OTLP over HTTP that keeps what it is sent. The texts
// in a message stand in it as they are, which is enough to look for some.
type collector struct {
	*httptest.Server
	mu   sync.Mutex
	body bytes.Buffer
}

func newCollector(t *testing.T) *collector {
	c := &collector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" || r.Header.Get("Content-Encoding") != "" {
			t.Errorf("the collector was sent %s, %s", r.URL.Path, r.Header)
		}
		io.Copy(&c.body, r.Body)
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *collector) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.body.String()
}

// Whatever watches the server learns routes, counts and times, and never a token,
// a subject or a query.
func TestMetricsTracesAndLogsHoldNobodysSecrets(t *testing.T) {
	t.Parallel()
	const subject, marker = "hugo-the-subject@example.com", "a-private-query-value"
	traces := newCollector(t)
	store := sqliteFile(t)
	api := issueAPIToken(t, store)
	config := writeFile(t, "hallpass.yaml", "log: {level: debug}\nrules:\n  - path: /echo\n    scope: app\n    confirm: never\n  - path: /fail\n    access: public\n")
	s := startServeOn(t, store, []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + traces.URL, "OTEL_SERVICE_NAME=hallpass-under-test"},
		"--config", config, "--upstream", newUpstream(t).URL)
	pass := s.issueUnder(t, "/.hallpass", api, `{"scope":"app","mode":"request","subject":"`+subject+`","max_uses":1}`)
	for _, tt := range []struct {
		path    string
		status  int
		headers []string
	}{
		{"/echo?x=" + marker + "&rt=" + pass.Token, http.StatusOK, nil},
		{"/echo?x=" + marker + "&rt=" + pass.Token, http.StatusForbidden, nil},
		{"/echo?x=" + marker, http.StatusUnauthorized, []string{"Authorization", "Bearer " + pass.Token}},
		{"/echo?rt=" + pass.Token[:len(pass.Token)-10] + "AAAAAAAAAA", http.StatusForbidden, nil},
		{"/fail?x=" + marker, http.StatusInternalServerError, []string{"Authorization", "Bearer " + pass.Token}},
		{"/.hallpass/v1/passes?subject=" + subject, http.StatusOK, []string{"Authorization", "Bearer " + api}},
	} {
		if got := get(t, s.URL+tt.path, tt.headers...); got.status != tt.status {
			t.Errorf("%s: status %d, want %d", strings.Split(tt.path, "?")[0], got.status, tt.status)
		}
	}
	s.logged(t, `route="GET /.hallpass/v1/passes"`) // a request is counted after its answer
	metrics := get(t, s.OpsURL+"/metrics").body
	s.stop(t)

	for _, want := range []string{
		`hallpass_redemptions_total{outcome="honoured"} 1`,
		`hallpass_refusals_total{reason="spent"} 2`,
		`hallpass_refusals_total{reason="bad_signature"} 1`,
		`hallpass_http_requests_total{class="5xx",route="/"} 1`,
		`hallpass_http_requests_total{class="2xx",route="GET /.hallpass/v1/passes"} 1`,
		`hallpass_store_duration_seconds_count{method="reserve"}`,
		`hallpass_store_group_size_count`,
		`hallpass_build_info{`,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	sent := traces.text()
	for _, want := range []string{"GET /.hallpass/v1/passes", "hallpass-under-test", "http.route"} {
		if !strings.Contains(sent, want) {
			t.Errorf("no span holds %q", want)
		}
	}
	for _, want := range []string{`route="GET /.hallpass/v1/passes"`, "request_id=", "client=127.0.0.1", "status=200"} {
		if !strings.Contains(s.stderr.String(), want) {
			t.Errorf("the log lacks %s", want)
		}
	}
	requests := strings.Count(s.stderr.String(), "msg=request ")
	if want := 1 + 6 + 1; requests != want {
		t.Errorf("%d lines for %d requests", requests, want)
	}
	for where, text := range map[string]string{"metrics": metrics, "traces": sent, "log": s.stderr.String()} {
		if leak := said.leak(text); leak != "" {
			t.Errorf("a token is in the %s: %s", where, leak)
		}
		for _, secret := range []string{subject, marker, "hugo-the-subject", pass.ID, "rt="} {
			// The log names the pass that was refused: by its id an operator finds it.
			if strings.Contains(text, secret) && (secret != pass.ID || where != "log") {
				t.Errorf("%q is in the %s", secret, where)
			}
		}
	}
}

func TestNoTracesAreSentUnlessAsked(t *testing.T) {
	t.Parallel()
	for name, env := range map[string][]string{
		"nothing is set":   nil,
		"the SDK is off":   {"OTEL_SDK_DISABLED=true"},
		"no exporter":      {"OTEL_TRACES_EXPORTER=none"},
		"only a name":      {"OTEL_SERVICE_NAME=hallpass"},
		"metrics are sent": {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=http://localhost:1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			traces := newCollector(t)
			if len(env) > 0 && strings.Contains(name, "off") || strings.Contains(name, "exporter") {
				env = append(env, "OTEL_EXPORTER_OTLP_ENDPOINT="+traces.URL)
			}
			s := startServe(t, env)
			get(t, s.URL+"/.well-known/jwks.json")
			s.stop(t)
			if traces.text() != "" || !strings.Contains(s.stderr.String(), "traces=false") {
				t.Error("a trace was sent")
			}
		})
	}
}

var requestID = regexp.MustCompile(`request id (\S+)`)

func TestRequestIDsComeFromTrustedProxiesOnly(t *testing.T) {
	t.Parallel()
	config := writeFile(t, "hallpass.yaml", "rules:\n  - access: public\n")
	for name, tt := range map[string]struct {
		args   []string
		given  string
		passed bool
	}{
		"from a stranger":                    {nil, "req-12345", false},
		"from a trusted proxy":               {[]string{"--trusted-proxy", "127.0.0.1"}, "req-12345", true},
		"too long, from a trusted proxy":     {[]string{"--trusted-proxy", "127.0.0.1"}, strings.Repeat("a", 129), false},
		"with a space, from a trusted proxy": {[]string{"--trusted-proxy", "127.0.0.1"}, "a b", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startServe(t, nil, append([]string{"--config", config, "--upstream", newUpstream(t).URL}, tt.args...)...)
			got := get(t, s.URL+"/echo", "X-Request-Id", tt.given)
			seen := requestID.FindStringSubmatch(got.body)
			if seen == nil || len(got.header.Values("X-Request-Id")) != 1 || got.header.Get("X-Request-Id") != seen[1] {
				t.Fatalf("the application saw %v, the client %q", seen, got.header.Values("X-Request-Id"))
			}
			if (seen[1] == tt.given) != tt.passed {
				t.Errorf("the id is %q", seen[1])
			}
			s.logged(t, "request_id="+seen[1])
		})
	}
}

// With an upstream, the application's own paths are its own.
func TestTheApplicationsPathsAreNotShadowed(t *testing.T) {
	t.Parallel()
	config := writeFile(t, "hallpass.yaml", "rules:\n  - access: public\n")
	s := startServe(t, nil, "--config", config, "--upstream", newUpstream(t).URL)
	for _, path := range []string{
		"/", "/v1/passes", "/openapi.json", "/.well-known/jwks.json", "/.well-known/security.txt", "/auth/nginx", "/auth/forward",
		"/healthz", "/readyz", "/metrics", "/admin/", "/login", "/.hallpassed",
	} {
		if got := get(t, s.URL+path); got.status != http.StatusOK || got.body != "the application" {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
	for path, status := range map[string]int{
		"/.hallpass/openapi.json": http.StatusOK, "/.well-known/hallpass-jwks.json": http.StatusOK,
		"/.hallpass/v1/passes": http.StatusUnauthorized, "/.hallpass/metrics": http.StatusForbidden,
	} {
		if got := get(t, s.URL+path); got.status != status || got.body == "the application" {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
}
