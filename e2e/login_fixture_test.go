package e2e_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass/internal/mailbox"
)

// sender is who the mails are from.
const sender = "door@corridor.example"

// loginRules asks everybody to log in, but for /open.
const loginRules = "rules:\n  - path: /open\n    access: public\n  - access: login\n"

// guardedBy writes rules to a file, for --config.
func guardedBy(t testing.TB, rules string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "hallpass.yaml")
	if err := os.WriteFile(name, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// startLogin starts a server with logins in front of an application, whose mails
// go to the box.
func startLogin(t testing.TB, store string, box *mailbox.Mailbox, env []string, args ...string) *server {
	t.Helper()
	return startServeOn(t, store, env, append([]string{
		"--upstream", newUpstream(t).URL, "--config", guardedBy(t, loginRules),
		"--mail", box.DSN(sender), "--login-allow", "*@example.com",
	}, args...)...)
}

var (
	mailedCode = regexp.MustCompile(`(?m)^(\d{6,10})$`)
	mailedLink = regexp.MustCompile(`(?m)^(http\S+/login/link\?token=\S+)$`)
)

// letter is what a mail carries.
type letter struct{ code, link, token string }

// letters waits for n mails to an address.
func letters(t testing.TB, box *mailbox.Mailbox, to string, n int) (found []letter) {
	t.Helper()
	for _, m := range box.Wait(t, to, n) {
		code, link := mailedCode.FindStringSubmatch(m.Text), mailedLink.FindStringSubmatch(m.Text)
		if code == nil || link == nil {
			t.Fatalf("the mail has no code or no link:\n%s", m.Text)
		}
		token := mustURL(t, link[1]).Query().Get("token")
		said.secret(token)
		found = append(found, letter{code[1], link[1], token})
	}
	return found
}

// loginAt is where programs log in beside an application.
const loginAt = "/.hallpass/login"

// post sends JSON as a program does.
func (c *client) post(target string, body any, headers ...string) (answer, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return answer{}, err
	}
	return c.do(http.MethodPost, target, string(text), append([]string{"Content-Type", "application/json"}, headers...)...)
}

// form sends a form as a browser does.
func (c *client) form(target string, fields url.Values) (answer, error) {
	return c.do(http.MethodPost, target, fields.Encode(), "Accept", "text/html", "Sec-Fetch-Site", "same-origin",
		"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document")
}

// tokens is what a program gets for a code.
type tokens struct{ Access, Refresh string }

// logIn logs a program in beside an application and returns its tokens.
func logIn(t testing.TB, c *client, site string, box *mailbox.Mailbox, address string) tokens {
	t.Helper()
	return logInAt(t, c, site+loginAt, box, address)
}

// logInAt is logIn for a login that is elsewhere.
func logInAt(t testing.TB, c *client, at string, box *mailbox.Mailbox, address string) tokens {
	t.Helper()
	before := 0
	for _, m := range box.Messages() {
		if m.To == address {
			before++
		}
	}
	if got, err := c.post(at+"/code", map[string]string{"email": address}); err != nil || got.status != http.StatusNoContent {
		t.Fatalf("asking for a mail: %d %v", got.status, err)
	}
	code := letters(t, box, address, before+1)[before].code
	got, err := c.post(at, map[string]string{"email": address, "code": code})
	var pair tokens
	if err != nil || json.Unmarshal([]byte(got.body), &pair) != nil || pair.Access == "" || pair.Refresh == "" {
		t.Fatalf("logging in: %d %v", got.status, err)
	}
	said.secret(pair.Access)
	said.secret(pair.Refresh)
	return pair
}

// wrongFor is a code of the same length that is not the right one.
func wrongFor(code string) string {
	last := byte('1')
	if strings.HasSuffix(code, "1") {
		last = '2'
	}
	return code[:len(code)-1] + string(last)
}

// metric reads a number off a server's metrics.
func (s *server) metric(t testing.TB, series string) string {
	t.Helper()
	c := newClient()
	defer c.close()
	got, err := c.do(http.MethodGet, s.OpsURL+"/metrics", "")
	if err != nil || got.status != http.StatusOK {
		t.Fatalf("the metrics: %d %v", got.status, err)
	}
	for line := range strings.Lines(got.body) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), series+" "); ok {
			return value
		}
	}
	t.Fatalf("no %s among the metrics", series)
	return ""
}

// kill is kill -9, and waits until the process is gone.
func (s *server) kill(t testing.TB) {
	t.Helper()
	s.killed = true
	_ = s.cmd.Process.Kill()
	select {
	case <-s.ended:
	case <-time.After(stopTime):
		t.Fatal("the server cannot be killed")
	}
}
