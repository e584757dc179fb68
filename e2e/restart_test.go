package e2e_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// A double click whose second half meets another process is still one use: the
// page says that it is done, not that it is spent.
func TestADoubleClickAcrossARestartIsOneUse(t *testing.T) {
	t.Parallel()
	store := sqliteFile(t)
	first := startDemo(t, "--store", store)
	at, err := url.Parse(first.URL)
	if err != nil {
		t.Fatal(err)
	}
	links := map[string]string{"unsubscribe": first.Links["unsubscribe"], "login": first.Links["login"]}
	clients, pages := map[string]*client{}, map[string]answer{}
	for name, link := range links {
		clients[name] = newClient()
		defer clients[name].close()
		if pages[name], err = clients[name].open(link); err != nil || pages[name].status != http.StatusOK {
			t.Fatalf("%s: status %d, %v", name, pages[name].status, err)
		}
		if got, err := clients[name].press(link, pages[name]); err != nil || got.status >= 400 {
			t.Fatalf("%s, pressed: status %d, %v", name, got.status, err)
		}
	}
	first.kill()

	second := startDemo(t, "--store", store, "--addr", at.Host)
	if second.URL != first.URL {
		t.Fatalf("the second process listens on %s, the first did on %s", second.URL, first.URL)
	}
	for name, link := range links {
		got, err := clients[name].press(link, pages[name])
		if err != nil || got.status != http.StatusOK || !strings.Contains(got.body, "Already done") {
			t.Errorf("%s, pressed again: status %d, %v", name, got.status, err)
		}
		row := done[shown](t, "show", "--store", store, "--json", link)
		if row.Used != 1 || len(row.Uses) != 1 {
			t.Errorf("%s: %d used, %d rows", name, row.Used, len(row.Uses))
		}
		stranger := newClient()
		defer stranger.close()
		if got, err := stranger.open(link); err != nil || got.status != http.StatusForbidden || !strings.Contains(got.body, "<code>spent</code>") {
			t.Errorf("%s, for anybody else: status %d, %v", name, got.status, err)
		}
	}
}

// What is taken back on the command line stops at once in a process that runs.
func TestARevocationReachesARunningProcess(t *testing.T) {
	t.Parallel()
	store := sqliteFile(t)
	d := startDemo(t, "--store", store)
	c := newClient()
	defer c.close()
	made := done[issued](t, "issue", "--store", store, "--json", "--scope", "invite", "--max-uses", "100",
		"--data", invitation, "--url", d.URL+"/invite")
	said.secret(made.URL)
	if got := click(c, made.URL); got != "honoured" {
		t.Fatalf("before: %s", got)
	}
	if got := hallpass(t, "revoke", "--store", store, made.ID); got.code != 0 {
		t.Fatalf("revoke: exit %d: %s", got.code, got.stderr)
	}
	got, err := c.open(made.URL)
	if err != nil || got.status != http.StatusForbidden || !strings.Contains(got.body, "<code>revoked</code>") {
		t.Errorf("after: status %d, %v", got.status, err)
	}
}
