package server

import (
	"context"

	"github.com/hallpass-go/hallpass/internal/api"
	"github.com/hallpass-go/hallpass/internal/sessions"
	"github.com/hallpass-go/hallpass/internal/wire"
)

// apiSessions shows the gate's sessions as the API wants them.
type apiSessions struct{ gate *sessions.Keeper }

var _ api.Sessions = apiSessions{}

func (s apiSessions) List(ctx context.Context, subject, after string, limit int) ([]api.Session, string, error) {
	found, next, err := s.gate.List(ctx, subject, after, limit)
	page := make([]api.Session, 0, len(found))
	for _, session := range found {
		page = append(page, sessionOf(session))
	}
	return page, next, err
}

func (s apiSessions) End(ctx context.Context, id string) error { return s.gate.End(ctx, id) }

func sessionOf(s sessions.Session) api.Session {
	out := api.Session{
		ID: s.ID, Subject: s.Pass.Subject, Scope: string(s.Pass.Scope), Pass: s.Pass.ID, Host: s.Host,
		StartedAt: wire.Time(s.Began), ExpiresAt: wire.Time(s.IdleEnds),
	}
	if s.IdleEnds.IsZero() || s.Ends.Before(s.IdleEnds) {
		out.ExpiresAt = wire.Time(s.Ends)
	}
	for _, g := range s.Pass.Grants {
		out.Grants = append(out.Grants, g.String())
	}
	return out
}
