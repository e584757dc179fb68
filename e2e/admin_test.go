package e2e_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/hallpass-go/hallpass/internal/needs"
)

// adminPages are the pages of the admin, below its prefix.
var adminPages = []string{
	"/", "/?span=1h", "/?span=30d", "/passes", "/passes?state=active", "/revoke?scope=newsletter%3Aunsubscribe", "/issue", "/issue?job=act",
	"/issue?job=sign-in", "/uses", "/events", "/campaigns", "/sessions", "/keys", "/settings", "/passes?scope=none", "/pass?id=none",
}

// enterAdmin signs a browser in by the link that the demo printed, or by a fresh
// one of its page.
func enterAdmin(t *testing.T, b *tab, d *demo) (prefix string) {
	t.Helper()
	b.open(d.URL + "/")
	b.click(`form[action="/open-admin"] button`)
	b.sees("Open the admin?")
	b.click("main form button")
	b.sees("Overview")
	return d.URL + "/admin"
}

// aPass is a pass of the demo, used by a person.
func aPass(t *testing.T, b *tab, d *demo) {
	t.Helper()
	links := d.links(t)
	b.open(links["unsubscribe"])
	b.click("main form button")
	b.open(links["unsubscribe"]) // and refused once
}

func TestTheAdminIsWalkedPageByPage(t *testing.T) {
	t.Parallel()
	d := startDemo(t)
	for name, tt := range map[string]struct {
		scripts, dark bool
		width         int64
	}{
		"with scripts":          {scripts: true, width: 1280},
		"without scripts":       {width: 1280},
		"narrow":                {scripts: true, width: 320},
		"narrow, dark, scripts": {scripts: true, dark: true, width: 320},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newProfile(t, tt.scripts)
			call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: tt.width, Height: 800, DeviceScaleFactor: 1})
			if tt.dark {
				b.paint("dark")
			}
			aPass(t, b, d)
			admin := enterAdmin(t, b, d)
			for _, path := range adminPages {
				b.open(admin + path)
				checkWidth(b, path, tt.width)
			}
			b.open(admin + "/passes")
			b.click("main a.row-link")
			b.sees("Pass")
			checkWidth(b, "a pass", tt.width)
			b.behaved(d.URL)
		})
	}
}

// checkWidth looks whether a page must be moved sideways to be read.
func checkWidth(b *tab, path string, width int64) {
	b.t.Helper()
	got, err := read[int64](b, `document.documentElement.scrollWidth`)
	if err != nil {
		b.t.Fatal(err)
	}
	if got > width {
		b.t.Errorf("%s is %d wide on a screen of %d", path, got, width)
	}
}

func TestAnOperatorDoesEverythingInABrowser(t *testing.T) {
	t.Parallel()
	for name, scripts := range map[string]bool{"with scripts": true, "without scripts": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := startDemo(t)
			b := newProfile(t, scripts)
			admin := enterAdmin(t, b, d)

			// Issue a pass, having read what it permits.
			b.open(admin + "/issue?job=act")
			b.do("typing", chromedp.SendKeys(chromedp.CSS("#i-subject"), "42"))
			if scripts {
				b.eventually(`document.querySelector("#preview").innerText.includes("as user 42, once")`)
			}
			b.click(`form[action$="/issue"] button.primary`)
			b.sees("Issued")
			if !b.says("as user 42, once") {
				t.Error("the page does not say what the pass permits")
			}
			link, err := read[string](b, `document.querySelector("[data-copy]").dataset.copy`)
			if err != nil {
				t.Fatal(err)
			}
			said.secret(link)

			// Have its link shown once more, and what it says, from the pass's own page.
			b.click(`main .buttons a[href*="/pass?id="]`)
			b.sees("Pass")
			if claims, err := read[string](b, `document.querySelector('pre[aria-label="Claims"]').textContent`); err != nil || !strings.Contains(claims, `"aud": "42"`) {
				t.Errorf("the token is not decoded: %q, %v", claims, err)
			}
			b.click(`form[action$="/pass/link"] button`)
			b.sees("The link of this pass")
			if n, err := read[int](b, `document.querySelectorAll(".qr-box svg").length`); err != nil || n != 1 {
				t.Errorf("%d QR codes, %v", n, err)
			}

			// Find it by its link, and take it back.
			b.do("pasting", chromedp.SendKeys(chromedp.CSS("#find"), link))
			b.click(".find button")
			b.sees("Pass")
			if strings.Contains(b.address(), "rt=") {
				t.Error("the address bar holds a token")
			}
			b.do("opening what it would do", chromedp.Click(chromedp.CSS("details.decide summary"), chromedp.NodeVisible))
			b.click(`form[action$="/pass/revoke"] button`)
			b.sees("Pass")
			if !b.says("was taken back") {
				t.Error("the page does not say that the pass was taken back")
			}

			// Take a group back: the count comes first.
			b.open(admin + "/revoke?scope=newsletter%3Aunsubscribe")
			b.do("ticking", chromedp.Click(chromedp.CSS("#sure"), chromedp.NodeVisible))
			b.click(`form[method=post][action$="/revoke"] button`)
			b.sees("Passes")

			// Rotate the key, and end a session.
			b.open(admin + "/keys")
			b.do("opening what it would do", chromedp.Click(chromedp.CSS("details.decide summary"), chromedp.NodeVisible))
			b.click(`form[action$="/keys/rotate"] button`)
			b.sees("Keys")
			if !b.says("A new key signs from now on") {
				t.Error("the page does not say that the key was rotated")
			}
			b.do("opening what it would do", chromedp.Click(chromedp.CSS("td details summary"), chromedp.NodeVisible))
			b.do("ticking", chromedp.Click(chromedp.CSS(`td details input[name="sure"]`), chromedp.NodeVisible))
			b.click(`form[action$="/keys/retire"] button`)
			b.sees("Keys")
			if !b.says("The key was retired") {
				t.Error("the page does not say that the key was retired")
			}

			// Take the lists along.
			for list, head := range map[string]string{"passes": "id,", "uses": "id,", "events": "id,"} {
				text, err := read[string](b, `fetch("/admin/`+list+`/export?format=csv").then(r => r.text())`)
				if err != nil || !strings.HasPrefix(text, head) {
					t.Errorf("the table of %s begins with %.20q, %v", list, text, err)
				}
			}
			b.open(admin + "/events?kind=admin")
			for _, action := range []string{"Signed in to the admin", "Issued a pass", "Took a pass back", "Took a group back", "Had a link shown", "Rotated the key", "Retired a key", "Exported passes"} {
				if !b.says(action) {
					t.Errorf("the log does not say %q", action)
				}
			}
			b.open(admin + "/sessions")
			b.click(`form[action$="/sessions/end"] button`)
			b.sees("Sign in to the admin")
			b.behaved(d.URL)
		})
	}
}

