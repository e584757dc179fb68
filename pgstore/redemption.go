package pgstore

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/group"
)

// redeemItem is one caller's wish; one of its fields is set.
type redeemItem struct {
	reserve *hallpass.Reservation
	settle  *hallpass.Settlement
}

// redeemed is the answer to either.
type redeemed struct {
	reserved hallpass.Reserved
	use      hallpass.Use
}

// Reserve implements hallpass.PassStore.
func (s *Store) Reserve(ctx context.Context, r hallpass.Reservation) (hallpass.Reserved, error) {
	out, err := laneOf(s, s.redeems, r.Pass.ID).do(ctx, "reserve", redeemItem{reserve: &r})
	return out.reserved, err
}

// Settle implements hallpass.PassStore.
func (s *Store) Settle(ctx context.Context, end hallpass.Settlement) (hallpass.Use, error) {
	out, err := laneOf(s, s.redeems, end.Pass).do(ctx, "settle", redeemItem{settle: &end})
	return out.use, err
}

type useKey struct{ pass, key string }

// redemption is a turn of reservations and settlements. What it wrote is known by
// its uses: all of them are there, or none. A settlement may be tried again
// without looking: the use is no longer pending then.
type redemption struct {
	items []redeemItem

	passes map[string]*row
	keys   map[useKey]hallpass.Use
	ending map[string]*hallpass.Use
	// taken is the uses among ours that are there already, read after a failure.
	taken map[string]hallpass.Use
	// written is the uses of this attempt.
	written []hallpass.Use
}

func newRedemption(_ *lane[redeemItem, redeemed], items []redeemItem) turn[redeemed] {
	return &redemption{
		items: items, passes: map[string]*row{}, keys: map[useKey]hallpass.Use{},
		ending: map[string]*hallpass.Use{}, taken: map[string]hallpass.Use{},
	}
}

func (t *redemption) ask(b *pgx.Batch, look bool) {
	var locks, keyPasses, keys, uses, ends []string
	for _, item := range t.items {
		switch r := item.reserve; {
		case r != nil:
			locks = append(locks, encode(r.Pass.ID))
			uses = append(uses, encode(r.Use.ID))
			if r.Use.Key != "" {
				keyPasses, keys = append(keyPasses, encode(r.Pass.ID)), append(keys, encode(r.Use.Key))
			}
		case item.settle.State == hallpass.UseRefunded:
			locks = append(locks, encode(item.settle.Pass))
			fallthrough
		default:
			ends = append(ends, encode(item.settle.Use))
		}
	}
	lockRows(b, unique(locks), t.passes)
	// These come after the locks and see what whoever held them has committed.
	if len(keys) > 0 {
		b.Queue(`SELECT `+useColumns+` FROM unnest($1::text[], $2::text[]) AS w (pass, key)
			JOIN hallpass_use_keys AS k ON k.pass = w.pass AND k.key = w.key
			JOIN hallpass_uses AS u ON u.id = k.use`, keyPasses, keys).Query(func(rows pgx.Rows) error {
			return eachUse(rows, func(use *hallpass.Use) { t.keys[useKey{use.Pass, use.Key}] = *use })
		})
	}
	if len(ends) > 0 {
		b.Queue(`SELECT `+useColumns+` FROM unnest($1::text[]) AS w (id)
			JOIN hallpass_uses AS u ON u.id = w.id ORDER BY u.id FOR UPDATE OF u`, unique(ends)).Query(func(rows pgx.Rows) error {
			return eachUse(rows, func(use *hallpass.Use) { t.ending[use.ID] = use })
		})
	}
	if look && len(uses) > 0 {
		b.Queue(`SELECT `+useColumns+` FROM unnest($1::text[]) AS w (id)
			JOIN hallpass_uses AS u ON u.id = w.id`, unique(uses)).Query(func(rows pgx.Rows) error {
			return eachUse(rows, func(use *hallpass.Use) { t.taken[use.ID] = *use })
		})
	}
}

