package guard

import (
	"net/http"
	"slices"

	"github.com/hallpass-go/hallpass"
)

// Transport is a place in a request where a token may stand. Only those enabled
// on a route count.
type Transport int

const (
	// Query is the query parameter: a link.
	Query Transport = 1 << iota
	// Header is the Authorization header, with the route's Keyword.
	Header
	// Form is a field of a urlencoded or multipart body.
	Form
	// JSON is a member of a JSON object body, of any JSON content type.
	JSON
	// Cookie is a cookie named by the route. It counts on unsafe methods only when
	// the request comes from the same origin.
	Cookie
)

// Confirm says when a link shows a page with one button before it is honoured.
type Confirm int

const (
	// ConfirmAuto shows it for session and request mode and for single-use passes:
	// whatever a mail scanner's click would do harm to.
	ConfirmAuto Confirm = iota
	// ConfirmAlways shows it for every link; one that is sent by another method
	// than GET is refused.
	ConfirmAlways
	// ConfirmNever shows it for session passes only, which have no other way in.
	ConfirmNever
)

// Options describe one route. The zero value, or nil, takes links and bearer
// tokens of any mode, with confirmation where it is needed.
type Options struct {
	// Modes that are honoured; a pass of another mode is wrong_scope. Defaults to all.
	Modes []hallpass.Mode
	// Transports that count, or-ed together. Defaults to Query | Header.
	Transports Transport
	// Keyword is the scheme of the Authorization header. Defaults to "Bearer".
	Keyword string
	// CookieName is the cookie of the Cookie transport. Defaults to "hallpass".
	CookieName string
	// MaxBody bounds what is read of a body to find a token in it, in bytes; a
	// longer body is refused with 413. Defaults to 1 MiB.
	MaxBody int64
	// Confirm says when a link asks first.
	Confirm Confirm
	// Reads says that the route changes nothing, so ConfirmAuto may skip the page
	// (never for session passes).
	Reads bool
	// DeliverPost gives the handler the confirming POST in place of the GET it was
	// made for, with an empty body.
	DeliverPost bool
	// OneClick also takes the POST of RFC 8058 from a mail program: no cookie, no
	// page, always 200.
	OneClick bool
	// TypedCode asks on the page for the code that Guard.Code gives for the mail,
	// for those who fear robots that press buttons. No other way in is left.
	TypedCode bool
	// AllowSignedIn lets a user whom Config.SignedIn names in without a token, so
	// that a session pass's page goes on working after the sign-in.
	AllowSignedIn bool
	// Title, Sentence and Button are the page's words: what it is about, what the
	// pass does ("Unsubscribe hugo@example.com from the newsletter."), and a verb.
	// Nil uses words that fit the mode.
	Title, Button string
	Sentence      func(pass hallpass.Pass) string
	// Audit says how uses are written down.
	Audit hallpass.Audit
	// UseKey, when set, gives a request an idempotency key, such as the id that a
	// trusted proxy gave it. A repeat with the same key within ten seconds runs the
	// handler again and counts nothing: proxies may ask twice about one request.
	// Empty is no key.
	UseKey func(r *http.Request) string
	// ReferrerPolicy is set on answers to links. Defaults to "no-referrer".
	ReferrerPolicy string
}

func (o *Options) withDefaults() Options {
	var out Options
	if o != nil {
		out = *o
	}
	if out.Transports == 0 {
		out.Transports = Query | Header
	}
	if out.Keyword == "" {
		out.Keyword = "Bearer"
	}
	if out.CookieName == "" {
		out.CookieName = "hallpass"
	}
	if out.MaxBody == 0 {
		out.MaxBody = 1 << 20
	}
	if out.ReferrerPolicy == "" {
		out.ReferrerPolicy = "no-referrer"
	}
	return out
}

// Require honours passes of one scope; a request without one is refused. It panics
// on options that cannot work, as http.ServeMux does on a bad pattern.
func (g *Guard) Require(scope hallpass.Scope, o *Options) func(http.Handler) http.Handler {
	return g.middleware(scope, o, true)
}

// Optional honours passes of one scope. A request without a token goes to the
// handler as it is; one with a bad token is refused. It panics like Require.
func (g *Guard) Optional(scope hallpass.Scope, o *Options) func(http.Handler) http.Handler {
	return g.middleware(scope, o, false)
}

