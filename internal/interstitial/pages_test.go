package interstitial_test

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/interstitial"
	"github.com/hallpass-go/hallpass/internal/look"
)

var noon = time.Date(2025, 11, 21, 12, 0, 0, 0, time.UTC)

func newPages(t *testing.T, opts *interstitial.Options) *interstitial.Pages {
	t.Helper()
	p, err := interstitial.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func sessionEntry() hallpass.Entry {
	return hallpass.Entry{Pass: hallpass.Pass{
		ID: "the-id", Scope: "login", Mode: hallpass.ModeSession, Subject: "hugo@example.com",
		ExpiresAt: noon.Add(10 * time.Minute), MaxUses: 1, Recorded: true, Key: "the-key",
	}}
}

func requestEntry() hallpass.Entry {
	return hallpass.Entry{Pass: hallpass.Pass{
		ID: "the-id", Scope: "newsletter", Mode: hallpass.ModeRequest, Subject: "hugo@example.com",
		ExpiresAt: noon.Add(72 * time.Hour), MaxUses: 10, Key: "the-key",
		Grants: []hallpass.Grant{{Method: "GET", Path: "/reports"}},
	}, Used: 3}
}

func action() interstitial.Action {
	return interstitial.Action{URL: "/unsubscribe?list=7&x=%2F", Hidden: []interstitial.Field{{Name: "nonce", Value: "the-nonce"}}}
}

// pageCase is one page as a caller writes it.
type pageCase struct {
	name   string
	status int
	write  func(p *interstitial.Pages, w http.ResponseWriter, r *http.Request) error
}

func allPages() []pageCase {
	session, request := sessionEntry(), requestEntry()
	fresh := action()
	cases := []pageCase{
		{"confirm a session", 200, func(p *interstitial.Pages, w http.ResponseWriter, r *http.Request) error {
			return p.Confirm(w, r, interstitial.ConfirmView{Entry: session, Action: action(), Now: noon})
		}},
		{"confirm a session over another", 200, func(p *interstitial.Pages, w http.ResponseWriter, r *http.Request) error {
			return p.Confirm(w, r, interstitial.ConfirmView{Entry: session, Action: action(), SignedInAs: "anna@example.com", Now: noon})
		}},
		{"confirm a request", 200, func(p *interstitial.Pages, w http.ResponseWriter, r *http.Request) error {
			return p.Confirm(w, r, interstitial.ConfirmView{Entry: request, Action: action(), Now: noon})
		}},
		{"confirm a public pass", 200, func(p *interstitial.Pages, w http.ResponseWriter, r *http.Request) error {
			return p.Confirm(w, r, interstitial.ConfirmView{Entry: hallpass.Entry{Pass: hallpass.Pass{Scope: "invite", Mode: hallpass.ModePublic}}, Action: action(), Now: noon})
		}},
		{"confirm with a code", 200, func(p *interstitial.Pages, w http.ResponseWriter, r *http.Request) error {
			return p.Confirm(w, r, interstitial.ConfirmView{Entry: session, Action: action(), Code: &interstitial.CodeField{Name: "code", Wrong: true}, Now: noon})
		}},
		{"already done", 200, func(p *interstitial.Pages, w http.ResponseWriter, r *http.Request) error {
			return p.AlreadyDone(w, r, interstitial.AlreadyDoneView{Entry: &request, Next: "/next", Now: noon})
		}},
		{"already done, unknown pass", 200, func(p *interstitial.Pages, w http.ResponseWriter, r *http.Request) error {
			return p.AlreadyDone(w, r, interstitial.AlreadyDoneView{Now: noon})
		}},
		{"moving on", 200, func(p *interstitial.Pages, w http.ResponseWriter, r *http.Request) error {
			return p.MovingOn(w, r, interstitial.MovingOnView{URL: "/account?a=1&b=2"})
		}},
		{"no cookie", 403, func(p *interstitial.Pages, w http.ResponseWriter, r *http.Request) error {
			return p.NoCookie(w, r, interstitial.NoCookieView{Open: "/account?rt=token"})
		}},
		{"no cookie, no link", 403, func(p *interstitial.Pages, w http.ResponseWriter, r *http.Request) error {
			return p.NoCookie(w, r, interstitial.NoCookieView{})
		}},
		{"fresh link sent", 200, func(p *interstitial.Pages, w http.ResponseWriter, r *http.Request) error {
			return p.FreshLinkSent(w, r, interstitial.FreshLinkSentView{Account: "hugo@example.com"})
		}},
		{"unsubscribed", 200, func(p *interstitial.Pages, w http.ResponseWriter, r *http.Request) error {
			return p.Unsubscribed(w, r, interstitial.UnsubscribedView{Account: "hugo@example.com", List: "The letter"})
		}},
		{"unavailable", 503, func(p *interstitial.Pages, w http.ResponseWriter, r *http.Request) error {
			return p.Unavailable(w, r, 90*time.Second)
		}},
		{"throttled", 429, func(p *interstitial.Pages, w http.ResponseWriter, r *http.Request) error {
			return p.Throttled(w, r, 1500*time.Millisecond)
		}},
	}
	for _, reason := range append(hallpass.Refusals(), "from_the_future") {
		cases = append(cases, pageCase{"refused " + string(reason), 403, func(p *interstitial.Pages, w http.ResponseWriter, r *http.Request) error {
			return p.Refused(w, r, interstitial.RefusedView{Refusal: reason, Entry: &request, FreshLink: &fresh, SignedInAs: "anna@example.com", Now: noon})
		}})
	}
	return cases
}

func get(t *testing.T, p *interstitial.Pages, c pageCase) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	if err := c.write(p, w, httptest.NewRequest("GET", "/", nil)); err != nil {
		t.Fatal(err)
	}
	return w
}

