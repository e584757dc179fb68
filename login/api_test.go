package login_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/login"
	"github.com/hallpass-go/hallpass/mail"
)

func TestAnAppLogsInRefreshesUpdatesAndLogsOut(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *login.Config) { c.UpdatableClaims = []string{"team"} })
	app := s.app()
	access, refresh := s.signIn(app, "hugo@example.com")
	want(t, app.do("GET", "/account", "", "Authorization", "bearer "+access), 200, "who=hugo@example.com role=reader ok=true")

	_, refresh2 := app.post("/login/refresh", `{"token":"`+refresh+`"}`).pair(t)
	bad := app.post("/login/claims", `{"token":"`+refresh2+`","data":{"team":"blue","role":"admin"}}`)
	if code, field := bad.problem(t); bad.status != 400 || code != "invalid" || field != "data" {
		t.Errorf("a claim that is not to be updated: %d %s", bad.status, bad.body)
	}
	access, refresh3 := app.post("/login/claims", `{"token":"`+refresh2+`","data":{"team":"blue"}}`).pair(t)
	a := app.do("GET", "/login/claims", "", "Authorization", "Bearer "+access)
	var claims map[string]any
	if err := json.Unmarshal([]byte(a.body), &claims); err != nil || a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if claims["email"] != "hugo@example.com" || claims["sub"] != "hugo@example.com" || claims["team"] != "blue" || claims["role"] != "reader" || claims["exp"] == nil {
		t.Errorf("claims %v", claims)
	}
	if a := app.post("/login/logout", `{"token":"`+refresh3+`"}`); a.status != 204 || a.body != "" {
		t.Errorf("logout: %d %s", a.status, a.body)
	}
	a = app.post("/login/refresh", `{"token":"`+refresh3+`"}`)
	if code, _ := a.problem(t); a.status != 403 || code != "revoked" {
		t.Errorf("after logout: %d %s", a.status, a.body)
	}
	if a := app.post("/login/logout", `{"token":"`+refresh3+`"}`); a.status != 204 {
		t.Errorf("a second logout: %d %s", a.status, a.body)
	}
}

func TestKnownAndUnknownAddressesGetTheSameAnswer(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	app := s.app()
	shape := func(a answer) map[string]string {
		seen := map[string]string{"status": fmt.Sprint(a.status), "body": a.body}
		for name, values := range a.header {
			value := strings.Join(values, "|")
			switch name {
			case "Date":
				value = "*"
			case login.FlowHeader:
				value = fmt.Sprint(len(value))
			case "Set-Cookie":
				before, after, _ := strings.Cut(value, ";")
				value = fmt.Sprint(len(before)) + after
			}
			seen[name] = value
		}
		return seen
	}
	known := app.post("/login/code", `{"email":"hugo@example.com"}`)
	unknown := app.post("/login/code", `{"email":"hugo@elsewhere.example"}`)
	if diff := cmp.Diff(shape(known), shape(unknown)); diff != "" {
		t.Errorf("asking differs: %s", diff)
	}
	code := s.outbox.waitForFlow(t, known.header.Get(login.FlowHeader)).Data["code"]
	for range 6 {
		a := app.post("/login", `{"email":"hugo@example.com","code":"`+wrongCode(code, 0)+`"}`, login.FlowHeader, known.header.Get(login.FlowHeader))
		b := app.post("/login", `{"email":"hugo@elsewhere.example","code":"`+wrongCode(code, 0)+`"}`, login.FlowHeader, unknown.header.Get(login.FlowHeader))
		if diff := cmp.Diff(shape(a), shape(b)); diff != "" {
			t.Errorf("a wrong code differs: %s", diff)
		}
		s.clock.Pass(time.Second)
	}
	if n := s.outbox.count("hugo@elsewhere.example"); n != 0 {
		t.Errorf("%d mails went to an unknown address", n)
	}
}

