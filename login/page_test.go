package login_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/login"
)

func TestAPersonLogsInByTheCode(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.browser()
	gone := b.open("/account?tab=2&x=%2F")
	if to := gone.header.Get("Location"); gone.status != 303 || to != "/login?next="+url.QueryEscape("/account?tab=2&x=%2F") {
		t.Fatalf("%d %q", gone.status, to)
	}
	page := b.open(gone.header.Get("Location"))
	want(t, page, 200, `autocomplete="email"`)
	sent := b.press(page, 0, "email", " Hugo@Example.com ")
	if sent.status != 303 || sent.header.Get("Location") != "/login" {
		t.Fatalf("%d %v", sent.status, sent.header)
	}
	m := s.outbox.waitForFlow(t, sent.setCookie("hallpass-login").Value)
	page = b.open("/login")
	for _, part := range []string{`autocomplete="one-time-code"`, `inputmode="numeric"`, "hugo@example.com", "in 10 minutes", "in 1 minute", "Send the mail again", "Use another address"} {
		want(t, page, 200, part)
	}
	wrong := b.press(page, 0, "code", wrongCode(m.Data["code"], 0))
	want(t, wrong, 403, "That was not the code")
	want(t, wrong, 403, `aria-invalid="true"`)
	want(t, b.press(wrong, 0, "code", " "), 400, "Type the code")
	done := b.press(wrong, 0, "code", m.Data["code"][:3]+" "+m.Data["code"][3:])
	if to := done.header.Get("Location"); done.status != 303 || to != "/account?tab=2&x=%2F" {
		t.Fatalf("%d %q", done.status, to)
	}
	want(t, b.open("/account"), 200, "who=hugo@example.com")
	if b.cookie("/", "hallpass-login") != "" {
		t.Error("the flow's cookie is still there")
	}
	want(t, b.open("/login"), 200, `autocomplete="email"`)
}

func TestThePagesAreTheSameForKnownAndUnknownAddresses(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	var pages [2][]string
	for i, email := range []string{"hugo@example.com", "hugo@elsewhere.example"} {
		b := s.browser()
		sent := b.press(b.open("/login"), 0, "email", email)
		page := b.open("/login")
		wrong := b.press(page, 0, "code", "12345") // no code has five digits
		for _, a := range []answer{sent, page, wrong} {
			a.header.Del("Date")
			a.header.Del("Content-Length") // the address is on the page
			for n, cookie := range a.header["Set-Cookie"] {
				name, _, _ := strings.Cut(cookie, "=")
				_, attributes, _ := strings.Cut(cookie, ";")
				a.header["Set-Cookie"][n] = name + attributes
			}
			pages[i] = append(pages[i], fmt.Sprint(a.status, a.header, strings.ReplaceAll(a.body, email, "ADDRESS")))
		}
	}
	if diff := cmp.Diff(pages[0], pages[1]); diff != "" {
		t.Error(diff)
	}
}

func TestThePathWithASlashIsTheSamePage(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	want(t, s.browser().open("/login/"), 200, `autocomplete="email"`)
	want(t, s.browser().open("/login/other"), 404, "not_found")
}

func TestACookieThatBrowsersDropIsInTheLog(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *login.Config) {
		c.Audience = "https://" + strings.Repeat("x", 3000) // claims alone are bounded
	})
	s.signInByPage(s.browser(), "hugo@example.com")
	if !strings.Contains(s.log.String(), "too long for browsers") {
		t.Error("nobody is told")
	}
}

func TestEachLoginIsANewSession(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.browser()
	s.signInByPage(b, "hugo@example.com")
	first := b.cookie("/login", "hallpass-refresh")
	s.clock.Pass(2 * time.Minute)
	s.signInByPage(b, "hugo@example.com")
	second := b.cookie("/login", "hallpass-refresh")
	sessions, _, err := s.Sessions(t.Context(), "hugo@example.com", "", 10)
	if err != nil || len(sessions) != 2 || first == second {
		t.Errorf("%d sessions, %v", len(sessions), err)
	}
}

func TestTheMailIsSentAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.browser()
	page, m := s.askByPage(b, "hugo@example.com", "/account")
	b.press(page, 1)
	if n := s.outbox.count("hugo@example.com"); n != 1 {
		t.Errorf("%d mails at once", n)
	}
	s.clock.Pass(61 * time.Second)
	page = b.open("/login")
	if strings.Contains(page.body, "can be sent again") {
		t.Error("the page still says to wait")
	}
	if a := b.press(page, 1); a.status != 303 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if again := s.outbox.wait(t, "hugo@example.com", 2); again.Data["code"] != m.Data["code"] {
		t.Error("another code")
	}
	want(t, b.open("/login"), 200, "can be sent again")
	if a := b.press(page, 0, "code", m.Data["code"]); a.header.Get("Location") != "/account" {
		t.Errorf("%d %v", a.status, a.header)
	}
}

func TestWhatALostFlowSays(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.browser()
	page, m := s.askByPage(b, "hugo@example.com", "")
	want(t, s.browser().press(page, 0, "code", m.Data["code"]), 403, "There is nothing to read here")
	for range 5 {
		b.press(page, 0, "code", wrongCode(m.Data["code"], 0))
	}
	s.clock.Pass(time.Minute)
	want(t, b.press(page, 0, "code", m.Data["code"]), 403, "too many tries")
	s.clock.Pass(10 * time.Minute)
	want(t, b.press(page, 0, "code", m.Data["code"]), 403, "This has expired")
	want(t, b.open("/login"), 200, "have expired")
	want(t, b.open("/login?other=1"), 200, `autocomplete="email"`)
}

// The links of THREATS.md that lead off a site.
var offSite = []string{
	"//evil.example", "/\\evil.example", "\\\\evil.example", "https:evil.example", "https://evil.example/", "http://127.0.0.1@evil.example/",
	"//evil.example@127.0.0.1/", "javascript:alert(1)", "data:text/html,x", "/\tevil", "/\r\nSet-Cookie: x=1", "\t//evil.example", " //evil.example",
	"https://app.example.com.evil.example/", "https://app.example.com@evil.example/", "http://app.example.com/", "///evil.example", "login.evil.example",
	"https://user:pass@app.example.com/", "https://app.example.com:444/", "/.//evil.example", "/..//evil.example", "/a/../..//evil.example", "/%2e%2e//evil.example",
	"/a//evil.example", "/%5cevil.example", "/" + strings.Repeat("a", 3000),
}

func TestALoginLeadsNowhereElse(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *login.Config) {
		c.HTTP.RedirectOrigins = []string{"https://app.example.com"}
		c.HTTP.Home = "/home"
		c.Limits.NetworkSends, c.Limits.AccountSends = -1, -1
	})
	rows := map[string]string{
		"": "/home", "/account": "/account", "/a?b=/c#d": "/a?b=/c#d", "https://app.example.com/x?y=1": "https://app.example.com/x?y=1", "/ü": "/%C3%BC",
	}
	for _, next := range offSite {
		rows[next] = "/home"
	}
	n := 0
	for next, to := range rows {
		n++
		email := "reader" + strings.Repeat("x", n) + "@example.com"
		b := s.browser()
		page, m := s.askByPage(b, email, next)
		// Whoever can change the form is no further than who can change the link.
		if a := b.press(page, 0, "code", m.Data["code"], "next", next); a.status != 303 || a.header.Get("Location") != to {
			t.Errorf("%q led to %d %q", next, a.status, a.header.Get("Location"))
		}
	}
	for _, next := range offSite {
		if a := s.browser().form("/login/logout", url.Values{"next": {next}}); a.header.Get("Location") != "/home" {
			t.Errorf("logout led to %q", a.header.Get("Location"))
		}
	}
}

func TestWhereALoginLeadsIsCheckedAgainAtItsEnd(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	begun, err := s.Begin(t.Context(), login.Start{Email: "hugo@example.com", Next: "//evil.example"})
	if err != nil {
		t.Fatal(err)
	}
	m := s.outbox.waitForFlow(t, begun.Flow)
	b := s.browser()
	if a := b.press(b.open(s.linkOf(m)), 0, "step", "continue"); a.status != 303 || a.header.Get("Location") != "/" {
		t.Errorf("%d %q", a.status, a.header.Get("Location"))
	}
}

