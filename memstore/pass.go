package memstore

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
)

// Record implements hallpass.PassStore.
func (s *Store) Record(ctx context.Context, entries []hallpass.Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, e := range entries {
		if _, exists := s.passes[e.ID]; !exists {
			s.passes[e.ID] = stored(e)
		}
	}
	return nil
}

// Entry implements hallpass.PassStore.
func (s *Store) Entry(ctx context.Context, id string) (hallpass.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return hallpass.Entry{}, err
	}
	e, exists := s.passes[id]
	if !exists {
		return hallpass.Entry{}, hallpass.ErrNotFound
	}
	return *stored(*e), nil
}

var _ hallpass.EndingStore = (*Store)(nil)

// Entries implements hallpass.PassStore.
func (s *Store) Entries(ctx context.Context, q hallpass.EntryQuery) ([]hallpass.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	after := hallpass.EntryPosition{IssuedAt: micro(q.After.IssuedAt), ID: q.After.ID}
	var found []*hallpass.Entry
	for _, e := range s.passes {
		switch {
		case q.Scope != "" && e.Scope != q.Scope,
			q.Subject != "" && e.Subject != q.Subject,
			q.Batch != "" && e.Batch != q.Batch,
			q.Mode != "" && e.Mode != q.Mode,
			q.Recipient != "" && e.Recipient != q.Recipient,
			after != (hallpass.EntryPosition{}) && newestFirst(position(e), after) <= 0:
		default:
			found = append(found, e)
		}
	}
	slices.SortFunc(found, func(a, b *hallpass.Entry) int { return newestFirst(position(a), position(b)) })
	page := make([]hallpass.Entry, 0, min(len(found), q.Limit))
	for _, e := range found[:cap(page)] {
		page = append(page, *stored(*e))
	}
	return page, nil
}

// EndingEntries implements hallpass.EndingStore.
func (s *Store) EndingEntries(ctx context.Context, since, until time.Time, limit int) ([]hallpass.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var found []hallpass.Entry
	for _, e := range s.passes {
		if ends := e.ExpiresAt; !ends.IsZero() && !ends.Before(micro(since)) && ends.Before(micro(until)) {
			found = append(found, *stored(*e))
		}
	}
	slices.SortFunc(found, func(a, b hallpass.Entry) int {
		return cmp.Or(a.ExpiresAt.Compare(b.ExpiresAt), strings.Compare(a.ID, b.ID))
	})
	return found[:min(limit, len(found))], nil
}

// RevokePass implements hallpass.PassStore.
func (s *Store) RevokePass(ctx context.Context, tombstone hallpass.Entry, now time.Time) (hallpass.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return hallpass.Entry{}, err
	}
	e, exists := s.passes[tombstone.ID]
	if !exists {
		e = stored(tombstone)
		e.RevokedAt = time.Time{}
		s.passes[e.ID] = e
	}
	e.MarkRevoked(now)
	return *stored(*e), nil
}

// Amend implements hallpass.PassStore.
func (s *Store) Amend(ctx context.Context, a hallpass.Amendment) (hallpass.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return hallpass.Entry{}, err
	}
	e, exists := s.passes[a.Pass]
	if !exists {
		return hallpass.Entry{}, hallpass.ErrNotFound
	}
	a.Apply(e)
	return *stored(*e), nil
}

// stored returns a copy that shares no memory with e, its times cut to the
// store's precision.
func stored(e hallpass.Entry) *hallpass.Entry {
	e.Data = bytes.Clone(e.Data)
	e.Grants = slices.Clone(e.Grants)
	for _, t := range []*time.Time{&e.IssuedAt, &e.NotBefore, &e.ExpiresAt, &e.RevokedAt, &e.KeepUntil} {
		*t = micro(*t)
	}
	return &e
}

func position(e *hallpass.Entry) hallpass.EntryPosition {
	return hallpass.EntryPosition{IssuedAt: e.IssuedAt, ID: e.ID}
}

func newestFirst(a, b hallpass.EntryPosition) int {
	return cmp.Or(b.IssuedAt.Compare(a.IssuedAt), strings.Compare(b.ID, a.ID))
}
