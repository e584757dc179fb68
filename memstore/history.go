package memstore

import (
	"context"

	"github.com/hallpass-go/hallpass"
)

var _ hallpass.History = (*Store)(nil)

// RecordUses implements hallpass.History.
func (s *Store) RecordUses(ctx context.Context, uses []hallpass.Use) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, use := range uses {
		if _, exists := s.uses[use.ID]; !exists {
			use.At, use.Key = micro(use.At), ""
			s.uses[use.ID] = &use
		}
	}
	return nil
}

// LowerQuota implements hallpass.History.
func (s *Store) LowerQuota(ctx context.Context, pass string, maxUses int64) (hallpass.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return hallpass.Entry{}, err
	}
	e, exists := s.passes[pass]
	if !exists {
		return hallpass.Entry{}, hallpass.ErrNotFound
	}
	e.CapUses(maxUses)
	return *stored(*e), nil
}
