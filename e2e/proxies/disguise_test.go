package proxies_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/hallpass-go/hallpass"
)

// HAProxy's req.hdr splits at commas: hallpass was told the last name, the
// application all of them. nginx may make one name of it, if everybody gets that.
func TestAHostThatIsTwoReachesNobody(t *testing.T) {
	through(t, common, func(t *testing.T, w *world, f *front) {
		for _, two := range []string{
			host + ",pub.example.com", "pub.example.com," + host, "pub.example.com, " + host,
			"pub.example.com:@" + host, "pub.example.com:80@" + host, host + ":@pub.example.com", host + "/pub.example.com", host + "#", host + "?",
		} {
			a := raw(t, f, "GET", "/open", "", "Host: "+two, asJSON)
			if a.fromApp() && (f.name != "nginx" || a.echo(t).Host != host) {
				t.Errorf("Host: %s: %s", two, a.body)
			}
			if f.name == "haproxy" && a.status != 400 {
				t.Errorf("Host: %s was not refused at the door: %d", two, a.status)
			}
		}
		for _, one := range []string{host, "APP.example.com", host + ":8080"} {
			if a := raw(t, f, "GET", "/open", "", "Host: "+one); !a.fromApp() {
				t.Errorf("Host: %s: %d %s", one, a.status, a.body)
			}
		}
	})
}

// A hop drops what a Connection header names (RFC 9110, section 7.6.1). A client's
// list must not get to one behind the headers that a proxy set.
func TestAClientsConnectionListStaysHere(t *testing.T) {
	through(t, common, func(t *testing.T, w *world, f *front) {
		token := bearer(w.token(t, hallpass.Spec{Scope: "reports", Mode: hallpass.ModeRequest, Subject: "greta", MaxUses: hallpass.Unlimited}))
		for _, headers := range [][]string{
			{"Connection: X-Hallpass-Subject, X-Forwarded-Uri"},
			{"Connection: close, X-Hallpass-Subject, X-Forwarded-Uri"},
			{"Connection: close", "Connection: x-hallpass-subject, x-forwarded-uri"},
			{"Connection: Upgrade, HTTP2-Settings, X-Hallpass-Subject", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"},
		} {
			e := raw(t, f, "GET", "/reports", "", append(headers, token)...).echo(t)
			if got := e.Header["X-Hallpass-Subject"]; !slices.Equal(got, []string{"greta"}) {
				t.Errorf("%q: X-Hallpass-Subject: %q", headers, got)
			}
			if got := strings.ToLower(strings.Join(e.Header["Connection"], ",")); got != "" && got != "close" && got != "keep-alive" {
				t.Errorf("%q: the application got Connection: %s", headers, got)
			}
			for _, name := range []string{"Upgrade", "Http2-Settings"} {
				if got, there := e.Header[name]; there {
					t.Errorf("%q: the application got %s: %q", headers, name, got)
				}
			}
			if got := e.Header["X-Forwarded-Uri"]; f.name != "direct" && f.name != "caddy" && !slices.Equal(got, []string{"/reports"}) {
				t.Errorf("%q: X-Forwarded-Uri: %q", headers, got)
			}
		}
	})
}

// nginx and Caddy choose hallpass's own location by the decoded path and send the
// target on as it came: paths of hallpass that nobody may reach came through.
func TestNothingIsDisguisedAsOurOwnPages(t *testing.T) {
	through(t, common, func(t *testing.T, w *world, f *front) {
		for _, target := range []string{
			"/v1/passes/..%2f..%2f.hallpass%2fx", "/v1/passes/../../.hallpass/x", "/v1/%2e%2e/.hallpass/x", "/auth/forward/..%2f..%2f.hallpass/x", "/%2ehallpass/x", "//.hallpass/x",
			"/v1/..%2f.hallpass%2fconfirm?x=/.hallpass/",
		} {
			a := raw(t, f, "GET", target, "", asJSON)
			if a.fromApp() || a.status != 403 {
				t.Errorf("%s: %d %s", target, a.status, a.body)
			}
			// Whatever hallpass refuses for a program is a problem document.
			if (f.name == "nginx" || f.name == "caddy") && a.header.Get("Content-Type") == "application/problem+json" {
				t.Errorf("%s reached hallpass: %s", target, a.body)
			}
		}
	})
}

// An application that believes such a header does something else than what was
// asked about.
func TestNobodyOverridesTheMethod(t *testing.T) {
	through(t, common, func(t *testing.T, w *world, f *front) {
		token := bearer(w.token(t, hallpass.Spec{Scope: "reports", MaxUses: hallpass.Unlimited}))
		for _, target := range []string{"/open", "/maybe", "/readonly", "/reports"} {
			for _, name := range []string{"X-HTTP-Method-Override", "x-http-method-override", "X-HTTP-Method", "X-Method-Override"} {
				if a := raw(t, f, "GET", target, "", asJSON, token, name+": DELETE"); a.fromApp() || a.status != 403 {
					t.Errorf("%s with %s: %d %s", target, name, a.status, a.body)
				}
			}
			// The proxies remove names with an underscore; hallpass refuses them.
			for _, name := range []string{"X_HTTP_Method_Override", "X-HTTP_Method-Override", "X_Http_Method", "X_Method_Override"} {
				a := raw(t, f, "GET", target, "", asJSON, name+": DELETE")
				if !a.fromApp() {
					continue
				}
				for got := range a.echo(t).Header {
					if strings.Contains(strings.ToLower(got), "override") || strings.Contains(got, "_") {
						t.Errorf("%s with %s: the application got %s", target, name, got)
					}
				}
			}
		}
	})
}

// A proxy that forgets one of them would have every request judged as another.
func TestAQuestionThatLacksSomethingIsRefused(t *testing.T) {
	t.Parallel()
	w := common(t)
	said := []string{"X-Forwarded-Method: GET", "X-Forwarded-Host: " + host, "X-Forwarded-Uri: /open"}
	for _, target := range []string{"/auth/nginx", "/auth/haproxy", "/auth/forward"} {
		ask := func(headers []string) answer {
			lines := append([]string{"GET " + target + " HTTP/1.1", "Host: hallpass", "Connection: close", "X-Forwarded-Proto: http", "X-Forwarded-For: " + clientAddr}, headers...)
			a, err := exchangeFrom(&front{addr: listenAddr(w.auth)}, "127.0.0.1", strings.Join(lines, "\r\n")+"\r\n\r\n", "GET")
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		if a := ask(said); a.status >= 300 {
			t.Errorf("%s: %d %s", target, a.status, a.body)
		}
		for i := range said {
			if a := ask(slices.Delete(slices.Clone(said), i, i+1)); a.status != 403 {
				t.Errorf("%s without %s: %d %s", target, said[i], a.status, a.body)
			}
		}
	}
}

func TestALinkIsNoWayToWrite(t *testing.T) {
	through(t, common, func(t *testing.T, w *world, f *front) {
		if !f.exchanges {
			return
		}
		issued := w.issue(t, w.issuer, hallpass.Spec{Scope: "rsvp", MaxUses: hallpass.Unlimited})
		for _, method := range []string{"POST", "PUT", "DELETE", "PATCH"} {
			a := raw(t, f, method, "/rsvp?rt="+issued.Token.Reveal(), "", asJSON, "Content-Length: 0")
			if a.fromApp() || a.status != 403 || a.code() != "needs_confirmation" {
				t.Errorf("%s: %d %s", method, a.status, a.body)
			}
		}
		if uses := w.uses(t, issued.Pass.ID); len(uses) != 0 {
			t.Errorf("counted: %+v", uses)
		}
	})
}
