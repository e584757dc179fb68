package proxies_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/hallpass-go/hallpass"
)

// noToken checks that neither the browser's address nor a header of the answer
// carries the token on.
func noToken(t testing.TB, a answer, token string) {
	t.Helper()
	for name, values := range a.header {
		if strings.Contains(strings.Join(values, "|"), token) {
			t.Errorf("%s carries the token", name)
		}
	}
}

func TestASessionLinkOpensThePageAndLeavesTheAddress(t *testing.T) {
	through(t, common, func(t *testing.T, w *world, f *front) {
		token := w.token(t, hallpass.Spec{Scope: "login", Mode: hallpass.ModeSession, Subject: "hugo-" + f.name})
		b := newBrowser(t, f)
		if a := b.open(t, "/home"); a.fromApp() || a.status != 403 {
			t.Fatalf("without a session: %d", a.status)
		}
		link := "/home/a%20b?tab=1&rt=" + token + "&x=%2f"
		asked := b.open(t, link)
		if asked.status != f.pageStatus || !strings.Contains(asked.body, "<form") || asked.header.Get("Cache-Control") != "no-store" {
			t.Fatalf("the page with the button: %d %v\n%s", asked.status, asked.header, asked.body)
		}
		to := moved(t, b.press(t, asked))
		if to != "/home/a%20b?tab=1&x=%2f" {
			t.Errorf("moved on to %s", to)
		}
		for range 2 { // the page works, and goes on working
			a := b.open(t, to)
			if got := verdictOf(t, a); !got.allowed || got.subject != "hugo-"+f.name || got.scope != "login" {
				t.Fatalf("with a session: %+v\n%s", got, a.body)
			}
			if e := a.echo(t); e.URI != to || e.Header["Cookie"] != nil {
				t.Errorf("the application got %s with %v", e.URI, e.Header["Cookie"])
			}
		}
		if a := b.do(t, "POST", "http://"+host+"/home", "body", "Origin: http://"+host); a.echo(t).Body != "body" {
			t.Errorf("a form of the application: %d %s", a.status, a.body)
		}
		if a := b.open(t, "/reports"); a.fromApp() {
			t.Error("a session for one scope opened another")
		}
		if a := newBrowser(t, f).open(t, "/home"); a.fromApp() {
			t.Error("another browser is in, too")
		}
		if a := newBrowser(t, f).open(t, link); a.fromApp() || a.status != 403 || !strings.Contains(a.body, "<html") {
			t.Errorf("the link again: %d\n%s", a.status, a.body)
		}
		sessions, _, err := w.gate.Sessions().List(t.Context(), "hugo-"+f.name, "", 10)
		if err != nil || len(sessions) != 1 {
			t.Fatalf("%d sessions: %v", len(sessions), err)
		}
		if err := w.gate.Sessions().End(t.Context(), sessions[0].ID); err != nil {
			t.Fatal(err)
		}
		if a := b.open(t, to); a.fromApp() || a.status != 403 {
			t.Errorf("after the session's end: %d", a.status)
		}
	})
}

func TestRevokingAPassEndsItsSession(t *testing.T) {
	through(t, common, func(t *testing.T, w *world, f *front) {
		issued := w.issue(t, w.issuer, hallpass.Spec{Scope: "login", Mode: hallpass.ModeSession, Subject: "ida"})
		b := newBrowser(t, f)
		to := moved(t, b.press(t, b.open(t, "/home?rt="+issued.Token.Reveal())))
		if a := b.open(t, to); !a.fromApp() {
			t.Fatalf("with a session: %d", a.status)
		}
		if _, err := w.issuer.RevokePass(t.Context(), issued.Pass); err != nil {
			t.Fatal(err)
		}
		if a := b.open(t, to); a.fromApp() {
			t.Error("the session goes on")
		}
	})
}

// throughTo follows a pressed button, or a link that asks nothing, to the page.
func throughTo(t testing.TB, b *browser, a answer) answer {
	t.Helper()
	if a.status == http.StatusSeeOther {
		return b.open(t, moved(t, a))
	}
	return a
}

