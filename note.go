package hallpass

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A robot with one good link must not fill the store, nor many robots with many.
// What is beyond these bounds is still counted, in Stats and in DroppedEvents.
const (
	// noteWindow is the time in which one pass gets notesPerPass events.
	noteWindow   = 10 * time.Minute
	notesPerPass = 30
	// notedPasses is how many passes are told apart in a window. The rest share one
	// account, which is soon used up.
	notedPasses = 50_000
	// notesPerSecond is for all together; a quiet time saves up to notesSaved.
	notesPerSecond = 200
	notesSaved     = 2000
	// notesWaiting is how many may wait to be written.
	notesWaiting = 4096
	// noteGroup is how many are written at once.
	noteGroup = 500
	// notesEvery is how often they are.
	notesEvery = time.Second
)

// noteQueue holds events that are written behind.
type noteQueue struct {
	dropped atomic.Int64

	mu      sync.Mutex
	open    bool // Run is at work
	waiting []Event
	passes  map[string]int
	window  time.Time // when passes was begun
	saved   float64
	savedAt time.Time
}

// DroppedEvents returns how many events were not written down, because there were
// too many of them or the store refused them.
func (i *Issuer) DroppedEvents() int64 { return i.notes.dropped.Load() }

// Note counts an event and writes it down soon, while Run is at work. Only what is
// about an authentic token should be noted. It never waits: there is a bound for each
// pass and one for all, and what is beyond is counted in DroppedEvents. A crash loses
// the last second.
func (i *Issuer) Note(e Event) {
	i.countEvent(e)
	i.queueNote(e)
}

func (i *Issuer) queueNote(e Event) {
	q := &i.notes
	now := i.Now()
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.open {
		return
	}
	if !q.admit(e.Pass, now) || len(q.waiting) >= notesWaiting {
		q.dropped.Add(1)
		return
	}
	if e.At.IsZero() {
		e.At = now
	}
	q.waiting = append(q.waiting, cutEvent(e))
}

// admit needs the lock. A clock that was set back begins anew.
func (q *noteQueue) admit(pass string, now time.Time) bool {
	if age := now.Sub(q.window); q.passes == nil || age < 0 || age >= noteWindow {
		q.passes, q.window = map[string]int{}, now
	}
	if _, known := q.passes[pass]; !known && len(q.passes) >= notedPasses {
		pass = "" // which is no pass
	}
	if q.passes[pass] >= notesPerPass && pass != "" || q.passes[""] >= notedPasses {
		return false
	}
	if since := now.Sub(q.savedAt); since > 0 || since < -noteWindow {
		q.saved = min(notesSaved, q.saved+max(0, since.Seconds())*notesPerSecond)
		if q.savedAt.IsZero() {
			q.saved = notesSaved
		}
		q.savedAt = now
	}
	if q.saved < 1 {
		return false
	}
	q.saved--
	q.passes[pass]++
	return true
}

// setOpen says whether somebody writes what is queued.
func (q *noteQueue) setOpen(open bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.open = open
}

func (q *noteQueue) take(n int) []Event {
	q.mu.Lock()
	defer q.mu.Unlock()
	taken := q.waiting[:min(n, len(q.waiting)):min(n, len(q.waiting))]
	if q.waiting = q.waiting[len(taken):]; len(q.waiting) == 0 {
		q.waiting = nil
	}
	return taken
}

// keepNotes writes events and counters until ctx ends, then what is left.
func (i *Issuer) keepNotes(ctx context.Context) {
	if _, err := i.eventStore(); err == nil {
		i.notes.setOpen(true)
	}
	notes, counts := time.NewTicker(notesEvery), time.NewTicker(statsEvery)
	defer notes.Stop()
	defer counts.Stop()
	for {
		select {
		case <-ctx.Done():
			i.notes.setOpen(false)
			i.writeNotes()
			i.writeStats()
			return
		case <-notes.C:
			i.writeNotes()
		case <-counts.C:
			i.writeStats()
		}
	}
}

func (i *Issuer) writeNotes() {
	for {
		events := i.notes.take(noteGroup)
		if len(events) == 0 {
			return
		}
		// An id of now, not of when it was noted: a minute that is sealed gets no more.
		for n := range events {
			events[n].ID = newUUID(i.Now())
		}
		if err := i.writeNoteGroup(events); err != nil {
			i.notes.dropped.Add(int64(len(events)))
			i.cfg.Logger.Warn("events were not written down", "events", len(events), "error", err)
		}
	}
}

func (i *Issuer) writeNoteGroup(events []Event) error {
	store, err := i.eventStore()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return store.RecordEvents(ctx, events)
}

func (i *Issuer) writeStats() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := i.FlushStats(ctx); err != nil {
		i.cfg.Logger.Warn("the counters were not written down; they are tried again", "error", err)
	}
}

// noteRedeem counts how a redemption ended, and notes a refusal of a token that was
// proven to be one of ours.
func (i *Issuer) noteRedeem(p Presentation, r *Redemption, err error) {
	if err == nil {
		if !r.Duplicate {
			i.count(statUsed, "", p.Scope, r.Entry.Batch, 1)
		}
		return
	}
	reason, refused := RefusalOf(err)
	if !refused || reason == RefusalMissing {
		return
	}
	if r == nil || r.Entry.ID == "" {
		if !strings.HasPrefix(string(p.Scope), ScopeReserved) {
			i.count(statRefused, reason, "", "", 1) // whoever asks may have made the scope up
		}
		return
	}
	e := EventOf(EventRefused, r.Entry.Pass, p)
	e.Reason = reason
	i.Note(e)
}

func (i *Issuer) countEvent(e Event) {
	switch e.Kind {
	case EventRefused:
		i.count(statRefused, e.Reason, e.Scope, e.Batch, 1)
	case EventScanned:
		i.count(statScanned, "", e.Scope, e.Batch, 1)
	case EventOpened:
		i.count(statOpened, "", e.Scope, e.Batch, 1)
	case EventLogin:
		if strings.HasPrefix(string(e.Scope), ScopeReserved) {
			e.Scope, e.Batch = "", "" // an operator who signs in is signed in, too
		}
		i.count(statLogins, "", e.Scope, e.Batch, 1)
	}
}
