package demo

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/login"
	courier "github.com/hallpass-go/hallpass/mail"
)

// emailLogin is where people sign in by a code or a link that package login mails.
// The other way in, /login, mails session passes.
const emailLogin = "/signin"

// newLogin makes the login. Its limits are those of the package, but for how often
// mail is sent: here nobody is bothered by it, and people try things again.
func (s *Site) newLogin() (*login.Login, error) {
	access := s.cfg.AccessKeys
	if access == nil {
		key, err := hallpass.GenerateKeyFor(hallpass.PurposeAccess, hallpass.EdDSA)
		if err != nil {
			return nil, err
		}
		if access, err = hallpass.NewKeyringFor(hallpass.PurposeAccess, key); err != nil {
			return nil, err
		}
	}
	return login.New(login.Config{
		Issuer: s.issuer, AccessKeys: access, Cells: s.cfg.Store, Sender: (*carrier)(s), BaseURL: s.cfg.BaseURL, Path: emailLogin,
		Site: siteName, Logger: s.cfg.Logger,
		Limits: login.Limits{Resend: time.Second, AccountSends: -1, NetworkSends: -1, NetworkFailures: -1},
		Allow: func(_ context.Context, address courier.Address) (login.Claims, error) {
			if !slices.Contains(people, string(address)) {
				return nil, hallpass.RefusalUnknownSubject
			}
			return nil, nil
		},
		HTTP: login.HTTP{Home: "/account", Complete: s.completeLogin},
	})
}

// completeLogin begins the site's own session: a new session id, then the user.
func (s *Site) completeLogin(_ http.ResponseWriter, r *http.Request, id login.Identity) error {
	if err := s.sessions.RenewToken(r.Context()); err != nil {
		return err
	}
	s.sessions.Put(r.Context(), "user", id.Subject)
	return nil
}

// carrier takes mails to the inbox page.
type carrier Site

func (c *carrier) Send(_ context.Context, m courier.Message) error {
	s := (*Site)(c)
	if s.mailbox.has(m.ID) {
		return nil // sent before, as the outbox may after a crash
	}
	s.mailbox.send(mail{
		ID: m.ID, To: string(m.To), From: "door@corridor.example", Subject: m.Subject, At: s.issuer.Now(),
		Lines: []string{
			"This code signs you in where you asked for it. Code and link work once, for ten minutes.",
			"If you did not ask for it, leave it: nobody gets in without this mail.",
		},
		Code: m.Data["code"], Link: m.Data["link"], Button: "Open the link",
	})
	return nil
}

// has reports whether a mail is there already.
func (b *mailbox) has(id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.ContainsFunc(b.mails, func(m mail) bool { return m.ID != "" && m.ID == id })
}
