package gate_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/gate"
)

// setRules replaces the rules of a front.
func (f *front) setRules(rules ...gate.Rule) {
	f.t.Helper()
	if err := f.gate.SetRules(rules); err != nil {
		f.t.Fatal(err)
	}
}

// TestAHostThatReadsTwoWaysHasNoRule: what stands behind a colon or a comma was
// once dropped here, and read by the application.
func TestAHostThatReadsTwoWaysHasNoRule(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	f.setRules(gate.Rule{Host: "pub.example.com", Access: gate.AccessPublic}, gate.Rule{Host: "*.wild.example.com", Access: gate.AccessPublic})
	for host, status := range map[string]int{
		"pub.example.com": 200, "PUB.example.com.": 200, "pub.example.com:8443": 200, "a.WILD.example.com": 200,
		"pub.example.com:@app.example.com": 403, "app.example.com,pub.example.com": 403, "pub.example.com:80:80": 403,
		"pub.example.com:": 403, "[pub.example.com]": 403, "pub.example.com:123456": 403, "wild.example.com": 403, "[::1]x": 403,
	} {
		a := f.do(newClient(t), "GET", f.auth.URL+"/auth/forward", "", "X-Forwarded-Method", "GET", "X-Forwarded-Host", host, "X-Forwarded-Uri", "/x")
		if a.status != status {
			t.Errorf("%s: %d, want %d", host, a.status, status)
		}
	}
}

func TestARuleThatCanNeverMatchIsRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		rule  gate.Rule
		field string
	}{
		"two methods in one":    {gate.Rule{Methods: []string{"GET,POST"}, Access: gate.AccessPublic}, "rules.0.methods"},
		"a final dot":           {gate.Rule{Host: "127.0.0.1.", Access: gate.AccessPublic}, "rules.0.host"},
		"a name not in xn--":    {gate.Rule{Host: "bücher.example.com", Access: gate.AccessPublic}, "rules.0.host"},
		"a port":                {gate.Rule{Host: "example.com:80", Access: gate.AccessPublic}, "rules.0.host"},
		"a star in the middle":  {gate.Rule{Host: "a.*.example.com", Access: gate.AccessPublic}, "rules.0.host"},
		"an encoded path":       {gate.Rule{Path: "/a%20b", Access: gate.AccessPublic}, "rules.0.path"},
		"a scope where public":  {gate.Rule{Access: gate.AccessPublic, Scope: "s"}, "rules.0.scope"},
		"no scope where needed": {gate.Rule{Path: "/"}, "rules.0.scope"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var field *hallpass.FieldError
			if err := (gate.Rules{tt.rule}).Check(); !errors.As(err, &field) || field.Field != tt.field {
				t.Errorf("got %v, want a FieldError for %s", err, tt.field)
			}
		})
	}
}

// TestAMethodIsWhatItSays: a POST that asks to be taken for a DELETE once passed
// the POST's rule.
func TestAMethodIsWhatItSays(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	f.setRules(gate.Rule{Methods: []string{"GET", "POST"}, Access: gate.AccessPublic}, gate.Rule{Scope: "admin"})
	c := newClient(t)
	for _, name := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X_HTTP_Method_Override"} {
		want(t, f.do(c, "POST", f.proxy.URL+"/m", "", name, "DELETE"), 403, "not_granted")
		want(t, f.forwarded(c, "/auth/forward", "request-1", "POST", "/m", name, "DELETE"), 403, "not_granted")
	}
	want(t, f.do(c, "POST", f.proxy.URL+"/m", ""), 200, "POST /m")
	want(t, f.do(c, "DELETE", f.proxy.URL+"/m", ""), 401, "")
	want(t, f.do(c, "GET", f.auth.URL+"/auth/forward", "", "X-Forwarded-Host", "127.0.0.1", "X-Forwarded-Uri", "/m"), 403, "not_granted")
}

