package api

import (
	"context"

	"github.com/hallpass-go/hallpass"
)

// Sessions are what session passes and logins began. List returns them, of one
// subject or of all, strictly after a cursor; next is empty when there is no more.
// End ends one at once; hallpass.ErrNotFound when there is no such session.
type Sessions interface {
	List(ctx context.Context, subject, after string, limit int) (sessions []Session, next string, err error)
	End(ctx context.Context, id string) error
}

// Session is a session as the API shows it. Times are RFC 3339.
type Session struct {
	ID        string   `json:"id"`
	Kind      string   `json:"kind" doc:"What it is: pass or login, on a protected host, or tokens, of a program that logged in."`
	Subject   string   `json:"subject"`
	Email     string   `json:"email,omitempty" doc:"The address that was proven, unless a pass began it."`
	Scope     string   `json:"scope,omitempty"`
	Grants    []string `json:"grants,omitempty"`
	Pass      string   `json:"pass,omitempty" doc:"The id of the pass that began it."`
	Host      string   `json:"host,omitempty"`
	ClientIP  string   `json:"client_ip,omitempty" doc:"Where a program logged in from."`
	UserAgent string   `json:"user_agent,omitempty"`
	StartedAt string   `json:"started_at"`
	SeenAt    string   `json:"seen_at,omitempty"`
	ExpiresAt string   `json:"expires_at"`
}

type sessionsIn struct {
	Subject string `query:"subject" doc:"Sessions of this user."`
	After   string `query:"after" doc:"The next of the page before."`
	Limit   int    `query:"limit" minimum:"1" maximum:"1000" doc:"How many at most; 50 unless given."`
}

type sessionPage struct {
	Sessions []Session `json:"sessions" nullable:"false"`
	Next     *string   `json:"next"`
}

func (a *API) sessions(ctx context.Context, in *sessionsIn) (sessionPage, error) {
	page := sessionPage{Sessions: []Session{}}
	switch {
	case in.Limit > hallpass.MaxPage:
		return page, invalid("limit", "must be 1 to 1000")
	case in.Limit == 0:
		in.Limit = 50
	}
	if a.cfg.Sessions == nil {
		return page, nil
	}
	found, next, err := a.cfg.Sessions.List(ctx, in.Subject, in.After, in.Limit)
	if next != "" {
		page.Next = &next
	}
	page.Sessions = append(page.Sessions, found...)
	return page, err
}

type sessionIn struct {
	ID string `path:"id" doc:"The session's id."`
}

type nothing struct{}

func (a *API) endSession(ctx context.Context, in *sessionIn) (nothing, error) {
	if a.cfg.Sessions == nil {
		return nothing{}, hallpass.ErrNotFound
	}
	return nothing{}, a.cfg.Sessions.End(ctx, in.ID)
}
