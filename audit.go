package hallpass

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Audit says how a use is written down. It never changes how uses are counted.
type Audit string

const (
	// AuditDefault is AuditDurable where there is a quota and AuditBehind for
	// unlimited passes.
	AuditDefault Audit = ""
	// AuditDurable writes the use before the handler runs.
	AuditDurable Audit = "durable"
	// AuditBehind, for unlimited passes, writes the use soon after, while Run is at
	// work; a crash loses the last moments, and so does a store that cannot keep
	// up (see Issuer.Dropped). Where there is a quota it is AuditDurable.
	AuditBehind Audit = "behind"
	// AuditOff writes nothing about the person: no row at all for an unlimited
	// pass, and one without address, agent, method and path where there is a
	// quota, because the count and the idempotency key hang on it.
	AuditOff Audit = "off"
)

// behindLength is how many uses may wait to be written. At 20,000 a second, a
// slow one for SQLite, it is under half a second of loss.
const behindLength = 8192

// behindQueue holds uses that are written after the fact.
type behindQueue struct {
	queue   chan Reservation
	dropped atomic.Int64
	// mu is held for reading while a use is queued, and for writing while the
	// queue closes, so that nothing is queued that nobody will write.
	mu   sync.RWMutex
	open bool // Run is at work
}

// Dropped returns how many uses of unlimited passes could not be written down
// because the queue was full or the store refused them.
func (i *Issuer) Dropped() int64 { return i.behind.dropped.Load() }

func (b *behindQueue) isOpen() bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.open
}

func (b *behindQueue) setOpen(open bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open = open
}

// writeBehind queues a use, or writes it at once when Run has ended meanwhile.
func (i *Issuer) writeBehind(r Reservation) {
	if !i.enqueue(r) {
		i.writeUse(r)
	}
}

func (i *Issuer) enqueue(r Reservation) bool {
	b := &i.behind
	b.mu.RLock()
	defer b.mu.RUnlock()
	if !b.open {
		return false
	}
	select {
	case b.queue <- r:
	default:
		b.dropped.Add(1)
	}
	return true
}

// behindWriters write at the same time, so that a store that groups has groups.
const behindWriters = 64

// drainBehind writes queued uses until ctx ends, then what is left.
func (i *Issuer) drainBehind(ctx context.Context) {
	for {
		select {
		case r := <-i.behind.queue:
			i.writeUse(r)
		case <-ctx.Done():
			i.drainQueue()
			return
		}
	}
}

// drainQueue writes what is in the queue now.
func (i *Issuer) drainQueue() {
	for {
		select {
		case r := <-i.behind.queue:
			i.writeUse(r)
		default:
			return
		}
	}
}

func (i *Issuer) writeUse(r Reservation) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if now := i.Now(); now.Sub(r.Use.At) > lateAfter {
		// Its minute may be sealed by now, and gets no more rows.
		r.Use.ID, r.Use.At = newUUID(now), now
	}
	if _, err := i.cfg.Store.Reserve(ctx, r); err != nil {
		i.behind.dropped.Add(1)
		i.cfg.Logger.Warn("a use of an unlimited pass was not written down", "pass", r.Pass.ID, "error", err)
	}
}