func TestWhatTheEndpointsRefuse(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	app := s.app()
	flow, m := s.ask(app, "hugo@example.com")
	code := m.Data["code"]
	rows := []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		code, field              string
	}{
		{"no address", "POST", "/login/code", `{"email":"hugo"}`, nil, 400, "invalid", "email"},
		{"two addresses", "POST", "/login/code", `{"email":"a@example.com,b@example.com"}`, nil, 400, "invalid", "email"},
		{"an address with a header in it", "POST", "/login/code", `{"email":"a@example.com\r\nBcc: b@example.com"}`, nil, 400, "invalid", "email"},
		{"a number for an address", "POST", "/login/code", `{"email":7}`, nil, 400, "invalid", "email"},
		{"an unknown field", "POST", "/login/code", `{"email":"hugo@example.com","admin":"1"}`, nil, 400, "invalid", "admin"},
		{"a name twice", "POST", "/login/code", `{"email":"hugo@example.com","email":"anna@example.com"}`, nil, 400, "invalid", ""},
		{"a name in another case", "POST", "/login/code", `{"Email":"hugo@example.com"}`, nil, 400, "invalid", "Email"},
		{"no JSON", "POST", "/login/code", `email=hugo@example.com`, nil, 400, "invalid", ""},
		{"a list", "POST", "/login/code", `["hugo@example.com"]`, nil, 400, "invalid", ""},
		{"two values", "POST", "/login/code", `{"email":"hugo@example.com"}{}`, nil, 400, "invalid", ""},
		{"a large body", "POST", "/login/code", `{"email":"` + strings.Repeat("a", 9000) + `"}`, nil, 413, "invalid", ""},
		{"text", "POST", "/login/code", `{"email":"hugo@example.com"}`, []string{"Content-Type", "", "Content-Type", "text/plain"}, 415, "invalid", ""},
		{"somewhere to go off the site", "POST", "/login/code", `{"email":"hugo@example.com","next":"//evil.example"}`, nil, 400, "invalid", "next"},
		{"another method", "PUT", "/login/code", `{}`, nil, 405, "invalid", ""},
		{"GET where there is only POST", "GET", "/login/refresh", ``, nil, 405, "invalid", ""},
		{"another path", "POST", "/login/nothing", `{}`, nil, 404, "not_found", ""},

		{"no code", "POST", "/login", `{"email":"hugo@example.com"}`, []string{login.FlowHeader, flow}, 400, "invalid", "code"},
		{"no address with the code", "POST", "/login", `{"code":"` + code + `"}`, []string{login.FlowHeader, flow}, 400, "invalid", "email"},
		{"no flow", "POST", "/login", `{"email":"hugo@example.com","code":"` + code + `"}`, nil, 400, "invalid", "flow"},
		{"no flow, of an address that is nobody's", "POST", "/login", `{"email":"nobody@example.com","code":"123456"}`, nil, 400, "invalid", "flow"},
		{"a flow that is none", "POST", "/login", `{"email":"hugo@example.com","code":"` + code + `"}`, []string{login.FlowHeader, "f-x"}, 403, "bad_signature", ""},
		{"a flow that was changed", "POST", "/login", `{"email":"hugo@example.com","code":"` + code + `"}`, []string{login.FlowHeader, changed(flow)}, 403, "bad_signature", ""},
		{"two flows", "POST", "/login", `{"email":"hugo@example.com","code":"` + code + `"}`, []string{login.FlowHeader, flow, login.FlowHeader, flow}, 403, "bad_signature", ""},
		{"another flow in the cookie", "POST", "/login", `{"email":"hugo@example.com","code":"` + code + `"}`, []string{login.FlowHeader, flow, "Cookie", "hallpass-login=" + changed(flow)}, 403, "bad_signature", ""},
		{"two cookies", "POST", "/login", `{"email":"hugo@example.com","code":"` + code + `"}`, []string{"Cookie", "hallpass-login=" + flow + "; hallpass-login=" + flow}, 403, "bad_signature", ""},
		{"another address", "POST", "/login", `{"email":"anna@example.com","code":"` + code + `"}`, []string{login.FlowHeader, flow}, 403, "bad_signature", ""},
		{"a wrong code", "POST", "/login", `{"email":"hugo@example.com","code":"` + wrongCode(code, 1) + `"}`, []string{login.FlowHeader, flow}, 403, "bad_signature", ""},

		{"no refresh token", "POST", "/login/refresh", `{}`, nil, 401, "bad_signature", ""},
		{"nothing at all", "POST", "/login/refresh", ``, nil, 401, "bad_signature", ""},
		{"what is no refresh token", "POST", "/login/refresh", `{"token":"hpr_x"}`, nil, 401, "bad_signature", ""},
		{"logout with what is no token", "POST", "/login/logout", `{"token":"hpr_x"}`, nil, 401, "bad_signature", ""},
		{"data that is no object", "POST", "/login/claims", `{"token":"x","data":[]}`, nil, 400, "invalid", "data"},
		{"no data", "POST", "/login/claims", `{"token":"x"}`, nil, 400, "invalid", "data"},
		{"reading claims without a token", "GET", "/login/claims", ``, nil, 401, "bad_signature", ""},
		{"reading claims with what is none", "GET", "/login/claims", ``, []string{"Authorization", "Bearer x"}, 401, "bad_signature", ""},
		{"a link that is none", "POST", "/login/link", `{"token":"l-x"}`, nil, 403, "bad_signature", ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			headers := append([]string{"Content-Type", "application/json"}, row.headers...)
			a := app.do(row.method, row.path, row.body, headers...)
			if code, field := a.problem(t); a.status != row.status || code != row.code || field != row.field {
				t.Errorf("%d %s", a.status, a.body)
			}
			if got := a.header.Get("Cache-Control"); got != "no-store" {
				t.Errorf("Cache-Control %q", got)
			}
			if a.status == 405 && a.header.Get("Allow") == "" {
				t.Error("405 without Allow")
			}
			if a.status == 401 && !strings.HasPrefix(a.header.Get("WWW-Authenticate"), `Bearer realm=`) {
				t.Errorf("challenge %q", a.header.Get("WWW-Authenticate"))
			}
		})
	}
	app.post("/login", `{"email":"HUGO@example.com","code":"`+code[:3]+" "+code[3:]+`"}`, login.FlowHeader, flow,
		"Content-Type", "", "Content-Type", "application/vnd.app+json; charset=utf-8").pair(t) // none of all that used it up
}

