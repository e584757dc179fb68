package gate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/guard"
	"github.com/hallpass-go/hallpass/internal/clientip"
	"github.com/hallpass-go/hallpass/internal/look"
	"github.com/hallpass-go/hallpass/internal/sessions"
	"github.com/hallpass-go/hallpass/mail"
)

// Gate decides about requests to protected applications. It is safe for
// concurrent use.
type Gate struct {
	cfg      Config
	baseHost string
	secure   bool
	clients  *clientip.Resolver
	cookies  sessions.Cookies
	passes   *sessions.Keeper // what session passes began
	people   *sessions.Keeper // who logged in
	guard    *guard.Guard
	routes   atomic.Pointer[[]route]
	logins   atomic.Pointer[Logins] // nil: nobody can log in
	notYours *template.Template
}

// route is a rule with the guard around it.
type route struct {
	Rule
	handler http.Handler // nil for rules that look at no token
	allow   mail.Patterns
	// loginHost is the host and port of the login pages for this rule's host, which
	// is canonical.
	canonical, loginHost string
}

// New returns a Gate. Its errors name the Config field.
func New(cfg Config) (*Gate, error) {
	cfg.Prefix = cmp.Or(cfg.Prefix, "/.hallpass")
	cfg.SessionIdle = cmp.Or(cfg.SessionIdle, 2*time.Hour)
	cfg.SessionLife = cmp.Or(cfg.SessionLife, 24*time.Hour)
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	base, err := url.Parse(cfg.BaseURL)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" {
		return nil, &hallpass.FieldError{Field: "base_url", Reason: "must be an origin such as https://app.example.com"}
	}
	if clean, ok := hallpass.CleanPath(cfg.Prefix); !ok || clean != cfg.Prefix || strings.HasSuffix(cfg.Prefix, "/") {
		return nil, &hallpass.FieldError{Field: "prefix", Reason: "must be a path such as /.hallpass, without a slash at its end"}
	}
	if cfg.SessionIdle < time.Minute || cfg.SessionLife < cfg.SessionIdle {
		return nil, &hallpass.FieldError{Field: "session", Reason: "idle must be a minute or more, and life at least as long"}
	}
	g := &Gate{cfg: cfg, secure: base.Scheme == "https"}
	g.cookies = sessions.Cookies{Secure: g.secure}
	kept := sessions.Config{
		Issuer: cfg.Issuer, Cells: cfg.Cells, Group: sessionGroup, Cookie: "session", Cookies: g.cookies,
		Idle: cfg.SessionIdle, Life: cfg.SessionLife, Logger: cfg.Logger,
	}
	g.passes = sessions.New(kept)
	kept.Kind, kept.Cookie = sessions.KindLogin, "login-session"
	kept.Allow = func(s *sessions.Session) (bool, error) {
		if !cfg.LoginAllow.Allows(s.Address) {
			return false, nil
		}
		return g.bringUpToDate(s)
	}
	g.people = sessions.New(kept)
	g.baseHost, _ = sessions.CanonicalHost(base.Host)
	g.cfg.Identity = cfg.Identity.withDefaults()
	if g.clients, err = clientip.New(cfg.TrustedProxies, cfg.ClientIPHeader, nil); err != nil {
		return nil, &hallpass.FieldError{Field: "client_ip_header", Reason: err.Error()}
	}
	// The guard's own requests are made here, with the client's address as their
	// peer, so it trusts nobody. Its redirects stay relative: one guard serves
	// several hosts.
	g.guard, err = guard.New(guard.Config{
		Issuer: cfg.Issuer, Site: cfg.Site, Templates: cfg.Templates, Texts: cfg.Texts, Secure: g.secure, Logger: cfg.Logger,
		SignedIn: g.signedIn, Login: g.passes.Begin,
		StepURL: func(page, step string) string {
			return cfg.Prefix + "/" + step + "?page=" + url.QueryEscape(page)
		},
	})
	if err != nil {
		return nil, err
	}
	if g.notYours, err = look.Parse(nil, "not_yours", notYoursPage); err != nil {
		return nil, err
	}
	return g, g.SetRules(cfg.Rules)
}

