package djangoimport

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/hallpass-go/hallpass"
)

// item is a token under way.
type item struct {
	row  tokenRow
	pass hallpass.Pass
	mark *mark
	// raise is by how much the quota is to be raised.
	raise int64
	// lostLogs are log rows that found no place.
	lostLogs int64
	// stopped says that the row counts no more: it is spent or was taken back.
	stopped bool
	budget  int64
}

// chunk carries over the tokens whose ids share a cell. What is in the cell at any
// moment is enough to go on from there:
//
//  1. the cell names the new tokens, with what their rows will have counted,
//  2. the rows are made,
//  3. log rows are written and uses counted, each with a key that counts once,
//  4. the cell names the quotas to be raised, with the rows' own as they are,
//  5. those are raised, and what has to be is taken back,
//  6. the cell says that all is done.
func (r *run) chunk(ctx context.Context, n int64, known *chunkList) error {
	first, last := idsOf(n)
	rows, err := r.source.tokens(ctx, first, last)
	if err != nil {
		return err
	}
	page, err := r.ledger.load(ctx, n)
	if err != nil {
		return err
	}
	var items []*item
	var fresh []hallpass.Entry
	there := map[int64]bool{}
	for _, row := range rows {
		there[row.id] = true
		it, entry, err := r.begin(ctx, row, page.marks)
		switch {
		case err != nil:
			return err
		case it == nil:
			continue
		case entry != nil:
			fresh = append(fresh, *entry)
			page.marks[row.id] = it.mark
		}
		items = append(items, it)
	}
	var gone []int64
	for _, id := range slices.Sorted(maps.Keys(page.marks)) {
		if !there[id] && page.marks[id].Dead != deleted {
			gone = append(gone, id)
		}
	}
	r.report.Deleted += int64(len(gone))
	if r.DryRun {
		return r.estimate(ctx, items)
	}
	return r.write(ctx, n, &page, known, items, fresh, gone)
}

// begin decides what becomes of a row; no item means nothing. entry is set for a
// row that hallpass is to make.
func (r *run) begin(ctx context.Context, row tokenRow, marks map[int64]*mark) (*item, *hallpass.Entry, error) {
	r.report.Tokens++
	p, wrong := passOf(row, r.Key)
	m := marks[row.id]
	if wrong != "" {
		r.problem(tokenTable, row.id, "%s", wrong)
		return nil, nil, nil
	}
	if m != nil && m.Dead == deleted {
		r.problem(tokenTable, row.id, "was gone from Django at an earlier import and is back; its pass was revoked and stays so")
		return nil, nil, nil
	}
	r.countKinds(row)
	it := &item{row: row, pass: p, mark: m, budget: r.MaxCounts}
	if m != nil && m.Intended {
		// An import ended here. If it had not made the row, what it meant to count is
		// of no interest any more.
		_, err := r.Store.Entry(ctx, p.ID)
		switch {
		case errors.Is(err, hallpass.ErrNotFound):
			m = nil
		case err != nil:
			return nil, nil, failed(ctx, "a pass cannot be read", err)
		}
	}
	if m == nil {
		entry, m := r.firstEntry(row, p)
		it.mark = m
		r.report.Imported++
		r.report.UsesAdded += m.Used
		r.countExpired(row, m)
		r.demand(it)
		return it, &entry, nil
	}
	if m.Intended {
		r.report.Imported++
	} else {
		r.report.AlreadyThere++
	}
	if m.Print != printOf(p) {
		r.problem(tokenTable, row.id, "scope, user, mode or data were changed in Django after it was imported; the pass keeps what it had")
	}
	r.countExpired(row, m)
	r.demand(it)
	return it, nil, nil
}

func (r *run) countKinds(row tokenRow) {
	if !row.subject.Valid {
		r.report.WithoutUser++
	}
	if row.inactive {
		r.report.InactiveUser++
	}
	if row.maxUses <= max(row.used, 0) {
		r.report.Spent++
	}
}

func (r *run) countExpired(row tokenRow, m *mark) {
	switch {
	case m.Dead == expired || r.hasEnded(row) && r.ExpiredRows == RevokeExpired:
		r.report.ExpiredRevoked++
	case r.hasEnded(row):
		r.report.ExpiredKept++
	}
}

// demand compares what Django says now with the mark: what is owed, and by how much
// the quota is to be raised. The highest count it ever showed holds.
func (r *run) demand(it *item) {
	m, used := it.mark, max(it.row.used, 0)
	more := max(0, used-m.Used)
	if it.row.maxUses <= 0 && m.Closed {
		// No use was left and none is: count and quota move together.
		m.Used, m.Max = m.Used+more, m.Max+more
		return
	}
	if m.Dead != "" {
		m.Used, m.Max = m.Used+more, it.row.maxUses
		return
	}
	m.Used += more
	m.Owed += more
	quota := it.row.maxUses
	if quota <= 0 {
		quota = min(m.Max, m.Used)
	}
	m.Closed = it.row.maxUses <= 0
	switch {
	case quota > m.Max:
		r.report.QuotaRaised++
		it.raise = quota - m.Max
	case quota < m.Max:
		// The row's quota cannot fall, so what is too much counts as used.
		r.report.QuotaLowered++
		m.Owed += m.Max - quota
		m.Max = quota
	}
}

