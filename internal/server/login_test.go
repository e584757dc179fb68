package server_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/gate"
	"github.com/hallpass-go/hallpass/internal/server"
	"github.com/hallpass-go/hallpass/login"
	"github.com/hallpass-go/hallpass/mail"
)

var private = gate.Rules{
	{Path: "/open", Access: gate.AccessPublic},
	{Path: "/boss", Access: gate.AccessLogin, Allow: []string{"boss@example.com"}},
	{Path: "/pass", Scope: "login"},
	{Access: gate.AccessLogin},
}

func TestWhoIsNotLoggedInIsSentToLogInAndComesBack(t *testing.T) {
	t.Parallel()
	p := newPlace(t, private, func(c *server.Config) {
		c.Login.Claims = func(mail.Address) login.Claims { return login.Claims{"role": "reader"} }
	})
	ada := p.person()
	got := ada.open("/notes/1?tab=2&x=%2f")
	to, err := url.Parse(got.header.Get("Location"))
	if err != nil || got.status != http.StatusSeeOther || to.Path != "/.hallpass/login" || to.Query().Get("next") != "/notes/1?tab=2&x=%2f" ||
		got.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v", got.status, got.header)
	}
	basic := ada.do(http.MethodGet, "/notes", "", append([]string{"Authorization", "Basic YTpi"}, asBrowser...)...)
	if basic.status != http.StatusSeeOther {
		t.Errorf("a browser with the application's own credentials: %d", basic.status)
	}
	if page := ada.open(to.String()); page.status != http.StatusOK || !strings.Contains(page.body, "<form") {
		t.Fatalf("the login page: %d\n%s", page.status, page.body)
	}
	if at := ada.logIn("Ada@Example.com", to.Query().Get("next")); at != "/notes/1?tab=2&x=%2f" {
		t.Errorf("sent to %s", at)
	}
	page := ada.do(http.MethodGet, "/notes/1?tab=2", "", "X-Hallpass-Subject", "boss", "X_Hallpass_Email", "boss", "X-Hallpass-Email", "boss")
	data := base64.RawURLEncoding.EncodeToString([]byte(`{"email":"ada@example.com","role":"reader"}`))
	for _, want := range []string{"X-Hallpass-Subject:[ada@example.com]", "X-Hallpass-Scope:[login]", "X-Hallpass-Mode:[session]", "X-Hallpass-Data:[" + data + "]", "cookies []"} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the application did not get %s:\n%s", want, page.body)
		}
	}
	if strings.Contains(page.body, "boss") || strings.Contains(page.body, "X-Hallpass-Pass") {
		t.Errorf("the application got more than it should:\n%s", page.body)
	}
	if p.person().open("/notes/1").fromApp() {
		t.Error("another browser is in, too")
	}
}

func TestTheLinkLogsInWhereItIsOpened(t *testing.T) {
	t.Parallel()
	p := newPlace(t, private, nil)
	ada := p.person()
	_, link := ada.ask("ada@example.com", "/notes")
	if !strings.HasPrefix(link, p.cfg.BaseURL+"/.hallpass/login/link?") {
		t.Fatalf("the link leads to %s", link)
	}
	page := ada.open(link)
	token, _ := url.Parse(link)
	if ada.open("/notes").fromApp() {
		t.Fatal("opening a link was enough; scanners open links, too")
	}
	done := ada.post("/.hallpass/login/link", url.Values{"step": {"continue"}, "token": {token.Query().Get("token")}})
	if done.status != http.StatusSeeOther || done.header.Get("Location") != "/notes" {
		t.Fatalf("%d to %q\n%s\n%s", done.status, done.header.Get("Location"), page.body, done.body)
	}
	if !ada.open("/notes").fromApp() {
		t.Error("not in")
	}
	if again := ada.person().post("/.hallpass/login/link", url.Values{"step": {"continue"}, "token": {token.Query().Get("token")}}); again.status < 400 {
		t.Errorf("the link worked twice: %d", again.status)
	}
}

