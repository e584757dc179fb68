package pgstore

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/hallpass-go/hallpass"
)

// Entry implements hallpass.PassStore.
func (s *Store) Entry(ctx context.Context, id string) (hallpass.Entry, error) {
	found, err := collect(ctx, s, scanRow,
		`SELECT `+rowColumns+` FROM hallpass_passes AS p JOIN hallpass_counters AS c ON c.pass = p.id WHERE p.id = $1`, encode(id))
	if err == nil && len(found) == 0 {
		err = hallpass.ErrNotFound
	}
	if err != nil {
		return hallpass.Entry{}, unavailable(ctx, "read a pass", err)
	}
	return found[0].Entry, nil
}

// EndingEntries implements hallpass.EndingStore.
func (s *Store) EndingEntries(ctx context.Context, since, until time.Time, limit int) ([]hallpass.Entry, error) {
	found, err := collect(ctx, s, scanEntry, `SELECT `+rowColumns+` FROM hallpass_counters AS c JOIN hallpass_passes AS p ON p.id = c.pass
		WHERE c.expires_at IS NOT NULL AND c.expires_at >= $1 AND c.expires_at < $2 ORDER BY c.expires_at, c.pass LIMIT $3`,
		since.UnixMicro(), until.UnixMicro(), limit)
	return found, unavailable(ctx, "list passes", err)
}

func scanEntry(from pgx.CollectableRow) (hallpass.Entry, error) {
	r, err := scanRow(from)
	return r.Entry, err
}

// Entries implements hallpass.PassStore.
func (s *Store) Entries(ctx context.Context, q hallpass.EntryQuery) ([]hallpass.Entry, error) {
	where := []string{"true"}
	args := []any{q.Limit}
	for _, filter := range []struct{ condition, value string }{
		{"p.scope = $%d", string(q.Scope)},
		{"p.batch = $%d AND p.batch <> ''", q.Batch}, // so that the partial index is found
		{"p.subject = $%d AND p.subject <> ''", q.Subject},
		{"p.recipient = $%d AND p.recipient <> ''", q.Recipient},
		{"p.mode = $%d", string(q.Mode)},
	} {
		if filter.value != "" {
			args = append(args, encode(filter.value))
			where = append(where, fmt.Sprintf(filter.condition, len(args)))
		}
	}
	if q.After != (hallpass.EntryPosition{}) {
		args = append(args, q.After.IssuedAt.UnixMicro(), encode(q.After.ID))
		where = append(where, fmt.Sprintf("(p.issued_at, p.id) < ($%d, $%d)", len(args)-1, len(args)))
	}
	found, err := collect(ctx, s, scanEntry, `SELECT `+rowColumns+` FROM hallpass_passes AS p JOIN hallpass_counters AS c ON c.pass = p.id
		WHERE `+strings.Join(where, " AND ")+` ORDER BY p.issued_at DESC, p.id DESC LIMIT $1`, args...)
	return found, unavailable(ctx, "list passes", err)
}
