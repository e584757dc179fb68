package guard

import (
	"context"
	"html/template"
	"net/url"

	"github.com/hallpass-go/hallpass"
)

// Honoured is the pass a handler runs under.
type Honoured struct {
	// Pass is what was permitted, with the data of its row.
	Pass hallpass.Pass
	// UsesLeft is how often it can still be used; meaningless unless Limited.
	UsesLeft int64
	// Limited says whether there is a limit.
	Limited bool
	// Use is the id of the audit row.
	Use string
	// Confirmed says that a person pressed the button, or that the browser that
	// asked for the link opened it.
	Confirmed bool
	// Transport is where the token stood.
	Transport Transport

	token     hallpass.Token
	param     string
	forwarded bool
}

// Forward says that the handler only lets the request through to somebody else,
// whose answer it never sees: the use is settled as forwarded, without a status.
func (h *Honoured) Forward() { h.forwarded = true }

type honouredKey struct{}

// FromContext returns the pass a handler runs under; nil when there is none.
func FromContext(ctx context.Context) *Honoured {
	h, _ := ctx.Value(honouredKey{}).(*Honoured)
	return h
}

// Subject returns the user a request is made for by a request pass, and nothing
// in any other mode.
func Subject(ctx context.Context) (string, bool) {
	h := FromContext(ctx)
	if h == nil || h.Pass.Mode != hallpass.ModeRequest {
		return "", false
	}
	return h.Pass.Subject, true
}

// HiddenField is the token as a hidden form field, for forms on a page that a
// pass let in: {{.Honoured.HiddenField}}. It is empty without a pass.
func (h *Honoured) HiddenField() template.HTML {
	if h == nil {
		return ""
	}
	return template.HTML(`<input type="hidden" name="` + template.HTMLEscapeString(h.param) +
		`" value="` + template.HTMLEscapeString(h.token.Reveal()) + `">`)
}

// QueryString is the token as "name=value", for links on such a page:
// <a href="/next?{{.Honoured.QueryString}}">. It is empty without a pass.
func (h *Honoured) QueryString() template.URL {
	if h == nil {
		return ""
	}
	return template.URL(url.QueryEscape(h.param) + "=" + url.QueryEscape(h.token.Reveal()))
}
