package gate

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/mail"
)

const sessionGroup = "gate-sessions"

// Kind says what began a session.
type Kind string

const (
	// KindPass sessions began by a session pass.
	KindPass Kind = ""
	// KindLogin sessions began by a login by e-mail.
	KindLogin Kind = "login"
)

// cookie is the name of the browser's secret: a browser may have a session of each
// kind, and one never counts as the other.
func (k Kind) cookie() string {
	if k == KindLogin {
		return "login-session"
	}
	return "session"
}

// Session is what a session pass, or a login, began on a protected host. The
// browser has a random secret; the store has its hash, which is also the session's
// id.
type Session struct {
	ID   string `json:"id"`
	Kind Kind   `json:"kind,omitempty"`
	// Address is the one that was proven by a login.
	Address mail.Address `json:"email,omitempty"`
	// Pass is what it rests on: revoking the pass, or its group, ends it. That of a
	// login is made up, of scope, subject and time, for the groups alone.
	Pass hallpass.Pass `json:"-"`
	Host string        `json:"host"`
	// Began and Ends are absolute.
	Began time.Time `json:"began"`
	Ends  time.Time `json:"ends"`
	// IdleEnds is when it ends unless it is used before; List sets it.
	IdleEnds time.Time `json:"-"`
}

// sessionCell is a session as the store has it.
type sessionCell struct {
	Session
	PassID   string           `json:"pass"`
	Scope    hallpass.Scope   `json:"scope"`
	Subject  string           `json:"subject"`
	Batch    string           `json:"batch,omitempty"`
	Grants   []hallpass.Grant `json:"grants,omitempty"`
	Data     json.RawMessage  `json:"data,omitempty"`
	IssuedAt int64            `json:"issued_at"`
	// Over is set on a session that was ended; the cell stays until its end.
	Over bool `json:"over,omitempty"`
}

func (c sessionCell) session() *Session {
	s := c.Session
	s.Pass = hallpass.Pass{
		ID: c.PassID, Scope: c.Scope, Mode: hallpass.ModeSession, Subject: c.Subject, Batch: c.Batch,
		Grants: c.Grants, Data: c.Data, IssuedAt: time.UnixMicro(c.IssuedAt).UTC(), Recorded: c.Kind == KindPass,
	}
	return &s
}

// isOf reports whether a session is a subject's, or a login with an address.
func (c sessionCell) isOf(subject string) bool {
	return c.Subject == subject || c.Kind == KindLogin && string(c.Address) == subject
}

func hashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// cookieName is locked to its host where TLS allows it.
func (g *Gate) cookieName(what string) string {
	if g.secure {
		return "__Host-hallpass-" + what
	}
	return "hallpass-" + what
}

func (g *Gate) setCookie(w http.ResponseWriter, what, value string, life time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: g.cookieName(what), Value: value, Path: "/", MaxAge: int(life.Seconds()),
		HttpOnly: true, Secure: g.secure, SameSite: http.SameSiteLaxMode,
	})
}

// cookie returns the one cookie of ours of that kind; two are none.
func (g *Gate) cookie(r *http.Request, what string) string {
	found := r.CookiesNamed(g.cookieName(what))
	if len(found) != 1 || len(found[0].Value) < 20 || len(found[0].Value) > 64 {
		return ""
	}
	return found[0].Value
}

// signIn is the guard's Login hook.
func (g *Gate) signIn(w http.ResponseWriter, r *http.Request, pass hallpass.Pass) error {
	return g.begin(w, r, sessionCell{
		PassID: pass.ID, Scope: pass.Scope, Subject: pass.Subject, Batch: pass.Batch, Grants: pass.Grants,
		Data: pass.Data, IssuedAt: pass.IssuedAt.UnixMicro(),
	})
}

// begin begins a session on the request's host, with a secret of its own.
func (g *Gate) begin(w http.ResponseWriter, r *http.Request, c sessionCell) error {
	host, ok := canonicalHost(r.Host)
	if !ok {
		return errNoRule
	}
	now, secret := g.cfg.Issuer.Now(), rand.Text()
	for hashSecret(secret)[0] == '-' {
		secret = rand.Text() // operators type the id, and that would be a flag
	}
	c.ID, c.Host, c.Began, c.Ends = hashSecret(secret), host, now, now.Add(g.cfg.SessionLife)
	if c.IssuedAt == 0 {
		c.IssuedAt = now.UnixMicro()
	}
	value, err := json.Marshal(c)
	if err != nil {
		return err
	}
	_, err = g.cfg.Cells.Swap(r.Context(), hallpass.Cell{
		Group: sessionGroup, Key: c.ID, Value: value, ExpiresAt: now.Add(g.cfg.SessionIdle),
	}, now)
	if err != nil {
		return unavailable(err)
	}
	g.setCookie(w, c.Kind.cookie(), secret, g.cfg.SessionLife)
	return nil
}

