package proxies_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/hallpass-go/hallpass"
)

// verdict is what became of a request: allowed with this identity, or refused.
type verdict struct {
	allowed              bool
	subject, scope, data string
	status               int
	code                 string
}

func verdictOf(t testing.TB, a answer) verdict {
	t.Helper()
	if !a.fromApp() {
		return verdict{status: a.status, code: a.code()}
	}
	e := a.echo(t)
	h := func(name string) string { return strings.Join(e.Header[name], "|") }
	return verdict{allowed: true, status: a.status, subject: h("X-Hallpass-Subject"), scope: h("X-Hallpass-Scope"), data: h("X-Hallpass-Data")}
}

func bearer(token string) string { return "Authorization: Bearer " + token }

// asJSON is what programs send.
const asJSON = "Accept: application/json"

func TestARequestHasOneVerdictWhateverStandsInFront(t *testing.T) {
	unlimited := hallpass.Spec{Scope: "reports", Mode: hallpass.ModeRequest, Subject: "greta", Data: json.RawMessage(`{"a":1}`), MaxUses: hallpass.Unlimited}
	greta := verdict{allowed: true, status: 200, subject: "greta", scope: "reports", data: "eyJhIjoxfQ"}
	nobody := verdict{allowed: true, status: 200}
	refused := func(status int, code string) verdict { return verdict{status: status, code: code} }
	for _, c := range []struct {
		name    string
		method  string
		target  string
		headers func(t *testing.T, w *world) []string
		want    verdict
	}{
		{"a bearer token is let in", "GET", "/reports/1?x=%41", func(t *testing.T, w *world) []string {
			return []string{bearer(w.token(t, unlimited))}
		}, greta},
		{"no token is refused", "GET", "/reports", nil, refused(401, "bad_signature")},
		{"something else than a token is refused", "GET", "/reports", func(*testing.T, *world) []string {
			return []string{bearer("something-else")}
		}, refused(401, "bad_signature")},
		{"a changed token is refused", "GET", "/reports", func(t *testing.T, w *world) []string {
			return []string{bearer(w.token(t, unlimited) + "A")}
		}, refused(401, "bad_signature")},
		{"an expired token is refused", "GET", "/reports", func(t *testing.T, w *world) []string {
			return []string{bearer(w.issue(t, w.past, hallpass.Spec{Scope: "reports", TTL: 60e9}).Token.Reveal())}
		}, refused(401, "expired")},
		{"a revoked token is refused", "GET", "/reports", func(t *testing.T, w *world) []string {
			issued := w.issue(t, w.issuer, unlimited)
			if _, err := w.issuer.RevokePass(t.Context(), issued.Pass); err != nil {
				t.Fatal(err)
			}
			return []string{bearer(issued.Token.Reveal())}
		}, refused(401, "revoked")},
		{"a spent token is refused", "GET", "/reports", func(t *testing.T, w *world) []string {
			token := w.token(t, hallpass.Spec{Scope: "reports", MaxUses: 1})
			if _, err := w.issuer.Redeem(t.Context(), hallpass.Presentation{Token: hallpass.NewToken(token), Scope: "reports"}); err != nil {
				t.Fatal(err)
			}
			return []string{bearer(token)}
		}, refused(401, "spent")},
		{"a token for something else is refused", "GET", "/reports", func(t *testing.T, w *world) []string {
			return []string{bearer(w.token(t, hallpass.Spec{Scope: "rsvp", MaxUses: hallpass.Unlimited}))}
		}, refused(403, "wrong_scope")},
		{"a grant covers what lies below it", "GET", "/reports/a/b", granted("GET /reports/a"), verdict{allowed: true, status: 200, scope: "reports"}},
		{"a grant does not cover its neighbour", "GET", "/reports/ab", granted("GET /reports/a"), refused(403, "not_granted")},
		{"a grant does not cover another method", "DELETE", "/reports/a", granted("GET /reports/a"), refused(403, "not_granted")},
		{"a grant does not cover an overridden method", "GET", "/reports/a", granted("GET /reports/a", "X-HTTP-Method-Override: DELETE"), refused(403, "not_granted")},
		{"a public rule lets everybody in as nobody", "GET", "/open/x", nil, nobody},
		{"an optional rule lets nobody in as nobody", "GET", "/maybe", nil, nobody},
		{"an optional rule refuses a bad token", "GET", "/maybe", func(*testing.T, *world) []string {
			return []string{bearer("something-else")}
		}, refused(401, "bad_signature")},
		{"a path without a rule is refused", "GET", "/elsewhere", nil, refused(403, "not_granted")},
		{"a method without a rule is refused", "DELETE", "/readonly", func(t *testing.T, w *world) []string {
			return []string{bearer(w.token(t, unlimited))}
		}, refused(403, "not_granted")},
		{"an unknown method needs a pass too", "BREW", "/reports", nil, refused(401, "bad_signature")},
		{"the host's case and port do not matter", "GET", "/reports", func(t *testing.T, w *world) []string {
			return []string{bearer(w.token(t, unlimited)), "Host: App.Example.COM:8080"}
		}, greta},
		{"cookies of ours that are none change nothing", "GET", "/reports", func(*testing.T, *world) []string {
			return []string{"Cookie: hallpass-session=AAAAAAAAAAAAAAAAAAAAAAAAAA; hallpass-ticket=AAAAAAAAAAAAAAAAAAAAAAAAAA"}
		}, refused(401, "bad_signature")},
	} {
		t.Run(c.name, func(t *testing.T) {
			through(t, common, func(t *testing.T, w *world, f *front) {
				var headers []string
				if c.headers != nil {
					headers = c.headers(t, w)
				}
				a := raw(t, f, c.method, c.target, "", append([]string{asJSON}, headers...)...)
				if got := verdictOf(t, a); got != c.want {
					t.Errorf("got %+v, want %+v\n%v\n%s", got, c.want, a.header, a.body)
				}
				if c.want.allowed {
					if e := a.echo(t); e.URI != c.target || e.Method != c.method {
						t.Errorf("the application got %s %s", e.Method, e.URI)
					}
				}
			})
		})
	}
}

