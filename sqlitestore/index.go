package sqlitestore

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/hallpass-go/hallpass"
)

var (
	_ hallpass.IndexedStore = (*Store)(nil)
	_ hallpass.EndingStore  = (*Store)(nil)
)

// indexes are those that are made on request. An empty text is found by none of them.
var indexes = map[string]string{
	"subject":   `CREATE INDEX IF NOT EXISTS passes_by_subject ON passes (subject, issued_at, id) WHERE subject <> ''`,
	"recipient": `CREATE INDEX IF NOT EXISTS passes_by_recipient ON passes (recipient, issued_at, id) WHERE recipient <> ''`,
	// Using a pass changes no end, so this costs a redemption nothing.
	"expires_at": `CREATE INDEX IF NOT EXISTS passes_by_expires_at ON counters (expires_at) WHERE expires_at IS NOT NULL`,
}

// makeIndexes makes those that are wanted and not there, on a connection of its own
// turn: nobody can write meanwhile.
func (s *Store) makeIndexes(ctx context.Context, wanted []string) error {
	if len(wanted) == 0 {
		return nil
	}
	there, err := s.Indexes(ctx)
	if err != nil {
		return err
	}
	for _, name := range wanted {
		if slices.Contains(there, name) {
			continue
		}
		err := s.writes.transact(ctx, func(tx *writeTx) error { return tx.exec(indexes[name]) })
		if err != nil {
			return unavailable(ctx, "make the index on "+name, err)
		}
	}
	return nil
}

// Indexes implements hallpass.IndexedStore.
func (s *Store) Indexes(ctx context.Context) ([]string, error) {
	rows, err := s.reads.QueryContext(ctx, `SELECT name FROM sqlite_schema
		WHERE type = 'index' AND name IN ('passes_by_subject', 'passes_by_recipient', 'passes_by_expires_at')`)
	names, err := collect(rows, err, func(rows *sql.Rows) (name string, err error) { return name, rows.Scan(&name) })
	for i := range names {
		names[i] = strings.TrimPrefix(names[i], "passes_by_")
	}
	return names, unavailable(ctx, "read the schema", err)
}
