package gate

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/look"
	"github.com/hallpass-go/hallpass/internal/sessions"
	"github.com/hallpass-go/hallpass/mail"
)

// LoginScope is the scope under which sessions of logins are known: to
// applications, in lists, and to group revocations.
const LoginScope hallpass.Scope = "login"

// Person is somebody who logged in by e-mail.
type Person struct {
	Subject string
	Address mail.Address
	// Claims is a JSON object, or nil, of what else is known. Applications get it as
	// data, with the address.
	Claims map[string]any
}

// loginPass stands where a session's pass would; no pass has such an id.
const loginPass = "login"

// data is what applications get.
func (p Person) data() (json.RawMessage, error) {
	all := map[string]any{}
	for name, value := range p.Claims {
		all[name] = value
	}
	all["email"] = p.Address
	return json.Marshal(all)
}

// Logins is how people log in.
type Logins struct {
	// Pages are served below the prefix of every host where a rule asks for a login.
	// They call LogIn when they are done.
	Pages http.Handler
	// Token tells who the access token in a request's header is, and when it was
	// signed, for programs that keep no cookies. Any error is a request without one.
	// Nil: access tokens open nothing here.
	Token func(r *http.Request) (p Person, signed time.Time, err error)
	// Claims tells who an address is now, and what is known of it. Sessions are asked
	// about at each request: one whose subject is another by now is over. Nil: they
	// keep what they began with.
	Claims func(a mail.Address) Person
}

// SetLogin lets people log in, from the next request on. Nil: nobody can.
func (g *Gate) SetLogin(l *Logins) { g.logins.Store(l) }

// LogIn begins a session on the request's host for somebody whose address was
// proven. One that was there before ends.
func (g *Gate) LogIn(w http.ResponseWriter, r *http.Request, p Person) error {
	data, err := p.data()
	if err != nil {
		return err
	}
	if err := g.endSession(r, g.people); err != nil {
		return err
	}
	g.cfg.Logger.InfoContext(r.Context(), "somebody logged in", "account", look.Mask(string(p.Address)), "host", r.Host)
	return g.people.BeginFor(w, r, hallpass.Pass{ID: loginPass, Scope: LoginScope, Subject: p.Subject, Data: data}, p.Address)
}

// bringUpToDate gives the session of a login what is known by now, or reports false
// where the address has become another subject's.
func (g *Gate) bringUpToDate(s *sessions.Session) (bool, error) {
	l := g.logins.Load()
	if l == nil || l.Claims == nil {
		return true, nil
	}
	p := l.Claims(s.Address)
	if p.Subject != s.Pass.Subject {
		return false, nil
	}
	p.Address = s.Address
	var err error
	s.Pass.Data, err = p.data()
	return true, err
}

// LoggedIn tells who the browser of a request is logged in as on its host. What
// cannot be told counts as nobody: this is for pages, not for decisions.
func (g *Gate) LoggedIn(r *http.Request) (Person, bool) {
	s, err := g.people.Peek(r)
	if err != nil || s == nil {
		return Person{}, false
	}
	return Person{Subject: s.Pass.Subject, Address: s.Address}, true
}

// endSession ends the session whose secret the browser holds, if it holds one.
func (g *Gate) endSession(r *http.Request, kept *sessions.Keeper) error {
	s, err := kept.Of(r)
	if s == nil || err != nil {
		return err
	}
	if err := kept.End(r.Context(), s.ID); err != nil && !errors.Is(err, hallpass.ErrNotFound) {
		return err
	}
	return nil
}

// servePerson decides by a rule for logins. It changes nothing, so it may be asked
// about one request as often as a proxy likes.
func (g *Gate) servePerson(w http.ResponseWriter, r *http.Request, v *visit) {
	s, err := g.people.Of(r)
	bearer := false
	if err == nil {
		if byToken, tokenErr := g.byToken(r); byToken != nil || tokenErr != nil {
			s, err, bearer = byToken, tokenErr, true // what a request says counts before what a browser adds
		}
	}
	switch {
	case err != nil:
		g.guard.Refuse(w, r, err)
	case s == nil && g.logins.Load() == nil:
		g.cfg.Logger.Error("a rule asks for a login, but nobody can log in here")
		g.guard.Refuse(w, r, hallpass.ErrUnavailable)
	case s == nil:
		g.askToLogIn(w, r)
	case !bearer && !g.byOwnPage(r):
		g.guard.Refuse(w, r, hallpass.RefusalNeedsConfirmation)
	case len(v.route.allow) > 0 && !v.route.allow.Allows(s.Address):
		g.showNotYours(w, r, s)
	default:
		who := identityOf(s.Pass)
		who.pass = "" // there is none
		who.bearer = bearer || g.isOurBearer(r)
		v.allow(w, r, who)
	}
}

// byToken returns what the access token of a request stands for, as a session that
// is nowhere, or nil. A token that is not good is as none: the application may have
// tokens of its own in that header.
func (g *Gate) byToken(r *http.Request) (*sessions.Session, error) {
	l := g.logins.Load()
	if l == nil || l.Token == nil {
		return nil, nil
	}
	p, signed, err := l.Token(r)
	if err != nil || !g.cfg.LoginAllow.Allows(p.Address) {
		return nil, nil
	}
	data, err := p.data()
	if err != nil {
		return nil, err
	}
	s := &sessions.Session{Kind: sessions.KindLogin, Address: p.Address, Pass: hallpass.Pass{
		ID: loginPass, Scope: LoginScope, Mode: hallpass.ModeSession, Subject: p.Subject, Data: data,
		// Tokens tell whole seconds; who logs in again in that of a revocation gets in.
		IssuedAt: signed.Add(time.Second - time.Microsecond),
	}}
	if revoked, err := sessions.Revoked(r.Context(), g.cfg.Issuer, s); err != nil || revoked {
		return nil, err
	}
	return s, nil
}

