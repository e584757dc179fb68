package hallpass

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"
)

// Counters are kept in memory and written to cells every few seconds. A minute is
//
//	group stats/2026-03-01T12:00:00Z, key 07|refused|spent
//
// for two days, an hour is group stats-hours/2026-03-01, key 12|used| for 31. Scopes
// stand in the groups stats-scopes/2026-03-01T12:00:00Z for two days, and
// stats-scopes/2026-03-01 for 31, key used|report:read. A batch is a group of its own,
// and a key of stats-batches, the one to which something happened last the newest.
const (
	statsEvery   = 5 * time.Second
	minutesKept  = 50 * time.Hour
	hoursKept    = 32 * 24 * time.Hour
	batchesKept  = 400 * 24 * time.Hour
	batchesGroup = "stats-batches"
	// statsKeys is how many counters may wait in memory: what is beyond is counted
	// without its scope and batch.
	statsKeys = 20_000
	// statsWriters write at the same time, so that a store that groups has groups.
	statsWriters = 32
)

type statKind uint8

const (
	statIssued statKind = iota
	statUsed
	statRefused
	statScanned
	statOpened
	statLogins
)

var statNames = [...]string{"issued", "used", "refused", "scanned", "opened", "logins"}

func (k statKind) String() string { return statNames[k] }

// statKey is one counter in memory.
type statKey struct {
	minute int64 // since 1970
	kind   statKind
	reason Refusal
	scope  Scope
	batch  string
}

type statCounts struct {
	mu     sync.Mutex
	counts map[statKey]int64
	// flushing is held while counts travel to the store, so that a second flush
	// returns after the first has. It guards unwritten: what the store did not take.
	flushing  sync.Mutex
	unwritten map[Addition]int64
}

// count counts what happened now. Passes for hallpass itself are none of those it
// looks after.
func (i *Issuer) count(kind statKind, reason Refusal, scope Scope, batch string, n int64) {
	if strings.HasPrefix(string(scope), ScopeReserved) {
		return
	}
	i.stats.add(statKey{i.cfg.Now().Unix() / 60, kind, reason, scope, batch}, n)
}

func (c *statCounts) add(key statKey, n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil {
		c.counts = map[statKey]int64{}
	}
	if len(c.counts) >= statsKeys {
		if _, known := c.counts[key]; !known {
			key = statKey{minute: key.minute, kind: key.kind, reason: key.reason}
		}
	}
	c.counts[key] += n
}

func (c *statCounts) take() map[statKey]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := c.counts
	c.counts = nil
	return taken
}

// FlushStats writes down what was counted, for programs that end without Run, which
// does it every five seconds. What could not be written is counted still and written
// the next time; a crash loses what was not.
func (i *Issuer) FlushStats(ctx context.Context) error {
	store, err := i.store()
	if err != nil {
		return err
	}
	c := &i.stats
	c.flushing.Lock()
	defer c.flushing.Unlock()
	cells := c.unwritten
	if cells == nil || len(cells) > statsKeys {
		cells = map[Addition]int64{} // an outage so long that its counts are given up
	}
	for key, n := range c.take() {
		for _, a := range key.cells() {
			cells[a] += n
		}
	}
	c.unwritten, err = addAll(ctx, store, cells, i.Now())
	if err != nil {
		return storeError(ctx, "the counters were not written", err)
	}
	return nil
}

// addAll adds to counters, and returns those that the store did not take.
func addAll(ctx context.Context, store CellStore, cells map[Addition]int64, now time.Time) (left map[Addition]int64, err error) {
	left = map[Addition]int64{}
	queue := make(chan Addition)
	var mu sync.Mutex
	var writers sync.WaitGroup
	for range min(statsWriters, len(cells)) {
		writers.Go(func() {
			for a := range queue {
				step := a
				step.Delta = cells[a]
				_, _, adding := store.Add(ctx, step, now)
				if adding == nil || errors.Is(adding, ErrConflict) { // no counter: it never will be
					continue
				}
				mu.Lock()
				left[a], err = step.Delta, adding
				mu.Unlock()
			}
		})
	}
	for a := range cells {
		queue <- a
	}
	close(queue)
	writers.Wait()
	return left, err
}

// cells are the counters in the store that a count adds to, their Delta left out.
func (k statKey) cells() []Addition {
	at := time.Unix(k.minute*60, 0).UTC()
	name := "|" + k.kind.String() + "|" + string(k.reason)
	cells := []Addition{
		{Group: minuteGroup(at), Key: at.Format("04") + name, Window: minutesKept},
		{Group: hourGroup(at), Key: at.Format("15") + name, Window: hoursKept},
	}
	if k.scope != "" && k.kind <= statRefused {
		key := k.kind.String() + "|" + string(k.scope)
		cells = append(cells,
			Addition{Group: scopeHourGroup(at), Key: key, Window: minutesKept},
			Addition{Group: scopeDayGroup(at), Key: key, Window: hoursKept})
	}
	if k.batch != "" && k.kind != statLogins {
		cells = append(cells,
			Addition{Group: batchGroup(k.batch), Key: k.kind.String(), Window: batchesKept},
			Addition{Group: batchesGroup, Key: k.batch, Window: batchesKept})
	}
	return cells
}

func minuteGroup(t time.Time) string { return "stats/" + t.UTC().Format("2006-01-02T15:00:00Z") }

func hourGroup(t time.Time) string { return "stats-hours/" + t.UTC().Format("2006-01-02") }

func scopeHourGroup(t time.Time) string {
	return "stats-scopes/" + t.UTC().Format("2006-01-02T15:00:00Z")
}

func scopeDayGroup(t time.Time) string { return "stats-scopes/" + t.UTC().Format("2006-01-02") }

func batchGroup(batch string) string { return "stats-batch/" + batch }
