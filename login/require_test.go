package login_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/login"
)

func TestWhoGetsThrough(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	app := s.app()
	access, refresh := s.signIn(app, "hugo@example.com")
	const in, out = "who=hugo@example.com", "bad_signature"
	cookie := "hallpass-access=" + access
	rows := []struct {
		name, method string
		headers      []string
		status, open int // for /account and /open
		part         string
	}{
		{"nobody", "GET", nil, 401, 200, ""},
		{"a token", "GET", []string{"Authorization", "Bearer " + access}, 200, 200, in},
		{"the scheme in another case", "GET", []string{"Authorization", "bEARER  " + access}, 200, 200, in},
		{"another scheme", "GET", []string{"Authorization", "Basic " + access}, 401, 200, ""},
		{"the scheme alone", "GET", []string{"Authorization", "Bearer"}, 401, 401, out},
		{"two headers", "GET", []string{"Authorization", "Bearer " + access, "Authorization", "Bearer " + access}, 401, 401, out},
		{"a header and a cookie", "GET", []string{"Authorization", "Bearer " + access, "Cookie", cookie}, 401, 401, out},
		{"two cookies", "GET", []string{"Cookie", cookie + "; " + cookie}, 401, 401, out},
		{"a cookie", "GET", []string{"Cookie", cookie}, 200, 200, in},
		{"a cookie on a POST of our own page", "POST", []string{"Cookie", cookie, "Sec-Fetch-Site", "same-origin"}, 200, 200, in},
		{"a cookie on a POST of another site", "POST", []string{"Cookie", cookie, "Sec-Fetch-Site", "cross-site"}, 403, 403, "needs_confirmation"},
		{"a cookie on a DELETE of a neighbour", "DELETE", []string{"Cookie", cookie, "Sec-Fetch-Site", "same-site"}, 403, 403, "needs_confirmation"},
		{"a header on a POST of another site", "POST", []string{"Authorization", "Bearer " + access, "Sec-Fetch-Site", "cross-site"}, 200, 200, in},
		{"a refresh token", "GET", []string{"Authorization", "Bearer " + refresh}, 401, 401, out},
		{"a changed token", "GET", []string{"Authorization", "Bearer " + changed(access)}, 401, 401, out},
		{"a token in the query", "GET", nil, 401, 200, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			for path, status := range map[string]int{"/account": row.status, "/open": row.open} {
				if row.name == "a token in the query" {
					path += "?access=" + access + "&token=" + access
				}
				a := app.do(row.method, path, "", row.headers...)
				if a.status != status || !strings.Contains(a.body, row.part) {
					t.Errorf("%s: %d %s", path, a.status, a.body)
				}
				challenge := a.header.Get("WWW-Authenticate")
				if (a.status == 401) != strings.HasPrefix(challenge, `Bearer realm="hallpass"`) {
					t.Errorf("%s: %d with the challenge %q", path, a.status, challenge)
				}
				if row.name == "nobody" && strings.Contains(challenge, "error") {
					t.Errorf("a request without a token hears %q", challenge)
				}
			}
		})
	}
	s.clock.Pass(5 * time.Minute)
	a := app.do("GET", "/account", "", "Authorization", "Bearer "+access)
	if code, _ := a.problem(t); a.status != 401 || code != "expired" || !strings.Contains(a.header.Get("WWW-Authenticate"), `error="invalid_token"`) {
		t.Errorf("%d %s %v", a.status, a.body, a.header)
	}
}

func TestTheHeadersSchemeIsSettable(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *login.Config) { c.HTTP.HeaderPrefix = "JWT" })
	app := s.app()
	access, _ := s.signIn(app, "hugo@example.com")
	want(t, app.do("GET", "/account", "", "Authorization", "jwt "+access), 200, "who=hugo")
	if a := app.do("GET", "/account", "", "Authorization", "Bearer "+access); a.status != 401 || a.header.Get("WWW-Authenticate") != `JWT realm="hallpass"` {
		t.Errorf("%d %v", a.status, a.header)
	}
}