// session returns the request's session of a kind, or nil.
func (g *Gate) session(r *http.Request, kind Kind) (*Session, error) {
	secret := g.cookie(r, kind.cookie())
	host, ok := canonicalHost(r.Host)
	if secret == "" || !ok {
		return nil, nil
	}
	ctx, now := r.Context(), g.cfg.Issuer.Now()
	cell, err := g.cfg.Cells.Cell(ctx, sessionGroup, hashSecret(secret), now)
	if errors.Is(err, hallpass.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, unavailable(err)
	}
	var c sessionCell
	if err := json.Unmarshal(cell.Value, &c); err != nil {
		return nil, unavailable(err)
	}
	s := c.session()
	if c.Over || c.Kind != kind || s.Host != host || !now.Before(s.Ends) {
		return nil, nil
	}
	if kind == KindLogin && !g.cfg.LoginAllow.Allows(s.Address) {
		return nil, nil
	}
	if revoked, err := g.revoked(ctx, s); err != nil || revoked {
		return nil, err
	}
	if current, err := g.bringUpToDate(s); err != nil || !current {
		return nil, err
	}
	g.touch(ctx, cell, s.Ends, now)
	return s, nil
}

// revoked asks about a login by its address, too, where that is not the subject:
// who takes somebody back may know either.
func (g *Gate) revoked(ctx context.Context, s *Session) (bool, error) {
	revoked, err := g.cfg.Issuer.Revoked(ctx, s.Pass)
	if err != nil || revoked || s.Kind != KindLogin || s.Pass.Subject == string(s.Address) {
		return revoked, err
	}
	byAddress := s.Pass
	byAddress.Subject = string(s.Address)
	return g.cfg.Issuer.Revoked(ctx, byAddress)
}

// touch moves the idle end, once a minute at most. Losing a race means that
// somebody else just did.
func (g *Gate) touch(ctx context.Context, cell hallpass.Cell, ends, now time.Time) {
	next := now.Add(g.cfg.SessionIdle)
	if next.After(ends) {
		next = ends
	}
	if next.Sub(cell.ExpiresAt) < time.Minute {
		return
	}
	cell.ExpiresAt = next
	if _, err := g.cfg.Cells.Swap(ctx, cell, now); err != nil && !errors.Is(err, hallpass.ErrConflict) {
		g.cfg.Logger.Warn("a session's idle end was not moved", "error", err)
	}
}

// signedIn is the guard's SignedIn hook. Who logged in by e-mail is signed in, too:
// somebody else's personal link does not make him somebody else unnoticed.
func (g *Gate) signedIn(r *http.Request) (string, error) {
	for _, kind := range []Kind{KindPass, KindLogin} {
		if s, err := g.session(r, kind); s != nil || err != nil {
			return s.subject(), err
		}
	}
	return "", nil
}

func (s *Session) subject() string {
	if s == nil {
		return ""
	}
	return s.Pass.Subject
}

// Sessions lists and ends sessions.
func (g *Gate) Sessions() *Sessions { return SessionsIn(g.cfg.Cells, g.cfg.Issuer.Now) }

// SessionsIn is Sessions without a Gate, for commands on the store.
func SessionsIn(cells hallpass.CellStore, now func() time.Time) *Sessions {
	return &Sessions{cells, now}
}

// Sessions is the operator's view of them.
type Sessions struct {
	cells hallpass.CellStore
	now   func() time.Time
}

// List returns the sessions that are not over, newest first, of one subject, who may
// be named by the address of a login, or, where that is empty, of all, strictly after a cursor and at most limit. next is
// empty when there is no more. A session nobody has asked about leaves by itself.
func (ss *Sessions) List(ctx context.Context, subject, after string, limit int) (page []Session, next string, err error) {
	now := ss.now()
	cells, err := ss.cells.Cells(ctx, sessionGroup, 0, now)
	if err != nil {
		return nil, "", unavailable(err)
	}
	for _, cell := range cells {
		var c sessionCell
		if json.Unmarshal(cell.Value, &c) != nil || c.Over || !now.Before(c.Ends) || subject != "" && !c.isOf(subject) {
			continue
		}
		s := c.session()
		s.IdleEnds = cell.ExpiresAt
		if after == "" || s.position() < after {
			page = append(page, *s)
		}
	}
	slices.SortFunc(page, func(a, b Session) int { return strings.Compare(b.position(), a.position()) })
	if len(page) > limit {
		page = page[:limit]
		next = page[limit-1].position()
	}
	return page, next, nil
}

// position orders sessions by when they began; it is the cursor of List.
func (s *Session) position() string { return fmt.Sprintf("%016x-%s", s.Began.UnixMicro(), s.ID) }

// End ends a session; ErrNotFound when there is none.
func (ss *Sessions) End(ctx context.Context, id string) error {
	for {
		now := ss.now()
		cell, err := ss.cells.Cell(ctx, sessionGroup, id, now)
		if errors.Is(err, hallpass.ErrNotFound) {
			return err
		}
		if err != nil {
			return unavailable(err)
		}
		var c sessionCell
		if err := json.Unmarshal(cell.Value, &c); err != nil {
			return unavailable(err)
		}
		if c.Over {
			return hallpass.ErrNotFound
		}
		c.Over = true
		if cell.Value, err = json.Marshal(c); err != nil {
			return err
		}
		if _, err = ss.cells.Swap(ctx, cell, now); !errors.Is(err, hallpass.ErrConflict) {
			return unavailable(err)
		}
	}
}
