package redisstore

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hallpass-go/hallpass"
)

// groupNames remembers the groups of cells that this process has entered in the
// list that Prune reads, for a while.
type groupNames struct {
	mu    sync.Mutex
	until map[string]time.Time
}

const (
	groupNamesLife = 10 * time.Minute
	groupNamesMost = 10_000
)

// nameGroup enters the group in the list before its first cell.
func (s *Store) nameGroup(ctx context.Context, group string) error {
	now := time.Now()
	s.groups.mu.Lock()
	until, entered := s.groups.until[group]
	s.groups.mu.Unlock()
	if now.Before(until) {
		return nil
	}
	// The list is in one slot. Who has entered a group before goes on without it.
	_, err := s.run(ctx, "name a group", call{word: "SADD", keys: []string{s.keys.groups()}, args: []string{group}})
	if err != nil && (!entered || ctx.Err() != nil) {
		return err
	}
	s.groups.mu.Lock()
	defer s.groups.mu.Unlock()
	if s.groups.until == nil || (!entered && len(s.groups.until) >= groupNamesMost) {
		s.groups.until = make(map[string]time.Time)
	}
	s.groups.until[group] = now.Add(groupNamesLife)
	return nil
}

// versionFloor is the lowest version a write at now may get. A replica that takes
// over may not have seen the newest versions, and would give them again to other
// cells, which readers who remember them would miss; by the clock it does not. Up
// to 32,000 writes a second on average the clock leads, and until the year 9999 a
// version is exact as Redis keeps it.
func versionFloor(now time.Time) string {
	return strconv.FormatInt(max(1, now.UnixMilli()*32), 10)
}

// Cell implements hallpass.CellStore.
func (s *Store) Cell(ctx context.Context, group, key string, now time.Time) (hallpass.Cell, error) {
	answer, err := s.run(ctx, "read a cell", call{
		word: "HGET", keys: []string{s.keys.group(group).cells}, args: []string{key}, read: true,
	})
	if err != nil {
		return hallpass.Cell{}, err
	}
	if len(answer) == 0 {
		return hallpass.Cell{}, hallpass.ErrNotFound
	}
	c, err := cellOf(group, key, answer[0])
	switch {
	case err != nil:
		return hallpass.Cell{}, unavailable("read a cell", err)
	case over(c.ExpiresAt, now):
		return hallpass.Cell{}, hallpass.ErrNotFound
	}
	return c, nil
}

// cellOf reads "version|end|value".
func cellOf(group, key, text string) (hallpass.Cell, error) {
	version, rest, _ := strings.Cut(text, "|")
	end, value, found := strings.Cut(rest, "|")
	n, err := strconv.ParseUint(version, 10, 64)
	ends, err2 := parseStamp(end)
	if err := errors.Join(err, err2); err != nil || !found {
		return hallpass.Cell{}, errDamaged
	}
	return hallpass.Cell{Group: group, Key: key, Value: []byte(value), Version: n, ExpiresAt: ends}, nil
}

// Swap implements hallpass.CellStore.
func (s *Store) Swap(ctx context.Context, c hallpass.Cell, now time.Time) (hallpass.Cell, error) {
	if err := s.nameGroup(ctx, c.Group); err != nil {
		return hallpass.Cell{}, err
	}
	g := s.keys.group(c.Group)
	c.ExpiresAt = micro(c.ExpiresAt)
	word, channel := s.callOut(g)
	answer, err := s.run(ctx, "swap", call{
		script: swapScript, keys: append(g.all(), g.mark+nonce(), channel),
		args: []string{
			c.Key, strconv.FormatUint(c.Version, 10), stamp(c.ExpiresAt), string(c.Value), position(now), versionFloor(now),
			markMillis(), word, c.Group,
		},
	})
	if err != nil {
		return hallpass.Cell{}, err
	}
	if len(answer) == 1 && answer[0] == "conflict" {
		return hallpass.Cell{}, hallpass.ErrConflict
	}
	if len(answer) != 2 {
		return hallpass.Cell{}, unavailable("swap", errDamaged)
	}
	if c.Version, err = strconv.ParseUint(answer[1], 10, 64); err != nil {
		return hallpass.Cell{}, unavailable("swap", errDamaged)
	}
	c.Value = slices.Clone(c.Value)
	return c, nil
}

