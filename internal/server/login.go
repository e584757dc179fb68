package server

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/gate"
	"github.com/hallpass-go/hallpass/login"
	"github.com/hallpass-go/hallpass/mail"
)

// LoginConfig is what logging in by e-mail needs. Sender and Allow are required.
type LoginConfig struct {
	// Config is the settings. The server fills in issuer, keys, cells, addresses,
	// proxies, hooks, site and logger.
	login.Config
	// AllowList is who may log in.
	AllowList mail.Patterns
	// Claims says what is known of an address that may log in. Nil: nothing.
	Claims func(mail.Address) login.Claims
	// LoginStore keeps codes, counters, sessions and mails to be sent, and is pruned
	// like the Store. It is opened and closed by the caller. Nil: the Store does.
	LoginStore hallpass.Store
	// CheckLoginSchema is Config.CheckSchema of it.
	CheckLoginSchema func(context.Context) error
}

func (c *LoginConfig) allow() mail.Patterns {
	if c == nil {
		return nil
	}
	return c.AllowList
}

// cookies are the names that somebody chose.
func (c *LoginConfig) cookies() (names []string) {
	if c == nil {
		return nil
	}
	for _, name := range []string{c.HTTP.Cookies.Access, c.HTTP.Cookies.Refresh, c.HTTP.Cookies.Flow} {
		if name != "" {
			names = append(names, name)
		}
	}
	return names
}

// claims is login.Config's Allow.
func (c *LoginConfig) claims(_ context.Context, a mail.Address) (login.Claims, error) {
	switch {
	case !c.AllowList.Allows(a):
		return nil, hallpass.RefusalUnknownSubject
	case c.Claims == nil:
		return nil, nil
	}
	return c.Claims(a), nil
}

// stillAllowed is login.Config's StillAllowed: who was taken off the list is out at
// the next refresh, and the claims are those of now, but for what the session said
// itself. An address that became another subject's is not this session's any more.
func (c *LoginConfig) stillAllowed(_ context.Context, s login.Session) (login.Claims, error) {
	if !c.AllowList.Allows(s.Address) {
		return nil, hallpass.RefusalUnknownSubject
	}
	now := c.person(s.Address)
	if now.Subject != s.Subject {
		return nil, hallpass.RefusalUnknownSubject
	}
	claims := login.Claims{} // not nil, which would keep those of before
	maps.Copy(claims, now.Claims)
	for _, name := range c.UpdatableClaims {
		if said, ok := s.Claims[name]; ok {
			claims[name] = said
		}
	}
	return claims, nil
}

// person tells who an address is by the configuration of now, as login does when
// somebody logs in.
func (c *LoginConfig) person(a mail.Address) gate.Person {
	p := gate.Person{Subject: string(a), Address: a}
	if c.Claims == nil {
		return p
	}
	p.Claims = maps.Clone(c.Claims(a))
	if sub, ok := p.Claims["sub"]; ok {
		delete(p.Claims, "sub")
		p.Subject = subjectText(sub)
	}
	return p
}

