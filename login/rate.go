package login

import (
	"context"
	"time"
)

// bucket is a rate limit by the generic cell rate algorithm: one time says all. It
// is the moment at which everything taken so far would have been earned back.
type bucket struct {
	TAT int64 `json:"tat"` // microseconds since 1970
}

// rate is how much a bucket holds, and in what time it fills again.
type rate struct {
	burst int
	per   time.Duration
}

func (r rate) unlimited() bool { return r.burst < 0 }

// step is the time that earns one back.
func (r rate) step() time.Duration { return r.per / time.Duration(max(r.burst, 1)) }

// take takes one out of a bucket, or says how long until there is one. Of any
// number of callers at once, in all processes, no more win than it holds.
func (c *cells) take(ctx context.Context, at place, r rate) (wait time.Duration, err error) {
	if r.unlimited() {
		return 0, nil
	}
	err = edit(ctx, c, at, func(b *bucket, _ bool) (time.Time, error) {
		now := c.now()
		tat := time.UnixMicro(b.TAT)
		if tat.Before(now) {
			tat = now
		}
		if full := now.Add(r.per); tat.After(full) {
			tat = full // written by a clock that was ahead
		}
		next := tat.Add(r.step())
		if wait = next.Sub(now) - r.per; wait > 0 {
			return time.Time{}, errUnchanged
		}
		wait = 0
		b.TAT = next.UnixMicro()
		return next, nil
	})
	return wait, err
}

// giveBack puts one back that was taken for nothing.
func (c *cells) giveBack(ctx context.Context, at place, r rate) error {
	if r.unlimited() {
		return nil
	}
	return edit(ctx, c, at, func(b *bucket, exists bool) (time.Time, error) {
		if !exists {
			return time.Time{}, errUnchanged
		}
		tat := minTime(time.UnixMicro(b.TAT), c.now().Add(r.per)).Add(-r.step())
		b.TAT = tat.UnixMicro()
		return maxTime(tat, c.now().Add(time.Second)), nil
	})
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
