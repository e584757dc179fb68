package login

import (
	"context"
	"time"
)

// failures is how often in a row somebody got an account's code wrong. A new code
// does not reset it: otherwise whoever may ask for codes may guess for ever.
type failures struct {
	// Count falls by one per Limits.Forgive since At, the last failure.
	Count int   `json:"count"`
	At    int64 `json:"at"` // microseconds since 1970
	// Until is when the next code may be entered.
	Until int64 `json:"until"`
}

// forgiven is what time has left of the count.
func (f failures) forgiven(l Limits, now time.Time) failures {
	passed := now.Sub(time.UnixMicro(f.At))
	if passed < 0 {
		return f
	}
	steps := int(min(passed/l.Forgive, time.Duration(f.Count)))
	f.Count -= steps
	f.At += (time.Duration(steps) * l.Forgive).Microseconds()
	return f
}

// delay is how long to wait after a failure that made the count n.
func (l Limits) delay(n int) time.Duration {
	switch {
	case n >= l.Stop:
		return l.StopFor
	case n < l.FreeFailures:
		return 0
	}
	delay := l.Delay
	for range n - l.FreeFailures {
		if delay *= 2; delay >= l.MaxDelay {
			return l.MaxDelay
		}
	}
	return delay
}

// end is when the cell says nothing any more.
func (f failures) end(l Limits) time.Time {
	forgotten := time.UnixMicro(f.At).Add(time.Duration(f.Count+1) * l.Forgive)
	return maxTime(forgotten, time.UnixMicro(f.Until))
}

// claim counts an attempt as a failure before anybody looks at it, or says how
// long to wait: of any number of attempts at once exactly the permitted ones are
// looked at.
func (l *Login) claim(ctx context.Context, at place) (wait time.Duration, err error) {
	limits := l.cfg.Limits
	err = edit(ctx, l.cells, at, func(f *failures, _ bool) (time.Time, error) {
		now := l.now()
		if time.UnixMicro(f.At).After(now.Add(clockSkew)) { // written by a clock that was ahead
			f.At, f.Until = now.UnixMicro(), now.Add(limits.delay(f.Count)).UnixMicro()
		}
		if wait = time.UnixMicro(f.Until).Sub(now); wait > 0 {
			return time.Time{}, errUnchanged
		}
		wait = 0
		*f = f.forgiven(limits, now)
		if f.Count >= limits.Stop { // its day has passed
			f.Count = limits.FreeFailures
		}
		f.Count++
		f.At = now.UnixMicro()
		f.Until = now.Add(limits.delay(f.Count)).UnixMicro()
		return f.end(limits), nil
	})
	return wait, err
}

// unclaim takes a claim back whose attempt was not looked at, or was right: then
// success also halves what others left.
func (l *Login) unclaim(ctx context.Context, at place, success bool) error {
	return edit(ctx, l.cells, at, func(f *failures, exists bool) (time.Time, error) {
		if !exists {
			return time.Time{}, errUnchanged
		}
		f.Count = max(f.Count-1, 0)
		if success {
			f.Count /= 2
		}
		f.Until = time.UnixMicro(f.At).Add(l.cfg.Limits.delay(f.Count)).UnixMicro()
		return maxTime(f.end(l.cfg.Limits), l.now().Add(time.Second)), nil
	})
}

// absolve forgets all failures: whoever reads the account's mail has spoken.
func (l *Login) absolve(ctx context.Context, at place) error {
	return edit(ctx, l.cells, at, func(f *failures, exists bool) (time.Time, error) {
		if !exists {
			return time.Time{}, errUnchanged
		}
		*f = failures{}
		return l.now().Add(time.Second), nil
	})
}
