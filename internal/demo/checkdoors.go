package demo

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

func walkInvitation(v *visitor) error {
	links, err := v.links()
	if err != nil {
		return err
	}
	for range 10 {
		got, err := v.fresh().open(links["invitation"])
		if err := expect("an invitation", got, err, http.StatusOK, "greta@example.com gives you 3 months"); err != nil {
			return err
		}
	}
	got, err := v.fresh().open(links["invitation"])
	return expect("the eleventh time", got, err, http.StatusForbidden, "spent")
}

func walkLogin(v *visitor) error {
	links, err := v.links()
	if err != nil {
		return err
	}
	page, err := v.open(links["login"])
	if err := expect("the page with the button", page, err, http.StatusOK, "Sign in"); err != nil {
		return err
	}
	moved, err := v.press(page)
	if err := expect("the press", moved, err, http.StatusSeeOther, ""); err != nil {
		return err
	}
	location := moved.header.Get("Location")
	if location != v.base+"/account" {
		return fmt.Errorf("the press leads elsewhere than to the account page")
	}
	account, err := v.open(location)
	if err := expect("the account page", account, err, http.StatusOK, "You are signed in"); err != nil {
		return err
	}
	again, err := v.fresh().open(links["login"])
	return expect("the link again", again, err, http.StatusForbidden, "spent")
}

func walkAskingBrowser(v *visitor) error {
	got, err := v.do(http.MethodPost, "/login", "address=ivo%40example.com", "Accept", "text/html")
	if err := expect("asking for a link", got, err, http.StatusOK, "on its way"); err != nil {
		return err
	}
	link, err := v.latestMail()
	if err != nil {
		return err
	}
	other, err := v.fresh().open(link)
	if err := expect("another browser", other, err, http.StatusOK, "<form"); err != nil {
		return err
	}
	moving, err := v.open(link)
	if err := expect("the browser that asked", moving, err, http.StatusOK, `http-equiv="refresh"`); err != nil {
		return err
	}
	account, err := v.open("/account")
	return expect("its account page", account, err, http.StatusOK, "ivo@example.com")
}

func walkAPI(v *visitor) error {
	links, err := v.links()
	if err != nil {
		return err
	}
	for _, row := range []struct {
		method, path string
		status       int
		part         string
	}{
		{"GET", "/api/reports", http.StatusOK, "greta@example.com"},
		{"GET", "/api/reports/latest", http.StatusOK, "week"},
		{"HEAD", "/api/reports", http.StatusOK, ""},
		{"DELETE", "/api/reports", http.StatusForbidden, "not_granted"},
		{"GET", "/api/readers", http.StatusForbidden, "not_granted"},
		{"GET", "/api/reportsandmore", http.StatusForbidden, "not_granted"},
		{"GET", "/api/reports%2flatest", http.StatusForbidden, "not_granted"},
		{"GET", "/api/reports;v=1/latest", http.StatusForbidden, "not_granted"},
	} {
		got, err := v.do(row.method, row.path, "", "Authorization", "Bearer "+links["api"])
		if err := expect(row.method+" "+row.path, got, err, row.status, row.part); err != nil {
			return err
		}
	}
	bare, err := v.do("GET", "/api/reports", "")
	if err := expect("without a token", bare, err, http.StatusUnauthorized, ""); err != nil {
		return err
	}
	if bare.header.Get("WWW-Authenticate") == "" {
		return fmt.Errorf("without a token: no WWW-Authenticate header")
	}
	return nil
}

func walkForged(v *visitor) error {
	links, err := v.links()
	if err != nil {
		return err
	}
	u, err := url.Parse(links["unsubscribe"])
	if err != nil {
		return err
	}
	token := u.Query().Get("rt")
	end := token[len(token)-3]
	other := byte('A')
	if end == other {
		other = 'B'
	}
	changed := token[:len(token)-3] + string(other) + token[len(token)-2:]
	var bodies []string
	for _, text := range []string{changed, "nonsense", "a.b.c", "0123456789012345678901"} {
		got, err := v.fresh().open(v.base + "/newsletter/unsubscribe?rt=" + text)
		if err := expect("a bad token", got, err, http.StatusForbidden, "bad_signature"); err != nil {
			return err
		}
		bodies = append(bodies, got.body)
	}
	for _, body := range bodies {
		if body != bodies[0] {
			return fmt.Errorf("two kinds of bad token get different pages")
		}
	}
	return nil
}

var revokeForm = regexp.MustCompile(`action="/audit/revoke"><input type="hidden" name="pass" value="([^"]*)"`)

func walkRevoked(v *visitor) error {
	links, err := v.links()
	if err != nil {
		return err
	}
	// The newest pass that can be taken back is the last of the four just made.
	trail, err := v.open("/audit")
	if err != nil {
		return err
	}
	forms := revokeForm.FindAllStringSubmatch(trail.body, -1)
	if len(forms) == 0 {
		return fmt.Errorf("the audit trail offers nothing to take back")
	}
	for _, form := range forms[:min(4, len(forms))] {
		if got, err := v.do(http.MethodPost, "/audit/revoke", "pass="+form[1]); err != nil || got.status != http.StatusSeeOther {
			return fmt.Errorf("taking a pass back: status %d, %v", got.status, err)
		}
	}
	got, err := v.do("GET", "/api/reports", "", "Authorization", "Bearer "+links["api"])
	if err := expect("the token afterwards", got, err, http.StatusUnauthorized, "revoked"); err != nil {
		return err
	}
	page, err := v.open(links["login"])
	return expect("the sign-in link afterwards", page, err, http.StatusForbidden, "revoked")
}

func walkAudit(v *visitor) error {
	links, err := v.links()
	if err != nil {
		return err
	}
	const mark = "hallpass-check/1"
	got, err := v.do("GET", "/api/reports", "", "Authorization", "Bearer "+links["api"], "User-Agent", mark)
	if err := expect("a use", got, err, http.StatusOK, ""); err != nil {
		return err
	}
	trail, err := v.open("/audit")
	if err := expect("the trail", trail, err, http.StatusOK, mark); err != nil {
		return err
	}
	for name, link := range links {
		token := link
		if u, err := url.Parse(link); err == nil && u.Query().Get("rt") != "" {
			token = u.Query().Get("rt")
		}
		if strings.Contains(trail.body, token) {
			return fmt.Errorf("the trail shows the token of %s", name)
		}
	}
	return nil
}
