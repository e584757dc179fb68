package login_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass/login"
	"github.com/hallpass-go/hallpass/mail"
	"github.com/hallpass-go/hallpass/memstore"
)

// site is an application with a login, on a real server: /account needs one, and
// /open takes one.
type site struct {
	*engine
	server *httptest.Server
	log    *logBuffer
}

type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newSite(t *testing.T, change func(*login.Config)) *site {
	t.Helper()
	return newSiteOn(t, httptest.NewServer, change)
}

// newSecureSite is one behind TLS.
func newSecureSite(t *testing.T, change func(*login.Config)) *site {
	t.Helper()
	return newSiteOn(t, httptest.NewTLSServer, change)
}

func newSiteOn(t *testing.T, listen func(http.Handler) *httptest.Server, change func(*login.Config)) *site {
	t.Helper()
	mux := http.NewServeMux()
	s := &site{server: listen(mux), log: &logBuffer{}}
	t.Cleanup(s.server.Close)
	c := &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	path := "/login"
	s.engine = engineOver(t, memstore.New(), c, func(cfg *login.Config) {
		cfg.BaseURL = s.server.URL
		cfg.Logger = slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		if change != nil {
			change(cfg)
		}
		if cfg.Path != "" {
			path = cfg.Path
		}
	})
	mux.Handle(path, s.Handler())
	mux.Handle(path+"/", s.Handler())
	mux.Handle("/account", s.RequireLogin(http.HandlerFunc(sayWho)))
	mux.Handle("/open", s.WithLogin(http.HandlerFunc(sayWho)))
	return s
}

func sayWho(w http.ResponseWriter, r *http.Request) {
	a, ok := login.FromContext(r.Context())
	fmt.Fprintf(w, "who=%s role=%v ok=%v", a.Address, a.Claims["role"], ok)
}

// browser is a client with cookies that does not follow redirects by itself.
type browser struct {
	t    testing.TB
	c    *http.Client
	base string
	// headers are sent with every request.
	headers map[string]string
}

type answer struct {
	status int
	body   string
	header http.Header
}

func (s *site) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	b := &browser{t: s.t, base: s.server.URL, headers: map[string]string{}, c: &http.Client{
		Jar: jar, Transport: s.server.Client().Transport, Timeout: 20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	return b
}

// app is a client without cookies.
func (s *site) app() *browser {
	b := s.browser()
	b.c.Jar = nil
	return b
}

// do sends a request; headers come in pairs, and an empty value takes one away.
func (b *browser) do(method, path, body string, headers ...string) answer {
	b.t.Helper()
	target := path
	if strings.HasPrefix(path, "/") {
		target = b.base + path
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, target, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	for name, value := range b.headers {
		r.Header.Set(name, value)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i+1] == "" {
			r.Header.Del(headers[i])
		} else {
			r.Header.Add(headers[i], headers[i+1])
		}
	}
	resp, err := b.c.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer{resp.StatusCode, string(text), resp.Header}
}

// open goes to a page as a person's browser does.
func (b *browser) open(path string, headers ...string) answer {
	b.t.Helper()
	return b.do("GET", path, "", append([]string{
		"Accept", "text/html,*/*;q=0.8", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Sec-Fetch-Site", "none",
	}, headers...)...)
}

// post sends JSON as a program does.
func (b *browser) post(path, body string, headers ...string) answer {
	b.t.Helper()
	return b.do("POST", path, body, append([]string{"Content-Type", "application/json"}, headers...)...)
}

// form sends a form as one of our own pages does.
func (b *browser) form(path string, fields url.Values, headers ...string) answer {
	b.t.Helper()
	return b.do("POST", path, fields.Encode(), append([]string{
		"Content-Type", "application/x-www-form-urlencoded", "Accept", "text/html", "Origin", "null", "Sec-Fetch-Site", "same-origin",
	}, headers...)...)
}

var (
	formPattern   = regexp.MustCompile(`(?s)<form[^>]*action="([^"]*)".*?</form>`)
	hiddenPattern = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)
)

// press sends the n-th form of a page with what it hides, and fields in pairs.
func (b *browser) press(page answer, n int, fields ...string) answer {
	b.t.Helper()
	forms := formPattern.FindAllStringSubmatch(page.body, -1)
	if len(forms) <= n {
		b.t.Fatalf("the page (%d) has %d forms:\n%s", page.status, len(forms), page.body)
	}
	values := url.Values{}
	for _, h := range hiddenPattern.FindAllStringSubmatch(forms[n][0], -1) {
		values.Set(h[1], html.UnescapeString(h[2]))
	}
	for i := 0; i < len(fields); i += 2 {
		values.Set(fields[i], fields[i+1])
	}
	return b.form(html.UnescapeString(forms[n][1]), values)
}

