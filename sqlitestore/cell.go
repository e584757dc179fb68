package sqlitestore

import (
	"context"
	"database/sql"
	"fmt"
	"math"
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

var _ hallpass.NewestCells = (*Store)(nil)

// NewestCells implements hallpass.NewestCells.
func (s *Store) NewestCells(ctx context.Context, group string, before uint64, limit int, now time.Time) ([]hallpass.Cell, error) {
	rows, err := s.reads.QueryContext(ctx, `SELECT `+cellColumns+` FROM cells
		WHERE family = ?1 AND version < ?2 AND (expires_at IS NULL OR expires_at > ?3) ORDER BY version DESC LIMIT ?4`,
		group, int64(min(before, math.MaxInt64)), now.UnixMicro(), limit)
	found, err := collect(rows, err, scanCell)
	return found, unavailable(ctx, "read cells", err)
}

// Swap implements hallpass.CellStore.
func (s *Store) Swap(ctx context.Context, c hallpass.Cell, now time.Time) (hallpass.Cell, error) {
	c.ExpiresAt = micro(c.ExpiresAt)
	var written hallpass.Cell
	_, err := s.do(ctx, "swap", write{step: func(tx *writeTx) error {
		version, err := tx.nextVersion()
		if err != nil {
			return err
		}
		changed, err := tx.count(swapText(c.Version), c.Group, c.Key, blob(c.Value), version, nullMicros(c.ExpiresAt), now.UnixMicro(), int64(c.Version))
		if err == nil && changed == 0 {
			err = hallpass.ErrConflict
		}
		written = c
		written.Version = uint64(version)
		return err
	}})
	if err != nil {
		return hallpass.Cell{}, err
	}
	return written, nil
}

// swapText compares and writes in one statement. An absent cell has version 0,
// which is what the caller names for "none"; one that is over is absent.
func swapText(version uint64) string {
	if version == 0 {
		return `INSERT INTO cells (` + cellColumns + `) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE
			SET value = excluded.value, version = excluded.version, expires_at = excluded.expires_at
			WHERE cells.expires_at <= ?6 AND ?7 = 0`
	}
	return `UPDATE cells SET value = ?3, version = ?4, expires_at = ?5
		WHERE family = ?1 AND key = ?2 AND version = ?7 AND (expires_at IS NULL OR expires_at > ?6)`
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
		return tx.writeCell(c)
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

// nextVersion is the version of the next cell that is written.
func (tx *writeTx) nextVersion() (int64, error) {
	if !tx.versionMoved {
		rows, err := tx.query(`SELECT version FROM cell_version`)
		versions, err := collect(rows, err, func(rows *sql.Rows) (v int64, err error) { return v, rows.Scan(&v) })
		if err != nil {
			return 0, err
		}
		tx.version, tx.versionMoved = versions[0], true
	}
	tx.version++
	return tx.version, nil
}

// writeCell writes the cell under the next version, whatever was there.
func (tx *writeTx) writeCell(c hallpass.Cell) error {
	version, err := tx.nextVersion()
	if err != nil {
		return err
	}
	return tx.exec(`INSERT INTO cells (`+cellColumns+`) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
		SET value = excluded.value, version = excluded.version, expires_at = excluded.expires_at`,
		c.Group, c.Key, blob(c.Value), version, nullMicros(c.ExpiresAt))
}

// blob is a value as a column that cannot be null.
func blob(value []byte) []byte {
	if value == nil {
		return []byte{}
	}
	return value
}