// granted makes a request with a pass that has one grant.
func granted(grant string, headers ...string) func(*testing.T, *world) []string {
	return func(t *testing.T, w *world) []string {
		t.Helper()
		g, err := hallpass.ParseGrant(grant)
		if err != nil {
			t.Fatal(err)
		}
		return append(slices.Clone(headers), bearer(w.token(t, hallpass.Spec{Scope: "reports", Grants: []hallpass.Grant{g}})))
	}
}

func TestAnotherHostNeverReachesTheApplication(t *testing.T) {
	through(t, common, func(t *testing.T, w *world, f *front) {
		token := bearer(w.token(t, hallpass.Spec{Scope: "reports", MaxUses: hallpass.Unlimited}))
		for _, headers := range [][]string{
			{"Host: other.example.com"}, {"Host: app.example.com.evil.example"}, {"Host: app.example.com@other"},
			{"Host: other.example.com", "X-Forwarded-Host: " + host}, {"Host:"},
		} {
			if a := raw(t, f, "GET", "/reports", "", append(headers, token)...); a.fromApp() {
				t.Errorf("%q: %s", headers, a.body)
			}
		}
		// The absolute target decides, whatever the Host header says.
		if a := raw(t, f, "GET", "http://other.example.com/reports", "", "Host: "+host, token); a.fromApp() {
			t.Errorf("an absolute target of another host: %s", a.body)
		}
	})
}

func TestBodiesAnswersAndUpgradesPass(t *testing.T) {
	through(t, common, func(t *testing.T, w *world, f *front) {
		token := bearer(w.token(t, hallpass.Spec{Scope: "reports", MaxUses: hallpass.Unlimited}))
		a := raw(t, f, "POST", "/reports", "hello", token, "Content-Length: 5")
		if e := a.echo(t); e.Method != "POST" || e.Body != "hello" {
			t.Errorf("a body: %+v", e)
		}
		a = raw(t, f, "PUT", "/reports", "5\r\nhello\r\n0\r\n\r\n", token, "Transfer-Encoding: chunked")
		if e := a.echo(t); e.Method != "PUT" || e.Body != "hello" {
			t.Errorf("a chunked body: %+v", e)
		}
		big := "Cookie: " + strings.Repeat("a=b; ", 1400) + "end=1"
		if e := raw(t, f, "GET", "/reports", "", token, big).echo(t); len(e.Header["Cookie"]) != 1 || "Cookie: "+e.Header["Cookie"][0] != big {
			t.Errorf("seven kilobytes of cookies: %v", e.Header["Cookie"])
		}
		for _, status := range []int{401, 403, 500} {
			a := raw(t, f, "GET", "/reports?do="+map[int]string{401: "401", 403: "403", 500: "500"}[status], "", token)
			if a.status != status || a.body != "the application's own words" || a.header.Get("Set-Cookie") != "app=1" {
				t.Errorf("the application's own %d became %d %v %s", status, a.status, a.header, a.body)
			}
		}
		upgrades(t, f, token)
	})
}
