package memstore

import (
	"context"
	"slices"
	"strings"

	"github.com/hallpass-go/hallpass"
)

var _ hallpass.EventStore = (*Store)(nil)

// RecordEvents implements hallpass.EventStore.
func (s *Store) RecordEvents(ctx context.Context, events []hallpass.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, e := range events {
		if _, exists := s.events[e.ID]; !exists {
			e.At = micro(e.At)
			s.events[e.ID] = e
		}
	}
	return nil
}

// Events implements hallpass.EventStore.
func (s *Store) Events(ctx context.Context, q hallpass.EventQuery) ([]hallpass.Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var found []hallpass.Event
	for _, e := range s.events {
		switch {
		case q.Kind != "" && e.Kind != q.Kind,
			q.Pass != "" && e.Pass != q.Pass,
			q.Reason != "" && e.Reason != q.Reason,
			q.Actor != "" && e.Actor != q.Actor,
			q.After != "" && e.ID >= q.After,
			e.ID < q.From:
		default:
			found = append(found, e)
		}
	}
	slices.SortFunc(found, func(a, b hallpass.Event) int { return strings.Compare(b.ID, a.ID) })
	return found[:min(len(found), q.Limit)], nil
}

// pruneEvents removes what a rule says.
func (s *Store) pruneEvents(p hallpass.PruneRule, done *hallpass.Pruned) {
	ids := make([]string, 0, len(s.events))
	for id := range s.events {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for n, id := range ids {
		if id < p.EventsBefore || p.KeepEvents > 0 && int64(len(ids)-n) > p.KeepEvents {
			delete(s.events, id)
			done.Events++
		}
	}
}
