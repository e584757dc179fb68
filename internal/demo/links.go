package demo

import (
	"context"
	"encoding/json"
	"net/http"
)

// Links makes a fresh link, or token, for each job, by name.
func (s *Site) Links(ctx context.Context) (map[string]string, error) {
	links := map[string]string{}
	var err error
	if links["unsubscribe"], err = s.issueLink(ctx, "/newsletter/unsubscribe", s.unsubscribeSpec(people[0])); err != nil {
		return nil, err
	}
	if links["invitation"], err = s.issueLink(ctx, "/invite", s.invitationSpec()); err != nil {
		return nil, err
	}
	if links["login"], err = s.issueLink(ctx, "/account", s.loginSpec(people[0], "")); err != nil {
		return nil, err
	}
	links["email_login"] = s.cfg.BaseURL + emailLogin
	issued, err := s.issuer.Issue(ctx, tokenSpec(people[1]))
	if err != nil {
		return nil, err
	}
	links["api"] = issued.Token.Reveal()
	return links, nil
}

// links answers with fresh ones each time, for scripts that try the site.
func (s *Site) links(w http.ResponseWriter, r *http.Request) {
	links, err := s.Links(r.Context())
	if err != nil {
		s.problem(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(links)
}
