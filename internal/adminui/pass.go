package adminui

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/find"
	"github.com/hallpass-go/hallpass/internal/look"
)

// moment is one line of what came of a pass: a use or an event.
type moment struct {
	At    time.Time
	What  string
	State string
	// Reason, By, From, Agent, Request and Status are empty where there is none.
	Reason, By, From, Agent, Request string
	Status                           int
}

type passView struct {
	frame
	Entry  hallpass.Entry
	Card   look.Card
	State  hallpass.State
	Why    string
	Claims string
	Header string
	Data   string
	Line   []moment
	// More says that the lists have more than the time line shows.
	More bool
	// Pasted says that a token was searched for, Unused that the store has nothing of
	// its pass, and Token is it then, for taking it back.
	Pasted, Unused bool
	Token          string
	MayRevoke      bool
	MayLink        bool
	LinkURL        string
}

// passLine is how many uses, and how many events, the time line shows.
const passLine = 50

func (u *UI) pass(v *visit) error {
	id := v.URL.Query().Get("id")
	entry, err := u.issuer.Entry(v.Context(), id)
	if isNotFound(err) && find.IsID(id) {
		return u.notFound(v, hallpass.RefusalUnknownPass, id, find.Untold)
	}
	if err != nil {
		return err
	}
	view, err := u.passView(v, entry)
	if err != nil {
		return err
	}
	// Without its signature a token is no secret. Where it cannot be made again there
	// is nothing to decode.
	if token, err := u.issuer.TokenAgain(entry); err == nil {
		view.Header, view.Claims = partOf(token, 0), partOf(token, 1)
	}
	return u.show(v, http.StatusOK, "pass", view)
}

func (u *UI) passView(v *visit, entry hallpass.Entry) (passView, error) {
	view := passView{frame: u.frame(v, "passes"), Entry: entry, Data: pretty(entry.Data)}
	view.Card = cardOf(entry, view.Now)
	view.State = entry.State(view.Now)
	view.Why = whyState(entry, view.Now)
	over := view.State == hallpass.StateRevoked
	view.MayRevoke = !over && u.mayRevoke(v.op, entry.Pass)
	view.MayLink = view.State != hallpass.StateRevoked && view.State != hallpass.StateExpired && view.State != hallpass.StateSpent &&
		entry.Key != "" && v.op.MayShow(entry.Pass)
	view.LinkURL = u.linkURL(entry.Pass)
	var err error
	view.Line, view.More, err = u.timeLine(v.Context(), entry.ID)
	return view, err
}

// cardOf is the card of a pass for operators, who are no strangers.
func cardOf(e hallpass.Entry, now time.Time) look.Card {
	card := look.CardOf(e, permits(e.Pass, now), now)
	card.Said, card.For = permitsHTML(e.Pass, now), e.Subject
	return card
}

// mayRevoke: whoever may issue a pass may take it back; what is beyond that, and
// what nothing is known of, takes an admin.
func (u *UI) mayRevoke(op Operator, p hallpass.Pass) bool {
	return op.Role == RoleAdmin || op.MayIssue(p)
}

// linkURL is where the pass's link led to, as far as the pass says.
func (u *UI) linkURL(p hallpass.Pass) string {
	if p.Target == "" || u.cfg.LinkURL == "" {
		return u.cfg.LinkURL
	}
	base, err := url.Parse(u.cfg.LinkURL)
	if err != nil {
		return ""
	}
	return base.Scheme + "://" + base.Host + p.Target
}

func whyState(e hallpass.Entry, now time.Time) string {
	left, limited := e.UsesLeft()
	switch e.State(now) {
	case hallpass.StateRevoked:
		return "It was taken back, alone or with a group, and stays so."
	case hallpass.StateSpent:
		if e.MaxUses == 1 {
			return "The one use it promised has been made."
		}
		return fmt.Sprintf("All %d uses it promised have been made.", e.MaxUses)
	case hallpass.StateExpired:
		return "Its time is over."
	case hallpass.StateNotYetValid:
		return "It starts to work later."
	}
	if !limited {
		return fmt.Sprintf("It works as often as needed; used %d times so far.", e.Used)
	}
	return fmt.Sprintf("%d of %d uses are left.", left, e.MaxUses)
}

