package e2e_test

import (
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/hallpass-go/hallpass/internal/mailbox"
)

// shrink makes the tab as narrow as is promised to work.
func (b *tab) shrink() {
	b.t.Helper()
	b.do("a small screen", chromedp.EmulateViewport(narrow, 640))
}

// types types into a field.
func (b *tab) types(selector, text string) {
	b.t.Helper()
	b.do("typing", chromedp.SendKeys(chromedp.CSS(selector), text, chromedp.NodeVisible))
}

// asksForMail goes to a page of the application and asks for the mail there.
func asksForMail(person *tab, s *server, box *mailbox.Mailbox, address string) letter {
	person.t.Helper()
	person.open(s.URL + "/notes?tab=2")
	person.fits(s.URL, "Sign in to "+mustURL(person.t, s.URL).Host)
	person.types("#email", address)
	person.click(`form[action="/.hallpass/login/code"] button`)
	person.fits(s.URL, "Look into your mail")
	return letters(person.t, box, address, 1)[0]
}

func (b *tab) isIn(s *server) {
	b.t.Helper()
	if !b.says("the application") || b.address() != s.URL+"/notes?tab=2" {
		b.t.Errorf("the browser is at %s", b.address())
	}
}

func TestAPersonLogsInByCode(t *testing.T) {
	t.Parallel()
	withAndWithoutScripts(t, func(t *testing.T, scripts bool) {
		box := mailbox.Start(t, nil)
		s := startLogin(t, sqliteFile(t), box, nil)
		person := newProfile(t, scripts)
		person.shrink()
		mail := asksForMail(person, s, box, "ada@example.com")
		person.types("#code", wrongFor(mail.code))
		person.click(`form[action="/.hallpass/login"] button`)
		person.fits(s.URL, "Look into your mail")
		if !person.says("That was not the code") {
			t.Error("the page does not say that the code was wrong")
		}
		person.types("#code", mail.code)
		person.click(`form[action="/.hallpass/login"] button`)
		person.isIn(s)
		person.behaved(s.URL)
	})
}

func TestAPersonLogsInByTheLinkInTheSameBrowser(t *testing.T) {
	t.Parallel()
	withAndWithoutScripts(t, func(t *testing.T, scripts bool) {
		box := mailbox.Start(t, nil)
		s := startLogin(t, sqliteFile(t), box, nil)
		person := newProfile(t, scripts)
		person.shrink()
		mail := asksForMail(person, s, box, "ada@example.com")
		person.open(mail.link)
		person.fits(s.URL, "Sign in to "+mustURL(t, s.URL).Host)
		person.click(`form[action="/.hallpass/login/link"] button`)
		person.isIn(s)
		person.behaved(s.URL)
	})
}

// A link that is opened on another device shows a code, which is typed where the
// login began.
func TestAPersonReadsHerMailOnAnotherDevice(t *testing.T) {
	t.Parallel()
	withAndWithoutScripts(t, func(t *testing.T, scripts bool) {
		box := mailbox.Start(t, nil)
		s := startLogin(t, sqliteFile(t), box, nil)
		first, phone := newProfile(t, scripts), newProfile(t, scripts)
		first.shrink()
		phone.shrink()
		mail := asksForMail(first, s, box, "ada@example.com")
		phone.open(mail.link)
		phone.fits(s.URL, "Did you begin this?")
		phone.click(`form[action="/.hallpass/login/link"] button[value="code"]`)
		phone.fits(s.URL, "Type this code on the other device")
		code, err := read[string](phone, `document.querySelector(".code-shown code").textContent`)
		if err != nil || len(code) != 6 {
			t.Fatalf("a code of %d digits, %v", len(code), err)
		}
		if phone.cookies()["hallpass-login-session"] {
			t.Error("the phone is logged in")
		}
		first.types("#code", code)
		first.click(`form[action="/.hallpass/login"] button`)
		first.isIn(s)
		phone.open(s.URL + "/notes")
		phone.fits(s.URL, "Sign in to "+mustURL(t, s.URL).Host)
		first.behaved(s.URL)
		phone.behaved(s.URL)
	})
}

func TestAxeFindsNothingWrongWithTheLoginPages(t *testing.T) {
	t.Parallel()
	axe := axeCore(t)
	for _, scheme := range []string{"light", "dark"} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			box := mailbox.Start(t, nil)
			s := startLogin(t, sqliteFile(t), box, nil)
			first, phone := newProfile(t, true), newProfile(t, true)
			for _, b := range []*tab{first, phone} {
				b.shrink()
				b.paint(scheme)
				b.examine = func(page string) { b.finds(axe, page) }
			}
			site := mustURL(t, s.URL).Host
			mail := asksForMail(first, s, box, "ada@example.com")
			first.types("#code", wrongFor(mail.code))
			first.click(`form[action="/.hallpass/login"] button`)
			first.fits(s.URL, "Look into your mail")
			phone.open(mail.link)
			phone.fits(s.URL, "Did you begin this?")
			phone.click(`form[action="/.hallpass/login/link"] button[value="code"]`)
			phone.fits(s.URL, "Type this code on the other device")
			first.open(mail.link)
			first.fits(s.URL, "Sign in to "+site)
			first.click(`form[action="/.hallpass/login/link"] button`)
			first.isIn(s)
			phone.open(mail.link)
			phone.fits(s.URL, "This was used already")
			phone.open(s.URL + "/.hallpass/login/link?token=none")
			phone.sees("There is nothing to read here")
			phone.examine("a link that is none")
		})
	}
}

func TestAPersonContinuesOnTheDeviceWithTheMail(t *testing.T) {
	t.Parallel()
	box := mailbox.Start(t, nil)
	s := startLogin(t, sqliteFile(t), box, nil)
	first, phone := newProfile(t, true), newProfile(t, true)
	first.shrink()
	phone.shrink()
	mail := asksForMail(first, s, box, "ada@example.com")
	phone.open(mail.link)
	phone.click(`form[action="/.hallpass/login/link"] button[value="continue"]`)
	phone.isIn(s)
	first.open(s.URL + "/notes")
	if first.cookies()["hallpass-login-session"] {
		t.Error("the other device is logged in, though nobody typed anything there")
	}
	phone.behaved(s.URL)
	first.behaved(s.URL)
}