func TestOnlyANavigationIsSentToTheLoginPage(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.browser()
	if a := b.open("/account?x=1"); a.status != 303 || a.header.Get("Location") != "/login?next=%2Faccount%3Fx%3D1" || a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d %v", a.status, a.header)
	}
	if a := b.open("/account?" + strings.Repeat("x", 3000)); a.header.Get("Location") != "/login" {
		t.Errorf("%v", a.header)
	}
	for name, a := range map[string]answer{
		"a POST":            b.do("POST", "/account", "", "Accept", "text/html"),
		"HEAD":              b.do("HEAD", "/account", "", "Accept", "text/html"),
		"a script's fetch":  b.do("GET", "/account", "", "Accept", "text/html", "Sec-Fetch-Mode", "cors"),
		"a program":         b.do("GET", "/account", "", "Accept", "application/json, text/html"),
		"a bad bearer":      b.do("GET", "/account", "", "Accept", "text/html", "Authorization", "Bearer x"),
		"nothing in Accept": b.do("GET", "/account", ""),
	} {
		if a.status != 401 {
			t.Errorf("%s: %d %v", name, a.status, a.header)
		}
	}
}

func TestABrowserComesBackByItsRefreshToken(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.browser()
	s.signInByPage(b, "hugo@example.com")
	s.clock.Pass(6 * time.Minute)
	gone := b.open("/account?x=1")
	if gone.status != 303 {
		t.Fatalf("%d", gone.status)
	}
	back := b.open(gone.header.Get("Location"))
	if back.status != 303 || back.header.Get("Location") != "/account?x=1" {
		t.Fatalf("%d %v", back.status, back.header)
	}
	want(t, b.open("/account?x=1"), 200, "who=hugo@example.com")

	// A browser whose new cookies do not arrive is asked, and not sent round.
	want(t, b.open(gone.header.Get("Location")), 200, `autocomplete="email"`)
}

func TestWhoComesFromAnotherSiteIsAskedBeforeComingBack(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.browser()
	s.signInByPage(b, "hugo@example.com")
	before := b.cookie("/login", "hallpass-refresh")
	s.clock.Pass(6 * time.Minute)
	const page = "/login?next=%2Faccount"
	var asked answer
	for name, headers := range map[string][]string{
		"cross-site":     {"Sec-Fetch-Site", "", "Sec-Fetch-Site", "cross-site"},
		"same-site":      {"Sec-Fetch-Site", "", "Sec-Fetch-Site", "same-site"},
		"nothing":        {"Sec-Fetch-Site", "", "Sec-Fetch-Mode", "", "Sec-Fetch-Dest", ""},
		"a frame":        {"Sec-Fetch-Dest", "", "Sec-Fetch-Dest", "iframe"},
		"an image":       {"Sec-Fetch-Dest", "", "Sec-Fetch-Dest", "image", "Sec-Fetch-Mode", "", "Sec-Fetch-Mode", "no-cors"},
		"a script":       {"Sec-Fetch-Mode", "", "Sec-Fetch-Mode", "cors"},
		"a prefetch":     {"Sec-Purpose", "prefetch"},
		"a prerendering": {"Sec-Purpose", "prefetch;prerender"},
	} {
		a := b.open(page, headers...)
		if a.status != 200 || a.setCookie("hallpass-refresh") != nil || b.cookie("/login", "hallpass-refresh") != before {
			t.Errorf("%s: %d %v", name, a.status, a.header)
		}
		if name == "cross-site" {
			asked = a
		}
	}
	want(t, asked, 200, "You are still signed in")
	if a := b.press(asked, 0); a.status != 303 || a.header.Get("Location") != "/account" {
		t.Fatalf("%d %v", a.status, a.header)
	}
	want(t, b.open("/account"), 200, "who=hugo@example.com")
}

func TestASessionThatIsOverEndsAtTheLoginPage(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.browser()
	s.signInByPage(b, "hugo@example.com")
	if _, err := s.EndAll(t.Context(), "hugo@example.com"); err != nil {
		t.Fatal(err)
	}
	s.clock.Pass(6 * time.Minute)
	a := b.open(b.open("/account").header.Get("Location"))
	want(t, a, 200, `autocomplete="email"`)
	if b.cookie("/login", "hallpass-refresh") != "" {
		t.Error("the dead cookie is still there")
	}
	s.signInByPage(b, "hugo@example.com")
	want(t, b.open("/account"), 200, "who=hugo@example.com")
}

