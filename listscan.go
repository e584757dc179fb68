package hallpass

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"
)

// scanLimit is how many rows are looked at for one page, where no index finds them.
const scanLimit = 5_000

// scanTime is how long is looked for one page: a page that says where to go on is
// better than one that does not come. At least one piece is always read.
const scanTime = 100 * time.Millisecond

// IndexedStore is what a Store can be besides: one that says by which of "subject",
// "recipient" and "expires_at" it finds passes without reading them all. Of a store that does not
// say, neither is expected.
type IndexedStore interface {
	Indexes(ctx context.Context) ([]string, error)
}

// entryScan reads passes that fit a filter.
type entryScan struct {
	issuer *Issuer
	store  Store
	filter EntryFilter
	now    time.Time
	want   int
}

// sieves reports whether the store's answer has to be sorted out.
func (s entryScan) sieves() bool {
	return s.filter.State != "" || s.filter.Recipient != "" || !s.filter.ExpiringBefore.IsZero()
}

func (s entryScan) fits(e Entry) bool {
	f := s.filter
	return (f.State == "" || e.State(s.now) == f.State) &&
		(f.Recipient == "" || e.Recipient == f.Recipient) &&
		(f.ExpiringBefore.IsZero() || e.ExpiresAt.After(s.now) && e.ExpiresAt.Before(f.ExpiringBefore))
}

// read returns up to s.want passes. behind is where to go on when the reading
// stopped before it had them and before the end; else it is zero.
func (s entryScan) read(ctx context.Context, q EntryQuery) (found []Entry, behind EntryPosition, err error) {
	return s.readWhere(ctx, q, s.sieves(), s.fits)
}

func (s entryScan) readWhere(ctx context.Context, q EntryQuery, sieves bool, fits func(Entry) bool) (found []Entry, behind EntryPosition, err error) {
	if q.Limit = s.want; sieves {
		q.Limit = MaxPage
	}
	began := time.Now() // how long it takes is no matter of Config.Now
	for looked := 0; ; {
		rows, err := s.store.Entries(ctx, q)
		if err != nil {
			return nil, behind, storeError(ctx, "the passes could not be listed", err)
		}
		for _, row := range rows {
			if err := s.issuer.overlay(ctx, &row); err != nil {
				return nil, behind, err
			}
			if !fits(row) {
				continue
			}
			if found = append(found, row); len(found) == s.want {
				return found, EntryPosition{}, nil
			}
		}
		if len(rows) < q.Limit {
			return found, EntryPosition{}, nil
		}
		q.After = positionOf(rows[len(rows)-1])
		if looked += len(rows); looked >= scanLimit || sieves && time.Since(began) >= scanTime {
			return found, q.After, nil
		}
	}
}

// search finds the passes in which any of several fields is the filter's Query:
// by an index where there is one, and by reading on for the rest.
func (s entryScan) search(ctx context.Context, q EntryQuery) (found []Entry, behind EntryPosition, err error) {
	text := s.filter.Query
	indexed := []string{"scope", "batch"}
	if store, ok := asStore[IndexedStore](s.store); ok {
		more, err := store.Indexes(ctx)
		if err != nil {
			return nil, behind, storeError(ctx, "the passes could not be listed", err)
		}
		indexed = append(indexed, more...)
	}
	// Sources of rows, each newest first.
	add := func(rows []Entry, stopped EntryPosition) {
		found = append(found, rows...)
		// What lies behind the place where one source stopped is known in part only.
		if stopped != (EntryPosition{}) && (behind == (EntryPosition{}) || newestFirst(stopped, behind) < 0) {
			behind = stopped
		}
	}
	named, err := s.byID(ctx, q, text)
	if err != nil {
		return nil, behind, err
	}
	add(named, EntryPosition{})
	fields := []struct {
		name  string
		field *string
		of    func(Entry) string
	}{
		{"scope", (*string)(&q.Scope), func(e Entry) string { return string(e.Scope) }},
		{"batch", &q.Batch, func(e Entry) string { return e.Batch }},
		{"subject", &q.Subject, func(e Entry) string { return e.Subject }},
		{"recipient", &q.Recipient, func(e Entry) string { return e.Recipient }},
	}
	for _, f := range fields {
		if !slices.Contains(indexed, f.name) || *f.field != "" && *f.field != text {
			continue
		}
		before := *f.field
		*f.field = text
		// A store may take a wish for less than it is, so the field is looked at again.
		rows, stopped, err := s.readWhere(ctx, q, true, func(e Entry) bool { return f.of(e) == text && s.fits(e) })
		*f.field = before
		if err != nil {
			return nil, behind, err
		}
		add(rows, stopped)
	}
	fields = slices.DeleteFunc(fields, func(f struct {
		name  string
		field *string
		of    func(Entry) string
	}) bool {
		return slices.Contains(indexed, f.name)
	})
	if len(fields) > 0 {
		rows, stopped, err := s.readWhere(ctx, q, true, func(e Entry) bool {
			for _, f := range fields {
				if f.of(e) == text && s.fits(e) {
					return true
				}
			}
			return false
		})
		if err != nil {
			return nil, behind, err
		}
		add(rows, stopped)
	}
	slices.SortFunc(found, func(a, b Entry) int { return newestFirst(positionOf(a), positionOf(b)) })
	found = slices.CompactFunc(found, func(a, b Entry) bool { return a.ID == b.ID })
	if behind != (EntryPosition{}) {
		found = slices.DeleteFunc(found, func(e Entry) bool { return newestFirst(positionOf(e), behind) > 0 })
	}
	return found[:min(len(found), s.want)], behind, nil
}

// byID returns the pass of an id, where it fits and was not on a page before.
func (s entryScan) byID(ctx context.Context, q EntryQuery, id string) ([]Entry, error) {
	row, err := s.issuer.row(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err == nil {
		err = s.issuer.overlay(ctx, &row)
	}
	if err != nil {
		return nil, err
	}
	seen := q.After != (EntryPosition{}) && newestFirst(positionOf(row), q.After) <= 0
	fits := s.fits(row) && (q.Scope == "" || q.Scope == row.Scope) && (q.Batch == "" || q.Batch == row.Batch) &&
		(q.Subject == "" || q.Subject == row.Subject) && (q.Mode == "" || q.Mode == row.Mode)
	if seen || !fits {
		return nil, nil
	}
	return []Entry{row}, nil
}

func positionOf(e Entry) EntryPosition { return EntryPosition{e.IssuedAt, e.ID} }

func newestFirst(a, b EntryPosition) int {
	return cmp.Or(b.IssuedAt.Compare(a.IssuedAt), strings.Compare(b.ID, a.ID))
}
