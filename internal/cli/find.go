package cli

import (
	"context"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/find"
	"github.com/hallpass-go/hallpass/internal/wire"
)

// anyTime, as a leeway, lets an issuer look at passes whose time has passed or
// not come: a search finds them too.
const anyTime = 200 * 365 * 24 * time.Hour

// find returns the pass that an id, a token or a link means. What is not ours is
// a Refusal: malformed, bad_signature or unknown_pass, the last with the id where
// an id was given.
func (a *app) find(ctx context.Context, s *service, what string) (hallpass.Entry, error) {
	token, _, err := a.readToken(what)
	if err != nil {
		return hallpass.Entry{}, err
	}
	found, err := find.Pass(ctx, s.Issuer, token.Reveal())
	reason, refused := hallpass.RefusalOf(err)
	switch {
	case !refused:
		return found.Entry, err
	case find.HasToken(token.Reveal()): // revoking by an unknown token is not by its id
		return hallpass.Entry{}, wire.NotFoundOf(reason).Reason
	}
	return found.Entry, wire.NotFoundOf(reason).Reason
}

// notFound prints that a search found nothing of ours.
func (a *app) notFound(reason hallpass.Refusal) error {
	answer := wire.NotFoundOf(reason)
	var err error
	if a.grammar.JSON {
		err = a.print(answer)
	} else {
		err = a.line("%s\n%s", a.paint(red, "not found: "+string(answer.Reason)), reasons[answer.Reason])
	}
	if err != nil {
		return err
	}
	return exitStatus(wire.ExitRefused)
}
