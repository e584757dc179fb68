package e2e_test

import (
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass/django"
)

const djangoSecret = "the SECRET_KEY of the Django site of these tests, 50 bytes"

// scopedToken is what drf-tmp-scoped-token of that site makes.
func scopedToken(t testing.TB) string {
	t.Helper()
	key, err := django.ParseKey(djangoSecret)
	if err != nil {
		t.Fatal(err)
	}
	token, err := django.EncodeScopedToken(key, django.ScopedTokenSpec{
		User: "17", MaxAge: time.Hour, Endpoints: []django.Endpoint{{Method: "GET", Paths: []string{"/reports"}}},
	}, time.Now(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return said.secret(token)
}

func TestServeHonoursTokensOfDjango(t *testing.T) {
	t.Parallel()
	key := writeFile(t, "secret-key", said.secret(djangoSecret)+"\n")
	const rules = "rules:\n  - path: /\n    scope: app\n"
	foreign := "foreign_keys:\n  - {id: site, format: drf-tmp-scoped-token, key_file: " + key + ", scopes: [app], modes: [request]}\n" +
		"  - {id: links, format: django-request-token, key_file: " + key + ", scopes: [app], modes: [public]}\n"
	config := writeFile(t, "hallpass.yaml", rules+foreign)
	app := newUpstream(t)
	s := startServe(t, nil, "--config", config, "--upstream", app.URL)
	token := scopedToken(t)
	ask := func(path string) answer { return get(t, s.URL+path, "Authorization", "Bearer "+token) }
	if got := ask("/reports/7"); got.status != http.StatusOK || got.body != "the application" {
		t.Fatalf("within its endpoints: %d %s", got.status, got.body)
	}
	if got := ask("/reportsX"); got.status != http.StatusForbidden {
		t.Errorf("beyond them: %d", got.status)
	}
	if got := get(t, s.URL+"/reports?rt="+url.QueryEscape(token)+"x"); got.status < 400 {
		t.Errorf("changed: %d", got.status)
	}

	// The API and the command line read the same settings.
	api := issueAPIToken(t, s.store)
	got := s.call(t, api, "/.hallpass/v1/verify", `{"token":"`+token+`","scope":"app","method":"GET","path":"/reports"}`)
	if got.status != http.StatusOK || !strings.Contains(got.body, `"valid":true`) || !strings.Contains(got.body, `"id":"dts-site-`) {
		t.Errorf("the API: %d %s", got.status, got.body)
	}
	for _, args := range [][]string{{"verify", "--scope", "app"}, {"show"}, {"redeem", "--scope", "app", "--method", "GET", "--path", "/reports"}, {"revoke"}} {
		args = append(args, "--store", s.store, "--config", config, "--json", token)
		if got := hallpass(t, args...); got.code != 0 || !strings.Contains(got.stdout, "dts-site-") {
			t.Errorf("%s: exit %d: %s %s", args[0], got.code, got.stdout, got.stderr)
		}
	}
	for deadline := time.Now().Add(3 * time.Second); ask("/reports/7").status != http.StatusUnauthorized; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("a pass that was taken back is honoured three seconds later")
		}
	}

	// A token that names a row is nothing without it.
	drt, err := django.ParseKey(djangoSecret)
	if err != nil {
		t.Fatal(err)
	}
	named, err := django.EncodeRequestToken(drt, django.RequestTokenRow{ID: 1, Scope: "app", Mode: "public"}, django.Release2_4)
	if err != nil {
		t.Fatal(err)
	}
	got = s.call(t, api, "/.hallpass/v1/redeem", `{"token":"`+said.secret(named)+`","scope":"app"}`)
	if got.status != http.StatusOK || !strings.Contains(got.body, `"reason":"unknown_pass"`) {
		t.Errorf("without its row: %d %s", got.status, got.body)
	}

	// Foreign keys come and go with a reload.
	writeFile(t, config, rules)
	s.signal(syscall.SIGHUP)
	s.logged(t, "reloaded certificate, keys and rules")
	if got := s.call(t, api, "/.hallpass/v1/verify", `{"token":"`+token+`"}`); !strings.Contains(got.body, `"reason":"malformed"`) {
		t.Errorf("after the key was taken out: %d %s", got.status, got.body)
	}
}