// askToLogIn sends a browser to the login page. What cannot show one gets 401.
func (g *Gate) askToLogIn(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Add("Vary", "Accept, Cookie, Sec-Fetch-Mode")
	if !navigates(r) {
		g.guard.Refuse(w, asProgram(r), hallpass.RefusalMissing)
		return
	}
	w.Header().Set("Location", g.loginURL(hallpass.WithoutToken(r.URL.RequestURI(), hallpass.DefaultParam)))
	w.WriteHeader(http.StatusSeeOther)
}

// loginURL is the login page, with where to go afterwards. A target that is too
// long to be carried along is left out.
func (g *Gate) loginURL(next string) string {
	page := g.cfg.Prefix + "/login"
	if len(next) > 2000 || !look.ReturnURL(next) {
		return page
	}
	return page + "?next=" + url.QueryEscape(next)
}

// navigates reports whether a person waits for a page. A browser says so itself,
// and may add an application's own Basic credentials; of what says nothing, only
// what would show HTML and brings no credentials does.
func navigates(r *http.Request) bool {
	mode, dest := r.Header.Get("Sec-Fetch-Mode"), r.Header.Get("Sec-Fetch-Dest")
	if mode == "" {
		return look.WantsPage(r) && len(r.Header.Values("Authorization")) == 0
	}
	return look.WantsPage(r) && mode == "navigate" && (dest == "" || dest == "document")
}

// asProgram is the request as one that shows no pages.
func asProgram(r *http.Request) *http.Request {
	out := r.Clone(r.Context())
	out.Header.Set("Accept", "application/problem+json")
	return out
}

// servePages serves the login pages, and the way out, on the hosts of rules for
// logins. They see the host by which they know their own origin.
func (g *Gate) servePages(w http.ResponseWriter, r *http.Request, step string) {
	found, ok := g.loginRoute(r)
	l := g.logins.Load()
	if !ok || l == nil {
		g.guard.Refuse(w, r, errNoRule)
		return
	}
	in := r.Clone(r.Context())
	in.Host = found.loginHost
	if step == "logout" {
		g.serveLogout(w, in)
		return
	}
	l.Pages.ServeHTTP(w, in)
}

// fromHere reports whether no other site made the browser send a request. Where it
// says nothing but "null", because the page sends no referrer and there is no TLS,
// SameSite has kept our cookies off what others make it send.
func fromHere(r *http.Request) bool {
	return http.NewCrossOriginProtection().Check(r) == nil ||
		r.Header.Get("Sec-Fetch-Site") == "" && r.Header.Get("Origin") == "null"
}

// byOwnPage reports whether a cookie counts for a request, as in package guard: on
// unsafe methods only where no other site, not even a sibling, made the browser send
// it. SameSite keeps cookies from strangers alone. Programs say nothing of where a
// request comes from, and pass.
func (g *Gate) byOwnPage(r *http.Request) bool {
	if http.NewCrossOriginProtection().Check(r) == nil {
		return true
	}
	// A proxy may have told the host without its port.
	host, ok := sessions.CanonicalHost(r.Host)
	return ok && r.Header.Get("Sec-Fetch-Site") == "" && strings.EqualFold(r.Header.Get("Origin"), g.originOf(host))
}

// originOf is a protected host with scheme and port of the base URL.
func (g *Gate) originOf(host string) string {
	base, err := url.Parse(g.cfg.BaseURL)
	if err != nil {
		return "" // no Origin is
	}
	if port := base.Port(); port != "" {
		return base.Scheme + "://" + net.JoinHostPort(host, port)
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return base.Scheme + "://" + host
}

// serveLogout ends the sessions of this browser on this host, of both kinds, and
// sends it on. Another site's form cannot make it do so.
func (g *Gate) serveLogout(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if r.Method != http.MethodPost || !fromHere(r) {
		g.guard.Refuse(w, r, errNoRule)
		return
	}
	for _, kept := range []*sessions.Keeper{g.people, g.passes} {
		if err := g.endSession(r, kept); err != nil {
			g.guard.Refuse(w, r, err)
			return
		}
		kept.Forget(w, r)
	}
	next := r.URL.Query().Get("next")
	if !look.ReturnURL(next) || !strings.HasPrefix(next, "/") {
		next = "/"
	}
	w.Header().Set("Location", next)
	w.WriteHeader(http.StatusSeeOther)
}

// AsksForLogin reports whether a rule for the host of a request asks for a login.
func (g *Gate) AsksForLogin(r *http.Request) bool {
	_, found := g.loginRoute(r)
	return found
}

func (g *Gate) loginRoute(r *http.Request) (route, bool) {
	host, ok := sessions.CanonicalHost(g.publicHost(r))
	routes := *g.routes.Load()
	i := slices.IndexFunc(routes, func(found route) bool { return found.Access == AccessLogin && found.canonical == host })
	if !ok || i < 0 {
		return route{}, false
	}
	return routes[i], true
}
