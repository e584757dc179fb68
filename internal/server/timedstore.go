package server

import (
	"context"
	"errors"
	"time"

	"github.com/hallpass-go/hallpass"
)

// timedStore tells the metrics how long each call took and whether it was decided.
type timedStore struct {
	store   hallpass.Store
	metrics *Metrics
}

var (
	_ hallpass.Store = (*timedStore)(nil)
	_ hallpass.Waker = (*timedStore)(nil)
)

// Wake implements hallpass.Waker as far as the store does. It lasts, so it is not timed.
func (s *timedStore) Wake(ctx context.Context, groups []string, woken func(group string)) error {
	return hallpass.Wake(ctx, s.store, groups, woken)
}

// Unwrap returns the store, with what it can do besides: its events are not timed.
func (s *timedStore) Unwrap() hallpass.Store { return s.store }

func (s *timedStore) done(method string, began time.Time, err error) {
	s.metrics.storeTimes.WithLabelValues(method).Observe(time.Since(began).Seconds())
	if !isAnswer(err) {
		s.metrics.storeErrors.WithLabelValues(method).Inc()
	}
}

// isAnswer reports whether a store decided: the contract's own errors are answers.
func isAnswer(err error) bool {
	_, refused := hallpass.RefusalOf(err)
	return err == nil || refused || isFieldError(err) || errors.Is(err, hallpass.ErrNotFound) ||
		errors.Is(err, hallpass.ErrConflict) || errors.Is(err, context.Canceled)
}

func isFieldError(err error) bool {
	_, ok := errors.AsType[*hallpass.FieldError](err)
	return ok
}

func (s *timedStore) Record(ctx context.Context, entries []hallpass.Entry) (err error) {
	defer func(began time.Time) { s.done("record", began, err) }(time.Now())
	return s.store.Record(ctx, entries)
}

func (s *timedStore) Entry(ctx context.Context, id string) (_ hallpass.Entry, err error) {
	defer func(began time.Time) { s.done("entry", began, err) }(time.Now())
	return s.store.Entry(ctx, id)
}

func (s *timedStore) Entries(ctx context.Context, q hallpass.EntryQuery) (_ []hallpass.Entry, err error) {
	defer func(began time.Time) { s.done("entries", began, err) }(time.Now())
	return s.store.Entries(ctx, q)
}

func (s *timedStore) Reserve(ctx context.Context, r hallpass.Reservation) (_ hallpass.Reserved, err error) {
	defer func(began time.Time) { s.done("reserve", began, err) }(time.Now())
	return s.store.Reserve(ctx, r)
}

func (s *timedStore) Settle(ctx context.Context, end hallpass.Settlement) (_ hallpass.Use, err error) {
	defer func(began time.Time) { s.done("settle", began, err) }(time.Now())
	return s.store.Settle(ctx, end)
}

func (s *timedStore) RevokePass(ctx context.Context, tombstone hallpass.Entry, now time.Time) (_ hallpass.Entry, err error) {
	defer func(began time.Time) { s.done("revoke_pass", began, err) }(time.Now())
	return s.store.RevokePass(ctx, tombstone, now)
}

func (s *timedStore) Amend(ctx context.Context, a hallpass.Amendment) (_ hallpass.Entry, err error) {
	defer func(began time.Time) { s.done("amend", began, err) }(time.Now())
	return s.store.Amend(ctx, a)
}

func (s *timedStore) Uses(ctx context.Context, q hallpass.UseQuery) (_ []hallpass.Use, err error) {
	defer func(began time.Time) { s.done("uses", began, err) }(time.Now())
	return s.store.Uses(ctx, q)
}

func (s *timedStore) Prune(ctx context.Context, p hallpass.PruneRule) (_ hallpass.Pruned, err error) {
	defer func(began time.Time) { s.done("prune", began, err) }(time.Now())
	return s.store.Prune(ctx, p)
}

func (s *timedStore) Cell(ctx context.Context, group, key string, now time.Time) (_ hallpass.Cell, err error) {
	defer func(began time.Time) { s.done("cell", began, err) }(time.Now())
	return s.store.Cell(ctx, group, key, now)
}

func (s *timedStore) Swap(ctx context.Context, c hallpass.Cell, now time.Time) (_ hallpass.Cell, err error) {
	defer func(began time.Time) { s.done("swap", began, err) }(time.Now())
	return s.store.Swap(ctx, c, now)
}

func (s *timedStore) Add(ctx context.Context, a hallpass.Addition, now time.Time) (_ int64, _ bool, err error) {
	defer func(began time.Time) { s.done("add", began, err) }(time.Now())
	return s.store.Add(ctx, a, now)
}

func (s *timedStore) Cells(ctx context.Context, group string, since uint64, now time.Time) (_ []hallpass.Cell, err error) {
	defer func(began time.Time) { s.done("cells", began, err) }(time.Now())
	return s.store.Cells(ctx, group, since, now)
}
