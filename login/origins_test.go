package login_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/hallpass-go/hallpass/login"
	"github.com/hallpass-go/hallpass/mail"
)

// to sends a request with another Host than the server's.
func (b *browser) to(host, method, path, body string, header http.Header) int {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.base+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Host, r.Header = host, header
	resp, err := b.c.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// Pages on several hosts are of several applications: who controls one of them must
// not log its visitors in on the next.
func TestLoginOriginsAreStrangersToEachOther(t *testing.T) {
	t.Parallel()
	const host, other = "other.example.com", "http://other.example.com"
	s := newSite(t, func(c *login.Config) { c.Origins = []string{other} })
	app := s.app()
	access, _ := s.signIn(app, "hugo@example.com")
	base := s.server.URL
	baseHost := strings.TrimPrefix(base, "http://")
	for _, row := range []struct {
		name, host, origin, site string
		ok                       bool
	}{
		{"its own page", baseHost, base, "", true},
		{"another login's page", baseHost, other, "", false},
		{"another login's page, which the browser calls a sibling", baseHost, other, "same-site", false},
		{"the other's own page", host, other, "", true},
		{"this one's page on the other", host, base, "", false},
		{"a proxy that tells another host", "internal:8080", base, "", true},
	} {
		header := http.Header{"Content-Type": {"application/json"}, "Origin": {row.origin}}
		if row.site != "" {
			header.Set("Sec-Fetch-Site", row.site)
		}
		if status := app.to(row.host, "POST", "/login/code", `{"email":"eve@example.com"}`, header); (status == http.StatusForbidden) == row.ok {
			t.Errorf("%s, a login: %d", row.name, status)
		}
		header.Set("Cookie", "hallpass-access="+access)
		if status := app.to(row.host, "POST", "/account", "", header); (status == http.StatusOK) != row.ok {
			t.Errorf("%s, a cookie: %d", row.name, status)
		}
	}
}

func TestTheLinkPageAsksTheApplicationWhoIsLoggedIn(t *testing.T) {
	t.Parallel()
	for who, said := range map[string]bool{"ada@example.com": true, "hugo@example.com": false, "": false} {
		s := newSite(t, func(c *login.Config) {
			c.HTTP.Complete = func(http.ResponseWriter, *http.Request, login.Identity) error { return nil }
			c.HTTP.Current = func(*http.Request) (login.Identity, bool) {
				return login.Identity{Subject: "7", Address: mail.Address(who)}, who != ""
			}
		})
		_, m := s.ask(s.app(), "hugo@example.com")
		a := s.browser().open("/login/link?" + url.Values{"token": {tokenOf(m)}}.Encode())
		want(t, a, http.StatusOK, "")
		if strings.Contains(a.body, "ada@example.com") != said {
			t.Errorf("%q is logged in:\n%s", who, a.body)
		}
	}
}
