package api_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/api"
	"github.com/hallpass-go/hallpass/memstore"
)

// site is a running API with a caller that may do everything.
type site struct {
	*hallpass.Issuer
	t     testing.TB
	keys  *hallpass.Keyring
	url   string
	token string
	log   *bytes.Buffer
}

func newSite(t testing.TB, edit ...func(*api.Config, *hallpass.Config)) *site {
	t.Helper()
	key, err := hallpass.GenerateKey(hallpass.HS256)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := hallpass.NewKeyring(key)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, keys: ring, log: &bytes.Buffer{}}
	logger := slog.New(slog.NewTextHandler(s.log, nil))
	base := hallpass.Config{Keys: ring, Store: memstore.New(), Logger: logger}
	var cfg api.Config
	for _, e := range edit {
		e(&cfg, &base)
	}
	if s.Issuer, err = hallpass.New(base); err != nil {
		t.Fatal(err)
	}
	cfg.Issuer, cfg.Logger = s.Issuer, logger
	a, err := api.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(a.Handler())
	t.Cleanup(server.Close)
	s.url = server.URL + cfg.Prefix
	s.token = s.caller(hallpass.Spec{})
	return s
}

// caller issues a pass for the API.
func (s *site) caller(spec hallpass.Spec) string {
	s.t.Helper()
	spec.Scope = hallpass.ScopeAPI
	return s.issue(spec).Token.Reveal()
}

func (s *site) issue(spec hallpass.Spec) hallpass.Issued {
	s.t.Helper()
	if spec.Scope == "" {
		spec.Scope = "report"
	}
	issued, err := s.Issue(s.t.Context(), spec)
	if err != nil {
		s.t.Fatal(err)
	}
	return issued
}

// answer is a response, read.
type answer struct {
	*http.Response
	body string
}

// member returns a member of the answer's object, nil when it is absent.
func (a answer) member(name string) any { return a.object()[name] }

func (a answer) object() map[string]any {
	var members map[string]any
	_ = json.Unmarshal([]byte(a.body), &members)
	return members
}

func (a answer) text(name string) string {
	text, _ := a.member(name).(string)
	return text
}

// call makes a request; edits come last.
func (s *site) call(method, path, body string, edit ...func(*http.Request)) answer {
	s.t.Helper()
	url := s.url + path
	r, err := http.NewRequestWithContext(s.t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if s.token != "" {
		r.Header.Set("Authorization", "Bearer "+s.token)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, e := range edit {
		e(r)
	}
	return s.do(r)
}

func (s *site) do(r *http.Request) answer {
	s.t.Helper()
	client := &http.Client{Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer{response, string(text)}
}

func as(token string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func without(name string) func(*http.Request) { return func(r *http.Request) { r.Header.Del(name) } }
