package guard

import (
	"crypto/rand"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Browser returns the value of the cookie that tells this browser from others,
// and sets it where it is missing. Give it as Spec.Browser when the browser asks
// for a link: it then needs no confirmation page. It says nothing about who the
// reader is.
//
// Protect the form that asks against other sites (http.CrossOriginProtection):
// a browser that was made to ask for somebody else's sign-in link would follow
// it without a question.
func (g *Guard) Browser(w http.ResponseWriter, r *http.Request) string {
	if value, ok := g.browser(r); ok {
		return value
	}
	value := rand.Text()
	secure := g.secure(r)
	http.SetCookie(w, &http.Cookie{
		Name: browserCookie(secure), Value: value, Path: "/",
		HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode,
	})
	return value
}

// secure reports whether the browser reached us over TLS, as far as is known.
func (g *Guard) secure(r *http.Request) bool {
	return r.TLS != nil || g.cfg.Secure || g.origin != nil && g.origin.Scheme == "https" ||
		g.clients.Trusted(r) && r.Header.Get("X-Forwarded-Proto") == "https"
}

// isLoopback reports whether a browser reached this very machine.
func isLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && addr.IsLoopback()
}

// browserCookie is locked to this host by its prefix where TLS allows one
// (RFC 6265bis section 4.1.3.2).
func browserCookie(secure bool) string {
	if secure {
		return "__Host-hallpass-browser"
	}
	return "hallpass-browser"
}

func (g *Guard) browser(r *http.Request) (string, bool) {
	cookies := r.CookiesNamed(browserCookie(g.secure(r)))
	if len(cookies) != 1 || len(cookies[0].Value) < 20 || strings.ContainsAny(cookies[0].Value, " ,;") {
		return "", false
	}
	return cookies[0].Value, true
}
