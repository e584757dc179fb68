package login

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/look"
)

type accessKey struct{}

// FromContext returns what the request's access token says. It is false behind
// WithLogin for a request without one, and where neither RequireLogin nor
// WithLogin ran.
func FromContext(ctx context.Context) (Access, bool) {
	a, ok := ctx.Value(accessKey{}).(Access)
	return a, ok
}

// RequireLogin lets a request with a good access token through, with its Access in
// the context (FromContext). The token stands in the Authorization header, or in
// the access cookie; on unsafe methods the cookie counts from the request's own origin only.
//
// A browser that goes to a page without a good token is sent to the login page
// (303) and comes back; one that still has a refresh cookie is back before its
// user notices. Everything else gets 401 and a challenge (RFC 6750 section 3).
//
// Access tokens are judged without the store: a session that was ended is let
// through until its access token ends, AccessTTL at most.
func (l *Login) RequireLogin(next http.Handler) http.Handler { return l.guarded(next, true) }

// WithLogin lets a request without an access token through as well, as nobody. A
// bad token is refused as RequireLogin does.
func (l *Login) WithLogin(next http.Handler) http.Handler { return l.guarded(next, false) }

func (l *Login) guarded(next http.Handler, required bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Authorization, Cookie")
		a, _, found, err := l.authenticate(r)
		if err == nil && !found && required {
			err = hallpass.RefusalMissing
		}
		switch {
		case err != nil:
			l.turnAway(w, r, err)
		case found:
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), accessKey{}, a)))
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// authenticate finds the one access token of a request and judges it. Two are
// refused: two programs could pick different ones.
func (l *Login) authenticate(r *http.Request) (a Access, said Claims, found bool, err error) {
	var tokens []string
	for _, line := range r.Header.Values("Authorization") {
		scheme, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		if strings.EqualFold(scheme, l.cfg.HTTP.HeaderPrefix) {
			tokens = append(tokens, strings.TrimSpace(text))
		}
	}
	byHeader := len(tokens) > 0
	for _, c := range r.CookiesNamed(l.jar(r).access()) {
		if c.Value != "" {
			tokens = append(tokens, c.Value)
		}
	}
	switch {
	case len(tokens) == 0:
		return Access{}, nil, false, nil
	case len(tokens) > 1 || tokens[0] == "":
		return Access{}, nil, true, hallpass.RefusalMalformed
	case !byHeader && !l.fromOwnPage(r):
		return Access{}, nil, true, hallpass.RefusalNeedsConfirmation // cookies travel by themselves
	}
	a, said, err = l.openAccess(tokens[0])
	return a, said, true, err
}

// turnAway refuses, or sends a browser to the login page.
func (l *Login) turnAway(w http.ResponseWriter, r *http.Request, err error) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	mode := r.Header.Get("Sec-Fetch-Mode")
	if _, refused := hallpass.RefusalOf(err); refused && r.Method == http.MethodGet && look.WantsPage(r) &&
		(mode == "" || mode == "navigate") && len(r.Header.Values("Authorization")) == 0 {
		seeOther(w, l.pageURL(requestTarget(r)))
		return
	}
	l.failAPI(w, r, ofToken(err))
}

// pageURL is the login page, with where to go afterwards.
func (l *Login) pageURL(next string) string {
	if next = l.allowedNext(next); next == "" {
		return l.cfg.Path
	}
	return l.cfg.Path + "?next=" + url.QueryEscape(next)
}

// requestTarget is the path and query that the client asked for. Behind
// http.StripPrefix the handler sees its end only.
func requestTarget(r *http.Request) string {
	if strings.HasPrefix(r.RequestURI, "/") {
		return r.RequestURI
	}
	return r.URL.RequestURI()
}

// challenge is RFC 6750 section 3. A request without a token learns only that it
// needs one.
func (l *Login) challenge(err error) string {
	challenge := l.cfg.HTTP.HeaderPrefix + ` realm="hallpass"`
	if reason, _ := hallpass.RefusalOf(err); reason != hallpass.RefusalMissing {
		challenge += `, error="invalid_token"`
	}
	return challenge
}
