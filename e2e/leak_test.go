package e2e_test

import (
	"context"
	"database/sql"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	_ "modernc.org/sqlite" // to hold the store's lock from outside
)

// Whatever happens to a token, it is in nothing a process writes: not when it is
// refused, forged, misplaced or cut off, and not when the store fails.
func TestNoTokenIsInAnyOutput(t *testing.T) {
	t.Parallel()
	dsn := sqliteFile(t)
	file := strings.TrimPrefix(dsn, "sqlite:")
	d := startDemo(t, "--store", dsn)
	links := d.links(t)
	outputs := map[string]func() string{"the demo's log": d.stderr.String, "the demo's output": d.stdout.rest}
	secrets := map[string]string{}
	for name, link := range links {
		token := said.secret(link)
		secrets[name] = token
		for _, part := range secretParts(token) {
			secrets[name+", in part"] = part
		}
	}
	c := newClient()
	defer c.close()

	misuse(t, d, c, links)
	// One short token, one signed.
	for name, output := range runWithTokens(t, dsn, map[string]string{"login": links["login"], "invitation": links["invitation"]}) {
		outputs[name] = func() string { return output }
	}

	// The store that cannot be written to: each of these waits for the lock and
	// then says so.
	fresh := d.links(t)
	page, err := c.open(fresh["unsubscribe"])
	if err != nil {
		t.Fatal(err)
	}
	nonce := ""
	for _, hidden := range formHidden.FindAllStringSubmatch(page.body, -1) {
		if hidden[1] == "nonce" {
			nonce = hidden[2]
		}
	}
	if nonce == "" {
		t.Error("the page has no nonce")
	}
	unlock := lockStore(t, file)
	var waiting sync.WaitGroup
	ask := func(what string, status int, send func(c *client) (answer, error)) {
		waiting.Go(func() {
			own := newClient()
			defer own.close()
			if what == "a press" {
				own = c
			}
			if got, err := send(own); err != nil || got.status != status {
				t.Errorf("%s while the store is locked: status %d, want %d, %v", what, got.status, status, err)
			}
		})
	}
	ask("a press", http.StatusServiceUnavailable, func(c *client) (answer, error) { return c.press(fresh["unsubscribe"], page) })
	ask("a public link", http.StatusServiceUnavailable, func(c *client) (answer, error) { return c.open(fresh["invitation"]) })
	ask("one click", http.StatusServiceUnavailable, func(c *client) (answer, error) {
		return c.do(http.MethodPost, fresh["unsubscribe"], "List-Unsubscribe=One-Click")
	})
	ask("a token", http.StatusServiceUnavailable, func(c *client) (answer, error) {
		return c.do(http.MethodGet, d.URL+"/api/reports", "", "Authorization", "Bearer "+fresh["api"])
	})
	ask("a wish for links", http.StatusServiceUnavailable, func(c *client) (answer, error) { return c.open(d.URL + "/links.json") })
	waiting.Go(func() { // one that does not wait
		own := newClient()
		defer own.close()
		own.http.Timeout = 200 * time.Millisecond
		own.open(fresh["invitation"])
	})
	waiting.Wait()
	unlock()
	if got, err := c.press(fresh["unsubscribe"], page); err != nil || got.status != http.StatusOK {
		t.Errorf("the press after the outage: status %d, %v", got.status, err)
	}
	if !strings.Contains(d.stderr.String(), "could not be decided") {
		t.Error("the outage is not in the log, so there is nothing to search")
	}

	// What the file holds: no token either.
	for _, name := range []string{file, file + "-wal"} {
		content, err := os.ReadFile(name)
		if err != nil {
			continue // the log is gone when it was folded in
		}
		outputs[name[len(file)-len("passes.db"):]] = func() string { return string(content) }
	}

	// Then the store is destroyed under its feet.
	ruin(t, file)
	for _, link := range fresh {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodHead} {
			c.do(method, link, "", "Accept", "text/html") // any answer will do
		}
	}
	c.press(fresh["unsubscribe"], page)
	d.kill()

	for name, link := range fresh {
		secrets["fresh "+name] = said.secret(link)
	}
	for _, u := range c.http.Jar.Cookies(mustURL(t, d.URL)) {
		secrets["cookie "+u.Name] = u.Value
	}
	for place, output := range outputs {
		text := output()
		for name, secret := range secrets {
			if len(secret) >= 16 && strings.Contains(text, secret) {
				t.Errorf("%s: holds %s", place, name)
			}
		}
		// The file knows a press by its nonce, which is worth nothing without the
		// browser's cookie.
		if !strings.HasPrefix(place, "passes.db") && strings.Contains(text, nonce) {
			t.Errorf("%s: holds the nonce of a page", place)
		}
	}
	t.Logf("searched %d outputs, the log of %d bytes among them, for %d secrets", len(outputs), len(d.stderr.String()), len(secrets))
}

