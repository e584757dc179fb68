package pgstore

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/group"
)

const cellColumns = `c.family, c.key, c.value, c.version, c.expires_at`

func scanCell(from pgx.CollectableRow) (c hallpass.Cell, err error) {
	var expires *int64
	err = from.Scan(&c.Group, &c.Key, &c.Value, &c.Version, &expires)
	decodeAll(&c.Group, &c.Key)
	c.ExpiresAt = timeOf(expires)
	return c, err
}

// Cell implements hallpass.CellStore.
func (s *Store) Cell(ctx context.Context, group, key string, now time.Time) (hallpass.Cell, error) {
	found, err := collect(ctx, s, scanCell, `SELECT `+cellColumns+` FROM hallpass_cells AS c
		WHERE c.family = $1 AND c.key = $2 AND (c.expires_at IS NULL OR c.expires_at > $3)`, encode(group), encode(key), now.UnixMicro())
	if err == nil && len(found) == 0 {
		err = hallpass.ErrNotFound
	}
	if err != nil {
		return hallpass.Cell{}, unavailable(ctx, "read a cell", err)
	}
	return found[0], nil
}

// Cells implements hallpass.CellStore. Whoever writes a version holds the lock of
// its group until the commit, so a reader who sees one sees all before it.
func (s *Store) Cells(ctx context.Context, group string, since uint64, now time.Time) ([]hallpass.Cell, error) {
	found, err := collect(ctx, s, scanCell, `SELECT `+cellColumns+` FROM hallpass_cells AS c
		WHERE c.family = $1 AND c.version > $2 AND (c.expires_at IS NULL OR c.expires_at > $3) ORDER BY c.version`,
		encode(group), int64(min(since, math.MaxInt64)), now.UnixMicro())
	return found, unavailable(ctx, "read cells", err)
}

// NewestCells implements hallpass.NewestCells.
func (s *Store) NewestCells(ctx context.Context, group string, before uint64, limit int, now time.Time) ([]hallpass.Cell, error) {
	found, err := collect(ctx, s, scanCell, `SELECT `+cellColumns+` FROM hallpass_cells AS c
		WHERE c.family = $1 AND c.version < $2 AND (c.expires_at IS NULL OR c.expires_at > $3) ORDER BY c.version DESC LIMIT $4`,
		encode(group), int64(min(before, math.MaxInt64)), now.UnixMicro(), limit)
	return found, unavailable(ctx, "read cells", err)
}

// cellItem is one caller's wish; one of its fields is set.
type cellItem struct {
	swap *hallpass.Cell
	add  *hallpass.Addition
	now  time.Time
}

func (i cellItem) name() cellName {
	if i.swap != nil {
		return cellName{i.swap.Group, i.swap.Key}
	}
	return cellName{i.add.Group, i.add.Key}
}

// cellDone is the answer to either.
type cellDone struct {
	cell  hallpass.Cell
	value int64
	added bool
}

// Swap implements hallpass.CellStore.
func (s *Store) Swap(ctx context.Context, c hallpass.Cell, now time.Time) (hallpass.Cell, error) {
	out, err := laneOf(s, s.cells, c.Group).do(ctx, "swap", cellItem{swap: &c, now: now})
	if err == nil {
		s.announce(c.Group)
	}
	return out.cell, err
}

// Add implements hallpass.CellStore. A counter is a cell whose value is its
// decimal text.
func (s *Store) Add(ctx context.Context, a hallpass.Addition, now time.Time) (value int64, added bool, err error) {
	out, err := laneOf(s, s.cells, a.Group).do(ctx, "add", cellItem{add: &a, now: now})
	return out.value, out.added, err
}

type cellName struct{ group, key string }

// cellTurn is a turn of writes to cells. What a cell held is gone when the next
// write comes, so the transaction leaves its number with the lane.
type cellTurn struct {
	store  *Store
	items  []cellItem
	marker marker

	versions map[string]uint64
	cells    map[cellName]hallpass.Cell
	written  map[cellName]bool
}

func newCellTurn(l *lane[cellItem, cellDone], items []cellItem) turn[cellDone] {
	l.turns++
	return &cellTurn{
		store: l.store, items: items, marker: marker{lane: l.id, turn: l.turns},
		versions: map[string]uint64{}, cells: map[cellName]hallpass.Cell{}, written: map[cellName]bool{},
	}
}