// subjectText is a subject as login reads it in JSON: a text, or a number as it is
// written. Anything else is none.
func subjectText(sub any) string {
	text, err := json.Marshal(sub)
	if err != nil {
		return ""
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var said any
	if d.Decode(&said) != nil {
		return ""
	}
	switch said := said.(type) {
	case string:
		return said
	case json.Number:
		return said.String()
	}
	return ""
}

// logins are the two ways in over one store: api gives tokens to whoever asks for
// them, and the gate's pages begin a session on the protected host they stand on.
// The mails of both leave by the outbox of api, the only one that runs.
type logins struct {
	base login.Config // of both
	api  *login.Login
}

func (l *logins) queue() (depth int, oldest time.Duration) {
	if l == nil {
		return 0, 0
	}
	return l.api.Queue()
}

func (s *Server) newLogins(store hallpass.CellStore) (*logins, error) {
	given := s.cfg.Login
	c := given.Config
	c.Issuer, c.AccessKeys, c.Cells = s.issuer, s.keys.access(), store
	if given.LoginStore != nil {
		c.Cells = given.LoginStore
	}
	c.Allow, c.StillAllowed = given.claims, given.stillAllowed
	c.Sender = countedSender{c.Sender, s.metrics}
	c.BaseURL, c.Logger = s.cfg.BaseURL, s.cfg.Logger
	if c.Site == "" {
		c.Site = s.cfg.Site
	}
	c.HTTP.TrustedProxies, c.HTTP.ClientIPHeader = s.cfg.TrustedProxies, s.cfg.ClientIPHeader
	c.OnBlocked = func(b login.Blocked) { s.metrics.loginsBlocked.WithLabelValues(b.What).Inc() }
	c.Observe, c.ObserveMail = s.metrics.loginStep, s.metrics.mailEvent
	l := &logins{base: c}
	c.Path = s.cfg.APIPrefix + "/login"
	var err error
	if l.api, err = login.New(c); err != nil {
		return nil, err
	}
	return l, s.setLoginPages(l, s.cfg.Rules)
}

// setLoginPages gives the gate login pages for the hosts whose rules ask for them.
func (s *Server) setLoginPages(l *logins, rules gate.Rules) error {
	origins := rules.LoginOrigins(s.cfg.BaseURL)
	if len(origins) == 0 {
		s.gate.SetLogin(nil)
		return nil
	}
	c := l.base
	c.Path, c.Origins = s.cfg.Prefix+"/login", origins
	c.HTTP.RedirectOrigins = append(append([]string{}, c.HTTP.RedirectOrigins...), origins...)
	c.HTTP.Complete = func(w http.ResponseWriter, r *http.Request, id login.Identity) error {
		return s.gate.LogIn(w, r, gate.Person{Subject: id.Subject, Address: id.Address, Claims: id.Claims})
	}
	c.HTTP.Current = func(r *http.Request) (login.Identity, bool) {
		p, found := s.gate.LoggedIn(r)
		return login.Identity{Subject: p.Subject, Address: p.Address}, found
	}
	pages, err := login.New(c)
	if err != nil {
		return err
	}
	s.gate.SetLogin(&gate.Logins{Pages: pages.Handler(), Claims: s.cfg.Login.person, Token: func(r *http.Request) (gate.Person, time.Time, error) {
		return personOf(r, cmp.Or(c.HTTP.HeaderPrefix, "Bearer"), pages)
	}})
	return nil
}

// personOf opens the access token in the Authorization header.
func personOf(r *http.Request, scheme string, l *login.Login) (gate.Person, time.Time, error) {
	lines := r.Header.Values("Authorization")
	if len(lines) != 1 {
		return gate.Person{}, time.Time{}, hallpass.RefusalMissing
	}
	word, token, _ := strings.Cut(strings.TrimSpace(lines[0]), " ")
	if !strings.EqualFold(word, scheme) {
		return gate.Person{}, time.Time{}, hallpass.RefusalMissing
	}
	a, err := l.OpenAccess(strings.TrimSpace(token))
	return gate.Person{Subject: a.Subject, Address: a.Address, Claims: a.Claims}, a.IssuedAt, err
}

// setRules takes over rules that were read again, with the login pages they need.
func (s *Server) setRules(rules gate.Rules) error {
	if err := rules.Check(); err != nil {
		return err
	}
	if s.login != nil {
		if err := s.setLoginPages(s.login, rules); err != nil {
			return err
		}
	}
	return s.gate.SetRules(rules)
}

// loginMounts is where people and programs log in. Where the API shares the
// prefix of the protected hosts, its paths are those of the gate's pages on hosts
// whose rules ask for a login: programs get tokens there all the same, and a
// browser a session.
func (s *Server) loginMounts(prefix string) []mount {
	h := s.login.api.Handler()
	if prefix == s.cfg.Prefix {
		api, pages := h, s.gate.Steps()
		h = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if s.gate.AsksForLogin(r) {
				pages.ServeHTTP(w, r)
				return
			}
			api.ServeHTTP(w, r)
		})
	}
	return []mount{
		{path: prefix + "/login", handler: h, bounds: small},
		{path: prefix + "/login/", handler: h, bounds: small},
		{path: "/.well-known/jwks.json", handler: s.api, bounds: small},
	}
}

// countedSender tells the metrics how sending went.
type countedSender struct {
	mail.Sender
	metrics *Metrics
}

func (s countedSender) Send(ctx context.Context, m mail.Message) error {
	err := s.Sender.Send(ctx, m)
	switch {
	case err == nil:
		s.metrics.mails.WithLabelValues(mailSent).Inc()
		s.metrics.mailUp.Set(1)
	case errors.Is(err, mail.ErrRejected): // this mail's own fault
		s.metrics.mails.WithLabelValues(mailFailed).Inc()
	default:
		s.metrics.mails.WithLabelValues(mailFailed).Inc()
		s.metrics.mailUp.Set(0)
	}
	return err
}

// What becomes of mails.
const (
	mailSent    = "sent"
	mailFailed  = "failed"
	mailGivenUp = "given_up"
)

func (m *Metrics) mailEvent(e mail.OutboxEvent) {
	if e.Kind == mail.OutboxGivenUp {
		m.mails.WithLabelValues(mailGivenUp).Inc()
	}
}

func (m *Metrics) loginStep(e login.Event) {
	reason, refused := hallpass.RefusalOf(e.Err)
	switch {
	case refused && reason != hallpass.RefusalMissing:
		m.loginsRefused.WithLabelValues(string(reason)).Inc()
	case e.Err != nil:
	case e.Step == login.StepBegin:
		m.loginsBegun.Inc()
	case e.Step == login.StepCode, e.Step == login.StepLink:
		m.loginsDone.WithLabelValues(string(e.Step)).Inc()
	}
}

// loginSeries makes every series exist from the start.
func (m *Metrics) loginSeries() {
	for _, by := range []login.Step{login.StepCode, login.StepLink} {
		m.loginsDone.WithLabelValues(string(by))
	}
	for _, r := range hallpass.Refusals() {
		if r != hallpass.RefusalMissing {
			m.loginsRefused.WithLabelValues(string(r))
		}
	}
	for _, what := range []string{"account", "network", "global", "network_sends", "global_sends"} {
		m.loginsBlocked.WithLabelValues(what)
	}
	for _, outcome := range []string{mailSent, mailFailed, mailGivenUp} {
		m.mails.WithLabelValues(outcome)
	}
	m.mailUp.Set(1)
}
