package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
)

// follow is what a thorough scanner does on a page: it fetches the page's own
// address and every link on it, in all the ways a script can, and presses nothing.
const follow = `(async () => {
	const links = [location.href, ...[...document.querySelectorAll("[href],[src]")].map(e => e.href || e.src)]
		.filter(u => u.startsWith("http"));
	const log = [];
	for (const u of new Set(links)) {
		for (const init of [{}, {method: "HEAD"}, {credentials: "include", cache: "reload"}, {redirect: "manual"}, {method: "OPTIONS"},
			{headers: {"Sec-Fetch-Mode": "navigate", "Purpose": "prefetch"}}, {mode: "no-cors"}]) {
			try { log.push((await fetch(u, init)).status); } catch (e) { log.push(String(e)); }
		}
		await new Promise(done => {
			const x = new XMLHttpRequest();
			x.open("GET", u); x.onloadend = done; x.send();
		});
		const frame = document.createElement("iframe");
		await new Promise(done => {
			frame.onload = frame.onerror = done; setTimeout(done, 3000);
			frame.src = u; document.body.append(frame);
		});
		new Image().src = u;
		for (const rel of ["prefetch", "preload", "prerender", "next"]) {
			const link = document.createElement("link");
			link.rel = rel; link.href = u; if (rel === "preload") link.as = "fetch";
			document.head.append(link);
		}
		for (const kind of ["prefetch", "prerender"]) {
			const rules = document.createElement("script");
			rules.type = "speculationrules";
			rules.textContent = JSON.stringify({[kind]: [{source: "list", urls: [u], eagerness: "immediate"}]});
			document.head.append(rules);
		}
	}
	document.querySelectorAll("*").forEach(e => {
		for (const kind of ["mouseover", "mousemove", "mousedown", "focus", "scroll"]) e.dispatchEvent(new Event(kind, {bubbles: true}));
	});
	return log.join(" ");
})()`

func TestAScannerThatRunsScriptsUsesNothingUp(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		link, asks, ends, at string
		policy               bool // whether the page's content security policy binds the scanner
	}{
		{"unsubscribe", "Leave the newsletter?", "You are unsubscribed", "/newsletter/unsubscribe", true},
		{"unsubscribe", "Leave the newsletter?", "You are unsubscribed", "/newsletter/unsubscribe", false},
		{"login", "Is this you?", "You are signed in", "/account", true},
		{"login", "Is this you?", "You are signed in", "/account", false},
	} {
		t.Run(fmt.Sprintf("%s, bound by the page's policy: %v", row.link, row.policy), func(t *testing.T) {
			t.Parallel()
			d := startDemo(t)
			link := d.Links[row.link]
			scanner := newProfile(t, true)
			if !row.policy {
				call(scanner, page.SetBypassCSP, page.SetBypassCSPParams{Enabled: true})
			}
			for range 2 { // two hits close together, as some gateways make
				scanner.open(link)
				scanner.sees(row.asks)
				did, err := read[string](scanner, follow)
				if err != nil {
					t.Fatalf("the scanner's script: %v", err)
				}
				if !row.policy && !strings.HasPrefix(did, "200 200 200") {
					t.Errorf("the scanner got nowhere: %s", did)
				}
				time.Sleep(500 * time.Millisecond) // what was fetched ahead arrives
			}
			tabs := []*tab{scanner, scanner.another()}
			tabs[1].open(link)
			tabs[1].sees(row.asks)
			if scanner.cookies()["corridor_session"] {
				t.Error("the scanner has a session")
			}
			scanner.open(d.URL + "/account")
			if scanner.says("You are signed in") {
				t.Error("the scanner is signed in")
			}
			scanner.mu.Lock()
			ahead := tally(scanner.ahead)
			scanner.mu.Unlock()
			t.Logf("fetched ahead: %v", ahead)
			if !row.policy && len(ahead) == 0 {
				t.Error("nothing was fetched ahead: the scanner is not as thorough as it should be")
			}

			reader := newProfile(t, true)
			reader.open(link)
			reader.sees(row.asks)
			reader.click(`main form button`)
			reader.sees(row.ends)
			if at := reader.address(); !strings.HasPrefix(at, d.URL+row.at) || strings.Contains(at, "rt=") {
				t.Errorf("the reader ended at a page other than %s, or at one with a token", row.at)
			}
			reader.behaved(d.URL)
		})
	}
}

// A session link opens to its reader's press alone, whatever a script sends to it.
func TestNoScriptedPostOpensASignInLink(t *testing.T) {
	t.Parallel()
	d := startDemo(t)
	link := d.Links["login"]
	for _, body := range []string{"", "confirm=1", "List-Unsubscribe=One-Click", "_hallpass=confirm"} {
		for _, target := range []string{link, link + "&_hallpass=confirm", link + "&_hallpass=fresh"} {
			c := newClient()
			got, err := c.do(http.MethodPost, target, body, "Accept", "text/html")
			if err != nil || got.status < 400 || got.status >= 500 {
				t.Errorf("POST %q: status %d, %v", body, got.status, err)
			}
			if strings.Contains(strings.Join(got.header.Values("Set-Cookie"), " "), "corridor_session") {
				t.Errorf("POST %q began a session", body)
			}
			c.close()
		}
	}
	reader := newClient()
	defer reader.close()
	asked, err := reader.open(link)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := reader.press(link, asked); err != nil || got.status != http.StatusSeeOther {
		t.Errorf("the reader's press: status %d, %v", got.status, err)
	}
}
