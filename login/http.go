package login

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/hallpass-go/hallpass/internal/clientip"
	"github.com/hallpass-go/hallpass/internal/look"
)

// HTTP is how the handlers speak with browsers and apps. The zero value of each
// field is a good default.
type HTTP struct {
	// Home is where a browser goes that was going nowhere in particular: a path, or a
	// URL of RedirectOrigins. Defaults to "/".
	Home string
	// RedirectOrigins are the other origins to which a login may lead, such as
	// "https://app.example.com". A path of the login's own origin is always allowed,
	// anything else never. Defaults to none.
	RedirectOrigins []string
	// Complete, when set, begins the application's own session where a browser logs
	// in by a page, in place of tokens and cookies. It may set cookies and must not
	// write a body; the redirect follows. Give the session a new id. Its error is
	// answered with 503, and by then code and link are used up.
	Complete func(w http.ResponseWriter, r *http.Request, id Identity) error
	// Current, when set with Complete, tells who a browser is by the application's own
	// session, so that the page of a mailed link says whom a login would replace. It
	// changes nothing, and decides nothing. Nil: only access tokens are looked at.
	Current func(r *http.Request) (Identity, bool)
	// Prefer is what programs get that do not say so with the header Prefer:
	// "token" (the tokens as JSON) or "cookies". Defaults to "token".
	Prefer string
	// HeaderPrefix is the scheme of the Authorization header that carries access
	// tokens, in any case. Defaults to "Bearer" (RFC 6750).
	HeaderPrefix string
	// Refused, when set, may answer a program that is refused in place of a problem
	// document, for clients that know other statuses: it writes an answer and returns
	// true. The status is the usual one; Retry-After and WWW-Authenticate are set.
	// err says exactly why, so choose what of it a stranger may hear (see
	// hallpass.Refusal.Public).
	Refused func(w http.ResponseWriter, r *http.Request, status int, err error) bool
	// Cookies are the names and attributes of the cookies.
	Cookies Cookies
	// TrustedProxies may tell the client's address; nobody else may. Defaults to
	// none.
	TrustedProxies []netip.Prefix
	// ClientIPHeader is what they tell it in. Defaults to "X-Forwarded-For".
	ClientIPHeader string
}

// What programs may prefer.
const (
	preferToken   = "token"
	preferCookies = "cookies"
)

func (h HTTP) withDefaults() HTTP {
	def(&h.Home, "/")
	def(&h.Prefer, preferToken)
	def(&h.HeaderPrefix, "Bearer")
	h.Cookies = h.Cookies.withDefaults()
	return h
}

func (h HTTP) validate(origins []string) error {
	for _, origin := range h.RedirectOrigins {
		if plain, ok := look.Origin(origin); !ok || plain != origin {
			return wrong("http.redirect_origins", "must be origins such as https://app.example.com, in lower case and without a path")
		}
	}
	switch {
	case !look.LocalURL(h.Home, h.RedirectOrigins...):
		return wrong("http.home", "must be a path such as /home, or a URL of redirect_origins")
	case h.Prefer != preferToken && h.Prefer != preferCookies:
		return wrong("http.prefer", "must be token or cookies")
	case strings.Trim(h.HeaderPrefix, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "":
		return wrong("http.header_prefix", "must be one word, such as Bearer")
	}
	if _, err := clientip.New(h.TrustedProxies, h.ClientIPHeader, nil); err != nil {
		return wrong("http.client_ip_header", "%v", err)
	}
	return h.Cookies.validate(origins)
}

// origins are where the login pages are, the usual one first.
func (c Config) origins() []string { return append([]string{c.BaseURL}, c.Origins...) }

// originFor is the one of the configured origins that a browser used. A Host that
// is none of them chooses nothing: whatever it says, links and cookies are for the
// BaseURL.
func (l *Login) originFor(r *http.Request) string {
	for _, origin := range l.cfg.origins() {
		if u, err := url.Parse(origin); err == nil && strings.EqualFold(u.Host, r.Host) {
			return origin
		}
	}
	return l.cfg.BaseURL
}

// secure reports whether the browser reached us over TLS, as far as is known.
func (l *Login) secure(r *http.Request) bool {
	return l.cfg.HTTP.Cookies.Secure || r.TLS != nil || strings.HasPrefix(l.originFor(r), "https:") ||
		l.clients.Trusted(r) && r.Header.Get("X-Forwarded-Proto") == "https"
}

// client is who sends a request.
func (l *Login) client(r *http.Request) Client {
	return Client{Addr: l.clients.Of(r), UserAgent: bounded(r.UserAgent(), 256)}
}

// bounded cuts text that a client sent, so that nobody fills the store with it, and
// takes out what would not be shown.
func bounded(text string, most int) string {
	text = strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return -1
		}
		return c
	}, strings.ToValidUTF8(text, ""))
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most])
	}
	return text
}

// allowedNext returns where a browser may go, or "". It is asked when a login
// begins and again when it ends: the configuration may have changed in between.
func (l *Login) allowedNext(next string) string {
	if len(next) > 2048 || !look.ReturnURL(next, l.cfg.HTTP.RedirectOrigins...) {
		return ""
	}
	return next
}

// goTo sends a browser on, home if there is nowhere else. It is no http.Redirect,
// which would rewrite the path.
func (l *Login) goTo(w http.ResponseWriter, next string) {
	if next = l.allowedNext(next); next == "" {
		next = l.cfg.HTTP.Home
	}
	seeOther(w, next)
}

func seeOther(w http.ResponseWriter, target string) {
	var ascii strings.Builder
	for _, c := range []byte(target) {
		if c < 0x80 {
			ascii.WriteByte(c)
			continue
		}
		const digits = "0123456789ABCDEF"
		ascii.Write([]byte{'%', digits[c>>4], digits[c&15]})
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Location", ascii.String())
	w.WriteHeader(http.StatusSeeOther)
}
