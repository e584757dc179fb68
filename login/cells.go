package login

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"time"

	"github.com/hallpass-go/hallpass"
)

// cells is the store as this package uses it: JSON values, spread over shards, so
// that no group is so hot that all logins wait for each other.
type cells struct {
	store hallpass.CellStore
	now   func() time.Time
	seed  maphash.Seed
	// turns makes the writers of one cell in this process take turns, each holding
	// one slot of a channel. Other processes are kept off by the compare-and-swap
	// alone.
	turns [256]chan struct{}
	seen  seen
}

func newCells(store hallpass.CellStore, now func() time.Time) *cells {
	c := &cells{store: store, now: now, seed: maphash.MakeSeed()}
	for i := range c.turns {
		c.turns[i] = make(chan struct{}, 1)
	}
	return c
}

// turn waits until it is this caller's, or until ctx ends: behind a store that
// does not answer nobody waits longer than his own request.
func (c *cells) turn(ctx context.Context, at place) (done func(), err error) {
	turn := c.turns[maphash.String(c.seed, at.group+"/"+at.key)%uint64(len(c.turns))]
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, unavailable("a login was not written", ctx.Err())
	}
}

// shard is the group of a key: kind and the first two digits of a hash, 256 in
// all.
func shard(kind, key string) string {
	sum := sha256.Sum256([]byte(key))
	return kind + "/" + hex.EncodeToString(sum[:1])
}

// hashed names a cell after something that should not stand in the store as it is.
func hashed(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:18])
}

// place is where a cell is.
type place struct{ group, key string }

// place is where this Login keeps something.
func (l *Login) place(kind, key string) place { return place{shard(l.realm+"-"+kind, key), key} }

// realmOf keeps apart what Logins with different scopes have in one store: neither
// is a session of one good for another, nor does one send another's mails.
func realmOf(scope hallpass.Scope) string {
	if scope == "login" {
		return "login"
	}
	return "login-" + hashed("realm", string(scope))
}

// storeTimeout bounds each step: a store that hangs is a store that is down, or
// whoever waits for it would hold up others.
const storeTimeout = 5 * time.Second

// errUnchanged, returned by an edit, leaves the cell as it is.
var errUnchanged = errors.New("unchanged")

// edit reads a cell, lets change work on its value, and writes it if nobody else
// did in between; otherwise it begins again, and change runs again. exists is
// false for a cell that is not there, whose value is then the zero T. change
// returns when the cell is over. An error of change ends it, and nothing is
// written.
func edit[T any](ctx context.Context, c *cells, at place, change func(value *T, exists bool) (end time.Time, err error)) error {
	done, err := c.turn(ctx, at)
	if err != nil {
		return err
	}
	defer done()
	// The first attempt builds on what this process saw last, if it did: somebody
	// else's write in between is a conflict, and a refusal is never founded on it.
	cell, guessed := c.seen.find(at)
	for ; ; guessed = false {
		now := c.now()
		var value T
		if guessed {
			value, err = decode[T](cell)
		} else {
			value, cell, err = read[T](ctx, c, at)
		}
		if err != nil && !errors.Is(err, hallpass.ErrNotFound) {
			return err
		}
		end, err := change(&value, cell.Version != 0)
		if err != nil && guessed {
			continue
		}
		if errors.Is(err, errUnchanged) {
			return nil
		}
		if err != nil {
			return err
		}
		if err = c.swap(ctx, at, value, cell.Version, end, now); !errors.Is(err, hallpass.ErrConflict) {
			return err
		}
	}
}

// create writes a cell whose name nobody else can have drawn.
func create[T any](ctx context.Context, c *cells, at place, value T, end time.Time) error {
	return unavailable("a login was not written", c.swap(ctx, at, value, 0, end, c.now()))
}

func (c *cells) swap(ctx context.Context, at place, value any, version uint64, end, now time.Time) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	cell, err := c.store.Swap(ctx, hallpass.Cell{Group: at.group, Key: at.key, Value: text, Version: version, ExpiresAt: end}, now)
	if err == nil {
		c.seen.keep(at, cell)
		return nil
	}
	if errors.Is(err, hallpass.ErrConflict) {
		return err
	}
	return unavailable("a login was not written", err)
}

func read[T any](ctx context.Context, c *cells, at place) (value T, cell hallpass.Cell, err error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	cell, err = c.store.Cell(ctx, at.group, at.key, c.now())
	if errors.Is(err, hallpass.ErrNotFound) {
		return value, hallpass.Cell{}, hallpass.ErrNotFound
	}
	if err != nil {
		return value, hallpass.Cell{}, unavailable("a login could not be read", err)
	}
	c.seen.keep(at, cell)
	value, err = decode[T](cell)
	return value, cell, err
}

func decode[T any](cell hallpass.Cell) (value T, err error) {
	err = json.Unmarshal(cell.Value, &value)
	return value, unavailable("a login cannot be read; was it written by a newer hallpass?", err)
}

// unavailable marks what could not be decided.
func unavailable(what string, err error) error {
	if err == nil || errors.Is(err, hallpass.ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %s: %w", hallpass.ErrUnavailable, what, err)
}