func TestLogoutClearsTheCookies(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for name, out := range map[string]func(*browser) answer{
		"a form":    func(b *browser) answer { return b.form("/login/logout", url.Values{"next": {"/open"}}) },
		"a program": func(b *browser) answer { return b.do("POST", "/login/logout", "", "Sec-Fetch-Site", "same-origin") },
	} {
		b := s.browser()
		email := strings.ReplaceAll(name, " ", "") + "@example.com"
		s.signInByPage(b, email)
		refresh := b.cookie("/login", "hallpass-refresh")
		a := out(b)
		if a.status != 303 && a.status != 204 || a.status == 303 && a.header.Get("Location") != "/open" {
			t.Errorf("%s: %d %v", name, a.status, a.header)
		}
		if b.cookie("/", "hallpass-access") != "" || b.cookie("/login", "hallpass-refresh") != "" {
			t.Errorf("%s: cookies are left", name)
		}
		over := s.app().post("/login/refresh", `{"token":"`+refresh+`"}`)
		if code, _ := over.problem(t); over.status != 403 || code != "revoked" {
			t.Errorf("%s: the session goes on: %d %s", name, over.status, over.body)
		}
	}
	if a := s.browser().form("/login/logout", nil); a.status != 303 {
		t.Errorf("logging out where nobody is logged in: %d", a.status)
	}
	bad := s.app().do("POST", "/login/logout", "", "Cookie", "hallpass-refresh=hpr_x")
	if bad.status != 401 || bad.setCookie("hallpass-refresh") == nil || bad.setCookie("hallpass-refresh").MaxAge >= 0 {
		t.Errorf("%d %v", bad.status, bad.header)
	}
}

func TestNothingIsInAContextOfNoLogin(t *testing.T) {
	t.Parallel()
	if a, ok := login.FromContext(context.Background()); ok || a.Subject != "" {
		t.Error(a)
	}
}

func TestTheCookiesAttributes(t *testing.T) {
	t.Parallel()
	secure := newSecureSite(t, nil)
	plain := newSite(t, nil)
	shared := newSecureSite(t, func(c *login.Config) {
		c.HTTP.Cookies = login.Cookies{Domain: "example.com", Access: "__Secure-at", Refresh: "rt", Flow: "__Host-f", SameSite: http.SameSiteStrictMode, Path: "/app"}
		c.Path = "/in"
	})
	rows := []struct {
		name          string
		s             *site
		path          string
		access        http.Cookie
		refresh, flow http.Cookie
	}{
		{"TLS", secure, "/login",
			http.Cookie{Name: "__Host-hallpass-access", Path: "/", Secure: true, SameSite: http.SameSiteLaxMode},
			http.Cookie{Name: "__Secure-hallpass-refresh", Path: "/login", Secure: true, SameSite: http.SameSiteLaxMode},
			http.Cookie{Name: "__Host-hallpass-login", Path: "/", Secure: true, SameSite: http.SameSiteLaxMode}},
		{"no TLS", plain, "/login",
			http.Cookie{Name: "hallpass-access", Path: "/", SameSite: http.SameSiteLaxMode},
			http.Cookie{Name: "hallpass-refresh", Path: "/login", SameSite: http.SameSiteLaxMode},
			http.Cookie{Name: "hallpass-login", Path: "/", SameSite: http.SameSiteLaxMode}},
		{"settings", shared, "/in",
			http.Cookie{Name: "__Secure-at", Path: "/app", Domain: "example.com", Secure: true, SameSite: http.SameSiteStrictMode},
			http.Cookie{Name: "rt", Path: "/in", Domain: "example.com", Secure: true, SameSite: http.SameSiteStrictMode},
			http.Cookie{Name: "__Host-f", Path: "/", Secure: true, SameSite: http.SameSiteLaxMode}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			app := row.s.app()
			begun := app.post(row.path+"/code", `{"email":"hugo@example.com"}`)
			flow := begun.header.Get(login.FlowHeader)
			m := row.s.outbox.waitForFlow(t, flow)
			done := app.post(row.path, `{"email":"hugo@example.com","code":"`+m.Data["code"]+`"}`, "Cookie", row.flow.Name+"="+flow, "Prefer", "cookies")
			if done.status != 204 {
				t.Fatalf("%d %s", done.status, done.body)
			}
			for _, c := range []struct {
				a    answer
				want http.Cookie
				life int
			}{{begun, row.flow, 20 * 60}, {done, row.access, 5 * 60}, {done, row.refresh, 14 * 24 * 3600}} {
				got := c.a.setCookie(c.want.Name)
				if got == nil {
					t.Errorf("no cookie %s in %v", c.want.Name, c.a.header)
					continue
				}
				if !got.HttpOnly || got.Path != c.want.Path || got.Domain != c.want.Domain || got.Secure != c.want.Secure ||
					got.SameSite != c.want.SameSite || got.MaxAge != c.life || len(got.Value) < 40 {
					t.Errorf("%s: %+v", c.want.Name, got)
				}
			}
			if gone := done.setCookie(row.flow.Name); gone == nil || gone.MaxAge >= 0 {
				t.Errorf("the flow's cookie stays: %v", done.header)
			}
		})
	}
}

