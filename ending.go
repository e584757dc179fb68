package hallpass

import (
	"context"
	"slices"
	"time"
)

// EndingStore is what a store can offer besides: passes by when they end. One that is
// an IndexedStore too is asked only where it names "expires_at". Package storetest
// tests it where it is there.
type EndingStore interface {
	// EndingEntries returns rows whose ExpiresAt is since or later and before until, the
	// soonest end first, at most limit, which is at least 1.
	EndingEntries(ctx context.Context, since, until time.Time, limit int) ([]Entry, error)
}

// EndingPage is the passes that end soon, the soonest first.
type EndingPage struct {
	Entries []Entry
	// More says that there may be others: more than were asked for, or some that were
	// not looked at.
	More bool
	// Indexed says that the soonest of all were found. Else only the newest passes were
	// looked through; an index on expires_at makes it so.
	Indexed bool
}

// Ending returns up to limit passes that work now and end before until, with group
// revocations applied. Its errors are *FieldError and ErrUnavailable.
func (i *Issuer) Ending(ctx context.Context, until time.Time, limit int) (EndingPage, error) {
	store, err := i.store()
	if err != nil {
		return EndingPage{}, err
	}
	if limit, err = pageSize(limit); err != nil {
		return EndingPage{}, err
	}
	ending, err := endingStore(ctx, store)
	if err != nil {
		return EndingPage{}, err
	}
	if ending == nil {
		page, err := i.Entries(ctx, EntryFilter{State: StateActive, ExpiringBefore: until, Limit: limit})
		slices.SortStableFunc(page.Entries, func(a, b Entry) int { return a.ExpiresAt.Compare(b.ExpiresAt) })
		return EndingPage{Entries: page.Entries, More: page.Next != ""}, err
	}
	now := i.Now()
	rows, err := ending.EndingEntries(ctx, now, until, MaxPage)
	if err != nil {
		return EndingPage{}, storeError(ctx, "the passes could not be listed", err)
	}
	page := EndingPage{Indexed: true, More: len(rows) == MaxPage}
	for _, row := range rows {
		if err := i.overlay(ctx, &row); err != nil {
			return EndingPage{}, err
		}
		if row.State(now) != StateActive {
			continue
		}
		if len(page.Entries) == limit {
			page.More = true
			break
		}
		page.Entries = append(page.Entries, row)
	}
	return page, nil
}

// endingStore is the store, or what it wraps, where it finds ends quickly; else nil.
func endingStore(ctx context.Context, store Store) (EndingStore, error) {
	ending, can := asStore[EndingStore](store)
	if indexed, says := asStore[IndexedStore](store); can && says {
		there, err := indexed.Indexes(ctx)
		if err != nil {
			return nil, storeError(ctx, "the passes could not be listed", err)
		}
		can = slices.Contains(there, "expires_at")
	}
	if !can {
		return nil, nil
	}
	return ending, nil
}
