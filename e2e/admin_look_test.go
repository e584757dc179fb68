package e2e_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// holds checks that something is true of the page now.
func (b *tab) holds(what, expression string) {
	b.t.Helper()
	if ok, err := read[bool](b, expression); err != nil || !ok {
		b.t.Errorf("not so: %s (%v)", what, err)
	}
}

// lookAgain makes the overview look again, and waits until it has.
func lookAgain(b *tab) {
	b.t.Helper()
	if _, err := read[bool](b, `document.querySelector("#now").dataset.old = "1"; htmx.trigger("#now", "look"); true`); err != nil {
		b.t.Fatal(err)
	}
	b.eventually(`!document.querySelector("#now").dataset.old`)
}

// The overview closed what its reader had opened, every 15 seconds, and lost the focus.
func TestTheOverviewLooksAgainWithoutTakingAnythingAway(t *testing.T) {
	t.Parallel()
	d := startDemo(t)
	b := newProfile(t, true)
	admin := enterAdmin(t, b, d)
	call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 800, Height: 500, DeviceScaleFactor: 1})
	b.open(admin + "/?span=1h")
	b.eventually(`document.querySelector("#now details") !== null`)
	b.do("opening a table", chromedp.Click(chromedp.CSS("#now details summary"), chromedp.NodeVisible))
	b.holds("the table is open", `document.querySelector("#now details").open`)
	if _, err := read[bool](b, `document.querySelector("#now details .table-wrap").scrollTop = 120; document.querySelector("#now details .table-wrap").focus(); scrollTo(0, 300); true`); err != nil {
		t.Fatal(err)
	}
	lookAgain(b)
	b.holds("the table is open still", `document.querySelector("#now details").open`)
	b.holds("its place is kept", `document.querySelector("#now details .table-wrap").scrollTop === 120`)
	b.holds("the focus is kept", `document.activeElement === document.querySelector("#now details .table-wrap")`)
	b.holds("the page's place is kept", `scrollY === 300`)

	b.do("pausing", chromedp.Click(chromedp.CSS("[data-pause]"), chromedp.NodeVisible))
	b.holds("it can be resumed", `document.querySelector("[data-pause]").textContent === "Resume updates"`)
	asked, err := read[bool](b, `new Promise(done => {
		document.addEventListener("htmx:afterRequest", () => done(true));
		htmx.trigger("#now", "look");
		fetch("/admin/").then(() => done(false));
	})`)
	if err != nil || asked {
		t.Errorf("it looks again although it is paused: %t, %v", asked, err)
	}
	b.open(admin + "/?span=24h")
	b.holds("it stays paused on the next page", `document.querySelector("[data-pause]").textContent === "Resume updates"`)
	if _, err := read[bool](b, `document.querySelector("#now").dataset.old = "1"; true`); err != nil {
		t.Fatal(err)
	}
	b.do("resuming", chromedp.Click(chromedp.CSS("[data-pause]"), chromedp.NodeVisible))
	b.eventually(`!document.querySelector("#now").dataset.old`)
	b.behaved(d.URL)

	still := newProfile(t, false)
	enterAdmin(t, still, d)
	still.holds("without scripts there is nothing to pause", `getComputedStyle(document.querySelector("[data-pause]")).display === "none"`)
}

// Small buttons were 32 px where fingers press them.
func TestWhatIsPressedInTheAdminIsLargeEnoughForFingers(t *testing.T) {
	t.Parallel()
	d := startDemo(t)
	b := newProfile(t, true)
	aPass(t, b, d)
	admin := enterAdmin(t, b, d)
	call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 390, Height: 844, DeviceScaleFactor: 1, Mobile: true})
	call(b, emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: true})
	for _, path := range adminPages {
		b.open(admin + path)
		b.holds("the pointer is a finger", `matchMedia("(pointer: coarse)").matches`)
		small, err := read[string](b, `[...document.querySelectorAll(".button, button, summary, nav a, td > a, .wordmark, input:not([type=hidden]):not([type=checkbox]), select")]
			.filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 44)
			.map(e => e.outerHTML.slice(0, 120) + " is " + e.getBoundingClientRect().height + " high").join("\n")`)
		if err != nil || small != "" {
			t.Errorf("%s: %v %s", path, err, small)
		}
	}
}

