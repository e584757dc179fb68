package sqlitestore

import (
	"context"
	"database/sql"
	"time"

	"github.com/hallpass-go/hallpass"
)

// Record implements hallpass.PassStore.
func (s *Store) Record(ctx context.Context, entries []hallpass.Entry) error {
	if len(entries) == 0 {
		return ctx.Err()
	}
	err := s.writes.transact(ctx, func(tx *writeTx) error {
		// Looking at ctx here is cheaper than having the driver watch it for each row.
		tx.ctx = context.WithoutCancel(ctx)
		for i := range entries {
			if err := ctx.Err(); err != nil {
				return err
			}
			if _, err := tx.insertPass(&entries[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return unavailable(ctx, "record", err)
}

// insertPass writes a new row, or reports false where the pass has one.
func (tx *writeTx) insertPass(e *hallpass.Entry) (bool, error) {
	grants, err := encodeGrants(e.Grants)
	if err != nil {
		return false, err
	}
	s, err := tx.statement(`INSERT INTO passes
		(id, scope, mode, subject, data, grants, recipient, batch, target, issued_at, not_before, recorded, key, browser)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`)
	if err != nil {
		return false, err
	}
	result, err := s.ExecContext(tx.ctx, e.ID, string(e.Scope), string(e.Mode), e.Subject,
		sql.NullString{String: string(e.Data), Valid: len(e.Data) > 0}, grants,
		e.Recipient, e.Batch, e.Target, e.IssuedAt.UnixMicro(), nullMicros(e.NotBefore), e.Recorded, e.Key, e.Browser)
	if err != nil {
		return false, err
	}
	if rows, err := result.RowsAffected(); err != nil || rows == 0 {
		return false, err
	}
	n, err := result.LastInsertId()
	if err != nil {
		return false, err
	}
	return true, tx.exec(`INSERT INTO counters VALUES (?, ?, ?, ?, ?, ?, ?)`,
		n, e.MaxUses, e.Used, e.Refunds, nullMicros(e.RevokedAt), nullMicros(e.ExpiresAt), nullMicros(e.KeepUntil))
}

// change runs f on the row of a pass, nil if it has none, and saves what f
// returns. An answer of f leaves everything as it is.
func (s *Store) change(ctx context.Context, what, id string, f func(p *row) (*row, error)) (hallpass.Entry, error) {
	var after hallpass.Entry
	_, err := s.do(ctx, what, write{step: func(tx *writeTx) error {
		passes, err := tx.passes(textList{id})
		if err != nil {
			return err
		}
		p, err := f(passes[id])
		if err != nil {
			return err
		}
		after = p.own()
		if !p.changed {
			return nil
		}
		return tx.save(p)
	}})
	return after, err
}

// RevokePass implements hallpass.PassStore.
func (s *Store) RevokePass(ctx context.Context, tombstone hallpass.Entry, now time.Time) (hallpass.Entry, error) {
	return s.change(ctx, "revoke", tombstone.ID, func(p *row) (*row, error) {
		if p == nil {
			p = newRow(tombstone)
			p.RevokedAt = time.Time{}
		}
		p.changed = p.MarkRevoked(now) || p.changed
		return p, nil
	})
}

// Amend implements hallpass.PassStore.
func (s *Store) Amend(ctx context.Context, a hallpass.Amendment) (hallpass.Entry, error) {
	return s.change(ctx, "amend", a.Pass, func(p *row) (*row, error) {
		if p == nil {
			return nil, hallpass.ErrNotFound
		}
		p.changed = a.Apply(&p.Entry) || p.changed
		return p, nil
	})
}