// unique sorts and removes repeats.
func unique(texts []string) []string {
	slices.Sort(texts)
	return slices.Compact(texts)
}

func (t *redemption) wrote(earlier turn[redeemed]) bool {
	uses := earlier.(*redemption).written
	for _, use := range uses {
		there, found := t.taken[use.ID]
		if !found || there.Pass != use.Pass || there.Key != use.Key && there.State != hallpass.UseRefunded {
			return false
		}
	}
	return len(uses) > 0
}

func (t *redemption) decide(b *pgx.Batch) ([]group.Result[redeemed], bool, error) {
	results := make([]group.Result[redeemed], len(t.items))
	repeats := false
	var changed []*row
	change := func(p *row) {
		if !p.changed {
			p.changed = true
			changed = append(changed, p)
		}
	}
	// All of these callers are here at once, so any order among them is a true one.
	for i, item := range t.items {
		if item.reserve != nil {
			t.reserve(item.reserve, &results[i], change)
			repeats = repeats || results[i].Value.reserved.Duplicate
		}
	}
	var ended useColumnsOf
	var freed useColumnsOf
	for i, item := range t.items {
		end := item.settle
		if end == nil {
			continue
		}
		use := t.ending[end.Use]
		if use == nil || use.Pass != end.Pass {
			results[i].Err = hallpass.ErrNotFound
			continue
		}
		held, p := *use, t.passes[use.Pass]
		if end.Apply(use, p.entry()) {
			ended.add(*use)
			if use.State == hallpass.UseRefunded {
				change(p)
				if held.Key != "" {
					freed.add(held)
				}
			}
		}
		results[i].Value.use = *use
	}
	if err := saveRows(b, changed); err != nil {
		return nil, false, err
	}
	insertUses(b, t.written)
	if len(ended.ids) > 0 {
		b.Queue(`UPDATE hallpass_uses AS u SET state = v.state, status = v.status, key = v.key
			FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[]) AS v (id, state, status, key)
			WHERE u.id = v.id`, ended.ids, ended.states, ended.statuses, ended.keys)
	}
	if len(freed.ids) > 0 {
		b.Queue(`DELETE FROM hallpass_use_keys AS k USING unnest($1::text[], $2::text[], $3::text[]) AS v (pass, key, use)
			WHERE k.pass = v.pass AND k.key = v.key AND k.use = v.use`, freed.passes, freed.keys, freed.ids)
	}
	return results, repeats, nil
}

// reserve judges one reservation on what those before it left.
func (t *redemption) reserve(r *hallpass.Reservation, result *group.Result[redeemed], change func(*row)) {
	p := t.passes[r.Pass.ID]
	if p == nil {
		if r.Pass.Recorded {
			result.Err = hallpass.RefusalUnknownPass
			return
		}
		p = newRow(hallpass.Entry{Pass: r.Pass, KeepUntil: r.KeepUntil})
	}
	if !p.RevokedAt.IsZero() {
		result.Err = hallpass.RefusalRevoked
		return
	}
	if earlier, seen := t.keys[useKey{p.ID, r.Use.Key}]; seen {
		result.Value.reserved = hallpass.Reserved{Entry: p.own(), Use: earlier, Duplicate: true}
		return
	}
	if left, limited := p.UsesLeft(); limited && left == 0 {
		result.Err = hallpass.RefusalSpent
		return
	}
	if _, there := t.taken[r.Use.ID]; there {
		result.Err = hallpass.ErrConflict
		return
	}
	use := r.Use
	use.Pass = p.ID
	use.At = micro(use.At)
	t.taken[use.ID] = use
	t.written = append(t.written, use)
	if use.Key != "" {
		t.keys[useKey{p.ID, use.Key}] = use
	}
	t.passes[p.ID] = p
	p.Used++
	change(p)
	result.Value.reserved = hallpass.Reserved{Entry: p.own(), Use: use}
}