func TestEveryPostIsRefusedFromAnotherSite(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.browser()
	s.signInByPage(b, "hugo@example.com")
	attacker := s.app()
	flow, m := s.ask(attacker, "eve@example.com")
	posts := map[string]url.Values{
		"/login/code":    {"email": {"eve@example.com"}},
		"/login":         {"code": {m.Data["code"]}},
		"/login/link":    {"token": {tokenOf(m)}, "step": {"continue"}},
		"/login/refresh": {"next": {"/"}},
		"/login/logout":  {},
		"/login/claims":  {},
	}
	before := b.cookie("/login", "hallpass-refresh")
	for path, fields := range posts {
		for name, headers := range map[string][]string{
			"cross-site":           {"Sec-Fetch-Site", "", "Sec-Fetch-Site", "cross-site"},
			"same-site":            {"Sec-Fetch-Site", "", "Sec-Fetch-Site", "same-site"},
			"only an origin":       {"Sec-Fetch-Site", "", "Origin", "", "Origin", "https://evil.example"},
			"a null origin":        {"Sec-Fetch-Site", ""},
			"a null origin, JSON":  {"Sec-Fetch-Site", "", "Content-Type", "", "Content-Type", "application/json"},
			"an origin in capital": {"Sec-Fetch-Site", "", "Origin", "", "Origin", "NULL"},
		} {
			a := b.form(path, fields, append([]string{"Cookie", "hallpass-login=" + flow}, headers...)...)
			if a.status != 403 || len(a.header.Values("Set-Cookie")) != 0 {
				t.Errorf("%s %s: %d %v", name, path, a.status, a.header)
			}
		}
	}
	if b.cookie("/login", "hallpass-refresh") != before {
		t.Error("the session changed")
	}
	want(t, b.open("/account"), 200, "who=hugo@example.com")
}

func TestABrowserThatSaysNothingOfItsOriginShowsThePagesNonce(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.browser()
	old := []string{"Sec-Fetch-Site", "", "Sec-Fetch-Mode", "", "Sec-Fetch-Dest", ""}
	page := b.open("/login", old...)
	nonce := hiddenPattern.FindStringSubmatch(page.body)
	if nonce == nil || nonce[1] != "nonce" {
		t.Fatalf("no nonce on the page:\n%s", page.body)
	}
	fields := url.Values{"email": {"hugo@example.com"}, "nonce": {nonce[2]}}
	if a := s.browser().form("/login/code", fields, "Sec-Fetch-Site", ""); a.status != 403 {
		t.Errorf("without its cookie: %d", a.status)
	}
	if a := b.form("/login/code", url.Values{"email": {"hugo@example.com"}}, "Sec-Fetch-Site", ""); a.status != 403 {
		t.Errorf("without the nonce: %d", a.status)
	}
	if a := b.form("/login/code", fields, "Sec-Fetch-Site", "", "Origin", "", "Origin", "https://evil.example"); a.status != 403 {
		t.Errorf("from a site that says so: %d", a.status)
	}
	if a := b.form("/login/code", fields, "Sec-Fetch-Site", ""); a.status != 303 {
		t.Errorf("%d %s", a.status, a.body)
	}
	if page := s.browser().open("/login"); len(page.header.Values("Set-Cookie")) != 0 {
		t.Error("a page for other browsers sets a cookie")
	}
}

var (
	scriptPattern = regexp.MustCompile(`(?s)<script>(.*?)</script>`)
	stylePattern  = regexp.MustCompile(`(?s)<style>(.*?)</style>`)
)

// everyPage is each of the pages, as a person sees it.
func everyPage(t *testing.T, s *site) map[string]answer {
	t.Helper()
	b, other := s.browser(), s.browser()
	pages := map[string]answer{"address": b.open("/login")}
	page, m := s.askByPage(b, "hugo@example.com", "/account")
	pages["code"] = page
	pages["link here"] = b.open(s.linkOf(m))
	pages["link elsewhere"] = other.open(s.linkOf(m))
	pages["handover"] = other.press(pages["link elsewhere"], 0, "step", "code")
	pages["refused"] = b.open("/login/link?token=x")
	s.signInByPage(other, "anna@example.com")
	pages["back"] = other.open("/login?next=/account", "Sec-Fetch-Site", "", "Sec-Fetch-Site", "cross-site")
	return pages
}

