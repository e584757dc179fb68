package login_test

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/hallpass-go/hallpass/internal/needs"
	"github.com/hallpass-go/hallpass/login"
)

// tab is a page in a real browser, on the smallest screen that is promised to work.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu     sync.Mutex
	faults []string
}

const narrow = 320

func newTab(t *testing.T, parent context.Context, site string, opts ...chromedp.ContextOption) *tab {
	t.Helper()
	b := &tab{t: t}
	ctx, end := chromedp.NewContext(parent, append(opts, chromedp.WithListener(func(ev any) {
		b.mu.Lock()
		defer b.mu.Unlock()
		switch ev := ev.(type) {
		case *network.EventRequestWillBeSent:
			if u := ev.Request.URL; !strings.HasPrefix(u, site) && !strings.HasPrefix(u, "data:") && u != "about:blank" {
				b.faults = append(b.faults, "another host was asked: "+u)
			}
		case *runtime.EventExceptionThrown:
			b.faults = append(b.faults, "exception: "+ev.ExceptionDetails.Text)
		case *log.EventEntryAdded:
			// Where the page's field has the focus before the browser gives it, there is
			// nothing to give: it says so, and nothing is wrong.
			if ev.Entry.Source != "network" && !strings.HasPrefix(ev.Entry.Text, "Autofocus processing was blocked") {
				b.faults = append(b.faults, "log: "+ev.Entry.Text)
			}
		}
	}))...)
	t.Cleanup(end)
	b.ctx = ctx
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.EmulateViewport(narrow, 640))
	return b
}

func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 30*time.Second)
	defer cancel()
	for _, action := range actions {
		if err := chromedp.Do(ctx, action); err != nil {
			b.t.Fatal(err)
		}
	}
}

func evaluate[T any](b *tab, expression string) (T, error) {
	ctx, cancel := context.WithTimeout(b.ctx, 30*time.Second)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// shows waits until a text is on the page, and looks at the page.
func (b *tab) shows(text string) {
	b.t.Helper()
	var last string
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		got, err := evaluate[string](b, `document.readyState === "complete" ? document.body.innerText : ""`)
		if last = got; err != nil || !strings.Contains(got, text) {
			continue
		}
		if width, err := evaluate[int](b, `document.documentElement.scrollWidth`); err != nil || width > narrow {
			b.t.Errorf("%q: the page is %d wide, %v", text, width, err)
		}
		b.mu.Lock()
		faults := b.faults
		b.mu.Unlock()
		if len(faults) > 0 {
			b.t.Errorf("%q: %q", text, faults)
		}
		if folder := os.Getenv("HALLPASS_PICTURES"); folder != "" {
			if picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot()); err == nil {
				name := "login-" + strings.Map(func(r rune) rune {
					if r >= 'a' && r <= 'z' {
						return r
					}
					return -1
				}, strings.ToLower(text)) + ".png"
				if err := os.WriteFile(filepath.Join(folder, name), picture, 0o644); err != nil {
					b.t.Error(err)
				}
			}
		}
		return
	}
	b.t.Fatalf("the page does not say %q:\n%s", text, last)
}

func (b *tab) click(selector string) {
	b.t.Helper()
	b.do(chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}

// enter puts text into the field at once, as pasting does.
func (b *tab) enter(selector, text string) {
	b.t.Helper()
	if _, err := evaluate[bool](b, `(document.querySelector('`+selector+`').focus(), document.execCommand("insertText", false, '`+text+`'))`); err != nil {
		// The page may go on before it answers.
		b.t.Log(err)
	}
}

func TestARealBrowserLogsIn(t *testing.T) {
	t.Parallel()
	allocator, stop := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(needs.Chromium(t)), chromedp.UserDataDir(t.TempDir()), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck, chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-dev-shm-usage", true))
	t.Cleanup(stop)
	chrome, closeChrome := chromedp.NewContext(allocator)
	t.Cleanup(closeChrome)
	if err := chromedp.Do(chrome); err != nil {
		t.Fatal(err)
	}
	s := newSite(t, nil)
	first := newTab(t, chrome, s.server.URL, chromedp.WithNewBrowserContext())
	first.do(chromedp.Navigate(s.server.URL + "/account?tab=2"))
	first.shows("Your e-mail address")
	first.enter("#email", "hugo@example.com")
	first.click("form button")
	first.shows("Look into your mail")
	first.shows("seconds") // the countdown of the resend button, which waits for it
	if disabled, err := evaluate[bool](first, `document.querySelectorAll("form")[1].querySelector("button").disabled`); err != nil || !disabled {
		t.Errorf("the mail could be sent again at once: %v", err)
	}
	m := s.outbox.wait(t, "hugo@example.com", 1)
	for _, c := range wrongCode(m.Data["code"], 0) { // typed one by one it waits for the button
		first.enter("#code", string(c))
	}
	first.click("form button")
	first.shows("That was not the code")

	phone := newTab(t, chrome, s.server.URL, chromedp.WithNewBrowserContext())
	phone.do(chromedp.Navigate(m.Data["link"]))
	phone.shows("Did you begin this?")
	phone.click(`button[value="code"]`)
	phone.shows("Type this code on the other device")
	code, err := evaluate[string](phone, `document.querySelector(".code-shown code").textContent`)
	if err != nil || len(code) != 6 {
		t.Fatalf("%d characters, %v", len(code), err)
	}
	first.enter("#code", wrongCode(code, 7)) // after a wrong code nothing goes by itself
	time.Sleep(300 * time.Millisecond)
	if value, err := evaluate[string](first, `document.querySelector("#code").value`); err != nil || value != wrongCode(code, 7) {
		t.Errorf("the second code went by itself: the field has %q, %v", value, err)
	}
	first.do(chromedp.Navigate(s.server.URL + "/login"))
	first.shows("Look into your mail")
	first.enter("#code", code[:3]+" "+code[3:])
	first.shows("who=hugo@example.com")
	at, err := evaluate[string](first, `location.href`)
	if u, parseErr := url.Parse(at); err != nil || parseErr != nil || u.RequestURI() != "/account?tab=2" {
		t.Errorf("the browser is at %s, %v", at, err)
	}
	phone.do(chromedp.Navigate(m.Data["link"]))
	phone.shows("This was used already")
	if strings.Contains(s.log.String(), strings.TrimPrefix(m.Data["link"], s.server.URL+"/login/link?"+login.LinkParam+"=")) {
		t.Error("the log has the link")
	}
}