func TestASingleUseLinkAsksAndIsHonouredOnce(t *testing.T) {
	through(t, common, func(t *testing.T, w *world, f *front) {
		issued := w.issue(t, w.issuer, hallpass.Spec{Scope: "rsvp", Mode: hallpass.ModeRequest, Subject: "ivo", MaxUses: 1, Target: "http://" + host + "/rsvp?to=party"})
		token := issued.Token.Reveal()
		link := "/rsvp?to=party&rt=" + token
		b := newBrowser(t, f)
		asked := b.open(t, link)
		if asked.status != f.pageStatus || !strings.Contains(asked.body, "<form") {
			t.Fatalf("the page with the button: %d\n%s", asked.status, asked.body)
		}
		if n := len(w.uses(t, issued.Pass.ID)); n != 0 {
			t.Fatalf("looking at the page counted %d uses", n)
		}
		pressed := b.press(t, asked)
		noToken(t, pressed, token)
		a := throughTo(t, b, pressed)
		if got := verdictOf(t, a); !got.allowed || got.subject != "ivo" {
			t.Fatalf("the page: %+v\n%s", got, a.body)
		}
		if e := a.echo(t); e.URI != "/rsvp?to=party" || e.Method != "GET" || e.Header["Cookie"] != nil {
			t.Errorf("the application got %s %s with %v", e.Method, e.URI, e.Header["Cookie"])
		}
		if a := b.open(t, "/rsvp?to=party"); a.fromApp() {
			t.Error("the ticket was good twice")
		}
		if a := newBrowser(t, f).open(t, link); a.fromApp() || a.status != 403 {
			t.Errorf("the spent link: %d", a.status)
		}
		if uses := w.uses(t, issued.Pass.ID); len(uses) != 1 || uses[0].ClientIP != clientAddr || uses[0].Path != "/rsvp" {
			t.Errorf("uses: %+v", uses)
		}
	})
}

func TestAPublicLinkAsksNothing(t *testing.T) {
	through(t, common, func(t *testing.T, w *world, f *front) {
		issued := w.issue(t, w.issuer, hallpass.Spec{Scope: "rsvp", MaxUses: hallpass.Unlimited, Data: []byte(`{"by":"ada"}`)})
		for range 2 {
			b := newBrowser(t, f)
			first := b.open(t, "/rsvp/x?rt="+issued.Token.Reveal())
			noToken(t, first, issued.Token.Reveal())
			a := throughTo(t, b, first)
			if got := verdictOf(t, a); !got.allowed || got.scope != "rsvp" || got.subject != "" || got.data != "eyJieSI6ImFkYSJ9" {
				t.Fatalf("the page: %+v\n%s", got, a.body)
			}
			if e := a.echo(t); e.URI != "/rsvp/x" {
				t.Errorf("the application got %s", e.URI)
			}
		}
	})
}

func TestABadLinkShowsAPage(t *testing.T) {
	through(t, common, func(t *testing.T, w *world, f *front) {
		expired := w.issue(t, w.past, hallpass.Spec{Scope: "rsvp", TTL: 60e9}).Token.Reveal()
		wrong := w.token(t, hallpass.Spec{Scope: "login", MaxUses: 1})
		elsewhere := w.token(t, hallpass.Spec{Scope: "rsvp", MaxUses: 1, Target: "http://" + host + "/rsvp?to=party"})
		for name, query := range map[string]string{
			"nonsense": "rt=nonsense", "two tokens": "rt=" + wrong + "&rt=" + wrong, "empty": "rt=", "encoded name": "%72t=nonsense",
			"expired": "rt=" + expired, "another scope": "rt=" + wrong, "another target": "to=funeral&rt=" + elsewhere,
		} {
			a := newBrowser(t, f).open(t, "/rsvp?"+query)
			if a.fromApp() || a.status != 403 || !strings.Contains(a.body, "<html") || a.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: %d %v\n%s", name, a.status, a.header, a.body)
			}
		}
	})
}

