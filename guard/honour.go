package guard

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/interstitial"
)

// presentation says what is asked of a token here.
func (rt *route) presentation(r *http.Request, found presented) hallpass.Presentation {
	p := hallpass.Presentation{
		Token: found.token, Scope: rt.scope, Modes: rt.opts.Modes, Method: r.Method, Path: requestPath(r),
		Target: rt.target(r), UserAgent: r.UserAgent(), Audit: rt.opts.Audit,
	}
	if addr := rt.guard.clients.Of(r); addr.IsValid() {
		p.ClientIP = addr.String()
	}
	for _, name := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"} {
		if r.Header.Get(name) != "" {
			p.Overridden = true
		}
	}
	return p
}

// repeatWindow is how long a key of Options.UseKey stands for the same request.
const repeatWindow = 10 * time.Second

// honour redeems the pass and lets the handler run. It reports whether the answer
// may be repeated for the same nonce: the use was counted and not given back.
func (rt *route) honour(w http.ResponseWriter, r *http.Request, found presented, confirmed bool, key string) (kept bool) {
	p := rt.presentation(r, found)
	p.Confirmed, p.UseKey = confirmed, key
	if confirmed {
		p.Method = http.MethodGet
	}
	again := false // a repeat with this key may run the handler
	if key == "" && rt.opts.UseKey != nil {
		p.UseKey = rt.opts.UseKey(r)
		again = p.UseKey != ""
	}
	var err error
	if p.SignedIn, err = rt.signedIn(r); err != nil {
		rt.refuse(w, r, found, err)
		return false
	}
	redemption, err := rt.guard.cfg.Issuer.Redeem(r.Context(), p)
	if err != nil {
		if redemption != nil {
			found = found.with(redemption.Entry.Pass)
		}
		rt.refuse(w, r, found, err)
		return false
	}
	switch {
	case redemption.Duplicate && again && rt.guard.cfg.Issuer.Now().Sub(redemption.Use.At) > repeatWindow:
		rt.refuse(w, r, found.with(redemption.Entry.Pass), hallpass.RefusalSpent)
		return false
	case redemption.Duplicate && !again:
		rt.serveDuplicate(w, r, redemption)
		return false
	case redemption.Entry.Mode == hallpass.ModeSession:
		return rt.signIn(w, r, redemption, key == "")
	}
	out, h := rt.deliver(r, found, redemption, confirmed, confirmed && key != "" && rt.opts.DeliverPost)
	return rt.run(w, out, h, redemption)
}

// serveDuplicate answers a press that was honoured before, on another node or too
// long ago to repeat the answer.
func (rt *route) serveDuplicate(w http.ResponseWriter, r *http.Request, redemption *hallpass.Redemption) {
	g := rt.guard
	view := interstitial.AlreadyDoneView{
		Entry: &redemption.Entry, Now: g.cfg.Issuer.Now(),
		Account: g.cfg.Account(r.Context(), redemption.Entry.Subject),
	}
	if rt.opts.Sentence != nil {
		view.Sentence = rt.opts.Sentence(redemption.Entry.Pass)
	}
	if redemption.Entry.Mode == hallpass.ModeSession {
		view.Next, view.Target = rt.landing(r), g.target()
	}
	g.logPage(g.pages.AlreadyDone(w, r, view))
}

// signIn starts a session and sends the browser to the page without the token.
// The browser that asked for the link came here by a plain GET; it gets a page
// that moves on, because Safari drops cookies set on a redirect bounce.
func (rt *route) signIn(w http.ResponseWriter, r *http.Request, redemption *hallpass.Redemption, direct bool) (kept bool) {
	g, ctx := rt.guard, r.Context()
	if err := rt.begin(w, r, redemption); err != nil {
		rt.refuse(w, r, presented{}, err)
		return false
	}
	status := http.StatusSeeOther
	if direct {
		status = http.StatusOK
	}
	g.logSettle(redemption.Settle(ctx, status))
	rt.note(r, hallpass.EventLogin, redemption.Entry.Pass, nil)
	if direct {
		g.logPage(g.pages.MovingOn(w, r, interstitial.MovingOnView{URL: rt.landing(r), Target: g.target()}))
		return true
	}
	w.Header().Set("Location", rt.landing(r))
	w.WriteHeader(http.StatusSeeOther)
	return true
}

