// Package demo is a small real site with hallpass in front of it: a newsletter
// with unsubscribe links, invitations, sign-in by link, an API with scoped tokens,
// an inbox with the mails it sent, and the trail of every click. It is what
// `hallpass demo` serves, and every promise it makes is walked by Check.
package demo

import (
	"context"
	"embed"
	"html/template"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/guard"
	"github.com/hallpass-go/hallpass/internal/adminui"
	"github.com/hallpass-go/hallpass/internal/look"
	"github.com/hallpass-go/hallpass/keystore"
	"github.com/hallpass-go/hallpass/login"
)

//go:embed pages/*.html
var pageFiles embed.FS

// siteName is what the site calls itself.
const siteName = "Corridor Weekly"

// people are who the site knows: its readers, and who can sign in.
var people = []string{"hugo@example.com", "greta@example.com", "ivo@example.com"}

// Config is what the site needs.
type Config struct {
	// Keys, Store and Instance are those of the issuer.
	Keys     *hallpass.Keyring
	Store    hallpass.Store
	Instance string
	// AccessKeys sign the access tokens of the e-mail login. Defaults to a key that
	// is forgotten with the site.
	AccessKeys *hallpass.Keyring
	// BaseURL is where the site is reached, such as "http://localhost:8080".
	BaseURL string
	// Ring is the store's keys, for the admin. Nil: the admin changes none.
	Ring *keystore.Ring
	// Local says that only this machine reaches the site, so that its pages may open
	// the admin for whoever asks.
	Local bool
	// StoreName is how the pages call the store, for the command lines they show;
	// empty where another process cannot open it.
	StoreName string
	// Logger gets what goes wrong. Defaults to slog.Default.
	Logger *slog.Logger
}

// Site is the running site. What is not a pass lives in its memory.
type Site struct {
	cfg      Config
	issuer   *hallpass.Issuer
	guard    *guard.Guard
	admin    *adminui.UI
	sessions *scs.SessionManager
	pages    map[string]*template.Template
	mailbox  mailbox
	login    *login.Login

	mu         sync.Mutex
	subscribed map[string]bool
	members    []string // who came by an invitation, newest last
}

// New returns the site. Serve runs it.
func New(cfg Config) (*Site, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	s := &Site{cfg: cfg, subscribed: map[string]bool{}, sessions: scs.New()}
	for _, p := range people {
		s.subscribed[p] = true
	}
	s.sessions.Lifetime = 12 * time.Hour
	s.sessions.Cookie.Name = "corridor_session"
	var err error
	if s.issuer, err = hallpass.New(hallpass.Config{Keys: cfg.Keys, Store: cfg.Store, Instance: cfg.Instance, Logger: cfg.Logger}); err != nil {
		return nil, err
	}
	s.guard, err = guard.New(guard.Config{
		Issuer: s.issuer, BaseURL: cfg.BaseURL, Site: siteName, Logger: cfg.Logger,
		SignedIn:  func(r *http.Request) (string, error) { return s.user(r.Context()), nil },
		Login:     s.signIn,
		FreshLink: s.mailFreshLink,
	})
	if err != nil {
		return nil, err
	}
	s.admin, err = adminui.New(adminui.Config{
		Issuer: s.issuer, Cells: cfg.Store, Ring: cfg.Ring, BaseURL: cfg.BaseURL, LinkURL: cfg.BaseURL + "/newsletter/unsubscribe",
		Store: cfg.StoreName, Site: siteName, Logger: cfg.Logger,
	})
	if err != nil {
		return nil, err
	}
	if s.login, err = s.newLogin(); err != nil {
		return nil, err
	}
	if s.pages, err = look.ParseFS(nil, pageFiles, "pages/*.html"); err != nil {
		return nil, err
	}
	return s, nil
}

// Issuer is the site's issuer; its Run belongs in the background.
func (s *Site) Issuer() *hallpass.Issuer { return s.issuer }

