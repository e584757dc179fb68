package e2e_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// What the browser tests rely on to notice that something is wrong does notice.
func TestAPageThatMisbehavesIsNoticed(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(other.Close)
	pages := map[string]struct{ policy, body, fault string }{
		"/console":   {"", `<script>console.error("oh")</script>`, "console: error"},
		"/exception": {"", `<script>throw new Error("oh")</script>`, "exception"},
		"/policy":    {"default-src 'none'", `<p style="color:red">styled against the policy</p>`, "ContentSecurityPolicyIssue"},
		"/host":      {"", `<img src="` + other.URL + `/pixel.gif">`, "another host"},
	}
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", pages[r.URL.Path].policy)
		fmt.Fprintf(w, `<!doctype html><link rel="icon" href="data:,"><h1>Misbehaving</h1>%s`, pages[r.URL.Path].body)
	}))
	t.Cleanup(site.Close)
	for path, page := range pages {
		t.Run(strings.TrimPrefix(path, "/"), func(t *testing.T) {
			t.Parallel()
			b := newProfile(t, true)
			b.open(site.URL + path)
			b.sees("Misbehaving")
			for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
				faults := strings.Join(b.faults(site.URL), "\n")
				if strings.Contains(faults, page.fault) {
					return
				}
				if time.Now().After(deadline) {
					t.Fatalf("noticed: %q", faults)
				}
			}
		})
	}
}

func TestATokenInAnOutputIsNoticed(t *testing.T) {
	t.Parallel()
	const short, signed = "9ewGriPQaAkmcTOaR2dUPx", "eyJhbGciOiJIUzI1NiJ9.eyJqdGkiOiIwMWEyMDVkYiJ9.ccfHw4PUhcGSykFf1ap1RANu1S7HJ2rj"
	r := record{tokens: map[string]bool{}}
	r.secret("http://localhost:1/account?rt=" + short + "&b=2")
	r.secret(signed)
	for _, leaking := range []string{
		"msg=refused url=/account?rt=" + short, `{"token":"` + signed + `"}`,
		"sig=" + strings.Split(signed, ".")[2], "cut " + signed[:20], "a\nb " + short,
	} {
		if r.leak(leaking) == "" {
			t.Errorf("%q was not noticed", leaking)
		}
	}
	for _, harmless := range []string{"", "pass 01a205db-73f0-7be7-83ec-de80bb287978", `{"key":"txOSPeNM67aD","issued_at":"2026-01-01T00:00:00Z"}`} {
		if where := r.leak(harmless); where != "" {
			t.Errorf("%q: %s", harmless, where)
		}
	}
}
