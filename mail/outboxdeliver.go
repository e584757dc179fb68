package mail

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"time"
)

var errOutboxPanic = errors.New("the delivery panicked")

// outboxRejected is the default of OutboxConfig.Rejected.
func outboxRejected(err error) bool { return errors.Is(err, ErrRejected) }

// deliver delivers a claimed job and writes down what came of it.
func (r *outboxRun) deliver(c outboxClaim) {
	lease := r.cfg.Lease
	if r.overdue(c, r.now()) {
		return
	}
	if c.rec.due().Sub(r.now()) < lease*3/4 { // it waited in the queue
		var ok bool
		if c, ok = r.claim(c.entry); !ok {
			return
		}
	}
	// The last quarter of the lease is for clocks that differ and for writing the
	// outcome. Where claiming took so long that little is left, it is claimed anew.
	left := c.rec.due().Sub(r.now()) - lease/4
	if left < lease/4 {
		r.set.release(c.entry, r.now())
		return
	}
	job, err := c.rec.open(r.cfg.Keys, r.group(c.entry.key), c.entry.key)
	if err != nil {
		r.unreadable(c.entry, c.rec, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.delivering, min(left, lease/2))
	err = r.attempt(ctx, job)
	cancel()
	r.settle(r.judge(c, err))
}

// attempt calls Deliver once.
func (r *outboxRun) attempt(ctx context.Context, job []byte) (err error) {
	defer func() {
		if p := recover(); p != nil {
			// What was thrown may quote the job; its type and the place may not.
			r.cfg.Logger.Error("the delivery of a mail panicked", "type", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
			err = errOutboxPanic
		}
	}()
	return r.cfg.Deliver(ctx, job)
}

// judge says what becomes of a job after an attempt.
func (r *outboxRun) judge(c outboxClaim, err error) outboxOutcome {
	now := r.now()
	ended := outboxOutcome{claim: c, gone: true, force: true, failures: c.rec.Failures}
	if err == nil {
		r.observe(OutboxSent, c, now)
		return ended
	}
	rejected := r.cfg.Rejected(err)
	unsure := errors.Is(err, ErrUnsure)
	if !rejected && r.delivering.Err() != nil {
		return r.released(c) // cut short by the end of Run, which says nothing about the job
	}
	c.rec.Failures++
	ended.failures = c.rec.Failures
	due := now.Add(r.backoff(c.rec.Failures))
	if rejected || unsure && c.rec.Unsure || c.rec.Failures == r.cfg.Attempts || !due.Before(c.rec.deadline()) {
		r.cfg.Logger.Error("a mail could not be delivered and is given up",
			"job", c.entry.key, "failures", c.rec.Failures, "rejected", rejected, "error", err)
		r.observe(OutboxGivenUp, c, now)
		return ended
	}
	r.cfg.Logger.Warn("a mail could not be delivered and is tried again",
		"job", c.entry.key, "failures", c.rec.Failures, "in", due.Sub(now), "error", err)
	r.observe(OutboxRetried, c, now)
	return outboxOutcome{claim: c, due: due, failures: c.rec.Failures, unsure: c.rec.Unsure || unsure}
}

// released lets any process take the job at once.
func (r *outboxRun) released(c outboxClaim) outboxOutcome {
	return outboxOutcome{claim: c, due: r.now(), failures: c.rec.Failures, unsure: c.rec.Unsure}
}

// backoff is the wait after so many failures.
func (r *outboxRun) backoff(failures int) time.Duration {
	wait := r.cfg.MinBackoff
	for range failures - 1 {
		if wait >= r.cfg.MaxBackoff/2 {
			wait = r.cfg.MaxBackoff
			break
		}
		wait *= 2
	}
	return wait - rand.N(wait/4+1)
}

func (r *outboxRun) observe(kind OutboxEventKind, c outboxClaim, now time.Time) {
	r.cfg.Observe(OutboxEvent{
		Kind: kind, Job: c.entry.key, Failures: c.rec.Failures, Age: max(0, now.Sub(c.rec.putAt())),
	})
}
