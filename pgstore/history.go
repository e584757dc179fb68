package pgstore

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/hallpass-go/hallpass"
)

// RecordUses implements hallpass.History, in one transaction. Uses of weeks that
// were over before the store was made are in the partition for all others.
func (s *Store) RecordUses(ctx context.Context, uses []hallpass.Use) error {
	if len(uses) == 0 {
		return ctx.Err()
	}
	// In the order of their ids, so that no two calls wait for each other.
	sorted := slices.Clone(uses)
	slices.SortStableFunc(sorted, func(a, b hallpass.Use) int { return strings.Compare(encode(a.ID), encode(b.ID)) })
	return s.alone(ctx, "record uses", func(step func(*pgx.Batch) error) error {
		for chunk := range slices.Chunk(sorted, recordChunk) {
			var columns useColumnsOf
			for _, use := range chunk {
				use.At, use.Key = micro(use.At), ""
				columns.add(use)
			}
			var b pgx.Batch
			b.Queue(insertUsesText+` ON CONFLICT (id) DO NOTHING`, columns.args()...)
			if err := step(&b); err != nil {
				return err
			}
		}
		return nil
	})
}

// LowerQuota implements hallpass.History.
func (s *Store) LowerQuota(ctx context.Context, pass string, maxUses int64) (hallpass.Entry, error) {
	return s.changes.do(ctx, "lower a quota", change{pass, func(p *row) (*row, error) {
		if p == nil {
			return nil, hallpass.ErrNotFound
		}
		p.changed = p.CapUses(maxUses) || p.changed
		return p, nil
	}})
}
