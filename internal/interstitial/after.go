package interstitial

import (
	"cmp"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/look"
)

// AlreadyDoneView is what the page "already done" shows.
type AlreadyDoneView struct {
	// Entry is the pass, nil when it is not known.
	Entry *hallpass.Entry
	// Sentence and Account are as in ConfirmView.
	Sentence, Account string
	// Next is where the reader may go on to; empty means nowhere.
	Next string
	// Target is the origin Next may name when that is not the page's own.
	Target string
	// Now is the time; its location is that of the exact times shown.
	Now time.Time
}

// AlreadyDone writes, with status 200, the page for a click that was honoured
// before: its repeat did nothing and is no reason to worry.
func (p *Pages) AlreadyDone(w http.ResponseWriter, r *http.Request, v AlreadyDoneView) error {
	if v.Next != "" && !look.LocalURL(v.Next, v.Target) {
		return p.fail(w, r, PageAlreadyDone, "the next page")
	}
	t := p.texts
	view := View{
		Page:  PageAlreadyDone,
		Title: t.Text("already_done.title"),
		Lead:  t.Text("already_done.lead"),
		State: "done",
		Next:  v.Next,
		Now:   v.Now,
	}
	if v.Next != "" {
		view.NextLabel = t.Text("continue")
	}
	if v.Entry != nil {
		mode, account := v.Entry.Mode, look.Mask(cmp.Or(v.Account, v.Entry.Subject))
		if mode != hallpass.ModeRequest && mode != hallpass.ModeSession {
			mode, account = hallpass.ModePublic, ""
		}
		card := look.CardOf(*v.Entry, cmp.Or(v.Sentence, t.Text("refused.sentence."+string(mode), "account", account)), v.Now)
		card.For, card.State = account, "done"
		view.Card = &card
	}
	return p.serve(w, r, http.StatusOK, view, v.Target)
}

// MovingOnView is what the page that moves on shows.
type MovingOnView struct {
	// URL is where to: a path on the page's own origin or an absolute URL of the
	// target origin.
	URL string
	// Target is the origin URL may name when that is not the page's own.
	Target string
	// Title and Sentence are the application's words; both have a default.
	Title, Sentence string
}

// MovingOn writes, with status 200, a page that goes on to a URL of the same
// site by itself and by a link. It is a page and not a redirect because Safari
// drops cookies that are set on a redirect bounce. It returns an error, having
// answered 500, when the URL leads off the site.
func (p *Pages) MovingOn(w http.ResponseWriter, r *http.Request, v MovingOnView) error {
	if !look.LocalURL(v.URL, v.Target) {
		return p.fail(w, r, PageMovingOn, "the URL")
	}
	t := p.texts
	return p.serve(w, r, http.StatusOK, View{
		Page:      PageMovingOn,
		Title:     cmp.Or(v.Title, t.Text("moving_on.title")),
		Lead:      cmp.Or(v.Sentence, t.Text("moving_on.lead")),
		State:     "honoured",
		Next:      v.URL,
		NextLabel: t.Text("continue"),
	}, v.Target)
}

// NoCookieView is what the page for a confirmation without its cookie shows.
type NoCookieView struct {
	// Status is the answer's status. 0 means 403.
	Status int
	// Open is the link to open again; empty means the reader has to go back to
	// the mail.
	Open string
	// Target is the origin Open may name when that is not the page's own.
	Target string
}

// NoCookie writes the page for a press of the button that came without the
// cookie the page had set.
func (p *Pages) NoCookie(w http.ResponseWriter, r *http.Request, v NoCookieView) error {
	if v.Open != "" && !look.LocalURL(v.Open, v.Target) {
		return p.fail(w, r, PageNoCookie, "the link")
	}
	t := p.texts
	view := View{
		Page:  PageNoCookie,
		Title: t.Text("no_cookie.title"),
		State: "again",
		Facts: p.facts("no_cookie"),
		Next:  v.Open,
		Code:  string(hallpass.RefusalNeedsConfirmation),
	}
	if v.Open != "" {
		view.NextLabel = t.Text("no_cookie.open")
	}
	return p.serve(w, r, cmp.Or(v.Status, http.StatusForbidden), view, v.Target)
}

// FreshLinkSentView is what the page after a fresh link was asked for shows.
type FreshLinkSentView struct {
	// Account is where the link went, masked; empty means it is not named.
	Account string
}

// FreshLinkSent writes, with status 200, the page that follows the button "Send
// me a fresh link". It says the same whether a mail was sent or withheld.
func (p *Pages) FreshLinkSent(w http.ResponseWriter, r *http.Request, v FreshLinkSentView) error {
	t := p.texts
	lead := t.Text("fresh_link_sent.lead")
	if v.Account != "" {
		lead = t.Text("fresh_link_sent.lead.named", "account", look.Mask(v.Account))
	}
	return p.serve(w, r, http.StatusOK, View{
		Page:  PageFreshLinkSent,
		Title: t.Text("fresh_link_sent.title"),
		Lead:  lead,
		State: "asked",
		Facts: p.facts("fresh_link_sent"),
	})
}

// UnsubscribedView is what the page after an unsubscription shows. RFC 8058
// answers any token alike, so leave both fields empty unless the pass was proven.
type UnsubscribedView struct {
	// Account is the address that gets no more mail, masked.
	Account string
	// List is the name of what it was subscribed to.
	List string
}

// Unsubscribed writes, with status 200, the page a person sees after a one-click
// unsubscription.
func (p *Pages) Unsubscribed(w http.ResponseWriter, r *http.Request, v UnsubscribedView) error {
	t, account := p.texts, look.Mask(v.Account)
	lead := t.Text("unsubscribed.lead")
	switch {
	case account != "" && v.List != "":
		lead = t.Text("unsubscribed.lead.both", "account", account, "list", v.List)
	case account != "":
		lead = t.Text("unsubscribed.lead.account", "account", account)
	case v.List != "":
		lead = t.Text("unsubscribed.lead.list", "list", v.List)
	}
	return p.serve(w, r, http.StatusOK, View{
		Page:  PageUnsubscribed,
		Title: t.Text("unsubscribed.title"),
		Lead:  lead,
		State: "done",
	})
}

// Unavailable writes, with status 503, the page for a request hallpass could not
// decide. Nothing was used up. A retryAfter above zero is sent as Retry-After.
func (p *Pages) Unavailable(w http.ResponseWriter, r *http.Request, retryAfter time.Duration) error {
	return p.later(w, r, http.StatusServiceUnavailable, PageUnavailable, retryAfter)
}

// Throttled writes, with status 429, the page for somebody who asks too often. A
// retryAfter above zero is sent as Retry-After.
func (p *Pages) Throttled(w http.ResponseWriter, r *http.Request, retryAfter time.Duration) error {
	return p.later(w, r, http.StatusTooManyRequests, PageThrottled, retryAfter)
}

func (p *Pages) later(w http.ResponseWriter, r *http.Request, status int, page string, retryAfter time.Duration) error {
	if retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(retryAfter.Seconds()))))
	}
	return p.serve(w, r, status, View{
		Page:  page,
		Title: p.texts.Text(page + ".title"),
		State: "later",
		Facts: p.facts(page),
		Code:  page,
	})
}

// facts are the three lines of a page that has no variants.
func (p *Pages) facts(page string) []Fact {
	t := p.texts
	return []Fact{
		{t.Text("fact.happened"), t.Text(page + ".happened")},
		{t.Text("fact.safe"), t.Text(page + ".safe")},
		{t.Text("fact.next"), t.Text(page + ".next")},
	}
}
