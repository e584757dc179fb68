package sqlitestore

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"time"

	"github.com/hallpass-go/hallpass"
)

const cellColumns = `family, key, value, version, expires_at`

func scanCell(rows *sql.Rows) (c hallpass.Cell, err error) {
	err = rows.Scan(&c.Group, &c.Key, &c.Value, &c.Version, micros{&c.ExpiresAt})
	return c, err
}

// Cell implements hallpass.CellStore.
func (s *Store) Cell(ctx context.Context, group, key string, now time.Time) (hallpass.Cell, error) {
	rows, err := s.reads.QueryContext(ctx, `SELECT `+cellColumns+` FROM cells
		WHERE family = ?1 AND key = ?2 AND (expires_at IS NULL OR expires_at > ?3)`, group, key, now.UnixMicro())
	found, err := collect(rows, err, scanCell)
	if err == nil && len(found) == 0 {
		err = hallpass.ErrNotFound
	}
	if err != nil {
		return hallpass.Cell{}, unavailable(ctx, "read a cell", err)
	}
	return found[0], nil
}

// Cells implements hallpass.CellStore. SQLite commits one transaction after the
// other, so versions become visible in their order.
func (s *Store) Cells(ctx context.Context, group string, since uint64, now time.Time) ([]hallpass.Cell, error) {
	rows, err := s.reads.QueryContext(ctx, `SELECT `+cellColumns+` FROM cells
		WHERE family = ?1 AND version > ?2 AND (expires_at IS NULL OR expires_at > ?3) ORDER BY version`,
		group, int64(since), now.UnixMicro())
	found, err := collect(rows, err, scanCell)
	return found, unavailable(ctx, "read cells", err)
}

// Swap implements hallpass.CellStore.
func (s *Store) Swap(ctx context.Context, c hallpass.Cell, now time.Time) (hallpass.Cell, error) {
	var written hallpass.Cell
	_, err := s.do(ctx, "swap", write{step: func(tx *writeTx) error {
		// An absent cell has version 0, which is what the caller names for "none".
		old, err := tx.cell(c.Group, c.Key, now)
		switch {
		case err != nil:
			return err
		case old.Version != c.Version:
			return hallpass.ErrConflict
		}
		written, err = tx.writeCell(c)
		return err
	}})
	if err != nil {
		return hallpass.Cell{}, err
	}
	return written, nil
}

// Add implements hallpass.CellStore. A counter is a cell whose value is its
// decimal text.
func (s *Store) Add(ctx context.Context, a hallpass.Addition, now time.Time) (value int64, added bool, err error) {
	_, err = s.do(ctx, "add", write{step: func(tx *writeTx) error {
		value, added = 0, false
		c, err := tx.cell(a.Group, a.Key, now)
		switch {
		case err != nil:
			return err
		case c.Version == 0:
			c = hallpass.Cell{Group: a.Group, Key: a.Key}
			if a.Window > 0 {
				c.ExpiresAt = now.Add(a.Window)
			}
		default:
			if value, err = strconv.ParseInt(string(c.Value), 10, 64); err != nil {
				value = 0
				return fmt.Errorf("%w: the cell is no counter", hallpass.ErrConflict)
			}
		}
		sum := value + a.Delta
		if sum < value || (a.Limit > 0 && sum > a.Limit) {
			return nil
		}
		value, added = sum, true
		c.Value = strconv.AppendInt(nil, sum, 10)
		_, err = tx.writeCell(c)
		return err
	}})
	if err != nil {
		return 0, false, err
	}
	return value, added, nil
}

// cell reads the cell, or the zero cell when it is absent or over at now.
func (tx *writeTx) cell(group, key string, now time.Time) (hallpass.Cell, error) {
	rows, err := tx.query(`SELECT `+cellColumns+` FROM cells
		WHERE family = ?1 AND key = ?2 AND (expires_at IS NULL OR expires_at > ?3)`, group, key, now.UnixMicro())
	found, err := collect(rows, err, scanCell)
	if err != nil || len(found) == 0 {
		return hallpass.Cell{}, err
	}
	return found[0], nil
}

// writeCell writes the cell under the next version.
func (tx *writeTx) writeCell(c hallpass.Cell) (hallpass.Cell, error) {
	rows, err := tx.query(`UPDATE cell_version SET version = version + 1 RETURNING version`)
	versions, err := collect(rows, err, func(rows *sql.Rows) (v uint64, err error) { return v, rows.Scan(&v) })
	if err != nil {
		return hallpass.Cell{}, err
	}
	c.Version = versions[0]
	c.ExpiresAt = micro(c.ExpiresAt)
	value := c.Value
	if value == nil {
		value = []byte{}
	}
	return c, tx.exec(`INSERT INTO cells (`+cellColumns+`) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
		SET value = excluded.value, version = excluded.version, expires_at = excluded.expires_at`,
		c.Group, c.Key, value, int64(c.Version), nullMicros(c.ExpiresAt))
}