// Add implements hallpass.CellStore. A counter is a cell whose value is its
// decimal text.
func (s *Store) Add(ctx context.Context, a hallpass.Addition, now time.Time) (value int64, added bool, err error) {
	if err := s.nameGroup(ctx, a.Group); err != nil {
		return 0, false, err
	}
	g := s.keys.group(a.Group)
	end := ""
	if a.Window > 0 {
		end = stamp(now.Add(a.Window))
	}
	answer, err := s.run(ctx, "add", call{
		script: addScript, keys: append(g.all(), g.mark+nonce()),
		args: []string{
			a.Key, strconv.FormatInt(a.Delta, 10), strconv.FormatInt(max(0, a.Limit), 10), end, position(now), versionFloor(now),
			markMillis(),
		},
	})
	if err != nil {
		return 0, false, err
	}
	if len(answer) == 1 && answer[0] == "conflict" {
		return 0, false, hallpass.ErrConflict
	}
	if len(answer) != 2 {
		return 0, false, unavailable("add", errDamaged)
	}
	if value, err = strconv.ParseInt(answer[1], 10, 64); err != nil {
		return 0, false, unavailable("add", errDamaged)
	}
	return value, answer[0] == "ok", nil
}

// cellsPage is how many cells one script reads of a feed.
const cellsPage = 500

// Cells implements hallpass.CellStore. A long feed is read in pages; a cell that
// was written meanwhile stands in it once, with its newest version.
func (s *Store) Cells(ctx context.Context, group string, since uint64, now time.Time) ([]hallpass.Cell, error) {
	var found []hallpass.Cell
	at := make(map[string]int)
	for {
		cells, err := s.cellsOf(ctx, cellsScript, group, since)
		if err != nil {
			return nil, err
		}
		for _, c := range cells {
			since = c.Version
			if earlier, seen := at[c.Key]; seen {
				found[earlier].Version = 0
			}
			at[c.Key] = len(found)
			found = append(found, c)
		}
		if len(cells) < cellsPage {
			break
		}
	}
	return slices.DeleteFunc(found, func(c hallpass.Cell) bool {
		return c.Version == 0 || over(c.ExpiresAt, now)
	}), nil
}

// NewestCells implements hallpass.NewestCells. A cell that is written meanwhile may be
// missing: it is newer than all that are read.
func (s *Store) NewestCells(ctx context.Context, group string, before uint64, limit int, now time.Time) ([]hallpass.Cell, error) {
	var found []hallpass.Cell
	for {
		cells, err := s.cellsOf(ctx, newestCellsScript, group, before)
		if err != nil {
			return nil, err
		}
		for _, c := range cells {
			if before = c.Version; !over(c.ExpiresAt, now) {
				found = append(found, c)
			}
			if len(found) == limit {
				return found, nil
			}
		}
		if len(cells) < cellsPage {
			return found, nil
		}
	}
}

// cellsOf reads a page of a feed from a version on, in the script's direction.
func (s *Store) cellsOf(ctx context.Context, by *script, group string, from uint64) ([]hallpass.Cell, error) {
	g := s.keys.group(group)
	answer, err := s.run(ctx, "read cells", call{
		script: by, keys: []string{g.cells, g.feed},
		args: []string{strconv.FormatUint(from, 10), strconv.Itoa(cellsPage)}, read: true,
	})
	if err != nil {
		return nil, err
	}
	cells := make([]hallpass.Cell, 0, len(answer)/2)
	for pair := range slices.Chunk(answer, 2) {
		if len(pair) < 2 {
			return nil, unavailable("read cells", errDamaged)
		}
		c, err := cellOf(group, pair[0], pair[1])
		if err != nil {
			return nil, unavailable("read cells", err)
		}
		cells = append(cells, c)
	}
	return cells, nil
}
