package hallpass

import (
	"context"
	"sync"
	"time"
)

const (
	// pollEvery is how often Run looks for revocations made in other processes.
	pollEvery = 500 * time.Millisecond
	// pruneEvery is how often it removes what is over.
	pruneEvery = time.Hour
)

// Run does what is better done in the background, until ctx ends: it reads
// revocations made elsewhere before a request has to wait for them (sooner where
// the store is a Waker), writes the uses of unlimited passes (AuditBehind), events
// (Note) and counters (Stats), seals them (Config.Seal), and removes once an hour
// what is over and what Config.Retention says. An Issuer works without it. When Run
// returns, everything that was queued has been written or counted in Dropped and
// DroppedEvents.
//
// It returns nil when ctx ends, and an error only when there is no store.
func (i *Issuer) Run(ctx context.Context) error {
	store, err := i.store()
	if err != nil {
		return err
	}
	// The workers outlive ctx until the queue is closed and empty.
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	var workers sync.WaitGroup
	for range behindWriters {
		workers.Go(func() { i.drainBehind(working) })
	}
	workers.Go(func() { i.pruneHourly(working) })
	workers.Go(func() { i.keepNotes(working) })
	if i.cfg.Seal {
		workers.Go(func() { i.sealMinutes(working) })
	}
	wake := make(chan struct{}, 1)
	workers.Go(func() { WakeChannel(ctx, store, wake, rulesGroup) })
	i.behind.setOpen(true)
	i.rules.polled.Store(true)
	defer func() {
		i.rules.polled.Store(false)
		i.behind.setOpen(false)
		stop()
		workers.Wait()
	}()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	failing := false
	for {
		err := i.rules.refresh(ctx, store, i.Now())
		if err != nil && ctx.Err() == nil && !failing {
			i.cfg.Logger.Error("revocations cannot be read; passes are refused until they can", "error", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
		case <-tick.C:
		}
	}
}

// RulesAge is how long ago this process last read the group revocations; very
// long before the first time.
func (i *Issuer) RulesAge() time.Duration { return i.rules.age() }

func (i *Issuer) pruneHourly(ctx context.Context) {
	tick := time.NewTicker(pruneEvery)
	defer tick.Stop()
	for {
		began, clock := time.Now(), i.Now()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		// Pruning by a clock that has jumped ahead would remove the rows of passes
		// that are still good, and with them what they have used.
		if jump := i.Now().Sub(clock) - time.Since(began); jump.Abs() > time.Hour {
			i.cfg.Logger.Error("the clock jumped; nothing is pruned this hour", "jump", jump)
			continue
		}
		if _, err := i.Prune(ctx, i.cfg.Retention); err != nil && ctx.Err() == nil {
			i.cfg.Logger.Error("pruning stopped; it is tried again in an hour", "error", err)
		}
	}
}