// TestATicketIsNoMoreThanItsPass: it once forgot the grants.
func TestATicketIsNoMoreThanItsPass(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	grant, err := hallpass.ParseGrant("POST /rsvp")
	if err != nil {
		t.Fatal(err)
	}
	link := "/rsvp?rt=" + f.token(hallpass.Spec{Scope: "rsvp", Grants: []hallpass.Grant{grant}})
	c := newClient(t)
	a := f.forwarded(c, "/auth/forward", "request-1", "POST", link)
	want(t, a, 403, "needs_confirmation")
	if len(a.header["Set-Cookie"]) != 0 {
		t.Error("a POST got a ticket")
	}
	want(t, f.forwarded(c, "/auth/forward", "request-2", "GET", link), 403, "not_granted")
	want(t, f.forwarded(c, "/auth/forward", "request-3", "GET", "/rsvp"), 401, "")
}

func TestARulesModesHoldForSessionsToo(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	f.setRules(
		gate.Rule{Path: "/sess", Scope: "both", Modes: []hallpass.Mode{hallpass.ModeSession}},
		gate.Rule{Path: "/req", Scope: "both", Modes: []hallpass.Mode{hallpass.ModeRequest}},
	)
	c := newClient(t)
	asked := f.do(c, "GET", f.proxy.URL+"/sess?rt="+f.token(hallpass.Spec{Scope: "both", Mode: hallpass.ModeSession, Subject: "hugo"}), "", page...)
	if a := f.press(c, f.proxy.URL, asked); a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.body)
	}
	want(t, f.do(c, "GET", f.proxy.URL+"/sess", ""), 200, `subject="hugo"`)
	want(t, f.do(c, "GET", f.proxy.URL+"/req", ""), 401, "")
}

func TestTheApplicationSeesNoTokenOfOurs(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	c := newClient(t)
	token := f.token(hallpass.Spec{Scope: "reports", MaxUses: 5})
	short := f.token(hallpass.Spec{Scope: "reports", MaxUses: 5, Format: hallpass.FormatShort})
	for _, text := range []string{token, short} {
		a := f.do(c, "GET", f.proxy.URL+"/open?a=1&rt="+text, "", "Authorization", "Bearer "+text)
		want(t, a, 200, `GET /open?a=1 subject=""`)
		if strings.Contains(a.body, text) {
			t.Errorf("a public rule shows the token: %s", a.body)
		}
	}
	want(t, f.do(c, "GET", f.proxy.URL+"/open?rt=theirs", "", "Authorization", "Bearer theirs"), 200, `GET /open?rt=theirs subject="" scope="" cookie="" auth="Bearer theirs"`)

	a := f.do(c, "GET", f.proxy.URL+"/reports?rt="+token, "", "Referer", f.proxy.URL+"/reports?x=1&rt="+token)
	want(t, a, 200, "GET /reports subject")
	if strings.Contains(a.body, token) {
		t.Errorf("the application saw the token: %s", a.body)
	}
	if policy := a.header["Referrer-Policy"]; len(policy) != 1 || policy[0] != "no-referrer" {
		t.Errorf("Referrer-Policy %q", policy)
	}
	if cache := a.header["Cache-Control"]; len(cache) != 1 || cache[0] != "no-store" {
		t.Errorf("Cache-Control %q", cache)
	}
}

// TestASessionIsOfOneHost: its cookie, offered to another protected host by hand,
// opens nothing there.
func TestASessionIsOfOneHost(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	f.setRules(gate.Rule{Path: "/home", Scope: "login"}, gate.Rule{Host: "other.example.com", Path: "/home", Scope: "login"})
	c := newClient(t)
	asked := f.do(c, "GET", f.proxy.URL+"/home?rt="+f.token(hallpass.Spec{Scope: "login", Mode: hallpass.ModeSession, Subject: "hugo"}), "", page...)
	moved := f.press(c, f.proxy.URL, asked)
	cookie, _, _ := strings.Cut(strings.Join(moved.header["Set-Cookie"], ";"), ";")
	if !strings.HasPrefix(cookie, "hallpass-session=") {
		t.Fatalf("no session: %v", moved.header)
	}
	for host, status := range map[string]int{"127.0.0.1": 200, "other.example.com": 401} {
		a := f.do(newClient(t), "GET", f.auth.URL+"/auth/forward", "", "X-Forwarded-Method", "GET", "X-Forwarded-Host", host, "X-Forwarded-Uri", "/home", "Cookie", cookie)
		if a.status != status {
			t.Errorf("%s: %d, want %d", host, a.status, status)
		}
	}
}
