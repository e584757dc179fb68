package api_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/api"
	"github.com/hallpass-go/hallpass/memstore"
)

func TestAWrongConfigNamesItsField(t *testing.T) {
	t.Parallel()
	issuer := newSite(t).Issuer
	for field, cfg := range map[string]api.Config{
		"issuer": {},
		"prefix": {Issuer: issuer, Prefix: "/pass/"},
	} {
		if _, err := api.New(cfg); err == nil || !strings.Contains(err.Error(), "config: "+field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	for _, prefix := range []string{"pass", "/", "/{x}", "/a?b"} {
		if _, err := api.New(api.Config{Issuer: issuer, Prefix: prefix}); err == nil {
			t.Errorf("the prefix %q is taken", prefix)
		}
	}
}

// failing is a store that can stop answering.
type failing struct {
	hallpass.Store
	down atomic.Bool
}

var errDisk = errors.New("disk /dev/secret is full")

func (f *failing) Record(ctx context.Context, entries []hallpass.Entry) error {
	if f.down.Load() {
		return errDisk
	}
	return f.Store.Record(ctx, entries)
}

func (f *failing) Reserve(ctx context.Context, r hallpass.Reservation) (hallpass.Reserved, error) {
	if f.down.Load() {
		return hallpass.Reserved{}, errDisk
	}
	return f.Store.Reserve(ctx, r)
}

func TestAStoreThatFailsIsUnavailableAndSaysNoMore(t *testing.T) {
	t.Parallel()
	store := &failing{Store: memstore.New()}
	s := newSite(t, func(_ *api.Config, c *hallpass.Config) { c.Store = store })
	token := s.issue(hallpass.Spec{}).Token.Reveal()
	store.down.Store(true)
	for path, body := range map[string]string{
		"/v1/passes": `{"scope":"a"}`,
		"/v1/redeem": `{"token":"` + token + `","scope":"report"}`,
	} {
		got := s.call("POST", path, body)
		if got.StatusCode != 503 || got.text("code") != "unavailable" || got.text("detail") == "" || got.Header.Get("Retry-After") != "1" || strings.Contains(got.body, "disk") {
			t.Errorf("%s: %d %v %s", path, got.StatusCode, got.Header, got.body)
		}
	}
	got := s.call("POST", "/v1/passes/bulk", `{"scope":"a"}`+"\n", ndjson)
	if got.StatusCode != 200 || !strings.HasPrefix(got.body, `{"line":1,"error":{`) || !strings.Contains(got.body, `"unavailable"`) || strings.Contains(got.body, "disk") {
		t.Errorf("bulk: %d %s", got.StatusCode, got.body)
	}
	if log := s.log.String(); !strings.Contains(log, "disk") || strings.Contains(log, token) || strings.Contains(log, s.token) {
		t.Errorf("the log must have the reason and no token:\n%s", log)
	}
}

// book is a Sessions of two.
type book struct{ ended string }

func (b *book) List(_ context.Context, subject, after string, limit int) ([]api.Session, string, error) {
	if after != "" {
		return nil, "", nil
	}
	return []api.Session{{ID: "s1", Kind: "pass", Subject: subject, Pass: "p", StartedAt: "2026-03-01T12:00:00Z", ExpiresAt: "2026-03-02T12:00:00Z"}}[:min(limit, 1)], "s1", nil
}

func (b *book) End(_ context.Context, id string) error {
	if id != "s1" {
		return hallpass.ErrNotFound
	}
	b.ended = id
	return nil
}

func TestSessionsAreListedAndEnded(t *testing.T) {
	t.Parallel()
	b := &book{}
	s := newSite(t, func(c *api.Config, _ *hallpass.Config) { c.Sessions = b })
	want := `{"sessions":[{"id":"s1","kind":"pass","subject":"ada","pass":"p","started_at":"2026-03-01T12:00:00Z","expires_at":"2026-03-02T12:00:00Z"}],"next":"s1"}`
	if got := s.call("GET", "/v1/sessions?subject=ada&limit=1", ""); steady(got.body) != want {
		t.Error(got.body)
	}
	if got := s.call("GET", "/v1/sessions?after=s1", ""); steady(got.body) != `{"sessions":[],"next":null}` {
		t.Error(got.body)
	}
	if got := s.call("POST", "/v1/sessions/s1/end", ""); got.StatusCode != 204 || got.body != "" || b.ended != "s1" {
		t.Error(got.StatusCode, got.body)
	}
	if got := s.call("POST", "/v1/sessions/s2/end", ""); got.StatusCode != 404 {
		t.Error(got.StatusCode, got.body)
	}
}

func TestHeadIsGetWithoutABody(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	if got := s.call("HEAD", "/v1/passes", ""); got.StatusCode != 200 || got.body != "" {
		t.Error(got.StatusCode, got.body)
	}
}
