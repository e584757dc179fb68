package gate_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/gate"
	"github.com/hallpass-go/hallpass/memstore"
)

// front is a protected application behind the gate's own proxy, and the same gate
// behind a proxy made of two lines.
type front struct {
	t      *testing.T
	issuer *hallpass.Issuer
	gate   *gate.Gate
	proxy  *httptest.Server // Gate.Proxy
	auth   *httptest.Server // Gate.Auth and Gate.Steps
}

var rules = gate.Rules{
	{Path: "/open", Access: gate.AccessPublic},
	{Path: "/maybe", Access: gate.AccessOptional, Scope: "maybe"},
	{Path: "/reports", Scope: "reports"},
	{Path: "/home", Scope: "login"},
	{Path: "/rsvp", Scope: "rsvp"},
}

func newFront(t *testing.T) *front {
	t.Helper()
	f := &front{t: t}
	key, err := hallpass.GenerateKey(hallpass.HS256)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := hallpass.NewKeyring(key)
	if err != nil {
		t.Fatal(err)
	}
	store := memstore.New()
	if f.issuer, err = hallpass.New(hallpass.Config{Keys: keys, Store: store}); err != nil {
		t.Fatal(err)
	}
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Referrer-Policy", "unsafe-url")
		w.Header().Set("Cache-Control", "public")
		for name := range r.Header {
			if strings.Contains(strings.ToLower(name), "subject") && name != "X-Hallpass-Subject" {
				t.Errorf("the application got %s", name)
			}
		}
		fmt.Fprintf(w, "%s %s subject=%q scope=%q cookie=%q auth=%q from=%q", r.Method, r.URL.RequestURI(),
			r.Header.Get("X-Hallpass-Subject"), r.Header.Get("X-Hallpass-Scope"), r.Header.Get("Cookie"), r.Header.Get("Authorization"), r.Header.Get("Referer"))
	}))
	t.Cleanup(app.Close)
	upstream, err := url.Parse(app.URL)
	if err != nil {
		t.Fatal(err)
	}
	f.gate, err = gate.New(gate.Config{
		Issuer: f.issuer, Cells: store, BaseURL: "http://127.0.0.1", Rules: rules,
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	f.proxy = httptest.NewServer(f.gate.Proxy(upstream))
	t.Cleanup(f.proxy.Close)
	mux := http.NewServeMux()
	mux.Handle("/auth/", f.gate.Auth())
	mux.Handle("/.hallpass/", f.gate.Steps())
	f.auth = httptest.NewServer(mux)
	t.Cleanup(f.auth.Close)
	return f
}

func (f *front) token(spec hallpass.Spec) string {
	f.t.Helper()
	issued, err := f.issuer.Issue(context.Background(), spec)
	if err != nil {
		f.t.Fatal(err)
	}
	return issued.Token.Reveal()
}

type answer struct {
	status int
	body   string
	header http.Header
}

func newClient(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func (f *front) do(c *http.Client, method, target, body string, headers ...string) answer {
	f.t.Helper()
	req, err := http.NewRequest(method, target, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	resp, err := c.Do(req)
	if err != nil {
		f.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return answer{resp.StatusCode, string(text), resp.Header}
}

var (
	action = regexp.MustCompile(`(?s)<form[^>]*action="([^"]*)"`)
	hidden = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)
)

// press presses the button on a page that came from base.
func (f *front) press(c *http.Client, base string, page answer, headers ...string) answer {
	f.t.Helper()
	to := action.FindStringSubmatch(page.body)
	if to == nil {
		f.t.Fatalf("no button (%d):\n%s", page.status, page.body)
	}
	form := url.Values{}
	for _, h := range hidden.FindAllStringSubmatch(page.body, -1) {
		form.Set(h[1], h[2])
	}
	headers = append([]string{"Content-Type", "application/x-www-form-urlencoded", "Accept", "text/html"}, headers...)
	return f.do(c, "POST", base+strings.ReplaceAll(to[1], "&amp;", "&"), form.Encode(), headers...)
}

func want(t *testing.T, a answer, status int, part string) {
	t.Helper()
	if a.status != status || !strings.Contains(a.body, part) {
		t.Fatalf("got %d, want %d with %q:\n%s\n%v", a.status, status, part, a.body, a.header)
	}
}

var page = []string{"Accept", "text/html"}

func TestTheProxyLetsInByRule(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	c := newClient(t)
	reports := f.token(hallpass.Spec{Scope: "reports", Mode: hallpass.ModeRequest, Subject: "greta", MaxUses: hallpass.Unlimited})
	want(t, f.do(c, "GET", f.proxy.URL+"/open/x?a=1", "", "X-Hallpass-Subject", "evil", "X_hallpass_subject", "evil", "X.Hallpass.Subject", "evil"), 200, `GET /open/x?a=1 subject=""`)
	want(t, f.do(c, "GET", f.proxy.URL+"/nowhere", ""), 403, "not_granted")
	want(t, f.do(c, "GET", f.proxy.URL+"/reports", ""), 401, "bad_signature")
	want(t, f.do(c, "GET", f.proxy.URL+"/reports/1", "", "Authorization", "Bearer "+reports, "Cookie", "app=1; hallpass-session=x"), 200,
		`GET /reports/1 subject="greta" scope="reports" cookie="app=1" auth=""`)
	want(t, f.do(c, "GET", f.proxy.URL+"/maybe", "", "Authorization", "Basic YTpi"), 200, `subject="" scope="" cookie="" auth="Basic YTpi"`)
	want(t, f.do(c, "GET", f.proxy.URL+"/maybe", "", "Authorization", "Bearer "+reports), 403, "wrong_scope")
	want(t, f.do(c, "GET", f.proxy.URL+"/reports/%2e%2e/home", "", "Authorization", "Bearer "+reports), 403, "not_granted")
}

func TestASessionPassOpensThePageThroughTheProxy(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	c := newClient(t)
	token := f.token(hallpass.Spec{Scope: "login", Mode: hallpass.ModeSession, Subject: "hugo"})
	asked := f.do(c, "GET", f.proxy.URL+"/home?tab=1&rt="+token, "", page...)
	want(t, asked, 200, "<form")
	moved := f.press(c, f.proxy.URL, asked)
	if moved.status != 303 || moved.header.Get("Location") != "/home?tab=1" {
		t.Fatalf("%d to %q\n%s", moved.status, moved.header.Get("Location"), moved.body)
	}
	want(t, f.do(c, "GET", f.proxy.URL+"/home?tab=1", ""), 200, `GET /home?tab=1 subject="hugo" scope="login" cookie=""`)
	want(t, f.do(c, "GET", f.proxy.URL+"/reports", ""), 401, "")
	want(t, f.do(newClient(t), "GET", f.proxy.URL+"/home", ""), 401, "")
	sessions, _, err := f.gate.Sessions().List(context.Background(), "hugo", "", 10)
	if err != nil || len(sessions) != 1 {
		t.Fatalf("%v %v", sessions, err)
	}
	if err := f.gate.Sessions().End(context.Background(), sessions[0].ID); err != nil {
		t.Fatal(err)
	}
	want(t, f.do(c, "GET", f.proxy.URL+"/home", ""), 401, "")
}

func TestALinkIsHonouredOnceThroughTheProxy(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	c := newClient(t)
	link := f.proxy.URL + "/rsvp?rt=" + f.token(hallpass.Spec{Scope: "rsvp", Mode: hallpass.ModeRequest, Subject: "ivo", MaxUses: 1})
	asked := f.do(c, "GET", link, "", page...)
	want(t, asked, 200, "<form")
	moved := f.press(c, f.proxy.URL, asked)
	if moved.status != 303 || moved.header.Get("Location") != "/rsvp" {
		t.Fatalf("%d %v %s", moved.status, moved.header, moved.body)
	}
	want(t, f.do(c, "GET", f.proxy.URL+"/rsvp", ""), 200, `subject="ivo"`)
	want(t, f.do(c, "GET", f.proxy.URL+"/rsvp", ""), 401, "")
	want(t, f.do(newClient(t), "GET", link, "", page...), 403, "spent")
}

// forwarded asks an auth endpoint about a request.
func (f *front) forwarded(c *http.Client, endpoint, id, method, target string, headers ...string) answer {
	f.t.Helper()
	headers = append([]string{
		"X-Forwarded-Method", method, "X-Forwarded-Host", "127.0.0.1", "X-Forwarded-Uri", target, "X-Forwarded-Proto", "http",
		"X-Forwarded-For", "203.0.113.9", "X-Request-Id", id,
	}, headers...)
	return f.do(c, "GET", f.auth.URL+endpoint, "", headers...)
}

func TestForwardAuthDialects(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	c := newClient(t)
	once := func() string { return f.token(hallpass.Spec{Scope: "reports", MaxUses: 1}) }

	// nginx may ask twice about one request; another request with the token is spent.
	token := once()
	want(t, f.forwarded(c, "/auth/nginx", "request-1", "GET", "/reports", "Authorization", "Bearer "+token), 204, "")
	again := f.forwarded(c, "/auth/nginx", "request-1", "GET", "/reports", "Authorization", "Bearer "+token, "Cookie", "app=1; hallpass-ticket=y")
	want(t, again, 204, "")
	if again.header.Get("X-Hallpass-Scope") != "reports" || again.header.Get("X-Hallpass-Cookie") != "app=1" || again.header.Get("X-Hallpass-Authorization") != "" {
		t.Errorf("%v", again.header)
	}
	want(t, f.forwarded(c, "/auth/nginx", "request-2", "GET", "/reports", "Authorization", "Bearer "+token), 401, "")
	want(t, f.forwarded(c, "/auth/nginx", "request-1", "GET", "/reports/other", "Authorization", "Bearer "+token), 401, "")
	want(t, f.forwarded(c, "/auth/page", "request-2", "GET", "/reports", "Authorization", "Bearer "+token), 401, "spent")

	want(t, f.forwarded(c, "/auth/forward", "request-3", "GET", "/reports", "Authorization", "Bearer "+once()), 200, "")
	want(t, f.forwarded(c, "/auth/forward", "request-4", "GET", "/open"), 200, "")
	want(t, f.forwarded(c, "/auth/forward", "request-5", "GET", "/reports/..%2fhome"), 403, "not_granted")
	want(t, f.forwarded(c, "/auth/forward", "request-6", "GET", "/reports"), 401, "")

	envoy := f.do(c, "POST", f.auth.URL+"/auth/envoy/reports?x=1", "", "Authorization", "Bearer "+once())
	want(t, envoy, 200, "")
}

func TestALinkBecomesATicketBehindNginx(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	c := newClient(t)
	link := "/rsvp?x=1&rt=" + f.token(hallpass.Spec{Scope: "rsvp", Mode: hallpass.ModeRequest, Subject: "ivo", MaxUses: 1})
	want(t, f.forwarded(c, "/auth/nginx", "request-1", "GET", link), 401, "")
	asked := f.forwarded(c, "/auth/page", "request-1", "GET", link, page...)
	want(t, asked, 200, "<form")
	moved := f.press(c, f.auth.URL, asked, "X-Forwarded-Host", "127.0.0.1")
	if moved.status != 303 || moved.header.Get("Location") != "/rsvp?x=1" {
		t.Fatalf("%d %v %s", moved.status, moved.header, moved.body)
	}
	allowed := f.forwarded(c, "/auth/nginx", "request-2", "GET", "/rsvp?x=1")
	want(t, allowed, 204, "")
	if allowed.header.Get("X-Hallpass-Subject") != "ivo" {
		t.Errorf("%v", allowed.header)
	}
	want(t, f.forwarded(c, "/auth/nginx", "request-2", "GET", "/rsvp?x=1"), 204, "")
	want(t, f.forwarded(c, "/auth/nginx", "request-3", "GET", "/rsvp?x=1"), 401, "")

	// A public link with several uses asks nobody, but still leaves the address.
	open := "/rsvp?rt=" + f.token(hallpass.Spec{Scope: "rsvp", MaxUses: 5})
	want(t, f.forwarded(c, "/auth/nginx", "request-4", "GET", open), 401, "")
	moved = f.forwarded(c, "/auth/page", "request-4", "GET", open, page...)
	if moved.status != 303 || moved.header.Get("Location") != "/rsvp" {
		t.Fatalf("%d %v %s", moved.status, moved.header, moved.body)
	}
	want(t, f.forwarded(c, "/auth/nginx", "request-5", "GET", "/rsvp"), 204, "")
}

func TestOnlyDeclaredProxiesMayAsk(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	g, err := gate.New(gate.Config{Issuer: f.issuer, Cells: memstore.New(), BaseURL: "http://127.0.0.1", Rules: rules, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(g.Auth())
	defer server.Close()
	want(t, f.do(newClient(t), "GET", server.URL+"/auth/forward", "", "X-Forwarded-Host", "127.0.0.1", "X-Forwarded-Method", "GET", "X-Forwarded-Uri", "/open"), 403, "not_granted")
}