func (g *Guard) middleware(scope hallpass.Scope, o *Options, required bool) func(http.Handler) http.Handler {
	if scope == "" {
		panic("guard: a route needs a scope") // wiring, like a bad mux pattern
	}
	options := o.withDefaults()
	if options.TypedCode && options.OneClick {
		panic("guard: a mail program cannot type a code: TypedCode and OneClick exclude each other")
	}
	if options.OneClick && options.Transports&Query == 0 {
		panic("guard: OneClick needs the transport Query")
	}
	if options.AllowSignedIn && g.cfg.SignedIn == nil {
		panic("guard: AllowSignedIn needs Config.SignedIn")
	}
	if g.cfg.Login == nil {
		options.Modes = withoutSession(options.Modes)
	}
	return func(next http.Handler) http.Handler {
		return &route{guard: g, scope: scope, opts: options, required: required, next: next}
	}
}

// withoutSession leaves session passes out where nobody could sign anybody in.
func withoutSession(modes []hallpass.Mode) []hallpass.Mode {
	if len(modes) == 0 {
		modes = []hallpass.Mode{hallpass.ModePublic, hallpass.ModeRequest}
	}
	modes = slices.DeleteFunc(slices.Clone(modes), func(m hallpass.Mode) bool { return m == hallpass.ModeSession })
	if len(modes) == 0 {
		panic("guard: a route for session passes alone needs Config.Login")
	}
	return modes
}

// route is one guarded handler.
type route struct {
	guard    *Guard
	scope    hallpass.Scope
	opts     Options
	required bool
	next     http.Handler
}

// ServeHTTP decides in one place what a request is: a press of our button, a mail
// program's unsubscribe, a machine that only looks, a link that asks first, or a
// pass to honour now.
func (rt *route) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		if step := r.URL.Query().Get(StepParam); step != "" {
			rt.serveStep(w, r, step)
			return
		}
	}
	found, err := rt.extract(r)
	if rt.opts.OneClick && found.transport&^Query == 0 && r.Method == http.MethodPost && isOneClick(r) {
		protectLink(w, rt.opts)
		rt.serveOneClick(w, r, found)
		return
	}
	if err != nil {
		rt.refuse(w, r, found, err)
		return
	}
	if found.token.IsZero() {
		rt.serveWithout(w, r)
		return
	}
	if found.transport == Query {
		protectLink(w, rt.opts)
		if onlyLooks(r) {
			rt.serveLook(w, r, found)
			return
		}
		if r.Method == http.MethodGet && rt.askFirst(w, r, found) {
			return
		}
	}
	if rt.opts.TypedCode || rt.opts.Confirm == ConfirmAlways && found.transport == Query {
		rt.refuseUnasked(w, r, found)
		return
	}
	rt.honour(w, r, found, false, "")
}

// refuseUnasked is for routes whose every pass needs the page, and a request that
// cannot be shown one. The reasons that come before are given first.
func (rt *route) refuseUnasked(w http.ResponseWriter, r *http.Request, found presented) {
	entry, _, err := rt.inspect(r, found, r.Method)
	if err == nil {
		err = hallpass.RefusalNeedsConfirmation
	}
	rt.refuse(w, r, found.with(entry.Pass), err)
}

// serveWithout answers a request without a token.
func (rt *route) serveWithout(w http.ResponseWriter, r *http.Request) {
	if !rt.required {
		rt.next.ServeHTTP(w, r)
		return
	}
	if rt.opts.AllowSignedIn {
		subject, err := rt.signedIn(r)
		if err != nil {
			rt.refuse(w, r, presented{}, err)
			return
		}
		if subject != "" {
			rt.next.ServeHTTP(w, r)
			return
		}
	}
	rt.refuse(w, r, presented{}, hallpass.RefusalMissing)
}

func (rt *route) signedIn(r *http.Request) (string, error) {
	if rt.guard.cfg.SignedIn == nil {
		return "", nil
	}
	return rt.guard.cfg.SignedIn(r)
}

// protectLink keeps the token's URL out of caches, referrers and search engines.
func protectLink(w http.ResponseWriter, o Options) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", o.ReferrerPolicy)
	h.Set("X-Robots-Tag", "noindex")
}
