package demo

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/hallpass-go/hallpass"
)

// trailRow is one use, with the pass it belongs to.
type trailRow struct {
	hallpass.Use
	Scope hallpass.Scope
	// Agent is the first product a client names, which is what people look for.
	Agent string
}

// passRow is one pass as the operator sees it.
type passRow struct {
	hallpass.Entry
	State hallpass.State
	Left  int64
}

type auditView struct {
	frame
	Trail  []trailRow
	Passes []passRow
	Store  string
}

// audit shows who used what, and lets the operator take a pass back.
func (s *Site) audit(w http.ResponseWriter, r *http.Request) {
	trail, err := s.trail(r.Context(), 50)
	if err != nil {
		s.problem(w, err)
		return
	}
	page, err := s.issuer.Entries(r.Context(), hallpass.EntryFilter{Limit: 50})
	if err != nil {
		s.problem(w, err)
		return
	}
	view := auditView{frame: s.frame(r), Trail: trail, Store: s.cfg.StoreName}
	for _, e := range page.Entries {
		left, _ := e.UsesLeft()
		view.Passes = append(view.Passes, passRow{e, e.State(view.Now), left})
	}
	s.show(w, r, http.StatusOK, "audit", view)
}

func (s *Site) trail(ctx context.Context, limit int) ([]trailRow, error) {
	page, err := s.issuer.Uses(ctx, hallpass.UseQuery{Limit: limit})
	if err != nil {
		return nil, err
	}
	scopes := map[string]hallpass.Scope{}
	var rows []trailRow
	for _, u := range page.Uses {
		scope, known := scopes[u.Pass]
		if !known {
			e, err := s.issuer.Entry(ctx, u.Pass)
			if err != nil && !errors.Is(err, hallpass.ErrNotFound) {
				return nil, err
			}
			scope = e.Scope
			scopes[u.Pass] = scope
		}
		agent, _, _ := strings.Cut(u.UserAgent, " ")
		rows = append(rows, trailRow{u, scope, agent})
	}
	return rows, nil
}

func (s *Site) revoke(w http.ResponseWriter, r *http.Request) {
	_, _, err := s.issuer.RevokeID(r.Context(), r.FormValue("pass"))
	if err != nil && !errors.Is(err, hallpass.ErrNotFound) {
		s.problem(w, err)
		return
	}
	http.Redirect(w, r, "/audit", http.StatusSeeOther)
}

func (s *Site) home(w http.ResponseWriter, r *http.Request) {
	trail, err := s.trail(r.Context(), 5)
	if err != nil {
		s.problem(w, err)
		return
	}
	s.show(w, r, http.StatusOK, "home", struct {
		frame
		Trail []trailRow
	}{s.frame(r), trail})
}
