package proxies_test

import (
	"strings"
	"testing"

	"github.com/hallpass-go/hallpass"
)

// ambiguous are paths that two programs read in two ways.
var ambiguous = []string{
	"/open/../reports", "/open/./x", "/open/%2e%2e/reports", "/open/%2E./reports", "/open/.%2e/reports",
	"/open/..%2freports", "/open%2f..%2freports", "/open/..%5creports", `/open/..\reports`, "/open//x", "//open/x", "/open%2fx",
	"/open/;x/y", "/open;x=1/y", "/open/..;/reports", "/open/%00", "/open/x%00.html", "/open/%252e%252e/reports", "/open/%25252e", "/open/x%252fy",
	"/open/%c0%ae%c0%ae/reports", "/open/%ff", "/open/x#y", "/open#/../reports", "/open/%zz", "/open/%", "/open/%2", "/open/x%0d%0aX-Evil:1", "/open/\x01",
	"/open/%3b/x", "/open/%5c", "/open/x/..", "/open/..", "/open/.",
}

func TestAPathThatCanBeReadInTwoWaysReachesNobody(t *testing.T) {
	through(t, common, func(t *testing.T, w *world, f *front) {
		token := bearer(w.token(t, hallpass.Spec{Scope: "reports", MaxUses: hallpass.Unlimited}))
		for _, path := range ambiguous {
			for _, target := range []string{path, "http://" + host + path, path + "?x=1"} {
				a, err := exchange(f, "GET "+target+" HTTP/1.1\r\nHost: "+host+"\r\nConnection: close\r\n"+token+"\r\n\r\n", "GET")
				if err != nil {
					continue // a proxy may hang up on what is no HTTP
				}
				// Redirecting to the one reading is as good as refusing.
				if a.fromApp() || a.status < 300 || a.status >= 500 {
					t.Errorf("%q: %d %v %s", target, a.status, a.header, a.body)
				}
			}
		}
		for _, target := range []string{"*", "http://" + host, "http://" + host + "?x=1", "reports", "?x", ""} {
			a, err := exchange(f, "GET "+target+" HTTP/1.1\r\nHost: "+host+"\r\nConnection: close\r\n\r\n", "GET")
			if err == nil && a.fromApp() {
				t.Errorf("the target %q: %s", target, a.body)
			}
		}
	})
}

// The rule for the very path, /exact, needs a pass; below it everybody may go. It
// is the other way round with /wide/secret and what lies around it.
func TestNoSpellingGetsAroundARule(t *testing.T) {
	through(t, common, func(t *testing.T, w *world, f *front) {
		if a := raw(t, f, "GET", "/exact/x", ""); !a.fromApp() {
			t.Fatalf("/exact/x: %d", a.status)
		}
		for _, target := range []string{
			"/exact", "/exact?", "/exact?x=1", "/%65xact", "/exac%74", "/exact#", "/exact#/x", "/exact/x/..", "/exact/.", "/exact%2f", "/exact;/x", "/exact/../exact",
			"http://" + host + "/exact", "http://" + host + "/exact#x",
			"/wide/secret", "/wide/secret/x", "/wide/secret#", "/wide/secret#/x", "/wide/secret?#", "/wide/%73ecret", "/wide/x/../secret", "/wide/secret;", "/wide/secret%2f",
			"/wide//secret", "/wide/./secret", "/wide/secret%00", `/wide\secret`, "http://" + host + "/wide/secret#",
		} {
			a, err := exchange(f, "GET "+target+" HTTP/1.1\r\nHost: "+host+"\r\nConnection: close\r\n\r\n", "GET")
			if err == nil && a.fromApp() {
				t.Errorf("%s reached the application: %s", target, a.body)
			}
		}
	})
}

func TestTheTargetReachesTheApplicationAsItWasWritten(t *testing.T) {
	through(t, common, func(t *testing.T, w *world, f *front) {
		for _, target := range []string{
			"/open/caf%C3%A9", "/open/a%20b", "/open/x?a=b&c=%2F..%2f&d=/../", "/open/x?", "/open/a+b", "/open/~a", "/open/%41", "/open/a:b@c", "/open/x?y=http://e/",
			"/open/" + strings.Repeat("x", 4000),
		} {
			if e := raw(t, f, "GET", target, "").echo(t); e.URI != target && e.URI != strings.TrimSuffix(target, "?") {
				t.Errorf("%s became %s", target, e.URI)
			}
		}
	})
}
