package gate_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/hallpass-go/hallpass"
)

// SameSite keeps a cookie off what strangers send, but not off what siblings do.
func TestASessionCountsForTheHostsOwnPagesOnly(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	c := newClient(t)
	begin := func(path string, scope hallpass.Scope) {
		t.Helper()
		token := f.token(hallpass.Spec{Scope: scope, Mode: hallpass.ModeSession, Subject: "ada"})
		shown := f.do(c, "GET", f.proxy.URL+path+"?rt="+token, "", page...)
		if got := f.press(c, f.proxy.URL, shown); got.status != http.StatusSeeOther {
			t.Fatalf("%d %s", got.status, got.body)
		}
	}
	begin("/home", "login")
	for _, row := range []struct {
		name, method, site, origin string
		in                         bool
	}{
		{"a form of the host", "POST", "same-origin", f.proxy.URL, true},
		{"a program", "POST", "", "", true},
		{"a link on a sibling", "GET", "same-site", "", true},
		{"a form of a sibling", "POST", "same-site", "http://other.example.com", false},
		{"a form of a stranger", "PUT", "cross-site", "https://evil.example", false},
		{"a form of a sibling, in an old browser", "DELETE", "", "http://other.example.com", false},
	} {
		headers := []string{"Accept", "application/json"}
		if row.site != "" {
			headers = append(headers, "Sec-Fetch-Site", row.site)
		}
		if row.origin != "" {
			headers = append(headers, "Origin", row.origin)
		}
		got := f.do(c, row.method, f.proxy.URL+"/home", "", headers...)
		if in := got.status == http.StatusOK; in != row.in || !in && (got.status != http.StatusForbidden || !strings.Contains(got.body, "needs_confirmation")) {
			t.Errorf("%s: %d %s", row.name, got.status, got.body)
		}

		// The same question by a proxy, which may tell the host without its port.
		asked := append(headers, "Cookie", f.cookies(c), "X-Forwarded-Method", row.method,
			"X-Forwarded-Host", "127.0.0.1", "X-Forwarded-Uri", "/home")
		for path, allowed := range map[string]int{"/auth/nginx": http.StatusNoContent, "/auth/forward": http.StatusOK} {
			status := allowed
			if !row.in {
				status = http.StatusForbidden
			}
			if got := f.do(newClient(t), "GET", f.auth.URL+path, "", asked...); got.status != status {
				t.Errorf("%s, by %s: %d, want %d", row.name, path, got.status, status)
			}
		}
		if !row.in {
			got := f.do(newClient(t), "GET", f.auth.URL+"/auth/page", "", asked...)
			want(t, got, http.StatusForbidden, "needs_confirmation")
		}
	}

	// Where nobody has to be anybody, it is as if there were no cookie.
	begin("/maybe", "maybe")
	want(t, f.do(c, "POST", f.proxy.URL+"/maybe", "", "Sec-Fetch-Site", "same-origin"), http.StatusOK, `subject="ada"`)
	want(t, f.do(c, "POST", f.proxy.URL+"/maybe", "", "Sec-Fetch-Site", "same-site"), http.StatusOK, `subject=""`)
}

// A proxy that names the host without its port must not make every form of an old
// browser look like another site's.
func TestAnOldBrowsersOwnFormCountsBehindAProxyThatNamesNoPort(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	c := newClient(t)
	token := f.token(hallpass.Spec{Scope: "login", Mode: hallpass.ModeSession, Subject: "ada"})
	if got := f.press(c, f.proxy.URL, f.do(c, "GET", f.proxy.URL+"/home?rt="+token, "", page...)); got.status != http.StatusSeeOther {
		t.Fatalf("%d %s", got.status, got.body)
	}
	cookie := f.cookies(c)
	for origin, status := range map[string]int{"http://127.0.0.1": 200, "https://127.0.0.1": 403, "http://127.0.0.1:81": 403} {
		got := f.do(newClient(t), "GET", f.auth.URL+"/auth/forward", "", "Origin", origin, "Cookie", cookie,
			"X-Forwarded-Method", "POST", "X-Forwarded-Host", "127.0.0.1:8080", "X-Forwarded-Uri", "/home")
		if got.status != status {
			t.Errorf("%s: %d, want %d", origin, got.status, status)
		}
	}
}

// cookies are those that a client holds for the proxy, as a header.
func (f *front) cookies(c *http.Client) string {
	f.t.Helper()
	u, err := url.Parse(f.proxy.URL)
	if err != nil {
		f.t.Fatal(err)
	}
	var pairs []string
	for _, cookie := range c.Jar.Cookies(u) {
		pairs = append(pairs, cookie.String())
	}
	return strings.Join(pairs, "; ")
}
