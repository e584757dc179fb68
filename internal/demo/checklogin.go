package demo

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

var (
	mailCode  = regexp.MustCompile(`<code class="mailed-code">(\d+)</code>`)
	shownCode = regexp.MustCompile(`(?s)class="code-shown".*?<code>(\d+)</code>`)
	mailEntry = regexp.MustCompile(`href="(/inbox/\d+)"><span class="mail-from">[^<]* to ([^<]*)</span>`)
)

// letter is what a mail of the login carries.
type letter struct{ code, link string }

// send posts a form of the login's pages.
func (v *visitor) send(path string, form url.Values) (seen, error) {
	return v.do(http.MethodPost, path, form.Encode(), "Accept", "text/html", "Sec-Fetch-Site", "same-origin",
		"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "User-Agent", "Mozilla/5.0 (hallpass demo check)")
}

// newest is the newest mail to an address, by its place in the inbox.
func (v *visitor) newest(address string) (string, error) {
	inbox, err := v.open("/inbox")
	for _, entry := range mailEntry.FindAllStringSubmatch(inbox.body, -1) {
		if entry[2] == address {
			return entry[1], err
		}
	}
	return "", err
}

// askForCode asks for a mail and waits until it is there. Asking again within a
// second sends nothing, so it asks until something comes.
func (v *visitor) askForCode(address string) (letter, error) {
	before, err := v.newest(address)
	if err != nil {
		return letter{}, err
	}
	ctx, cancel := context.WithTimeout(v.ctx, 20*time.Second)
	defer cancel()
	for {
		got, err := v.send(emailLogin+"/code", url.Values{"email": {address}, "next": {"/account"}})
		if err := expect("asking for a code", got, err, http.StatusSeeOther, ""); err != nil {
			return letter{}, err
		}
		for range 60 {
			at, err := v.newest(address)
			if err != nil {
				return letter{}, err
			}
			if at != before {
				return v.read(at)
			}
			select {
			case <-ctx.Done():
				return letter{}, fmt.Errorf("no mail came")
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
}

func (v *visitor) read(at string) (letter, error) {
	page, err := v.open(at)
	if err != nil {
		return letter{}, err
	}
	code, link := mailCode.FindStringSubmatch(page.body), mailLink.FindStringSubmatch(page.body)
	if code == nil || link == nil {
		return letter{}, fmt.Errorf("the mail has no code, or no link")
	}
	return letter{code[1], strings.ReplaceAll(link[1], "&amp;", "&")}, nil
}

func (v *visitor) enter(code string) (seen, error) {
	return v.send(emailLogin, url.Values{"code": {code}})
}

// isIn checks that the account page shows who is signed in.
func (v *visitor) isIn(address string) error {
	account, err := v.open("/account")
	return expect("the account page", account, err, http.StatusOK, address)
}

func (v *visitor) isOut() error {
	account, err := v.open("/account")
	if err != nil || account.status == http.StatusOK {
		return fmt.Errorf("the account page: status %d, %v", account.status, err)
	}
	return nil
}

func walkCode(v *visitor) error {
	const reader = "ivo@example.com"
	asking := v.fresh()
	mail, err := asking.askForCode(reader)
	if err != nil {
		return err
	}
	if got, err := v.fresh().enter(mail.code); err != nil || got.status < 400 {
		return fmt.Errorf("the code in another browser: status %d, %v", got.status, err)
	}
	done, err := asking.enter(mail.code)
	if err := expect("the code", done, err, http.StatusSeeOther, ""); err != nil {
		return err
	}
	if to := done.header.Get("Location"); to != "/account" {
		return fmt.Errorf("the code leads elsewhere than to the account page")
	}
	if err := asking.isIn(reader); err != nil {
		return err
	}
	if got, err := asking.enter(mail.code); err != nil || got.status < 400 {
		return fmt.Errorf("the code again: status %d, %v", got.status, err)
	}
	return nil
}

func walkGuesses(v *visitor) error {
	const reader = "greta@example.com"
	asking := v.fresh()
	mail, err := asking.askForCode(reader)
	if err != nil {
		return err
	}
	wrong := "000000"
	if mail.code == wrong {
		wrong = "000001"
	}
	for n := range 8 {
		got, err := asking.enter(wrong)
		if err != nil || got.status < 400 || got.status >= 500 {
			return fmt.Errorf("wrong code %d: status %d, %v", n+1, got.status, err)
		}
	}
	if got, err := asking.enter(mail.code); err != nil || got.status < 400 {
		return fmt.Errorf("the right code after eight wrong ones: status %d, %v", got.status, err)
	}
	if err := asking.isOut(); err != nil {
		return err
	}
	token, err := linkToken(mail.link)
	if err != nil {
		return err
	}
	done, err := asking.send(emailLogin+"/link", url.Values{"token": {token}, "step": {"continue"}})
	if err := expect("the link", done, err, http.StatusSeeOther, ""); err != nil {
		return err
	}
	return asking.isIn(reader)
}

func walkOtherDevice(v *visitor) error {
	const reader = "hugo@example.com"
	asking, phone := v.fresh(), v.fresh()
	mail, err := asking.askForCode(reader)
	if err != nil {
		return err
	}
	page, err := phone.open(mail.link)
	if err := expect("the link's page", page, err, http.StatusOK, `value="code"`); err != nil {
		return err
	}
	if err := phone.isOut(); err != nil {
		return err
	}
	token, err := linkToken(mail.link)
	if err != nil {
		return err
	}
	shown, err := phone.send(emailLogin+"/link", url.Values{"token": {token}, "step": {"code"}})
	if err := expect("the code for the other device", shown, err, http.StatusOK, ""); err != nil {
		return err
	}
	code := shownCode.FindStringSubmatch(shown.body)
	if code == nil {
		return fmt.Errorf("the page shows no code")
	}
	if got, err := phone.enter(code[1]); err != nil || got.status < 400 {
		return fmt.Errorf("the shown code where it is shown: status %d, %v", got.status, err)
	}
	done, err := asking.enter(code[1])
	if err := expect("the shown code where it was asked for", done, err, http.StatusSeeOther, ""); err != nil {
		return err
	}
	if err := asking.isIn(reader); err != nil {
		return err
	}
	if err := phone.isOut(); err != nil {
		return err
	}
	again, err := v.fresh().send(emailLogin+"/link", url.Values{"token": {token}, "step": {"continue"}})
	if err != nil || again.status < 400 {
		return fmt.Errorf("the link afterwards: status %d, %v", again.status, err)
	}
	return nil
}

func linkToken(link string) (string, error) {
	u, err := url.Parse(link)
	if err != nil || u.Query().Get("token") == "" {
		return "", fmt.Errorf("the link has no token")
	}
	return u.Query().Get("token"), nil
}
