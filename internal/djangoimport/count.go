package djangoimport

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hallpass-go/hallpass"
)

const (
	// logBatch is how many log rows are held in memory.
	logBatch = 1000
	// counters is how many tokens are counted for at once: stores write together what
	// comes together.
	counters = 64
)

// logsOf are the log rows of one token in a batch.
type logsOf struct {
	*item
	uses []hallpass.Use
}

// carryLogs writes the log rows that are new. As many of a token's as there are
// uses owed are counted with them.
func (r *run) carryLogs(ctx context.Context, items []*item) error {
	byID := map[int64]*item{}
	seen := map[int64]int64{}
	var wanted []wantedLogs
	for _, it := range items {
		if m := it.mark; m.Logs != it.row.logs || m.LastLog != it.row.lastLog {
			byID[it.row.id] = it
			wanted = append(wanted, wantedLogs{it.row.id, m.LastLog})
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	if err := r.readLogs(ctx, wanted, byID, seen); err != nil || r.history == nil {
		return err
	}
	// A row whose id was drawn early may have been committed late, or rows were
	// deleted: then all are offered again, and those that are there stay.
	wanted = wanted[:0]
	for id, it := range byID {
		if it.mark.Logs > 0 && it.mark.Logs+seen[id] != it.row.logs {
			wanted = append(wanted, wantedLogs{token: id})
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	return r.readLogs(ctx, wanted, byID, nil)
}

// readLogs reads log rows in batches. Without seen they are all old ones.
func (r *run) readLogs(ctx context.Context, wanted []wantedLogs, byID map[int64]*item, seen map[int64]int64) error {
	var batch []logsOf
	held := 0
	flush := func() error {
		err := r.writeLogs(ctx, batch, seen != nil)
		batch, held = nil, 0
		return err
	}
	err := r.source.logs(ctx, wanted, func(l logRow) error {
		it := byID[l.token]
		if seen != nil {
			seen[l.token]++
			r.report.Logs++
		}
		if l.wrong != "" {
			if seen != nil {
				r.report.Logs--
				r.problem(logTable, l.id, "%s", l.wrong)
			}
			return nil
		}
		if len(batch) == 0 || batch[len(batch)-1].item != it {
			batch = append(batch, logsOf{item: it})
		}
		last := &batch[len(batch)-1]
		last.uses = append(last.uses, useOf(l, it.pass.ID))
		if held++; held < logBatch {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}

// writeLogs writes log rows, as many as are owed with a count. Those that are not
// fresh may be there already, and then count nothing.
func (r *run) writeLogs(ctx context.Context, batch []logsOf, fresh bool) error {
	rest := make([][]hallpass.Use, len(batch))
	err := together(ctx, len(batch), func(ctx context.Context, i int) error {
		b := batch[i]
		counted, err := r.count(ctx, b.item, b.uses, fresh)
		rest[i] = b.uses[counted:]
		return err
	})
	if err != nil {
		return err
	}
	var uses []hallpass.Use
	for i, left := range rest {
		if r.history == nil {
			r.loseLogs(batch[i].item, len(left))
			continue
		}
		uses = append(uses, left...)
	}
	if len(uses) == 0 {
		return nil
	}
	return failed(ctx, "log rows cannot be written", r.history.RecordUses(ctx, uses))
}

func (r *run) loseLogs(it *item, n int) {
	it.lostLogs += int64(n)
	atomic.AddInt64(&r.report.Logs, -int64(n))
}

// countRest counts what is owed beyond the log rows.
func (r *run) countRest(ctx context.Context, items []*item) error {
	return together(ctx, len(items), func(ctx context.Context, i int) error {
		_, err := r.count(ctx, items[i], nil, true)
		return err
	})
}

// count counts the uses that a token owes, one after the other, until its row is
// spent. With uses, at most those are counted, and how many of them are done with
// comes back. Otherwise uses of which nothing is known are written.
//
// Each has the number of its turn in its key. If an import ends in between, the
// next one counts under the same numbers, and those that were counted count as
// such, whichever log row they then had.
func (r *run) count(ctx context.Context, it *item, uses []hallpass.Use, fresh bool) (done int, err error) {
	m := it.mark
	for n := 0; m.Owed > 0 && it.budget > 0 && !it.stopped && m.Dead == "" && (uses == nil || n < len(uses)); n++ {
		turn := m.Counted + 1
		blank := hallpass.Use{ID: useID(r.began, it.pass.ID, "turn", turn), At: r.began, Subject: it.pass.Subject, State: hallpass.UseUnknown}
		use := blank
		if uses != nil {
			use = uses[n]
		}
		got, err := r.reserve(ctx, it.pass, use, turn)
		written := err == nil && got.Use.ID == use.ID
		if errors.Is(err, hallpass.ErrConflict) && !fresh {
			done++
			continue
		}
		if errors.Is(err, hallpass.ErrConflict) {
			// This log row is there already, so the count needs another.
			written = true
			_, err = r.reserve(ctx, it.pass, blank, turn)
		}
		switch {
		case errors.Is(err, hallpass.RefusalSpent), errors.Is(err, hallpass.RefusalRevoked), errors.Is(err, hallpass.RefusalUnknownPass):
			it.stopped = true
			return done, nil
		case err != nil:
			return done, failed(ctx, "a use cannot be counted", err)
		}
		m.Counted++
		m.Owed--
		it.budget--
		if uses != nil {
			done++
			// The turn may have been counted before with another row, or none.
			if !written && r.history == nil {
				r.loseLogs(it, 1)
			} else if !written {
				if err := r.history.RecordUses(ctx, []hallpass.Use{use}); err != nil {
					return done, failed(ctx, "log rows cannot be written", err)
				}
			}
		}
		atomic.AddInt64(&r.report.UsesAdded, 1)
	}
	return done, nil
}

func (r *run) reserve(ctx context.Context, p hallpass.Pass, use hallpass.Use, turn int64) (hallpass.Reserved, error) {
	use.Key = "django:" + strconv.FormatInt(turn, 10)
	return r.Store.Reserve(ctx, hallpass.Reservation{Pass: p, Use: use})
}

// raise gives rows the uses by which Django's quotas were raised, and counts what
// only then can be. It also moves their ends.
func (r *run) raise(ctx context.Context, page *page, items []*item) error {
	var raised []*item
	for _, it := range items {
		if it.later() {
			if err := r.extend(ctx, it); err != nil {
				return err
			}
		}
		if it.raise == 0 {
			continue
		}
		row, err := r.Store.Entry(ctx, it.pass.ID)
		if errors.Is(err, hallpass.ErrNotFound) {
			continue // it was pruned: its token is over
		}
		if err != nil {
			return failed(ctx, "a pass cannot be read", err)
		}
		it.mark.RaiseBy, it.mark.RaiseFrom = it.raise, row.MaxUses
		raised = append(raised, it)
	}
	if len(raised) == 0 {
		return nil
	}
	if err := r.ledger.save(ctx, page); err != nil {
		return err
	}
	if err := r.finishRaises(ctx, raised); err != nil {
		return err
	}
	return r.countRest(ctx, raised)
}

// finishRaises raises the quotas of the rows whose marks say so, unless that was
// done.
func (r *run) finishRaises(ctx context.Context, items []*item) error {
	for _, it := range items {
		m := it.mark
		if m.RaiseBy == 0 {
			continue
		}
		row, err := r.Store.Entry(ctx, it.pass.ID)
		if err == nil && row.MaxUses == m.RaiseFrom {
			_, err = r.Store.Amend(ctx, hallpass.Amendment{Pass: it.pass.ID, AddUses: m.RaiseBy})
		}
		if err != nil && !errors.Is(err, hallpass.ErrNotFound) {
			return failed(ctx, "a quota cannot be raised", err)
		}
		m.Max += m.RaiseBy
		it.raise = max(0, it.raise-m.RaiseBy)
		m.RaiseBy, m.RaiseFrom = 0, 0
		it.stopped = false
	}
	return nil
}

// noEnd is the end of a row that has one, when Django's has none any more.
var noEnd = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

func (r *run) extend(ctx context.Context, it *item) error {
	a := hallpass.Amendment{Pass: it.pass.ID, ExpiresAt: it.pass.ExpiresAt, KeepUntil: keepUntil(it.pass.ExpiresAt)}
	if a.ExpiresAt.IsZero() {
		a.ExpiresAt = noEnd
	}
	_, err := r.Store.Amend(ctx, a)
	if err != nil && !errors.Is(err, hallpass.ErrNotFound) {
		return failed(ctx, "an end cannot be moved", err)
	}
	it.mark.Ends = seconds(it.pass.ExpiresAt)
	return nil
}

// together runs f for 0 to n-1, several at once; the first error ends them.
func together(ctx context.Context, n int, f func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(n, counters) {
		workers.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := f(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	workers.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}
