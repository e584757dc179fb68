// Package login logs people in by e-mail: one mail with a link and a code, then a
// short-lived access token that anybody can verify and a refresh token that works
// once. There is no password and no user table: Config.Allow says who may.
//
//	l, err := login.New(login.Config{Issuer: issuer, AccessKeys: keys, Cells: store, Sender: sender, BaseURL: "https://example.com", Allow: allow})
//	mux.Handle("/login", l.Handler())
//	mux.Handle("/login/", l.Handler())
//	mux.Handle("/account", l.RequireLogin(account))
//	go l.Run(ctx)
//
// Reading a mailbox proves that somebody reads it, and no more: NIST SP 800-63B-4
// does not take e-mail for an out-of-band authenticator.
package login

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/hallpass-go/hallpass/internal/clientip"
	"github.com/hallpass-go/hallpass/internal/look"
	"github.com/hallpass-go/hallpass/mail"
)

// Login is the flows. It is safe for concurrent use. New starts nothing; Run
// sends the mails.
type Login struct {
	cfg       Config
	realm     string
	cells     *cells
	outbox    *mail.Outbox
	words     *catalogue
	letters   *letters
	encrypter jose.Encrypter
	forms     []TokenForm

	routes      map[string]endpoint
	protections map[string]*http.CrossOriginProtection // by origin
	clients     *clientip.Resolver
	pages       pages
}

// New returns a Login. Its errors are *hallpass.FieldError and name the Config
// field.
func New(cfg Config) (*Login, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("login: config: %w", err)
	}
	l := &Login{realm: realmOf(cfg.Scope), cfg: cfg, forms: cfg.forms()}
	l.cells = newCells(cfg.Cells, l.now)
	var err error
	if l.encrypter, err = newEncrypter(cfg.CipherKey); err != nil {
		return nil, fmt.Errorf("login: config: %w", wrong("cipher_key", "%v", err))
	}
	if l.outbox, err = l.newOutbox(); err != nil {
		return nil, fmt.Errorf("login: config: %w", err)
	}
	if l.words, err = newCatalogue(cfg.Words); err != nil {
		return nil, fmt.Errorf("login: config: %w", err)
	}
	if l.letters, err = newLetters(cfg.Words); err != nil {
		return nil, fmt.Errorf("login: config: %w", err)
	}
	if err := l.newHTTP(); err != nil {
		return nil, fmt.Errorf("login: config: %w", err)
	}
	for address := range cfg.ReviewAccounts {
		cfg.Logger.Warn("a review account logs in with a fixed code, without its mailbox; remove it after the review", "email", look.Mask(string(address)))
	}
	return l, nil
}

// Run sends mails until ctx ends. One process of several is enough, but each may.
func (l *Login) Run(ctx context.Context) error { return l.outbox.Run(ctx) }

func (l *Login) now() time.Time { return l.cfg.Issuer.Now() }

// originOf returns where a mailed link leads.
func (l *Login) originOf(origin string) (string, error) {
	if origin == "" || origin == l.cfg.BaseURL {
		return l.cfg.BaseURL, nil
	}
	for _, o := range l.cfg.Origins {
		if o == origin {
			return o, nil
		}
	}
	return "", wrong("origin", "is none of those that logins are configured for")
}

// linkURL is what a mail carries, from the configuration alone.
func (l *Login) linkURL(origin, token string) string {
	return origin + l.cfg.Path + "/link?" + LinkParam + "=" + token
}

// LinkParam is the query parameter of a mailed link that carries its token.
const LinkParam = "token"

// blocked tells the application and its operators, and returns the error for the client.
func (l *Login) blocked(ctx context.Context, b Blocked) error {
	b.RetryAfter = max((b.RetryAfter + time.Second - 1).Truncate(time.Second), time.Second) // never too early
	l.cfg.Logger.Info("login attempts are turned away", "what", b.What, "network", b.Network, "retry_after", b.RetryAfter)
	l.remember(ctx, b)
	if l.cfg.OnBlocked != nil {
		l.cfg.OnBlocked(b)
	}
	return &Throttled{RetryAfter: b.RetryAfter, What: b.What}
}

// together runs steps that do not depend on each other at once, so that a store
// that groups its writes makes one of them, and returns the first error.
func together(steps ...func() error) error {
	errs := make([]error, len(steps))
	var wg sync.WaitGroup
	for i, step := range steps[1:] {
		wg.Go(func() { errs[i+1] = step() })
	}
	errs[0] = steps[0]()
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
