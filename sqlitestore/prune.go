package sqlitestore

import (
	"context"
	"database/sql"

	"github.com/hallpass-go/hallpass"
)

// pruneChunk is how many rows one transaction of Prune removes, so that no
// redemption waits for more than that.
const pruneChunk = 1000

// Prune implements hallpass.PassStore. It removes in small transactions; when it
// fails half-way it reports what it had removed until then. The file does not
// shrink: SQLite uses the room again.
func (s *Store) Prune(ctx context.Context, p hallpass.PruneRule) (done hallpass.Pruned, err error) {
	if !p.UsesBefore.IsZero() {
		// Ids follow the clocks of several machines, so all uses are looked at; but
		// without the write lock.
		err = s.pruneFound(ctx, &done.Uses,
			`SELECT id FROM uses WHERE id > ?1 AND at < ?2 ORDER BY id LIMIT ?3`, "", micro(p.UsesBefore).UnixMicro(),
			`DELETE FROM uses WHERE id IN (SELECT value FROM json_each(?1))`)
	}
	if err == nil && p.KeepUses >= 0 {
		err = s.pruneBeyond(ctx, &done.Uses, "uses", p.KeepUses)
	}
	if err == nil {
		err = s.pruneEvents(ctx, &done.Events, p)
	}
	now := p.Now.UnixMicro()
	if err == nil {
		err = s.prunePasses(ctx, &done.Passes, now)
	}
	if err == nil {
		err = s.pruneChunks(ctx, &done.Cells, `DELETE FROM cells WHERE (family, key) IN
			(SELECT family, key FROM cells WHERE expires_at <= ?1 LIMIT ?2)`, now, pruneChunk)
	}
	return done, unavailable(ctx, "prune", err)
}

// pruneFound looks for rows page by page on a reading connection and removes
// each page.
func (s *Store) pruneFound(ctx context.Context, done *int64, find, after string, bound int64, remove string) error {
	for {
		rows, err := s.reads.QueryContext(ctx, find, after, bound, pruneChunk)
		found, err := collect(rows, err, func(rows *sql.Rows) (id string, err error) { return id, rows.Scan(&id) })
		if err != nil || len(found) == 0 {
			return err
		}
		after = found[len(found)-1]
		var n int64
		err = s.writes.transact(ctx, func(tx *writeTx) (err error) {
			n, err = tx.count(remove, textList(found).json())
			return err
		})
		if err != nil {
			return err
		}
		*done += n
	}
}

// pruneBeyond keeps the newest rows of a table whose ids are time-ordered.
func (s *Store) pruneBeyond(ctx context.Context, done *int64, table string, keep int64) error {
	rows, err := s.reads.QueryContext(ctx, `SELECT id FROM `+table+` ORDER BY id DESC LIMIT 1 OFFSET ?1`, keep)
	newest, err := collect(rows, err, func(rows *sql.Rows) (id string, err error) { return id, rows.Scan(&id) })
	if err != nil || len(newest) == 0 {
		return err
	}
	return s.pruneChunks(ctx, done,
		`DELETE FROM `+table+` WHERE id IN (SELECT id FROM `+table+` WHERE id <= ?1 ORDER BY id LIMIT ?2)`, newest[0], pruneChunk)
}

// prunePasses looks for rows on a reading connection; the row decides again
// under the write lock, because an amendment may have come between.
func (s *Store) prunePasses(ctx context.Context, done *int64, now int64) error {
	for after := int64(0); ; {
		rows, err := s.reads.QueryContext(ctx,
			`SELECT pass FROM counters WHERE pass > ?1 AND keep_until <= ?2 ORDER BY pass LIMIT ?3`, after, now, pruneChunk)
		found, err := collect(rows, err, func(rows *sql.Rows) (n int64, err error) { return n, rows.Scan(&n) })
		if err != nil || len(found) == 0 {
			return err
		}
		first, last := found[0], found[len(found)-1]
		after = last
		var n int64
		err = s.writes.transact(ctx, func(tx *writeTx) (err error) {
			if err := tx.exec(`DELETE FROM passes WHERE n IN
				(SELECT pass FROM counters WHERE pass BETWEEN ?1 AND ?2 AND keep_until <= ?3)`, first, last, now); err != nil {
				return err
			}
			n, err = tx.count(`DELETE FROM counters WHERE pass BETWEEN ?1 AND ?2 AND keep_until <= ?3`, first, last, now)
			return err
		})
		if err != nil {
			return err
		}
		*done += n
	}
}

// pruneChunks repeats a removal of pruneChunk rows until fewer are left.
func (s *Store) pruneChunks(ctx context.Context, done *int64, remove string, args ...any) error {
	for {
		var n int64
		err := s.writes.transact(ctx, func(tx *writeTx) (err error) {
			n, err = tx.count(remove, args...)
			return err
		})
		if err != nil {
			return err
		}
		*done += n
		if n < pruneChunk {
			return nil
		}
	}
}
