package adminui

import (
	"cmp"
	"crypto/rand"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/look"
	"github.com/hallpass-go/hallpass/internal/wire"
)

// job is a common thing to issue a pass for, as a filled form.
type job struct {
	Name, Label, Text string
	Values            map[string]string
}

var jobs = []job{
	{"act", "One click by mail", "Unsubscribe, confirm, RSVP: one thing, for one person, once.",
		map[string]string{"scope": "newsletter:unsubscribe", "mode": "request", "max_uses": "1", "ttl": "30d"}},
	{"invite", "Invitation", "For whoever has the link, some times, for a while.",
		map[string]string{"scope": "invite", "mode": "public", "max_uses": "10", "ttl": "14d"}},
	{"sign-in", "Sign-in link", "Signs one person in, once, within minutes.",
		map[string]string{"scope": "login", "mode": "session", "ttl": "10m", "format": "short"}},
	{"api", "Token for a script", "Some methods and paths, for an hour.",
		map[string]string{"scope": "api", "mode": "request", "grants": "GET /api/reports", "ttl": "1h"}},
	{"campaign", "Newsletter", "Personal links for many, labelled so that they can be counted and taken back together.",
		map[string]string{"scope": "newsletter:unsubscribe", "mode": "request", "max_uses": "1", "ttl": "90d", "batch": "newsletter-", "unrecorded": "true"}},
}

// issueFields are the fields of the form, which are those of a request.
var issueFields = wire.RequestFields()

type issueView struct {
	frame
	Jobs []job
	Job  string
	// One is the form for one pass, Table that for a pass a line.
	One, Table form
	Modes      []hallpass.Mode
	// Key makes a form that is sent twice one pass.
	Key     string
	Preview preview
	Columns []column
}

// column is a field of a request that a column of a table may be.
type column struct{ Field, Label string }

var columnLabels = map[string]string{
	"scope": "What it is for", "mode": "Whose request it makes", "subject": "For whom", "max_uses": "How often", "ttl": "For how long",
	"not_before": "Not before", "data": "Data, as JSON", "grants": "Only these methods and paths", "recipient": "Sent to", "batch": "Campaign",
	"url": "Page the link leads to", "format": "Form of the token", "unrecorded": "Nothing written down until its first use",
	"typed_code": "With the code to be typed",
}

// modeChoice is one entry of a list of modes.
type modeChoice struct {
	Mode   hallpass.Mode
	Picked bool
}

// Pick is the entry of a mode in a form that has this one.
func (issueView) Pick(mode hallpass.Mode, has string) modeChoice {
	return modeChoice{mode, string(mode) == has}
}

func columns() (list []column) {
	for _, field := range issueFields {
		list = append(list, column{field, columnLabels[field]})
	}
	return list
}

// preview is what the form would make.
type preview struct {
	Card  *look.Card
	Error string
	// Link is an example of the link, without a token.
	Link string
	// Again says whether the link can be shown again later.
	Again string
}

func (u *UI) issueView(v *visit, values map[string]string) issueView {
	return issueView{
		frame: u.frame(v, "issue"), Jobs: jobs, Modes: v.op.rights.Modes, Columns: columns(),
		One: form{ID: "i", Values: values}, Table: form{ID: "u", Values: values}, Key: cmp.Or(values["key"], rand.Text()), Preview: u.previewOf(v, values),
	}
}

func (u *UI) issueForm(v *visit) error {
	values := map[string]string{"url": u.cfg.LinkURL}
	name := v.URL.Query().Get("job")
	for _, j := range jobs {
		if j.Name == name {
			for field, value := range j.Values {
				values[field] = value
			}
		}
	}
	view := u.issueView(v, values)
	view.Job = name
	return u.show(v, http.StatusOK, "issue", view)
}

// values reads the form.
func (v *visit) values() map[string]string {
	values := map[string]string{"key": v.PostFormValue("key")}
	for _, field := range issueFields {
		values[field] = v.PostFormValue(field)
	}
	return values
}

// requestOf reads the form's values as the command line reads its flags, and judges
// what they ask for: first the fields, then whether this operator may.
func (u *UI) requestOf(op Operator, values map[string]string) (wire.Request, hallpass.Pass, error) {
	var r wire.Request
	for _, field := range issueFields {
		if err := r.SetText(field, values[field]); err != nil {
			return r, hallpass.Pass{}, err
		}
	}
	p, err := u.issuer.Draft(r.Spec)
	if err == nil {
		err = mayIssue(op, p)
	}
	return r, p, err
}

