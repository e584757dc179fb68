package login_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass/login"
)

func TestScannersWalkALinkAndItsReaderStillGetsIn(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	reader, scanner := s.browser(), s.browser()
	_, m := s.askByPage(reader, "hugo@example.com", "/account")
	link := s.linkOf(m)
	for range 2 {
		for _, method := range []string{"HEAD", "GET", "OPTIONS"} {
			for _, headers := range [][]string{nil, {"Accept", "text/html"}, {"Sec-Purpose", "prefetch"}, {"Purpose", "prefetch"}, {"X-Moz", "prefetch"}, {"X-Purpose", "preview"}} {
				a := scanner.do(method, link, "", headers...)
				if len(a.header.Values("Set-Cookie")) > 1 || a.setCookie("hallpass-access") != nil || a.header.Get("Location") != "" {
					t.Errorf("%s %v: %d %v", method, headers, a.status, a.header)
				}
				if method == "HEAD" && (a.status != 200 || len(a.header.Values("Set-Cookie")) != 0) {
					t.Errorf("HEAD: %d %v", a.status, a.header)
				}
			}
		}
	}
	page := reader.open(link)
	want(t, page, 200, "Sign in as hugo@example.com")
	if strings.Contains(page.body, "<script") {
		t.Error("the page has a script")
	}
	if n := strings.Count(page.body, `type="submit"`); n != 1 {
		t.Errorf("%d buttons where the login began", n)
	}
	done := reader.press(page, 0, "step", "continue")
	if done.status != 303 || done.header.Get("Location") != "/account" {
		t.Fatalf("%d %v %s", done.status, done.header, done.body)
	}
	want(t, reader.open("/account"), 200, "who=hugo@example.com")
	want(t, reader.open(link), 403, "This was used already")
	want(t, reader.press(page, 0, "step", "continue"), 403, "This was used already")
}

func TestAScriptThatSendsThePagesFormContinuesNowhere(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	first, robot := s.browser(), s.browser()
	_, m := s.askByPage(first, "hugo@example.com", "/account")
	robot.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
	page := robot.open(s.linkOf(m))
	robot.headers["Sec-Fetch-Mode"] = "navigate"
	for _, step := range []string{"continue", "code", "continue"} {
		page = robot.press(page, 0, "step", step)
		want(t, page, 200, `name="pressed"`)
		if shownCode.MatchString(page.body) {
			t.Error("the robot got a code")
		}
	}
	if a := robot.press(page, 0, "step", "continue", "pressed", "yes"); a.status != 303 {
		t.Errorf("with a tick: %d %s", a.status, a.body)
	}
}

func TestALinkOnAnotherDeviceSaysWhereItBegan(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	first, phone := s.browser(), s.browser()
	first.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
	_, m := s.askByPage(first, "hugo@example.com", "/account")
	s.clock.Pass(2 * time.Minute)
	page := phone.open(s.linkOf(m))
	for _, part := range []string{"Firefox on Linux", "127.0.0.•••", "2 minutes ago", "Continue here as hugo@example.com", "Show a code for the other device"} {
		want(t, page, 200, part)
	}
	if strings.Contains(page.body, "127.0.0.1") {
		t.Error("the page shows the whole address")
	}
	if a := phone.press(page, 0, "step", "continue"); a.status != 303 || a.header.Get("Location") != "/account" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	want(t, phone.open("/account"), 200, "who=hugo@example.com")
	if a := first.open("/account"); a.status != 303 {
		t.Errorf("the first browser was signed in from afar: %d", a.status)
	}
}

var shownCode = regexp.MustCompile(`class="code-shown"[^>]*><code>([0-9]+)</code>`)

func TestACodeIsHandedOver(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	first, phone := s.browser(), s.browser()
	waiting, m := s.askByPage(first, "hugo@example.com", "/account")
	page := phone.open(s.linkOf(m))
	shown := phone.press(page, 0, "step", "code")
	code := shownCode.FindStringSubmatch(shown.body)
	if shown.status != 200 || code == nil {
		t.Fatalf("%d %s", shown.status, shown.body)
	}
	want(t, shown, 200, "in 2 minutes")
	want(t, phone.press(page, 0, "step", "code"), 403, "is shown once")
	if a := phone.open("/account"); a.status != 303 {
		t.Errorf("showing a code signed the phone in: %d", a.status)
	}
	want(t, phone.form("/login", map[string][]string{"code": {code[1]}}), 403, "There is nothing to read here")
	if a := first.press(waiting, 0, "code", code[1]); a.status != 303 || a.header.Get("Location") != "/account" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	want(t, first.open("/account"), 200, "who=hugo@example.com")
	want(t, phone.open(s.linkOf(m)), 403, "This was used already")
}

