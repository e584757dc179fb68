package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// Promise is one thing the site promises, and whether it kept it.
type Promise struct {
	Text string `json:"promise"`
	Kept bool   `json:"kept"`
	// Why says what was seen instead; empty when it was kept.
	Why string `json:"why,omitempty"`
}

// Check walks every flow of a running site as a browser would, and once as a
// mail scanner would, over HTTP alone. It calls report for each promise in turn
// and returns whether all were kept.
func Check(ctx context.Context, baseURL string, report func(Promise)) bool {
	kept := true
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	for _, p := range []struct {
		text string
		walk func(*visitor) error
	}{
		{"every page of the site answers", walkPages},
		{"a mail scanner that opens, fetches ahead and follows everything uses nothing up and is signed in nowhere", walkScanner},
		{"a person unsubscribes by link, after one press, without logging in", walkUnsubscribe},
		{"the link works once: a second press is told so, and a double click is one use", walkSpent},
		{"fifty browsers that press at once: one is honoured, forty-nine are told it is spent", walkRace},
		{"a mail program unsubscribes by one POST, and a forged token gets the same answer", walkOneClick},
		{"an invitation carries its payload to anyone, ten times and not eleven", walkInvitation},
		{"a sign-in link signs its owner in, once, and the token leaves the address", walkLogin},
		{"the browser that asked for a sign-in link goes straight in", walkAskingBrowser},
		{"a mailed code signs its reader in, once, in the browser that asked and in no other", walkCode},
		{"of any number of wrong codes five are looked at, and the mail's own link still works", walkGuesses},
		{"a sign-in link opened on another device signs nobody in there, and shows a code that works where it was asked for", walkOtherDevice},
		{"a scoped token reads the reports and nothing else, however the path is spelled", walkAPI},
		{"a changed token is refused without a hint", walkForged},
		{"a pass that was taken back stops at once", walkRevoked},
		{"the audit trail names every use, and no page of it shows a token", walkAudit},
	} {
		v := &visitor{ctx: ctx, base: baseURL, transport: transport}
		promise := Promise{Text: p.text, Kept: true}
		if err := p.walk(v); err != nil {
			promise.Kept, promise.Why, kept = false, err.Error(), false
		}
		report(promise)
	}
	return kept
}

// visitor is a browser, or whatever a walk makes of it.
type visitor struct {
	ctx       context.Context
	base      string
	transport *http.Transport
	client    *http.Client
}

type seen struct {
	status int
	body   string
	header http.Header
}

