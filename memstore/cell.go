package memstore

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/hallpass-go/hallpass"
)

// Cell implements hallpass.CellStore.
func (s *Store) Cell(ctx context.Context, group, key string, now time.Time) (hallpass.Cell, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return hallpass.Cell{}, err
	}
	c, live := s.live(group, key, now)
	if !live {
		return hallpass.Cell{}, hallpass.ErrNotFound
	}
	return c, nil
}

// Swap implements hallpass.CellStore.
func (s *Store) Swap(ctx context.Context, c hallpass.Cell, now time.Time) (hallpass.Cell, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return hallpass.Cell{}, err
	}
	// An absent cell has version 0, which is what the caller names for "none".
	if old, _ := s.live(c.Group, c.Key, now); old.Version != c.Version {
		return hallpass.Cell{}, hallpass.ErrConflict
	}
	return s.write(c), nil
}

// Add implements hallpass.CellStore. A counter is a cell whose value is its
// decimal text.
func (s *Store) Add(ctx context.Context, a hallpass.Addition, now time.Time) (value int64, added bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return 0, false, err
	}
	c, live := s.live(a.Group, a.Key, now)
	if live {
		if value, err = strconv.ParseInt(string(c.Value), 10, 64); err != nil {
			return 0, false, fmt.Errorf("%w: the cell is no counter", hallpass.ErrConflict)
		}
	} else {
		c = hallpass.Cell{Group: a.Group, Key: a.Key}
		if a.Window > 0 {
			c.ExpiresAt = now.Add(a.Window)
		}
	}
	sum := value + a.Delta
	if sum < value || (a.Limit > 0 && sum > a.Limit) {
		return value, false, nil
	}
	c.Value = strconv.AppendInt(nil, sum, 10)
	s.write(c)
	return sum, true, nil
}

// Cells implements hallpass.CellStore.
func (s *Store) Cells(ctx context.Context, group string, since uint64, now time.Time) ([]hallpass.Cell, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var found []hallpass.Cell
	for name := range s.cells {
		if name.group != group {
			continue
		}
		if c, live := s.live(group, name.key, now); live && c.Version > since {
			found = append(found, c)
		}
	}
	slices.SortFunc(found, func(a, b hallpass.Cell) int { return cmp.Compare(a.Version, b.Version) })
	return found, nil
}

var _ hallpass.NewestCells = (*Store)(nil)

// NewestCells implements hallpass.NewestCells.
func (s *Store) NewestCells(ctx context.Context, group string, before uint64, limit int, now time.Time) ([]hallpass.Cell, error) {
	cells, err := s.Cells(ctx, group, 0, now)
	slices.Reverse(cells)
	cells = slices.DeleteFunc(cells, func(c hallpass.Cell) bool { return c.Version >= before })
	return cells[:min(limit, len(cells))], err
}

// live returns a copy of the cell unless it is absent or over at now.
func (s *Store) live(group, key string, now time.Time) (hallpass.Cell, bool) {
	c, exists := s.cells[cellName{group, key}]
	if !exists || over(c.ExpiresAt, now) {
		return hallpass.Cell{}, false
	}
	c.Value = bytes.Clone(c.Value)
	return c, true
}

func (s *Store) write(c hallpass.Cell) hallpass.Cell {
	s.version++
	c.Version = s.version
	c.ExpiresAt = micro(c.ExpiresAt)
	kept := c
	kept.Value = bytes.Clone(c.Value)
	s.cells[cellName{c.Group, c.Key}] = kept
	return c
}
