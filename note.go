package hallpass

import "sync/atomic"

// noteQueue holds events that are written behind.
type noteQueue struct {
	dropped atomic.Int64
}

// DroppedEvents returns how many events were not written down, because there were
// too many of them or the store refused them.
func (i *Issuer) DroppedEvents() int64 { return i.notes.dropped.Load() }

// Note counts an event and writes it down soon, while Run is at work. Only what is
// about an authentic token should be noted. It never waits: there is a bound for each
// pass and one for all, and what is beyond is counted in DroppedEvents.
func (i *Issuer) Note(e Event) {}