// begin runs the Login hook. Where it fails or panics, whatever it had set is
// taken back, and the use is given back if it had set nothing: otherwise a session
// may have begun all the same.
func (rt *route) begin(w http.ResponseWriter, r *http.Request, redemption *hallpass.Redemption) error {
	g, ctx, before := rt.guard, r.Context(), w.Header().Clone()
	begun := false
	defer func() {
		if begun {
			return
		}
		if untouched := maps.EqualFunc(before, w.Header(), slices.Equal); untouched && ctx.Err() == nil {
			g.logSettle(redemption.Refund(ctx, http.StatusInternalServerError))
		} else {
			g.logSettle(redemption.Settle(ctx, http.StatusInternalServerError))
		}
		clear(w.Header())
		maps.Copy(w.Header(), before)
	}()
	if err := g.cfg.Login(w, r, redemption.Entry.Pass); err != nil {
		return err
	}
	begun = true
	return nil
}

// landing is the page without the token: our origin, the path re-encoded from its
// one decoded form, the rest of the query. A path that has no such form leads to
// the root.
func (rt *route) landing(r *http.Request) string {
	page, err := url.Parse(rt.pageURL(r))
	if err != nil {
		return rt.guard.target() + "/"
	}
	clean, ok := hallpass.CleanPath(page.EscapedPath())
	if !ok {
		return rt.guard.target() + "/"
	}
	return rt.guard.target() + (&url.URL{Path: clean, RawQuery: page.RawQuery}).RequestURI()
}

// deliver makes the request the handler gets: with the pass in its context, and
// without the token in its URL. After a confirmation it is the GET the link was
// made for.
func (rt *route) deliver(r *http.Request, found presented, redemption *hallpass.Redemption, confirmed, post bool) (*http.Request, *Honoured) {
	h := &Honoured{
		Pass: redemption.Entry.Pass, Use: redemption.Use.ID, Confirmed: confirmed, Transport: found.transport,
		token: found.token, param: rt.guard.cfg.Param,
	}
	h.UsesLeft, h.Limited = redemption.Entry.UsesLeft()
	out := r.WithContext(context.WithValue(r.Context(), honouredKey{}, h))
	if found.transport == Query {
		out.URL = &url.URL{}
		*out.URL = *r.URL
		out.RequestURI = rt.pageURL(r)
		out.URL.RawQuery = ""
		if page, err := url.Parse(out.RequestURI); err == nil {
			out.URL.RawQuery = page.RawQuery
		}
	}
	if confirmed {
		out.Header = r.Header.Clone()
		out.Method, out.Body, out.ContentLength = http.MethodGet, http.NoBody, 0
		if post {
			out.Method = http.MethodPost
		}
		for _, name := range []string{"Content-Type", "Content-Length", "Origin", "Transfer-Encoding"} {
			out.Header.Del(name)
		}
		out.Form, out.PostForm, out.MultipartForm, out.TransferEncoding = nil, nil, nil, nil
	}
	return out, h
}

// run lets the handler answer and settles the use. A 5xx or a panic gives it back
// if no byte of the answer left and the client is still there to try again.
func (rt *route) run(w http.ResponseWriter, r *http.Request, h *Honoured, redemption *hallpass.Redemption) (kept bool) {
	rec := &recorder{ResponseWriter: w}
	defer func() {
		crash := recover()
		if crash != nil {
			rec.status = http.StatusInternalServerError
		} else if rec.status == 0 {
			rec.WriteHeader(http.StatusOK) // as net/http would
		}
		failed := rec.status >= 500 && !rec.left
		switch {
		case failed && r.Context().Err() == nil:
			rt.guard.logSettle(redemption.Refund(r.Context(), rec.status))
		case h.forwarded:
			rt.guard.logSettle(redemption.Forward(r.Context()))
			kept = true
		default:
			rt.guard.logSettle(redemption.Settle(r.Context(), rec.status))
			kept = !failed
		}
		if crash != nil {
			panic(crash) // net/http logs it and cuts the connection, as without us
		}
		rec.release()
	}()
	rt.next.ServeHTTP(rec, r)
	return
}

func (g *Guard) logSettle(err error) {
	if err != nil {
		g.cfg.Logger.Error("the outcome of a use could not be written; it stays counted", "error", err)
	}
}

func (g *Guard) logPage(err error) {
	if err != nil {
		g.cfg.Logger.Error("a page could not be shown", "error", err)
	}
}