// changed is a token with another last character.
func changed(token string) string {
	last := "A"
	if strings.HasSuffix(token, last) {
		last = "B"
	}
	return token[:len(token)-1] + last
}

func TestPrefer(t *testing.T) {
	t.Parallel()
	both := map[bool]*site{
		false: newSite(t, nil),
		true:  newSite(t, func(c *login.Config) { c.HTTP.Prefer = "cookies" }),
	}
	rows := []struct {
		cookiesByDefault bool
		prefer, applied  string
		cookies          bool
	}{
		{false, "", "", false},
		{false, "cookies", "cookies", true},
		{false, "respond-async, Cookies; x=1", "cookies", true},
		{false, "token", "token", false},
		{false, "something", "", false},
		{true, "", "", true},
		{true, "token", "token", false},
	}
	for i, row := range rows {
		s := both[row.cookiesByDefault]
		app := s.app()
		email := fmt.Sprintf("reader%d@example.com", i)
		flow, m := s.ask(app, email)
		a := app.post("/login", `{"email":"`+email+`","code":"`+m.Data["code"]+`"}`, login.FlowHeader, flow, "Prefer", row.prefer)
		if row.cookies {
			if a.status != 204 || a.setCookie("hallpass-access") == nil || a.setCookie("hallpass-refresh") == nil {
				t.Errorf("%q: %d %v", row.prefer, a.status, a.header)
			}
		} else {
			a.pair(t)
			if a.setCookie("hallpass-access") != nil {
				t.Errorf("%q: cookies beside the tokens", row.prefer)
			}
		}
		if a.header.Get("Preference-Applied") != row.applied || !strings.Contains(strings.Join(a.header.Values("Vary"), ","), "Prefer") || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%q: %v", row.prefer, a.header)
		}
	}
}

func TestARefreshTokenInACookieStaysInOne(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.browser()
	s.signInByPage(b, "hugo@example.com")
	before := b.cookie("/login", "hallpass-refresh")
	s.clock.Pass(time.Minute)
	a := b.do("POST", "/login/refresh", "", "Prefer", "token", "Sec-Fetch-Site", "same-origin")
	if a.status != 204 || a.body != "" || b.cookie("/login", "hallpass-refresh") == before {
		t.Errorf("%d %q", a.status, a.body)
	}
	if a := b.post("/login/refresh", `{"token":"`+before+`"}`); a.status != 401 {
		t.Errorf("another token in the body: %d %s", a.status, a.body)
	}
	s.clock.Pass(time.Minute)
	old := s.app().do("POST", "/login/refresh", "", "Cookie", "hallpass-refresh="+before)
	if code, _ := old.problem(t); old.status != 403 || code != "spent" || old.setCookie("hallpass-refresh").MaxAge >= 0 {
		t.Errorf("a cookie from long ago: %d %s %v", old.status, old.body, old.header)
	}
	over := b.do("POST", "/login/refresh", "")
	if code, _ := over.problem(t); over.status != 403 || code != "revoked" || b.cookie("/", "hallpass-access") != "" {
		t.Errorf("after the reuse: %d %s", over.status, over.body)
	}
}

