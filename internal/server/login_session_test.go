package server_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/gate"
	"github.com/hallpass-go/hallpass/internal/server"
	"github.com/hallpass-go/hallpass/login"
	"github.com/hallpass-go/hallpass/mail"
	"github.com/hallpass-go/hallpass/memstore"
)

// pair logs a program in and returns its two tokens.
func (p *person) pair(address string) (access, refresh string) {
	p.t.Helper()
	asJSON := []string{"Content-Type", "application/json"}
	asked := p.do(http.MethodPost, "/.hallpass/login/code", `{"email":"`+address+`"}`, asJSON...)
	p.mails++
	code, _ := p.inbox.latest(p.t, p.mails)
	flow := asked.header.Get(login.FlowHeader)
	got := p.do(http.MethodPost, "/.hallpass/login", `{"email":"`+address+`","code":"`+code+`"}`, append(asJSON, login.FlowHeader, flow)...)
	return pairIn(p.t, got)
}

func pairIn(t *testing.T, got seen) (access, refresh string) {
	t.Helper()
	var pair struct{ Access, Refresh string }
	if err := json.Unmarshal([]byte(got.body), &pair); err != nil || pair.Refresh == "" {
		t.Fatalf("%d %s", got.status, got.body)
	}
	return pair.Access, pair.Refresh
}

func (p *person) refresh(token string) seen {
	p.t.Helper()
	return p.do(http.MethodPost, "/.hallpass/login/refresh", `{"token":"`+token+`"}`, "Content-Type", "application/json")
}

func withClaims(claims login.Claims) func(*server.Config) {
	return func(c *server.Config) { c.Login.Claims = func(mail.Address) login.Claims { return claims } }
}

func TestARevocationOfAnAddressReachesWhoHasAnotherSubject(t *testing.T) {
	t.Parallel()
	for _, subject := range []string{"ada@example.com", "42"} {
		t.Run(subject, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, private, withClaims(login.Claims{"sub": "42"}))
			ada := p.person()
			ada.logIn("ada@example.com", "/")
			access, refresh := p.person().pair("ada@example.com")
			if !ada.open("/").fromApp() || !p.person().do(http.MethodGet, "/", "", "Authorization", "Bearer "+access).fromApp() {
				t.Fatal("not in")
			}
			time.Sleep(1100 * time.Millisecond) // tokens tell whole seconds
			other, err := hallpass.New(hallpass.Config{Keys: p.cfg.Ring.Keyring(), Store: p.cfg.Store})
			if err != nil {
				t.Fatal(err)
			}
			if err := other.RevokeGroup(t.Context(), hallpass.Revocation{Subject: subject}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(1100 * time.Millisecond) // within a second elsewhere
			if ada.open("/").fromApp() {
				t.Error("the session on the host goes on")
			}
			if p.person().do(http.MethodGet, "/", "", "Authorization", "Bearer "+access).fromApp() {
				t.Error("the access token still opens the host")
			}
			if got := p.person().refresh(refresh); got.status == http.StatusOK {
				t.Error("the refresh token is still good")
			}
		})
	}
}