func (t *cellTurn) ask(b *pgx.Batch, look bool) {
	var families, groups, keys, fresh []string
	for _, item := range t.items {
		name := item.name()
		families = append(families, encode(name.group))
		groups, keys = append(groups, encode(name.group)), append(keys, encode(name.key))
	}
	families = unique(families)
	for _, f := range families {
		if _, known := t.store.families.Load(f); !known || look {
			fresh = append(fresh, f)
		}
	}
	if len(fresh) > 0 {
		b.Queue(`INSERT INTO hallpass_cell_groups (family, version) SELECT f, 0 FROM unnest($1::text[]) AS f
			ORDER BY f ON CONFLICT (family) DO NOTHING`, fresh)
	}
	b.Queue(`SELECT family, version FROM hallpass_cell_groups WHERE family = ANY($1) ORDER BY family FOR UPDATE`,
		families).Query(func(rows pgx.Rows) error {
		var family string
		var version uint64
		_, err := pgx.ForEachRow(rows, []any{&family, &version}, func() error {
			t.versions[decode(family)] = version
			return nil
		})
		return err
	})
	b.Queue(`SELECT `+cellColumns+` FROM unnest($1::text[], $2::text[]) AS w (family, key)
		JOIN hallpass_cells AS c ON c.family = w.family AND c.key = w.key`, groups, keys).Query(func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, scanCell)
		for _, c := range found {
			t.cells[cellName{c.Group, c.Key}] = c
		}
		return err
	})
	t.marker.ask(b, look)
}

func (t *cellTurn) wrote(earlier turn[cellDone]) bool {
	return t.marker.last == earlier.(*cellTurn).marker.turn
}

func (t *cellTurn) decide(b *pgx.Batch) ([]group.Result[cellDone], bool, error) {
	results := make([]group.Result[cellDone], len(t.items))
	for i, item := range t.items {
		name := item.name()
		if _, locked := t.versions[name.group]; !locked {
			// The row was there once: a failover lost it.
			t.store.families.Delete(encode(name.group))
			return nil, false, errLostGroup
		}
		c, there := t.cells[name]
		if there && over(c.ExpiresAt, item.now) {
			c, there = hallpass.Cell{}, false
		}
		if item.swap != nil {
			// An absent cell has version 0, which is what the caller names for "none".
			if c.Version != item.swap.Version {
				results[i].Err = hallpass.ErrConflict
				continue
			}
			results[i].Value.cell = t.write(*item.swap)
			continue
		}
		results[i] = t.add(*item.add, c, there, item.now)
	}
	if len(t.written) > 0 {
		t.save(b)
		t.marker.leave(b)
	}
	return results, false, nil
}

// errLostGroup makes the turn begin again; see isPassing.
var errLostGroup = fmt.Errorf("the row of a group of cells has gone")

func (t *cellTurn) add(a hallpass.Addition, c hallpass.Cell, there bool, now time.Time) (result group.Result[cellDone]) {
	if !there {
		c = hallpass.Cell{Group: a.Group, Key: a.Key}
		if a.Window > 0 {
			c.ExpiresAt = now.Add(a.Window)
		}
	} else {
		value, err := strconv.ParseInt(string(c.Value), 10, 64)
		if err != nil {
			result.Err = fmt.Errorf("%w: the cell is no counter", hallpass.ErrConflict)
			return result
		}
		result.Value.value = value
	}
	sum := result.Value.value + a.Delta
	if sum < result.Value.value || (a.Limit > 0 && sum > a.Limit) {
		return result
	}
	result.Value.value, result.Value.added = sum, true
	c.Value = strconv.AppendInt(nil, sum, 10)
	t.write(c)
	return result
}

// write puts the cell under the next version of its group.
func (t *cellTurn) write(c hallpass.Cell) hallpass.Cell {
	t.versions[c.Group]++
	c.Version = t.versions[c.Group]
	c.ExpiresAt = micro(c.ExpiresAt)
	c.Value = slices.Clone(c.Value)
	name := cellName{c.Group, c.Key}
	t.cells[name], t.written[name] = c, true
	c.Value = slices.Clone(c.Value)
	return c
}

// save queues what each cell is in the end: nobody saw what it was between.
func (t *cellTurn) save(b *pgx.Batch) {
	var groups, keys, families []string
	var values [][]byte
	var versions, newest []int64
	var ends []*int64
	for name := range t.written {
		c := t.cells[name]
		groups, keys, families = append(groups, encode(c.Group)), append(keys, encode(c.Key)), append(families, encode(c.Group))
		values = append(values, append([]byte{}, c.Value...))
		versions, ends = append(versions, int64(c.Version)), append(ends, nullMicros(c.ExpiresAt))
	}
	families = unique(families)
	for _, f := range families {
		newest = append(newest, int64(t.versions[decode(f)]))
		t.store.families.Store(f, true)
	}
	b.Queue(`INSERT INTO hallpass_cells (family, key, value, version, expires_at)
		SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[], $4::bigint[], $5::bigint[])
		ON CONFLICT (family, key) DO UPDATE SET value = excluded.value, version = excluded.version, expires_at = excluded.expires_at`,
		groups, keys, values, versions, ends)
	b.Queue(`UPDATE hallpass_cell_groups AS g SET version = v.version
		FROM unnest($1::text[], $2::bigint[]) AS v (family, version) WHERE g.family = v.family`, families, newest)
}
