package pgstore

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/hallpass-go/hallpass"
)

var (
	_ hallpass.IndexedStore = (*Store)(nil)
	_ hallpass.EndingStore  = (*Store)(nil)
)

// indexes are those that are made on request. An empty text is found by none of them.
var indexes = map[string]string{
	"subject":   `hallpass_passes_by_subject ON hallpass_passes (subject, issued_at, id) WHERE subject <> ''`,
	"recipient": `hallpass_passes_by_recipient ON hallpass_passes (recipient, issued_at, id) WHERE recipient <> ''`,
	// Using a pass changes no end, so a redemption does not touch it.
	"expires_at": `hallpass_passes_by_expires_at ON hallpass_counters (expires_at, pass) WHERE expires_at IS NOT NULL`,
}

// makeIndexes makes those that are wanted and not there, while others write. It may
// take as long as it takes, so it has a connection of its own.
func (s *Store) makeIndexes(ctx context.Context, wanted []string) error {
	if len(wanted) == 0 {
		return nil
	}
	there, err := s.Indexes(ctx)
	if err != nil {
		return err
	}
	wanted = slices.DeleteFunc(slices.Clone(wanted), func(name string) bool { return slices.Contains(there, name) })
	if len(wanted) == 0 {
		return nil
	}
	config := s.dsn.pool.ConnConfig.Copy()
	config.OnNotice = nil
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return unavailable(ctx, "make indexes", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	texts := []string{`SET statement_timeout = 0`, `SET lock_timeout = 0`}
	for _, name := range wanted {
		// One that an earlier attempt left half made is of no use to anybody.
		texts = append(texts, `DROP INDEX CONCURRENTLY IF EXISTS hallpass_passes_by_`+name, `CREATE INDEX CONCURRENTLY `+indexes[name])
	}
	// One process at a time, or one would drop what the other is making.
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock($1, hashtext($2))`, lockNumber+1, s.channel); err != nil {
		return unavailable(ctx, "make indexes", err)
	}
	if there, err = s.Indexes(ctx); err != nil {
		return err
	}
	for _, text := range texts {
		if slices.ContainsFunc(there, func(name string) bool { return strings.Contains(text, "_by_"+name) }) {
			continue
		}
		if _, err := conn.Exec(ctx, text); err != nil {
			return unavailable(ctx, "make indexes", err)
		}
	}
	return nil
}

// Indexes implements hallpass.IndexedStore.
func (s *Store) Indexes(ctx context.Context) ([]string, error) {
	names, err := collect(ctx, s, pgx.RowTo[string], `SELECT c.relname FROM pg_class AS c JOIN pg_index AS i ON i.indexrelid = c.oid
		WHERE i.indrelid IN ('hallpass_passes'::regclass, 'hallpass_counters'::regclass) AND i.indisvalid
			AND c.relname IN ('hallpass_passes_by_subject', 'hallpass_passes_by_recipient', 'hallpass_passes_by_expires_at')`)
	for i := range names {
		names[i] = strings.TrimPrefix(names[i], "hallpass_passes_by_")
	}
	return names, unavailable(ctx, "read the schema", err)
}
