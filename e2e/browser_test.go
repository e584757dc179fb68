package e2e_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"

	"github.com/hallpass-go/hallpass/internal/needs"
)

// actionTime bounds one thing done in a browser.
const actionTime = 30 * time.Second

// chrome is the one browser of the run, started when a test first needs it. Each
// test has profiles of its own in it.
var chrome browser

type browser struct {
	mu    sync.Mutex
	ctx   context.Context
	end   []func()
	clean string
}

func (b *browser) open(path string) (context.Context, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ctx != nil {
		return b.ctx, nil
	}
	dir, err := os.MkdirTemp("", "hallpass-chromium-")
	if err != nil {
		return nil, err
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(path), chromedp.UserDataDir(dir),
		chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-default-apps", true),
		chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("password-store", "basic"),
	)
	ctx, closeBrowser := chromedp.NewContext(allocator)
	b.end, b.clean = []func(){closeBrowser, stop}, dir
	if err := chromedp.Do(ctx); err != nil {
		return nil, err
	}
	b.ctx = ctx
	return ctx, nil
}

func (b *browser) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, end := range b.end {
		end()
	}
	if b.clean != "" {
		os.RemoveAll(b.clean)
	}
}

// tab is a page in a browser, and everything it did.
type tab struct {
	t       testing.TB
	ctx     context.Context
	scripts bool
	// examine, when set, has a look at each page that fits checks.
	examine func(page string)

	mu        sync.Mutex
	requested []string // URLs
	ahead     []string // URLs that were fetched ahead, as the browser itself says
	complaint []string // console errors, exceptions, reported issues
}

// newProfile opens a tab with cookies of its own: another person's browser, or
// another of the same person.
func newProfile(t testing.TB, scripts bool) *tab {
	t.Helper()
	ctx, err := chrome.open(needs.Chromium(t))
	if err != nil {
		t.Fatalf("starting the browser: %v", err)
	}
	return newTab(t, ctx, scripts, chromedp.WithNewBrowserContext())
}

// another opens another tab of the same profile.
func (b *tab) another() *tab { return newTab(b.t, b.ctx, b.scripts) }

func newTab(t testing.TB, parent context.Context, scripts bool, opts ...chromedp.ContextOption) *tab {
	t.Helper()
	b := &tab{t: t, scripts: scripts}
	ctx, end := chromedp.NewContext(parent, append(opts, chromedp.WithListener(b.listen))...)
	t.Cleanup(end)
	b.ctx = ctx
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("opening a tab: %v", err)
	}
	call(b, audits.Enable, cdp.Empty{})
	if !scripts {
		call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	}
	return b
}

func (b *tab) listen(ev any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch ev := ev.(type) {
	case *network.EventRequestWillBeSent:
		b.requested = append(b.requested, ev.Request.URL)
	case *network.EventRequestWillBeSentExtraInfo:
		for name, value := range ev.Headers {
			if strings.EqualFold(name, "Sec-Purpose") {
				b.ahead = append(b.ahead, fmt.Sprint(value))
			}
		}
	case *runtime.EventConsoleAPICalled:
		if ev.Type == "error" || ev.Type == "warning" || ev.Type == "assert" {
			b.complaint = append(b.complaint, "console: "+string(ev.Type))
		}
	case *runtime.EventExceptionThrown:
		b.complaint = append(b.complaint, "exception: "+ev.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		// A page that is itself a 403 is logged as a resource that failed.
		if ev.Entry.Source == "network" && strings.Contains(ev.Entry.Text, "status of 4") {
			return
		}
		if ev.Entry.Level == log.EntryLevelError || ev.Entry.Level == log.EntryLevelWarning {
			b.complaint = append(b.complaint, "log: "+string(ev.Entry.Source)+": "+ev.Entry.Text)
		}
	case *audits.EventIssueAdded:
		text := "issue: " + string(ev.Issue.Code)
		if ev.Issue.Details != nil && ev.Issue.Details.ContentSecurityPolicyIssueDetails != nil {
			text += ": " + ev.Issue.Details.ContentSecurityPolicyIssueDetails.ViolatedDirective
		}
		if ev.Issue.Details != nil && ev.Issue.Details.GenericIssueDetails != nil {
			text += ": " + string(ev.Issue.Details.GenericIssueDetails.ErrorType)
		}
		b.complaint = append(b.complaint, text)
	}
}

// call gives the browser a command about the tab.
func call[P, R any](b *tab, command cdp.Command[P, R], params P) R {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, actionTime)
	defer cancel()
	got, err := chromedp.Call(ctx, command, params)
	if err != nil {
		b.t.Fatalf("%s: %v", command.Method, err)
	}
	return got
}

func (b *tab) do(what string, action chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, actionTime)
	defer cancel()
	if err := chromedp.Do(ctx, action); err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
}

// read asks the page for something, through the debugger: it works where scripts
// are off.
func read[T any](b *tab, expression string) (T, error) {
	ctx, cancel := context.WithTimeout(b.ctx, actionTime)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// open types an address.
func (b *tab) open(target string) {
	b.t.Helper()
	b.do("opening a page", chromedp.Navigate(target))
}

// click moves the mouse there, presses it, and waits for the page that follows.
func (b *tab) click(selector string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, actionTime)
	defer cancel()
	press := chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible)
	if _, err := chromedp.Run(ctx, chromedp.WaitEvent(page.LoadEventFired, nil, press)); err != nil {
		b.t.Fatalf("clicking %s: %v", selector, err)
	}
}

// sees waits until the page's heading is this one.
func (b *tab) sees(heading string) {
	b.t.Helper()
	var last string
	for deadline := time.Now().Add(actionTime); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		got, err := read[string](b, `document.readyState === "complete" ? document.querySelector("h1")?.textContent ?? "" : ""`)
		if err != nil {
			continue // the page is being replaced
		}
		if last = got; got == heading {
			return
		}
	}
	b.t.Fatalf("the page says %q, not %q", last, heading)
}

// says reports whether a text is on the page.
func (b *tab) says(text string) bool {
	b.t.Helper()
	got, err := read[string](b, `document.body.innerText`)
	if err != nil {
		b.t.Fatal(err)
	}
	return strings.Contains(got, text)
}

// address is what the address bar shows.
func (b *tab) address() string {
	b.t.Helper()
	got, err := read[string](b, `location.href`)
	if err != nil {
		b.t.Fatal(err)
	}
	return got
}

// cookies are the names of the profile's cookies.
func (b *tab) cookies() map[string]bool {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, actionTime)
	defer cancel()
	got, err := chromedp.CallBrowser(ctx, storage.GetCookies, storage.GetCookiesParams{
		BrowserContextID: chromedp.FromContext(b.ctx).BrowserContextID,
	})
	if err != nil {
		b.t.Fatal(err)
	}
	names := map[string]bool{}
	for _, c := range got.Cookies {
		names[c.Name] = true
	}
	return names
}

// behaved checks that a tab asked no other host than the site's and that nothing
// was wrong with any page it showed.
func (b *tab) behaved(site string) {
	b.t.Helper()
	for _, fault := range b.faults(site) {
		b.t.Error(fault)
	}
}

func (b *tab) faults(site string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	found := slices.Clone(b.complaint)
	if len(b.requested) == 0 {
		found = append(found, "no request was seen")
	}
	for _, requested := range b.requested {
		u, err := url.Parse(requested)
		if err != nil || u.Scheme != "data" && u.Scheme != "about" && u.Scheme+"://"+u.Host != site {
			found = append(found, "another host was asked: "+u.Host)
		}
	}
	return found
}
