package memstore

import (
	"context"
	"slices"
	"strings"

	"github.com/hallpass-go/hallpass"
)

// Reserve implements hallpass.PassStore.
func (s *Store) Reserve(ctx context.Context, r hallpass.Reservation) (hallpass.Reserved, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return hallpass.Reserved{}, err
	}
	e, exists := s.passes[r.Pass.ID]
	if !exists {
		if r.Pass.Recorded {
			return hallpass.Reserved{}, hallpass.RefusalUnknownPass
		}
		e = stored(hallpass.Entry{Pass: r.Pass, KeepUntil: r.KeepUntil})
	}
	if !e.RevokedAt.IsZero() {
		return hallpass.Reserved{}, hallpass.RefusalRevoked
	}
	if earlier, seen := s.keys[useKey{e.ID, r.Use.Key}]; seen && r.Use.Key != "" {
		return hallpass.Reserved{Entry: *stored(*e), Use: *s.uses[earlier], Duplicate: true}, nil
	}
	if left, limited := e.UsesLeft(); limited && left == 0 {
		return hallpass.Reserved{}, hallpass.RefusalSpent
	}
	if _, taken := s.uses[r.Use.ID]; taken {
		return hallpass.Reserved{}, hallpass.ErrConflict
	}

	use := r.Use
	use.Pass = e.ID
	use.At = micro(use.At)
	s.uses[use.ID] = &use
	if use.Key != "" {
		s.keys[useKey{use.Pass, use.Key}] = use.ID
	}
	e.Used++
	s.passes[e.ID] = e
	return hallpass.Reserved{Entry: *stored(*e), Use: use}, nil
}

// Settle implements hallpass.PassStore.
func (s *Store) Settle(ctx context.Context, end hallpass.Settlement) (hallpass.Use, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return hallpass.Use{}, err
	}
	use, exists := s.uses[end.Use]
	if !exists || use.Pass != end.Pass {
		return hallpass.Use{}, hallpass.ErrNotFound
	}
	key := useKey{use.Pass, use.Key}
	if end.Apply(use, s.passes[use.Pass]) && use.State == hallpass.UseRefunded {
		delete(s.keys, key)
	}
	return *use, nil
}

// release makes the use's key free for another use.
func (s *Store) release(use *hallpass.Use) {
	if use.Key != "" {
		delete(s.keys, useKey{use.Pass, use.Key})
		use.Key = ""
	}
}

// Uses implements hallpass.PassStore.
func (s *Store) Uses(ctx context.Context, q hallpass.UseQuery) ([]hallpass.Use, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var found []hallpass.Use
	for _, use := range s.uses {
		if (q.Pass == "" || use.Pass == q.Pass) && (q.After == "" || use.ID < q.After) {
			found = append(found, *use)
		}
	}
	slices.SortFunc(found, func(a, b hallpass.Use) int { return strings.Compare(b.ID, a.ID) })
	return found[:min(len(found), q.Limit)], nil
}