func TestThrottlingSaysWhenToComeBack(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *login.Config) {
		c.Limits.NetworkSends = 2
		c.Limits.FreeFailures = 1
		c.Limits.Delay, c.Limits.MaxDelay = time.Minute, time.Hour
	})
	app := s.app()
	flow, m := s.ask(app, "hugo@example.com")
	enter := func() answer {
		return app.post("/login", `{"email":"hugo@example.com","code":"`+wrongCode(m.Data["code"], 0)+`"}`, login.FlowHeader, flow)
	}
	if a := enter(); a.status != 403 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	a := enter()
	if code, _ := a.problem(t); a.status != 429 || code != "throttled" || a.header.Get("Retry-After") != "60" {
		t.Errorf("%d %v %s", a.status, a.header, a.body)
	}
	s.ask(app, "anna@example.com")
	a = app.post("/login/code", `{"email":"emil@example.com"}`)
	if code, _ := a.problem(t); a.status != 429 || code != "throttled" || a.header.Get("Retry-After") != "1800" {
		t.Errorf("%d %v %s", a.status, a.header, a.body)
	}
	b := s.browser()
	page := b.press(b.open("/login"), 0, "email", "emil@example.com")
	want(t, page, 429, "in 30 minutes")
	want(t, page, 429, `value="emil@example.com"`)
}

// downStore does not answer while it is down.
type downStore struct {
	hallpass.CellStore
	down *atomic.Bool
}

func (d downStore) Cell(ctx context.Context, group, key string, now time.Time) (hallpass.Cell, error) {
	if d.down.Load() {
		return hallpass.Cell{}, fmt.Errorf("dial tcp 10.0.0.7: secret detail")
	}
	return d.CellStore.Cell(ctx, group, key, now)
}

