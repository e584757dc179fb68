package guard_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
)

// noted runs the issuer and returns the kinds of the events of a pass, the first
// first, once there are as many as wanted.
func (s *site) noted(pass string, want int) (events []hallpass.Event) {
	s.t.Helper()
	for range 200 {
		page, err := s.issuer.Events(context.Background(), hallpass.EventFilter{Pass: pass})
		if err != nil {
			s.t.Fatal(err)
		}
		if len(page.Events) >= want {
			return page.Events
		}
		time.Sleep(20 * time.Millisecond)
	}
	s.t.Fatalf("there are no %d events", want)
	return nil
}

func TestWhatALinkMeetsIsNoted(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.handle("/unsubscribe", "unsubscribe", nil)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.issuer.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	for started := time.Now(); s.issuer.RulesAge() > time.Hour; {
		if time.Since(started) > 10*time.Second {
			t.Fatal("Run does not begin")
		}
		time.Sleep(time.Millisecond)
	}
	issued := s.issue(unsubscribe)
	link, err := s.guard.Link(s.server.URL+"/unsubscribe", issued.Token)
	if err != nil {
		t.Fatal(err)
	}
	head, err := http.Head(link)
	if err != nil {
		t.Fatal(err)
	}
	head.Body.Close()
	b := newBrowser(t)
	page := b.open(link)
	want(t, b.press(link, page), 200, "GET /unsubscribe")
	want(t, b.open(link), 403, "spent")
	want(t, b.open(link+"x"), 403, "") // nobody's token: anybody could have made it up
	kinds := map[hallpass.EventKind]int{}
	for _, e := range s.noted(issued.ID, 3) {
		kinds[e.Kind]++
		if e.Subject != "hugo" || e.Scope != "unsubscribe" || e.ClientIP != "127.0.0.1" || e.Path != "/unsubscribe" {
			t.Errorf("%+v", e)
		}
		if (e.Kind == hallpass.EventRefused) != (e.Reason == hallpass.RefusalSpent) {
			t.Errorf("%s for %q", e.Kind, e.Reason)
		}
	}
	if kinds[hallpass.EventScanned] != 1 || kinds[hallpass.EventOpened] != 1 || kinds[hallpass.EventRefused] != 1 || len(kinds) != 3 {
		t.Errorf("%v", kinds)
	}
	signIn := s.issue(hallpass.Spec{Scope: "login", Mode: hallpass.ModeSession, Subject: "hugo"})
	s.handle("/in", "login", nil)
	link, err = s.guard.Link(s.server.URL+"/in", signIn.Token)
	if err != nil {
		t.Fatal(err)
	}
	b.press(link, b.open(link))
	kinds = map[hallpass.EventKind]int{}
	for _, e := range s.noted(signIn.ID, 2) {
		kinds[e.Kind]++
	}
	if kinds[hallpass.EventOpened] != 1 || kinds[hallpass.EventLogin] != 1 {
		t.Errorf("%v", kinds)
	}
	all, err := s.issuer.Events(t.Context(), hallpass.EventFilter{})
	if err != nil || len(all.Events) != 5 {
		t.Errorf("%d events in all, %v", len(all.Events), err)
	}
}