func TestHTTPSettingsThatCannotWorkAreFoundAtOnce(t *testing.T) {
	t.Parallel()
	plain := func(c *login.Config) { c.BaseURL = "http://localhost:8080" }
	rows := []struct {
		field  string
		change func(*login.Config)
	}{
		{"http.home", func(c *login.Config) { c.HTTP.Home = "//evil.example" }},
		{"http.home", func(c *login.Config) { c.HTTP.Home = "https://app.example.com/" }},
		{"http.redirect_origins", func(c *login.Config) { c.HTTP.RedirectOrigins = []string{"https://app.example.com/x"} }},
		{"http.redirect_origins", func(c *login.Config) { c.HTTP.RedirectOrigins = []string{"*"} }},
		{"http.prefer", func(c *login.Config) { c.HTTP.Prefer = "cookie" }},
		{"http.header_prefix", func(c *login.Config) { c.HTTP.HeaderPrefix = "Bearer token" }},
		{"http.client_ip_header", func(c *login.Config) { c.HTTP.ClientIPHeader = "X Forwarded" }},
		{"http.cookies.same_site", func(c *login.Config) { plain(c); c.HTTP.Cookies.SameSite = http.SameSiteNoneMode }},
		{"http.cookies.same_site", func(c *login.Config) { c.HTTP.Cookies.SameSite = 9 }},
		{"http.cookies.access", func(c *login.Config) { plain(c); c.HTTP.Cookies.Access = "__Host-a" }},
		{"http.cookies.access", func(c *login.Config) { c.HTTP.Cookies.Access, c.HTTP.Cookies.Domain = "__Host-a", "example.com" }},
		{"http.cookies.access", func(c *login.Config) { c.HTTP.Cookies.Access, c.HTTP.Cookies.Path = "__host-a", "/app" }},
		{"http.cookies.refresh", func(c *login.Config) { c.HTTP.Cookies.Refresh = "__Host-r" }},
		{"http.cookies.refresh", func(c *login.Config) { c.HTTP.Cookies.Refresh, c.HTTP.Cookies.Access = "same", "same" }},
		{"http.cookies.flow", func(c *login.Config) { plain(c); c.HTTP.Cookies.Flow = "__Secure-f" }},
		{"http.cookies.flow", func(c *login.Config) { c.HTTP.Cookies.Flow = "a b" }},
		{"http.cookies.domain", func(c *login.Config) { c.HTTP.Cookies.Domain = "example.com; Secure" }},
		{"http.cookies.path", func(c *login.Config) { c.HTTP.Cookies.Path = "/a; Domain=x" }},
	}
	for _, row := range rows {
		var field *hallpass.FieldError
		if err := newWith(t, row.change); !errors.As(err, &field) || field.Field != row.field {
			t.Errorf("%s: %v", row.field, err)
		}
	}
	if err := newWith(t, func(c *login.Config) {
		c.HTTP.Cookies = login.Cookies{SameSite: http.SameSiteNoneMode, Access: "__Host-a", Refresh: "__Secure-r", Flow: "__Host-f"}
		c.HTTP.RedirectOrigins, c.HTTP.Home = []string{"https://app.example.com"}, "https://app.example.com/start"
	}); err != nil {
		t.Error(err)
	}
}
