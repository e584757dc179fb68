package interstitial

import (
	"slices"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass/internal/look"
)

// View is what every template is executed with. Texts are plain: the template
// escapes them.
type View struct {
	// Page is the page's name, one of Names.
	Page string
	// Site is Options.Site.
	Site string
	// Title is the heading, Lead the paragraph below it, which may be empty.
	Title, Lead string
	// State is the stamp of a page without a card; empty means none.
	State string
	// Card is the pass card, nil where there is none to show. The confirmation
	// always has one, and a Form.
	Card *look.Card
	// Notice is said before the button and must not be overlooked; often empty.
	Notice string
	// Facts say what happened, what was not harmed and what to do now.
	Facts []Fact
	// Form is the one button, nil where there is none.
	Form *Form
	// Next is where a plain link leads, labelled NextLabel; empty means no link.
	Next, NextLabel string
	// Code is the machine's word for it, shown small; often empty.
	Code string
	// Now is the time the page speaks from.
	Now time.Time
}

// Fact is one line of an explanation.
type Fact struct{ Label, Text string }

// Form is one button that posts hidden fields.
type Form struct {
	// Action is a URL that was checked to stay on the site.
	Action string
	// Button is the button's label.
	Button string
	// Hidden are posted along.
	Hidden []Field
	// Code asks for a typed code; nil means there is none to type.
	Code *CodeField
	// Tick asks for a tick beside the button, which goes along as look.PressedField:
	// a script sent the form before.
	Tick bool
	// Quiet is set where the button is an offer rather than the point of the page.
	Quiet bool
}

// isIn reports whether a page holds what the form needs: where it posts to, all its
// fields, and the code and the tick where they are asked for.
func (f *Form) isIn(page string) bool {
	parts := []string{f.Action}
	for _, field := range f.Hidden {
		parts = append(parts, field.Name, field.Value)
	}
	if f.Code != nil {
		parts = append(parts, f.Code.Name)
	}
	if f.Tick {
		parts = append(parts, look.PressedField)
	}
	return !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(page, part) })
}

// Field is one hidden form field.
type Field struct{ Name, Value string }

// CodeField asks for the code that is in the mail.
type CodeField struct {
	// Name is the form field's name.
	Name string
	// Wrong is set when the code typed before was not the right one.
	Wrong bool
}

// Action is a place to post to.
type Action struct {
	// URL is a path on the page's own origin or an absolute URL of the target
	// origin. Anything else is an error.
	URL string
	// Hidden are posted along.
	Hidden []Field
}

// samples are views with everything and with as little as the page ever gets, to
// try a template on.
func samples(page string) []View {
	now := time.Date(2025, 11, 21, 12, 0, 0, 0, time.UTC)
	card := look.Card{
		Sentence: "sentence", For: "for", From: now.Add(time.Hour), Until: now.Add(2 * time.Hour),
		Max: 2, Left: 1, State: "active", Scope: "scope", Grants: []string{"GET /"}, ID: "id", Now: now,
	}
	full := View{
		Page: page, Site: "site", Title: "title", Lead: "lead", State: "done", Card: &card, Notice: "notice",
		Facts: []Fact{{"label", "text"}}, Code: "code", Next: "/next", NextLabel: "next", Now: now,
		Form: &Form{
			Action: "/form-action", Button: "button", Hidden: []Field{{"hidden-name", "hidden-value"}},
			Code: &CodeField{Name: "code-name", Wrong: true}, Tick: true, Quiet: true,
		},
	}
	least := View{Page: page, Title: "title", Now: now}
	if page == PageConfirm {
		least.Card, least.Form = &look.Card{Now: now}, &Form{Action: "/"}
	}
	return []View{full, least}
}
