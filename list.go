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

// Entries returns passes newest first, with group revocations applied.
//
// No index knows states, ends and what Query finds, so for those it reads on, but
// through no more than a few thousand passes: then the page is short, or even
// empty, and Next goes on where the reading stopped.
func (i *Issuer) Entries(ctx context.Context, f EntryFilter) (EntryPage, error) {
	store, err := i.store()
	if err != nil {
		return EntryPage{}, err
	}
	limit, err := pageSize(f.Limit)
	if err != nil {
		return EntryPage{}, err
	}
	q := EntryQuery{Scope: f.Scope, Subject: f.Subject, Batch: f.Batch, Mode: f.Mode, Recipient: f.Recipient}
	if q.After, err = decodeCursor(f.After); err != nil {
		return EntryPage{}, err
	}
	var found []Entry
	var behind EntryPosition
	scan := entryScan{issuer: i, store: store, filter: f, now: i.Now(), want: limit + 1} // one more tells whether there is a next page
	if f.Query == "" {
		found, behind, err = scan.read(ctx, q)
	} else {
		found, behind, err = scan.search(ctx, q)
	}
	if err != nil {
		return EntryPage{}, err
	}
	page := EntryPage{Entries: found}
	if len(found) > limit {
		page.Entries, behind = found[:limit], positionOf(found[limit-1])
	}
	if behind != (EntryPosition{}) {
		page.Next = encodeCursor(behind)
	}
	return page, nil
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
