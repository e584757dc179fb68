package adminui_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/adminui"
)

// everyPage lists the pages, with a pass to look at.
func everyPage(id string) []string {
	return []string{
		"/", "/?span=1h", "/?span=30d", "/passes", "/passes?state=active&sort=used", "/pass?id=" + id, "/revoke", "/revoke?batch=november",
		"/issue", "/issue?job=act", "/issue?job=sign-in", "/uses", "/uses?state=settled", "/events", "/events?kind=admin",
		"/campaigns", "/campaign?batch=november", "/sessions", "/keys", "/settings",
	}
}

// Where no bar was above 1, the first bar was labelled as the highest, with 0.
func TestAChartNamesItsHighestBar(t *testing.T) {
	t.Parallel()
	b := newSite(t, nil).as(adminui.RoleViewer)
	label := ""
	for deadline := time.Now().Add(20 * time.Second); !strings.HasPrefix(label, "1 ") && time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		label = between(b.get("/").body, `aria-label="Signed in: `, `"`) // counters are written down some seconds later
	}
	if !strings.HasPrefix(label, "1 sign-ins, most at ") || !strings.HasSuffix(label, ": 1") {
		t.Errorf("the chart of sign-ins is labelled %q", label)
	}
}

func TestEveryPageIsShownAndKeepsToItself(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	p := s.issue(hallpass.Spec{Scope: "newsletter:unsubscribe", Mode: hallpass.ModeRequest, Subject: "42", MaxUses: 1, Batch: "november"})
	b := s.as(adminui.RoleAdmin)
	for _, path := range everyPage(p.ID) {
		got := b.get(path)
		if got.status != http.StatusOK {
			t.Errorf("%s: status %d", path, got.status)
			continue
		}
		policy := got.header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self';", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s: the policy %q lacks %s", path, policy, want)
			}
		}
		if strings.Contains(policy, "unsafe") {
			t.Errorf("%s: the policy is unsafe: %s", path, policy)
		}
		for name, want := range map[string]string{
			"X-Frame-Options": "DENY", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff",
		} {
			if got.header.Get(name) != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got.header.Get(name), want)
			}
		}
		for _, bad := range []string{" style=", "onclick=", "javascript:", "<script>", "//cdn"} {
			if strings.Contains(got.body, bad) {
				t.Errorf("%s: the page has %q in it", path, bad)
			}
		}
	}
}
