package mail

import (
	"context"
	"errors"
	"time"

	"github.com/hallpass-go/hallpass"
)

// outboxClaim is a job that this process holds, in the store too: until the
// record's Due nobody else takes it.
type outboxClaim struct {
	entry   *outboxEntry
	version uint64 // of the cell with the claim
	rec     outboxRecord
}

// outboxOutcome is what is to be written about a job that was taken up.
type outboxOutcome struct {
	claim outboxClaim
	// gone ends the job; otherwise it is free again from due on.
	gone     bool
	due      time.Time
	failures int
	unsure   bool
	// force ends the job even if another process took it over meanwhile: it was
	// delivered, or can never be.
	force bool
	// event is told once the outcome is written.
	event OutboxEventKind
}

// unreadableFor is how long a process that cannot open a job goes on trying before
// it says so. Keys that another process has just rotated in arrive within a second
// or so.
const (
	unreadableFor   = 10 * time.Second
	unreadableEvery = 2 * time.Second
)

// take takes up a job that is due.
func (r *outboxRun) take(e *outboxEntry) {
	if e.unwritten != nil {
		out := *e.unwritten
		e.unwritten = nil
		r.settle(out)
		return
	}
	if c, ok := r.claim(e); ok {
		r.deliver(c)
	}
}

// claim reads the job and claims it, or renews the claim. If it reports false, the
// entry is no longer held.
func (r *outboxRun) claim(e *outboxEntry) (outboxClaim, bool) {
	ctx, cancel := r.storeContext()
	defer cancel()
	now := r.now()
	cell, err := r.cfg.Cells.Cell(ctx, r.group(e.key), e.key, now)
	if err != nil && !errors.Is(err, hallpass.ErrNotFound) {
		r.storeFailed(err)
		r.set.release(e, now)
		return outboxClaim{}, false
	}
	r.storeAnswered()
	if err != nil || len(cell.Value) == 0 {
		r.set.forget(e, now)
		return outboxClaim{}, false
	}
	rec, err := decodeOutboxRecord(cell.Value)
	if err != nil {
		r.unreadable(e, rec, err)
		return outboxClaim{}, false
	}
	c := outboxClaim{entry: e, version: cell.Version, rec: rec}
	switch {
	case rec.Owner != r.owner && rec.due().After(now):
		r.set.release(e, rec.due())
		return outboxClaim{}, false
	case r.overdue(c, now):
		return outboxClaim{}, false
	}
	// Before the claim: another process may have the key.
	if _, err := rec.open(r.cfg.Keys, r.group(e.key), e.key); err != nil {
		r.unreadable(e, rec, err)
		return outboxClaim{}, false
	}
	takenOver := rec.Owner != "" && rec.Owner != r.owner
	c.rec.Owner, c.rec.Due = r.owner, now.Add(r.cfg.Lease).UnixMicro()
	c.version, err = r.write(ctx, e.key, cell.Version, c.rec, now)
	if err != nil {
		if !errors.Is(err, hallpass.ErrConflict) {
			r.storeFailed(err)
		}
		r.set.release(e, now) // somebody was first, or may have been: look again
		return outboxClaim{}, false
	}
	e.unreadable = time.Time{}
	if takenOver {
		r.cfg.Logger.Warn("took over a mail whose holder is gone", "job", e.key, "failures", rec.Failures)
		r.observe(OutboxTakenOver, c, now)
	}
	return c, true
}

// overdue gives a job up whose deadline has passed, and reports whether it did.
func (r *outboxRun) overdue(c outboxClaim, now time.Time) bool {
	if now.Before(c.rec.deadline()) {
		return false
	}
	r.settle(outboxOutcome{claim: c, gone: true, failures: c.rec.Failures, event: OutboxGivenUp})
	return true
}

// unreadable puts off a job that this process cannot open, and after a while
// leaves it alone. It is not ended in the store: a process with other keys, or a
// newer program, may well be able to deliver it, and otherwise it leaves by itself
// after its deadline.
func (r *outboxRun) unreadable(e *outboxEntry, rec outboxRecord, cause error) {
	now := r.now()
	if e.unreadable.IsZero() {
		e.unreadable = now
	}
	if now.Sub(e.unreadable) < unreadableFor {
		r.set.release(e, now.Add(unreadableEvery))
		return
	}
	r.cfg.Logger.Error("a mail cannot be read by this process and is given up", "job", e.key, "error", cause)
	event := OutboxEvent{Kind: OutboxGivenUp, Job: e.key, Failures: rec.Failures}
	if rec.PutAt != 0 {
		event.Age = max(0, now.Sub(rec.putAt()))
	}
	r.cfg.Observe(event)
	r.set.bury(e)
}

// settle writes an outcome, and keeps it for later if the store does not take it.
// The entry is no longer held when it returns.
func (r *outboxRun) settle(out outboxOutcome) {
	ctx, cancel := r.storeContext()
	defer cancel()
	e, now := out.claim.entry, r.now()
	var err error
	for range 3 {
		if err = r.writeOutcome(ctx, out, now); !errors.Is(err, hallpass.ErrConflict) {
			break
		}
		if !out.force {
			r.set.release(e, now) // another process has it: look what it did
			return
		}
		var cell hallpass.Cell
		cell, err = r.cfg.Cells.Cell(ctx, r.group(e.key), e.key, now)
		if errors.Is(err, hallpass.ErrNotFound) || (err == nil && len(cell.Value) == 0) {
			err = nil // it is gone already
			break
		}
		if err != nil {
			break
		}
		out.claim.version = cell.Version
		err = hallpass.ErrConflict
	}
	if err != nil {
		if !errors.Is(err, hallpass.ErrConflict) {
			r.storeFailed(err)
		}
		e.unwritten = &out
		r.set.release(e, now)
		return
	}
	r.storeAnswered()
	if out.event != "" {
		r.cfg.Logger.Warn("a mail was not sent before its deadline and is given up", "job", e.key, "failures", out.failures)
		r.observe(out.event, out.claim, now)
	}
	if out.gone {
		r.set.forget(e, now)
	} else {
		r.set.release(e, out.due)
	}
}

func (r *outboxRun) writeOutcome(ctx context.Context, out outboxOutcome, now time.Time) error {
	key, rec := out.claim.entry.key, out.claim.rec
	if !out.gone {
		rec.Owner, rec.Due, rec.Failures, rec.Unsure = "", out.due.UnixMicro(), out.failures, out.unsure
		_, err := r.write(ctx, key, out.claim.version, rec, now)
		return err
	}
	// An empty value with an end is how a cell is deleted. The job's content goes
	// with it.
	_, err := r.cfg.Cells.Swap(ctx, hallpass.Cell{
		Group: r.group(key), Key: key, Version: out.claim.version, ExpiresAt: rec.doneUntil(now),
	}, now)
	return err
}