const sessionGroup = "gate-sessions"

// Sessions lists and ends the sessions on protected hosts, of both kinds.
func (g *Gate) Sessions() *sessions.Register { return g.passes.Register }

// SessionsIn is Sessions without a Gate, for commands on the store.
func SessionsIn(cells hallpass.CellStore, now func() time.Time) *sessions.Register {
	return sessions.NewRegister(cells, sessionGroup, now)
}

// signedIn is the guard's SignedIn hook. Who logged in by e-mail is signed in, too:
// somebody else's personal link does not make him somebody else unnoticed.
func (g *Gate) signedIn(r *http.Request) (string, error) {
	for _, kept := range []*sessions.Keeper{g.passes, g.people} {
		if subject, err := kept.SignedIn(r); subject != "" || err != nil {
			return subject, err
		}
	}
	return "", nil
}

// Prefix is the path on every protected host that belongs to hallpass.
func (g *Gate) Prefix() string { return g.cfg.Prefix }

// SetRules replaces the rules for requests that begin after it. Rules that are
// wrong change nothing.
func (g *Gate) SetRules(rules Rules) error {
	if err := rules.Check(); err != nil {
		return err
	}
	routes := make([]route, len(rules))
	for i, r := range rules {
		routes[i].Rule = r
		switch r.Access {
		case AccessPublic:
		case AccessLogin:
			origin, _ := r.loginOrigin(g.cfg.BaseURL)
			_, routes[i].loginHost, _ = strings.Cut(origin, "://")
			routes[i].canonical, _ = sessions.CanonicalHost(routes[i].loginHost)
			var err error
			if routes[i].allow, err = mail.ParsePatterns(r.Allow); err != nil {
				return err
			}
		default:
			routes[i].handler = g.guard.Optional(r.Scope, &guard.Options{
				Modes: r.Modes, Confirm: confirms[r.Confirm], TypedCode: r.Confirm == confirmCode, Reads: r.Reads,
				Title: r.Title, Button: r.Button, UseKey: useKey,
			})(http.HandlerFunc(g.admit))
		}
	}
	g.routes.Store(&routes)
	return nil
}

// visit is one request on its way through the gate.
type visit struct {
	route *route
	// host and path are canonical.
	host, path string
	// requestID is the trusted proxy's name for the request; empty when there is
	// none.
	requestID string
	// tickets says that a link's token cannot be taken out of the request by us, so
	// that it is exchanged for a ticket and a redirect.
	tickets bool
	// allow is called for a request that is let in.
	allow func(w http.ResponseWriter, r *http.Request, who identity)
}

type visitKey struct{}

// errNoRule is answered like a path outside a pass's grants.
var errNoRule = fmt.Errorf("gate: no rule for this request: %w", hallpass.RefusalNotGranted)

// locate finds the rule for a request. What can be read in two ways, by its host,
// its path or its method, has none.
func (g *Gate) locate(r *http.Request) (found *route, host, path string) {
	host, okHost := sessions.CanonicalHost(r.Host)
	path, okPath := hallpass.CleanPath(r.URL.EscapedPath())
	if !okHost || !okPath || !isMethod(r.Method) || overridesMethod(r) {
		return nil, host, path
	}
	routes := *g.routes.Load()
	for i := range routes {
		if routes[i].matches(g.baseHost, host, r.Method, path) {
			return &routes[i], host, path
		}
	}
	return nil, host, path
}

// serve decides about a request.
func (g *Gate) serve(w http.ResponseWriter, r *http.Request, v *visit) {
	v.route, v.host, v.path = g.locate(r)
	switch {
	case v.route == nil:
		g.guard.Refuse(w, r, errNoRule)
	case v.route.Access == AccessPublic:
		v.allow(w, r, identity{bearer: g.isOurBearer(r)})
	case v.route.Access == AccessLogin:
		g.servePerson(w, r, v)
	case v.tickets && hasToken(r) && !isLook(r.Method):
		// A redirect cannot take a body along, and a ticket is for a page.
		g.guard.Refuse(w, r, hallpass.RefusalNeedsConfirmation)
	default:
		v.route.handler.ServeHTTP(w, withVisit(r, v))
	}
}

