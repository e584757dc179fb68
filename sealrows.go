package hallpass

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"hash"
)

// rowHasher makes the sealedRows of one minute from its rows, newest first.
type rowHasher struct {
	count     int64
	ids, rows hash.Hash
	buffer    []byte
	open      []int64
	last      int64 // place of the last open one
	// wasOpen are the places that count as open because they were when it was sealed,
	// whatever became of them since; nil while sealing.
	wasOpen map[int64]bool
}

// newRowHasher returns a hasher for sealing, or, with what was sealed, for comparing.
func newRowHasher(sealed *sealedRows) *rowHasher {
	h := &rowHasher{ids: sha256.New(), rows: sha256.New()}
	if sealed != nil {
		h.wasOpen = map[int64]bool{}
		place := int64(0)
		for _, step := range sealed.Open {
			place += step
			h.wasOpen[place] = true
		}
	}
	return h
}

func (h *rowHasher) begin(id string) {
	h.count++
	h.buffer = h.buffer[:0]
	h.text(id)
	h.ids.Write(h.buffer)
}

// text appends a text with its length, so that no two rows read the same.
func (h *rowHasher) text(s string) {
	h.buffer = binary.AppendUvarint(h.buffer, uint64(len(s)))
	h.buffer = append(h.buffer, s...)
}

func (h *rowHasher) number(n int64) { h.buffer = binary.BigEndian.AppendUint64(h.buffer, uint64(n)) }

func (h *rowHasher) use(u Use) {
	h.begin(u.ID)
	h.text(u.Pass)
	h.text(u.Subject)
	h.number(u.At.UnixMicro())
	h.text(u.ClientIP)
	h.text(u.UserAgent)
	h.text(u.Method)
	h.text(u.Path)
	open := u.State == UsePending
	if h.wasOpen != nil {
		open = h.wasOpen[h.count]
	}
	if open {
		h.open = append(h.open, h.count-h.last)
		h.last = h.count
		h.buffer = append(h.buffer, 0)
	} else {
		h.buffer = append(h.buffer, 1)
		h.text(string(u.State))
		h.number(int64(u.Status))
		h.text(u.Key)
	}
	h.rows.Write(h.buffer)
}

func (h *rowHasher) event(e Event) {
	h.begin(e.ID)
	h.number(e.At.UnixMicro())
	for _, text := range []string{
		string(e.Kind), e.Pass, string(e.Scope), e.Subject, e.Batch, string(e.Reason), e.Actor, e.Action, e.Detail,
		e.ClientIP, e.UserAgent, e.Method, e.Path,
	} {
		h.text(text)
	}
	h.rows.Write(h.buffer)
}

func (h *rowHasher) sum() sealedRows {
	if h.count == 0 {
		return sealedRows{}
	}
	return sealedRows{Count: h.count, IDs: h.ids.Sum(nil), Rows: h.rows.Sum(nil), Open: h.open}
}

// sealPage is how many rows are read at once.
const sealPage = 1000

// eachUse calls each for uses, newest first, until it says no: those whose ids are
// below after, empty for all, but not below lowest.
func eachUse(ctx context.Context, store PassStore, lowest, after string, each func(Use) bool) error {
	q := UseQuery{After: after, Limit: sealPage}
	for {
		uses, err := store.Uses(ctx, q)
		if err != nil {
			return storeError(ctx, "the uses could not be read", err)
		}
		for _, u := range uses {
			if u.ID < lowest || !each(u) {
				return nil
			}
		}
		if len(uses) < q.Limit {
			return nil
		}
		q.After = uses[len(uses)-1].ID
	}
}

// eachEvent is eachUse for events; a store that keeps none has none.
func eachEvent(ctx context.Context, store Store, lowest, after string, each func(Event) bool) error {
	events, ok := asStore[EventStore](store)
	if !ok {
		return nil
	}
	q := EventQuery{From: lowest, After: after, Limit: sealPage}
	for {
		found, err := events.Events(ctx, q)
		if err != nil {
			return storeError(ctx, "the events could not be read", err)
		}
		for _, e := range found {
			if !each(e) {
				return nil
			}
		}
		if len(found) < q.Limit {
			return nil
		}
		q.After = found[len(found)-1].ID
	}
}

// eachID calls each for the ids of the uses, and those of the events, of a range.
func eachID(ctx context.Context, store Store, lowest, after string, use, event func(id string) bool) error {
	if err := eachUse(ctx, store, lowest, after, func(u Use) bool { return use(u.ID) }); err != nil {
		return err
	}
	return eachEvent(ctx, store, lowest, after, func(e Event) bool { return event(e.ID) })
}
