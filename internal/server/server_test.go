package server_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/gate"
	"github.com/hallpass-go/hallpass/internal/server"
	"github.com/hallpass-go/hallpass/keystore"
	"github.com/hallpass-go/hallpass/memstore"
	"github.com/hallpass-go/hallpass/storetest"
)

// log is what a server wrote.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// newServer makes a server on a memory store and free ports; change adapts it.
func newServer(t *testing.T, change func(*server.Config)) (*server.Server, server.Config, *log) {
	t.Helper()
	store := memstore.New()
	ring, _, err := keystore.Bootstrap(t.Context(), store, nil)
	if err != nil {
		t.Fatal(err)
	}
	written := &log{}
	cfg := server.Config{
		Store: store, Ring: ring, Public: listen(t), Ops: listen(t), Metrics: server.NewMetrics(server.Build{Version: "test"}),
		Logger: slog.New(slog.NewTextHandler(written, nil)), Rules: gate.Rules{{Access: gate.AccessPublic}},
	}
	cfg.BaseURL = "http://" + cfg.Public.Addr().String()
	if change != nil {
		change(&cfg)
	}
	s, err := server.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s, cfg, written
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// run runs a server until the test ends or stop is called.
func run(t *testing.T, s *server.Server) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, nil) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func TestAStoreThatIsTimedKeepsTheContract(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(*testing.T) hallpass.Store {
		return server.Timed(memstore.New(), server.NewMetrics(server.Build{}))
	}, nil)
}

func TestAPanicIsOneAnswerAndOneLineInTheLog(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		handler http.HandlerFunc
		status  int
		logged  int
	}{
		"before the answer": {func(http.ResponseWriter, *http.Request) { panic("the-secret") }, http.StatusInternalServerError, 1},
		"an error":          {func(http.ResponseWriter, *http.Request) { panic(errors.New("the-secret")) }, http.StatusInternalServerError, 1},
		"of the runtime":    {func(_ http.ResponseWriter, r *http.Request) { _ = []int{}[len(r.URL.RawQuery)] }, http.StatusInternalServerError, 1},
		"within the answer": {func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "half")
			w.(http.Flusher).Flush()
			panic("the-secret")
		}, 0, 1},
		"on purpose": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _, written := newServer(t, nil)
			ts := httptest.NewServer(s.Around(tt.handler))
			ts.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
			defer ts.Close()
			resp, err := http.Get(ts.URL + "/?rt=the-secret")
			var body []byte
			if err == nil {
				body, err = io.ReadAll(resp.Body)
				resp.Body.Close()
			}
			if tt.status == 0 {
				if err == nil {
					t.Errorf("the answer looks whole: %s", body)
				}
			} else {
				id := resp.Header.Get("X-Request-Id")
				if resp.StatusCode != tt.status || !strings.Contains(string(body), `"code":"internal"`) || !strings.Contains(string(body), id) || len(id) < 16 {
					t.Errorf("%d %s", resp.StatusCode, body)
				}
				if !strings.Contains(written.String(), "request_id="+id) {
					t.Errorf("the log does not have the id: %s", written)
				}
			}
			ts.Close() // a request is logged after its answer
			if n := strings.Count(written.String(), "a handler panicked"); n != tt.logged || strings.Count(written.String(), "msg=request ") != 1 {
				t.Errorf("%d lines: %s", n, written)
			}
			if strings.Contains(written.String()+string(body), "the-secret") {
				t.Errorf("the panic's text is told: %s", written)
			}
		})
	}
}

