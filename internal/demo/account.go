package demo

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/hallpass-go/hallpass"
)

// user is who is signed in; empty means nobody.
func (s *Site) user(ctx context.Context) string { return s.sessions.GetString(ctx, "user") }

// signIn is the guard's Login hook: a new session id, then the user.
func (s *Site) signIn(_ http.ResponseWriter, r *http.Request, pass hallpass.Pass) error {
	if err := s.sessions.RenewToken(r.Context()); err != nil {
		return err
	}
	s.sessions.Put(r.Context(), "user", pass.Subject)
	return nil
}

func (s *Site) signOut(w http.ResponseWriter, r *http.Request) {
	if err := s.sessions.Destroy(r.Context()); err != nil {
		s.problem(w, err)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

type loginView struct {
	frame
	People  []string
	Asked   bool
	Address string
}

func (s *Site) loginPage(w http.ResponseWriter, r *http.Request) {
	s.show(w, r, http.StatusOK, "login", loginView{frame: s.frame(r), People: people})
}

func (s *Site) loginSpec(address, browser string) hallpass.Spec {
	return hallpass.Spec{
		Scope: scopeLogin, Mode: hallpass.ModeSession, Subject: address, Recipient: address,
		Format: hallpass.FormatShort, Browser: browser,
	}
}

// sendLogin mails a link that signs its reader in. The answer is the same for
// addresses the site does not know.
func (s *Site) sendLogin(w http.ResponseWriter, r *http.Request) {
	address := strings.ToLower(strings.TrimSpace(r.FormValue("address")))
	if address == "" {
		http.Redirect(w, r, "/login", http.StatusSeeOther)
		return
	}
	browser := s.guard.Browser(w, r)
	if slices.Contains(people, address) {
		if err := s.mailLogin(r.Context(), address, browser); err != nil {
			s.problem(w, err)
			return
		}
	}
	s.show(w, r, http.StatusOK, "login", loginView{frame: s.frame(r), People: people, Asked: true, Address: address})
}

func (s *Site) mailLogin(ctx context.Context, address, browser string) error {
	link, err := s.issueLink(ctx, "/account", s.loginSpec(address, browser))
	if err != nil {
		return err
	}
	s.mailbox.send(mail{
		To: address, From: "door@corridor.example", Subject: "Your link to sign in", At: s.issuer.Now(),
		Lines: []string{
			"This link signs you in to " + siteName + ". It works once, for ten minutes.",
			"If you did not ask for it, leave it: nobody gets in without it.",
		},
		Link: link, Button: "Sign in as " + address,
	})
	return nil
}

func (s *Site) account(w http.ResponseWriter, r *http.Request) {
	user := s.user(r.Context())
	s.mu.Lock()
	subscribed := s.subscribed[user]
	s.mu.Unlock()
	s.show(w, r, http.StatusOK, "account", struct {
		frame
		Subscribed bool
	}{s.frame(r), subscribed})
}

// mailFreshLink is the guard's FreshLink hook: the site decides anew what an
// expired or spent link is worth.
func (s *Site) mailFreshLink(ctx context.Context, pass hallpass.Pass, _ string) error {
	s.mu.Lock()
	subscribed := s.subscribed[pass.Subject]
	s.mu.Unlock()
	switch {
	case pass.Scope == scopeLogin && slices.Contains(people, pass.Subject):
		return s.mailLogin(ctx, pass.Subject, "")
	case pass.Scope == scopeUnsubscribe && subscribed:
		return s.mailNewsletter(ctx, pass.Subject)
	}
	return nil
}
