package interstitial

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/look"
)

// RefusedView is what the refusal page shows.
type RefusedView struct {
	// Status is the answer's status. 0 means 403.
	Status int
	// Refusal is the exact reason. The page shows its public form.
	Refusal hallpass.Refusal
	// Entry is the pass, nil when it is not known. It is shown only for reasons
	// that are found after the token was proven to be ours.
	Entry *hallpass.Entry
	// Sentence is the application's word for what the pass lets its holder do.
	// Defaults to one that fits the pass's mode.
	Sentence string
	// Account is how the subject is called where people read. It is masked.
	// Defaults to the subject.
	Account string
	// SignedInAs is the signed-in account of a wrong_subject, masked as well.
	SignedInAs string
	// FreshLink, when not nil, is where the button "Send me a fresh link" posts.
	// It is shown for expired and spent passes only, whatever the caller says.
	FreshLink *Action
	// Target is the origin the form may lead to when that is not the page's own.
	Target string
	// Now is the time; its location is that of the exact times shown.
	Now time.Time
}

// proven lists the refusals that are found only after the token was proven to be
// ours, so that its holder may see what it says.
var proven = []hallpass.Refusal{
	hallpass.RefusalNotYetValid, hallpass.RefusalExpired, hallpass.RefusalWrongScope,
	hallpass.RefusalNotGranted, hallpass.RefusalRevoked, hallpass.RefusalUnknownSubject,
	hallpass.RefusalWrongSubject, hallpass.RefusalSpent, hallpass.RefusalNeedsConfirmation,
}

// Refused writes the page for a token that was not honoured. Refusals with the
// same public form, and any this package does not know, get the very same bytes.
// It returns an error, having answered 500, when the fresh link's action leads
// off the site or the template fails.
func (p *Pages) Refused(w http.ResponseWriter, r *http.Request, v RefusedView) error {
	t, reason := p.texts, v.Refusal.Public()
	if !slices.Contains(hallpass.Refusals(), reason) {
		reason = hallpass.RefusalBadSignature
	}
	id := "refused." + string(reason)
	view := View{
		Page:  PageRefused,
		Title: t.Text(id + ".title"),
		State: "refused",
		Code:  string(reason),
		Now:   v.Now,
	}
	next := t.Text(id + ".next")
	var account string
	if v.Entry != nil && slices.Contains(proven, reason) {
		account = look.Mask(cmp.Or(v.Account, v.Entry.Subject))
		view.Card = p.refusedCard(v, reason, account)
		if v.FreshLink != nil && (reason == hallpass.RefusalExpired || reason == hallpass.RefusalSpent) {
			if !look.LocalURL(v.FreshLink.URL, v.Target) {
				return p.fail(w, r, PageRefused, "the fresh link's action")
			}
			next = t.Text("refused.fresh.next")
			view.Form = &Form{Action: v.FreshLink.URL, Button: t.Text("refused.fresh.button"), Hidden: v.FreshLink.Hidden}
		}
	}
	happened := t.Text(id + ".happened")
	if reason == hallpass.RefusalWrongSubject && account != "" && v.SignedInAs != "" {
		happened = t.Text("refused.wrong_subject.named", "account", account, "current", look.Mask(v.SignedInAs))
	}
	view.Facts = []Fact{
		{t.Text("fact.happened"), happened},
		{t.Text("fact.safe"), t.Text(id + ".safe")},
		{t.Text("fact.next"), next},
	}
	return p.serve(w, r, cmp.Or(v.Status, http.StatusForbidden), view, v.Target)
}

func (p *Pages) refusedCard(v RefusedView, reason hallpass.Refusal, account string) *look.Card {
	mode := v.Entry.Mode
	if mode != hallpass.ModeRequest && mode != hallpass.ModeSession {
		mode = hallpass.ModePublic
		account = ""
	}
	card := look.CardOf(*v.Entry, cmp.Or(v.Sentence, p.texts.Text("refused.sentence."+string(mode), "account", account)), v.Now)
	card.For = account
	// The stamp tells the reason, which need not be what the row says by now.
	switch reason {
	case hallpass.RefusalNotYetValid, hallpass.RefusalExpired, hallpass.RefusalRevoked, hallpass.RefusalSpent:
		card.State = string(reason)
	case hallpass.RefusalNeedsConfirmation:
		card.State = "waiting"
	default:
		card.State = "refused"
	}
	return &card
}