func TestProgramsAreToldThatALoginIsMissing(t *testing.T) {
	t.Parallel()
	p := newPlace(t, private, nil)
	for name, headers := range map[string][]string{
		"one that says nothing": nil,
		"one that wants JSON":   {"Accept", "application/json, text/html"},
		"a script of a page":    {"Accept", "text/html", "Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty"},
		"a picture":             {"Accept", "image/*,*/*", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"},
		"one with a token":      {"Accept", "text/html", "Authorization", "Bearer x"},
	} {
		got := p.person().do(http.MethodPost, "/notes", "", headers...)
		if got.status != http.StatusUnauthorized || got.header.Get("Content-Type") != "application/problem+json" ||
			got.header.Get("WWW-Authenticate") == "" || got.header.Get("Location") != "" {
			t.Errorf("%s: %d %v", name, got.status, got.header)
		}
	}
}

func TestPassesAndLoginsDoNotStandInForEachOther(t *testing.T) {
	t.Parallel()
	p := newPlace(t, private, nil)
	issuer, err := hallpass.New(hallpass.Config{Keys: p.cfg.Ring.Keyring(), Store: p.cfg.Store, Instance: p.cfg.Ring.Instance()})
	if err != nil {
		t.Fatal(err)
	}
	issued, err := issuer.Issue(t.Context(), hallpass.Spec{Scope: "login", Mode: hallpass.ModeSession, Subject: "ada@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	byPass := p.person()
	asks := byPass.open("/pass?rt=" + issued.Token.Reveal())
	form := url.Values{}
	for _, h := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`).FindAllStringSubmatch(asks.body, -1) {
		form.Set(h[1], h[2])
	}
	action := regexp.MustCompile(`(?s)<form[^>]*action="([^"]*)"`).FindStringSubmatch(asks.body)
	if action == nil || byPass.post(strings.ReplaceAll(action[1], "&amp;", "&"), form).status != http.StatusSeeOther || !byPass.open("/pass").fromApp() {
		t.Fatalf("the pass began no session: %s", asks.body)
	}
	if got := byPass.open("/notes"); got.status != http.StatusSeeOther || got.fromApp() {
		t.Errorf("a pass with the scope login opened a page for logins: %d", got.status)
	}
	byMail := p.person()
	byMail.logIn("ada@example.com", "/notes")
	if got := byMail.open("/pass"); got.fromApp() {
		t.Error("a login opened a page for passes")
	}
	// Neither does one's secret count as the other's.
	base, _ := url.Parse(p.cfg.BaseURL)
	for _, c := range byMail.client.Jar.Cookies(base) {
		swapped := p.person()
		swapped.client.Jar.SetCookies(base, []*http.Cookie{{Name: "hallpass-session", Value: c.Value, Path: "/"}})
		if swapped.open("/pass").fromApp() {
			t.Errorf("the secret in %s opened a page for passes", c.Name)
		}
	}
	// A link in the query of a rule for logins is not looked at, and the application does not see it.
	again, err := issuer.Issue(t.Context(), hallpass.Spec{Scope: "login", Mode: hallpass.ModeSession, Subject: "ada@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	got := byMail.open("/notes?a=b&rt=" + again.Token.Reveal())
	if !got.fromApp() || strings.Contains(got.body, again.Token.Reveal()) {
		t.Errorf("with a token in the query: %d", got.status)
	}
	if got := p.person().open("/notes?a=b&rt=" + again.Token.Reveal()); strings.Contains(got.header.Get("Location"), again.Token.Reveal()[:20]) {
		t.Error("the way to the login page carries the token along")
	}
}

func TestARuleCanBeForSomeOfThoseWhoMayLogIn(t *testing.T) {
	t.Parallel()
	p := newPlace(t, private, nil)
	ada := p.person()
	ada.logIn("ada@example.com", "/")
	got := ada.open("/boss/room")
	if got.status != http.StatusForbidden || !strings.Contains(got.body, "a•••@example.com") {
		t.Fatalf("%d\n%s", got.status, got.body)
	}
	// The words for a program were "somebody else is signed in", of a link.
	program := ada.do(http.MethodGet, "/boss/room", "")
	wantProblem := `{"type":"urn:hallpass:problem:wrong_subject","title":"This path is for others","status":403,"code":"wrong_subject",` +
		`"detail":"you are logged in as a•••@example.com, and this path is open to other addresses only; nothing was done. Log in with one of those, or ask who runs this site"}` + "\n"
	if program.status != http.StatusForbidden || program.header.Get("Content-Type") != "application/problem+json" || program.body != wantProblem ||
		program.header.Get("Cache-Control") != "no-store" {
		t.Errorf("a program: %d %v\n%s", program.status, program.header, program.body)
	}
	if got := ada.do(http.MethodHead, "/boss/room", ""); got.status != http.StatusForbidden || got.body != "" {
		t.Errorf("a program that only looks: %d %q", got.status, got.body)
	}
	action := regexp.MustCompile(`(?s)<form[^>]*action="([^"]*)"`).FindStringSubmatch(got.body)
	if action == nil {
		t.Fatalf("no way to log in with another address:\n%s", got.body)
	}
	out := strings.ReplaceAll(action[1], "&amp;", "&")
	if foreign := ada.do(http.MethodPost, out, "", "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"); foreign.status != http.StatusForbidden || !ada.open("/").fromApp() {
		t.Errorf("another site logged somebody out: %d", foreign.status)
	}
	moved := ada.post(out, nil)
	if want := "/.hallpass/login?next=" + url.QueryEscape("/boss/room"); moved.status != http.StatusSeeOther || moved.header.Get("Location") != want {
		t.Errorf("%d to %q, want %q", moved.status, moved.header.Get("Location"), want)
	}
	if ada.open("/").fromApp() {
		t.Error("still logged in")
	}
	if at := ada.logIn("boss@example.com", "/boss/room"); at != "/boss/room" || !ada.open(at).fromApp() {
		t.Errorf("the boss is sent to %s", at)
	}
}

func TestALoginLeadsNowhereElse(t *testing.T) {
	t.Parallel()
	p := newPlace(t, private, nil)
	for _, next := range []string{
		"https://evil.example/", "//evil.example", `/\evil.example`, "https:evil.example", "http://localhost@evil.example/", "javascript:alert(1)", "/\tx",
	} {
		ada := p.person()
		code, _ := ada.ask(fmt.Sprintf("a%d@example.com", p.mails), next)
		got := ada.post("/.hallpass/login", url.Values{"code": {code}})
		if at := got.header.Get("Location"); got.status != http.StatusSeeOther || at != "/" {
			t.Errorf("next=%q leads to %q (%d)", next, at, got.status)
		}
		out := ada.post("/.hallpass/logout?next="+url.QueryEscape(next), nil)
		if at := out.header.Get("Location"); at != "/" {
			t.Errorf("the way out with next=%q leads to %q", next, at)
		}
	}
}

func TestALoginEndsWithARevocationAndWithItsAddress(t *testing.T) {
	t.Parallel()
	for name, revocation := range map[string]hallpass.Revocation{
		"of the subject": {Subject: "ada@example.com"}, "of all logins": {Scope: "login"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, private, nil)
			ada, eve := p.person(), p.person()
			ada.logIn("ada@example.com", "/")
			eve.logIn("eve@example.com", "/")
			access := ada.tokens("ada@example.com")
			if !p.person().do(http.MethodGet, "/", "", "Authorization", "Bearer "+access).fromApp() {
				t.Fatal("the access token is not good")
			}
			time.Sleep(1100 * time.Millisecond) // tokens tell whole seconds
			other, err := hallpass.New(hallpass.Config{Keys: p.cfg.Ring.Keyring(), Store: p.cfg.Store})
			if err != nil {
				t.Fatal(err)
			}
			if err := other.RevokeGroup(t.Context(), revocation); err != nil {
				t.Fatal(err)
			}
			time.Sleep(1100 * time.Millisecond) // within a second elsewhere
			if ada.open("/").fromApp() {
				t.Error("still in")
			}
			if got := eve.open("/").fromApp(); got != (revocation.Subject != "") {
				t.Errorf("somebody else is in: %v", got)
			}
			if p.person().do(http.MethodGet, "/", "", "Authorization", "Bearer "+access).fromApp() {
				t.Error("an access token still opens it")
			}
			ada.logIn("ada@example.com", "/")
			if !ada.open("/").fromApp() {
				t.Error("a login after the revocation does not count")
			}
		})
	}
	t.Run("an address that may no longer log in", func(t *testing.T) {
		t.Parallel()
		before := newPlace(t, private, nil)
		ada := before.person()
		ada.logIn("ada@example.com", "/")
		after := newPlace(t, private, func(c *server.Config) {
			c.Store, c.Ring = before.cfg.Store, before.cfg.Ring
			c.Login.AllowList, _ = mail.ParsePatterns([]string{"boss@example.com"})
		})
		later := &person{after, ada.client}
		if !ada.open("/").fromApp() {
			t.Fatal("not in")
		}
		if later.open("/").fromApp() {
			t.Error("still in, though no longer on the list")
		}
	})
}

func TestALoginIsForItsHost(t *testing.T) {
	t.Parallel()
	p := newPlace(t, gate.Rules{{Access: gate.AccessLogin}, {Host: "localhost", Access: gate.AccessLogin}, {Host: "open.example.com", Access: gate.AccessPublic}}, nil)
	elsewhere := strings.Replace(p.cfg.BaseURL, "127.0.0.1", "localhost", 1)
	ada := p.person()
	got := ada.post(elsewhere+"/.hallpass/login/code", url.Values{"email": {"ada@example.com"}, "next": {"/x"}})
	if got.status != http.StatusSeeOther {
		t.Fatalf("%d %s", got.status, got.body)
	}
	p.mails++
	code, link := p.inbox.latest(t, p.mails)
	if !strings.HasPrefix(link, elsewhere+"/.hallpass/login/link?") {
		t.Errorf("the login began on %s, and its link leads to %s", elsewhere, link)
	}
	if got := ada.post(elsewhere+"/.hallpass/login", url.Values{"code": {code}}); got.header.Get("Location") != "/x" {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if !ada.open(elsewhere + "/x").fromApp() {
		t.Error("not in")
	}
	// The same secret on another host is nothing.
	there, _ := url.Parse(elsewhere)
	here, _ := url.Parse(p.cfg.BaseURL)
	ada.client.Jar.SetCookies(here, ada.client.Jar.Cookies(there))
	if ada.open("/x").fromApp() {
		t.Error("a session of one host opened another")
	}
	for _, host := range []string{"evil.example", "open.example.com"} {
		req, _ := http.NewRequest(http.MethodGet, p.cfg.BaseURL+"/.hallpass/logout", nil)
		req.Host = host
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %d", host, resp.StatusCode)
		}
	}
}

func TestNewRulesBringTheirLoginPages(t *testing.T) {
	t.Parallel()
	rules := make(chan gate.Rules, 1)
	p := newPlaceOf(t, gate.Rules{{Access: gate.AccessPublic}}, func(c *server.Config) {
		c.Reload = func(context.Context) (server.Reloaded, error) { return server.Reloaded{Rules: <-rules}, nil }
	})
	ada := p.person()
	if !ada.open("/").fromApp() {
		t.Fatal("the application is not public")
	}
	rules <- private
	p.reload <- struct{}{}
	for deadline := time.Now().Add(5 * time.Second); ada.open("/").fromApp(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the new rules do not count")
		}
	}
	if at := ada.logIn("ada@example.com", "/new"); at != "/new" || !ada.open(at).fromApp() {
		t.Errorf("sent to %s", at)
	}
}