// element is one start tag of a page.
type element struct {
	name  string
	attrs map[string]string
}

// elements reads a page as a browser's tokenizer would, and fails the test
// where tags do not nest.
func elements(t *testing.T, page string) []element {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var all []element
	var open []string
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			if len(open) > 0 {
				t.Fatalf("never closed: %v", open)
			}
			return all
		}
		if err != nil {
			t.Fatalf("the page does not parse: %v", err)
		}
		switch tag := token.(type) {
		case xml.StartElement:
			e := element{tag.Name.Local, map[string]string{}}
			for _, a := range tag.Attr {
				e.attrs[a.Name.Local] = a.Value
			}
			all, open = append(all, e), append(open, e.name)
		case xml.EndElement:
			if len(open) == 0 || open[len(open)-1] != tag.Name.Local {
				t.Fatalf("</%s> closes %v", tag.Name.Local, open)
			}
			open = open[:len(open)-1]
		}
	}
}

var external = regexp.MustCompile(`(?i)^\s*(?:[a-z][a-z0-9+.-]*:|//|/\\)`)

// checkInert fails the test where a page could run, load or leak something.
func checkInert(t *testing.T, page string) []element {
	t.Helper()
	all := elements(t, page)
	h1 := 0
	for _, e := range all {
		switch e.name {
		case "script", "iframe", "object", "embed", "base", "img", "b":
			t.Errorf("the page has a <%s>", e.name)
		case "h1":
			h1++
		case "html":
			if e.attrs["lang"] == "" {
				t.Error("the page has no language")
			}
		}
		for name, value := range e.attrs {
			if name == "style" || strings.HasPrefix(name, "on") {
				t.Errorf("<%s> has an attribute %s", e.name, name)
			}
			switch name {
			case "href", "src", "action", "formaction":
				if external.MatchString(value) && value != "data:," {
					t.Errorf("<%s> has %s=%q", e.name, name, value)
				}
			}
		}
	}
	if h1 != 1 {
		t.Errorf("the page has %d h1", h1)
	}
	if !strings.HasPrefix(page, "<!doctype html>") {
		t.Error("the page has no doctype")
	}
	return all
}

