package guard

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/interstitial"
	"github.com/hallpass-go/hallpass/internal/look"
)

// with adds what is known of the pass, for the refusal page.
func (p presented) with(pass hallpass.Pass) presented {
	if pass.ID != "" {
		p.pass = &pass
	}
	return p
}

// problem is an RFC 9457 document.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Code   string `json:"code"`
	Field  string `json:"field,omitempty"`
	Detail string `json:"detail"`
}

// refuse answers a request that was not honoured: with a page for people, a
// problem document for programs. Strangers learn the public reason only.
func (rt *route) refuse(w http.ResponseWriter, r *http.Request, found presented, err error) {
	g := rt.guard
	reason, refused := hallpass.RefusalOf(err)
	switch {
	case errors.Is(err, errBodyTooLarge):
		writeProblem(w, r, problem{Title: "Body too large", Status: http.StatusRequestEntityTooLarge, Code: "invalid", Detail: "the body is too large to look for a token in it"})
		return
	case errors.Is(err, errThrottled):
		rt.throttled(w, r)
		return
	case !refused:
		rt.unavailable(w, r, err)
		return
	}
	protectLink(w, rt.opts)
	rt.logRefusal(r, found, reason)
	status := rt.statusOf(r, found, reason)
	if status == http.StatusUnauthorized || found.transport&Header != 0 {
		w.Header().Set("WWW-Authenticate", rt.challenge(reason, status))
	}
	if g.cfg.Refused != nil && rt.scope != "" { // not from Refuse
		g.cfg.Refused(w, r, Refused{Reason: reason, Status: status, Pass: found.pass})
		return
	}
	if !look.WantsPage(r) {
		writeProblem(w, r, problemOf(reason, status))
		return
	}
	view := interstitial.RefusedView{Status: status, Refusal: reason, Target: g.target(), Now: g.cfg.Issuer.Now()}
	if found.pass != nil {
		view.Entry = &hallpass.Entry{Pass: *found.pass}
		view.Account = g.cfg.Account(r.Context(), found.pass.Subject)
		if rt.opts.Sentence != nil {
			view.Sentence = rt.opts.Sentence(*found.pass)
		}
		if rt.offersFresh(r, found, reason) {
			action := rt.action(rt.pageURL(r), stepFresh, interstitial.Field{Name: fieldToken, Value: found.token.Reveal()})
			view.FreshLink = &action
		}
	}
	if reason == hallpass.RefusalWrongSubject {
		if current, err := rt.signedIn(r); err == nil && current != "" {
			view.SignedInAs = g.cfg.Account(r.Context(), current)
		}
	}
	g.logPage(g.pages.Refused(w, r, view))
}

// Refuse answers a request as the guard's own routes do: a page for people, a
// problem document for programs. err is a Refusal, or what kept a decision from
// being made (503). It is for handlers behind Optional that want a pass after all,
// and for Config.Refused, which it does not call, to answer as usual after all.
func (g *Guard) Refuse(w http.ResponseWriter, r *http.Request, err error) {
	rt := &route{guard: g, opts: (*Options)(nil).withDefaults()}
	rt.refuse(w, r, presented{}, err)
}

// logRefusal tells the operator the exact reason. What strangers can make up at
// will is told at debug level only.
func (rt *route) logRefusal(r *http.Request, found presented, reason hallpass.Refusal) {
	log, level, id := rt.guard.cfg.Logger, slog.LevelDebug, ""
	if found.pass != nil {
		level, id = slog.LevelInfo, found.pass.ID
		if reason == hallpass.RefusalWrongScope && found.pass.Mode == hallpass.ModeSession && rt.guard.cfg.Login == nil {
			log.Error("a session pass was refused because guard.Config.Login is not set")
		}
	}
	log.Log(r.Context(), level, "refused", "reason", reason, "scope", rt.scope, "pass", id, "method", r.Method, "path", r.URL.Path)
}

// statusOf: a bad bearer token is 401 (RFC 6750 section 3.1), one that is good but
// does not reach this far 403; links are 403 whatever is wrong with them.
func (rt *route) statusOf(r *http.Request, found presented, reason hallpass.Refusal) int {
	if reason == hallpass.RefusalMissing {
		if rt.opts.Transports&Header != 0 && !look.WantsPage(r) {
			return http.StatusUnauthorized
		}
		return http.StatusForbidden
	}
	if found.transport&Header == 0 {
		return http.StatusForbidden
	}
	switch reason {
	case hallpass.RefusalWrongScope, hallpass.RefusalNotGranted, hallpass.RefusalUnknownSubject,
		hallpass.RefusalWrongSubject, hallpass.RefusalNeedsConfirmation:
		return http.StatusForbidden
	}
	return http.StatusUnauthorized
}

// challenge is the WWW-Authenticate header. A request without any token is told
// nothing but the scheme.
func (rt *route) challenge(reason hallpass.Refusal, status int) string {
	challenge := rt.opts.Keyword + ` realm="hallpass"`
	switch {
	case reason == hallpass.RefusalMissing:
		return challenge
	case status == http.StatusForbidden:
		return challenge + `, error="insufficient_scope", error_description="` + string(reason.Public()) + `"`
	}
	return challenge + `, error="invalid_token", error_description="` + string(reason.Public()) + `"`
}

func problemOf(reason hallpass.Refusal, status int) problem {
	code := reason.Public()
	return problem{
		Type: "urn:hallpass:problem:" + string(code), Title: "Refused", Status: status,
		Code: string(code), Detail: refusalDetails[code],
	}
}

// refusalDetails are the public sentences.
var refusalDetails = map[hallpass.Refusal]string{
	hallpass.RefusalBadSignature:      "the request has no token of ours: it is missing, or was changed on its way",
	hallpass.RefusalWrongAudience:     "the token was made for another deployment",
	hallpass.RefusalNotYetValid:       "the token is not valid yet",
	hallpass.RefusalExpired:           "the token has expired",
	hallpass.RefusalWrongScope:        "the token is for another purpose",
	hallpass.RefusalNotGranted:        "the token does not cover this method and path",
	hallpass.RefusalRevoked:           "the token was taken back",
	hallpass.RefusalUnknownSubject:    "the token's user is not active",
	hallpass.RefusalWrongSubject:      "somebody else is signed in",
	hallpass.RefusalSpent:             "the token has been used as often as it could be",
	hallpass.RefusalNeedsConfirmation: "a person has to confirm this first",
}

// unavailable says that nothing was decided and nothing used up.
func (rt *route) unavailable(w http.ResponseWriter, r *http.Request, err error) {
	if !errors.Is(err, context.Canceled) { // then the client has gone
		rt.guard.cfg.Logger.Error("a request could not be decided", "error", err)
	}
	protectLink(w, rt.opts)
	if look.WantsPage(r) {
		rt.guard.logPage(rt.guard.pages.Unavailable(w, r, time.Second))
		return
	}
	w.Header().Set("Retry-After", "1")
	writeProblem(w, r, problem{
		Title: "Unavailable", Status: http.StatusServiceUnavailable, Code: "unavailable",
		Detail: "nothing could be decided and nothing was used up; try again",
	})
}

func writeProblem(w http.ResponseWriter, r *http.Request, p problem) {
	if p.Type == "" {
		p.Type = "urn:hallpass:problem:" + p.Code
	}
	body, err := json.Marshal(p)
	if err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(p.Status)
	if r.Method != http.MethodHead {
		w.Write(append(body, '\n'))
	}
}
