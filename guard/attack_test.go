package guard_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/guard"
)

// raw sends a request as it is written and returns its status and body.
func raw(t *testing.T, s *site, lines ...string) (int, string) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, strings.Join(lines, "\r\n")+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// TestGrantsSpeakOfTheWholePath: an absolute-form target once hid the prefix that
// http.StripPrefix takes off, and a grant for /users opened /admin/users.
func TestGrantsSpeakOfTheWholePath(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	guarded := s.guard.Require("api", nil)(http.HandlerFunc(s.say))
	s.mux.Handle("/admin/", http.StripPrefix("/admin", guarded))
	s.mux.HandleFunc("/m/", func(w http.ResponseWriter, r *http.Request) { // strips the decoded path alone
		r.URL.Path = strings.TrimPrefix(r.URL.Path, "/m")
		guarded.ServeHTTP(w, r)
	})
	spec := api
	spec.Grants, spec.TTL = []hallpass.Grant{{Method: "GET", Path: "/users"}}, time.Hour
	bearer := "Authorization: Bearer " + s.issue(spec).Token.Reveal()
	for _, target := range []string{"/admin/users", "http://host/admin/users", "http://host/admin/us%65rs", "/m/users", "/m/us%65rs", "//admin/users"} {
		status, body := raw(t, s, "GET "+target+" HTTP/1.1", "Host: host", "Connection: close", bearer)
		if status == 200 {
			t.Errorf("%s was let in: %s", target, body)
		}
	}
	spec.Grants = []hallpass.Grant{{Method: "GET", Path: "/admin/users"}}
	bearer = "Authorization: Bearer " + s.issue(spec).Token.Reveal()
	for _, target := range []string{"/admin/users", "http://host/admin/users"} {
		if status, body := raw(t, s, "GET "+target+" HTTP/1.1", "Host: host", "Connection: close", bearer); status != 200 {
			t.Errorf("%s: %d %s", target, status, body)
		}
	}
}

// TestAFailedUnsubscribeIsTriedAgain: a retry once counted as a repeat of a success.
func TestAFailedUnsubscribeIsTriedAgain(t *testing.T) {
	t.Parallel()
	fail := true
	s := newSite(t, nil)
	s.mux.Handle("/u", s.guard.Require("unsubscribe", &guard.Options{OneClick: true})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.runs.Add(1)
		if fail {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})))
	link := s.link("/u", unsubscribe)
	click := func() int {
		return newBrowser(t).do("POST", link, strings.NewReader("List-Unsubscribe=One-Click"), "Content-Type", "application/x-www-form-urlencoded").status
	}
	for i := range 6 { // more than there are refunds
		if status := click(); status != 503 {
			t.Fatalf("try %d: %d", i, status)
		}
	}
	fail = false
	if status := click(); status != 200 || s.runs.Load() != 7 {
		t.Errorf("%d after %d runs", status, s.runs.Load())
	}
	for _, target := range []string{"/u?rt=%zz", "/u?rt=a&rt=b", "/u"} {
		a := newBrowser(t).do("POST", s.server.URL+target, strings.NewReader("List-Unsubscribe=One-Click"), "Content-Type", "application/x-www-form-urlencoded")
		if a.status != 200 {
			t.Errorf("%s: %d", target, a.status)
		}
	}
}

func TestAOneClickRouteKeepsLongBodies(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.handle("/u", "api", &guard.Options{OneClick: true, Confirm: guard.ConfirmNever})
	body := strings.Repeat("x=1&", 2000)
	a := newBrowser(t).do("POST", s.link("/u", api), strings.NewReader(body), "Content-Type", "application/x-www-form-urlencoded")
	want(t, a, 200, "body="+body)
}

// TestNothingSlipsPastTheTypedCode: the same token in another place once ran the
// handler without the code.
func TestNothingSlipsPastTheTypedCode(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.handle("/code", "unsubscribe", &guard.Options{TypedCode: true, Transports: everywhere})
	s.handle("/always", "unsubscribe", &guard.Options{Confirm: guard.ConfirmAlways})
	token := s.issue(unsubscribe).Token.Reveal()
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	for name, a := range map[string]answer{
		"a POST of the link":             newBrowser(t).do("POST", s.server.URL+"/code?rt="+token, nil),
		"a bearer token":                 newBrowser(t).do("GET", s.server.URL+"/code", nil, "Authorization", "Bearer "+token),
		"a form":                         newBrowser(t).do("POST", s.server.URL+"/code", strings.NewReader("rt="+token), form...),
		"a POST where all links ask":     newBrowser(t).do("POST", s.server.URL+"/always?rt="+token, nil),
		"a DELETE where all links ask":   newBrowser(t).do("DELETE", s.server.URL+"/always?rt="+token, nil),
		"a one-click POST where it asks": newBrowser(t).do("POST", s.server.URL+"/always?rt="+token, strings.NewReader("List-Unsubscribe=One-Click"), form...),
	} {
		if a.status != 403 || a.code(t) != "needs_confirmation" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if s.runs.Load() != 0 {
		t.Errorf("the handler ran %d times", s.runs.Load())
	}
}

func TestADeadlineIsAnsweredAsAnOutage(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	guarded := s.guard.Require("api", nil)(http.HandlerFunc(s.say))
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithDeadline(r.Context(), time.Now().Add(-time.Second))
		defer cancel()
		guarded.ServeHTTP(w, r.WithContext(ctx))
	})
	a := newBrowser(t).do("GET", s.server.URL+"/", nil, "Authorization", "Bearer "+s.issue(hallpass.Spec{Scope: "api"}).Token.Reveal())
	if a.status != 503 || a.code(t) != "unavailable" || s.runs.Load() != 0 {
		t.Errorf("%d %s, ran %d times", a.status, a.body, s.runs.Load())
	}
}

