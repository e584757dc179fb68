package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/api"
	"github.com/hallpass-go/hallpass/internal/gate"
	"github.com/hallpass-go/hallpass/internal/openstore"
	"github.com/hallpass-go/hallpass/internal/server"
	"github.com/hallpass-go/hallpass/login"
	"github.com/hallpass-go/hallpass/mail"
)

type sessionsCmd struct {
	List sessionsListCmd `cmd:"" help:"List who is logged in."`
	End  sessionsEndCmd  `cmd:"" help:"End a session, or all of a user's."`
}

// sessionStore is where logins are, and with them the sessions of programs, by the setting of serve.
type sessionStore struct {
	LoginStore string `setting:"login.store" placeholder:"DSN" help:"Where logins are kept, if elsewhere than passes."`
}

type sessionsListCmd struct {
	sessionStore
	Subject *string `placeholder:"USER" help:"Sessions of this user."`
	Limit   string  `placeholder:"N" help:"How many at most, up to 1000; 50 unless given."`
	After   string  `placeholder:"CURSOR" help:"Go on behind this page's end."`
}

type sessionsEndCmd struct {
	sessionStore
	ID      *string `arg:"" optional:"" help:"The session's id."`
	Subject *string `placeholder:"USER" help:"All sessions of this user."`
}

// sessionPage is the answer of sessions list, as the API gives it.
type sessionPage struct {
	Sessions []api.Session `json:"sessions"`
	Next     *string       `json:"next"`
}

// sessionsEnded is the answer of sessions end.
type sessionsEnded struct {
	Ended int `json:"ended"`
}

func (c *sessionsListCmd) Run(ctx context.Context, a *app) error {
	subject, err := givenText("subject", c.Subject)
	if err != nil {
		return err
	}
	limit, err := pageLimit(c.Limit)
	if err != nil {
		return err
	}
	if limit == 0 {
		limit = 50
	}
	return c.open(ctx, a, func(all server.Sessions) error {
		found, next, err := all.List(ctx, subject, c.After, limit)
		if err != nil {
			return err
		}
		if a.grammar.JSON {
			page := sessionPage{Sessions: found}
			if next != "" {
				page.Next = &next
			}
			return a.print(page)
		}
		if len(found) == 0 && next == "" {
			return a.line("Nobody is logged in.")
		}
		var rows [][]string
		for _, s := range found {
			rows = append(rows, []string{s.ID, s.Kind, orDash(s.Subject), orDash(s.Scope), orDash(s.Host), told(s.StartedAt), told(s.ExpiresAt)})
		}
		if err := a.table(a.stdout, -1, []string{"SESSION", "KIND", "SUBJECT", "SCOPE", "HOST", "BEGAN (UTC)", "UNTIL (UTC)"}, rows); err != nil {
			return err
		}
		return a.more(next)
	})
}

func (c *sessionsEndCmd) Run(ctx context.Context, a *app) error {
	id, err := givenText("id", c.ID)
	if err != nil {
		return err
	}
	subject, err := givenText("subject", c.Subject)
	switch {
	case err != nil:
		return err
	case id == "" && subject == "":
		return fieldError("id", "name a session by its id, or use --subject")
	case id != "" && subject != "":
		return fieldError("id", "name one session, or a subject, not both")
	}
	return c.open(ctx, a, func(all server.Sessions) error {
		ended, err := 1, error(nil)
		if id != "" {
			err = all.End(ctx, id)
		} else {
			ended, err = all.EndAll(ctx, subject)
		}
		switch {
		case errors.Is(err, hallpass.ErrNotFound):
			return fmt.Errorf("%w: there is no such session, or it is over", err)
		case err != nil:
			return err
		case a.grammar.JSON:
			return a.print(sessionsEnded{ended})
		case ended == 1:
			return a.line("Ended 1 session.")
		}
		return a.line("Ended %d sessions.", ended)
	})
}

// open opens the sessions of the stores. Nothing of what they are made with is
// used: no mail is sent and no token signed.
func (c *sessionStore) open(ctx context.Context, a *app, do func(server.Sessions) error) error {
	s, err := a.reader(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	var cells hallpass.CellStore = s.store
	if c.LoginStore != "" {
		elsewhere, err := openstore.Open(ctx, c.LoginStore, nil)
		if err != nil {
			return renamed(err, "store", "login.store")
		}
		defer elsewhere.Close()
		cells = elsewhere
	}
	access, err := hallpass.NewKeyringFor(hallpass.PurposeAccess)
	if err != nil {
		return err
	}
	logins, err := login.New(login.Config{
		Issuer: s.Issuer, AccessKeys: access, Cells: cells, Sender: mail.NewLog(io.Discard), Allow: nobodyMay,
		BaseURL: "http://" + defaultAddr, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	return do(server.Sessions{Gate: gate.SessionsIn(s.store, s.Now), Login: logins})
}

// told is a time of the API as tables have it.
func told(text string) string {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return orDash(text)
	}
	return moment(at)
}
