package hallpass

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"time"
)

// pendingFor is how long a use may be pending before it counts as unknown.
const pendingFor = 15 * time.Minute

// MaxPage is the largest page that Entries and Uses return.
const MaxPage = 1000

const defaultPage = 50

// EntryFilter selects passes. Empty fields select all.
type EntryFilter struct {
	Scope   Scope
	Subject string
	Batch   string
	Mode    Mode
	State   State
	// Recipient is whom the pass was meant for.
	Recipient string
	// ExpiringBefore selects passes that have an end, after now and before it.
	ExpiringBefore time.Time
	// Query selects passes whose id, scope, batch, subject or recipient is this text.
	Query string
	// After is the Next of the page before; empty starts at the newest.
	After string
	// Limit is the page's size, up to MaxPage. Defaults to 50.
	Limit int
}

// EntryPage is a page of passes, newest first.
type EntryPage struct {
	Entries []Entry
	// Next continues behind this page; empty means that there is no more.
	Next string
}

// UsePage is a page of uses, newest first.
type UsePage struct {
	Uses []Use
	Next string
}

// Entry returns a pass by its id, with group revocations applied; ErrNotFound
// when it has no row.
func (i *Issuer) Entry(ctx context.Context, id string) (Entry, error) {
	entry, err := i.row(ctx, id)
	if err != nil {
		return entry, err
	}
	return entry, i.overlay(ctx, &entry)
}

// Entries returns passes newest first, with group revocations applied. A filter
// by state reads on until the page is full, because a state depends on the
// moment and on rules that no index knows.
func (i *Issuer) Entries(ctx context.Context, f EntryFilter) (EntryPage, error) {
	store, err := i.store()
	if err != nil {
		return EntryPage{}, err
	}
	limit, err := pageSize(f.Limit)
	if err != nil {
		return EntryPage{}, err
	}
	q := EntryQuery{Scope: f.Scope, Subject: f.Subject, Batch: f.Batch, Mode: f.Mode}
	if q.After, err = decodeCursor(f.After); err != nil {
		return EntryPage{}, err
	}
	q.Limit = limit + 1 // one more tells whether there is a next page
	if f.State != "" {
		q.Limit = MaxPage
	}
	var page EntryPage
	now := i.Now()
	for {
		rows, err := store.Entries(ctx, q)
		if err != nil {
			return EntryPage{}, storeError(ctx, "the passes could not be listed", err)
		}
		for _, row := range rows {
			if err := i.overlay(ctx, &row); err != nil {
				return EntryPage{}, err
			}
			if f.State != "" && row.State(now) != f.State {
				continue
			}
			if len(page.Entries) == limit {
				last := page.Entries[limit-1]
				page.Next = encodeCursor(EntryPosition{last.IssuedAt, last.ID})
				return page, nil
			}
			page.Entries = append(page.Entries, row)
		}
		if len(rows) < q.Limit {
			return page, nil
		}
		last := rows[len(rows)-1]
		q.After = EntryPosition{last.IssuedAt, last.ID}
	}
}

// Uses returns uses newest first, of one pass or of all.
func (i *Issuer) Uses(ctx context.Context, q UseQuery) (UsePage, error) {
	store, err := i.store()
	if err != nil {
		return UsePage{}, err
	}
	limit, err := pageSize(q.Limit)
	if err != nil {
		return UsePage{}, err
	}
	if _, ok := parseUUID(q.After); q.After != "" && !ok {
		return UsePage{}, fieldErrorf("after", "is not a cursor that a list returned")
	}
	q.Limit = limit + 1
	uses, err := store.Uses(ctx, q)
	if err != nil {
		return UsePage{}, storeError(ctx, "the uses could not be listed", err)
	}
	page := UsePage{Uses: uses}
	if len(uses) > limit {
		page.Uses, page.Next = uses[:limit], uses[limit-1].ID
	}
	lost := i.Now().Add(-pendingFor)
	for n := range page.Uses {
		if u := &page.Uses[n]; u.State == UsePending && u.At.Before(lost) {
			u.State = UseUnknown
		}
	}
	return page, nil
}

// PruneOptions say what Prune removes beyond what is over by itself.
type PruneOptions struct {
	// MaxAge removes uses older than it; zero removes none by age.
	MaxAge time.Duration
	// MaxCount keeps that many of the newest uses; zero keeps all.
	MaxCount int64
}

// Prune removes old uses, and passes whose tokens ended over a day ago. Counters
// stay as they are, so nothing comes back to life. A pruned use forgets its
// idempotency key.
func (i *Issuer) Prune(ctx context.Context, o PruneOptions) (Pruned, error) {
	store, err := i.store()
	switch {
	case err != nil:
		return Pruned{}, err
	case o.MaxAge < 0:
		return Pruned{}, fieldErrorf("max_age", "must not be negative")
	case o.MaxCount < 0:
		return Pruned{}, fieldErrorf("max_count", "must not be negative")
	}
	rule := PruneRule{Now: i.Now(), KeepUses: -1}
	if o.MaxAge > 0 {
		rule.UsesBefore = rule.Now.Add(-o.MaxAge)
	}
	if o.MaxCount > 0 {
		rule.KeepUses = o.MaxCount
	}
	pruned, err := store.Prune(ctx, rule)
	if err != nil {
		return pruned, storeError(ctx, "pruning stopped", err)
	}
	return pruned, nil
}

func pageSize(limit int) (int, error) {
	switch {
	case limit == 0:
		return defaultPage, nil
	case limit < 0 || limit > MaxPage:
		return 0, fieldErrorf("limit", "must be 1 to %d", MaxPage)
	}
	return limit, nil
}

// pageStart is the id below which a page begins: the cursor's, or that of the first
// moment which is too late.
func pageStart(after string, until time.Time) (string, error) {
	if _, ok := parseUUID(after); after != "" && !ok {
		return "", fieldErrorf("after", "is not a cursor that a list returned")
	}
	if bound := firstID(until); after == "" || bound != "" && bound < after {
		return bound, nil
	}
	return after, nil
}

func encodeCursor(p EntryPosition) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(p.IssuedAt.UnixMicro()))
	return base64.RawURLEncoding.EncodeToString(append(b, p.ID...))
}

func decodeCursor(text string) (EntryPosition, error) {
	if text == "" {
		return EntryPosition{}, nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) < 9 {
		return EntryPosition{}, fieldErrorf("after", "is not a cursor that a list returned")
	}
	return EntryPosition{IssuedAt: time.UnixMicro(int64(binary.BigEndian.Uint64(b))).UTC(), ID: string(b[8:])}, nil
}
