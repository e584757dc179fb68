package e2e_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// narrow is the smallest screen that is promised to work, in CSS pixels.
const narrow = 320

// fits checks the page that is open: it has this heading, it is no wider than the
// screen, and the browser has nothing to say about it.
func (b *tab) fits(site, heading string) {
	b.t.Helper()
	b.sees(heading)
	type size struct{ Screen, Page int }
	got, err := read[size](b, `({Screen: innerWidth, Page: document.documentElement.scrollWidth})`)
	if err != nil {
		b.t.Fatal(err)
	}
	if got.Screen != narrow || got.Page > narrow {
		b.t.Errorf("%q: the page is %d wide on a screen of %d", heading, got.Page, got.Screen)
	}
	b.behaved(site)
	b.mu.Lock()
	b.complaint = nil // each page answers for itself
	b.mu.Unlock()
	if b.examine != nil {
		b.examine(heading)
	}
}

func TestEveryPageFitsASmallScreenAndIsQuiet(t *testing.T) {
	t.Parallel()
	walkEveryPage(t, newProfile(t, true))
}

func TestAxeFindsNothingWrongWithAnyPublicPage(t *testing.T) {
	t.Parallel()
	axe := axeCore(t)
	for _, scheme := range []string{"light", "dark"} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			b := newProfile(t, true)
			b.paint(scheme)
			b.examine = func(page string) { b.finds(axe, page) }
			walkEveryPage(t, b)
		})
	}
}

// paint chooses light or dark.
func (b *tab) paint(scheme string) {
	b.t.Helper()
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
}

// finds reports what the accessibility checker finds on the page.
func (b *tab) finds(axe, page string) {
	b.t.Helper()
	for _, found := range b.axe(axe) {
		b.t.Errorf("%s: %s", page, found)
	}
}

