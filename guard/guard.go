// Package guard is net/http middleware that honours passes: it finds the token in
// a request, asks a person before a mail scanner could use a link up, counts the
// use, runs the handler with the pass in its context, and records how it went.
//
//	g, err := guard.New(guard.Config{Issuer: issuer})
//	mux.Handle("/unsubscribe", g.Require("newsletter:unsubscribe", nil)(handler))
//
// A guarded route that takes links must accept GET and POST: the confirmation
// page posts to the route's own URL, and the handler still gets the GET.
package guard

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/clientip"
	"github.com/hallpass-go/hallpass/internal/interstitial"
	"github.com/hallpass-go/hallpass/internal/look"
)

// Config is what a Guard needs. Issuer is required.
type Config struct {
	// Issuer decides about passes. Required.
	Issuer *hallpass.Issuer
	// BaseURL is the application's own origin, such as "https://example.com". Mailed
	// links and redirects are built from it, never from the request. Empty leaves
	// redirects relative, and Link then needs absolute URLs.
	BaseURL string
	// Param is the query parameter, form field and JSON member that carries a
	// token. Defaults to "rt".
	Param string
	// TrustedProxies may tell the client's address; nobody else may. Entries are
	// prefixes or single addresses. Defaults to none.
	TrustedProxies []netip.Prefix
	// ClientIPHeader is what they tell it in. Defaults to "X-Forwarded-For".
	ClientIPHeader string
	// SignedIn says who is signed in; empty means nobody. Nil means that the
	// application has no sign-in of its own.
	SignedIn func(r *http.Request) (subject string, err error)
	// Login starts a session for the pass's subject, with a new session id. It must
	// not write a body. Required for session passes; without it they are refused.
	Login func(w http.ResponseWriter, r *http.Request, pass hallpass.Pass) error
	// Account says how a subject is called where people read, such as an e-mail
	// address. Pages mask it. Defaults to the subject.
	Account func(ctx context.Context, subject string) string
	// FreshLink, when set, is offered on the page of an expired or spent link: it
	// mails a new link for the same thing to the same person, or does not, as the
	// application decides anew. page is the URL the old link led to, without token.
	FreshLink func(ctx context.Context, pass hallpass.Pass, page string) error
	// Refused, when set, answers refusals in place of hallpass's pages and problem
	// documents.
	Refused func(w http.ResponseWriter, r *http.Request, refused Refused)
	// Site is the application's name on hallpass's pages.
	Site string
	// Templates and Texts replace hallpass's pages; see docs/guard.md.
	Templates fs.FS
	Texts     map[string]string
	// Secure says that browsers reach the application over TLS although this
	// process does not see it; cookies are then Secure. BaseURL with https implies
	// it.
	Secure bool
	// StepURL says where the forms on hallpass's pages post, for a page's path and
	// query and a step ("confirm" or "fresh"). Whoever serves that URL gives the
	// request to the page's route as a POST to the page with StepParam set to the
	// step. Defaults to that very URL.
	StepURL func(page, step string) string
	// Logger gets what the client is not told: each refusal's exact reason (at level
	// info where the token was one of ours, at debug where anybody could have made it
	// up), and what went wrong. Tokens are never among it. Defaults to slog.Default.
	Logger *slog.Logger
}

// Refused is a token that was not honoured, for Config.Refused.
type Refused struct {
	// Reason is exact; show the public Reason.Public().
	Reason hallpass.Refusal
	// Status is what hallpass would answer.
	Status int
	// Pass is what the token says, only set once its signature was proven.
	Pass *hallpass.Pass
}

// Guard makes middleware. It is safe for concurrent use.
type Guard struct {
	cfg     Config
	origin  *url.URL // of BaseURL; nil when there is none
	clients *clientip.Resolver
	pages   *interstitial.Pages
	replays replays
}

// New returns a Guard. Its errors name the Config field.
func New(cfg Config) (*Guard, error) {
	if cfg.Issuer == nil {
		return nil, errors.New("guard: config: issuer is required")
	}
	if cfg.Param == "" {
		cfg.Param = hallpass.DefaultParam
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Account == nil {
		cfg.Account = func(_ context.Context, subject string) string { return subject }
	}
	g := &Guard{cfg: cfg}
	var err error
	if cfg.BaseURL != "" {
		if g.origin, err = parseOrigin(cfg.BaseURL); err != nil {
			return nil, fmt.Errorf("guard: config: base_url: %w", err)
		}
	}
	if g.clients, err = clientip.New(cfg.TrustedProxies, cfg.ClientIPHeader, nil); err != nil {
		return nil, fmt.Errorf("guard: config: client_ip_header: %w", err)
	}
	g.pages, err = interstitial.New(&interstitial.Options{Site: cfg.Site, Templates: cfg.Templates, Texts: cfg.Texts})
	if err != nil {
		return nil, fmt.Errorf("guard: config: %w", err)
	}
	if secrets, err := cfg.Issuer.Keys().Derive(noncePurpose); err != nil || len(secrets) == 0 {
		return nil, errors.New("guard: config: issuer: its keyring holds no secret key, so no confirmation page can be made")
	}
	return g, nil
}

func parseOrigin(base string) (*url.URL, error) {
	u, err := url.Parse(base)
	_, plain := look.Origin(base)
	switch {
	case err != nil, !plain:
		return nil, errors.New("must be an origin such as https://example.com, with an international name in its xn-- form")
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("must be an origin alone, without path, query or fragment")
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
}

// Link adds a token to a page's URL, under the Guard's parameter. A URL that
// starts with a slash is completed with BaseURL.
func (g *Guard) Link(page string, token hallpass.Token) (string, error) {
	if strings.HasPrefix(page, "/") {
		if g.origin == nil {
			return "", &hallpass.FieldError{Field: "url", Reason: "is relative and the guard has no BaseURL"}
		}
		page = g.origin.String() + page
	}
	return hallpass.Link(page, token, g.cfg.Param)
}

// ListUnsubscribe returns the two mail headers of RFC 8058 for a link to a route
// whose Options say OneClick. Mail programs ask for https.
func ListUnsubscribe(link string) map[string]string {
	return map[string]string{
		"List-Unsubscribe":      "<" + link + ">",
		"List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
	}
}
