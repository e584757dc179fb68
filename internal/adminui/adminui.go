// Package adminui is where operators look: what happens now, every pass and what
// came of it, who did what, and the few things that are done by hand. It is served
// whole from this process and works without scripts; with them it is quicker.
//
// It is entered by a session pass of hallpass's own, whose data says the operator's
// role and whose grants judge every request.
package adminui

import (
	"context"
	"embed"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/guard"
	"github.com/hallpass-go/hallpass/internal/clientip"
	"github.com/hallpass-go/hallpass/internal/look"
	"github.com/hallpass-go/hallpass/internal/sessions"
	"github.com/hallpass-go/hallpass/keystore"
)

// Scope is that of the passes that open the admin.
const Scope hallpass.Scope = "hallpass:admin"

// DefaultPrefix is where the admin is unless told otherwise.
const DefaultPrefix = "/admin"

//go:embed pages/*.html
var pageFiles embed.FS

// Config is what a UI needs. Issuer, Cells and BaseURL are required.
type Config struct {
	Issuer *hallpass.Issuer
	// Cells keep the operators' sessions.
	Cells hallpass.CellStore
	// Ring is the store's keys, for rotating them. Nil shows the Issuer's and changes
	// nothing.
	Ring *keystore.Ring
	// BaseURL is the origin under which browsers reach the admin; its scheme says
	// whether cookies are Secure.
	BaseURL string
	// Prefix is the path of the admin, without a slash at its end; requests come with
	// it. Defaults to DefaultPrefix.
	Prefix string
	// LinkURL is the application that new links lead to unless another is typed.
	// Empty leaves the field empty.
	LinkURL string
	// AccessKeys are those of a login that gives out access tokens; a Ring knows them
	// itself. Nil shows none.
	AccessKeys *hallpass.Keyring
	// JWKS and AccessJWKS are the addresses of the public keys for passes and for
	// access tokens. Empty says that they are not published.
	JWKS, AccessJWKS string
	// Sessions are those of the application, if this process knows them.
	Sessions Sessions
	// Blocked are the accounts and networks that are held up. Nil means that there is
	// no login here.
	Blocked Blocked
	// Listed says who may sign in by e-mail; SignIn is called when an address is
	// proven. Nil: nobody may.
	Listed Listed
	// EmailPage is the address of the pages that prove one. Empty offers none.
	EmailPage string
	// Settings returns the effective settings. Nil shows none.
	Settings func() []Setting
	// Health says how the parts are. Nil shows none.
	Health func(context.Context) []Health
	// Store and Version are shown.
	Store, Version string
	// Site is the application's name, for the page that signs operators in.
	Site string
	// SessionIdle and SessionLife bound an operator's session. They default to 1 and
	// 12 hours.
	SessionIdle, SessionLife time.Duration
	// TrustedProxies may tell the client's address in ClientIPHeader, as guard has it.
	TrustedProxies []netip.Prefix
	ClientIPHeader string
	// Logger defaults to slog.Default.
	Logger *slog.Logger
}

// Sessions are those that session passes and logins began.
type Sessions interface {
	List(ctx context.Context, subject, after string, limit int) (page []Session, next string, err error)
	End(ctx context.Context, id string) error
}

// Session is one of them.
type Session struct {
	ID string
	// Kind is "pass" or "login", on a protected host, or "tokens", of a program.
	Kind    string
	Subject string
	// Email is the address that was proven; Scope, Pass and Host are those of a
	// session on a host. Each may be empty.
	Email, Scope, Pass, Host string
	// Began, and Ends unless it is used before.
	Began, Ends time.Time
}

// Blocked lists and lifts what a login holds up.
type Blocked interface {
	List(ctx context.Context) ([]Block, error)
	// Unblock lifts one; hallpass.ErrNotFound when it is over.
	Unblock(ctx context.Context, kind, name string) error
}

// Block is an account or a network that must wait.
type Block struct {
	// Kind is "account", "network", or "network_sends" for one that asked for too many
	// mails.
	Kind, Name string
	Failures   int64
	Until      time.Time
}

