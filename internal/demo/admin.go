package demo

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/adminui"
)

// AdminLink makes a link that signs the demo's operator in to the admin, once.
func (s *Site) AdminLink(ctx context.Context) (string, error) {
	issued, err := s.issuer.Issue(ctx, hallpass.Spec{
		Scope: adminui.Scope, Mode: hallpass.ModeSession, Subject: "operator@corridor.example", Format: hallpass.FormatShort,
		Data: json.RawMessage(`{"role":"admin"}`), MaxUses: 1, TTL: 24 * time.Hour,
	})
	if err != nil {
		return "", err
	}
	return hallpass.Link(s.admin.URL(), issued.Token, "")
}

// openAdmin leads whoever sits at this machine into the admin. The name by which he
// came is looked at, so that a site whose name is turned to this machine gets
// nothing; and a demo that others reach offers no such button.
func (s *Site) openAdmin(w http.ResponseWriter, r *http.Request) {
	base, err := url.Parse(s.cfg.BaseURL)
	if err != nil || !s.cfg.Local || r.Host != base.Host {
		http.Error(w, "The admin is opened by the link that the demo printed when it started.", http.StatusForbidden)
		return
	}
	link, err := s.AdminLink(r.Context())
	if err != nil {
		s.problem(w, err)
		return
	}
	http.Redirect(w, r, link, http.StatusSeeOther)
}
