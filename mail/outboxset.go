package mail

import (
	"container/heap"
	"sync"
	"time"

	"github.com/hallpass-go/hallpass"
)

// outboxSet is what one run of an Outbox knows of the open jobs. It says when to
// look at which; the truth is in the store and is read again before anything is
// done, so a wrong entry costs a read and nothing else.
type outboxSet struct {
	owner string
	// queue holds jobs that Put has claimed. It never blocks: a place in it is
	// reserved, under mu, before the claim is written.
	queue chan outboxClaim
	// wake says that something became due earlier than was waited for.
	wake chan struct{}

	mu       sync.Mutex
	jobs     map[string]*outboxEntry
	waits    outboxHeap // the jobs that nobody here is at work on
	reserved int        // places of the queue
	closed   bool       // nothing enters the queue any more

	// While the store does not answer, nothing is taken up before pausedUntil.
	storeFailures int
	pausedUntil   time.Time
}

// outboxEntry is one open job. All fields are the set's, under its lock, except
// where said otherwise.
type outboxEntry struct {
	key     string
	version uint64 // of the cell as the feed last brought it
	putAt   time.Time
	due     time.Time
	// held says that a goroutine of this process is at work on the job, or that the
	// job is in the queue. Nobody else in the process touches it then.
	held bool
	// news says that, while it was held, another process wrote the job.
	news bool
	// dead says that this process cannot read the job and has said so.
	dead  bool
	index int // in waits, or -1

	// unreadable is when reading it first failed; unwritten is an outcome that the
	// store did not take. They belong to the holder.
	unreadable time.Time
	unwritten  *outboxOutcome
}

func newOutboxSet(owner string, queue int) *outboxSet {
	return &outboxSet{
		owner: owner,
		queue: make(chan outboxClaim, queue),
		wake:  make(chan struct{}, 1),
		jobs:  make(map[string]*outboxEntry),
	}
}

// reserve enters a job that is about to be put, held, and keeps a place in the
// queue for it. It returns nil where the job must wait in the store alone: there is
// no set, no place, or something of this name is known already.
func (s *outboxSet) reserve(key string, now time.Time) *outboxEntry {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.reserved == cap(s.queue) || s.jobs[key] != nil {
		return nil
	}
	s.reserved++
	e := &outboxEntry{key: key, putAt: now, held: true, index: -1}
	s.jobs[key] = e
	return e
}

// hand puts a claimed job into its place in the queue. It reports false when the
// run is ending and nobody would take it out again.
func (s *outboxSet) hand(c outboxClaim) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.queue <- c
	return true
}

// unreserve gives the place back: the job left the queue, or never came.
func (s *outboxSet) unreserve() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reserved--
}

// close keeps further jobs out of the queue.
func (s *outboxSet) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
}

// next returns the job that is due first, held, or how long to wait for one.
func (s *outboxSet) next(now time.Time) (*outboxEntry, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if wait := s.pausedUntil.Sub(now); wait > 0 {
		return nil, wait
	}
	if len(s.waits) == 0 {
		return nil, outboxPollEvery
	}
	e := s.waits[0]
	if wait := e.due.Sub(now); wait > 0 {
		return nil, wait
	}
	heap.Remove(&s.waits, e.index)
	e.held = true
	return e, 0
}

// release ends the hold on a job that is to be looked at again at due.
func (s *outboxSet) release(e *outboxEntry, due time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.held, e.news = false, false
	s.wait(e, due)
}

// forget ends the hold on a job that is done or gone. When another process wrote
// it meanwhile it is looked at once more.
func (s *outboxSet) forget(e *outboxEntry, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.held = false
	if e.news {
		e.news = false
		s.wait(e, now)
		return
	}
	delete(s.jobs, e.key)
}

// bury ends the hold on a job that cannot be read. It is left alone until another
// process writes it.
func (s *outboxSet) bury(e *outboxEntry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.held, e.news, e.dead, e.unreadable = false, false, true, time.Time{}
}

