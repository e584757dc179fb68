package redisstore

import (
	"sync/atomic"
	"time"
)

const (
	// breakerCount is how many parts of the hash slots fail on their own: one
	// node of a cluster that is down must not stop calls to the others.
	breakerCount = 64
	// breakerLimit is how many failures in a row open a breaker.
	breakerLimit = 8
	// breakerPause is how long it then refuses calls, before it lets one try.
	breakerPause = 250 * time.Millisecond
)

// breaker answers at once for a server that is down, so that callers do not pile
// up waiting for it. Whoever has begun asks on until its time is up.
type breaker struct {
	failures atomic.Int32
	// retryAt is when the next call may try, on the clock of sinceStart.
	retryAt atomic.Int64
}

var processStart = time.Now()

func sinceStart() int64 { return int64(time.Since(processStart)) }

// allow reports whether a call may begin. While the breaker is open, one in each
// pause may.
func (b *breaker) allow() bool {
	if b.failures.Load() < breakerLimit {
		return true
	}
	at, now := b.retryAt.Load(), sinceStart()
	return now >= at && b.retryAt.CompareAndSwap(at, now+int64(breakerPause))
}

func (b *breaker) failed() {
	if b.failures.Add(1) == breakerLimit {
		b.retryAt.Store(sinceStart() + int64(breakerPause))
	}
	if b.failures.Load() > 1<<30 {
		b.failures.Store(breakerLimit)
	}
}

func (b *breaker) succeeded() {
	if b.failures.Load() != 0 {
		b.failures.Store(0)
	}
}

// breakerOf is the breaker of a hash slot. Servers without slots share one.
func (s *Store) breakerOf(slot uint16) *breaker {
	if !s.cluster {
		return &s.breakers[0]
	}
	return &s.breakers[int(slot)*breakerCount/(1<<14)%breakerCount]
}
