package hallpass

import (
	"context"
	"errors"
	"strings"

	"github.com/hallpass-go/hallpass/internal/strictjson"
)

// ScopeReserved is how hallpass's own scopes begin.
const ScopeReserved = "hallpass:"

const (
	// ParentsMember is the member of a delegated pass's data that names its
	// ancestors. Whoever lets others choose the data of passes for hallpass itself
	// must not let them choose this.
	ParentsMember = "parents"
	// MaxParents is how many ancestors a pass may have.
	MaxParents = 3
)

// Parents returns the ids of the passes by which a pass for hallpass itself came
// into the world, the nearest first; none for one that the operator made, and for
// passes of any other scope. A pass is revoked when one of them is. ok is false
// when they cannot be read, and then the pass is good for nothing.
func (p Pass) Parents() (ids []string, ok bool) {
	if !p.isReserved() || !strings.HasPrefix(string(p.Data), "{") {
		return nil, true
	}
	err := strictjson.Members(string(p.Data), func(name string, v strictjson.Value) error {
		if name != ParentsMember {
			return nil
		}
		return strictjson.Elements(v.Raw, func(v strictjson.Value) error {
			id, isText := v.Text()
			if !isText || id == "" || len(ids) == MaxParents {
				return strictjson.ErrSyntax
			}
			ids = append(ids, id)
			return nil
		})
	})
	return ids, err == nil
}

func (p Pass) isReserved() bool { return strings.HasPrefix(string(p.Scope), ScopeReserved) }

// addParents gives an entry made from a token the data of its row, which names
// its ancestors.
func (i *Issuer) addParents(ctx context.Context, entry *Entry) error {
	if !entry.isReserved() || !entry.Recorded || len(entry.Data) > 0 {
		return nil
	}
	row, err := i.recentRow(ctx, entry.ID)
	if errors.Is(err, ErrNotFound) {
		return nil // refused as unknown, in its turn
	}
	entry.Data = row.Data
	return err
}

// overlayParents revokes an entry with its ancestors. They were recorded, so one
// whose row is gone has ended, and takes what came of it along.
func (i *Issuer) overlayParents(ctx context.Context, entry *Entry) error {
	ids, ok := entry.Parents()
	if !ok {
		entry.RevokedAt = entry.IssuedAt
		return nil
	}
	for _, id := range ids {
		parent, err := i.recentRow(ctx, id)
		switch {
		case errors.Is(err, ErrNotFound):
			parent.RevokedAt = entry.IssuedAt
		case err != nil:
			return err
		case parent.RevokedAt.IsZero():
			parent.RevokedAt = i.rules.match(parent.Pass)
		}
		if !parent.RevokedAt.IsZero() {
			entry.RevokedAt = parent.RevokedAt
			return nil
		}
	}
	return nil
}
