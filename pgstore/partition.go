package pgstore

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// A partition of the uses is a week. Its bounds are ids: a use's id is a UUIDv7,
// which begins with the milliseconds of its moment.
const (
	partitionSpan   = 7 * 24 * time.Hour
	partitionPrefix = "hallpass_uses_"
	partitionDay    = "20060102"
	// partitionsAhead is how many weeks are made before they begin. Beyond them, and
	// before the first, uses are in the partition for all others.
	partitionsAhead = 4
)

// weekOf is the beginning of the week a moment is in.
func weekOf(t time.Time) time.Time {
	span := partitionSpan.Milliseconds()
	return time.UnixMilli(t.UnixMilli() / span * span).UTC()
}

// boundOf is the least id of a moment: what every UUIDv7 from then on is above.
func boundOf(t time.Time) string {
	digits := fmt.Sprintf("%012x", t.UnixMilli())
	return digits[:8] + "-" + digits[8:]
}

func partitionName(begin time.Time) string { return partitionPrefix + begin.Format(partitionDay) }

// ensurePartitions makes the partitions of this week and some to come. Any process
// may do so at any time: one that loses the race, or may make no tables, leaves
// the uses to the partition for all others.
func ensurePartitions(ctx context.Context, conn *pgx.Conn, now time.Time) error {
	for i := range partitionsAhead + 1 {
		begin := weekOf(now).Add(time.Duration(i) * partitionSpan)
		if err := makePartition(ctx, conn, begin); err != nil {
			code, goesOn := sqlState(err)
			if goesOn && code != "" {
				continue
			}
			return err
		}
	}
	return nil
}

// makePartition makes a week's partition unless it is there. A table is made first
// and attached then, because that locks the others' table against changes of its
// shape alone. What is in the partition for all others stays there, and then this
// week gets none of its own.
func makePartition(ctx context.Context, conn *pgx.Conn, begin time.Time) error {
	name, lower, upper := partitionName(begin), boundOf(begin), boundOf(begin.Add(partitionSpan))
	var wanted bool
	err := conn.QueryRow(ctx, `SELECT NOT EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = $1)
		AND NOT EXISTS (SELECT 1 FROM hallpass_uses_other WHERE id >= $2 AND id < $3)`, name, lower, upper).Scan(&wanted)
	if err != nil || !wanted {
		return err
	}
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		// The names and bounds are made of digits here, and are no parameters because
		// definitions take none.
		for _, text := range []string{
			// The server reads the others' table before it attaches a week, and nobody
			// uses it meanwhile. Where that takes long the week gets no table.
			`SET LOCAL lock_timeout = '1s'`, `SET LOCAL statement_timeout = '2s'`,
			`CREATE TABLE ` + name + ` (LIKE hallpass_uses INCLUDING DEFAULTS INCLUDING CONSTRAINTS) WITH (fillfactor = 80)`,
			`ALTER TABLE hallpass_uses ATTACH PARTITION ` + name + ` FOR VALUES FROM ('` + lower + `') TO ('` + upper + `')`,
		} {
			if _, err := tx.Exec(ctx, text); err != nil {
				return err
			}
		}
		return nil
	})
}

// partition is a week of uses that has a table of its own.
type partition struct {
	name       string
	begin, end time.Time
}

// partitions lists the tables of weeks, oldest first: those that are attached to the
// uses, or those that were taken out of them to be removed.
func (s *Store) partitions(ctx context.Context, attached bool) (all []partition, err error) {
	names, err := collect(ctx, s, pgx.RowTo[string], `SELECT c.relname FROM pg_class AS c
		WHERE c.relkind = 'r' AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'hallpass_uses'::regclass)
			AND c.relname LIKE 'hallpass\_uses\_%' AND $1 = EXISTS (
				SELECT 1 FROM pg_inherits AS i WHERE i.inhrelid = c.oid AND i.inhparent = 'hallpass_uses'::regclass)
		ORDER BY c.relname`, attached)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		begin, err := time.Parse(partitionDay, strings.TrimPrefix(name, partitionPrefix))
		if err == nil && name == partitionName(begin) && begin.Equal(weekOf(begin)) {
			all = append(all, partition{name, begin, begin.Add(partitionSpan)})
		}
	}
	return all, nil
}
