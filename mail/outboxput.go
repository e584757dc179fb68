package mail

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hallpass-go/hallpass"
)

// Put accepts a job. It is durable when Put returns nil, and then it is delivered
// before the deadline or given up after it. Put costs exactly one write, whatever
// the job is; where Run is at work in this process its workers get the job at once,
// and otherwise the workers of any process find it within a second or so.
//
// The same id again does nothing, whatever the job, while the first is open, and
// when it is done until its deadline, at most for an hour. The id is stored as a
// hash only.
//
// An empty id and a deadline that has passed are a *hallpass.FieldError. Any other
// error wraps hallpass.ErrUnavailable: the job was not accepted. It may have been
// written all the same, when the store's reply was lost, and so is best put again
// under the same id.
func (o *Outbox) Put(ctx context.Context, id string, job []byte, deadline time.Time) error {
	now := o.now()
	deadline = deadline.UTC().Truncate(time.Microsecond)
	switch {
	case id == "":
		return &hallpass.FieldError{Field: "id", Reason: "must not be empty"}
	case !deadline.After(now):
		return &hallpass.FieldError{Field: "deadline", Reason: "must lie ahead"}
	}
	key := outboxKey(id)
	rec := outboxRecord{Form: outboxForm, PutAt: now.UnixMicro(), Deadline: deadline.UnixMicro(), Due: now.UnixMicro()}
	if err := rec.seal(o.cfg.Keys, o.group(key), key, job); err != nil {
		return outboxUnavailable("seal", err)
	}

	set := o.local.Load()
	e := set.reserve(key, now)
	if e != nil {
		rec.Owner, rec.Due = o.owner, now.Add(o.cfg.Lease).UnixMicro()
	}
	version, err := o.write(ctx, key, 0, rec, now)
	if err == nil {
		if e != nil {
			o.handOver(ctx, set, outboxClaim{entry: e, version: version, rec: rec})
		}
		return nil
	}
	if e != nil {
		// Whatever is in the store under this name is found by looking: a job put
		// earlier, ours if only the reply was lost, or nothing.
		set.unreserve()
		set.release(e, now)
	}
	if errors.Is(err, hallpass.ErrConflict) {
		return nil // accepted before
	}
	return outboxUnavailable("put", err)
}

// handOver gives a claimed job to the workers. When they have gone meanwhile, the
// claim is written away, so that another process need not wait for its end.
func (o *Outbox) handOver(ctx context.Context, set *outboxSet, c outboxClaim) {
	if set.hand(c) {
		return
	}
	now := o.now()
	c.rec.Owner, c.rec.Due = "", now.UnixMicro()
	// On an error the claim stands until its lease is over.
	_, _ = o.write(ctx, c.entry.key, c.version, c.rec, now)
}

// write stores an open job over the given version of its cell.
func (o *Outbox) write(ctx context.Context, key string, version uint64, rec outboxRecord, now time.Time) (uint64, error) {
	value, err := rec.encode()
	if err != nil {
		return 0, err
	}
	written, err := o.cfg.Cells.Swap(ctx, hallpass.Cell{
		Group: o.group(key), Key: key, Value: value, Version: version, ExpiresAt: rec.keepUntil(),
	}, now)
	return written.Version, err
}

func outboxUnavailable(what string, cause error) error {
	if errors.Is(cause, hallpass.ErrUnavailable) {
		return fmt.Errorf("mail: outbox: %s: %w", what, cause)
	}
	return fmt.Errorf("mail: outbox: %s: %w: %w", what, hallpass.ErrUnavailable, cause)
}
