package pgstore

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/group"
)

// largeRecord is how many rows of one call are too many to wait with others.
const largeRecord = 200

// recordChunk is how many rows one statement writes.
const recordChunk = 2000

// Record implements hallpass.PassStore. Small calls share transactions; a large one
// has its own, and gives up when ctx ends before it has committed.
func (s *Store) Record(ctx context.Context, entries []hallpass.Entry) error {
	if len(entries) == 0 {
		return ctx.Err()
	}
	if len(entries) <= largeRecord {
		_, err := s.records.do(ctx, "record", entries)
		return err
	}
	return s.recordAlone(ctx, entries)
}

// recordAlone writes in one transaction. It may be tried again whatever happened:
// what is there stays.
func (s *Store) recordAlone(ctx context.Context, entries []hallpass.Entry) error {
	t := &recording{items: [][]hallpass.Entry{entries}}
	for try := 0; ; try++ {
		err := s.query(ctx, func(conn pooled) error { return t.writeAlone(ctx, conn, s.opts.Timeout+time.Second) })
		switch {
		case isPassing(err) && try < 10:
			pause(try)
		case err != nil && errors.Is(err, ctx.Err()):
			return ctx.Err()
		default:
			return unavailable(context.WithoutCancel(ctx), "record", err)
		}
	}
}

// writeAlone writes chunk by chunk, each within the timeout. After the commit was
// sent, ctx is not looked at, so that its error means that nothing was written.
func (t *recording) writeAlone(ctx context.Context, conn pooled, timeout time.Duration) error {
	tx := transaction{conn: conn.Conn()}
	step := func(f func() error) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
		defer cancel()
		tx.ctx = limited
		return f()
	}
	defer func() {
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
		defer cancel()
		tx.ctx = limited
		tx.end()
	}()
	if err := step(func() error { return tx.read(&pgx.Batch{}) }); err != nil {
		return err
	}
	for chunk := range slices.Chunk(t.rows(), recordChunk) {
		made := map[string]bool{}
		var passes, counters pgx.Batch
		if err := insertPasses(&passes, chunk, made); err != nil {
			return err
		}
		if err := step(func() error { return tx.conn.SendBatch(tx.ctx, &passes).Close() }); err != nil {
			return err
		}
		if err := insertCounters(&counters, chunk, made); err != nil {
			return err
		}
		if err := step(func() error { return tx.conn.SendBatch(tx.ctx, &counters).Close() }); err != nil {
			return err
		}
	}
	return step(func() error { return tx.commit(&pgx.Batch{}) })
}

// recording is a turn of small calls of Record. It may be tried again whatever
// happened.
type recording struct {
	items [][]hallpass.Entry
	// made is the passes that had no row before, and failed why they cannot be written.
	made   map[string]bool
	failed error
}

func newRecording(_ *lane[[]hallpass.Entry, struct{}], items [][]hallpass.Entry) turn[struct{}] {
	return &recording{items: items, made: map[string]bool{}}
}

func (t *recording) ask(b *pgx.Batch, _ bool) { t.failed = insertPasses(b, t.rows(), t.made) }

func (t *recording) wrote(turn[struct{}]) bool { return false }

func (t *recording) decide(b *pgx.Batch) ([]group.Result[struct{}], bool, error) {
	if t.failed != nil {
		return nil, false, t.failed
	}
	return make([]group.Result[struct{}], len(t.items)), true, insertCounters(b, t.rows(), t.made)
}

// rows is every entry once, the first of an id, in the order of the ids: so no two
// transactions wait for each other.
func (t *recording) rows() []*hallpass.Entry {
	var all []*hallpass.Entry
	for _, entries := range t.items {
		for i := range entries {
			all = append(all, &entries[i])
		}
	}
	slices.SortStableFunc(all, func(a, b *hallpass.Entry) int { return strings.Compare(encode(a.ID), encode(b.ID)) })
	return slices.CompactFunc(all, func(a, b *hallpass.Entry) bool { return a.ID == b.ID })
}

func insertPasses(b *pgx.Batch, rows []*hallpass.Entry, made map[string]bool) error {
	var columns passColumns
	for _, e := range rows {
		if err := columns.add(e); err != nil {
			return err
		}
	}
	columns.insertMissing(b, made)
	return nil
}

func insertCounters(b *pgx.Batch, rows []*hallpass.Entry, made map[string]bool) error {
	var columns passColumns
	for _, e := range rows {
		if made[encode(e.ID)] {
			if err := columns.add(e); err != nil {
				return err
			}
		}
	}
	columns.insertCounters(b)
	return nil
}