// misuse sends tokens every way that is refused.
func misuse(t *testing.T, d *demo, c *client, links map[string]string) {
	t.Helper()
	forge := func(token string) []string {
		parts := strings.Split(token, ".")
		if len(parts) != 3 {
			return []string{token[:21], token + "A", strings.ToUpper(token)}
		}
		return []string{
			parts[0] + "." + parts[1] + "." + strings.Repeat("A", len(parts[2])),
			"eyJhbGciOiJub25lIn0." + parts[1] + ".", parts[1] + "." + parts[0] + "." + parts[2],
			parts[0] + "." + parts[1], token[:len(token)/2], token + "=", token + "." + parts[2], strings.Repeat(token, 20),
		}
	}
	refused := func(method, target, body string, headers ...string) {
		t.Helper()
		for _, accept := range []string{"text/html", "application/json"} {
			got, err := c.do(method, target, body, append(headers, "Accept", accept)...)
			if err != nil || got.status < 300 || got.status >= 500 {
				t.Errorf("%s: status %d, %v", method, got.status, err)
			}
		}
	}
	for _, link := range links {
		token := said.secret(link)
		for _, forged := range forge(token) {
			said.secret(forged)
			for _, path := range []string{"/newsletter/unsubscribe", "/account", "/invite"} {
				refused(http.MethodGet, d.URL+path+"?rt="+forged, "")
			}
			refused(http.MethodGet, d.URL+"/api/reports", "", "Authorization", "Bearer "+forged)
		}
		refused(http.MethodGet, d.URL+"/account?rt="+token+"&rt="+token, "")
		refused(http.MethodGet, d.URL+"/account?rt="+token+"%", "")
		refused(http.MethodGet, d.URL+"/newsletter/"+token, "")
		refused(http.MethodGet, d.URL+"/inbox/"+token, "")
		refused(http.MethodGet, d.URL+"/api/reports/"+token, "", "Authorization", "Basic "+token)
		refused(http.MethodPost, d.URL+"/account", "rt="+token)
		refused(http.MethodPost, d.URL+"/account?_hallpass=confirm", "token="+token+"&nonce=none")
		refused(http.MethodPost, d.URL+"/account?_hallpass="+token, "token="+token+"&token="+token)
		refused(http.MethodPost, d.URL+"/newsletter/subscribe", "address="+token, "Sec-Fetch-Site", "cross-site")
		refused(http.MethodPost, d.URL+"/audit/revoke", "pass="+token)
	}
}

// runWithTokens gives tokens to every command, also where none belongs, and
// returns what they wrote.
func runWithTokens(t *testing.T, dsn string, links map[string]string) map[string]string {
	t.Helper()
	outputs := map[string]string{}
	for name, link := range links {
		token := said.secret(link)
		for _, args := range [][]string{
			{"verify", token}, {"verify", "--scope", "invite", link}, {"verify", token + "A"}, {"verify", "--offline", token},
			{"show", token}, {"show", link}, {"show", token[:20]}, {"redeem", "--scope", "nothing", token}, {"redeem", token},
			{"redeem", "--scope", "invite", link}, {"uses", "--pass", token}, {"list", token}, {"uses", token},
			{"show", token, token}, {token}, {"verify", "--no-such-flag", token}, {"verify", "--key", token, token},
			{"list", "--limit", token}, {"revoke", "--dry-run", token}, {"revoke", token + "x"}, {"prune", "--max-age", token},
		} {
			for _, mode := range []string{"", "--json"} {
				full := append([]string{"--store", dsn}, args...)
				if mode != "" {
					full = append(full, mode)
				}
				got, err := command(full...)
				if err != nil {
					t.Fatal(err)
				}
				outputs["hallpass "+args[0][:min(8, len(args[0]))]+" of "+name+" "+strings.Repeat("+", len(args))+mode] += got.stdout + got.stderr
			}
		}
	}
	return outputs
}

// lockStore keeps every other process from writing to the file.
func lockStore(t *testing.T, file string) (unlock func()) {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := db.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ExecContext(context.Background(), "PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	return func() {
		if _, err := conn.ExecContext(context.Background(), "ROLLBACK"); err != nil {
			t.Error(err)
		}
		conn.Close()
		db.Close()
	}
}

// ruin overwrites the file with nonsense, and its log.
func ruin(t *testing.T, file string) {
	t.Helper()
	for _, name := range []string{file, file + "-wal"} {
		info, err := os.Stat(name)
		if err != nil {
			continue
		}
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		f.Write([]byte(strings.Repeat("nonsense", int(info.Size())/8)))
		f.Close()
	}
}