func TestThePagesKeepToThemselves(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for name, page := range everyPage(t, s) {
		policy := page.header.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
			if !strings.Contains(policy, part) {
				t.Errorf("%s: policy %q has no %s", name, policy, part)
			}
		}
		if strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") {
			t.Errorf("%s: policy %q", name, policy)
		}
		for header, value := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY", "X-Robots-Tag": "noindex"} {
			if got := page.header.Get(header); got != value {
				t.Errorf("%s: %s is %q", name, header, got)
			}
		}
		for directive, pattern := range map[string]*regexp.Regexp{"script-src": scriptPattern, "style-src": stylePattern} {
			for _, found := range pattern.FindAllStringSubmatch(page.body, -1) {
				sum := sha256.Sum256([]byte(found[1]))
				_, sources, _ := strings.Cut(policy, directive)
				sources, _, _ = strings.Cut(sources, ";")
				if !strings.Contains(sources, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") {
					t.Errorf("%s: its own text is not allowed by %s: %q", name, directive, policy)
				}
			}
		}
		markup := scriptPattern.ReplaceAllString(stylePattern.ReplaceAllString(page.body, ""), "")
		if found := regexp.MustCompile(`(?i)(?:src|href|action)="(?:[a-z]+:|//)[^"]*"`).FindAllString(markup, -1); len(found) > 1 || len(found) == 1 && found[0] != `href="data:,"` {
			t.Errorf("%s leads elsewhere: %v", name, found)
		}
		if found := regexp.MustCompile(`(?i)\s(?:style|on[a-z]+)=`).FindString(markup); found != "" {
			t.Errorf("%s has an attribute%s", name, found)
		}
		if found := regexp.MustCompile(`\blogin\.[a-z_.]+\b|\{[a-z]+\}`).FindString(markup); found != "" {
			t.Errorf("%s shows %q in place of a text", name, found)
		}
	}
}

func TestWhatPeopleSentIsEscaped(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.browser()
	b.headers["User-Agent"] = `<script>alert(1)</script> "><b>`
	page := b.open("/login?next=" + url.QueryEscape(`/"><script>alert(2)</script>`))
	bad := b.press(page, 0, "email", `"><script>alert(3)</script>@example.com`)
	want(t, bad, 400, "We cannot send to this address")
	want(t, bad, 400, `role="alert"`)
	_, m := s.askByPage(b, `o'hara&co@example.com`, "")
	other := s.browser().open(s.linkOf(m))
	want(t, other, 200, "o&#39;hara&amp;co@example.com")
	for _, a := range []answer{page, bad, other} {
		if markup := scriptPattern.ReplaceAllString(a.body, ""); strings.Contains(a.body, "<script>alert(") || strings.Contains(markup, `"><b>`) || strings.Contains(markup, `"><script`) {
			t.Errorf("not escaped:\n%s", a.body)
		}
	}
}

func TestPagesSpeakTheReadersLanguage(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for language, part := range map[string]string{
		"de-AT,de;q=0.9,en;q=0.5": "Ihre E-Mail-Adresse", "fr": "Votre adresse e-mail", "es-MX": "Su dirección de correo", "ja": "メールアドレス", "xx": "Your e-mail address",
	} {
		a := s.browser().open("/login", "Accept-Language", language)
		want(t, a, 200, part)
	}
	german := everyPage(t, newSite(t, func(c *login.Config) { c.Words.Fallback = "de" }))
	for name, page := range german {
		want(t, page, page.status, `<html lang="de">`)
		for _, english := range []string{"Sign in", "Begin again", "in 10 minutes", "Nothing", "The "} {
			if strings.Contains(stylePattern.ReplaceAllString(scriptPattern.ReplaceAllString(page.body, ""), ""), english) {
				t.Errorf("%s says %q in German", name, english)
			}
		}
	}
}

