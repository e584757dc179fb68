package server

import (
	"context"
	"errors"
	"strings"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/api"
	"github.com/hallpass-go/hallpass/internal/sessions"
	"github.com/hallpass-go/hallpass/internal/wire"
	"github.com/hallpass-go/hallpass/login"
	"github.com/hallpass-go/hallpass/mail"
)

// The kinds of sessions.
const (
	kindPass   = "pass"
	kindLogin  = "login"
	kindTokens = "tokens"
)

// Sessions are all sessions there are: those on protected hosts, that passes and
// logins began, and those of programs, which are families of refresh tokens.
type Sessions struct {
	Gate *sessions.Register
	// Login knows the families. Nil: there are none.
	Login *login.Login
}

var _ api.Sessions = Sessions{}

func (s *Server) sessions() Sessions {
	all := Sessions{Gate: s.gate.Sessions()}
	if s.login != nil {
		all.Login = s.login.api
	}
	return all
}

// A cursor says in which of the two lists it stands, and where.
const (
	inGate  = "h:"
	inLogin = "t:"
)

// List returns those on protected hosts first, newest first, then those of
// programs, newest first where they are one subject's.
func (s Sessions) List(ctx context.Context, subject, after string, limit int) (page []api.Session, next string, err error) {
	page = []api.Session{}
	from, rest := after, ""
	switch {
	case after == "" || strings.HasPrefix(after, inGate):
		from = strings.TrimPrefix(after, inGate)
	case strings.HasPrefix(after, inLogin):
		rest = strings.TrimPrefix(after, inLogin)
	default:
		return nil, "", &hallpass.FieldError{Field: "after", Reason: "is no cursor; take the next of the page before"}
	}
	if !strings.HasPrefix(after, inLogin) {
		found, next, err := s.Gate.List(ctx, subject, from, limit)
		if err != nil {
			return nil, "", err
		}
		for _, session := range found {
			page = append(page, ofGate(session))
		}
		if next != "" {
			return page, inGate + next, nil
		}
	}
	if s.Login == nil {
		return page, "", nil
	}
	if len(page) == limit { // whether there are more is for the next page to see
		return page, inLogin, nil
	}
	found, next, err := s.families(ctx, subject, rest, limit-len(page))
	if err != nil {
		return nil, "", err
	}
	for _, session := range found {
		page = append(page, ofLogin(session))
	}
	if next != "" {
		next = inLogin + next
	}
	return page, next, nil
}

// End ends a session of either kind: their ids are never alike.
func (s Sessions) End(ctx context.Context, id string) error {
	err := s.Gate.End(ctx, id)
	if errors.Is(err, hallpass.ErrNotFound) && s.Login != nil {
		return s.Login.End(ctx, id)
	}
	return err
}

// EndAll ends a subject's sessions, who may be named by the address, and returns how many. The subject can log in
// again; a revocation by subject also ends codes and links that were mailed.
func (s Sessions) EndAll(ctx context.Context, subject string) (ended int, err error) {
	for {
		found, _, err := s.Gate.List(ctx, subject, "", hallpass.MaxPage)
		if err != nil {
			return ended, err
		}
		for _, session := range found {
			switch err := s.Gate.End(ctx, session.ID); {
			case err == nil:
				ended++
			case !errors.Is(err, hallpass.ErrNotFound):
				return ended, err
			}
		}
		if len(found) < hallpass.MaxPage {
			break
		}
	}
	if s.Login == nil {
		return ended, nil
	}
	n, err := s.Login.EndAll(ctx, subject)
	if ended += n; err != nil || !isAddress(subject) {
		return ended, err
	}
	for after := ""; ; {
		found, next, err := s.families(ctx, subject, after, hallpass.MaxPage)
		if err != nil {
			return ended, err
		}
		for _, session := range found {
			switch err := s.Login.End(ctx, session.ID); {
			case err == nil:
				ended++
			case !errors.Is(err, hallpass.ErrNotFound):
				return ended, err
			}
		}
		if after = next; after == "" {
			return ended, nil
		}
	}
}

// families are the sessions of programs, of a subject or, looked for among all, of
// those who logged in with an address.
func (s Sessions) families(ctx context.Context, subject, after string, limit int) (page []login.Session, next string, err error) {
	if !isAddress(subject) {
		return s.Login.Sessions(ctx, subject, after, limit)
	}
	for next = after; ; {
		found, following, err := s.Login.Sessions(ctx, "", next, limit-len(page))
		if err != nil {
			return nil, "", err
		}
		for _, session := range found {
			if session.Subject == subject || string(session.Address) == subject {
				page = append(page, session)
			}
		}
		if next = following; next == "" || len(page) == limit {
			return page, next, nil
		}
	}
}

// isAddress reports whether a subject may be the address of a login, whose subject
// may be another.
func isAddress(subject string) bool {
	a, err := mail.ParseAddress(subject)
	return err == nil && string(a) == subject
}

func ofGate(s sessions.Session) api.Session {
	out := api.Session{
		ID: s.ID, Kind: kindPass, Subject: s.Pass.Subject, Email: string(s.Address), Scope: string(s.Pass.Scope), Pass: s.Pass.ID, Host: s.Host,
		StartedAt: wire.Time(s.Began), ExpiresAt: wire.Time(s.IdleEnds),
	}
	if s.Kind == sessions.KindLogin {
		out.Kind, out.Pass = kindLogin, ""
	}
	if s.IdleEnds.IsZero() || s.Ends.Before(s.IdleEnds) {
		out.ExpiresAt = wire.Time(s.Ends)
	}
	for _, g := range s.Pass.Grants {
		out.Grants = append(out.Grants, g.String())
	}
	return out
}

func ofLogin(s login.Session) api.Session {
	return api.Session{
		ID: s.ID, Kind: kindTokens, Subject: s.Subject, Email: string(s.Address), ClientIP: s.ClientIP, UserAgent: s.UserAgent,
		StartedAt: wire.Time(s.Began), SeenAt: wire.Time(s.Refreshed), ExpiresAt: wire.Time(s.IdleEnds),
	}
}
