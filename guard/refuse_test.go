package guard_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/guard"
	"github.com/hallpass-go/hallpass/memstore"
)

func TestEveryReasonHasItsOwnAnswer(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(_ *site, _ *guard.Config, c *hallpass.Config) {
		c.Active = func(_ context.Context, subject string) (bool, error) { return subject != "gone", nil }
	})
	s.handle("/u", "api", &guard.Options{Confirm: guard.ConfirmNever})
	ctx := context.Background()
	mine := func(edit func(*hallpass.Spec)) string {
		spec := api
		edit(&spec)
		return s.issue(spec).Token.Reveal()
	}
	otherKey, err := hallpass.ParseKey("quite another secret that is long enough", "k1")
	if err != nil {
		t.Fatal(err)
	}
	otherRing, _ := hallpass.NewKeyring(otherKey)
	forger, _ := hallpass.New(hallpass.Config{Keys: otherRing, Store: memstore.New()})
	forged, _ := forger.Issue(ctx, api)
	lost, _ := hallpass.New(hallpass.Config{Keys: s.issuer.Keys(), Store: memstore.New()})
	rowless, _ := lost.Issue(ctx, api)
	elsewhere, _ := hallpass.New(hallpass.Config{Keys: s.issuer.Keys(), Store: memstore.New(), Instance: "another"})
	foreign, _ := elsewhere.Issue(ctx, api)
	revoked := s.issue(api)
	if _, err := s.issuer.RevokePass(ctx, revoked.Pass); err != nil {
		t.Fatal(err)
	}
	spent := s.issue(hallpass.Spec{Scope: "api", MaxUses: 1, TTL: time.Hour})
	if _, err := s.issuer.RedeemOnce(ctx, hallpass.Presentation{Token: spent.Token, Scope: "api"}, 200); err != nil {
		t.Fatal(err)
	}
	rows := []struct {
		name, token string
		link        int
		bearer      int
		code        string
	}{
		{"malformed", "nonsense", 403, 401, "bad_signature"},
		{"a forgery", forged.Token.Reveal(), 403, 401, "bad_signature"},
		{"no such short pass", "0123456789012345678901", 403, 401, "bad_signature"},
		{"a row that is gone", rowless.Token.Reveal(), 403, 401, "bad_signature"},
		{"another deployment", foreign.Token.Reveal(), 403, 401, "wrong_audience"},
		{"too early", mine(func(s *hallpass.Spec) { s.NotBefore = time.Now().Add(time.Hour) }), 403, 401, "not_yet_valid"},
		{"another purpose", mine(func(s *hallpass.Spec) { s.Scope = "other" }), 403, 403, "wrong_scope"},
		{"another path", mine(func(s *hallpass.Spec) {
			s.Grants, s.TTL = []hallpass.Grant{{Method: "GET", Path: "/v"}}, time.Hour
		}), 403, 403, "not_granted"},
		{"revoked", revoked.Token.Reveal(), 403, 401, "revoked"},
		{"a subject who left", mine(func(s *hallpass.Spec) { s.Subject = "gone" }), 403, 403, "unknown_subject"},
		{"spent", spent.Token.Reveal(), 403, 401, "spent"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			b := newBrowser(t)
			a := b.do("GET", s.server.URL+"/u?rt="+row.token, nil, "Accept", "application/json")
			if a.status != row.link || a.code(t) != row.code {
				t.Errorf("link: %d %s", a.status, a.body)
			}
			a = b.do("GET", s.server.URL+"/u", nil, "Authorization", "Bearer "+row.token)
			if a.status != row.bearer || a.code(t) != row.code {
				t.Errorf("bearer: %d %s", a.status, a.body)
			}
			challenge := a.header.Get("WWW-Authenticate")
			wantError := `error="invalid_token"`
			if row.bearer == 403 {
				wantError = `error="insufficient_scope"`
			}
			if !strings.Contains(challenge, wantError) {
				t.Errorf("challenge %q", challenge)
			}
			a = b.open(s.server.URL + "/u?rt=" + row.token)
			if a.status != row.link || !strings.Contains(a.header.Get("Content-Type"), "text/html") || !strings.Contains(a.body, row.code) {
				t.Errorf("page: %d %s", a.status, a.body)
			}
			if log := s.log.String(); strings.Contains(log, row.token) {
				t.Errorf("the log has the token: %s", log)
			}
		})
	}
}

