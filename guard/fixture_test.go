package guard_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/guard"
	"github.com/hallpass-go/hallpass/memstore"
)

// site is an application behind a guard, on a real server.
type site struct {
	t      *testing.T
	issuer *hallpass.Issuer
	guard  *guard.Guard
	server *httptest.Server
	mux    *http.ServeMux
	clock  atomic.Int64 // added to the real time, in nanoseconds
	log    *logBuffer
	runs   atomic.Int64 // how often any handler ran
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

const secret = "a shared secret of this test, 32 bytes and more"

// newSite wires up a site; edit may change the guard's configuration.
func newSite(t *testing.T, edit func(*site, *guard.Config, *hallpass.Config)) *site {
	t.Helper()
	s := &site{t: t, mux: http.NewServeMux(), log: &logBuffer{}}
	key, err := hallpass.ParseKey(secret, "k1")
	if err != nil {
		t.Fatal(err)
	}
	keys, err := hallpass.NewKeyring(key)
	if err != nil {
		t.Fatal(err)
	}
	icfg := hallpass.Config{Keys: keys, Store: memstore.New(), Now: func() time.Time {
		return time.Now().Add(time.Duration(s.clock.Load()))
	}}
	s.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }))
	t.Cleanup(s.server.Close)
	gcfg := guard.Config{
		Logger: slog.New(slog.NewTextHandler(s.log, nil)),
		Login: func(w http.ResponseWriter, r *http.Request, p hallpass.Pass) error {
			http.SetCookie(w, &http.Cookie{Name: "session", Value: p.Subject, Path: "/"})
			return nil
		},
		SignedIn: func(r *http.Request) (string, error) {
			if c, err := r.Cookie("session"); err == nil {
				return c.Value, nil
			}
			return "", nil
		},
	}
	if edit != nil {
		edit(s, &gcfg, &icfg)
	}
	if s.issuer, err = hallpass.New(icfg); err != nil {
		t.Fatal(err)
	}
	gcfg.Issuer = s.issuer
	if s.guard, err = guard.New(gcfg); err != nil {
		t.Fatal(err)
	}
	return s
}

// handle guards a handler that says what it saw.
func (s *site) handle(pattern string, scope hallpass.Scope, o *guard.Options) {
	s.mux.Handle(pattern, s.guard.Require(scope, o)(http.HandlerFunc(s.say)))
}

func (s *site) say(w http.ResponseWriter, r *http.Request) {
	s.runs.Add(1)
	h := guard.FromContext(r.Context())
	if h == nil {
		fmt.Fprint(w, "no pass")
		return
	}
	body, _ := io.ReadAll(r.Body)
	subject, _ := guard.Subject(r.Context())
	fmt.Fprintf(w, "%s %s subject=%s data=%s confirmed=%v body=%s", r.Method, r.URL.RequestURI(), subject, h.Pass.Data, h.Confirmed, body)
}

func (s *site) issue(spec hallpass.Spec) hallpass.Issued {
	s.t.Helper()
	issued, err := s.issuer.Issue(context.Background(), spec)
	if err != nil {
		s.t.Fatal(err)
	}
	return issued
}

// link issues a pass and returns its link to a path of the site.
func (s *site) link(path string, spec hallpass.Spec) string {
	s.t.Helper()
	link, err := s.guard.Link(s.server.URL+path, s.issue(spec).Token)
	if err != nil {
		s.t.Fatal(err)
	}
	return link
}

func (s *site) entry(id string) hallpass.Entry {
	s.t.Helper()
	e, err := s.issuer.Entry(context.Background(), id)
	if err != nil && !errors.Is(err, hallpass.ErrNotFound) {
		s.t.Fatal(err)
	}
	return e
}

func (s *site) uses(id string) []hallpass.Use {
	s.t.Helper()
	page, err := s.issuer.Uses(context.Background(), hallpass.UseQuery{Pass: id})
	if err != nil {
		s.t.Fatal(err)
	}
	return page.Uses
}

// browser is a client with cookies that does not follow redirects by itself.
type browser struct {
	t *testing.T
	c *http.Client
}

type answer struct {
	status int
	body   string
	header http.Header
}

func newBrowser(t *testing.T) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// do sends a request; headers come in pairs.
func (b *browser) do(method, target string, body io.Reader, headers ...string) answer {
	b.t.Helper()
	req, err := http.NewRequest(method, target, body)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.send(req, headers...)
}

func (b *browser) send(req *http.Request, headers ...string) answer {
	b.t.Helper()
	for i := 0; i < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	resp, err := b.c.Do(req)
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

// open follows a link as a person's browser does.
func (b *browser) open(link string) answer {
	b.t.Helper()
	return b.do("GET", link, nil, "Accept", "text/html,*/*;q=0.8", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Sec-Fetch-Site", "none")
}

var (
	formPattern   = regexp.MustCompile(`(?s)<form[^>]*action="([^"]*)"`)
	hiddenPattern = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)
)

// press presses the one button on a page.
func (b *browser) press(link string, page answer, extra ...string) answer {
	b.t.Helper()
	return b.sendForm(link, page, extra)
}

// sendForm sends the form of a page; fields and headers come in pairs.
func (b *browser) sendForm(link string, page answer, fields []string, headers ...string) answer {
	b.t.Helper()
	action := formPattern.FindStringSubmatch(page.body)
	if action == nil {
		b.t.Fatalf("no form on the page (%d):\n%s", page.status, page.body)
	}
	base, err := url.Parse(link)
	if err != nil {
		b.t.Fatal(err)
	}
	target, err := base.Parse(strings.ReplaceAll(action[1], "&amp;", "&"))
	if err != nil {
		b.t.Fatal(err)
	}
	form := url.Values{}
	for _, hidden := range hiddenPattern.FindAllStringSubmatch(page.body, -1) {
		form.Set(hidden[1], hidden[2])
	}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return b.do("POST", target.String(), strings.NewReader(form.Encode()), append([]string{"Content-Type", "application/x-www-form-urlencoded",
		"Accept", "text/html", "Origin", "null", "Sec-Fetch-Site", "same-origin"}, headers...)...)
}

// code reads the code of a problem document.
func (a answer) code(t *testing.T) string {
	t.Helper()
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("content type %q", got)
	}
	var p struct{ Code string }
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
	return p.Code
}

func want(t *testing.T, a answer, status int, part string) {
	t.Helper()
	if a.status != status || !strings.Contains(a.body, part) {
		t.Fatalf("got %d, want %d with %q in it:\n%s", a.status, status, part, a.body)
	}
}

// doURL sends a request to a URL whose path keeps its spelling.
func (b *browser) doURL(method string, u *url.URL, headers ...string) answer {
	b.t.Helper()
	req, err := http.NewRequest(method, "http://"+u.Host, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	req.URL = u
	return b.send(req, headers...)
}

func httpHandler(s *site) http.Handler { return http.HandlerFunc(s.say) }