// walkEveryPage opens every page of the demo, and those that links of every fate meet.
func walkEveryPage(t *testing.T, b *tab) {
	t.Helper()
	store := sqliteFile(t)
	d := startDemo(t, "--store", store)
	b.do("a small screen", chromedp.EmulateViewport(narrow, 640))
	page := func(path, heading string) {
		t.Helper()
		b.open(d.URL + path)
		b.fits(d.URL, heading)
	}
	press := func(selector, heading string) {
		t.Helper()
		b.click(selector)
		b.fits(d.URL, heading)
	}

	// The site while it is empty, and by its own buttons.
	page("/", "Four doors, four passes")
	page("/inbox", "Inbox")
	page("/newsletter", "Newsletter")
	page("/developers", "Developers")
	press(`form[action="/developers"] button`, "Developers")
	token, err := read[string](b, `document.querySelector("pre code").textContent.replace("TOKEN=", "")`)
	if err != nil || len(strings.Split(token, ".")) != 3 {
		t.Fatalf("the page shows no token: %v", err)
	}
	said.secret(token)
	page("/audit", "Audit trail")
	page("/login", "Sign in")
	press(`main form button`, "Look into the inbox")
	page("/", "Four doors, four passes")
	press(`form[action="/invite/send"] button`, "Inbox")
	press(`ol.mails a`, "Read Corridor Weekly with me")
	b.noteToken()
	press(`.mail-body a.button`, "Welcome, you are invited")
	page("/newsletter", "Newsletter")
	press(`form[action="/newsletter/send"] button`, "Inbox")
	press(`ol.mails a`, "Corridor Weekly, issue 12")
	link := b.noteToken()

	// The pages in front of it, in the order a link can meet them.
	press(`.mail-body a.button`, "Leave the newsletter?")
	call(b, network.ClearBrowserCookies, cdp.Empty{})
	press(`main form button`, "Please open the link once more")
	press(`main a.button`, "Leave the newsletter?")
	press(`main form button`, "You are unsubscribed")
	page("/newsletter", "Newsletter")
	for range 3 {
		b.open(link)
		b.fits(d.URL, "This link has been used up")
		press(`main form button`, "Look into your mailbox")
	}
	b.open(link)
	press(`main form button`, "A little too often")
	page("/newsletter/unsubscribe", "No link that we can read")
	page("/newsletter/unsubscribe?rt=a.b.c", "No link that we can read")
	page("/account?rt="+said.secret(b.tokenOf(d.Links["invitation"])), "This link is for something else")

	// Signed in, and a link for somebody else.
	b.open(d.links(t)["login"])
	b.fits(d.URL, "Is this you?")
	press(`main form button`, "You are signed in")
	page("/", "Four doors, four passes")
	page("/inbox", "Inbox")
	page("/audit", "Audit trail")
	page("/account", "You are signed in")
	long := strings.Repeat("verylongname", 9) + "@" + strings.Repeat("subdomain", 6) + ".example.com"
	issue := func(more ...string) string {
		t.Helper()
		made := done[issued](t, append([]string{"issue", "--json", "--store", store, "--subject", long}, more...)...)
		said.secret(made.Token)
		return made.URL
	}
	b.open(issue("--scope", "login", "--mode", "session", "--format", "short", "--url", d.URL+"/account"))
	b.fits(d.URL, "Is this you?")
	unsubscribe := []string{"--scope", "newsletter:unsubscribe", "--mode", "request", "--url", d.URL + "/newsletter/unsubscribe"}
	b.open(issue(unsubscribe...))
	b.fits(d.URL, "This link is for another account")
	page("/account", "You are signed in")
	press(`form[action="/logout"] button`, "Four doors, four passes")

	// Links of every other fate, for somebody with the longest of names.
	early := time.Now().Add(48 * time.Hour).UTC().Format(time.RFC3339)
	b.open(issue(append(unsubscribe, "--not-before", early)...))
	b.fits(d.URL, "It is too early for this link")
	soon := issue(append(unsubscribe, "--ttl", "1s")...)
	revoked := issue(unsubscribe...)
	if got := hallpass(t, "revoke", "--store", store, revoked); got.code != 0 {
		t.Fatalf("revoke: exit %d: %s", got.code, got.stderr)
	}
	b.open(revoked)
	b.fits(d.URL, "This link was taken back")
	b.open(issue(unsubscribe...))
	b.fits(d.URL, "Leave the newsletter?")
	press(`main form button`, "You are unsubscribed")
	time.Sleep(2 * time.Second) // the times of passes are whole seconds
	b.open(soon)
	b.fits(d.URL, "This link has expired")
	press(`main form button`, "Look into your mailbox")
	b.open(issue("--scope", "invite", "--max-uses", "3", "--data", `{"from":"`+long+`","months":3}`, "--url", d.URL+"/invite"))
	b.fits(d.URL, "Welcome, you are invited")
	page("/audit", "Audit trail")
}

func (b *tab) tokenOf(link string) string {
	_, token, found := strings.Cut(link, "rt=")
	if !found {
		b.t.Fatal("a link without a token")
	}
	return token
}

// Every answer to a token says that it may not be kept or passed on.
func TestAnswersToLinksAreKeptNowhere(t *testing.T) {
	t.Parallel()
	d := startDemo(t)
	c := newClient()
	defer c.close()
	for _, link := range []string{
		d.Links["unsubscribe"], d.Links["login"], d.Links["invitation"],
		d.URL + "/account?rt=a.b.c", d.URL + "/invite?rt=0123456789012345678901", d.Links["login"] + "&rt=twice",
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
			got, err := c.do(method, link, "", "Accept", "text/html")
			if err != nil {
				t.Fatal(err)
			}
			if got.header.Get("Cache-Control") != "no-store" || got.header.Get("Referrer-Policy") != "no-referrer" {
				t.Errorf("%s, status %d: Cache-Control %q, Referrer-Policy %q", method, got.status,
					got.header.Get("Cache-Control"), got.header.Get("Referrer-Policy"))
			}
		}
	}
}