// eventually waits until something is true of the page.
func (b *tab) eventually(expression string) {
	b.t.Helper()
	for deadline := time.Now().Add(actionTime); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if ok, err := read[bool](b, expression); err == nil && ok {
			return
		}
	}
	b.t.Fatalf("the page never became so: %s", expression)
}

func TestATableIsIssuedInABrowser(t *testing.T) {
	t.Parallel()
	d := startDemo(t)
	b := newProfile(t, true)
	admin := enterAdmin(t, b, d)
	table := filepath.Join(t.TempDir(), "people.csv")
	if err := os.WriteFile(table, []byte("who,mail\n42,hugo@example.com\n43,=greta\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.open(admin + "/issue?job=act")
	call(b, page.SetInterceptFileChooserDialog, page.SetInterceptFileChooserDialogParams{Enabled: false})
	b.do("choosing the table", chromedp.SetUploadFiles(chromedp.CSS("#u-file"), []string{table}))
	b.do("naming its column", chromedp.SendKeys(chromedp.CSS("#c-subject"), "who"))
	b.do("sending it", chromedp.Click(chromedp.CSS("form[data-upload] button.primary"), chromedp.NodeVisible))
	b.eventually(`document.querySelector("[data-progress]").innerText.includes("Done: 2 lines")`)
	b.behaved(d.URL)
}

// TestPassesArePickedInABrowser: with scripts all of a page at once, without them one
// by one.
func TestPassesArePickedInABrowser(t *testing.T) {
	t.Parallel()
	for name, scripts := range map[string]bool{"with scripts": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := startDemo(t)
			b := newProfile(t, scripts)
			admin := enterAdmin(t, b, d)
			b.open(admin + "/passes?batch=spring")
			if scripts {
				b.do("ticking all", chromedp.Click(chromedp.CSS("[data-pick-all]"), chromedp.NodeVisible))
				b.eventually(`document.querySelector("[data-picked]").innerText.match(/^([0-9]+) of \1 on this page/) !== null`)
			} else {
				b.do("ticking one", chromedp.Click(chromedp.CSS(`input[name="id"]`), chromedp.NodeVisible))
			}
			b.click("#picks button")
			b.sees("Take these passes back")
			b.do("ticking that it was read", chromedp.Click(chromedp.CSS("#sure"), chromedp.NodeVisible))
			b.click(".decision button.danger")
			b.sees("Passes")
			if !b.says("They were taken back") {
				t.Error("it is not said that they were taken back")
			}
			b.behaved(d.URL)
		})
	}
}

