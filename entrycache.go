package hallpass

import (
	"context"
	"errors"
	"sync"
	"time"
)

// entryCache remembers rows of unlimited passes for as long as MaxStale, so that
// a busy API token costs one read a second instead of one a request. A row that
// is not there is remembered too. Passes with a quota never come here.
type entryCache struct {
	mu sync.RWMutex
	// Two generations bound the memory: when the young one is full it becomes the
	// old one, and what nobody asks for again is gone.
	young, old map[string]cachedEntry
	// forgotten counts calls of forget: a row that was read before one and kept
	// after it would hide the revocation that forget was called for.
	forgotten uint64
}

type cachedEntry struct {
	entry  Entry
	absent bool
	readAt time.Time
}

const entryCacheSize = 16384

func (c *entryCache) find(id string, maxAge time.Duration) (hit cachedEntry, ok bool, forgotten uint64) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	hit, ok = c.young[id]
	if !ok {
		hit, ok = c.old[id]
	}
	return hit, ok && time.Since(hit.readAt) <= maxAge, c.forgotten
}

// keep takes a row that was read after find returned forgotten.
func (c *entryCache) keep(id string, e cachedEntry, forgotten uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.forgotten != forgotten {
		return
	}
	if len(c.young) >= entryCacheSize || c.young == nil {
		c.young, c.old = make(map[string]cachedEntry), c.young
	}
	c.young[id] = e
}

func (c *entryCache) forget(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forgotten++
	delete(c.young, id)
	delete(c.old, id)
}

// recentRow returns a row that is at most MaxStale old. The age counts from
// before the read, so a revocation that returned earlier is seen.
func (i *Issuer) recentRow(ctx context.Context, id string) (Entry, error) {
	hit, ok, forgotten := i.entries.find(id, i.cfg.MaxStale)
	if ok {
		if hit.absent {
			return Entry{}, ErrNotFound
		}
		return hit.entry, nil
	}
	readAt := time.Now()
	entry, err := i.row(ctx, id)
	absent := errors.Is(err, ErrNotFound)
	if err == nil || absent {
		i.entries.keep(id, cachedEntry{entry, absent, readAt}, forgotten)
	}
	return entry, err
}
