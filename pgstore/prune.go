package pgstore

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/hallpass-go/hallpass"
)

// pruneChunk is how many rows one transaction of Prune removes, so that no
// redemption waits for more than that.
const pruneChunk = 1000

// Prune implements hallpass.PassStore. Weeks of uses that are over leave as a whole
// (see partition.go), the rest in small transactions; when it fails half-way it
// reports what it had removed until then. It also makes the partitions of the weeks
// to come. Any number of processes may prune at once.
func (s *Store) Prune(ctx context.Context, p hallpass.PruneRule) (done hallpass.Pruned, err error) {
	err = s.query(ctx, func(conn pooled) error { return ensurePartitions(ctx, conn.Conn(), p.Now) })
	if err == nil && !p.UsesBefore.IsZero() {
		err = s.pruneUsesBefore(ctx, &done.Uses, micro(p.UsesBefore))
	}
	if err == nil && p.KeepUses >= 0 {
		err = s.pruneUsesBeyond(ctx, &done.Uses, p.KeepUses)
	}
	if err == nil {
		err = s.pruneEvents(ctx, &done.Events, p)
	}
	now := p.Now.UnixMicro()
	if err == nil {
		err = s.prunePasses(ctx, &done.Passes, now)
	}
	if err == nil {
		err = s.pruneChunks(ctx, &done.Cells, `WITH due AS (
				SELECT family, key FROM hallpass_cells WHERE expires_at <= $1 ORDER BY family, key LIMIT $2 FOR UPDATE SKIP LOCKED),
			gone AS (DELETE FROM hallpass_cells AS c USING due WHERE c.family = due.family AND c.key = due.key RETURNING 1)
			SELECT count(*) FROM gone`, now, pruneChunk)
	}
	if err == nil {
		// Of processes that ended long ago; one that lives makes its row again.
		_, err = s.simple(ctx, `WITH gone AS (DELETE FROM hallpass_lanes WHERE at < $1 RETURNING 1) SELECT count(*) FROM gone`,
			p.Now.Add(-30*24*time.Hour).UnixMicro())
	}
	return done, unavailable(ctx, "prune", err)
}

// removeUses removes the uses of a list of ids, and their keys. They are locked in
// the order of their ids, as everybody does.
const removeUses = `WITH due AS (
		SELECT u.id FROM unnest($1::text[]) AS w (id) JOIN hallpass_uses AS u ON u.id = w.id ORDER BY u.id FOR UPDATE OF u),
	gone AS (DELETE FROM hallpass_uses AS u USING due WHERE u.id = due.id RETURNING u.id, u.pass, u.key),
	freed AS (DELETE FROM hallpass_use_keys AS k USING gone
		WHERE k.pass = gone.pass AND k.key = gone.key AND k.use = gone.id)
	SELECT count(*) FROM gone`

func (s *Store) pruneUsesBefore(ctx context.Context, done *int64, before time.Time) error {
	attached, err := s.partitions(ctx, true)
	if err != nil {
		return err
	}
	for _, week := range attached {
		if !week.end.After(before) {
			if err := s.dropWeek(ctx, week); err != nil {
				return err
			}
		}
	}
	detached, err := s.partitions(ctx, false)
	if err != nil {
		return err
	}
	for _, week := range detached {
		if err := s.removeWeek(ctx, done, week, before); err != nil {
			return err
		}
	}
	// Ids follow the clocks of several machines, so all uses are looked at, by the
	// index on their times.
	for after := ""; ; {
		found, err := collect(ctx, s, pgx.RowTo[string],
			`SELECT id FROM hallpass_uses WHERE id > $1 AND at < $2 ORDER BY id LIMIT $3`, after, before.UnixMicro(), pruneChunk)
		if err != nil || len(found) == 0 {
			return err
		}
		after = found[len(found)-1]
		n, err := s.simple(ctx, removeUses, found)
		if err != nil {
			return err
		}
		*done += n
	}
}

// dropWeek takes a week's table out of the uses, which is quick but waits for all
// who read or write them, and so not for long: else its rows go one by one. From then
// on nobody sees its rows, and nobody waits for what removeWeek does with them.
func (s *Store) dropWeek(ctx context.Context, week partition) error {
	err := s.query(ctx, func(conn pooled) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, `SET LOCAL lock_timeout = '1s'`); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, `ALTER TABLE hallpass_uses DETACH PARTITION `+pgx.Identifier{week.name}.Sanitize())
			return err
		})
	})
	if _, goesOn := sqlState(err); goesOn {
		return nil // another process was first, or somebody is busy, or it is not our table
	}
	return err
}