// Handler is the site. The forms of the site itself are protected against other
// sites; the guarded routes protect themselves.
func (s *Site) Handler() http.Handler {
	mux := http.NewServeMux()
	own := http.NewServeMux()
	own.HandleFunc("GET /{$}", s.home)
	own.HandleFunc("GET /inbox", s.inbox)
	own.HandleFunc("GET /inbox/{number}", s.mail)
	own.HandleFunc("GET /newsletter", s.newsletter)
	own.HandleFunc("POST /newsletter/send", s.sendNewsletter)
	own.HandleFunc("POST /newsletter/subscribe", s.subscribe)
	own.HandleFunc("POST /invite/send", s.sendInvitation)
	own.HandleFunc("GET /login", s.loginPage)
	own.HandleFunc("POST /login", s.sendLogin)
	own.HandleFunc("POST /logout", s.signOut)
	own.HandleFunc("GET /developers", s.developers)
	own.HandleFunc("POST /developers", s.makeToken)
	own.HandleFunc("GET /audit", s.audit)
	own.HandleFunc("POST /audit/revoke", s.revoke)
	own.HandleFunc("GET /links.json", s.links)
	own.HandleFunc("POST /open-admin", s.openAdmin)
	mux.Handle("/", http.NewCrossOriginProtection().Handler(own))

	mux.Handle(adminui.DefaultPrefix+"/", s.admin.Handler())
	mux.Handle(emailLogin, s.login.Handler())
	mux.Handle(emailLogin+"/", s.login.Handler())
	mux.Handle("/newsletter/unsubscribe", s.guard.Require(scopeUnsubscribe, &guard.Options{
		Modes: []hallpass.Mode{hallpass.ModeRequest}, Transports: guard.Query, OneClick: true,
		Title: "Leave the newsletter?", Button: "Unsubscribe",
		Sentence: func(p hallpass.Pass) string {
			return "This link unsubscribes " + p.Subject + " from " + siteName + "."
		},
	})(http.HandlerFunc(s.unsubscribe)))
	mux.Handle("/invite", s.guard.Require(scopeInvite, &guard.Options{
		Modes: []hallpass.Mode{hallpass.ModePublic}, Transports: guard.Query,
		Sentence: func(hallpass.Pass) string { return "This link invites you to " + siteName + "." },
	})(http.HandlerFunc(s.invitation)))
	mux.Handle("/account", s.guard.Require(scopeLogin, &guard.Options{
		Modes: []hallpass.Mode{hallpass.ModeSession}, Transports: guard.Query, AllowSignedIn: true,
		Sentence: func(p hallpass.Pass) string {
			return "This link signs " + look.Mask(p.Subject) + " in to " + siteName + "."
		},
	})(http.HandlerFunc(s.account)))
	mux.Handle("/api/", s.guard.Require(scopeAPI, &guard.Options{
		Transports: guard.Header, Audit: hallpass.AuditDurable,
	})(http.HandlerFunc(s.api)))
	return s.sessions.LoadAndSave(mux)
}

// frame is what every page of the site shows around its own content.
type frame struct {
	Site, Path, User string
	Mails            int
	Now              time.Time
	// Local says that a button opens the admin.
	Local bool
}

func (s *Site) frame(r *http.Request) frame {
	section, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	return frame{Site: siteName, Path: "/" + section, User: s.user(r.Context()), Mails: s.mailbox.count(), Now: s.issuer.Now(), Local: s.cfg.Local}
}

func (s *Site) show(w http.ResponseWriter, r *http.Request, status int, page string, view any) {
	if err := look.Serve(w, r, status, s.pages[page], view); err != nil {
		s.cfg.Logger.Error("a page could not be shown", "page", page, "error", err)
	}
}

// problem answers for what cannot go on.
func (s *Site) problem(w http.ResponseWriter, err error) {
	s.cfg.Logger.Error("the site could not answer", "error", err)
	http.Error(w, "That did not work, and nothing was used up. Try again in a moment.", http.StatusServiceUnavailable)
}

// issueLink makes a pass and its link to a page of the site.
func (s *Site) issueLink(ctx context.Context, page string, spec hallpass.Spec) (string, error) {
	issued, err := s.issuer.Issue(ctx, spec)
	if err != nil {
		return "", err
	}
	return s.guard.Link(page, issued.Token)
}