func TestAxeFindsNothingWrongWithTheAdmin(t *testing.T) {
	t.Parallel()
	axe := axeCore(t)
	d := startDemo(t)
	b := newProfile(t, true)
	aPass(t, b, d)
	admin := enterAdmin(t, b, d)
	pass, err := read[string](b, `fetch("/admin/passes").then(r => r.text()).then(t => new DOMParser().parseFromString(t, "text/html").querySelector("a.row-link").getAttribute("href"))`)
	if err != nil {
		t.Fatal(err)
	}
	pages := append([]string{strings.TrimPrefix(pass, "/admin"), "/revoke/picked?" + pass[strings.Index(pass, "id="):], "/revoke?issued_before=2099-01-01", "/campaign?batch=spring", "/campaign?batch=none"}, adminPages...)
	for _, dark := range []bool{false, true} {
		scheme := map[bool]string{false: "light", true: "dark"}[dark]
		b.paint(scheme)
		for _, width := range []int64{1280, 320} {
			call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 800, DeviceScaleFactor: 1})
			for _, path := range pages {
				b.open(admin + path)
				b.finds(axe, fmt.Sprintf("%s, %s, %d wide", path, scheme, width))
			}
			// Two that are answers to a form.
			b.open(admin + "/")
			b.do("searching", chromedp.SendKeys(chromedp.CSS("#find"), "AAAAAAAAAAAAAAAAAAAAAA"))
			b.click(".find button")
			b.finds(axe, fmt.Sprintf("nothing found, %s, %d wide", scheme, width))
			b.open(admin + "/issue?job=act")
			b.do("typing", chromedp.SendKeys(chromedp.CSS("#i-subject"), "42"))
			b.click(`form[action$="/issue"] button.primary`)
			b.sees("Issued")
			b.finds(axe, fmt.Sprintf("issued, %s, %d wide", scheme, width))
		}
	}
	stranger := newProfile(t, true)
	stranger.open(admin + "/")
	stranger.finds(axe, "signing in")
}

// axeCore is the source of the accessibility checker.
func axeCore(t *testing.T) string {
	t.Helper()
	_, dir := needs.Node(t, "axe-core@4.14.1")
	source, err := os.ReadFile(filepath.Join(dir, "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	return string(source)
}

// axe runs the accessibility checker on the page: WCAG 2.2 AA and its best practices.
func (b *tab) axe(source string) (violations []string) {
	b.t.Helper()
	text, err := read[string](b, source+`;
		document.querySelectorAll("details").forEach(d => d.open = true);
		axe.run(document, {resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]})
			.then(r => JSON.stringify(r.violations.map(v => v.id + ": " + v.help + ": " + v.nodes.slice(0, 3).map(n => n.html.slice(0, 160)).join(" | "))))`)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(text), &violations); err != nil {
		b.t.Fatal(err)
	}
	return violations
}

// TestPicturesOfTheAdmin takes the pictures that docs/admin.md shows; see
// TestPictures.
func TestPicturesOfTheAdmin(t *testing.T) {
	t.Parallel()
	folder := cmp.Or(os.Getenv("HALLPASS_PICTURES"), t.TempDir())
	d := startDemo(t)
	b := newProfile(t, true)
	for range 3 {
		aPass(t, b, d)
	}
	for range 2 { // somebody signs in
		person := newProfile(t, true)
		person.open(d.links(t)["login"])
		person.click("main form button")
		person.sees("You are signed in")
	}
	admin := enterAdmin(t, b, d)
	call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 1200, Height: 860, DeviceScaleFactor: 1})
	b.open(admin + "/?span=1h")
	b.eventually(`fetch("/admin/?span=1h").then(r => r.text()).then(t => !t.includes("<dt>Used</dt><dd>0</dd>"))`) // what is counted is written down some seconds later
	for name, path := range map[string]string{
		"admin-overview.png": "/?span=1h", "admin-passes.png": "/passes", "admin-issue.png": "/issue?job=act", "admin-events.png": "/events",
		"admin-revoke.png": "/revoke?scope=newsletter%3Aunsubscribe", "admin-keys.png": "/keys",
	} {
		b.open(admin + path)
		picture(t, b, filepath.Join(folder, name))
	}
	b.open(admin + "/passes?scope=newsletter%3Aunsubscribe&state=spent")
	b.click("main a.row-link")
	b.sees("Pass")
	call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 1200, Height: 1800, DeviceScaleFactor: 1})
	picture(t, b, filepath.Join(folder, "admin-pass.png"))
}

func picture(t *testing.T, b *tab, file string) {
	t.Helper()
	shot, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	if len(shot) < 10_000 {
		t.Errorf("%s is no picture of a page: %d bytes", filepath.Base(file), len(shot))
	}
	if err := os.WriteFile(file, shot, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestTheDemosAdminURLLetsItsReaderIn(t *testing.T) {
	t.Parallel()
	d := startDemo(t)
	u, err := url.Parse(d.AdminURL)
	if err != nil || u.Path != "/admin/" || u.Query().Get("rt") == "" {
		t.Fatalf("admin_url is %q", u.Path)
	}
	answer, err := http.Get(d.URL + "/admin/")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("without it: %d", answer.StatusCode)
	}
	b := newProfile(t, false)
	b.open(d.AdminURL)
	b.sees("Open the admin?")
	b.click("main form button")
	b.sees("Overview")
	b.behaved(d.URL)
}
