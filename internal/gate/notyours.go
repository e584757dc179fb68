package gate

import (
	_ "embed"
	"net/http"
	"net/url"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/look"
	"github.com/hallpass-go/hallpass/internal/sessions"
	"github.com/hallpass-go/hallpass/internal/wire"
)

//go:embed not_yours.html
var notYoursPage string

// showNotYours tells somebody who is logged in that this page is for others, with a
// page or, to a program, with a problem document. Neither says who the others are.
func (g *Gate) showNotYours(w http.ResponseWriter, r *http.Request, s *sessions.Session) {
	account := look.Mask(string(s.Address))
	g.cfg.Logger.DebugContext(r.Context(), "a login is not among those that a rule lets in", "account", account, "host", r.Host, "path", r.URL.Path)
	if !look.WantsPage(r) {
		tellNotYours(w, r, account)
		return
	}
	again := g.loginURL(r.URL.RequestURI())
	if err := look.Serve(w, r, http.StatusForbidden, g.notYours, map[string]any{
		"Site": g.cfg.Site, "Account": account, "Action": g.cfg.Prefix + "/logout?next=" + url.QueryEscape(again),
	}); err != nil {
		g.cfg.Logger.Error("a page could not be shown", "page", "not_yours", "error", err)
	}
}

// tellNotYours is showNotYours for programs. The guard's words for wrong_subject are
// about a link that somebody else opened.
func tellNotYours(w http.ResponseWriter, r *http.Request, account string) {
	const code = string(hallpass.RefusalWrongSubject)
	wire.Problem{
		Type: "urn:hallpass:problem:" + code, Title: "This path is for others", Status: http.StatusForbidden, Code: code,
		Detail: "you are logged in as " + account + ", and this path is open to other addresses only; nothing was done. " +
			"Log in with one of those, or ask who runs this site",
	}.Answer(w, r)
}
