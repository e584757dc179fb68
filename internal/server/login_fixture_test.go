package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/gate"
	"github.com/hallpass-go/hallpass/internal/server"
	"github.com/hallpass-go/hallpass/login"
	"github.com/hallpass-go/hallpass/mail"
)

// inbox is where mails of a server arrive.
type inbox struct {
	mu    sync.Mutex
	mails []mail.Message
	down  error
}

func (b *inbox) Send(_ context.Context, m mail.Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.down != nil {
		return b.down
	}
	b.mails = append(b.mails, m)
	return nil
}

var (
	codeLine = regexp.MustCompile(`(?m)^(\d{6})\r?$`)
	linkLine = regexp.MustCompile(`(?m)^(http\S+/login/link\?token=\S+?)\r?$`)
)

// latest waits for the nth mail and returns its code and link.
func (b *inbox) latest(t *testing.T, n int) (code, link string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		b.mu.Lock()
		mails := b.mails
		b.mu.Unlock()
		if len(mails) >= n {
			text := mails[n-1].Text
			code, link := codeLine.FindStringSubmatch(text), linkLine.FindStringSubmatch(text)
			if code == nil || link == nil {
				t.Fatalf("the mail has no code or no link:\n%s", text)
			}
			return code[1], link[1]
		}
		if time.Now().After(deadline) {
			t.Fatalf("there are %d mails, want %d", len(mails), n)
		}
	}
}

// place is a server with logins, in front of an application that says what it got.
type place struct {
	t       *testing.T
	server  *server.Server
	cfg     server.Config
	inbox   *inbox
	written *log
	mails   int
}

func newPlace(t *testing.T, rules gate.Rules, change func(*server.Config)) *place {
	t.Helper()
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-App", "yes")
		fmt.Fprintf(w, "%s %s\n%v\ncookies %v", r.Method, r.URL.RequestURI(), r.Header, r.Header["Cookie"])
	}))
	t.Cleanup(app.Close)
	upstream, err := url.Parse(app.URL)
	if err != nil {
		t.Fatal(err)
	}
	p := &place{t: t, inbox: &inbox{}}
	patterns, err := mail.ParsePatterns([]string{"*@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	p.server, p.cfg, p.written = newServer(t, func(c *server.Config) {
		c.Upstream, c.Rules = upstream, rules
		if _, err := c.Ring.Ensure(t.Context(), hallpass.PurposeAccess, hallpass.EdDSA); err != nil {
			t.Fatal(err)
		}
		c.Login = &server.LoginConfig{AllowList: patterns, Config: login.Config{Sender: p.inbox, Limits: login.Limits{Resend: -1}}}
		if change != nil {
			change(c)
		}
	})
	run(t, p.server)
	return p
}

// person is somebody's browser. It follows no redirect by itself.
type person struct {
	*place
	client *http.Client
}

func (p *place) person() *person {
	jar, err := cookiejar.New(nil)
	if err != nil {
		p.t.Fatal(err)
	}
	return &person{p, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

type seen struct {
	status int
	header http.Header
	body   string
}

func (s seen) fromApp() bool { return s.header.Get("X-App") == "yes" }

var asBrowser = []string{"Accept", "text/html", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Sec-Fetch-Site", "same-origin"}

func (p *person) do(method, target, body string, headers ...string) seen {
	p.t.Helper()
	if strings.HasPrefix(target, "/") {
		target = p.cfg.BaseURL + target
	}
	req, err := http.NewRequest(method, target, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := p.client.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return seen{resp.StatusCode, resp.Header, string(text)}
}

func (p *person) open(target string) seen {
	p.t.Helper()
	return p.do(http.MethodGet, target, "", asBrowser...)
}

func (p *person) post(target string, form url.Values) seen {
	p.t.Helper()
	return p.do(http.MethodPost, target, form.Encode(), append([]string{"Content-Type", "application/x-www-form-urlencoded"}, asBrowser...)...)
}

// ask asks for a mail on the login page.
func (p *person) ask(address, next string) (code, link string) {
	p.t.Helper()
	if got := p.post("/.hallpass/login/code", url.Values{"email": {address}, "next": {next}}); got.status != http.StatusSeeOther {
		p.t.Fatalf("asking for a mail: %d\n%s", got.status, got.body)
	}
	p.mails++
	return p.inbox.latest(p.t, p.mails)
}

// logIn logs in by code and returns where the browser is sent.
func (p *person) logIn(address, next string) string {
	p.t.Helper()
	code, _ := p.ask(address, next)
	got := p.post("/.hallpass/login", url.Values{"code": {code}})
	if got.status != http.StatusSeeOther {
		p.t.Fatalf("logging in: %d\n%s", got.status, got.body)
	}
	return got.header.Get("Location")
}

// tokens logs a program in and returns its access token.
func (p *person) tokens(address string) string {
	p.t.Helper()
	asJSON := []string{"Content-Type", "application/json"}
	p.do(http.MethodPost, "/.hallpass/login/code", `{"email":"`+address+`"}`, asJSON...)
	p.mails++
	code, _ := p.inbox.latest(p.t, p.mails)
	got := p.do(http.MethodPost, "/.hallpass/login", `{"email":"`+address+`","code":"`+code+`"}`, asJSON...)
	var pair struct{ Access string }
	if err := json.Unmarshal([]byte(got.body), &pair); err != nil || pair.Access == "" {
		p.t.Fatalf("%d %s", got.status, got.body)
	}
	return pair.Access
}

// reloading is a place that can be told to read its rules again.
type reloading struct {
	*place
	reload chan struct{}
}

func newPlaceOf(t *testing.T, rules gate.Rules, change func(*server.Config)) *reloading {
	t.Helper()
	r := &reloading{reload: make(chan struct{})}
	r.place = &place{t: t, inbox: &inbox{}}
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-App", "yes") }))
	t.Cleanup(app.Close)
	upstream, err := url.Parse(app.URL)
	if err != nil {
		t.Fatal(err)
	}
	r.server, r.cfg, r.written = newServer(t, func(c *server.Config) {
		c.Upstream, c.Rules = upstream, rules
		patterns, err := mail.ParsePatterns([]string{"*"})
		if err == nil {
			_, err = c.Ring.Ensure(t.Context(), hallpass.PurposeAccess, hallpass.EdDSA)
		}
		if err != nil {
			t.Fatal(err)
		}
		c.Login = &server.LoginConfig{AllowList: patterns, Config: login.Config{Sender: r.inbox}}
		change(c)
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.server.Run(ctx, r.reload) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return r
}