// timeLine puts uses and events of a pass in one order, the newest first.
func (u *UI) timeLine(ctx context.Context, id string) (line []moment, more bool, err error) {
	uses, err := u.issuer.Uses(ctx, hallpass.UseQuery{Pass: id, Limit: passLine})
	if err != nil {
		return nil, false, err
	}
	for _, use := range uses.Uses {
		line = append(line, moment{
			At: use.At, What: "Used", State: string(use.State), By: use.Subject, From: use.ClientIP, Agent: use.UserAgent,
			Request: request(use.Method, use.Path), Status: use.Status,
		})
	}
	events, err := u.issuer.Events(ctx, hallpass.EventFilter{Pass: id, Limit: passLine})
	if err != nil && !errors.Is(err, hallpass.ErrUnavailable) {
		return nil, false, err
	}
	for _, e := range events.Events {
		line = append(line, moment{
			At: e.At, What: eventWords(e), State: eventState(e.Kind), Reason: string(e.Reason), By: cmp.Or(e.Actor, e.Subject),
			From: e.ClientIP, Agent: e.UserAgent, Request: request(e.Method, e.Path),
		})
	}
	slices.SortStableFunc(line, func(a, b moment) int { return b.At.Compare(a.At) })
	return line, uses.Next != "" || events.Next != "", nil
}

func request(method, path string) string {
	if method == "" {
		return path
	}
	return method + " " + path
}

// revokePass takes one pass back: by its id, or by its token where the store has
// nothing of it yet.
func (u *UI) revokePass(v *visit) error {
	id, pass := v.PostFormValue("id"), hallpass.Pass{}
	if text := v.PostFormValue("token"); text != "" {
		found, err := find.Pass(v.Context(), u.issuer, text)
		if err != nil {
			return err
		}
		pass, id = found.Pass, found.ID
	} else if entry, err := u.issuer.Entry(v.Context(), id); err == nil {
		pass = entry.Pass
	} else if !isNotFound(err) {
		return err
	}
	if !u.mayRevoke(v.op, pass) {
		u.refuse(v, "role")
		return nil
	}
	var err error
	if pass.ID != "" {
		err = u.takeBack(v, pass)
	} else if err = u.act(v, hallpass.Event{Action: "pass.revoke", Pass: id}); err == nil {
		_, _, err = u.issuer.RevokeID(v.Context(), id)
	}
	if err != nil {
		return err
	}
	return u.redirect(v, "/pass?done=revoked&id="+url.QueryEscape(id))
}

// takeBack takes a pass back and writes down who did it.
func (u *UI) takeBack(v *visit, p hallpass.Pass) error {
	err := u.act(v, hallpass.Event{Action: "pass.revoke", Pass: p.ID, Scope: p.Scope, Subject: p.Subject, Batch: p.Batch})
	if err == nil {
		_, err = u.issuer.RevokePass(v.Context(), p)
	}
	return err
}

// showLink makes the token of a pass once more. Who had it shown is written down.
func (u *UI) showLink(v *visit) error {
	entry, err := u.issuer.Entry(v.Context(), v.PostFormValue("id"))
	if err != nil {
		return err
	}
	if !v.op.MayShow(entry.Pass) {
		u.refuse(v, "role")
		return nil
	}
	err = u.act(v, hallpass.Event{Action: "pass.link", Pass: entry.ID, Scope: entry.Scope, Subject: entry.Subject, Batch: entry.Batch})
	if err != nil {
		return err
	}
	token, err := u.issuer.TokenAgain(entry)
	if err != nil {
		return err
	}
	view, err := u.issuedView(v, hallpass.Issued{Entry: entry, Token: token}, v.PostFormValue("url"))
	if err != nil {
		return err
	}
	view.Again = true
	return u.show(v, http.StatusOK, "issued", view)
}