func TestAStoreThatDoesNotAnswerLetsNobodyIn(t *testing.T) {
	t.Parallel()
	var down atomic.Bool
	s := newSite(t, func(c *login.Config) { c.Cells = downStore{c.Cells, &down} })
	app, b := s.app(), s.browser()
	flow, m := s.ask(app, "hugo@example.com")
	page, _ := s.askByPage(b, "anna@example.com", "")
	down.Store(true)
	for _, a := range []answer{
		app.post("/login/code", `{"email":"hugo@example.com"}`),
		app.post("/login", `{"email":"hugo@example.com","code":"`+m.Data["code"]+`"}`, login.FlowHeader, flow),
		app.post("/login/link", `{"token":"`+tokenOf(m)+`"}`),
	} {
		if code, _ := a.problem(t); a.status != 503 || code != "unavailable" || a.header.Get("Retry-After") == "" || strings.Contains(a.body, "secret detail") {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	want(t, b.press(page, 0, "code", "123456"), 503, "Nothing could be decided")
	want(t, b.open(s.linkOf(m)), 503, "Nothing could be decided")
	if !strings.Contains(s.log.String(), "secret detail") {
		t.Error("the log does not say why")
	}
}

func TestNoTokenStandsInForAnother(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	app := s.app()
	access, refresh := s.signIn(app, "anna@example.com")
	flow, m := s.ask(app, "hugo@example.com")
	pass, err := s.issuer.Issue(t.Context(), hallpass.Spec{Scope: "login", Mode: hallpass.ModeSession, Subject: "hugo@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	tokens := map[string]string{
		"access": access, "refresh": refresh, "flow": flow, "link": tokenOf(m), "code": m.Data["code"], "pass": pass.Token.Reveal(),
	}
	uses := map[string]func(token string) answer{
		"access":  func(token string) answer { return app.do("GET", "/account", "", "Authorization", "Bearer "+token) },
		"refresh": func(token string) answer { return app.post("/login/refresh", `{"token":"`+token+`"}`) },
		"logout":  func(token string) answer { return app.post("/login/logout", `{"token":"`+token+`"}`) },
		"claims":  func(token string) answer { return app.post("/login/claims", `{"token":"`+token+`","data":{}}`) },
		"link":    func(token string) answer { return app.post("/login/link", `{"token":"`+token+`"}`) },
		"flow": func(token string) answer {
			return app.post("/login", `{"email":"hugo@example.com","code":"`+m.Data["code"]+`"}`, login.FlowHeader, token)
		},
		"code": func(token string) answer {
			return app.post("/login", `{"email":"hugo@example.com","code":"`+token+`"}`, login.FlowHeader, flow)
		},
	}
	rightful := map[string]string{"logout": "refresh", "claims": "refresh"}
	for use, do := range uses {
		for kind, token := range tokens {
			if kind == use || rightful[use] == kind || use == "code" && kind != "pass" && kind != "link" {
				continue // five tries are all there are for the code
			}
			if a := do(token); a.status/100 != 4 {
				t.Errorf("a %s token as %s: %d %s", kind, use, a.status, a.body)
			}
		}
	}
}

func TestTheUserAgentIsBounded(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	app := s.app()
	app.headers["User-Agent"] = strings.Repeat("é", 5000)
	s.signIn(app, "hugo@example.com")
	sessions, _, err := s.Sessions(t.Context(), "hugo@example.com", "", 10)
	if err != nil || len(sessions) != 1 || sessions[0].UserAgent != strings.Repeat("é", 256) {
		t.Errorf("%v %v", sessions, err)
	}
}

func TestForwardedAddressesCountFromDeclaredProxiesOnly(t *testing.T) {
	t.Parallel()
	for name, trusted := range map[string]bool{"nobody is trusted": false, "the peer is": true} {
		s := newSite(t, func(c *login.Config) {
			if trusted {
				c.HTTP.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
			}
		})
		app := s.app()
		app.headers["X-Forwarded-For"] = "198.51.100.7"
		s.signIn(app, "hugo@example.com")
		sessions, _, err := s.Sessions(t.Context(), "hugo@example.com", "", 10)
		if err != nil || len(sessions) != 1 || (sessions[0].ClientIP == "198.51.100.7") != trusted {
			t.Errorf("%s: %v %v", name, sessions, err)
		}
	}
}

func TestAnAddressThatMayNoLongerLogInIsToldSoOnlyWithItsCode(t *testing.T) {
	t.Parallel()
	var gone atomic.Bool
	s := newSite(t, func(c *login.Config) {
		allow := c.Allow
		c.Allow = func(ctx context.Context, a mail.Address) (login.Claims, error) {
			if gone.Load() {
				return nil, hallpass.RefusalUnknownSubject
			}
			return allow(ctx, a)
		}
	})
	app := s.app()
	flow, m := s.ask(app, "hugo@example.com")
	gone.Store(true)
	wrong := app.post("/login", `{"email":"hugo@example.com","code":"`+wrongCode(m.Data["code"], 0)+`"}`, login.FlowHeader, flow)
	right := app.post("/login", `{"email":"hugo@example.com","code":"`+m.Data["code"]+`"}`, login.FlowHeader, flow)
	if code, _ := wrong.problem(t); code != "bad_signature" {
		t.Errorf("%s", wrong.body)
	}
	if code, _ := right.problem(t); right.status != http.StatusForbidden || code != "unknown_subject" {
		t.Errorf("%s", right.body)
	}
}

func TestAnApplicationAnswersRefusedProgramsInItsOwnWay(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var seen []error
	s := newSite(t, func(c *login.Config) {
		c.HTTP.Refused = func(w http.ResponseWriter, _ *http.Request, status int, err error) bool {
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, err)
			if status != http.StatusUnauthorized {
				return false
			}
			w.WriteHeader(http.StatusTeapot)
			return true
		}
	})
	if a := s.app().post("/login/refresh", `{"token":"abc"}`); a.status != http.StatusTeapot || a.header.Get("WWW-Authenticate") == "" {
		t.Errorf("%d %v", a.status, a.header)
	}
	if a := s.app().do("GET", "/account", ""); a.status != http.StatusTeapot {
		t.Errorf("a guarded path: %d", a.status)
	}
	if a := s.app().post("/login/code", `{"email":"nobody"}`); a.status != http.StatusBadRequest {
		t.Errorf("what it leaves alone: %d", a.status)
	} else if code, field := a.problem(t); code != "invalid" || field != "email" {
		t.Errorf("%s %s", code, field)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(seen) != 3 || !errors.Is(seen[0], hallpass.RefusalMalformed) || !errors.Is(seen[1], hallpass.RefusalMissing) {
		t.Errorf("it was told %v", seen)
	}
}

func TestWhoeverLacksAnExpectedClaimHearsItWithTheCode(t *testing.T) {
	t.Parallel()
	e := newEngine(t, func(c *login.Config) { c.ExpectedClaims = []string{"organisation"} })
	begun, code, _ := e.begin("hugo@example.com")
	_, err := e.enter(begun.Flow, code, from(1))
	wantRefusal(t, err, hallpass.RefusalMissingClaim)
}