// Setting is one effective setting.
type Setting struct {
	Name, Value string
	// Origin is where the value came from: a file and line, a variable, a flag, or
	// "default".
	Origin string
	// Secret says that Value is not shown.
	Secret bool
}

// Health is how one part is.
type Health struct {
	Name   string
	OK     bool
	Detail string
}

// UI is the admin. It is safe for concurrent use.
type UI struct {
	cfg     Config
	issuer  *hallpass.Issuer
	clients *clientip.Resolver
	own     *sessions.Keeper // of operators with a pass
	byEmail *sessions.Keeper // of those who proved an address
	guard   *guard.Guard
	pages   map[string]*template.Template
	assets  assets
}

// New returns a UI. Its errors name the Config field.
func New(cfg Config) (*UI, error) {
	if cfg.Prefix == "" {
		cfg.Prefix = DefaultPrefix
	}
	if cfg.SessionIdle == 0 {
		cfg.SessionIdle = time.Hour
	}
	if cfg.SessionLife == 0 {
		cfg.SessionLife = 12 * time.Hour
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	base, err := url.Parse(cfg.BaseURL)
	switch {
	case cfg.Issuer == nil || cfg.Cells == nil:
		return nil, errors.New("adminui: config: issuer and cells are required")
	case err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "":
		return nil, &hallpass.FieldError{Field: "base_url", Reason: "must be an origin such as https://ops.example.com"}
	}
	if clean, ok := hallpass.CleanPath(cfg.Prefix); !ok || clean != cfg.Prefix || strings.HasSuffix(cfg.Prefix, "/") {
		return nil, &hallpass.FieldError{Field: "prefix", Reason: "must be a path such as /admin, without a slash at its end"}
	}
	u := &UI{cfg: cfg, issuer: cfg.Issuer}
	if u.clients, err = clientip.New(cfg.TrustedProxies, cfg.ClientIPHeader, nil); err != nil {
		return nil, &hallpass.FieldError{Field: "client_ip_header", Reason: err.Error()}
	}
	kept := sessions.Config{
		Issuer: cfg.Issuer, Cells: cfg.Cells, Group: "admin-sessions", Cookie: "admin",
		Cookies: sessions.Cookies{Secure: base.Scheme == "https"}, Idle: cfg.SessionIdle, Life: cfg.SessionLife, Logger: cfg.Logger,
	}
	u.own = sessions.New(kept)
	kept.Kind, kept.Cookie, kept.Allow = sessions.KindLogin, "admin-login", u.stillListed
	u.byEmail = sessions.New(kept)
	u.guard, err = guard.New(guard.Config{
		Issuer: cfg.Issuer, BaseURL: base.Scheme + "://" + base.Host, Site: cfg.Site, Logger: cfg.Logger,
		TrustedProxies: cfg.TrustedProxies, ClientIPHeader: cfg.ClientIPHeader,
		SignedIn: u.signedIn, Login: u.signIn,
	})
	if err != nil {
		return nil, err
	}
	if u.assets, err = newAssets(); err != nil {
		return nil, err
	}
	u.pages, err = look.ParseFS(nil, pageFiles, "pages/*.html")
	return u, err
}

// Own is the operators' sessions.
func (u *UI) Own() *sessions.Register { return u.own.Register }

// URL is where the admin begins.
func (u *UI) URL() string { return strings.TrimSuffix(u.cfg.BaseURL, "/") + u.cfg.Prefix + "/" }

// signIn is the guard's Login hook. Whoever signs in is written down first.
func (u *UI) signIn(w http.ResponseWriter, r *http.Request, pass hallpass.Pass) error {
	op, err := operatorOf(pass)
	if err != nil {
		return hallpass.RefusalNotGranted
	}
	if err := u.record(r, op, hallpass.Event{Action: "admin.sign_in", Pass: pass.ID, Detail: "as " + string(op.Role)}); err != nil {
		return err
	}
	return u.own.Begin(w, r, pass)
}
