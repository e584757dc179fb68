package interstitial

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/look"
)

// ConfirmView is what the confirmation page shows.
type ConfirmView struct {
	// Entry is the pass; only Entry.Pass need be filled when the store was not
	// read. Its id, data, recipient and batch are never shown.
	Entry hallpass.Entry
	// Title, Sentence and Button are the application's words. Each defaults to
	// one that fits the pass's mode.
	Title, Sentence, Button string
	// Account is how the subject is called where people read. It is masked.
	// Defaults to the subject.
	Account string
	// SignedInAs is the account of another signed-in user, masked as well. Empty
	// means nobody else is signed in.
	SignedInAs string
	// Action is where the button posts.
	Action Action
	// Code, when not nil, asks for the code that is in the mail.
	Code *CodeField
	// ByScript says that a script sent the page's form before, and nobody's press.
	ByScript bool
	// Target is the origin the form may lead to, by itself or by a redirect,
	// when that is not the page's own. Only its scheme, host and port count.
	Target string
	// Now is the time; its location is that of the exact times shown.
	Now time.Time
}

// Confirm writes, with status 200, the page that asks a person before a pass is
// honoured. It returns an error, having answered 500, when the action leads off
// the site or the template fails.
func (p *Pages) Confirm(w http.ResponseWriter, r *http.Request, v ConfirmView) error {
	if !look.LocalURL(v.Action.URL, v.Target) {
		return p.fail(w, r, PageConfirm, "the action")
	}
	t, mode := p.texts, v.Entry.Mode
	if mode != hallpass.ModeRequest && mode != hallpass.ModeSession {
		mode = hallpass.ModePublic
	}
	account := look.Mask(cmp.Or(v.Account, v.Entry.Subject))
	card := look.CardOf(v.Entry, cmp.Or(v.Sentence, t.Text("confirm.sentence."+string(mode), "account", account)), v.Now)
	card.For, card.State = account, "waiting"
	if mode == hallpass.ModePublic {
		card.For = ""
	}
	view := View{
		Page:  PageConfirm,
		Title: cmp.Or(v.Title, t.Text("confirm.title."+string(mode))),
		Lead:  t.Text("confirm.lead"),
		Card:  &card,
		Form: &Form{
			Action: v.Action.URL,
			Button: cmp.Or(v.Button, t.Text("confirm.button."+string(mode), "account", account)),
			Hidden: v.Action.Hidden,
			Code:   v.Code,
			Tick:   v.ByScript,
		},
		Now: v.Now,
	}
	if v.Code != nil {
		view.Lead = t.Text("confirm.lead.code")
	}
	var notices []string
	if v.ByScript {
		notices = append(notices, t.Text("press.notice"))
	}
	if v.SignedInAs != "" {
		notices = append(notices, t.Text("confirm.replace", "current", look.Mask(v.SignedInAs), "account", account))
	}
	view.Notice = strings.Join(notices, " ")
	return p.serve(w, r, http.StatusOK, view, v.Target)
}