// TestALoginThatFailsLateLeavesNothingBehind: its cookie once went out with the
// error page, and the link was good again.
func TestALoginThatFailsLateLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(_ *site, g *guard.Config, _ *hallpass.Config) {
		login := g.Login
		g.Login = func(w http.ResponseWriter, r *http.Request, p hallpass.Pass) error {
			return errors.Join(login(w, r, p), errors.New("too late"))
		}
	})
	s.handle("/home", "login", nil)
	issued := s.issue(magic)
	link, _ := s.guard.Link(s.server.URL+"/home", issued.Token)
	b := newBrowser(t)
	a := b.press(link, b.open(link))
	if a.status != 503 || strings.Contains(fmt.Sprint(a.header["Set-Cookie"]), "session=") {
		t.Errorf("%d %v", a.status, a.header)
	}
	if e := s.entry(issued.ID); e.Used != 1 || e.Refunds != 0 {
		t.Errorf("used %d, refunds %d", e.Used, e.Refunds)
	}
}

func TestSessionRoutesNeedALoginHook(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(_ *site, g *guard.Config, _ *hallpass.Config) { g.Login = nil })
	defer func() {
		if recover() == nil {
			t.Error("a route for session passes alone was wired without a Login hook")
		}
	}()
	s.guard.Require("login", &guard.Options{Modes: []hallpass.Mode{hallpass.ModeSession}})
}

func TestAnOverrideHeaderHidesNothingFromTheAudit(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.handle("/x", "api", nil)
	issued := s.issue(hallpass.Spec{Scope: "api", MaxUses: 5})
	newBrowser(t).do("DELETE", s.server.URL+"/x", nil, "Authorization", "Bearer "+issued.Token.Reveal(), "X-HTTP-Method", "GET")
	if use := s.settled(issued.ID); use.Method != "DELETE" || use.Path != "/x" {
		t.Errorf("%+v", use)
	}
}

func TestJSONThatIsTheApplicationsBusinessPasses(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.mux.Handle("/", s.guard.Optional("api", &guard.Options{Transports: guard.JSON})(httpHandler(s)))
	for body, status := range map[string]int{
		`{"a":1,"a":2}`: 200,
		strings.Repeat(`{"a":`, 40) + `1` + strings.Repeat("}", 40): 200,
		`{"a":1,"a":2,"rt":"x"}`:                                    403,
		`{"\u0072t":"x","\u0072t":"y"}`:                             403,
	} {
		if a := newBrowser(t).do("POST", s.server.URL+"/", strings.NewReader(body), "Content-Type", "application/json"); a.status != status {
			t.Errorf("%s: %d, want %d", body, a.status, status)
		}
	}
}

func TestTheQueryNeverKeepsTheToken(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.handle("/a", "api", &guard.Options{Confirm: guard.ConfirmNever})
	token := s.issue(api).Token.Reveal()
	_, body := raw(t, s, "GET /a?x=1#&rt="+token+" HTTP/1.1", "Host: host", "Connection: close")
	if strings.Contains(body, token) {
		t.Errorf("the handler saw the token: %s", body)
	}
}

func TestABearerMistakeGetsAChallenge(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.handle("/", "api", nil)
	token := s.issue(api).Token.Reveal()
	for name, headers := range map[string][]string{
		"no text":      {"Authorization", "Bearer"},
		"two headers":  {"Authorization", "Bearer " + token, "Authorization", "Bearer " + token},
		"a wrong text": {"Authorization", "Bearer x"},
	} {
		a := newBrowser(t).do("GET", s.server.URL+"/", nil, headers...)
		if a.status != 401 || !strings.Contains(a.header.Get("WWW-Authenticate"), "invalid_token") {
			t.Errorf("%s: %d %q", name, a.status, a.header.Get("WWW-Authenticate"))
		}
	}
}

// TestAGrantSpeaksOfWhatTheHandlerSees: a request that was rewritten on its way here
// is covered by no grant, neither for what it was nor for what it became.
func TestAGrantSpeaksOfWhatTheHandlerSees(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	guarded := s.guard.Require("api", nil)(http.HandlerFunc(s.say))
	s.mux.HandleFunc("/public", func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path = "/secret"
		guarded.ServeHTTP(w, r)
	})
	for _, path := range []string{"/public", "/secret"} {
		spec := api
		spec.Grants, spec.TTL = []hallpass.Grant{{Method: "GET", Path: path}}, time.Hour
		a := newBrowser(t).do("GET", s.server.URL+"/public", nil, "Authorization", "Bearer "+s.issue(spec).Token.Reveal())
		if a.status != 403 || a.code(t) != "not_granted" {
			t.Errorf("a grant for %s: %d %s", path, a.status, a.body)
		}
	}
}

func TestTheBrowsersCookieIsLockedDown(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]http.Cookie{
		"":                    {Name: "hallpass-browser"},
		"https://app.example": {Name: "__Host-hallpass-browser", Secure: true},
	} {
		s := newSite(t, func(_ *site, g *guard.Config, _ *hallpass.Config) { g.BaseURL = base })
		s.handle("/u", "unsubscribe", nil)
		a := newBrowser(t).open(s.server.URL + "/u?rt=" + s.issue(unsubscribe).Token.Reveal())
		cookies := (&http.Response{Header: a.header}).Cookies()
		if len(cookies) != 1 {
			t.Fatalf("cookies %v", cookies)
		}
		if c := cookies[0]; c.Name != want.Name || c.Secure != want.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
			t.Errorf("with base %q: %+v", base, c)
		}
	}
}
