package adminui

import (
	"context"
	"net/http"
	"slices"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/sessions"
)

type sessionsView struct {
	frame
	Subject string
	People  []Session
	Next    string
	// Known says that the application's sessions are kept here.
	Known bool
	// Mine is the session that looks.
	Mine      string
	Operators []sessions.Session
	// Earlier continues the operators.
	Earlier  string
	Blocked  []Block
	HasLogin bool
	Logins   []hallpass.Event
}

// Role is that of an operator's session.
func (sessionsView) Role(s sessions.Session) Role {
	op, _ := operatorOf(s.Pass)
	return op.Role
}

func (u *UI) sessions(v *visit) error {
	query := v.URL.Query()
	view := sessionsView{frame: u.frame(v, "sessions"), Subject: query.Get("subject"), Known: u.cfg.Sessions != nil, HasLogin: u.cfg.Blocked != nil, Mine: v.session}
	ctx := v.Context()
	var err error
	if view.Known {
		if view.People, view.Next, err = u.cfg.Sessions.List(ctx, view.Subject, query.Get("after"), listed); err != nil {
			return err
		}
	}
	if view.Operators, view.Earlier, err = u.own.List(ctx, "", query.Get("operators_after"), listed); err != nil {
		return err
	}
	if view.HasLogin {
		if view.Blocked, err = u.cfg.Blocked.List(ctx); err != nil {
			return err
		}
	}
	logins, err := u.issuer.Events(ctx, hallpass.EventFilter{Kind: hallpass.EventLogin, Limit: 10})
	if err != nil {
		return err
	}
	view.Logins = logins.Events
	return u.show(v, http.StatusOK, "sessions", view)
}

func (u *UI) endSession(v *visit) error {
	id, kind, subject := v.PostFormValue("id"), v.PostFormValue("kind"), v.PostFormValue("subject")
	var end func(context.Context, string) error
	// is reports whether one of a page of the subject's sessions has the id.
	var is func(after string) (found bool, next string, err error)
	switch {
	case kind == "operator":
		end, is = u.own.End, func(after string) (bool, string, error) {
			page, next, err := u.own.List(v.Context(), subject, after, listed)
			return slices.ContainsFunc(page, func(s sessions.Session) bool { return s.ID == id }), next, err
		}
	case kind == "person" && u.cfg.Sessions != nil:
		end, is = u.cfg.Sessions.End, func(after string) (bool, string, error) {
			page, next, err := u.cfg.Sessions.List(v.Context(), subject, after, listed)
			return slices.ContainsFunc(page, func(s Session) bool { return s.ID == id }), next, err
		}
	default:
		return hallpass.ErrNotFound
	}
	// Whose it is goes into the log, and the form's word is not enough for that.
	for found, after := false, ""; !found; {
		var err error
		if found, after, err = is(after); err != nil {
			return err
		}
		if !found && after == "" {
			return hallpass.ErrNotFound
		}
	}
	err := u.act(v, hallpass.Event{Action: "session.end", Subject: subject, Detail: kind + " " + id})
	if err != nil {
		return err
	}
	if err := end(v.Context(), id); err != nil {
		return err
	}
	return u.redirect(v, "/sessions?done=ended")
}

func (u *UI) unblock(v *visit) error {
	if u.cfg.Blocked == nil {
		return hallpass.ErrNotFound
	}
	kind, name := v.PostFormValue("kind"), v.PostFormValue("name")
	if err := u.act(v, hallpass.Event{Action: "block.lift", Detail: kind + " " + name}); err != nil {
		return err
	}
	if err := u.cfg.Blocked.Unblock(v.Context(), kind, name); err != nil {
		return err
	}
	return u.redirect(v, "/sessions?done=lifted")
}
