package cli

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/wire"
)

// anyTime, as a leeway, lets an issuer look at passes whose time has passed or
// not come: a search finds them too.
const anyTime = 200 * 365 * 24 * time.Hour

var uuidPattern = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// foreignIDPattern is that of passes of other systems: format, key and name there.
var foreignIDPattern = regexp.MustCompile(`^[a-z]{2,8}-[a-z0-9_]{1,32}-[a-z0-9._-]{1,128}$`)

// find returns the pass that an id, a token or a link means. What is not ours is
// a Refusal: malformed, bad_signature or unknown_pass, the last with the id where
// an id was given.
func (a *app) find(ctx context.Context, s *service, what string) (hallpass.Entry, error) {
	token, _, err := a.readToken(what)
	if err != nil {
		return hallpass.Entry{}, err
	}
	if _, isToken := hallpass.FindToken(token.Reveal(), ""); isToken {
		return s.findToken(ctx, token)
	}
	id := strings.ToLower(strings.TrimSpace(token.Reveal()))
	entry, err := s.Entry(ctx, id)
	switch {
	case !errors.Is(err, hallpass.ErrNotFound):
		return entry, err
	case uuidPattern.MatchString(id):
		return hallpass.Entry{Pass: hallpass.Pass{ID: id}}, hallpass.RefusalUnknownPass
	case foreignIDPattern.MatchString(id):
		// Nothing can be taken back that has no row: it is refused as it is.
		return hallpass.Entry{}, hallpass.RefusalUnknownPass
	}
	return hallpass.Entry{}, hallpass.RefusalMalformed
}

// findToken returns the pass of a token. An expired, revoked or spent pass is
// found; a recorded one without its row is not.
func (s *service) findToken(ctx context.Context, token hallpass.Token) (hallpass.Entry, error) {
	entry, v, err := s.Check(ctx, hallpass.Presentation{Token: token})
	if err != nil {
		reason, refused := hallpass.RefusalOf(err)
		switch {
		case !refused:
			return entry, err
		case v.Pass.ID == "", reason == hallpass.RefusalUnknownPass, reason == hallpass.RefusalWrongAudience:
			return hallpass.Entry{}, wire.NotFoundOf(reason).Reason
		}
	}
	// The row tells more than the token: the end of a pass that was extended. A
	// tombstone made from an id alone tells less.
	row, err := s.Entry(ctx, v.Pass.ID)
	switch {
	case err == nil && row.Scope != "":
		return row, nil
	case err == nil || errors.Is(err, hallpass.ErrNotFound):
		return entry, nil
	}
	return row, err
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