// estimate reports what a run would count.
func (r *run) estimate(ctx context.Context, items []*item) error {
	for _, it := range items {
		if it.mark.Logs != it.row.logs || it.mark.LastLog != it.row.lastLog {
			r.report.Logs += max(0, it.row.logs-it.mark.Logs)
		}
		if it.mark.Owed == 0 || it.mark.Dead != "" {
			continue
		}
		would := it.mark.Owed
		row, err := r.Store.Entry(ctx, it.pass.ID)
		switch {
		case errors.Is(err, hallpass.ErrNotFound):
			would = min(would, max(0, it.row.maxUses-it.mark.Used))
		case err != nil:
			return failed(ctx, "a pass cannot be read", err)
		case !row.RevokedAt.IsZero():
			would = 0
		default:
			if left, limited := row.UsesLeft(); limited {
				would = min(would, left+it.raise)
			}
		}
		r.report.UsesAdded += min(would, r.MaxCounts)
	}
	return nil
}

// write does the six steps of chunk. A chunk in which nothing has changed is not
// written.
func (r *run) write(ctx context.Context, n int64, page *page, known *chunkList, items []*item, fresh []hallpass.Entry, gone []int64) error {
	if len(fresh) > 0 {
		if err := r.ledger.add(ctx, n, known); err != nil {
			return err
		}
		if err := r.ledger.save(ctx, page); err != nil {
			return err
		}
		if err := r.Store.Record(ctx, fresh); err != nil {
			return failed(ctx, "tokens cannot be written", err)
		}
	}
	changed := len(fresh) > 0
	for _, it := range items {
		changed = it.open() || it.mark.Intended || changed
	}
	if !changed && len(gone) == 0 && !slices.ContainsFunc(items, r.toRevoke) {
		return nil
	}
	if err := r.finishRaises(ctx, items); err != nil {
		return err
	}
	if err := r.carryLogs(ctx, items); err != nil {
		return err
	}
	if err := r.countRest(ctx, items); err != nil {
		return err
	}
	if err := r.raise(ctx, page, items); err != nil {
		return err
	}
	if err := r.takeBack(ctx, page, items, gone); err != nil {
		return err
	}
	for _, it := range items {
		it.mark.Intended = false
		it.mark.Logs, it.mark.LastLog = it.row.logs, it.row.lastLog
		if it.lostLogs > 0 {
			r.problem(tokenTable, it.row.id, "%d of its log rows could not be written: this store takes only uses that count", it.lostLogs)
		}
		if it.mark.Owed > 0 && !it.stopped && it.mark.Dead == "" {
			r.problem(tokenTable, it.row.id, "%d uses, or as much of a lowered quota, are not counted yet; the next import goes on with them", it.mark.Owed)
		}
	}
	return r.ledger.save(ctx, page)
}

// open reports whether a token's row differs from what its mark says.
func (it *item) open() bool {
	m := it.mark
	return it.raise > 0 || m.RaiseBy > 0 || m.Logs != it.row.logs || m.LastLog != it.row.lastLog ||
		m.Owed > 0 && m.Dead == "" || it.later()
}

// later reports whether the token's end was moved to a later time.
func (it *item) later() bool {
	now := seconds(it.pass.ExpiresAt)
	return it.mark.Ends != 0 && (now == 0 || now > it.mark.Ends)
}

func (r *run) toRevoke(it *item) bool {
	return it.mark.Dead == "" && r.ExpiredRows == RevokeExpired && r.hasEnded(it.row)
}

// takeBack revokes what was deleted in Django, and what ended where that is wished.
func (r *run) takeBack(ctx context.Context, page *page, items []*item, gone []int64) error {
	for _, id := range gone {
		if err := r.revoke(ctx, hallpass.Pass{ID: passID(r.Key, id), Recorded: true, Key: r.Key}); err != nil {
			return err
		}
		page.marks[id].Dead = deleted
		page.marks[id].Intended = false
	}
	for _, it := range items {
		if r.toRevoke(it) {
			if err := r.revoke(ctx, it.pass); err != nil {
				return err
			}
			it.mark.Dead = expired
		}
	}
	return nil
}

// revoke takes a pass back that has a row. One without is refused anyway.
func (r *run) revoke(ctx context.Context, p hallpass.Pass) error {
	_, err := r.Store.Entry(ctx, p.ID)
	if errors.Is(err, hallpass.ErrNotFound) {
		return nil
	}
	if err == nil {
		_, err = r.Store.RevokePass(ctx, hallpass.Entry{Pass: p}, r.Now())
	}
	return failed(ctx, "a pass cannot be revoked", err)
}