func TestSessionsAreListedAndEndedByAddressToo(t *testing.T) {
	t.Parallel()
	p := newPlace(t, private, func(c *server.Config) {
		c.Login.Claims = func(a mail.Address) login.Claims { return login.Claims{"sub": "id of " + string(a)} }
	})
	ada, eve := p.person(), p.person()
	ada.logIn("ada@example.com", "/")
	eve.logIn("eve@example.com", "/")
	_, refresh := p.person().pair("ada@example.com")
	_, hers := p.person().pair("eve@example.com")
	sessions := p.server.Sessions()
	var found int
	for after := ""; ; {
		page, next, err := sessions.List(t.Context(), "ada@example.com", after, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range page {
			if found++; s.Email != "ada@example.com" {
				t.Errorf("somebody else's: %+v", s)
			}
		}
		if after = next; after == "" {
			break
		}
	}
	if found != 2 {
		t.Errorf("%d sessions, want 2", found)
	}
	if ended, err := sessions.EndAll(t.Context(), "ada@example.com"); ended != 2 || err != nil {
		t.Errorf("%d ended, %v", ended, err)
	}
	if ada.open("/").fromApp() || p.person().refresh(refresh).status == http.StatusOK {
		t.Error("a session goes on")
	}
	if !eve.open("/").fromApp() || p.person().refresh(hers).status != http.StatusOK {
		t.Error("somebody else's session ended")
	}
}

func TestTheStoreOfLoginsIsPrunedAndMakesReadiness(t *testing.T) {
	t.Parallel()
	elsewhere := memstore.New()
	now := time.Now()
	// Over, and removed by nobody but a pruning.
	if _, err := elsewhere.Swap(t.Context(), hallpass.Cell{Group: "old", Key: "cell", Value: []byte("1"), ExpiresAt: now.Add(-time.Minute)}, now.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	var down atomic.Bool
	broken := func() error {
		if down.Load() {
			return hallpass.ErrUnavailable
		}
		return nil
	}
	s, cfg, _ := newServer(t, func(c *server.Config) {
		if _, err := c.Ring.Ensure(t.Context(), hallpass.PurposeAccess, hallpass.EdDSA); err != nil {
			t.Fatal(err)
		}
		patterns, err := mail.ParsePatterns([]string{"*"})
		if err != nil {
			t.Fatal(err)
		}
		c.Login = &server.LoginConfig{
			AllowList: patterns, LoginStore: elsewhere, Config: login.Config{Sender: &inbox{}},
			CheckLoginSchema: func(context.Context) error { return broken() },
		}
	})
	s.PruneEvery(20 * time.Millisecond)
	stop := run(t, s)
	ready := func() (int, string) {
		resp, err := http.Get("http://" + cfg.Ops.Addr().String() + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(text)
	}
	if status, text := ready(); status != http.StatusOK || !strings.Contains(text, `"login_store":{"ok":true}`) {
		t.Errorf("%d %s", status, text)
	}
	down.Store(true)
	if status, text := ready(); status != http.StatusServiceUnavailable || !strings.Contains(text, `"login_store":{"ok":false`) {
		t.Errorf("with a broken store of logins: %d %s", status, text)
	}
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if cells, err := elsewhere.Cells(t.Context(), "old", 0, now.Add(-time.Hour)); err != nil {
			t.Fatal(err)
		} else if len(cells) == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("what is over stays in the store of logins")
		}
	}
	stop()
}

func TestOneProtectedHostCannotLogAnybodyInOnAnother(t *testing.T) {
	t.Parallel()
	p := newPlace(t, gate.Rules{{Access: gate.AccessLogin}, {Host: "localhost", Access: gate.AccessLogin}}, nil)
	elsewhere := strings.Replace(p.cfg.BaseURL, "127.0.0.1", "localhost", 1)
	for _, site := range []string{"cross-site", "same-site", ""} {
		_, link := p.person().ask("mallory@example.com", "/")
		u, err := url.Parse(link)
		if err != nil {
			t.Fatal(err)
		}
		form := url.Values{"token": {u.Query().Get("token")}, "step": {"continue"}}.Encode()
		headers := []string{"Content-Type", "application/x-www-form-urlencoded", "Accept", "text/html"}
		if site != "" {
			headers = append(headers, "Sec-Fetch-Site", site, "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document")
		}
		victim := p.person()
		got := victim.do(http.MethodPost, elsewhere+"/.hallpass/login/link", form, append(headers, "Origin", p.cfg.BaseURL)...)
		if got.status != http.StatusForbidden || victim.open(elsewhere+"/x").fromApp() {
			t.Errorf("Sec-Fetch-Site %q: %d, and the victim is in as somebody else: %v", site, got.status, got.header["Set-Cookie"])
		}
		// A host's own page may.
		if got := victim.do(http.MethodPost, elsewhere+"/.hallpass/login/link", form, append(headers[:4:4], "Origin", elsewhere)...); got.status != http.StatusSeeOther {
			t.Errorf("by the host's own page: %d", got.status)
		}
	}
}

func TestClaimsOfTheConfigurationReachSessionsThatGoOn(t *testing.T) {
	t.Parallel()
	before := newPlace(t, private, func(c *server.Config) {
		withClaims(login.Claims{"role": "admin", "team": "red", "theme": "light"})(c)
		c.Login.UpdatableClaims = []string{"theme"}
	})
	ada := before.person()
	ada.logIn("ada@example.com", "/")
	_, refresh := before.person().pair("ada@example.com")
	got := before.person().do(http.MethodPost, "/.hallpass/login/claims", `{"token":"`+refresh+`","data":{"theme":"dark"}}`, "Content-Type", "application/json")
	_, refresh = pairIn(t, got)

	after := newPlace(t, private, func(c *server.Config) {
		c.Store, c.Ring = before.cfg.Store, before.cfg.Ring
		withClaims(login.Claims{"role": "reader", "theme": "light"})(c)
		c.Login.UpdatableClaims = []string{"theme"}
	})
	access, refresh := pairIn(t, after.person().refresh(refresh))
	got = after.person().do(http.MethodGet, "/.hallpass/login/claims", "", "Authorization", "Bearer "+access)
	for text, want := range map[string]bool{`"reader"`: true, `"dark"`: true, `"admin"`: false, `"red"`: false} {
		if strings.Contains(got.body, text) != want {
			t.Errorf("%s in the claims: want %v\n%s", text, want, got.body)
		}
	}
	later := &person{after, ada.client}
	if got := dataOf(t, later.open("/")); got["role"] != "reader" || got["team"] != nil || got["email"] != "ada@example.com" {
		t.Errorf("the application gets %v", got)
	}

	// Without any, none are kept; with another subject, the session is somebody else's.
	none := newPlace(t, private, func(c *server.Config) { c.Store, c.Ring = before.cfg.Store, before.cfg.Ring })
	if got := dataOf(t, (&person{none, ada.client}).open("/")); len(got) != 1 {
		t.Errorf("the application gets %v", got)
	}
	moved := newPlace(t, private, func(c *server.Config) {
		c.Store, c.Ring = before.cfg.Store, before.cfg.Ring
		withClaims(login.Claims{"sub": 42})(c)
	})
	if (&person{moved, ada.client}).open("/").fromApp() {
		t.Error("a session goes on whose address is another subject's by now")
	}
	if got := moved.person().refresh(refresh); got.status == http.StatusOK {
		t.Error("refreshed, though the address is another subject's by now")
	}
	again := newPlace(t, private, withClaims(login.Claims{"sub": 42})).person()
	again.logIn("ada@example.com", "/")
	if !again.open("/").fromApp() {
		t.Error("a login with a number as its subject does not count")
	}
}

var dataHeader = regexp.MustCompile(`X-Hallpass-Data:\[([^\]]*)\]`)

// dataOf is what the application got as data.
func dataOf(t *testing.T, got seen) map[string]any {
	t.Helper()
	found := dataHeader.FindStringSubmatch(got.body)
	if found == nil {
		t.Fatalf("no data: %d %s", got.status, got.body)
	}
	text, err := base64.RawURLEncoding.DecodeString(found[1])
	var data map[string]any
	if err == nil {
		err = json.Unmarshal(text, &data)
	}
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestTheLinkPageOfAHostSaysWhoIsReplaced(t *testing.T) {
	t.Parallel()
	p := newPlace(t, private, nil)
	ada := p.person()
	ada.logIn("ada@example.com", "/")
	_, link := p.person().ask("eve@example.com", "/")
	page := ada.open(link)
	if page.status != http.StatusOK || !strings.Contains(page.body, "ada@example.com") {
		t.Errorf("%d, and nothing of who is logged in:\n%s", page.status, page.body)
	}
	if page := p.person().open(link); strings.Contains(page.body, "ada@example.com") {
		t.Error("a stranger learns who is logged in elsewhere")
	}
}

func TestACookieCountsForTheHostsOwnPagesOnly(t *testing.T) {
	t.Parallel()
	p := newPlace(t, private, nil)
	ada := p.person()
	ada.logIn("ada@example.com", "/")
	access := ada.tokens("ada@example.com")
	own := p.cfg.BaseURL
	for _, row := range []struct {
		name, method, site, origin string
		in                         bool
	}{
		{"a form of the host", "POST", "same-origin", own, true},
		{"a form of the host, in an old browser", "POST", "", own, true},
		{"an address that was typed", "POST", "none", "", true},
		{"a program", "DELETE", "", "", true},
		{"a sibling", "POST", "same-site", "http://app2.example.com", false},
		{"a sibling that says no origin", "PUT", "same-site", "", false},
		{"a stranger", "POST", "cross-site", "https://evil.example", false},
		{"a sibling, in an old browser", "POST", "", "http://app2.example.com", false},
		{"a page that hides its origin", "POST", "", "null", false},
		{"another port of the host", "DELETE", "", "http://127.0.0.1:1", false},
		{"a link on a sibling", "GET", "same-site", "", true},
	} {
		var headers []string
		if row.site != "" {
			headers = append(headers, "Sec-Fetch-Site", row.site)
		}
		if row.origin != "" {
			headers = append(headers, "Origin", row.origin)
		}
		got := ada.do(row.method, "/transfer", "", headers...)
		if got.fromApp() != row.in || !row.in && (got.status != http.StatusForbidden || !strings.Contains(got.body, "needs_confirmation")) {
			t.Errorf("%s: %d %s", row.name, got.status, got.body)
		}
		if !p.person().do(row.method, "/transfer", "", append(headers, "Authorization", "Bearer "+access)...).fromApp() {
			t.Errorf("%s: an access token in the header does not count", row.name)
		}
	}
}
