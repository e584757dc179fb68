package login

import (
	"net/http"
	"slices"
	"time"

	"github.com/hallpass-go/hallpass"
)

// readToken reads the body of an endpoint for a refresh token. A browser whose
// token is a cookie need not send one.
func (l *Login) readToken(r *http.Request, data *Claims) (token string, fromCookie bool, err error) {
	var body string
	if r.ContentLength != 0 || data != nil {
		if err := readJSON(r, map[string]*string{"token": &body}, data); err != nil {
			return "", false, err
		}
	}
	token, fromCookie, err = l.refreshToken(r, body)
	return token, fromCookie, ofToken(err)
}

// apiRefresh answers POST /refresh.
func (l *Login) apiRefresh(w http.ResponseWriter, r *http.Request) error {
	token, fromCookie, err := l.readToken(r, nil)
	if err != nil {
		return err
	}
	tokens, err := l.Refresh(r.Context(), token)
	if err != nil {
		l.forget(w, r, fromCookie, err)
		return ofToken(err)
	}
	return l.answerTokens(w, r, tokens, fromCookie)
}

// lost are the refusals after which a refresh token will never be good again. A bad
// signature is none: this process may not have heard of a new key yet.
var lost = []hallpass.Refusal{
	hallpass.RefusalMalformed, hallpass.RefusalUnknownPass, hallpass.RefusalExpired, hallpass.RefusalRevoked,
	hallpass.RefusalUnknownSubject, hallpass.RefusalSpent,
}

// forget takes away cookies with such a token.
func (l *Login) forget(w http.ResponseWriter, r *http.Request, fromCookie bool, err error) {
	if reason, refused := hallpass.RefusalOf(err); refused && fromCookie && slices.Contains(lost, reason) {
		l.jar(r).clearTokens(w)
	}
}

// apiLogout answers POST /logout. The browser loses its cookies even where the
// token in them was none.
func (l *Login) apiLogout(w http.ResponseWriter, r *http.Request) error {
	token, fromCookie, err := l.readToken(r, nil)
	if err != nil {
		return err
	}
	err = l.Logout(r.Context(), token)
	l.forget(w, r, fromCookie, err)
	if err != nil {
		return ofToken(err)
	}
	if fromCookie {
		l.jar(r).clearTokens(w)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// apiUpdateClaims answers POST /claims.
func (l *Login) apiUpdateClaims(w http.ResponseWriter, r *http.Request) error {
	var data Claims
	token, fromCookie, err := l.readToken(r, &data)
	if err != nil {
		return err
	}
	if data == nil {
		return wrong("data", "is required")
	}
	tokens, err := l.Update(r.Context(), token, data)
	if err != nil {
		l.forget(w, r, fromCookie, err)
		return ofToken(err)
	}
	return l.answerTokens(w, r, tokens, fromCookie)
}

// apiReadClaims answers GET /claims with what the access token says.
func (l *Login) apiReadClaims(w http.ResponseWriter, r *http.Request) error {
	_, said, found, err := l.authenticate(r)
	if err == nil && !found {
		err = hallpass.RefusalMissing
	}
	if err != nil {
		return ofToken(err)
	}
	w.Header().Set("Vary", "Authorization, Cookie")
	return writeJSON(w, r, said)
}

// all is what the token says, flat as it stands there.
func (a Access) all() Claims {
	all := Claims{
		"jti": a.ID, "sid": a.Session, "sub": a.Subject, "email": a.Address,
		"iat": a.IssuedAt.Unix(), "exp": a.ExpiresAt.Unix(), "auth_time": a.AuthTime.Unix(),
	}
	for name, value := range a.Claims {
		all[name] = value
	}
	return all
}

// backCookie marks that a browser was just sent back with fresh tokens: where they
// do not arrive, it is not sent round and round.
func (j jar) backCookie() string { return prefixed("hallpass-back", j.secure, true) }

const backLife = 20 * time.Second

// comeBack renews a browser's tokens by its refresh cookie and sends it on.
func (l *Login) comeBack(w http.ResponseWriter, r *http.Request, token, next string) error {
	tokens, err := l.Refresh(r.Context(), token)
	if err != nil {
		l.forget(w, r, true, err)
		return err
	}
	j := l.jar(r)
	j.setTokens(w, tokens)
	j.set(w, j.backCookie(), "1", backLife)
	l.goTo(w, next)
	return nil
}
