package pgstore

import (
	"context"
	"slices"
	"strings"

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

// recordAlone writes in one transaction, chunk by chunk.
func (s *Store) recordAlone(ctx context.Context, entries []hallpass.Entry) error {
	t := &recording{items: [][]hallpass.Entry{entries}}
	return s.alone(ctx, "record", func(step func(*pgx.Batch) error) error {
		for chunk := range slices.Chunk(t.rows(), recordChunk) {
			made := map[string]bool{}
			var passes, counters pgx.Batch
			if err := insertPasses(&passes, chunk, made); err != nil {
				return err
			}
			if err := step(&passes); err != nil {
				return err
			}
			if err := insertCounters(&counters, chunk, made); err != nil {
				return err
			}
			if err := step(&counters); err != nil {
				return err
			}
		}
		return nil
	})
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