// cookie returns what the browser would send to a path under a name.
func (b *browser) cookie(path, name string) string {
	b.t.Helper()
	u, err := url.Parse(b.base + path)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range b.c.Jar.Cookies(u) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// setCookie returns the cookie that an answer sets, nil for none.
func (a answer) setCookie(name string) *http.Cookie {
	for _, c := range (&http.Response{Header: a.header}).Cookies() {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// problem reads a problem document.
func (a answer) problem(t testing.TB) (code, field string) {
	t.Helper()
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		t.Fatalf("content type %q of %d %s", got, a.status, a.body)
	}
	var p struct {
		Status      int
		Code, Field string
	}
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
	if p.Status != a.status {
		t.Errorf("the document says %d, the answer %d", p.Status, a.status)
	}
	return p.Code, p.Field
}

// pair reads tokens.
func (a answer) pair(t testing.TB) (access, refresh string) {
	t.Helper()
	var p struct{ Access, Refresh string }
	if err := json.Unmarshal([]byte(a.body), &p); err != nil || a.status != 200 || p.Access == "" || p.Refresh == "" {
		t.Fatalf("no tokens: %d %s", a.status, a.body)
	}
	return p.Access, p.Refresh
}

func want(t testing.TB, a answer, status int, part string) {
	t.Helper()
	if a.status != status || !strings.Contains(a.body, part) {
		t.Fatalf("got %d, want %d with %q in it:\n%v\n%s", a.status, status, part, a.header, stylePattern.ReplaceAllString(a.body, ""))
	}
}

// ask asks for a mail as an app does, and reads it.
func (s *site) ask(b *browser, email string) (flow string, m mail.Message) {
	s.t.Helper()
	a := b.post("/login/code", `{"email":"`+email+`"}`)
	if a.status != 204 {
		s.t.Fatalf("%d %s", a.status, a.body)
	}
	flow = a.header.Get(login.FlowHeader)
	return flow, s.outbox.waitForFlow(s.t, flow)
}

// askByPage does so as a person does, and returns the page for the code.
func (s *site) askByPage(b *browser, email, next string) (page answer, m mail.Message) {
	s.t.Helper()
	page = b.open("/login?other=1&next=" + url.QueryEscape(next))
	a := b.press(page, 0, "email", email)
	if a.status != 303 || a.header.Get("Location") != "/login" {
		s.t.Fatalf("%d %v %s", a.status, a.header, a.body)
	}
	return b.open("/login"), s.outbox.waitForFlow(s.t, a.setCookie("hallpass-login").Value)
}

// signIn logs an app in and returns its tokens.
func (s *site) signIn(b *browser, email string) (access, refresh string) {
	s.t.Helper()
	flow, m := s.ask(b, email)
	return b.post("/login", `{"email":"`+email+`","code":"`+m.Data["code"]+`"}`, login.FlowHeader, flow).pair(s.t)
}

// signInByPage logs a browser in.
func (s *site) signInByPage(b *browser, email string) {
	s.t.Helper()
	page, m := s.askByPage(b, email, "")
	if a := b.press(page, 0, "code", m.Data["code"]); a.status != 303 {
		s.t.Fatalf("%d %s", a.status, a.body)
	}
}

// linkOf is the path and query of a mail's link.
func (s *site) linkOf(m mail.Message) string {
	s.t.Helper()
	path, ok := strings.CutPrefix(m.Data["link"], s.server.URL)
	if !ok {
		s.t.Fatalf("the link leads elsewhere")
	}
	return path
}

func tokenOf(m mail.Message) string {
	_, token, _ := strings.Cut(m.Data["link"], login.LinkParam+"=")
	return token
}

// askAt asks for a mail under another name of the server.
func (s *site) askAt(host, path string) answer {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), "POST", s.server.URL+path, strings.NewReader(`{"email":"`+host+`@example.com"}`))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Host = host
	r.Header.Set("Content-Type", "application/json")
	resp, err := s.server.Client().Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 204 {
		s.t.Fatalf("%d", resp.StatusCode)
	}
	return answer{resp.StatusCode, "", resp.Header}
}
