package sqlitestore

import (
	"context"
	"errors"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/group"
)

// write is one caller's wish; one of its fields is set.
type write struct {
	reserve *hallpass.Reservation
	settle  *hallpass.Settlement
	// step is anything else. It may run twice, the first time in a transaction
	// that is rolled back. When it returns an answer of the contract it must have
	// written nothing.
	step func(tx *writeTx) error
}

type outcome struct {
	reserved hallpass.Reserved
	use      hallpass.Use
}

// do runs the write in a transaction shared with whoever else writes now.
func (s *Store) do(ctx context.Context, what string, w write) (outcome, error) {
	out, err := s.group.Do(ctx, w)
	switch {
	case err == nil:
		return out, nil
	case isAnswer(err), ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return out, err
	}
	// Not the caller's context: the write was tried and failed.
	return out, unavailable(context.WithoutCancel(ctx), what, err)
}

// runGroup writes all items in one transaction. When one of them makes it fail,
// each gets a transaction of its own, so that only that one fails.
func (s *Store) runGroup(items []write) []group.Result[outcome] {
	results, err := s.tryGroup(items)
	if err == nil {
		return results
	}
	results = make([]group.Result[outcome], len(items))
	if len(items) == 1 || !isOneItemsFault(err) {
		if len(items) == 1 && items[0].reserve != nil && code(err) == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY {
			err = hallpass.ErrConflict // the use's id
		}
		for i := range results {
			results[i].Err = err
		}
		return results
	}
	for i := range items {
		results[i] = s.runGroup(items[i : i+1])[0]
	}
	return results
}

func (s *Store) tryGroup(items []write) ([]group.Result[outcome], error) {
	results := make([]group.Result[outcome], len(items))
	if s.observe != nil {
		began := time.Now()
		defer func() { s.observe(len(items), time.Since(began)) }()
	}
	// No caller's context: one who leaves must not take the others' writes along.
	err := s.writes.transact(context.Background(), func(tx *writeTx) error {
		// All of these callers are here at once, so any order among them is a true one.
		if err := tx.reserveAll(items, results); err != nil {
			return err
		}
		if err := tx.settleAll(items, results); err != nil {
			return err
		}
		for i, item := range items {
			if item.step == nil {
				continue
			}
			if err := item.step(tx); isAnswer(err) {
				results[i].Err = err
			} else if err != nil {
				return err
			}
		}
		return nil
	})
	return results, err
}
