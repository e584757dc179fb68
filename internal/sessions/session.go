// Package sessions keeps what session passes and logins begin: in the browser a
// cookie with a random secret, in the store a cell under the secret's hash, with an
// idle and an absolute end. A session ends with its pass.
package sessions

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/mail"
)

// Kind says what began a session.
type Kind string

const (
	// KindPass sessions began by a session pass.
	KindPass Kind = ""
	// KindLogin sessions began by a login by e-mail.
	KindLogin Kind = "login"
)

// Config is what a Keeper needs. Kind, Allow and Logger may be left out.
type Config struct {
	Issuer *hallpass.Issuer
	Cells  hallpass.CellStore
	// Group is the cells that the sessions are. Keepers of different kinds may share
	// one.
	Group string
	// Kind of the sessions: one of another kind never counts. Defaults to KindPass.
	Kind Kind
	// Cookie is the kind of cookie that carries the secret. Keepers on one host need
	// different ones: a browser may have a session of each kind.
	Cookie  string
	Cookies Cookies
	// Allow is asked at each request whether a session still counts, and may bring its
	// pass's data up to date. Nil: it does.
	Allow func(*Session) (bool, error)
	// Idle and Life bound a session: since its last request, and since it began.
	Idle, Life time.Duration
	// Logger defaults to slog.Default.
	Logger *slog.Logger
}

// Keeper begins, finds and ends the sessions of one kind. Its Register is of all in
// its group. It is safe for concurrent use.
type Keeper struct {
	*Register
	cfg Config
}

// New returns a Keeper.
func New(cfg Config) *Keeper {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	return &Keeper{NewRegister(cfg.Cells, cfg.Group, cfg.Issuer.Now), cfg}
}

// Session is what a session pass, or a login, began on a host. Its id is the hash of
// the browser's secret.
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

// HashSecret is the form in which a cookie's secret is kept.
func HashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

var errNoHost = fmt.Errorf("sessions: the request names no host: %w", hallpass.RefusalNotGranted)

// Begin starts a session for the pass's subject on the request's host, with a new
// secret. It fits guard.Config.Login.
func (k *Keeper) Begin(w http.ResponseWriter, r *http.Request, pass hallpass.Pass) error {
	return k.BeginFor(w, r, pass, "")
}

// BeginFor is Begin for somebody whose address was proven. Without IssuedAt the
// pass is of this moment.
func (k *Keeper) BeginFor(w http.ResponseWriter, r *http.Request, pass hallpass.Pass, address mail.Address) error {
	host, ok := CanonicalHost(r.Host)
	if !ok {
		return errNoHost
	}
	now, secret := k.cfg.Issuer.Now(), rand.Text()
	for HashSecret(secret)[0] == '-' {
		secret = rand.Text() // operators type the id, and that would be a flag
	}
	if pass.IssuedAt.IsZero() {
		pass.IssuedAt = now
	}
	c := sessionCell{
		Session: Session{
			ID: HashSecret(secret), Kind: k.cfg.Kind, Address: address, Host: host, Began: now, Ends: now.Add(k.cfg.Life),
		},
		PassID: pass.ID, Scope: pass.Scope, Subject: pass.Subject, Batch: pass.Batch, Grants: pass.Grants,
		Data: pass.Data, IssuedAt: pass.IssuedAt.UnixMicro(),
	}
	value, err := json.Marshal(c)
	if err != nil {
		return err
	}
	_, err = k.cfg.Cells.Swap(r.Context(), hallpass.Cell{
		Group: k.cfg.Group, Key: c.ID, Value: value, ExpiresAt: now.Add(k.cfg.Idle),
	}, now)
	if err != nil {
		return unavailable(err)
	}
	k.cfg.Cookies.Set(w, k.cfg.Cookie, secret, k.cfg.Life)
	return nil
}

// Of returns the request's session, or nil.
func (k *Keeper) Of(r *http.Request) (*Session, error) { return k.of(r, true) }

// Peek is Of for a request that no person made, and that does not move the idle end.
func (k *Keeper) Peek(r *http.Request) (*Session, error) { return k.of(r, false) }

func (k *Keeper) of(r *http.Request, touch bool) (*Session, error) {
	secret := k.cfg.Cookies.Of(r, k.cfg.Cookie)
	host, ok := CanonicalHost(r.Host)
	if secret == "" || !ok {
		return nil, nil
	}
	ctx, now := r.Context(), k.cfg.Issuer.Now()
	cell, err := k.cfg.Cells.Cell(ctx, k.cfg.Group, HashSecret(secret), now)
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
	if c.Over || c.Kind != k.cfg.Kind || s.Host != host || !now.Before(s.Ends) {
		return nil, nil
	}
	if k.cfg.Allow != nil {
		if allowed, err := k.cfg.Allow(s); err != nil || !allowed {
			return nil, err
		}
	}
	if revoked, err := Revoked(ctx, k.cfg.Issuer, s); err != nil || revoked {
		return nil, err
	}
	if touch {
		k.touch(ctx, cell, s.Ends, now)
	}
	return s, nil
}

// Revoked asks whether what a session rests on was taken back. About a login it asks
// by its address, too, where that is not the subject: who takes somebody back may
// know either.
func Revoked(ctx context.Context, issuer *hallpass.Issuer, s *Session) (bool, error) {
	revoked, err := issuer.Revoked(ctx, s.Pass)
	if err != nil || revoked || s.Kind != KindLogin || s.Pass.Subject == string(s.Address) {
		return revoked, err
	}
	byAddress := s.Pass
	byAddress.Subject = string(s.Address)
	return issuer.Revoked(ctx, byAddress)
}

// touch moves the idle end, once a minute at most. Losing a race means that
// somebody else just did.
func (k *Keeper) touch(ctx context.Context, cell hallpass.Cell, ends, now time.Time) {
	next := now.Add(k.cfg.Idle)
	if next.After(ends) {
		next = ends
	}
	if next.Sub(cell.ExpiresAt) < time.Minute {
		return
	}
	cell.ExpiresAt = next
	if _, err := k.cfg.Cells.Swap(ctx, cell, now); err != nil && !errors.Is(err, hallpass.ErrConflict) {
		k.cfg.Logger.Warn("a session's idle end was not moved", "error", err)
	}
}

// SignedIn is the subject of the request's session, empty when there is none. It
// fits guard.Config.SignedIn.
func (k *Keeper) SignedIn(r *http.Request) (string, error) {
	s, err := k.Of(r)
	if s == nil {
		return "", err
	}
	return s.Pass.Subject, nil
}

// Forget takes the cookie away from a browser that has one.
func (k *Keeper) Forget(w http.ResponseWriter, r *http.Request) {
	if len(r.CookiesNamed(k.cfg.Cookies.Name(k.cfg.Cookie))) > 0 {
		k.cfg.Cookies.Set(w, k.cfg.Cookie, "", 0)
	}
}

// Leave takes the browser's cookie away and ends its session.
func (k *Keeper) Leave(w http.ResponseWriter, r *http.Request) error {
	secret := k.cfg.Cookies.Of(r, k.cfg.Cookie)
	k.cfg.Cookies.Set(w, k.cfg.Cookie, "", 0)
	if secret == "" {
		return nil
	}
	if err := k.End(r.Context(), HashSecret(secret)); !errors.Is(err, hallpass.ErrNotFound) {
		return err
	}
	return nil
}

// unavailable marks a store's failure for the guard.
func unavailable(err error) error {
	if err == nil || errors.Is(err, hallpass.ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %w", hallpass.ErrUnavailable, err)
}