func TestExpiredIsToldApart(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.handle("/u", "api", &guard.Options{Confirm: guard.ConfirmNever})
	spec := api
	spec.TTL = time.Minute
	link := s.link("/u", spec)
	s.clock.Store(int64(2 * time.Minute))
	if a := newBrowser(t).do("GET", link, nil); a.status != 403 || a.code(t) != "expired" {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// failing is a store that does not answer, from a moment on.
type failing struct {
	hallpass.Store
	broken bool
}

var errDown = errors.New("the disk is gone")

func (f *failing) Reserve(ctx context.Context, r hallpass.Reservation) (hallpass.Reserved, error) {
	if f.broken {
		return hallpass.Reserved{}, errDown
	}
	return f.Store.Reserve(ctx, r)
}

func TestUncountedMeansTheHandlerDoesNotRun(t *testing.T) {
	t.Parallel()
	store := &failing{Store: memstore.New()}
	s := newSite(t, func(_ *site, _ *guard.Config, c *hallpass.Config) { c.Store = store })
	s.handle("/u", "unsubscribe", &guard.Options{Confirm: guard.ConfirmNever})
	link := s.link("/u", unsubscribe)
	store.broken = true
	a := newBrowser(t).do("GET", link, nil)
	if a.status != 503 || a.code(t) != "unavailable" || a.header.Get("Retry-After") == "" || s.runs.Load() != 0 {
		t.Errorf("%d %v, handler ran %d times", a.status, a.header, s.runs.Load())
	}
	if strings.Contains(a.body, "disk") {
		t.Error("the cause was told to the public")
	}
	want(t, newBrowser(t).open(link), 503, "<h1")
	store.broken = false
	want(t, newBrowser(t).open(link), 200, "subject=hugo")
}

func TestTheRefusalPageCanBeReplaced(t *testing.T) {
	t.Parallel()
	var got guard.Refused
	s := newSite(t, func(_ *site, g *guard.Config, _ *hallpass.Config) {
		g.Refused = func(w http.ResponseWriter, _ *http.Request, r guard.Refused) {
			got = r
			w.WriteHeader(http.StatusTeapot)
		}
	})
	s.handle("/u", "other", nil)
	if a := newBrowser(t).open(s.link("/u", api)); a.status != http.StatusTeapot {
		t.Errorf("%d", a.status)
	}
	if got.Reason != hallpass.RefusalWrongScope || got.Status != 403 || got.Pass == nil || got.Pass.Subject != "7" {
		t.Errorf("%+v", got)
	}
}

func TestAFreshLinkIsMailedForExpiredAndSpentLinksOnly(t *testing.T) {
	t.Parallel()
	sent := make(chan string, 10)
	s := newSite(t, func(_ *site, g *guard.Config, _ *hallpass.Config) {
		g.FreshLink = func(_ context.Context, p hallpass.Pass, page string) error {
			sent <- p.Subject + " " + page
			return nil
		}
	})
	s.handle("/u", "unsubscribe", nil)
	b := newBrowser(t)

	link := s.link("/u?list=7", unsubscribe)
	b.press(link, b.open(link))
	page := b.open(link)
	want(t, page, 403, "<form")
	want(t, b.press(link, page), 200, "<h1")
	if got := <-sent; got != "hugo /u?list=7" {
		t.Errorf("sent %q", got)
	}
	for range 2 {
		b.press(link, page)
		<-sent
	}
	if a := b.press(link, page); a.status != 429 {
		t.Errorf("the fourth within an hour: %d", a.status)
	}

	revoked := s.issue(unsubscribe)
	if _, err := s.issuer.RevokePass(context.Background(), revoked.Pass); err != nil {
		t.Fatal(err)
	}
	link, _ = s.guard.Link(s.server.URL+"/u", revoked.Token)
	page = b.open(link)
	if page.status != 403 || strings.Contains(page.body, "<form") {
		t.Errorf("a revoked link offers a fresh one:\n%s", page.body)
	}
	a := b.do("POST", s.server.URL+"/u?_hallpass=fresh", strings.NewReader("token="+revoked.Token.Reveal()), "Content-Type", "application/x-www-form-urlencoded")
	if a.status != 403 || len(sent) != 0 {
		t.Errorf("a revoked link was renewed: %d", a.status)
	}
}
