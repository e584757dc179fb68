package guard_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/guard"
)

// freshSite is a site that mails fresh links, and what it mailed.
func freshSite(t *testing.T) (*site, chan string) {
	sent := make(chan string, 100)
	s := newSite(t, func(_ *site, g *guard.Config, _ *hallpass.Config) {
		g.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
		g.FreshLink = func(_ context.Context, p hallpass.Pass, page string) error {
			sent <- p.Subject + " " + page
			return nil
		}
	})
	s.handle("/u", "unsubscribe", nil)
	s.handle("/home", "login", nil)
	return s, sent
}

func (s *site) askFresh(path string, issued hallpass.Issued, from string) answer {
	return newBrowser(s.t).do("POST", s.server.URL+path+"?_hallpass=fresh", strings.NewReader("token="+issued.Token.Reveal()),
		"Content-Type", "application/x-www-form-urlencoded", "X-Forwarded-For", from)
}

func TestWhatWasTakenBackGetsNoFreshLink(t *testing.T) {
	t.Parallel()
	s, sent := freshSite(t)
	spec := unsubscribe
	spec.TTL, spec.Batch, spec.Unrecorded = time.Minute, "b", true
	inBatch := s.issue(spec)
	spec.Batch, spec.Unrecorded = "", false
	alone := s.issue(spec)
	ctx := context.Background()
	if err := s.issuer.RevokeGroup(ctx, hallpass.Revocation{Batch: "b"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.issuer.RevokePass(ctx, alone.Pass); err != nil {
		t.Fatal(err)
	}
	s.clock.Store(int64(2 * time.Minute))
	for name, issued := range map[string]hallpass.Issued{"with its batch": inBatch, "alone": alone} {
		if a := s.askFresh("/u", issued, "192.0.2.1"); a.status != 403 {
			t.Errorf("revoked %s: %d", name, a.status)
		}
		link, _ := s.guard.Link(s.server.URL+"/u", issued.Token)
		if a := newBrowser(t).open(link); strings.Contains(a.body, "<form") {
			t.Errorf("revoked %s: the page offers a fresh link", name)
		}
	}
	s.clock.Store(int64(48 * time.Hour))
	if _, err := s.issuer.Prune(ctx, hallpass.PruneOptions{}); err != nil {
		t.Fatal(err)
	}
	if a := s.askFresh("/u", alone, "192.0.2.1"); a.status != 403 {
		t.Errorf("revoked and pruned: %d", a.status)
	}
	if len(sent) != 0 {
		t.Errorf("mailed %q", <-sent)
	}
}

func TestAFreshLinkIsForItsOwnRoute(t *testing.T) {
	t.Parallel()
	s, sent := freshSite(t)
	spec := unsubscribe
	spec.TTL = time.Minute
	issued := s.issue(spec)
	s.clock.Store(int64(2 * time.Minute))
	if a := s.askFresh("/home", issued, "192.0.2.1"); a.status != 403 || len(sent) != 0 {
		t.Errorf("%d, mailed %d", a.status, len(sent))
	}
}

func TestAThrottledNetworkUsesUpNobodysShare(t *testing.T) {
	t.Parallel()
	s, sent := freshSite(t)
	expired := func(subject string) hallpass.Issued {
		s.clock.Store(0)
		defer s.clock.Store(int64(2 * time.Minute))
		return s.issue(hallpass.Spec{Scope: "unsubscribe", Mode: hallpass.ModeRequest, Subject: subject, TTL: time.Minute})
	}
	for i := range 20 {
		if a := s.askFresh("/u", expired(string(rune('a'+i))), "192.0.2.1"); a.status != 200 {
			t.Fatalf("request %d: %d", i, a.status)
		}
	}
	victim := expired("victim")
	for range 5 {
		if a := s.askFresh("/u", victim, "192.0.2.1"); a.status != 429 {
			t.Errorf("the network: %d", a.status)
		}
	}
	if a := s.askFresh("/u", victim, "198.51.100.1"); a.status != 200 || len(sent) != 21 {
		t.Errorf("the victim from elsewhere: %d, mailed %d", a.status, len(sent))
	}
}

func TestPublicPassesShareNoBudget(t *testing.T) {
	t.Parallel()
	s, _ := freshSite(t)
	for i := range 8 {
		s.clock.Store(0)
		issued := s.issue(hallpass.Spec{Scope: "unsubscribe", TTL: time.Minute})
		s.clock.Store(int64(2 * time.Minute))
		if a := s.askFresh("/u", issued, "192.0.2.1"); a.status != 200 {
			t.Errorf("pass %d: %d", i, a.status)
		}
	}
}
