package sqlitestore

import (
	"context"

	"github.com/hallpass-go/hallpass"
)

var _ hallpass.History = (*Store)(nil)

// RecordUses implements hallpass.History.
func (s *Store) RecordUses(ctx context.Context, uses []hallpass.Use) error {
	if len(uses) == 0 {
		return ctx.Err()
	}
	err := s.writes.transact(ctx, func(tx *writeTx) error {
		tx.ctx = context.WithoutCancel(ctx) // as in Record
		for _, use := range uses {
			if err := ctx.Err(); err != nil {
				return err
			}
			err := tx.exec(`INSERT INTO uses
				(id, pass, subject, at, client_ip, user_agent, method, path, status, state, key)
				VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL) ON CONFLICT (id) DO NOTHING`,
				use.ID, use.Pass, use.Subject, micro(use.At).UnixMicro(), use.ClientIP, use.UserAgent,
				use.Method, use.Path, use.Status, string(use.State))
			if err != nil {
				return err
			}
		}
		return nil
	})
	return unavailable(ctx, "record uses", err)
}

// LowerQuota implements hallpass.History.
func (s *Store) LowerQuota(ctx context.Context, pass string, maxUses int64) (hallpass.Entry, error) {
	return s.change(ctx, "lower a quota", pass, func(p *row) (*row, error) {
		if p == nil {
			return nil, hallpass.ErrNotFound
		}
		p.changed = p.CapUses(maxUses) || p.changed
		return p, nil
	})
}