func TestProgramsLogInBesideTheApplicationAndFindTheKeys(t *testing.T) {
	t.Parallel()
	p := newPlace(t, private, nil)
	app := p.person()
	asJSON := []string{"Content-Type", "application/json"}
	if got := app.do(http.MethodPost, "/.hallpass/login/code", `{"email":"ada@example.com"}`, asJSON...); got.status != http.StatusNoContent {
		t.Fatalf("%d %s", got.status, got.body)
	}
	p.mails++
	code, _ := p.inbox.latest(t, p.mails)
	got := app.do(http.MethodPost, "/.hallpass/login", `{"email":"ada@example.com","code":"`+code+`"}`, asJSON...)
	var tokens struct{ Access, Refresh string }
	if err := json.Unmarshal([]byte(got.body), &tokens); err != nil || tokens.Access == "" || tokens.Refresh == "" {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if keys := published(t, p.cfg.BaseURL+"/.well-known/jwks.json"); len(keys) != 1 {
		t.Errorf("keys %v", keys)
	}
	// The token is as good as a session, for who sends it.
	asAda := []string{"Authorization", "Bearer " + tokens.Access, "Accept", "application/json"}
	if got := p.person().do(http.MethodPost, "/notes", "{}", asAda...); !got.fromApp() ||
		!strings.Contains(got.body, "X-Hallpass-Subject:[ada@example.com]") || strings.Contains(got.body, tokens.Access) {
		t.Errorf("with the access token: %d %s", got.status, got.body)
	}
	if got := p.person().do(http.MethodGet, "/boss", "", asAda...); got.status != http.StatusForbidden || got.fromApp() ||
		!strings.Contains(got.body, "logged in as a•••@example.com, and this path is open to other addresses only") || strings.Contains(got.body, "boss") {
		t.Errorf("a page for others: %d %s", got.status, got.body)
	}
	for _, wrong := range []string{"Bearer " + tokens.Access[:len(tokens.Access)-6] + "AAAAAA", "Bearer " + tokens.Refresh, "Basic " + tokens.Access, "Bearer"} {
		if got := p.person().do(http.MethodGet, "/notes", "", "Authorization", wrong); got.status != http.StatusUnauthorized {
			t.Errorf("%.12s…: %d", wrong, got.status)
		}
	}
	// An application's own token in that header is none of ours.
	inside := p.person()
	inside.logIn("ada@example.com", "/")
	if got := inside.do(http.MethodGet, "/notes", "", "Authorization", "Bearer its-own"); !got.fromApp() || !strings.Contains(got.body, "Bearer its-own") {
		t.Errorf("an application's own token: %d %s", got.status, got.body)
	}
	inside.post("/.hallpass/logout", nil)
	all := p.server.Sessions()
	p.person().logIn("ada@example.com", "/")
	found, next, err := all.List(t.Context(), "ada@example.com", "", 1)
	if err != nil || len(found) != 1 || found[0].Kind != "login" || found[0].Host != "127.0.0.1" || found[0].Pass != "" {
		t.Fatalf("%+v %v", found, err)
	}
	rest, end, err := all.List(t.Context(), "ada@example.com", next, 1)
	if err != nil || len(rest) != 1 || rest[0].Kind != "tokens" || end != "" {
		t.Fatalf("%+v %q %v", rest, end, err)
	}
	if _, _, err := all.List(t.Context(), "", "nonsense", 1); err == nil {
		t.Error("a cursor that is none is taken")
	}
	if err := all.End(t.Context(), rest[0].ID); err != nil {
		t.Error(err)
	}
	if got := app.do(http.MethodPost, "/.hallpass/login/refresh", `{"token":"`+tokens.Refresh+`"}`, asJSON...); got.status != http.StatusForbidden {
		t.Errorf("after its end the session is refreshed: %d %s", got.status, got.body)
	}
	if ended, err := all.EndAll(t.Context(), "ada@example.com"); err != nil || ended != 1 {
		t.Errorf("ended %d: %v", ended, err)
	}
	if err := all.End(t.Context(), rest[0].ID); !errors.Is(err, hallpass.ErrNotFound) {
		t.Errorf("ending it again: %v", err)
	}
}

func TestAMailServerThatIsDownIsSeenAndHoldsNothingUp(t *testing.T) {
	t.Parallel()
	p := newPlace(t, private, nil)
	p.inbox.mu.Lock()
	p.inbox.down = errors.New("connection refused")
	p.inbox.mu.Unlock()
	ada := p.person()
	if got := ada.post("/.hallpass/login/code", url.Values{"email": {"ada@example.com"}}); got.status != http.StatusSeeOther {
		t.Errorf("asking while mail is down: %d", got.status)
	}
	ops := "http://" + p.cfg.Ops.Addr().String()
	metric := func(line string) {
		t.Helper()
		var text string
		for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
			if text = ada.do(http.MethodGet, ops+"/metrics", "").body; strings.Contains(text, "\n"+line+"\n") {
				return
			}
		}
		t.Errorf("no %s in\n%s", line, text)
	}
	metric("hallpass_mail_up 0")
	metric("hallpass_mail_outbox_depth 1")
	metric("hallpass_logins_begun_total 1")
	if got := ada.do(http.MethodGet, ops+"/readyz", ""); got.status != http.StatusOK {
		t.Errorf("not ready: %s", got.body)
	}
	p.inbox.mu.Lock()
	p.inbox.down = nil
	p.inbox.mu.Unlock()
	p.mails++
	code, _ := p.inbox.latest(t, p.mails)
	metric("hallpass_mail_up 1")
	wrong := "000000"
	if code == wrong {
		wrong = "111111"
	}
	ada.post("/.hallpass/login", url.Values{"code": {wrong}})
	metric(`hallpass_login_refusals_total{reason="bad_signature"} 1`)
	ada.post("/.hallpass/login", url.Values{"code": {code}})
	metric(`hallpass_logins_total{by="code"} 1`)
	metric(`hallpass_mails_total{outcome="sent"} 1`)
	if text := p.written.String(); strings.Contains(text, code) || strings.Contains(text, "ada@") {
		t.Errorf("the log tells too much: %s", text)
	}
}