func TestEveryPageStandsAlone(t *testing.T) {
	t.Parallel()
	p := newPages(t, nil)
	for _, c := range allPages() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := get(t, p, c)
			page := w.Body.String()
			checkInert(t, page)
			if w.Code != c.status {
				t.Errorf("status %d, want %d", w.Code, c.status)
			}
			for _, secret := range []string{"hugo@", "anna@", "the-id", "the-key"} {
				if strings.Contains(page, secret) {
					t.Errorf("the page shows %q", secret)
				}
			}
			if m := regexp.MustCompile(`\b[a-z_]+\.[a-z_.]+\b`).FindString(stripStyle(page)); m != "" && m != "example.com" {
				t.Errorf("the page shows a message id, %q, in place of its text", m)
			}
			if strings.Contains(stripStyle(page), "{") {
				t.Error("the page shows a placeholder that was not filled")
			}
		})
	}
}

func stripStyle(page string) string {
	before, rest, _ := strings.Cut(page, "<style>")
	_, after, _ := strings.Cut(rest, "</style>")
	return before + after
}

func TestEveryPageKeepsToItself(t *testing.T) {
	t.Parallel()
	p := newPages(t, nil)
	for _, c := range allPages() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := get(t, p, c)
			for name, want := range map[string]string{
				"Content-Type":            "text/html; charset=utf-8",
				"Cache-Control":           "no-store",
				"Referrer-Policy":         "no-referrer",
				"X-Content-Type-Options":  "nosniff",
				"X-Frame-Options":         "DENY",
				"X-Robots-Tag":            "noindex",
				"Content-Security-Policy": "default-src 'none'; style-src '" + look.CSSHash() + "'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
			} {
				if got := w.Header().Get(name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
			if got := w.Header().Values("Set-Cookie"); got != nil {
				t.Errorf("the page sets a cookie: %q", got)
			}
			head := httptest.NewRecorder()
			if err := c.write(p, head, httptest.NewRequest("HEAD", "/", nil)); err != nil {
				t.Fatal(err)
			}
			if head.Code != w.Code || head.Body.Len() != 0 {
				t.Errorf("HEAD answers %d with %d bytes", head.Code, head.Body.Len())
			}
			for name := range w.Header() {
				if head.Header().Get(name) != w.Header().Get(name) {
					t.Errorf("HEAD answers %s %q, GET %q", name, head.Header().Get(name), w.Header().Get(name))
				}
			}
		})
	}
}

func TestRetryAfterIsRoundedUp(t *testing.T) {
	t.Parallel()
	p := newPages(t, nil)
	for _, c := range allPages() {
		want := map[string]string{"unavailable": "90", "throttled": "2"}[c.name]
		if got := get(t, p, c).Header().Get("Retry-After"); got != want {
			t.Errorf("%s: Retry-After is %q, want %q", c.name, got, want)
		}
	}
}

func TestMovingOnIsAPageAndNotABounce(t *testing.T) {
	t.Parallel()
	p := newPages(t, nil)
	w := httptest.NewRecorder()
	if err := p.MovingOn(w, httptest.NewRequest("GET", "/", nil), interstitial.MovingOnView{URL: "https://app.example/a?b=1&c=%C3%BC", Target: "https://app.example"}); err != nil {
		t.Fatal(err)
	}
	var refresh, link bool
	for _, e := range elements(t, w.Body.String()) {
		refresh = refresh || e.name == "meta" && e.attrs["http-equiv"] == "refresh" && e.attrs["content"] == "0;url=https://app.example/a?b=1&c=%C3%BC"
		link = link || e.name == "a" && e.attrs["href"] == "https://app.example/a?b=1&c=%C3%BC"
	}
	if w.Code != http.StatusOK || w.Header().Get("Location") != "" || !refresh || !link {
		t.Errorf("status %d, refresh %t, link %t", w.Code, refresh, link)
	}
}
