package e2e_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	core "github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/guard"
	"github.com/hallpass-go/hallpass/internal/mailbox"
	"github.com/hallpass-go/hallpass/memstore"
)

// sendings are the ways in which a script sends the first form of a page though
// nobody pressed its button. Each is given the form and its button.
var sendings = map[string]string{
	"submit":          `form.submit()`,
	"requestSubmit":   `form.requestSubmit(button)`,
	"click":           `button.click()`,
	"a made-up event": `button.dispatchEvent(new MouseEvent("click", {bubbles: true, cancelable: true, view: window}))`,
	"a frame": `(() => {
		const frame = document.createElement("iframe"); frame.name = "robot"; document.body.append(frame);
		form.target = "robot"; form.requestSubmit(button);
	})()`,
	"fetch": `fetch(form.action, {method: "POST", body: new URLSearchParams(new FormData(form, button)), credentials: "include"}).then(r => r.text())`,
}

// sends opens a link and sends the form of its page by script, and that of the page
// which follows, as a robot that opened everything would.
func (b *tab) sends(link, how string) {
	b.t.Helper()
	call(b, page.SetBypassCSP, page.SetBypassCSPParams{Enabled: true}) // a robot keeps to no policy
	b.open(link)
	for range 2 {
		_, err := read[any](b, `(() => {
			const form = document.querySelector("main form"), button = form?.querySelector("button");
			const sent = form ? `+how+` : null;
			return sent instanceof Promise ? sent.then(() => null) : null;
		})()`)
		if err != nil && !strings.Contains(err.Error(), "navigated") && !strings.Contains(err.Error(), "context") {
			b.t.Fatalf("the robot's script: %v", err)
		}
		time.Sleep(500 * time.Millisecond) // what it sent arrives
		b.eventually(`document.readyState === "complete"`)
	}
}

func TestARobotThatSendsFormsByScriptGetsNothing(t *testing.T) {
	t.Parallel()
	for name, how := range sendings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := startDemo(t)
			for _, row := range []struct{ link, asks, ends string }{
				{"unsubscribe", "Leave the newsletter?", "You are unsubscribed"},
				{"login", "Is this you?", "You are signed in"},
			} {
				robot := newProfile(t, true)
				robot.sends(d.Links[row.link], how)
				if robot.cookies()["corridor_session"] {
					t.Errorf("%s: the robot has a session", row.link)
				}
				if robot.says(row.ends) {
					t.Errorf("%s: the robot is in", row.link)
				}
				reader := newProfile(t, true)
				reader.open(d.Links[row.link])
				reader.sees(row.asks)
				reader.click("main form button")
				reader.sees(row.ends)
				reader.behaved(d.URL)
			}
		})
	}
}

// Where a browser tells nothing of presses, its owner is not locked out: the page
// asks for one tick more.
func TestWhoeverIsTakenForARobotTicksABox(t *testing.T) {
	t.Parallel()
	withAndWithoutScripts(t, func(t *testing.T, scripts bool) {
		d := startDemo(t)
		b := newProfile(t, scripts)
		b.shrink()
		b.open(d.Links["unsubscribe"])
		b.sees("Leave the newsletter?")
		if _, err := read[any](b, `document.querySelector("main form").submit()`); err != nil {
			t.Fatal(err)
		}
		b.eventually(`document.querySelector("#pressed") !== null`)
		b.mu.Lock()
		b.complaint = nil // the browser's own, about a page that a script sent
		b.mu.Unlock()
		b.fits(d.URL, "Leave the newsletter?")
		if !b.says("Nothing was done") {
			t.Error("the page does not say that nothing was done")
		}
		b.do("ticking", chromedp.Click(chromedp.CSS("#pressed"), chromedp.NodeVisible))
		if _, err := read[any](b, `document.querySelector("main form").requestSubmit()`); err != nil {
			t.Fatal(err)
		}
		b.sees("You are unsubscribed")
	})
}

func TestARobotThatSendsFormsByScriptLogsNobodyIn(t *testing.T) {
	t.Parallel()
	box := mailbox.Start(t, nil)
	s := startLogin(t, sqliteFile(t), box, nil)
	for name, how := range sendings {
		address := strings.ReplaceAll(name, " ", "-") + "@example.com"
		robot, reader := newProfile(t, true), newProfile(t, true)
		reader.shrink()
		mail := asksForMail(reader, s, box, strings.ToLower(address))
		robot.sends(mail.link, how)
		if robot.cookies()["hallpass-login-session"] {
			t.Errorf("%s: the robot is logged in", name)
		}
		reader.open(mail.link)
		reader.click(`form[action="/.hallpass/login/link"] button`)
		reader.isIn(s)
	}
}

// pressing is a site with a link whose mail has a code in it, and with one without.
func pressing(t *testing.T) (link func(path string, spec core.Spec) (string, core.Pass), code func(core.Pass) string, site string) {
	t.Helper()
	key, err := core.GenerateKey(core.HS256)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := core.NewKeyring(key)
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := core.New(core.Config{Keys: keys, Instance: "robots", Store: memstore.New()})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	g, err := guard.New(guard.Config{Issuer: issuer, BaseURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	done := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<!doctype html><link rel="icon" href="data:,"><h1>Approved</h1>`))
	})
	mux.Handle("/button", g.Require("approve", nil)(done))
	mux.Handle("/code", g.Require("approve", &guard.Options{TypedCode: true})(done))
	link = func(path string, spec core.Spec) (string, core.Pass) {
		issued, err := issuer.Issue(context.Background(), spec)
		if err != nil {
			t.Fatal(err)
		}
		url, err := g.Link(path, issued.Token)
		if err != nil {
			t.Fatal(err)
		}
		said.secret(url)
		return url, issued.Pass
	}
	code = func(p core.Pass) string {
		text, err := g.Code(p)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	return link, code, server.URL
}

// A robot that moves a mouse and presses the button is a reader to us: docs/security.md
// says so. The code that is only in the mail stops it.
func TestARobotThatReallyPressesIsStoppedByATypedCodeAlone(t *testing.T) {
	t.Parallel()
	link, code, site := pressing(t)
	spec := core.Spec{Scope: "approve", Mode: core.ModeRequest, Subject: "greta", MaxUses: 1, Data: json.RawMessage(`{}`)}

	open, _ := link("/button", spec)
	robot, reader := newProfile(t, true), newProfile(t, true)
	robot.open(open)
	robot.click("main form button")
	robot.sees("Approved") // the documented limit
	reader.open(open)
	reader.sees("This link has been used up")

	open, pass := link("/code", spec)
	robot = newProfile(t, true)
	robot.open(open)
	for _, typed := range []string{"", "000000", "123456"} {
		if typed == code(pass) {
			continue
		}
		robot.do("typing", chromedp.SendKeys(chromedp.CSS(`main form input[name="code"]`), typed))
		robot.do("pressing", chromedp.Click(chromedp.CSS("main form button"), chromedp.NodeVisible))
		time.Sleep(300 * time.Millisecond)
		if robot.says("Approved") {
			t.Fatal("the robot is in without the code")
		}
	}
	reader.open(open)
	reader.do("typing", chromedp.SendKeys(chromedp.CSS(`main form input[name="code"]`), code(pass)))
	reader.click("main form button")
	reader.sees("Approved")
	reader.behaved(site)
}