// fresh is another browser, with cookies of its own.
func (v *visitor) fresh() *visitor {
	jar, _ := cookiejar.New(nil) // it fails for options only
	return &visitor{ctx: v.ctx, base: v.base, transport: v.transport, client: &http.Client{
		Jar: jar, Timeout: 30 * time.Second, Transport: v.transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (v *visitor) do(method, target, body string, headers ...string) (seen, error) {
	if v.client == nil {
		v.client = v.fresh().client
	}
	if strings.HasPrefix(target, "/") {
		target = v.base + target
	}
	req, err := http.NewRequestWithContext(v.ctx, method, target, strings.NewReader(body))
	if err != nil {
		return seen{}, err
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := v.client.Do(req)
	if err != nil {
		return seen{}, withoutURL(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	return seen{resp.StatusCode, string(text), resp.Header}, err
}

// withoutURL drops the URL that net/http puts in front: it has a token in it.
func withoutURL(err error) error {
	if wrapped, ok := err.(*url.Error); ok {
		return wrapped.Err
	}
	return err
}

// open goes to a page as a person's browser does.
func (v *visitor) open(target string) (seen, error) {
	return v.do(http.MethodGet, target, "", "Accept", "text/html,application/xhtml+xml,*/*;q=0.8",
		"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Sec-Fetch-Site", "none", "Sec-Fetch-User", "?1",
		"User-Agent", "Mozilla/5.0 (hallpass demo check)")
}

var (
	formAction = regexp.MustCompile(`(?s)<form[^>]*action="([^"]*)"`)
	formHidden = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)
	mailLink   = regexp.MustCompile(`<code>(http[^<]*)</code>`)
	mailNumber = regexp.MustCompile(`href="(/inbox/\d+)"`)
)

// press presses the one button of a page, as a form without any script.
func (v *visitor) press(page seen) (seen, error) {
	action := formAction.FindStringSubmatch(page.body)
	if page.status != http.StatusOK || action == nil {
		return seen{}, fmt.Errorf("there is no button to press (status %d)", page.status)
	}
	form := url.Values{}
	for _, hidden := range formHidden.FindAllStringSubmatch(page.body, -1) {
		form.Set(hidden[1], hidden[2])
	}
	return v.do(http.MethodPost, strings.ReplaceAll(action[1], "&amp;", "&"), form.Encode(), "Accept", "text/html",
		"Origin", "null", "Sec-Fetch-Site", "same-origin", "User-Agent", "Mozilla/5.0 (hallpass demo check)")
}

// links asks the site for a fresh link of each kind.
func (v *visitor) links() (map[string]string, error) {
	page, err := v.do(http.MethodGet, "/links.json", "")
	if err != nil {
		return nil, err
	}
	links := map[string]string{}
	if err := json.Unmarshal([]byte(page.body), &links); err != nil {
		return nil, fmt.Errorf("/links.json: %w", err)
	}
	return links, nil
}

// latestMail follows the newest mail in the inbox to its link.
func (v *visitor) latestMail() (string, error) {
	inbox, err := v.open("/inbox")
	if err != nil {
		return "", err
	}
	number := mailNumber.FindStringSubmatch(inbox.body)
	if number == nil {
		return "", fmt.Errorf("the inbox is empty")
	}
	mail, err := v.open(number[1])
	if err != nil {
		return "", err
	}
	link := mailLink.FindStringSubmatch(mail.body)
	if link == nil {
		return "", fmt.Errorf("the mail has no link")
	}
	return strings.ReplaceAll(link[1], "&amp;", "&"), nil
}

// expect checks the status and that a text is there.
func expect(what string, got seen, err error, status int, part string) error {
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", what, err)
	case got.status != status:
		return fmt.Errorf("%s: status %d, want %d", what, got.status, status)
	case !strings.Contains(got.body, part):
		return fmt.Errorf("%s: %q is not in the answer", what, part)
	}
	return nil
}

func walkPages(v *visitor) error {
	for _, path := range []string{"/", "/inbox", "/newsletter", "/login", "/developers", "/audit"} {
		got, err := v.open(path)
		if err := expect(path, got, err, http.StatusOK, "</main>"); err != nil {
			return err
		}
		if got.header.Get("Content-Security-Policy") == "" {
			return fmt.Errorf("%s: no content security policy", path)
		}
	}
	return nil
}

func walkScanner(v *visitor) error {
	links, err := v.links()
	if err != nil {
		return err
	}
	for _, name := range []string{"unsubscribe", "login"} {
		link := links[name]
		scanner := v.fresh()
		for _, step := range [][]string{
			{"HEAD"}, {"OPTIONS"}, {"GET"}, {"GET", "Sec-Purpose", "prefetch;prerender"}, {"GET", "Purpose", "prefetch"}, {"GET"},
		} {
			got, err := scanner.do(step[0], link, "", step[1:]...)
			if err != nil {
				return err
			}
			if strings.Contains(strings.Join(got.header.Values("Set-Cookie"), " "), "corridor_session") {
				return fmt.Errorf("a %s of the %s link began a session", step[0], name)
			}
			if got.header.Get("Location") != "" {
				return fmt.Errorf("a %s of the %s link redirects", step[0], name)
			}
		}
		if got, err := scanner.open("/account"); err != nil || got.status != http.StatusForbidden {
			return fmt.Errorf("the scanner sees the account page: status %d, %v", got.status, err)
		}
		reader := v.fresh()
		page, err := reader.open(link)
		if err := expect("the reader's page", page, err, http.StatusOK, "<form"); err != nil {
			return err
		}
		if got, err := reader.press(page); err != nil || got.status >= 400 {
			return fmt.Errorf("the reader's press of the %s link: status %d, %v", name, got.status, err)
		}
	}
	return nil
}

func walkUnsubscribe(v *visitor) error {
	if _, err := v.do(http.MethodPost, "/newsletter/subscribe", "address=greta%40example.com"); err != nil {
		return err
	}
	if got, err := v.do(http.MethodPost, "/newsletter/send", ""); err != nil || got.status != http.StatusSeeOther {
		return fmt.Errorf("sending the newsletter: status %d, %v", got.status, err)
	}
	link, err := v.latestMail()
	if err != nil {
		return err
	}
	reader := v.fresh()
	page, err := reader.open(link)
	if err := expect("the page with the button", page, err, http.StatusOK, "Unsubscribe"); err != nil {
		return err
	}
	done, err := reader.press(page)
	return expect("after the press", done, err, http.StatusOK, "You are unsubscribed")
}

func walkSpent(v *visitor) error {
	links, err := v.links()
	if err != nil {
		return err
	}
	page, err := v.open(links["unsubscribe"])
	if err != nil {
		return err
	}
	var clicks sync.WaitGroup
	answers := make([]error, 2)
	for i := range answers {
		clicks.Go(func() {
			got, err := v.press(page)
			answers[i] = expect("a double click", got, err, http.StatusOK, "You are unsubscribed")
		})
	}
	clicks.Wait()
	for _, err := range answers {
		if err != nil {
			return err
		}
	}
	again, err := v.fresh().open(links["unsubscribe"])
	return expect("the link again", again, err, http.StatusForbidden, "spent")
}

func walkRace(v *visitor) error {
	links, err := v.links()
	if err != nil {
		return err
	}
	const browsers = 50
	pages := make([]seen, browsers)
	visitors := make([]*visitor, browsers)
	for i := range browsers {
		visitors[i] = v.fresh()
		if pages[i], err = visitors[i].open(links["unsubscribe"]); err != nil {
			return err
		}
	}
	var race sync.WaitGroup
	results := make([]string, browsers)
	start := make(chan struct{})
	for i := range browsers {
		race.Go(func() {
			<-start
			got, err := visitors[i].press(pages[i])
			switch {
			case err != nil:
				results[i] = err.Error()
			case got.status == http.StatusOK:
				results[i] = "honoured"
			case got.status == http.StatusForbidden && strings.Contains(got.body, "spent"):
				results[i] = "spent"
			default:
				results[i] = fmt.Sprintf("status %d", got.status)
			}
		})
	}
	close(start)
	race.Wait()
	count := map[string]int{}
	for _, r := range results {
		count[r]++
	}
	if count["honoured"] != 1 || count["spent"] != browsers-1 {
		var parts []string
		for _, r := range slices.Sorted(maps.Keys(count)) {
			parts = append(parts, fmt.Sprintf("%d %s", count[r], r))
		}
		return fmt.Errorf("%s", strings.Join(parts, ", "))
	}
	return nil
}

func walkOneClick(v *visitor) error {
	links, err := v.links()
	if err != nil {
		return err
	}
	forged := v.base + "/newsletter/unsubscribe?rt=forged"
	var bodies []string
	for _, link := range []string{links["unsubscribe"], links["unsubscribe"], forged} {
		got, err := v.fresh().do(http.MethodPost, link, "List-Unsubscribe=One-Click")
		if err := expect("the one-click POST", got, err, http.StatusOK, ""); err != nil {
			return err
		}
		bodies = append(bodies, got.body)
	}
	if bodies[0] != bodies[2] {
		return fmt.Errorf("a forged token is told apart")
	}
	again, err := v.fresh().open(links["unsubscribe"])
	return expect("the link afterwards", again, err, http.StatusForbidden, "spent")
}