func isLook(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

func isMethod(m string) bool {
	return m != "" && len(m) <= 32 && !strings.ContainsFunc(m, func(r rune) bool { return r < 'A' || r > 'Z' })
}

// admit is the handler behind each rule's guard: the pass is good and counted, or
// there was no token.
func (g *Gate) admit(w http.ResponseWriter, r *http.Request) {
	v, _ := r.Context().Value(visitKey{}).(*visit)
	if h := guard.FromContext(r.Context()); h != nil {
		if v.tickets {
			h.Forward()
		}
		if v.tickets && h.Transport == guard.Query {
			g.giveTicket(w, r, v, h)
			return
		}
		who := identityOf(h.Pass)
		who.bearer, who.link = h.Transport == guard.Header, h.Transport == guard.Query
		v.allow(w, r, who)
		return
	}
	who, err := g.known(r, v)
	switch {
	case err != nil:
		g.guard.Refuse(w, r, err)
	case who != nil:
		v.allow(w, r, *who)
	case v.route.Access == AccessOptional:
		v.allow(w, r, identity{})
	default:
		g.guard.Refuse(w, r, hallpass.RefusalMissing)
	}
}

// known tells who a request without a token is, by ticket or by session.
func (g *Gate) known(r *http.Request, v *visit) (*identity, error) {
	who, err := g.takeTicket(r, v)
	if who != nil || err != nil {
		return who, err
	}
	s, err := g.passes.Of(r)
	switch {
	case err != nil || s == nil:
		return nil, err
	case !v.route.takes(s.Pass):
		return nil, nil
	case !g.byOwnPage(r) && v.route.Access == AccessOptional:
		return nil, nil // nobody, as what another site sends without a cookie
	case !g.byOwnPage(r):
		return nil, hallpass.RefusalNeedsConfirmation
	case !s.Pass.Covers(r.Method, r.URL.EscapedPath()):
		return nil, hallpass.RefusalNotGranted
	}
	found := identityOf(s.Pass)
	return &found, nil
}

// takes reports whether the rule honours what a pass has begun.
func (r Rule) takes(p hallpass.Pass) bool {
	return r.Access != AccessLogin && p.Scope == r.Scope && (len(r.Modes) == 0 || slices.Contains(r.Modes, p.Mode))
}

// overrides are the headers by which a request asks to be taken for another method.
var overrides = []string{"x-http-method-override", "x-http-method", "x-method-override"}

// overridesMethod looks for them in any spelling: what the gate judged as a POST
// must not be a DELETE to the application.
func overridesMethod(r *http.Request) bool {
	for name := range r.Header {
		if slices.Contains(overrides, plainName(name)) {
			return true
		}
	}
	return false
}

// isOurBearer reports whether the Authorization header is a token of ours, on a
// rule that does not look at tokens: the application must not see it.
func (g *Gate) isOurBearer(r *http.Request) bool {
	scheme, text, _ := strings.Cut(strings.TrimSpace(r.Header.Get("Authorization")), " ")
	return strings.EqualFold(scheme, "Bearer") && g.isOurs(r.Context(), strings.TrimSpace(text))
}

// isOurs reports whether a text is a token that we made, whatever it is worth.
// Where that cannot be told, it counts as one.
func (g *Gate) isOurs(ctx context.Context, text string) bool {
	p := hallpass.Presentation{Token: hallpass.NewToken(text)}
	_, err := g.cfg.Issuer.Verify(p)
	if errors.Is(err, hallpass.ErrUnavailable) { // a short one: only the store knows
		_, _, err = g.cfg.Issuer.Check(ctx, p)
	}
	reason, refused := hallpass.RefusalOf(err)
	return !refused || reason.Public() != hallpass.RefusalBadSignature
}

// unavailable marks a store's failure for the guard.
func unavailable(err error) error {
	if err == nil || errors.Is(err, hallpass.ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %w", hallpass.ErrUnavailable, err)
}
