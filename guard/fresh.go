package guard

import (
	"errors"
	"net/http"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/clientip"
	"github.com/hallpass-go/hallpass/internal/interstitial"
	"github.com/hallpass-go/hallpass/internal/look"
)

// errThrottled is answered with 429.
var errThrottled = errors.New("guard: too many attempts")

// Limits on asking for fresh links, counted over all processes.
const (
	freshPerPass    = 3
	freshPerSubject = 5
	freshPerNetwork = 20
	freshWindow     = time.Hour
)

// offersFresh reports whether the page of a refused link offers a fresh one: its
// time or its uses are over, and it would be honoured here otherwise.
func (rt *route) offersFresh(r *http.Request, found presented, reason hallpass.Refusal) bool {
	if rt.guard.cfg.FreshLink == nil || found.transport != Query ||
		reason != hallpass.RefusalExpired && reason != hallpass.RefusalSpent {
		return false
	}
	_, over, err := rt.lapsed(r, found)
	return over && err == nil
}

func (rt *route) lapsed(r *http.Request, found presented) (hallpass.Entry, bool, error) {
	p := rt.presentation(r, found)
	p.Method = http.MethodGet
	return rt.guard.cfg.Issuer.Lapsed(r.Context(), p)
}

// serveFresh has the application mail a new link in place of an expired or spent
// one. The page says the same whether it did or not.
func (rt *route) serveFresh(w http.ResponseWriter, r *http.Request, found presented) {
	g, ctx := rt.guard, r.Context()
	if crossSite(r) {
		rt.refuse(w, r, found, hallpass.RefusalNeedsConfirmation)
		return
	}
	entry, over, err := rt.lapsed(r, found)
	switch {
	case err != nil:
		rt.refuse(w, r, found.with(entry.Pass), err)
		return
	case !over:
		rt.askAgain(w, r, found, opened) // it still works: no need for another
		return
	}
	if err := rt.throttleFresh(r, entry); err != nil {
		rt.refuse(w, r, found, err)
		return
	}
	if err := g.cfg.FreshLink(ctx, entry.Pass, rt.pageURL(r)); err != nil {
		g.cfg.Logger.Error("a fresh link could not be sent", "pass", entry.ID, "error", err)
	}
	g.logPage(g.pages.FreshLinkSent(w, r, interstitial.FreshLinkSentView{Account: g.cfg.Account(ctx, entry.Subject)}))
}

// throttleFresh counts a request for a fresh link. The network comes first, so
// that one that asks too often uses up nobody's own share.
func (rt *route) throttleFresh(r *http.Request, entry hallpass.Entry) error {
	g := rt.guard
	for _, limit := range []struct {
		name, key string
		most      int64
	}{
		{"fresh-network", clientip.Network(g.clients.Of(r)).String(), freshPerNetwork},
		{"fresh-subject", entry.Subject, freshPerSubject},
		{"fresh-pass", entry.ID, freshPerPass},
	} {
		if limit.key == "" {
			continue
		}
		ok, err := g.cfg.Issuer.Throttle(r.Context(), limit.name, limit.key, limit.most, freshWindow)
		if err != nil {
			return err
		}
		if !ok {
			return errThrottled
		}
	}
	return nil
}

func (rt *route) throttled(w http.ResponseWriter, r *http.Request) {
	if look.WantsPage(r) {
		rt.guard.logPage(rt.guard.pages.Throttled(w, r, freshWindow))
		return
	}
	w.Header().Set("Retry-After", "3600")
	writeProblem(w, r, problem{Title: "Too many attempts", Status: http.StatusTooManyRequests, Code: "throttled", Detail: "too many attempts; try again later"})
}
