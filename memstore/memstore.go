// Package memstore keeps passes, uses and cells in memory: for tests and for
// trying hallpass out. Everything is gone when the process ends, so a spent
// pass would be good again after a restart: never use it for real links.
package memstore

import (
	"sync"
	"time"

	"github.com/hallpass-go/hallpass"
)

// Store is a hallpass.Store in memory. Its methods may be called from any
// number of goroutines.
type Store struct {
	// mu is held for the whole of every method, which makes each of them atomic.
	mu     sync.Mutex
	passes map[string]*hallpass.Entry
	uses   map[string]*hallpass.Use
	// keys finds the use that holds a pass's idempotency key.
	keys   map[useKey]string
	cells  map[cellName]hallpass.Cell
	events map[string]hallpass.Event
	// version is that of the newest cell. It never falls, even when that cell goes.
	version uint64
}

var _ hallpass.Store = (*Store)(nil)

type useKey struct{ pass, key string }

type cellName struct{ group, key string }

// New returns an empty store.
func New() *Store {
	return &Store{
		passes: make(map[string]*hallpass.Entry),
		uses:   make(map[string]*hallpass.Use),
		keys:   make(map[useKey]string),
		cells:  make(map[cellName]hallpass.Cell),
		events: make(map[string]hallpass.Event),
	}
}

// micro is the precision of every time in a store.
func micro(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// over reports whether a thing that ends at end is over at now. A zero end is
// never.
func over(end, now time.Time) bool { return !end.IsZero() && !now.Before(end) }
