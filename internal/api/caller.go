package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/wire"
)

// challenge is the scheme of WWW-Authenticate (RFC 6750 section 3).
const challenge = `Bearer realm="hallpass"`

type callerKey struct{}

// withCaller and callerOf carry the caller's own pass.
func withCaller(ctx context.Context, caller hallpass.Entry) context.Context {
	return context.WithValue(ctx, callerKey{}, caller)
}

func callerOf(ctx context.Context) hallpass.Entry {
	caller, _ := ctx.Value(callerKey{}).(hallpass.Entry)
	return caller
}

// authenticate honours the caller's own pass. Only the header counts: a token in a
// URL ends up in logs.
func (a *API) authenticate(r *http.Request) (hallpass.Entry, error) {
	p, err := presentedBy(r)
	if err != nil {
		return hallpass.Entry{}, err
	}
	done, err := a.issuer.Redeem(r.Context(), p)
	if err != nil {
		return hallpass.Entry{}, err
	}
	// A pass that was issued with a quota keeps it; its uses have no outcome.
	return done.Entry, done.Settle(r.Context(), 0)
}

// recheck judges again the caller of a request that goes on for long. Its use was
// counted when it began, so a quota that is used up meanwhile does not end it.
func (a *API) recheck(r *http.Request) error {
	p, err := presentedBy(r)
	if err != nil {
		return err
	}
	if _, _, err = a.issuer.Check(r.Context(), p); errors.Is(err, hallpass.RefusalSpent) {
		return nil
	}
	return err
}

func presentedBy(r *http.Request) (hallpass.Presentation, error) {
	token, err := bearer(r)
	return hallpass.Presentation{
		Token: token, Scope: hallpass.ScopeAPI, Modes: []hallpass.Mode{hallpass.ModePublic, hallpass.ModeRequest},
		Method: r.Method, Path: r.URL.EscapedPath(), Target: r.URL.RequestURI(), Overridden: overridden(r.Header),
		Audit: hallpass.AuditOff,
	}, err
}

// overridden reports whether something behind or before us might take the request
// for one of another method.
func overridden(h http.Header) bool {
	return h.Get("X-HTTP-Method-Override") != "" || h.Get("X-HTTP-Method") != "" || h.Get("X-Method-Override") != ""
}

func bearer(r *http.Request) (hallpass.Token, error) {
	var found []string
	for _, line := range r.Header.Values("Authorization") {
		if scheme, text, _ := strings.Cut(strings.TrimSpace(line), " "); strings.EqualFold(scheme, "Bearer") {
			found = append(found, strings.TrimSpace(text))
		}
	}
	switch {
	case len(found) == 0:
		return hallpass.Token{}, hallpass.RefusalMissing
	case len(found) > 1 || found[0] == "":
		return hallpass.Token{}, hallpass.RefusalMalformed
	}
	return hallpass.NewToken(found[0]), nil
}

// refuseCaller answers a request whose caller is nobody, or may not do this.
func (a *API) refuseCaller(w http.ResponseWriter, r *http.Request, err error) {
	refusal, refused := hallpass.RefusalOf(err)
	if !refused {
		a.fail(w, r, err)
		return
	}
	// Who is not known yet learns the public reason only.
	reason := refusal.Public()
	p := wire.ProblemOf(reason)
	p.Status, p.Title, p.Detail = http.StatusUnauthorized, "The caller is not known", "the bearer token is missing, or is not good: "+string(reason)
	header := challenge
	switch refusal {
	case hallpass.RefusalMissing:
		p.Detail = "a bearer token is needed: a pass for " + string(hallpass.ScopeAPI)
	case hallpass.RefusalWrongScope, hallpass.RefusalNotGranted, hallpass.RefusalUnknownSubject,
		hallpass.RefusalWrongSubject, hallpass.RefusalNeedsConfirmation:
		p.Status, p.Title, p.Detail = http.StatusForbidden, "The caller may not do this", callerDetails[refusal]
		header += `, error="insufficient_scope", error_description="` + string(reason) + `"`
	default:
		header += `, error="invalid_token", error_description="` + string(reason) + `"`
	}
	w.Header().Set("WWW-Authenticate", header)
	p.Answer(w, r)
}

var callerDetails = map[hallpass.Refusal]string{
	hallpass.RefusalWrongScope:        "the bearer token is for another purpose than " + string(hallpass.ScopeAPI),
	hallpass.RefusalNotGranted:        "the bearer token does not cover this method and path",
	hallpass.RefusalUnknownSubject:    "the bearer token's subject is not active",
	hallpass.RefusalWrongSubject:      "the bearer token is for somebody else",
	hallpass.RefusalNeedsConfirmation: "the bearer token needs a person",
}