func mayIssue(op Operator, p hallpass.Pass) error {
	if op.MayIssue(p) {
		return nil
	}
	return &hallpass.FieldError{Field: "scope", Reason: "and mode are not among those that your pass lets you issue; hallpass's own scopes come from the command line alone"}
}

func (u *UI) previewOf(v *visit, values map[string]string) preview {
	if values["scope"] == "" {
		return preview{}
	}
	r, p, err := u.requestOf(v.op, values)
	if err != nil {
		return preview{Error: look.Visible(sentence(err))}
	}
	now := u.issuer.Now()
	card := cardOf(hallpass.Entry{Pass: p}, now)
	out := preview{Card: &card, Again: shownAgain(v.op, p, r.Spec.Format == hallpass.FormatShort)}
	if r.URL != "" {
		out.Link, _ = hallpass.Link(r.URL, hallpass.NewToken("token"), "")
	}
	return out
}

// preview answers a script with the preview alone, and a form without one with the
// whole page.
func (u *UI) preview(v *visit) error {
	view := u.issueView(v, v.values())
	if v.Header.Get("HX-Request") == "true" {
		return u.part(v, "issue", "preview", view)
	}
	return u.show(v, http.StatusOK, "issue", view)
}

type issuedView struct {
	frame
	Entry hallpass.Entry
	Card  look.Card
	Token string
	Link  string
	QR    template.HTML
	// Length is that of what the QR code says, or would.
	Length int
	// Again says that the link is that of a pass which was there, Later whether that of
	// a new one can be shown again.
	Again bool
	Later string
}

func (u *UI) issuedView(v *visit, issued hallpass.Issued, rawURL string) (issuedView, error) {
	now := u.issuer.Now()
	card := cardOf(issued.Entry, now)
	view := issuedView{frame: u.frame(v, "issue"), Entry: issued.Entry, Card: card, Token: issued.Token.Reveal()}
	view.Later = shownAgain(v.op, issued.Pass, issued.Key == "")
	if rawURL != "" {
		var err error
		if view.Link, err = hallpass.Link(rawURL, issued.Token, ""); err != nil {
			return view, err
		}
	}
	text := cmp.Or(view.Link, view.Token)
	view.QR, view.Length = qrSVG(text), len(text)
	return view, nil
}

func (u *UI) issue(v *visit) error {
	values := v.values()
	r, _, err := u.requestOf(v.op, values)
	var issued hallpass.Issued
	if err == nil {
		issued, err = u.issueOnce(v, values["key"], r.Spec)
	}
	if errors.As(err, new(*hallpass.FieldError)) {
		u.failed(v, err)
		view := u.issueView(v, values)
		if view.One.read(issueFields, &r); view.One.Count() == 0 {
			_ = view.One.blame(err)
		}
		return u.show(v, http.StatusUnprocessableEntity, "issue", view)
	}
	if err != nil {
		return err
	}
	view, err := u.issuedView(v, issued, r.URL)
	if err != nil {
		return err
	}
	return u.show(v, http.StatusOK, "issued", view)
}

// issueOnce makes of a form that is sent twice one pass. Its id is known, and written
// down, before there is one.
func (u *UI) issueOnce(v *visit, key string, spec hallpass.Spec) (hallpass.Issued, error) {
	if key == "" || len(key) > 100 {
		key = rand.Text()
	}
	series, err := u.issuer.Series(v.Context(), v.op.Pass.ID, key)
	if err != nil {
		return hallpass.Issued{}, err
	}
	p, err := series.Draft(0, spec)
	if err == nil {
		err = u.act(v, hallpass.Event{
			Action: "pass.issue", Pass: p.ID, Scope: p.Scope, Subject: p.Subject, Batch: p.Batch, Detail: permits(p, u.issuer.Now()),
		})
	}
	if err != nil {
		return hallpass.Issued{}, err
	}
	return series.Issue(v.Context(), 0, spec)
}

// sentence is an error as people read it.
func sentence(err error) string {
	if field, ok := errors.AsType[*hallpass.FieldError](err); ok && field.Field != "" {
		return strings.ReplaceAll(field.Field, "_", " ") + " " + field.Reason
	}
	return wire.ProblemOf(err).Public().Line()
}

// passURL is the page of a pass.
func (f frame) PassURL(id string) string { return f.ui.to("/pass?id=" + url.QueryEscape(id)) }
