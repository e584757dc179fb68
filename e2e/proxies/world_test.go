package proxies_test

import (
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/gate"
	"github.com/hallpass-go/hallpass/mail"
	"github.com/hallpass-go/hallpass/memstore"
)

// host is the protected application's name in examples/.
const host = "app.example.com"

// clientAddr is where clients come from: another loopback address than the
// proxies', which alone are trusted.
const clientAddr = "127.0.0.77"

var rules = gate.Rules{
	{Path: "/open", Access: gate.AccessPublic},
	{Path: "/maybe", Access: gate.AccessOptional, Scope: "maybe"},
	{Path: "=/exact", Scope: "exact"},
	{Path: "/reports", Scope: "reports"},
	{Path: "/home", Scope: "login"},
	{Path: "/rsvp", Scope: "rsvp"},
	{Path: "/readonly", Methods: []string{"GET"}, Scope: "reports"},
	{Path: "/exact", Access: gate.AccessPublic},
	{Path: "/wide/secret", Scope: "reports"},
	{Path: "/wide", Access: gate.AccessPublic},
	{Path: "/members", Access: gate.AccessLogin},
	{Path: "/chiefs", Access: gate.AccessLogin, Allow: []string{"chief@example.com"}},
}

// world is an application, hallpass, and what stands before them.
type world struct {
	issuer *hallpass.Issuer
	past   *hallpass.Issuer // the same, an hour ago
	gate   *gate.Gate
	store  *brokenStore
	app    *httptest.Server
	auth   *httptest.Server // hallpass as the proxies know it
	direct *httptest.Server // hallpass as the proxy

	mu     sync.Mutex
	fronts map[string]*front
	end    []func()
	inbox  inbox
}

// brokenStore can be made to fail.
type brokenStore struct {
	*memstore.Store
	down atomic.Bool
}

var errDown = errors.New("the store is down")

func (b *brokenStore) Reserve(ctx context.Context, r hallpass.Reservation) (hallpass.Reserved, error) {
	if b.down.Load() {
		return hallpass.Reserved{}, errDown
	}
	return b.Store.Reserve(ctx, r)
}

func (b *brokenStore) Entry(ctx context.Context, id string) (hallpass.Entry, error) {
	if b.down.Load() {
		return hallpass.Entry{}, errDown
	}
	return b.Store.Entry(ctx, id)
}

func (b *brokenStore) Cell(ctx context.Context, group, key string, now time.Time) (hallpass.Cell, error) {
	if b.down.Load() {
		return hallpass.Cell{}, errDown
	}
	return b.Store.Cell(ctx, group, key, now)
}

var shared = sync.OnceValues(newWorld)

// common is the world that tests share; each issues passes of its own.
func common(t testing.TB) *world {
	t.Helper()
	w, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// ownWorld is for tests that break something.
func ownWorld(t testing.TB) *world {
	t.Helper()
	w, err := newWorld()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.close)
	return w
}

func newWorld() (*world, error) {
	w := &world{fronts: map[string]*front{}, store: &brokenStore{Store: memstore.New()}}
	key, err := hallpass.GenerateKey(hallpass.HS256)
	if err != nil {
		return nil, err
	}
	keys, err := hallpass.NewKeyring(key)
	if err != nil {
		return nil, err
	}
	quiet := slog.New(slog.DiscardHandler)
	if w.issuer, err = hallpass.New(hallpass.Config{Keys: keys, Store: w.store, Logger: quiet}); err != nil {
		return nil, err
	}
	w.past, err = hallpass.New(hallpass.Config{Keys: keys, Store: w.store, Logger: quiet, Now: func() time.Time { return time.Now().Add(-time.Hour) }})
	if err != nil {
		return nil, err
	}
	w.app = httptest.NewServer(http.HandlerFunc(serveApp))
	w.end = append(w.end, w.app.Close)
	upstream, err := url.Parse(w.app.URL)
	if err != nil {
		return nil, err
	}
	w.gate, err = gate.New(gate.Config{
		Issuer: w.issuer, Cells: w.store, BaseURL: "http://" + host, Rules: rules, Logger: quiet,
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, LoginAllow: mail.Patterns{"*@example.com"},
	})
	if err != nil {
		return nil, err
	}
	if err := w.openLogin(quiet); err != nil {
		return nil, err
	}
	proxy := w.gate.Proxy(upstream)
	w.direct = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		r.Header.Set("X-Request-Id", "made-by-the-server") // as package server does
		proxy.ServeHTTP(rw, r)
	}))
	w.end = append(w.end, w.direct.Close)
	auth, steps := w.gate.Auth(), w.gate.Steps()
	w.auth = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch { // by the raw path: a mux would clean Envoy's
		case strings.HasPrefix(r.URL.Path, "/auth/"):
			auth.ServeHTTP(rw, r)
		case strings.HasPrefix(r.URL.Path, w.gate.Prefix()+"/"):
			steps.ServeHTTP(rw, r)
		default:
			http.NotFound(rw, r)
		}
	}))
	w.end = append(w.end, w.auth.Close)
	return w, nil
}

func (w *world) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.fronts {
		f.stop()
	}
	for _, end := range w.end {
		end()
	}
}

// token issues a pass.
func (w *world) token(t testing.TB, spec hallpass.Spec) string {
	t.Helper()
	return w.issue(t, w.issuer, spec).Token.Reveal()
}

func (w *world) issue(t testing.TB, issuer *hallpass.Issuer, spec hallpass.Spec) hallpass.Issued {
	t.Helper()
	issued, err := issuer.Issue(context.Background(), spec)
	if err != nil {
		t.Fatal(err)
	}
	return issued
}

func (w *world) uses(t testing.TB, id string) []hallpass.Use {
	t.Helper()
	page, err := w.issuer.Uses(context.Background(), hallpass.UseQuery{Pass: id})
	if err != nil {
		t.Fatal(err)
	}
	return page.Uses
}

// echo is what the application received.
type echo struct {
	Method string
	URI    string
	Host   string
	Header map[string][]string
	Body   string
}

// serveApp is the application: it says what it got, or does what it is asked.
func serveApp(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-App", "yes")
	switch r.URL.Query().Get("do") {
	case "401", "403", "500":
		w.Header().Set("Set-Cookie", "app=1")
		status := map[string]int{"401": 401, "403": 403, "500": 500}[r.URL.Query().Get("do")]
		w.WriteHeader(status)
		io.WriteString(w, "the application's own words")
		return
	}
	if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		upgrade(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(echo{r.Method, r.RequestURI, r.Host, r.Header, string(body)})
}

// upgrade leaves HTTP, says which Upgrade it was asked for, and repeats what it
// hears.
func upgrade(w http.ResponseWriter, r *http.Request) {
	accept := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) // RFC 6455 section 1.3
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(waitTime))
	fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\nX-App: yes\r\nX-Asked: %s\r\n\r\n",
		base64.StdEncoding.EncodeToString(accept[:]), strings.Join(r.Header["Upgrade"], "|"))
	io.Copy(conn, rw)
}

// listenAddr is the address of a test server.
func listenAddr(s *httptest.Server) string {
	return s.Listener.Addr().(*net.TCPAddr).String()
}
