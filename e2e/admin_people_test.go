package e2e_test

import (
	"net/http"
	"testing"

	"github.com/hallpass-go/hallpass/internal/mailbox"
)

const operatorAddress = "chief@ops.example"

// startAdmin starts a server whose admin lets one operator in by e-mail, and whose
// application lets everybody at example.com in.
func startAdmin(t *testing.T, box *mailbox.Mailbox) *server {
	t.Helper()
	return startServeOn(t, sqliteFile(t), nil, "--mail", box.DSN(sender), "--login-allow", "*@example.com", "--admin-allow", operatorAddress+"=admin",
		"--login-limits-free-failures", "2", "--login-limits-delay", "5m")
}

// signsInByEMail walks from a stranger's page to the overview, and has a look at
// each page on the way.
func signsInByEMail(operator *tab, s *server, box *mailbox.Mailbox, byLink bool, look func(page string)) {
	operator.t.Helper()
	operator.open(s.URL + "/admin/")
	operator.sees("Sign in to the admin")
	look("signing in")
	operator.click(`main a.button.primary`)
	operator.sees("Sign in to " + mustURL(operator.t, s.URL).Host + " (admin)")
	look("the address")
	operator.types("#email", operatorAddress)
	operator.click(`form[action="/admin/login/code"] button`)
	operator.sees("Look into your mail")
	look("the code")
	mail := letters(operator.t, box, operatorAddress, 1)[0]
	if byLink {
		operator.open(mail.link)
		look("the link")
		operator.click(`form[action="/admin/login/link"] button`)
	} else {
		operator.types("#code", wrongFor(mail.code))
		operator.click(`form[action="/admin/login"] button`)
		operator.sees("Look into your mail")
		look("a wrong code")
		operator.types("#code", mail.code)
		operator.click(`form[action="/admin/login"] button`)
	}
	operator.sees("Overview")
	if !operator.says(operatorAddress) {
		operator.t.Error("the page does not say who is signed in")
	}
}

// holdUp enters wrong codes for an address until its account has to wait.
func holdUp(t *testing.T, s *server, address string) {
	t.Helper()
	c := newClient()
	defer c.close()
	if _, err := c.post(s.URL+"/login/code", map[string]string{"email": address}); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		got, err := c.post(s.URL+"/login", map[string]string{"email": address, "code": "000000"})
		if err != nil {
			t.Fatal(err)
		}
		if got.status == http.StatusTooManyRequests {
			return
		}
	}
	t.Fatal("the account is never held up")
}

func TestAnOperatorSignsInByEMailEndsALoginAndLiftsABlock(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ scripts, byLink bool }{
		"with scripts, by code":    {scripts: true},
		"without scripts, by link": {byLink: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			box := mailbox.Start(t, nil)
			s := startAdmin(t, box)
			operator := newProfile(t, row.scripts)
			operator.shrink()
			look := func(page string) { checkWidth(operator, page, narrow) }
			signsInByEMail(operator, s, box, row.byLink, look)

			operator.open(s.URL + "/admin/sessions")
			operator.sees("Sessions")
			if !operator.says("No account and no network is held up") || !operator.says("Nobody is signed in") {
				t.Error("somebody is held up, or signed in, before anything happened")
			}
			held := newClient()
			defer held.close()
			logInAt(t, held, s.URL+"/login", box, "ada@example.com")
			holdUp(t, s, "hugo@example.com")

			operator.open(s.URL + "/admin/sessions")
			look("sessions")
			if !operator.says("ada@example.com") || !operator.says("hugo@example.com") {
				t.Fatal("the page does not show who is signed in, or who is held up")
			}
			operator.click(`form[action="/admin/sessions/unblock"] button`)
			operator.sees("Sessions")
			if !operator.says("The block was lifted") || operator.says("hugo@example.com") {
				t.Error("the block is there after it was lifted")
			}
			operator.click(`form[action="/admin/sessions/end"] button`)
			operator.sees("Sessions")
			if !operator.says("The session was ended") || !operator.says("Nobody is signed in") {
				t.Error("the session is there after it was ended")
			}
			operator.open(s.URL + "/admin/events?kind=admin")
			for _, action := range []string{"Signed in to the admin", "Lifted a block", "Ended a session"} {
				if !operator.says(action) {
					t.Errorf("the log does not say %q", action)
				}
			}
			operator.behaved(s.URL)
		})
	}
}

func TestAxeFindsNothingWrongWithTheWayIntoTheAdminAndItsBlocks(t *testing.T) {
	t.Parallel()
	axe := axeCore(t)
	for name, byLink := range map[string]bool{"by code": false, "by link": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			box := mailbox.Start(t, nil)
			s := startAdmin(t, box)
			operator := newProfile(t, true)
			operator.shrink()
			look := func(page string) { operator.finds(axe, page) }
			signsInByEMail(operator, s, box, byLink, look)
			holdUp(t, s, "hugo@example.com")
			operator.open(s.URL + "/admin/sessions")
			if !operator.says("hugo@example.com") {
				t.Fatal("nobody is held up")
			}
			look("sessions with a block")
		})
	}
}
