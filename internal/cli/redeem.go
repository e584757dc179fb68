package cli

import (
	"context"
	"slices"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/wire"
)

type redeemCmd struct {
	Token  string `arg:"" help:"A token or link; - reads it from standard input."`
	Scope  string `placeholder:"NAME" help:"What is honoured here; needed."`
	Method string `placeholder:"M" help:"The method of the request."`
	Path   string `placeholder:"P" help:"The path of the request, as sent."`
}

func (c *redeemCmd) Run(ctx context.Context, a *app) error {
	if c.Scope == "" {
		return fieldError("scope", "is required: the name of what is honoured here")
	}
	asked := hallpass.Presentation{Scope: hallpass.Scope(c.Scope), Method: c.Method, Path: c.Path}
	var err error
	if asked.Token, asked.Target, err = a.readToken(c.Token); err != nil {
		return err
	}
	s, err := a.service(ctx, nil)
	if err != nil {
		return err
	}
	defer s.Close()
	// The claims are for the answer; what they are worth, RedeemOnce decides.
	v, _ := s.Verify(hallpass.Presentation{Token: asked.Token})
	done, err := s.RedeemOnce(ctx, asked, 0)
	reason, refused := hallpass.RefusalOf(err)
	switch {
	case refused && a.grammar.JSON:
		err = a.print(wire.Refused(reason, v.Claims))
	case refused:
		var entry hallpass.Entry
		read := slices.Contains(afterRow, reason)
		if done != nil {
			entry = done.Entry // what the token says; the row, where there is one, knows more
			if row, err := s.Entry(ctx, entry.ID); err == nil && entry.RevokedAt.IsZero() {
				entry, read = row, true
			}
		}
		err = a.refused(reason, entry, s.Now(), read)
	case err != nil:
		return err
	case a.grammar.JSON:
		return a.print(wire.RedeemedOf(done, v.Claims, s.Now()))
	default:
		if err := a.line("%s, use %s", a.paint(green, "honoured"), done.Use.ID); err != nil {
			return err
		}
		return a.card(done.Entry, s.Now())
	}
	if err != nil {
		return err
	}
	return exitStatus(wire.ExitRefused)
}
