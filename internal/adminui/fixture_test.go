package adminui_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/adminui"
	"github.com/hallpass-go/hallpass/keystore"
	"github.com/hallpass-go/hallpass/sqlitestore"
)

// site is an admin behind a real server, on a real store.
type site struct {
	t      *testing.T
	issuer *hallpass.Issuer
	ring   *keystore.Ring
	ui     *adminui.UI
	server *httptest.Server
}

func newSite(t *testing.T, change func(*adminui.Config)) *site {
	t.Helper()
	store, err := sqlitestore.Open(t.Context(), filepath.Join(t.TempDir(), "passes.db"), &sqlitestore.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	ring, _, err := keystore.Bootstrap(t.Context(), store, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, ring: ring}
	quiet := slog.New(slog.DiscardHandler)
	s.issuer, err = hallpass.New(hallpass.Config{Keys: ring.Keyring(), Store: store, Instance: ring.Instance(), Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.issuer.Run(ctx) }()
	t.Cleanup(func() { stop(); <-ended })
	var handler http.Handler
	s.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(s.server.Close)
	cfg := adminui.Config{
		Issuer: s.issuer, Cells: store, Ring: ring, BaseURL: s.server.URL, Logger: quiet,
		LinkURL: "https://app.example.com/do", JWKS: "/.well-known/hallpass-jwks.json",
		Settings: func() []adminui.Setting {
			return []adminui.Setting{
				{Name: "addr", Value: "localhost:8080", Origin: "default"},
				{Name: "master_key", Value: "the-secret-itself", Origin: "HALLPASS_MASTER_KEY", Secret: true},
			}
		},
	}
	if change != nil {
		change(&cfg)
	}
	if s.ui, err = adminui.New(cfg); err != nil {
		t.Fatal(err)
	}
	handler = s.ui.Handler()
	return s
}

func (s *site) issue(spec hallpass.Spec) hallpass.Issued {
	s.t.Helper()
	issued, err := s.issuer.Issue(s.t.Context(), spec)
	if err != nil {
		s.t.Fatal(err)
	}
	return issued
}

// link is a link into the admin, with what its pass says.
func (s *site) link(subject, data string, grants ...hallpass.Grant) (link string, issued hallpass.Issued) {
	s.t.Helper()
	issued = s.issue(hallpass.Spec{
		Scope: adminui.Scope, Mode: hallpass.ModeSession, Subject: subject, Data: json.RawMessage(data), Grants: grants, MaxUses: 1, TTL: time.Hour,
	})
	link, err := hallpass.Link(s.ui.URL(), issued.Token, "")
	if err != nil {
		s.t.Fatal(err)
	}
	return link, issued
}

// browser is one operator's, who follows no redirect unasked.
type browser struct {
	*site
	http http.Client
}

func (s *site) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &browser{s, http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// page is an answer, read.
type page struct {
	status int
	header http.Header
	body   string
}

// plain is the page without the isolation of what others wrote.
func (p page) plain() string { return strings.NewReplacer("<bdi>", "", "</bdi>", "").Replace(p.body) }

func (b *browser) do(method, path string, form url.Values, header ...string) page {
	b.t.Helper()
	target := path
	if !strings.HasPrefix(path, "http") {
		target = b.server.URL + adminui.DefaultPrefix + path
	}
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, target, body)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Accept", "text/html")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", b.server.URL)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for n := 0; n+1 < len(header); n += 2 {
		r.Header.Set(header[n], header[n+1])
		if header[n+1] == "" {
			r.Header.Del(header[n])
		}
	}
	return b.send(r)
}

func (b *browser) send(r *http.Request) page {
	b.t.Helper()
	answer, err := b.http.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return page{answer.StatusCode, answer.Header, string(text)}
}

func (b *browser) get(path string) page { b.t.Helper(); return b.do(http.MethodGet, path, nil) }

func (b *browser) post(path string, pairs ...string) page {
	b.t.Helper()
	form := url.Values{}
	for n := 0; n+1 < len(pairs); n += 2 {
		form.Add(pairs[n], pairs[n+1])
	}
	return b.do(http.MethodPost, path, form)
}

// enter opens a link and presses the button on its page.
func (b *browser) enter(link string) page {
	b.t.Helper()
	shown := b.get(link)
	if shown.status != http.StatusOK {
		return shown
	}
	form := url.Values{}
	for _, name := range []string{"token", "nonce"} {
		form.Set(name, between(shown.body, `name="`+name+`" value="`, `"`))
	}
	return b.do(http.MethodPost, b.server.URL+between(shown.body, `action="`, `"`), form)
}

// as is a browser in which somebody of that role is signed in.
func (s *site) as(role adminui.Role) *browser {
	s.t.Helper()
	b := s.browser()
	link, _ := s.link("greta", `{"role":"`+string(role)+`"}`)
	if got := b.enter(link); got.status != http.StatusSeeOther {
		s.t.Fatalf("signing in as %s: %d\n%s", role, got.status, got.body)
	}
	return b
}

func between(text, before, after string) string {
	_, rest, _ := strings.Cut(text, before)
	found, _, _ := strings.Cut(rest, after)
	return found
}
