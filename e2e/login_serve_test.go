package e2e_test

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass/internal/mailbox"
)

// Mails that are being sent when the server is told to stop are sent, and none is
// sent again.
func TestStoppingSendsWhatIsBeingSent(t *testing.T) {
	t.Parallel()
	begun := make(chan struct{}, 8)
	box := mailbox.Start(t, &mailbox.Options{Data: func([]byte) error {
		begun <- struct{}{}
		time.Sleep(2 * time.Second)
		return nil
	}})
	store := sqliteFile(t)
	s := startLogin(t, store, box, nil)
	c := newClient()
	defer c.close()
	if got, err := c.post(s.URL+loginAt+"/code", map[string]string{"email": "ada@example.com"}); err != nil || got.status != http.StatusNoContent {
		t.Fatalf("asking for a mail: %d %v", got.status, err)
	}
	<-begun
	s.signal(syscall.SIGTERM)
	s.stop(t)
	if n := len(box.Messages()); n != 1 {
		t.Fatalf("%d mails", n)
	}
	startLogin(t, store, box, nil)
	time.Sleep(4 * time.Second)
	if n := len(box.Messages()); n != 1 {
		t.Errorf("after a restart there are %d mails", n)
	}
}

func TestLoginsCanBeKeptElsewhere(t *testing.T) {
	t.Parallel()
	box, logins := mailbox.Start(t, nil), filepath.Join(t.TempDir(), "logins.db")
	s := startLogin(t, sqliteFile(t), box, nil, "--login-store", "sqlite:"+logins)
	c := newClient()
	defer c.close()
	pair := logIn(t, c, s.URL, box, "ada@example.com")
	type page struct {
		Sessions []struct{ ID, Kind, Email string }
	}
	if found := done[page](t, "sessions", "list", "--json", "--store", s.store); len(found.Sessions) != 0 {
		t.Errorf("with the passes there are %+v", found)
	}
	found := done[page](t, "sessions", "list", "--json", "--store", s.store, "--login-store", "sqlite:"+logins)
	if len(found.Sessions) != 1 || found.Sessions[0].Kind != "tokens" || found.Sessions[0].Email != "ada@example.com" {
		t.Fatalf("%+v", found)
	}
	if got := hallpass(t, "sessions", "end", found.Sessions[0].ID, "--store", s.store, "--login-store", "sqlite:"+logins); got.code != 0 {
		t.Errorf("exit %d: %s", got.code, got.stderr)
	}
	if got, err := c.post(s.URL+loginAt+"/refresh", map[string]string{"token": pair.Refresh}); err != nil || got.status != http.StatusForbidden {
		t.Errorf("after its end: %d %v", got.status, err)
	}
	if info, err := os.Stat(logins); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
}

// Without an upstream the API's logins are at /login, and the gate's below the
// prefix, for proxies that ask.
func TestWithoutAnUpstreamProgramsLogInAtTheRoot(t *testing.T) {
	t.Parallel()
	store, box := sqliteFile(t), mailbox.Start(t, nil)
	api := issueAPIToken(t, store)
	s := startServeOn(t, store, nil, "--config", guardedBy(t, loginRules), "--mail", box.DSN(sender), "--login-allow", "*@example.com", "--trusted-proxy", "127.0.0.1", "--trusted-proxy", "::1")
	c, b := newClient(), newClient()
	defer c.close()
	defer b.close()
	host := mustURL(t, s.URL).Host
	asked := []string{"X-Forwarded-Method", "GET", "X-Forwarded-Host", host, "X-Forwarded-Uri", "/notes", "Accept", "text/html", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}
	if got, err := b.do(http.MethodGet, s.URL+"/auth/forward", "", asked...); err != nil || got.header.Get("Location") != s.URL+loginAt+"?next=%2Fnotes" {
		t.Fatalf("%d %v %v", got.status, got.header, err)
	}
	if _, err := b.form(s.URL+loginAt+"/code", url.Values{"email": {"bob@example.com"}}); err != nil {
		t.Fatal(err)
	}
	mail := letters(t, box, "bob@example.com", 1)[0]
	if got, err := b.form(s.URL+loginAt, url.Values{"code": {mail.code}}); err != nil || got.status != http.StatusSeeOther {
		t.Fatalf("%d %v", got.status, err)
	}
	if got, err := b.do(http.MethodGet, s.URL+"/auth/forward", "", asked...); err != nil || got.status != http.StatusOK || got.header.Get("X-Hallpass-Subject") != "bob@example.com" {
		t.Errorf("%d %v %v", got.status, got.header, err)
	}
	if got, err := c.post(s.URL+"/login/code", map[string]string{"email": "ada@example.com"}); err != nil || got.status != http.StatusNoContent {
		t.Fatalf("%d %v", got.status, err)
	}
	mail = letters(t, box, "ada@example.com", 1)[0]
	if !strings.HasPrefix(mail.link, s.URL+"/login/link?") {
		t.Error("the link leads elsewhere")
	}
	if got, err := c.post(s.URL+"/login", map[string]string{"email": "ada@example.com", "code": mail.code}); err != nil || got.status != http.StatusOK {
		t.Errorf("%d %v", got.status, err)
	}
	all, err := c.do(http.MethodGet, s.URL+"/v1/sessions", "", "Authorization", "Bearer "+api)
	if err != nil || strings.Count(all.body, `"kind":"login"`) != 1 || strings.Count(all.body, `"kind":"tokens"`) != 1 || strings.Contains(all.body, `"next":"`) {
		t.Errorf("%d %s %v", all.status, all.body, err)
	}
	_, id, _ := strings.Cut(all.body, `"id":"`)
	id, _, _ = strings.Cut(id, `"`)
	if got, err := c.post(s.URL+"/v1/sessions/"+id+"/end", map[string]string{}, "Authorization", "Bearer "+api); err != nil || got.status != http.StatusNoContent {
		t.Errorf("ending one: %d %s %v", got.status, got.body, err)
	}
	if got, err := b.do(http.MethodGet, s.URL+"/auth/forward", "", asked...); err != nil || got.status == http.StatusOK {
		t.Errorf("after its end: %d %v", got.status, err)
	}
}