func TestScannersCountNothing(t *testing.T) {
	through(t, common, func(t *testing.T, w *world, f *front) {
		single := w.issue(t, w.issuer, hallpass.Spec{Scope: "rsvp", Mode: hallpass.ModeRequest, Subject: "ivo", MaxUses: 1})
		public := w.issue(t, w.issuer, hallpass.Spec{Scope: "rsvp", MaxUses: 3})
		for _, issued := range []hallpass.Issued{single, public} {
			target := "/rsvp?rt=" + issued.Token.Reveal()
			for _, c := range []struct{ method, header string }{
				{"HEAD", asJSON}, {"OPTIONS", asJSON}, {"GET", "Sec-Purpose: prefetch;prerender"}, {"GET", "Purpose: prefetch"}, {"GET", "X-Purpose: preview"}, {"GET", "X-Moz: prefetch"},
			} {
				if a := raw(t, f, c.method, target, "", c.header); a.fromApp() {
					t.Errorf("%s with %s reached the application", c.method, c.header)
				}
			}
			if uses := w.uses(t, issued.Pass.ID); len(uses) != 0 {
				t.Errorf("counted: %+v", uses)
			}
		}
		// A token in a header is no link: its HEAD is a request like any other.
		issued := w.issue(t, w.issuer, hallpass.Spec{Scope: "reports", MaxUses: 3})
		if a := raw(t, f, "HEAD", "/reports", "", bearer(issued.Token.Reveal())); !a.fromApp() {
			t.Errorf("HEAD with a bearer token: %d", a.status)
		}
		if uses := w.uses(t, issued.Pass.ID); len(uses) != 1 || uses[0].Method != "HEAD" {
			t.Errorf("HEAD with a bearer token counted %+v", uses)
		}
	})
}

func TestOfFiftyBrowsersOneWins(t *testing.T) {
	through(t, common, func(t *testing.T, w *world, f *front) {
		issued := w.issue(t, w.issuer, hallpass.Spec{Scope: "rsvp", Mode: hallpass.ModeRequest, Subject: "ivo", MaxUses: 1})
		link := "http://" + host + "/rsvp?rt=" + issued.Token.Reveal()
		var won, lost atomic.Int32
		var pages, all sync.WaitGroup
		pages.Add(50)
		for range 50 {
			b := newBrowser(t, f)
			all.Go(func() {
				asked, err := b.try("GET", link, "", navigation...)
				pages.Done()
				if err != nil {
					t.Error(err)
					return
				}
				pages.Wait() // all see the page before one presses
				a, err := b.tryPress(asked)
				if err == nil && a.status == http.StatusSeeOther {
					a, err = b.try("GET", "http://"+host+"/rsvp", "", navigation...)
				}
				switch {
				case err != nil:
					t.Error(err)
				case a.fromApp():
					won.Add(1)
				case a.status == http.StatusForbidden:
					lost.Add(1)
				default:
					t.Error(fmt.Sprint(a.status, a.header, a.body))
				}
			})
		}
		all.Wait()
		if won.Load() != 1 || lost.Load() != 49 || len(w.uses(t, issued.Pass.ID)) != 1 {
			t.Errorf("%d won, %d lost, %d uses", won.Load(), lost.Load(), len(w.uses(t, issued.Pass.ID)))
		}
	})
}

func TestOfFiftyRequestsWithOneTokenOneWins(t *testing.T) {
	through(t, common, func(t *testing.T, w *world, f *front) {
		token := bearer(w.token(t, hallpass.Spec{Scope: "reports", MaxUses: 1}))
		request := "GET /reports HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\nX-Request-Id: one-for-all\r\n" + token + "\r\n\r\n"
		var won, lost atomic.Int32
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				a, err := exchange(f, request, "GET")
				switch {
				case err != nil:
					t.Error(err)
				case a.fromApp():
					won.Add(1)
				case a.status == http.StatusUnauthorized:
					lost.Add(1)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 || lost.Load() != 49 {
			t.Errorf("%d won, %d lost", won.Load(), lost.Load())
		}
	})
}