func TestHandingOverCanBeSwitchedOff(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *login.Config) { c.NoHandOver = true })
	_, m := s.askByPage(s.browser(), "hugo@example.com", "")
	phone := s.browser()
	page := phone.open(s.linkOf(m))
	if strings.Contains(page.body, "Show a code") {
		t.Error("the button is there")
	}
	want(t, phone.press(page, 0, "step", "code"), 403, "switched off")
	want(t, phone.press(page, 0, "step", "other"), 400, "not one of ours")
	if a := phone.press(page, 0, "step", "continue"); a.status != 303 {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestALinkNamesWhomItWouldReplace(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.browser()
	s.signInByPage(b, "anna@example.com")
	_, m := s.ask(s.app(), "eve@example.com")
	page := b.open(s.linkOf(m))
	want(t, page, 200, "You are signed in here as anna@example.com")
	want(t, page, 200, "Continue here as eve@example.com")
	want(t, b.open("/account"), 200, "who=anna@example.com")
}

func TestALinksTokenIsThereOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.browser()
	_, m := s.askByPage(b, "hugo@example.com", "")
	want(t, b.open(s.linkOf(m)+"&token="+tokenOf(m)), 403, "There is nothing to read here")
	want(t, b.open("/login/link"), 403, "There is nothing to read here")
	a := b.do("POST", "/login/link", "step=continue&token="+tokenOf(m)+"&token=x", "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin")
	if a.status != 400 {
		t.Errorf("two tokens in a form: %d", a.status)
	}
	s.clock.Pass(10 * time.Minute)
	want(t, b.open(s.linkOf(m)), 403, "This has expired")
}

func TestAnAppMayGiveTheMailedLinkWhole(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	_, m := s.ask(s.app(), "hugo@example.com")
	s.app().post("/login/link", `{"token":"`+m.Data["link"]+`"}`).pair(t)
}

func TestAnAppOpensALink(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	_, m := s.ask(s.app(), "hugo@example.com")
	s.app().post("/login/link", `{"token":"`+tokenOf(m)+`"}`).pair(t)
	a := s.app().post("/login/link", `{"token":"`+tokenOf(m)+`"}`)
	if code, _ := a.problem(t); a.status != 403 || code != "spent" {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestMailedLinksLeadToTheOriginThatWasUsed(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *login.Config) {
		c.BaseURL, c.Origins = "https://example.com", []string{"https://example.org"}
		c.Path = "/auth/sign-in"
	})
	for host, origin := range map[string]string{"example.org": "https://example.org", "example.com": "https://example.com", "evil.example": "https://example.com"} {
		begun := s.askAt(host, "/auth/sign-in/code")
		m := s.outbox.waitForFlow(t, begun.header.Get(login.FlowHeader))
		if !strings.HasPrefix(m.Data["link"], origin+"/auth/sign-in/link?") {
			t.Errorf("%s: the link leads to %.40s", host, m.Data["link"])
		}
		if c := begun.setCookie("__Host-hallpass-login"); c == nil || !c.Secure {
			t.Errorf("%s: %v", host, begun.header)
		}
	}
}

// A code that was handed over once took the mail's code and link along, past the ten
// minutes that they may last.
func TestACodeThatIsHandedOverLateDoesNotLengthenTheMailsLife(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	first, phone := s.browser(), s.browser()
	waiting, m := s.askByPage(first, "hugo@example.com", "")
	s.clock.Pass(9*time.Minute + 30*time.Second)
	page := phone.open(s.linkOf(m))
	code := shownCode.FindStringSubmatch(phone.press(page, 0, "step", "code").body)
	if code == nil {
		t.Fatal("no code is shown")
	}
	s.clock.Pass(time.Minute)
	want(t, phone.press(page, 0, "step", "continue"), 403, "This has expired")
	want(t, first.press(waiting, 0, "code", m.Data["code"]), 403, "That was not the code")
	if a := first.press(waiting, 0, "code", code[1]); a.status != 303 {
		t.Errorf("the code that was handed over: %d", a.status)
	}
}