func TestEveryLanguageHasEveryTextOfThePages(t *testing.T) {
	t.Parallel()
	placeholders := regexp.MustCompile(`\{[a-z]+\}`)
	read := func(language string) map[string]string {
		text, err := os.ReadFile("texts/" + language + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var texts map[string]string
		if err := json.Unmarshal(text, &texts); err != nil {
			t.Fatal(err)
		}
		return texts
	}
	english := read("en")
	for _, language := range []string{"de", "fr", "es", "ja"} {
		texts := read(language)
		for id, text := range english {
			if !strings.HasPrefix(id, "login.") {
				continue
			}
			theirs := texts[id]
			a, b := placeholders.FindAllString(text, -1), placeholders.FindAllString(theirs, -1)
			slices.Sort(a)
			slices.Sort(b)
			if theirs == "" || theirs == text || !slices.Equal(a, b) {
				if id != "login.device" && !(language == "fr" && theirs == text) {
					t.Errorf("%s: %s is %q", language, id, theirs)
				}
			}
		}
	}
}

func TestPagesAreReplaceable(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *login.Config) {
		c.Words.Templates = fstest.MapFS{
			"address.html": {Data: []byte(`{{define "main"}}<h1>My door</h1>{{template "mine"}}{{end}}`)},
			"_mine.html":   {Data: []byte(`{{define "mine"}}shared{{end}}`)},
		}
	})
	want(t, s.browser().open("/login"), 200, "<h1>My door</h1>shared")
	for name, text := range map[string]string{"adress.html": "x", "code.txt": "x", "code.html": "{{.Kode}}", "link.html": "{{if}}"} {
		if err := newWith(t, func(c *login.Config) {
			c.Words.Templates = fstest.MapFS{name: {Data: []byte(`{{define "main"}}` + text + `{{end}}`)}}
		}); err == nil {
			t.Errorf("%s with %q was taken", name, text)
		}
	}
}

func TestTheApplicationsOwnSession(t *testing.T) {
	t.Parallel()
	var fail atomic.Bool
	s := newSite(t, func(c *login.Config) {
		c.HTTP.Complete = func(w http.ResponseWriter, _ *http.Request, id login.Identity) error {
			if fail.Load() {
				return hallpass.ErrUnavailable
			}
			http.SetCookie(w, &http.Cookie{Name: "app", Value: string(id.Address), Path: "/"})
			return nil
		}
	})
	b := s.browser()
	page, m := s.askByPage(b, "hugo@example.com", "/account")
	a := b.press(page, 0, "code", m.Data["code"])
	if a.status != 303 || a.setCookie("app") == nil || a.setCookie("hallpass-access") != nil || a.setCookie("hallpass-refresh") != nil {
		t.Errorf("%d %v", a.status, a.header)
	}
	if sessions, _, err := s.Sessions(t.Context(), "", "", 10); err != nil || len(sessions) != 0 {
		t.Errorf("%v %v", sessions, err)
	}
	s.signIn(s.app(), "anna@example.com") // programs get tokens all the same
	fail.Store(true)
	page, m = s.askByPage(b, "emil@example.com", "")
	want(t, b.press(page, 0, "code", m.Data["code"]), 503, "Nothing could be decided")
}

func TestNoSecretIsInAnyLogLine(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	app, b, other := s.app(), s.browser(), s.browser()
	access, refresh := s.signIn(app, "hugo@example.com")
	page, m := s.askByPage(b, "anna@example.com", "")
	b.press(page, 0, "code", wrongCode(m.Data["code"], 0))
	other.press(other.open(s.linkOf(m)), 0, "step", "code")
	b.open(s.linkOf(m) + "x")
	b.press(page, 0, "code", m.Data["code"])
	b.open(s.linkOf(m))
	app.do("GET", "/account", "", "Authorization", "Bearer "+access+"x")
	app.post("/login/refresh", `{"token":"`+refresh+`x"}`)
	app.post("/login/link", `{"token":"`+tokenOf(m)+`"}`)
	s.clock.Pass(time.Hour)
	app.do("GET", "/login/claims?token="+refresh, "", "Authorization", "Bearer "+access)
	app.post("/login/refresh", `{"token":"`+refresh+`"}`)
	s.clock.Pass(time.Hour)
	app.post("/login/refresh", `{"token":"`+refresh+`"}`)
	log := s.log.String()
	if !strings.Contains(log, "refused") {
		t.Fatal("the log is empty")
	}
	for name, secret := range map[string]string{
		"access": access, "refresh": refresh, "link": tokenOf(m), "code": m.Data["code"], "flow": b.cookie("/", "hallpass-login"),
		"access cookie": b.cookie("/", "hallpass-access"), "refresh cookie": b.cookie("/login", "hallpass-refresh"),
	} {
		if secret != "" && strings.Contains(log, secret) {
			t.Errorf("the log has the %s", name)
		}
	}
}
