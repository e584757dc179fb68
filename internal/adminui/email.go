package adminui

import (
	"encoding/json"
	"net/http"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/sessions"
	"github.com/hallpass-go/hallpass/mail"
)

// Listed says which role an address has that is proven by e-mail. An address with
// none cannot sign in, and one whose role changes is signed out.
type Listed func(mail.Address) (Role, bool)

// emailPass stands where the id of an operator's pass would; no pass has it.
const emailPass = "login"

// passFor is made up for whoever signs in by e-mail, so that an operator is the same
// to every page, and group revocations by scope, subject and time reach him.
func passFor(address mail.Address, role Role) (hallpass.Pass, error) {
	data, err := json.Marshal(map[string]Role{"role": role})
	return hallpass.Pass{
		ID: emailPass, Scope: Scope, Mode: hallpass.ModeSession, Subject: string(address), Data: data,
	}, err
}

// SignIn begins the session of an operator who proved an address. It is
// hallpass.RefusalUnknownSubject for one that is not listed.
func (u *UI) SignIn(w http.ResponseWriter, r *http.Request, address mail.Address) error {
	if u.cfg.Listed == nil {
		return hallpass.RefusalUnknownSubject
	}
	role, ok := u.cfg.Listed(address)
	if !ok {
		return hallpass.RefusalUnknownSubject
	}
	pass, err := passFor(address, role)
	if err != nil {
		return err
	}
	op, err := operatorOf(pass)
	if err != nil {
		return hallpass.RefusalNotGranted
	}
	if err := u.record(r, op, hallpass.Event{Action: "admin.sign_in", Detail: "by e-mail, as " + string(role)}); err != nil {
		return err
	}
	if err := u.leaveAll(w, r); err != nil { // who was signed in before is signed out
		return err
	}
	return u.byEmail.BeginFor(w, r, pass, address)
}

// stillListed is asked at each request of such a session.
func (u *UI) stillListed(s *sessions.Session) (bool, error) {
	if u.cfg.Listed == nil {
		return false, nil
	}
	role, ok := u.cfg.Listed(s.Address)
	op, err := operatorOf(s.Pass)
	return ok && err == nil && op.Role == role, nil
}

// session is the operator's, however it began. touch says that a person asked.
func (u *UI) session(r *http.Request, touch bool) (*sessions.Session, error) {
	for _, kept := range []*sessions.Keeper{u.own, u.byEmail} {
		find := kept.Peek
		if touch {
			find = kept.Of
		}
		if s, err := find(r); s != nil || err != nil {
			return s, err
		}
	}
	return nil, nil
}

// signedIn is the guard's SignedIn hook.
func (u *UI) signedIn(r *http.Request) (string, error) {
	s, err := u.session(r, true)
	if s == nil {
		return "", err
	}
	return s.Pass.Subject, nil
}

// leaveAll ends the sessions of this browser.
func (u *UI) leaveAll(w http.ResponseWriter, r *http.Request) error {
	for _, kept := range []*sessions.Keeper{u.own, u.byEmail} {
		if err := kept.Leave(w, r); err != nil {
			return err
		}
	}
	return nil
}
