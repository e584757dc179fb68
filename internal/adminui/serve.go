package adminui

import (
	"bytes"
	"context"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/look"
	"github.com/hallpass-go/hallpass/internal/wire"
)

// frame is what every page shows around its own content.
type frame struct {
	ui *UI
	// Section is the entry of the menu that is marked.
	Section  string
	Operator Operator
	Now      time.Time
	// Done is what was just done, said once at the top; often empty.
	Done string
}

func (u *UI) frame(v *visit, section string) frame {
	return frame{u, section, v.op, u.issuer.Now(), done[v.URL.Query().Get("done")]}
}

// done are the sentences a redirect may ask for.
var done = map[string]string{
	"revoked":  "The pass was taken back. It is refused from now on, and what it did before stays as it is.",
	"ended":    "The session was ended. Its browser must sign in again.",
	"lifted":   "The block was lifted.",
	"rotated":  "A new key signs from now on. Everything that the former key signed stays valid.",
	"retired":  "The key was retired. What it signed is refused from now on.",
	"picked":   "They were taken back. They are refused from now on, and what they did before stays as it is.",
	"group":    "Taken back. Every such pass is refused from now on, within a second on other machines.",
	"signedin": "You are signed in.",
}

// To is an address in the admin.
func (f frame) To(path string) string { return f.ui.to(path) }

// Asset is the address of a file.
func (f frame) Asset(name string) string { return f.ui.to("/assets/" + f.ui.assets.names[name]) }

// Can reports whether the operator has at least this role.
func (f frame) Can(role Role) bool { return f.Operator.Role.includes(role) }

// Permits says in words what a pass permits.
func (f frame) Permits(p hallpass.Pass) template.HTML { return permitsHTML(p, f.Now) }

func (u *UI) to(path string) string { return u.cfg.Prefix + path }

// policy lets the admin's own files in beside the inlined stylesheet, and nothing
// from elsewhere.
func policy() string {
	return "default-src 'none'; script-src 'self'; style-src 'self' '" + look.CSSHash() + "'; img-src 'self' data:; connect-src 'self'; " +
		"base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
}

func (u *UI) show(v *visit, status int, page string, view any) error {
	err := look.ServeUnder(v.w, v.Request, status, u.pages[page], view, policy())
	if err != nil {
		u.cfg.Logger.ErrorContext(v.Context(), "a page could not be shown", "page", page, "error", err)
	}
	return nil
}

// part writes one block of a page, for a script that puts it in place.
func (u *UI) part(v *visit, page, block string, view any) error {
	var body bytes.Buffer
	if err := u.pages[page].ExecuteTemplate(&body, block, view); err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", policy())
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(body.Len()))
	_, _ = v.w.Write(body.Bytes())
	return nil
}

func (u *UI) redirect(v *visit, path string) error {
	v.w.Header().Set("Cache-Control", "no-store")
	http.Redirect(v.w, v.Request, u.to(path), http.StatusSeeOther)
	return nil
}

// message is a page that says one thing.
type message struct {
	frame
	Title, Text, Next string
	State             string
	Link, LinkLabel   string
}

// signInPage is for whoever has no session. It is the same whatever was asked for.
func (u *UI) signInPage(v *visit) {
	_ = u.show(v, http.StatusUnauthorized, "signin", message{frame: frame{ui: u, Now: u.issuer.Now()}, Link: u.cfg.EmailPage})
}

var refusals = map[string]message{
	"crossSite": {Title: "This did not come from the admin", Text: "The request was sent by another site, or by a program that does not say where it comes from. Nothing was done.",
		Next: "If it was you, go back to the admin and press the button there."},
	"role": {Title: "Your role does not reach this far", Text: "You are signed in, but what you asked for takes another role. Nothing was done.",
		Next: "An admin can send you a link with another role: hallpass admin-link --role issuer."},
	"grants": {Title: "Your pass does not reach this page", Text: "The pass you signed in with names the pages it opens, and this is none of them. Nothing was done.",
		Next: "Ask whoever sent you the link for one that reaches further."},
}

func (u *UI) refuse(v *visit, why string) {
	m := refusals[why]
	m.frame, m.State = u.frame(v, ""), "refused"
	_ = u.show(v, http.StatusForbidden, "message", m)
}

// fail shows why a page or an action was not had. What is nobody's but ours is
// logged and not shown.
func (u *UI) fail(v *visit, err error) {
	if errors.Is(err, context.Canceled) && v.Context().Err() != nil {
		return // nobody listens
	}
	m := message{frame: u.frame(v, ""), State: "refused"}
	p := wire.ProblemOf(err).Public()
	switch p.Status {
	case http.StatusNotFound:
		m.Title, m.Text, m.Next = "There is no such thing", "Nothing of that name is here. It may have been pruned, or it never was.", "Search for it by its id, its link or its subject."
	case http.StatusBadRequest:
		m.Title, m.Text = "That could not be read", "Nothing was done: "+look.Visible(sentence(err))+"."
	case http.StatusConflict:
		m.Title, m.Text, m.Next = "Somebody else was first", "Things changed while you looked. Nothing was done.", "Look again, and decide anew."
	case http.StatusServiceUnavailable:
		m.Title, m.Text, m.Next = "The store does not answer", "Nothing could be read or decided, and nothing was done.", "Wait a moment and load the page again."
		u.cfg.Logger.ErrorContext(v.Context(), "an admin page could not be served", "error", err)
	default:
		p.Status = http.StatusInternalServerError
		m.Title, m.Text, m.Next = "Something went wrong here", "It was written to the log. Nothing may have been done.", "Look at the log, and load the page again."
		u.cfg.Logger.ErrorContext(v.Context(), "an admin page failed", "error", err)
	}
	_ = u.show(v, p.Status, "message", m)
}

// navEntry is one entry of the menu.
type navEntry struct {
	URL, Label string
	Here       bool
}

// Nav is an entry of the menu.
func (f frame) Nav(section, path, label string) navEntry {
	return navEntry{f.To(path), label, f.Section == section}
}

// CampaignURL is the page of a campaign.
func (f frame) CampaignURL(batch string) string {
	return f.ui.to("/campaign?batch=" + url.QueryEscape(batch))
}

// ShortID is enough of an id to tell rows apart.
func (f frame) ShortID(id string) string {
	id = look.Visible(id)
	if len(id) <= 13 || strings.ContainsFunc(id, func(r rune) bool { return r > 0x7e }) {
		return id
	}
	return id[:8] + "…" + id[len(id)-4:]
}

// Exact is a time as a form gives it back.
func (f frame) Exact(at time.Time) string { return wire.Time(at) }
