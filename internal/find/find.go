// Package find finds the pass that a person means by what he has at hand: an id, a
// token, or a whole link copied from a mail.
package find

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"strings"

	"github.com/hallpass-go/hallpass"
)

// Found is a pass as the store has it, or as its token states it where an
// unrecorded one was never used.
type Found struct {
	hallpass.Entry
	// Claims are the token's claims as signed; nil where no signed token was given.
	Claims json.RawMessage
	// Row says that the store has the pass.
	Row bool
}

// most is the longest text that is looked at, in bytes: a link around a token.
const most = 64 << 10

var uuidPattern = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// foreignIDPattern is that of passes of other systems: format, key and name there.
var foreignIDPattern = regexp.MustCompile(`^[a-z]{2,8}-[a-z0-9_]{1,32}-[a-z0-9._-]{1,128}$`)

// IsID reports whether a text has the form of a pass id.
func IsID(text string) bool { return uuidPattern.MatchString(text) }

// HasToken reports whether there is a token in a text, whoever made it.
func HasToken(text string) bool {
	if len(text) > most {
		return false
	}
	_, found := hallpass.FindToken(text, "")
	return found
}

// Pass returns the pass that a text means; one that has ended, was taken back or
// was used up is found too. What is not ours is a Refusal that says why, exact:
// an operator may know. With RefusalUnknownPass comes the id that was looked for.
func Pass(ctx context.Context, issuer *hallpass.Issuer, text string) (Found, error) {
	text = strings.TrimSpace(text)
	if len(text) > most {
		return Found{}, hallpass.RefusalMalformed
	}
	if token, ok := hallpass.FindToken(text, ""); ok {
		return byToken(ctx, issuer, token)
	}
	id := strings.ToLower(text)
	entry, err := issuer.Entry(ctx, id)
	switch {
	case !errors.Is(err, hallpass.ErrNotFound):
		return Found{Entry: entry, Row: err == nil}, err
	case IsID(id):
		return Found{Entry: hallpass.Entry{Pass: hallpass.Pass{ID: id}}}, hallpass.RefusalUnknownPass
	case foreignIDPattern.MatchString(id):
		// Without the id: what has no row cannot be taken back, it is refused as it is.
		return Found{}, hallpass.RefusalUnknownPass
	}
	return Found{}, hallpass.RefusalMalformed
}

func byToken(ctx context.Context, issuer *hallpass.Issuer, token hallpass.Token) (Found, error) {
	entry, v, err := issuer.Check(ctx, hallpass.Presentation{Token: token})
	if err != nil {
		reason, refused := hallpass.RefusalOf(err)
		switch {
		case !refused:
			return Found{}, err
		case v.Pass.ID == "", reason == hallpass.RefusalWrongAudience:
			return Found{}, reason
		case reason == hallpass.RefusalUnknownPass:
			return Found{Entry: hallpass.Entry{Pass: hallpass.Pass{ID: v.Pass.ID}}}, reason
		}
	}
	// The row tells more than the token: the end of a pass that was extended. A
	// tombstone made from an id alone tells less.
	row, err := issuer.Entry(ctx, v.Pass.ID)
	switch {
	case err == nil && row.Scope != "":
		return Found{Entry: row, Claims: v.Claims, Row: true}, nil
	case err == nil:
		entry.Pass, entry.RevokedAt = v.Pass, row.RevokedAt
		return Found{Entry: entry, Claims: v.Claims}, nil
	case !errors.Is(err, hallpass.ErrNotFound):
		return Found{}, err
	case v.Pass.Recorded:
		return Found{Entry: hallpass.Entry{Pass: hallpass.Pass{ID: v.Pass.ID}}}, hallpass.RefusalUnknownPass
	}
	entry.Pass = v.Pass
	return Found{Entry: entry, Claims: v.Claims}, nil
}
