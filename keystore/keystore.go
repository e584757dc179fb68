// Package keystore keeps a deployment's signing keys and its instance id in the
// store itself, so that every process with the same store signs and verifies
// alike. Keys of each purpose have a ring of their own. Private keys are wrapped by
// a master key that is never in the store.
package keystore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hallpass-go/hallpass"
)

// ErrNoKeys means that the store has no key to sign passes with yet. It is an
// ErrUnavailable: nothing can be decided without keys.
var ErrNoKeys = fmt.Errorf("%w: the store has no signing key yet", hallpass.ErrUnavailable)

// Options for Load and Bootstrap; nil means all defaults.
type Options struct {
	// Master wraps and unwraps private keys. Nil writes them in clear and cannot
	// read wrapped ones.
	Master *Master
	// RequireMaster refuses to write a private key in clear, for stores that are
	// more than a file of mode 0600.
	RequireMaster bool
	// Bare, when set, is called after a private key was written in clear.
	Bare func()
	// Now dates new keys. Defaults to time.Now.
	Now func() time.Time
}

// Ring is the keys of a store, as of the last Load, change or Refresh. It is
// safe for concurrent use.
type Ring struct {
	cells hallpass.CellStore
	opts  Options
	live  rings

	mu      sync.Mutex
	doc     document
	version uint64
}

// Info describes a key without its secret.
type Info struct {
	ID        string
	Purpose   hallpass.Purpose
	Algorithm hallpass.Algorithm
	State     hallpass.KeyState
	CreatedAt time.Time
	CanSign   bool
}

// The one cell of the keys.
const (
	cellGroup = "keys"
	cellKey   = "ring"
)

// Load reads the keys. ErrNoKeys means that there are none for passes yet; any
// other error is an ErrUnavailable that says what is missing.
func Load(ctx context.Context, cells hallpass.CellStore, opts *Options) (*Ring, error) {
	r, err := newRing(cells, opts)
	if err != nil {
		return nil, err
	}
	doc, version, err := r.read(ctx)
	if err != nil {
		return nil, err
	}
	if !doc.has(hallpass.PurposePass) {
		return nil, ErrNoKeys
	}
	all, err := doc.open(r.opts.Master)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", hallpass.ErrUnavailable, err)
	}
	return r, r.adopt(doc, version, all)
}

// Bootstrap is Load for those who may make the first key: a store without a key
// that signs passes gets an HS256 key, and created is true; see Ring.Ensure.
func Bootstrap(ctx context.Context, cells hallpass.CellStore, opts *Options) (r *Ring, created bool, err error) {
	if r, err = newRing(cells, opts); err != nil {
		return nil, false, err
	}
	if created, err = r.Ensure(ctx, hallpass.PurposePass, hallpass.HS256); err != nil {
		return nil, false, err
	}
	return r, created, nil
}

// Edit returns a Ring for changing keys in a store that may have none yet.
func Edit(ctx context.Context, cells hallpass.CellStore, opts *Options) (*Ring, error) {
	r, err := newRing(cells, opts)
	if err != nil {
		return nil, err
	}
	return r, r.change(ctx, func(*document, rings) error { return errUnchanged })
}

func newRing(cells hallpass.CellStore, opts *Options) (*Ring, error) {
	r := &Ring{cells: cells}
	if opts != nil {
		r.opts = *opts
	}
	if r.opts.Now == nil {
		r.opts.Now = time.Now
	}
	var err error
	r.live, err = newRings()
	return r, err
}

// Keyring returns the live keys for passes: what Refresh and the changes here do
// to them is seen by every Issuer that uses them.
func (r *Ring) Keyring() *hallpass.Keyring { return r.live[hallpass.PurposePass] }

// KeyringFor returns the live keys of a purpose in the same way. The ring is there
// while the store has no such keys, and empty. An unknown purpose has none: nil.
func (r *Ring) KeyringFor(purpose hallpass.Purpose) *hallpass.Keyring { return r.live[orPass(purpose)] }

