package e2e_test

import (
	"strings"
	"testing"
)

// withAndWithoutScripts runs a walk in two kinds of browsers.
func withAndWithoutScripts(t *testing.T, walk func(t *testing.T, scripts bool)) {
	for name, scripts := range map[string]bool{"with scripts": true, "without scripts": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			walk(t, scripts)
		})
	}
}

func TestAPersonUnsubscribes(t *testing.T) {
	t.Parallel()
	withAndWithoutScripts(t, func(t *testing.T, scripts bool) {
		d := startDemo(t)
		person := newProfile(t, scripts)
		person.open(d.URL + "/newsletter")
		person.sees("Newsletter")
		person.click(`form[action="/newsletter/send"] button`)
		person.sees("Inbox")
		person.click(`ol.mails a`) // the newest
		person.sees("Corridor Weekly, issue 12")
		person.noteToken()
		person.click(`.mail-body a.button`)
		person.sees("Leave the newsletter?")
		person.click(`main form button`)
		person.sees("You are unsubscribed")
		if strings.Contains(person.address(), "rt=") {
			t.Error("the token is in the address of the page behind the button")
		}
		person.behaved(d.URL)
	})
}

func TestTheBrowserThatAskedIsSignedInByTheLinkAlone(t *testing.T) {
	t.Parallel()
	withAndWithoutScripts(t, func(t *testing.T, scripts bool) {
		d := startDemo(t)
		person := newProfile(t, scripts)
		askForLink(person, d)
		person.click(`.mail-body a.button`)
		person.signedIn(d)
		person.behaved(d.URL)
	})
}

func TestAnotherBrowserIsAskedFirst(t *testing.T) {
	t.Parallel()
	withAndWithoutScripts(t, func(t *testing.T, scripts bool) {
		d := startDemo(t)
		asking, other := newProfile(t, scripts), newProfile(t, scripts)
		askForLink(asking, d)
		number := asking.address()
		other.open(number) // the same mail, read on another device
		other.click(`.mail-body a.button`)
		other.sees("Is this you?")
		if other.cookies()["corridor_session"] {
			t.Error("a session began before the button was pressed")
		}
		other.click(`main form button`)
		other.signedIn(d)

		// The link is used up, also for the browser that asked for it.
		asking.click(`.mail-body a.button`)
		asking.sees("This link has been used up")
		if asking.cookies()["corridor_session"] {
			t.Error("a used link began a session")
		}
		asking.behaved(d.URL)
		other.behaved(d.URL)
	})
}

// askForLink asks for a sign-in link and opens the mail it comes in.
func askForLink(person *tab, d *demo) {
	person.t.Helper()
	person.open(d.URL + "/login")
	person.sees("Sign in")
	person.click(`main form button`)
	person.sees("Look into the inbox")
	person.click(`main a.button.primary`)
	person.sees("Inbox")
	person.click(`ol.mails a`)
	person.sees("Your link to sign in")
	person.noteToken()
}

// noteToken makes the token of the mail on show one that no output may have.
func (b *tab) noteToken() string {
	b.t.Helper()
	link, err := read[string](b, `document.querySelector(".mail-body a.button").href`)
	if err != nil || !strings.Contains(link, "rt=") {
		b.t.Fatalf("the mail has no link: %v", err)
	}
	said.secret(link)
	return link
}

// signedIn waits for the account page, at an address without a token.
func (b *tab) signedIn(d *demo) {
	b.t.Helper()
	b.sees("You are signed in")
	if at := b.address(); at != d.URL+"/account" {
		b.t.Errorf("the account page is at %d characters of address, not at /account alone", len(at))
	}
	if !b.says("hugo@example.com") {
		b.t.Error("the page does not name its user")
	}
}
