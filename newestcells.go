package hallpass

import (
	"context"
	"slices"
	"time"
)

// NewestCells is what a store can offer beyond Store: a group read from its end, so
// that the last of very many cells are found without the others. Without it the whole
// group is read. All stores of ours have it; package storetest tests it.
type NewestCells interface {
	// NewestCells returns the group's cells that are not over at now and have a
	// Version below before, in falling order of Version, at most limit, which is at
	// least 1.
	NewestCells(ctx context.Context, group string, before uint64, limit int, now time.Time) ([]Cell, error)
}

// newestCells asks the store, or what it wraps, and else reads the whole group.
func newestCells(ctx context.Context, store Store, group string, before uint64, limit int, now time.Time) ([]Cell, error) {
	if newest, ok := asStore[NewestCells](store); ok {
		return newest.NewestCells(ctx, group, before, limit, now)
	}
	cells, err := store.Cells(ctx, group, 0, now)
	if err != nil {
		return nil, err
	}
	slices.Reverse(cells)
	cells = slices.DeleteFunc(cells, func(c Cell) bool { return c.Version >= before })
	return cells[:min(limit, len(cells))], nil
}