// orPass gives the zero Purpose its meaning.
func orPass(purpose hallpass.Purpose) hallpass.Purpose {
	if purpose == "" {
		return hallpass.PurposePass
	}
	return purpose
}

// Instance returns the id of the deployment, for hallpass.Config.
func (r *Ring) Instance() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.doc.Instance
}

// List returns the keys of all purposes in the order in which they were added.
func (r *Ring) List() []Info {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []Info
	for i := range r.doc.Keys {
		row := &r.doc.Keys[i]
		if key, state, there := r.live.of(row); there {
			list = append(list, Info{key.ID(), key.Purpose(), key.Algorithm(), state, row.Created, key.CanSign()})
		}
	}
	return list
}

// Refresh takes over what other processes did to the keys of all purposes, and
// reports whether there was anything. Whoever runs for longer calls it at least
// once a second.
// On an error the keys stay as they were.
func (r *Ring) Refresh(ctx context.Context) (changed bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	cells, err := r.cells.Cells(ctx, cellGroup, r.version, r.now())
	if err != nil {
		return false, unavailable("the keys could not be read", err)
	}
	for _, c := range cells {
		if c.Key != cellKey {
			continue
		}
		doc, err := decode(c.Value)
		if err != nil {
			return false, err
		}
		all, err := doc.open(r.opts.Master)
		if err != nil {
			return false, fmt.Errorf("%w: %w", hallpass.ErrUnavailable, err)
		}
		if err := r.live.replace(all); err != nil {
			return false, err
		}
		r.doc, r.version = doc, c.Version
		changed = true
	}
	return changed, nil
}

func (r *Ring) now() time.Time { return r.opts.Now().UTC().Truncate(time.Microsecond) }

// read returns the stored document; version 0 and an empty one when there is none.
func (r *Ring) read(ctx context.Context) (document, uint64, error) {
	cell, err := r.cells.Cell(ctx, cellGroup, cellKey, r.now())
	if errors.Is(err, hallpass.ErrNotFound) {
		return document{}, 0, nil
	}
	if err != nil {
		return document{}, 0, unavailable("the keys could not be read", err)
	}
	doc, err := decode(cell.Value)
	return doc, cell.Version, err
}

func decode(value []byte) (document, error) {
	var doc document
	if err := json.Unmarshal(value, &doc); err != nil || doc.Instance == "" {
		return document{}, fmt.Errorf("%w: the keys in this store cannot be read; were they written by a newer hallpass?", hallpass.ErrUnavailable)
	}
	return doc, nil
}

func (r *Ring) adopt(doc document, version uint64, all rings) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if version < r.version { // a Refresh has read something newer meanwhile
		return nil
	}
	r.doc, r.version = doc, version
	return r.live.replace(all)
}

func unavailable(what string, cause error) error {
	return fmt.Errorf("%w: %s: %w", hallpass.ErrUnavailable, what, cause)
}

// pollEvery is how often Run looks for changes made by other processes.
const pollEvery = 500 * time.Millisecond

// Run reads changes that other processes make to the keys, such as a rotation by
// the command line, until ctx ends. Without it a Ring stays as it was loaded.
// report, if not nil, is called when the keys cannot be read, once until they can
// again.
func (r *Ring) Run(ctx context.Context, report func(error)) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	wake := make(chan struct{}, 1)
	var waking sync.WaitGroup
	waking.Go(func() { r.Wake(ctx, wake) })
	defer waking.Wait()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-wake:
		case <-tick.C:
		}
		_, err := r.Refresh(ctx)
		if err != nil && ctx.Err() == nil && !failing && report != nil {
			report(err)
		}
		failing = err != nil
	}
}

// Wake puts a token into wake, which needs a buffer of one, whenever another
// process may have changed the keys, until ctx ends or the store cannot tell. It is
// for those who call Refresh in a loop of their own, beside their ticker.
func (r *Ring) Wake(ctx context.Context, wake chan<- struct{}) {
	hallpass.WakeChannel(ctx, r.cells, wake, cellGroup)
}