// upgrading is an application that echoes whatever comes after an upgrade, and
// whose /events sends a line every few milliseconds.
func upgrading(t *testing.T) *url.URL {
	t.Helper()
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") == "" {
			w.Header().Set("Content-Type", "text/event-stream")
			for i := 0; r.Context().Err() == nil && i < 1000; i++ {
				fmt.Fprintf(w, "data: %d\n\n", i)
				w.(http.Flusher).Flush()
				time.Sleep(5 * time.Millisecond)
			}
			return
		}
		conn, buffered, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		io.Copy(conn, buffered)
	}))
	t.Cleanup(app.Close)
	u, err := url.Parse(app.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestUpgradedConnectionsAndStreamsPassAndEndWithTheServer(t *testing.T) {
	t.Parallel()
	s, cfg, written := newServer(t, func(c *server.Config) {
		c.Upstream, c.DrainTimeout = upgrading(t), 300*time.Millisecond
	})
	stop := run(t, s)
	conn, err := net.Dial("tcp", cfg.Public.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprintf(conn, "GET /socket HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", cfg.Public.Addr())
	answers := bufio.NewReader(conn)
	resp, err := http.ReadResponse(answers, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("upgrade: %v, %v", resp, err)
	}
	for range 3 {
		io.WriteString(conn, "hello\n")
		if line, err := answers.ReadString('\n'); line != "hello\n" {
			t.Fatalf("echo: %q, %v", line, err)
		}
	}
	events, err := http.Get(cfg.BaseURL + "/events")
	if err != nil {
		t.Fatal(err)
	}
	defer events.Body.Close()
	if line, err := bufio.NewReader(events.Body).ReadString('\n'); line != "data: 0\n" {
		t.Fatalf("the first event: %q, %v", line, err)
	}
	began := time.Now()
	stop()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the server took %s to stop", took)
	}
	if _, err := answers.ReadString('\n'); err == nil {
		t.Error("the upgraded connection outlived the server")
	}
	if !strings.Contains(written.String(), "requests were still open") {
		t.Errorf("the log says nothing of the stream that was cut: %s", written)
	}
}

// failing is a store that does not answer.
type failing struct{ hallpass.Store }

func (failing) Cell(context.Context, string, string, time.Time) (hallpass.Cell, error) {
	return hallpass.Cell{}, errors.New("dial tcp 10.0.0.1:5432: the-secret")
}

func TestReadinessNamesWhatIsMissingAndNothingElse(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*server.Config)
		want   string
	}{
		"nothing": {func(*server.Config) {}, ""},
		"store":   {func(c *server.Config) { c.Store = failing{c.Store} }, `"store":{"ok":false,"detail":"does not answer"}`},
		"schema": {func(c *server.Config) {
			c.CheckSchema = func(context.Context) error { return errors.New("the-secret") }
		},
			`"schema":{"ok":false,`},
		"keys": {func(c *server.Config) { c.FileKeys, _ = hallpass.NewKeyring() }, `"keys":{"ok":false,"detail":"none is active"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, cfg, _ := newServer(t, tt.change)
			run(t, s)
			for _, path := range []string{"/readyz", "/healthz"} {
				resp, err := http.Get("http://" + cfg.Ops.Addr().String() + path)
				if err != nil {
					t.Fatal(err)
				}
				body, _ := io.ReadAll(resp.Body)
				resp.Body.Close()
				want := http.StatusOK
				if path == "/readyz" && tt.want != "" {
					want = http.StatusServiceUnavailable
				}
				if resp.StatusCode != want || path == "/readyz" && !strings.Contains(string(body), tt.want) {
					t.Errorf("%s: %d %s", path, resp.StatusCode, body)
				}
				if strings.Contains(string(body), "the-secret") {
					t.Errorf("%s tells what only the log should: %s", path, body)
				}
			}
		})
	}
}

var metricRow = regexp.MustCompile("(?m)^\\| `(hallpass_[a-z_]+)` \\| (.*) \\|$")

func TestTheDocumentationListsEveryMetric(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, cfg, _ := newServer(t, nil)
	documented := map[string]string{}
	for _, row := range metricRow.FindAllSubmatch(text, -1) {
		documented[string(row[1])] = string(row[2])
	}
	for name, help := range cfg.Metrics.Help() {
		if documented[name] != help {
			t.Errorf("docs/operations.md should have\n| `%s` | %s |", name, help)
		}
		delete(documented, name)
	}
	for name := range documented {
		t.Errorf("docs/operations.md has %s, which does not exist", name)
	}
}

// The mount was chosen by the decoded path, and what stood behind it read another.
func TestAPathThatIsNotClearReachesNoMount(t *testing.T) {
	t.Parallel()
	s, cfg, _ := newServer(t, nil)
	run(t, s)
	for path, want := range map[string]int{
		"/v1/passes/..%2f..%2f.hallpass%2fx": 403, "/v1/../healthz": 403, "//v1/passes": 403, "/v1/passes/%00": 403, "/.hallpass/;x": 403,
		"/%761/passes": 401, "/v1/passes": 401, "/nothing": 404,
	} {
		conn, err := net.Dial("tcp", cfg.Public.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", path, cfg.Public.Addr())
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		conn.Close()
		if resp.StatusCode != want || resp.Header.Get("Content-Type") != "application/problem+json" ||
			want == 403 && !strings.Contains(string(body), `"code":"not_granted"`) {
			t.Errorf("%s: %d %s", path, resp.StatusCode, body)
		}
	}
}

// It stayed at 0: requests without a token are refused without asking the issuer.
func TestNoMetricCountsRequestsWithoutAToken(t *testing.T) {
	t.Parallel()
	s, cfg, _ := newServer(t, nil)
	run(t, s)
	resp, err := http.Get("http://" + cfg.Ops.Addr().String() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	if !strings.Contains(string(text), `hallpass_refusals_total{reason="malformed"} 0`) || strings.Contains(string(text), `reason="missing"`) {
		t.Errorf("%s", text)
	}
}