// see takes over what the feed brought. A full listing also says which jobs are
// gone.
func (s *outboxSet) see(shard int, cells []hallpass.Cell, full bool, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range cells {
		s.seeCell(c, now)
	}
	if !full {
		return
	}
	listed := make(map[string]bool, len(cells))
	for _, c := range cells {
		listed[c.Key] = true
	}
	for key, e := range s.jobs {
		// One that is written after the listing is brought by the next look, which
		// begins at the newest version of this one.
		if outboxShard(key) == shard && !listed[key] && !e.busy() {
			s.drop(e)
		}
	}
}

func (s *outboxSet) seeCell(c hallpass.Cell, now time.Time) {
	e := s.jobs[c.Key]
	if len(c.Value) == 0 {
		if e != nil && !e.busy() {
			s.drop(e)
		}
		return
	}
	rec, err := decodeOutboxRecord(c.Value)
	due, putAt := rec.due(), rec.putAt()
	switch {
	case err != nil:
		due, putAt = now, now // taken up at once, and found unreadable there
	case rec.Owner == s.owner:
		// Ours, though nobody here holds it: a write whose reply was lost.
		due = now
	}
	if e == nil {
		e = &outboxEntry{key: c.Key, index: -1}
		s.jobs[c.Key] = e
	}
	if e.busy() {
		e.news = e.news || rec.Owner != s.owner
		return
	}
	if c.Version <= e.version {
		return // a full listing brings what was known
	}
	e.version, e.putAt, e.dead = c.Version, putAt, false
	s.wait(e, due)
}

// busy says that the feed has no say about the job.
func (e *outboxEntry) busy() bool { return e.held || e.unwritten != nil }

func (s *outboxSet) wait(e *outboxEntry, due time.Time) {
	e.due = due
	if e.index < 0 {
		heap.Push(&s.waits, e)
	} else {
		heap.Fix(&s.waits, e.index)
	}
	if e.index == 0 {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}

func (s *outboxSet) drop(e *outboxEntry) {
	if e.index >= 0 {
		heap.Remove(&s.waits, e.index)
	}
	delete(s.jobs, e.key)
}

// leftover returns the jobs with an outcome that is not written. It is for the end
// of a run, when nobody holds any.
func (s *outboxSet) leftover() []*outboxEntry {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*outboxEntry
	for _, e := range s.jobs {
		if e.unwritten != nil {
			all = append(all, e)
		}
	}
	return all
}

// waiting counts the open jobs and says when the oldest was put.
func (s *outboxSet) waiting() (depth int, oldest time.Time) {
	if s == nil {
		return 0, time.Time{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.jobs {
		if e.dead {
			continue
		}
		if depth++; depth == 1 || e.putAt.Before(oldest) {
			oldest = e.putAt
		}
	}
	return depth, oldest
}

// outboxMaxPause is the longest wait between two attempts to reach the store.
const outboxMaxPause = 15 * time.Second

// storeFailed pauses the run, longer with each failure in a row, and reports
// whether this is the first.
func (s *outboxSet) storeFailed(now time.Time) (first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Before(s.pausedUntil) {
		return false // failed together with the one that began the pause
	}
	pause := min(time.Second<<min(s.storeFailures, 10), outboxMaxPause)
	s.pausedUntil = now.Add(pause)
	s.storeFailures++
	return s.storeFailures == 1
}

// storeAnswered ends the pause, and reports whether there was one.
func (s *outboxSet) storeAnswered() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	failed := s.storeFailures > 0
	s.storeFailures, s.pausedUntil = 0, time.Time{}
	return failed
}

// pausedFor is how long the pause still lasts.
func (s *outboxSet) pausedFor(now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pausedUntil.Sub(now)
}

// outboxHeap orders the waiting jobs by due time.
type outboxHeap []*outboxEntry

func (h outboxHeap) Len() int           { return len(h) }
func (h outboxHeap) Less(i, j int) bool { return h[i].due.Before(h[j].due) }
func (h outboxHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *outboxHeap) Push(x any) {
	e := x.(*outboxEntry)
	e.index = len(*h)
	*h = append(*h, e)
}

func (h *outboxHeap) Pop() any {
	old := *h
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	e.index = -1
	return e
}