// removeWeek removes a table that was taken out, by this process or by one that
// ended half-way. A use in it that was made later than its id says goes back.
func (s *Store) removeWeek(ctx context.Context, done *int64, week partition, before time.Time) error {
	var gone int64
	err := s.query(ctx, func(conn pooled) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			name := pgx.Identifier{week.name}.Sanitize()
			for _, text := range []string{
				`SET LOCAL lock_timeout = '1s'`, `SET LOCAL statement_timeout = '10min'`, `SET LOCAL enable_seqscan = on`,
				`LOCK TABLE ` + name + ` IN ACCESS EXCLUSIVE MODE`,
			} {
				if _, err := tx.Exec(ctx, text); err != nil {
					return err
				}
			}
			var all int64
			if err := tx.QueryRow(ctx, `SELECT count(*) FROM `+name).Scan(&all); err != nil {
				return err
			}
			kept, err := tx.Exec(ctx, `INSERT INTO hallpass_uses SELECT * FROM `+name+` WHERE at >= $1`, before.UnixMicro())
			if err != nil {
				return err
			}
			gone = all - kept.RowsAffected()
			_, err = tx.Exec(ctx, `DROP TABLE `+name)
			return err
		})
	})
	if _, goesOn := sqlState(err); goesOn {
		return nil
	}
	if err != nil {
		return err
	}
	*done += gone
	var freed int64
	return s.pruneChunks(ctx, &freed, `WITH due AS (
			SELECT k.pass, k.key FROM hallpass_use_keys AS k WHERE k.use >= $1 AND k.use < $2
				AND NOT EXISTS (SELECT 1 FROM hallpass_uses AS u WHERE u.id = k.use)
			ORDER BY k.pass, k.key LIMIT $3 FOR UPDATE OF k),
		gone AS (DELETE FROM hallpass_use_keys AS k USING due WHERE k.pass = due.pass AND k.key = due.key RETURNING 1)
		SELECT count(*) FROM gone`, boundOf(week.begin), boundOf(week.end), pruneChunk)
}

func (s *Store) pruneUsesBeyond(ctx context.Context, done *int64, keep int64) error {
	newest, err := collect(ctx, s, pgx.RowTo[string], `SELECT id FROM hallpass_uses ORDER BY id DESC LIMIT 1 OFFSET $1`, keep)
	if err != nil || len(newest) == 0 {
		return err
	}
	for after := ""; ; {
		found, err := collect(ctx, s, pgx.RowTo[string],
			`SELECT id FROM hallpass_uses WHERE id > $1 AND id <= $2 ORDER BY id LIMIT $3`, after, newest[0], pruneChunk)
		if err != nil || len(found) == 0 {
			return err
		}
		after = found[len(found)-1]
		n, err := s.simple(ctx, removeUses, found)
		if err != nil {
			return err
		}
		*done += n
	}
}

// prunePasses looks for rows without locking them; the row decides again under its
// lock, because an amendment may have come between.
func (s *Store) prunePasses(ctx context.Context, done *int64, now int64) error {
	for after := ""; ; {
		found, err := collect(ctx, s, pgx.RowTo[string],
			`SELECT pass FROM hallpass_counters WHERE pass > $1 AND keep_until <= $2 ORDER BY pass LIMIT $3`, after, now, pruneChunk)
		if err != nil || len(found) == 0 {
			return err
		}
		after = found[len(found)-1]
		n, err := s.simple(ctx, `WITH due AS (
				SELECT pass FROM hallpass_counters WHERE pass = ANY($1) AND keep_until <= $2 ORDER BY pass FOR UPDATE),
			gone AS (DELETE FROM hallpass_counters AS c USING due WHERE c.pass = due.pass RETURNING c.pass),
			passes AS (DELETE FROM hallpass_passes AS p USING gone WHERE p.id = gone.pass)
			SELECT count(*) FROM gone`, found, now)
		if err != nil {
			return err
		}
		*done += n
	}
}

// pruneChunks repeats a removal of pruneChunk rows until fewer are left.
func (s *Store) pruneChunks(ctx context.Context, done *int64, remove string, args ...any) error {
	for {
		n, err := s.simple(ctx, remove, args...)
		if err != nil {
			return err
		}
		*done += n
		if n < pruneChunk {
			return nil
		}
	}
}