func TestThePreviewStaysInViewWhileTheFormIsFilled(t *testing.T) {
	t.Parallel()
	d := startDemo(t)
	b := newProfile(t, true)
	admin := enterAdmin(t, b, d)
	call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 1280, Height: 720, DeviceScaleFactor: 1})
	b.open(admin + "/issue?job=api")
	if _, err := read[bool](b, `document.querySelector("#i-unrecorded").scrollIntoView({block: "end"}); true`); err != nil {
		t.Fatal(err)
	}
	b.holds("the page was moved", `scrollY > 300`)
	b.holds("the preview is in view", `document.querySelector("#preview").getBoundingClientRect().top >= 0`)
	b.behaved(d.URL)
}

// The end of a pass was the last of ten columns, out of sight on most screens.
func TestTheEndsOfPassesAreInViewAt1280(t *testing.T) {
	t.Parallel()
	d := startDemo(t)
	b := newProfile(t, false)
	admin := enterAdmin(t, b, d)
	call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 1280, Height: 720, DeviceScaleFactor: 1})
	b.open(admin + "/passes")
	b.holds("the column Ends is in view", `(() => {
		const end = [...document.querySelectorAll("thead th")].find(h => h.textContent === "Ends").getBoundingClientRect().right;
		return end <= document.querySelector(".table-wrap").getBoundingClientRect().right;
	})()`)
}

// On paper there is what was asked for: links whole, QR codes, tables that are not cut
// off, and nothing to press.
func TestTheAdminIsPrintedWithoutItsNavigation(t *testing.T) {
	t.Parallel()
	d := startDemo(t)
	b := newProfile(t, true)
	aPass(t, b, d)
	admin := enterAdmin(t, b, d)
	b.open(admin + "/issue?job=invite")
	b.click(`form[action$="/issue"] button.primary`)
	b.sees("Issued")
	const a4 = 794
	call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: a4, Height: 1123, DeviceScaleFactor: 1})
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
	b.holds("the QR code is there", `document.querySelector(".qr").checkVisibility()`)
	b.holds("the link is there, whole and once", `(() => {
		const link = document.querySelector("[data-copy]").dataset.copy, seen = document.querySelector(".facts").innerText;
		return seen.split(link).length === 2;
	})()`)
	for _, path := range append([]string{""}, adminPages...) {
		if path != "" {
			b.open(admin + path)
		}
		checkWidth(b, "printed, "+path, a4)
		b.holds(path+": nothing is there to press", `[...document.querySelectorAll("nav a:not(.tabs > [aria-current]), .find, .filters, .foot, main button, main a.button:not([aria-current])")].every(e => !e.checkVisibility())`)
		b.holds(path+": no table is cut off", `[...document.querySelectorAll(".table-wrap")].every(w => w.scrollWidth <= w.clientWidth)`)
	}
}

func TestLongTextsDoNotMoveAPageSideways(t *testing.T) {
	t.Parallel()
	d := startDemo(t)
	b := newProfile(t, false)
	admin := enterAdmin(t, b, d)
	long := strings.Repeat("w", 200)
	call(b, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: "Agent/" + long + long})
	b.open(admin + "/issue")
	b.do("filling the form", chromedp.SendKeys(chromedp.CSS("#i-scope"), long[:90]))
	for _, field := range []string{"#i-subject", "#i-recipient", "#i-batch"} {
		b.do("filling the form", chromedp.SendKeys(chromedp.CSS(field), long))
	}
	const phone = 360
	call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: phone, Height: 740, DeviceScaleFactor: 1})
	b.click(`form[action$="/issue"] button[formaction]`)
	checkWidth(b, "the preview", phone)
	b.do("naming a page", chromedp.SetValue(chromedp.CSS("#i-url"), d.URL+"/"+long+long))
	b.click(`form[action$="/issue"] button.primary`)
	b.sees("Issued")
	checkWidth(b, "issued", phone)
	b.click(`main .buttons a[href*="/pass?id="]`)
	b.sees("Pass")
	pass := b.address()
	q := url.QueryEscape(long)
	for _, path := range append([]string{
		strings.TrimPrefix(pass, admin), "/campaign?batch=" + q, "/revoke?batch=" + q, "/passes?q=" + q, "/passes?subject=" + q, "/events?actor=" + q, "/pass?id=" + q,
	}, adminPages...) {
		b.open(admin + path)
		checkWidth(b, path[:min(len(path), 40)], phone)
	}
	b.open(admin + "/passes?q=" + q)
	b.holds("a long word makes no column wide", `[...document.querySelectorAll("tbody td")].every(c => c.offsetWidth <= 400)`)
	b.open(admin + "/")
	b.do("searching", chromedp.SendKeys(chromedp.CSS("#find"), "eyJ"+long))
	b.click(".find button")
	checkWidth(b, "nothing found", phone)
}
