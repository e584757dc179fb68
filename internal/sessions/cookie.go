package sessions

import (
	"net/http"
	"time"
)

// Cookies are hallpass's own on a host. A cookie carries a random secret of which
// the store has the hash.
type Cookies struct {
	// Secure says that browsers reach the host over TLS.
	Secure bool
}

// Name is the cookie's whole name, locked to its host where TLS allows it
// (RFC 6265bis section 4.1.3.2).
func (c Cookies) Name(what string) string {
	if c.Secure {
		return "__Host-hallpass-" + what
	}
	return "hallpass-" + what
}

// Set gives the browser a cookie. A life of zero takes it away.
func (c Cookies) Set(w http.ResponseWriter, what, value string, life time.Duration) {
	age := int(life.Seconds())
	if age == 0 {
		age = -1
	}
	http.SetCookie(w, &http.Cookie{
		Name: c.Name(what), Value: value, Path: "/", MaxAge: age,
		HttpOnly: true, Secure: c.Secure, SameSite: http.SameSiteLaxMode,
	})
}

// Of returns the one cookie of ours of that kind; two are none, for one of them
// was planted.
func (c Cookies) Of(r *http.Request, what string) string {
	found := r.CookiesNamed(c.Name(what))
	if len(found) != 1 || len(found[0].Value) < 20 || len(found[0].Value) > 64 {
		return ""
	}
	return found[0].Value
}
