package pgstore

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/group"
)

// change is a wish to change one row. edit gets nil where there is none, and returns
// the row it is to be; an error leaves everything as it is.
type change struct {
	id   string
	edit func(p *row) (*row, error)
}

// RevokePass implements hallpass.PassStore.
func (s *Store) RevokePass(ctx context.Context, tombstone hallpass.Entry, now time.Time) (hallpass.Entry, error) {
	return s.changes.do(ctx, "revoke", change{tombstone.ID, func(p *row) (*row, error) {
		if p == nil {
			p = newRow(tombstone)
			p.RevokedAt = time.Time{}
		}
		p.changed = p.MarkRevoked(now) || p.changed
		return p, nil
	}})
}

// Amend implements hallpass.PassStore.
func (s *Store) Amend(ctx context.Context, a hallpass.Amendment) (hallpass.Entry, error) {
	return s.changes.do(ctx, "amend", change{a.Pass, func(p *row) (*row, error) {
		if p == nil {
			return nil, hallpass.ErrNotFound
		}
		p.changed = a.Apply(&p.Entry) || p.changed
		return p, nil
	}})
}

// changing is a turn of revocations and amendments. An amendment made twice would
// add its uses twice, so the transaction leaves its number with the lane.
type changing struct {
	items  []change
	passes map[string]*row
	marker marker
}

func newChanging(l *lane[change, hallpass.Entry], items []change) turn[hallpass.Entry] {
	l.turns++
	return &changing{items: items, passes: map[string]*row{}, marker: marker{lane: l.id, turn: l.turns}}
}

func (t *changing) ask(b *pgx.Batch, look bool) {
	var ids []string
	for _, item := range t.items {
		ids = append(ids, encode(item.id))
	}
	lockRows(b, unique(ids), t.passes)
	t.marker.ask(b, look)
}

func (t *changing) wrote(earlier turn[hallpass.Entry]) bool {
	return t.marker.last == earlier.(*changing).marker.turn
}

func (t *changing) decide(b *pgx.Batch) ([]group.Result[hallpass.Entry], bool, error) {
	results := make([]group.Result[hallpass.Entry], len(t.items))
	var changed []*row
	for i, item := range t.items {
		before := t.passes[item.id]
		p, err := item.edit(before)
		if err != nil {
			results[i].Err = err
			continue
		}
		if p.changed && (before == nil || !contains(changed, p)) {
			changed = append(changed, p)
		}
		t.passes[item.id] = p
		results[i].Value = p.own()
	}
	if len(changed) > 0 {
		t.marker.leave(b)
	}
	// A revocation that is there already is promised too.
	return results, true, saveRows(b, changed)
}

func contains(rows []*row, p *row) bool {
	for _, r := range rows {
		if r == p {
			return true
		}
	}
	return false
}

// marker is how a transaction whose commit got no answer is recognised afterwards,
// where its rows do not tell.
type marker struct {
	lane string
	turn int64
	// last is the number of the lane's last transaction that was committed.
	last int64
}

func (m *marker) ask(b *pgx.Batch, look bool) {
	if look {
		b.Queue(`SELECT turn FROM hallpass_lanes WHERE lane = $1 FOR UPDATE`, m.lane).Query(func(rows pgx.Rows) error {
			found, err := pgx.CollectRows(rows, pgx.RowTo[int64])
			if len(found) > 0 {
				m.last = found[0]
			}
			return err
		})
	}
}

// leave queues the number. The machine's clock only says when a row may go whose
// process has long gone.
func (m *marker) leave(b *pgx.Batch) {
	b.Queue(`INSERT INTO hallpass_lanes (lane, turn, at) VALUES ($1, $2, $3)
		ON CONFLICT (lane) DO UPDATE SET turn = excluded.turn, at = excluded.at`, m.lane, m.turn, time.Now().UnixMicro())
}
