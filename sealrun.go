package hallpass

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"time"
)

const (
	// sealEvery is how often Run looks for minutes to seal.
	sealEvery = 20 * time.Second
	// sealLeaseLife is how long another process leaves the sealing to this one.
	sealLeaseLife = time.Minute
	// sealsPerHead is how many links are written before the head is.
	sealsPerHead = 60
)

// sealer is what this process knows of its own sealing.
type sealer struct {
	once   sync.Once
	node   string
	mu     sync.Mutex
	number int64 // the highest link it has seen; the chain never becomes shorter
}

// Seal seals the minutes that are closed, and returns how many links it added. Run
// does it by itself with Config.Seal. Several processes may do it at once.
func (i *Issuer) Seal(ctx context.Context) (added int, err error) {
	store, err := i.store()
	if err != nil {
		return 0, err
	}
	chain, err := i.openChain(ctx, store, true)
	if errors.Is(err, ErrConflict) {
		return 0, nil // somebody else begins
	}
	if err != nil {
		return 0, err
	}
	if err := i.sealer.sees(chain.end.Number); err != nil {
		return 0, err
	}
	until := i.Now().Add(-sealGrace).Unix() / 60
	for {
		before := chain.end.Number
		err := chain.sealUpTo(ctx, until)
		if err == nil {
			err = chain.save(ctx)
		}
		added += int(chain.end.Number - before)
		switch {
		case errors.Is(err, ErrConflict):
			return added, nil // somebody else goes on
		case err != nil:
			return added, err
		}
		if err := i.sealer.sees(chain.end.Number); err != nil || chain.end.Through >= until {
			return added, err
		}
	}
}

// sealUpTo seals minutes until there are enough links for a head.
func (c *sealChain) sealUpTo(ctx context.Context, until int64) error {
	if c.end.Through >= until {
		return nil
	}
	quiet, err := c.isQuiet(ctx, until)
	if err != nil {
		return err
	}
	if quiet {
		c.end.Through = max(c.end.Through, until)
		return nil
	}
	for links := 0; links < sealsPerHead && c.end.Through < until; {
		s, err := readMinute(ctx, c.store, c.end.Through)
		if err != nil {
			return err
		}
		if s.Uses.Count == 0 && s.Events.Count == 0 {
			c.end.Through++
			continue
		}
		if err := c.append(ctx, s); err != nil {
			return err
		}
		links++
	}
	return nil
}

// isQuiet reports whether nothing was written down since the last sealed minute:
// after a long pause that saves looking at each.
func (c *sealChain) isQuiet(ctx context.Context, until int64) (bool, error) {
	newest, err := c.store.Uses(ctx, UseQuery{After: firstID(minuteTime(until)), Limit: 1})
	if err != nil {
		return false, storeError(ctx, "the uses could not be read", err)
	}
	from := firstID(minuteTime(c.end.Through))
	if len(newest) > 0 && newest[0].ID >= from {
		return false, nil
	}
	events, ok := asStore[EventStore](c.store)
	if !ok {
		return true, nil
	}
	found, err := events.Events(ctx, EventQuery{From: from, After: firstID(minuteTime(until)), Limit: 1})
	if err != nil {
		return false, storeError(ctx, "the events could not be read", err)
	}
	return len(found) == 0, nil
}

func readMinute(ctx context.Context, store Store, minute int64) (seal, error) {
	uses, events := newRowHasher(nil), newRowHasher(nil)
	lowest, after := firstID(minuteTime(minute)), firstID(minuteTime(minute+1))
	if err := eachUse(ctx, store, lowest, after, func(u Use) bool { uses.use(u); return true }); err != nil {
		return seal{}, err
	}
	if err := eachEvent(ctx, store, lowest, after, func(e Event) bool { events.event(e); return true }); err != nil {
		return seal{}, err
	}
	return seal{Minute: minute, Uses: uses.sum(), Events: events.sum()}, nil
}

// sees remembers how long the chain was. A shorter one was put in its place: an old
// copy of the database, or a hand. Going on from there would cover it up.
func (s *sealer) sees(number int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if number < s.number {
		return errSealsBroken
	}
	s.number = number
	return nil
}

// sealMinutes seals until ctx ends.
func (i *Issuer) sealMinutes(ctx context.Context) {
	tick := time.NewTicker(sealEvery)
	defer tick.Stop()
	failing := false
	for {
		mine, err := i.leaseSeals(ctx)
		if err == nil && mine {
			_, err = i.Seal(ctx)
		}
		if err != nil && ctx.Err() == nil && !failing {
			i.cfg.Logger.Error("uses and events are not sealed; it is tried again", "error", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// leaseSeals reports whether this process seals now. It only saves work: that no
// number is given twice is decided by each link.
func (i *Issuer) leaseSeals(ctx context.Context) (bool, error) {
	i.sealer.once.Do(func() { i.sealer.node = rand.Text() })
	now := i.Now()
	c, err := i.cfg.Store.Cell(ctx, sealsGroup, sealLease, now)
	switch {
	case errors.Is(err, ErrNotFound):
		c = Cell{Group: sealsGroup, Key: sealLease}
	case err != nil:
		return false, storeError(ctx, "the lease of the seals could not be read", err)
	case string(c.Value) != i.sealer.node:
		return false, nil
	}
	c.Value, c.ExpiresAt = []byte(i.sealer.node), now.Add(sealLeaseLife)
	_, err = i.cfg.Store.Swap(ctx, c, now)
	if errors.Is(err, ErrConflict) {
		return false, nil
	}
	if err != nil {
		return false, storeError(ctx, "the lease of the seals was not written", err)
	}
	return true, nil
}
