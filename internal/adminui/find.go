package adminui

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/find"
	"github.com/hallpass-go/hallpass/internal/look"
)

type findView struct {
	frame
	Title, Text, Next string
	Reason            hallpass.Refusal
	// ID is a pass of which the store has nothing.
	ID string
}

// find answers the search field. It is a post, because what is pasted may be a
// whole link, and a token must not stand in an address. For the same reason the
// answer to a token is the page itself and no redirect.
func (u *UI) find(v *visit) error {
	text := strings.TrimSpace(v.PostFormValue("q"))
	pasted := text
	if text == "" {
		return u.redirect(v, "/passes")
	}
	if !find.HasToken(text) {
		if token, within := find.Within(text); within {
			text = token
		}
	}
	if !find.HasToken(text) {
		if id := strings.ToLower(text); find.IsID(id) {
			return u.redirect(v, "/pass?id="+url.QueryEscape(id))
		}
		// A piece of a token must not stand in an address either.
		if len(text) > 512 || len(text) >= shortest && find.DamageOf(text) == find.Cut {
			return u.notFound(v, hallpass.RefusalMalformed, "", find.DamageOf(text))
		}
		return u.redirect(v, "/passes?q="+url.QueryEscape(text))
	}
	found, err := find.Pass(v.Context(), u.issuer, text)
	if token, within := find.Within(text); within && token != text && errors.Is(err, hallpass.RefusalMalformed) {
		text = token // what is around it made a token of another form of the whole
		found, err = find.Pass(v.Context(), u.issuer, text)
	}
	if reason, refused := hallpass.RefusalOf(err); refused {
		// What has the form of a short token and is none of ours may be a subject.
		if len(text) < shortest {
			page, err := u.issuer.Entries(v.Context(), hallpass.EntryFilter{Query: text, Limit: 1})
			if err != nil {
				return err
			}
			if len(page.Entries) > 0 {
				return u.redirect(v, "/passes?q="+url.QueryEscape(text))
			}
		}
		return u.notFound(v, reason, found.ID, find.DamageOf(pasted))
	}
	if err != nil {
		return err
	}
	view, err := u.passView(v, found.Entry)
	if err != nil {
		return err
	}
	view.Pasted, view.Unused = true, !found.Row
	view.Claims = pretty(found.Claims)
	token, _ := hallpass.FindToken(text, "")
	view.Header = partOf(token, 0)
	if view.Unused && u.mayRevoke(v.op, found.Pass) {
		view.Token = token.Reveal()
	}
	return u.show(v, http.StatusOK, "pass", view)
}

// notFound tells apart what is none of ours, what was changed on its way, and what
// was ours once.
func (u *UI) notFound(v *visit, reason hallpass.Refusal, id string, damage find.Damage) error {
	view := findView{frame: u.frame(v, "passes"), Reason: reason, ID: id}
	broken := reason == hallpass.RefusalBadSignature || reason == hallpass.RefusalMalformed
	switch {
	case broken && damage == find.Cut:
		view.Title = "This link is cut off"
		view.Text = "It ends too early: the end of its token is missing. That happens where a mail program breaks long lines, or where not all of it was marked."
		view.Next = "Copy the link from the mail again, up to its last character."
		return u.show(v, http.StatusNotFound, "notfound", view)
	case broken && damage == find.Long:
		view.Title = "This link goes on behind its end"
		view.Text = "It is longer than its token can be: something that stood behind it was copied along, or it was pasted twice."
		view.Next = "Copy the link from the mail again, and nothing behind it."
		return u.show(v, http.StatusNotFound, "notfound", view)
	}
	switch reason {
	case hallpass.RefusalBadSignature:
		view.Title = "This is badly signed"
		view.Text = "It names a key of ours, but its signature is wrong: it was changed, cut short, or somebody tried to make it up."
		if damage == find.Changed {
			view.Text = "It names a key of ours and is as long as it must be, but its signature is wrong: a character was changed on its way, or somebody tried to make it up."
		}
		view.Next = "Copy the whole link from the mail again. If it stays wrong, it was tampered with."
	case hallpass.RefusalUnknownKey:
		view.Title = "This is not one of ours"
		view.Text = "It is a token, but it names no key that is honoured here. It was made by another deployment, its key was retired or removed, or it was changed at its beginning."
		view.Next = "Look at the keys, and at which site the link leads to."
	case hallpass.RefusalWrongAudience:
		view.Title = "This is not one of ours"
		view.Text = "It is properly signed, but was made for another deployment."
		view.Next = "Search for it there."
	case hallpass.RefusalUnknownPass:
		view.Title = "This pass is not in the store"
		view.Text = "It may have ended long ago and been removed, or it belongs to another store."
		if id != "" && !find.IsID(id) {
			id = ""
		}
		view.Next = "An unrecorded pass that nobody used is not in the store either: paste its whole link to see it."
	case hallpass.RefusalWrongType, hallpass.RefusalMissingClaim:
		view.Title = "This is no pass"
		view.Text = "It is properly signed, but it is another kind of token, or lacks what every pass states."
	default:
		view.Title = "This is not one of ours"
		view.Text = "It is neither a token nor a link with one, nor a pass's id, or it was not copied whole."
		view.Next = "Paste the whole link as it stands in the mail."
	}
	return u.show(v, http.StatusNotFound, "notfound", view)
}

// partOf decodes the header (0) or the claims (1) of a signed token; empty for any
// other.
func partOf(t hallpass.Token, n int) string {
	parts := strings.Split(t.Reveal(), ".")
	if len(parts) != 3 {
		return ""
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[n])
	if err != nil {
		return ""
	}
	return pretty(text)
}

func pretty(raw json.RawMessage) string {
	var b bytes.Buffer
	if len(raw) == 0 || json.Indent(&b, raw, "", "  ") != nil {
		return visibleLines(string(raw))
	}
	return visibleLines(b.String())
}

// visibleLines keeps the breaks of lines; the escapes are those of JSON.
func visibleLines(text string) string {
	lines := strings.Split(text, "\n")
	for n, line := range lines {
		lines[n] = look.Visible(line)
	}
	return strings.Join(lines, "\n")
}

func isNotFound(err error) bool { return errors.Is(err, hallpass.ErrNotFound) }
