package guard_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/guard"
)

var magic = hallpass.Spec{Scope: "login", Mode: hallpass.ModeSession, Subject: "hugo"}

func TestASessionPassSignsInAndLeavesTheURL(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.handle("/home", "login", &guard.Options{AllowSignedIn: true})
	link := s.link("/home?tab=2", magic)
	b := newBrowser(t)
	page := b.open(link)
	want(t, page, 200, "Sign in")
	if strings.Contains(page.header.Get("Set-Cookie"), "session=") {
		t.Fatal("looking at the page signed somebody in")
	}
	a := b.press(link, page)
	if a.status != http.StatusSeeOther || a.header.Get("Location") != "/home?tab=2" {
		t.Fatalf("%d to %q", a.status, a.header.Get("Location"))
	}
	want(t, b.open(s.server.URL+"/home?tab=2"), 200, "no pass")
	want(t, newBrowser(t).open(link), 403, "spent")
}

func TestAScannerThatFollowsEverythingGetsNoSession(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.handle("/home", "login", nil)
	link := s.link("/home", magic)
	scanner := newBrowser(t)
	for _, method := range []string{"HEAD", "GET", "GET", "POST", "PUT"} {
		a := scanner.do(method, link, strings.NewReader("x=1"), "Content-Type", "application/x-www-form-urlencoded")
		if strings.Contains(a.header.Get("Set-Cookie"), "session=") {
			t.Fatalf("%s signed a scanner in", method)
		}
	}
	b := newBrowser(t)
	if a := b.press(link, b.open(link)); a.status != http.StatusSeeOther {
		t.Fatalf("the reader got %d:\n%s", a.status, a.body)
	}
}

func TestASessionPassInAHeaderIsRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.handle("/home", "login", nil)
	token := s.issue(magic).Token.Reveal()
	a := newBrowser(t).do("POST", s.server.URL+"/home", nil, "Authorization", "Bearer "+token)
	if a.status != 403 || a.code(t) != "needs_confirmation" {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestAnotherUsersSessionIsNamedBeforeItIsReplaced(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.handle("/home", "login", nil)
	link := s.link("/home", magic)
	b := newBrowser(t)
	b.open(link)
	other := s.link("/home", hallpass.Spec{Scope: "login", Mode: hallpass.ModeSession, Subject: "greta@example.com"})
	b.press(other, b.open(other))
	page := b.open(link)
	want(t, page, 200, "@example.com")
	if strings.Contains(page.body, "greta@example.com") {
		t.Error("the account is not masked")
	}
	if a := b.press(link, page); a.status != http.StatusSeeOther {
		t.Errorf("%d", a.status)
	}
}

func TestARedirectNeverLeavesTheSite(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(_ *site, g *guard.Config, _ *hallpass.Config) { g.BaseURL = "https://app.example" })
	// ServeMux cleans paths by itself; this handler takes them as they come.
	guarded := s.guard.Require("login", nil)(http.HandlerFunc(s.say))
	s.server.Config.Handler = guarded
	for _, path := range []string{"//evil.example/x", "/%2fevil.example", "/%5cevil.example", "/a/../../evil.example", "/x%0d%0aSet-Cookie:y"} {
		b := newBrowser(t)
		token := s.issue(magic).Token
		link := s.server.URL + path + "?rt=" + token.Reveal()
		page := b.do("GET", link, nil, "Accept", "text/html")
		if page.status != 200 {
			continue // refused before anything was built
		}
		cookies := page.header.Values("Set-Cookie")
		form := hiddenPattern.FindAllStringSubmatch(page.body, -1)
		body := ""
		for _, h := range form {
			body += h[1] + "=" + h[2] + "&"
		}
		cookie, _, _ := strings.Cut(cookies[0], ";")
		a := b.do("POST", s.server.URL+path+"?_hallpass=confirm", strings.NewReader(strings.TrimSuffix(body, "&")),
			"Content-Type", "application/x-www-form-urlencoded", "Cookie", cookie)
		if location := a.header.Get("Location"); location != "" && !strings.HasPrefix(location, "https://app.example/") {
			t.Errorf("%s led to %q", path, location)
		}
	}
}

func TestAFailedLoginGivesTheUseBack(t *testing.T) {
	t.Parallel()
	broken := true
	s := newSite(t, func(_ *site, g *guard.Config, _ *hallpass.Config) {
		login := g.Login
		g.Login = func(w http.ResponseWriter, r *http.Request, p hallpass.Pass) error {
			if broken {
				return errors.New("the session store is down")
			}
			return login(w, r, p)
		}
	})
	s.handle("/home", "login", nil)
	link := s.link("/home", magic)
	b := newBrowser(t)
	page := b.open(link)
	if a := b.press(link, page); a.status != 503 {
		t.Fatalf("%d:\n%s", a.status, a.body)
	}
	broken = false
	if a := b.press(link, page); a.status != http.StatusSeeOther {
		t.Fatalf("the retry got %d:\n%s", a.status, a.body)
	}
}

func TestWithoutALoginHookSessionPassesAreRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(_ *site, g *guard.Config, _ *hallpass.Config) { g.Login = nil })
	s.handle("/home", "login", nil)
	want(t, newBrowser(t).open(s.link("/home", magic)), 403, "wrong_scope")
}

func TestRequestModeRefusesSomebodyElse(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.handle("/u", "unsubscribe", nil)
	s.handle("/home", "login", nil)
	b := newBrowser(t)
	other := s.link("/home", hallpass.Spec{Scope: "login", Mode: hallpass.ModeSession, Subject: "greta"})
	b.press(other, b.open(other))
	issued := s.issue(unsubscribe)
	link, _ := s.guard.Link(s.server.URL+"/u", issued.Token)
	want(t, b.open(link), 403, "wrong_subject")
	if s.entry(issued.ID).Used != 0 {
		t.Error("a refused request was counted")
	}
}
