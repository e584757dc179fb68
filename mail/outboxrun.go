package mail

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// outboxPollEvery is how often, on average, the feed is read.
const outboxPollEvery = time.Second

// relistEvery is after how many polls one more group is read from its beginning,
// so all of them every four minutes. It finds what the feed cannot bring: jobs
// below the version last seen, after the store was restored or failed over.
const relistEvery = 15

// outboxRun is one call of Run. Its contexts belong to it as a whole: deliveries
// outlive Run's own by the grace, writes about them a little longer.
type outboxRun struct {
	*Outbox
	set                 *outboxSet
	delivering, storing context.Context
}

// settleGrace is how long after the last delivery outcomes may still be written.
const settleGrace = 5 * time.Second

// Run delivers jobs until ctx ends: those put in this process, those that it finds
// in the store, and those that another process let go or abandoned. On the way out
// it takes up nothing more, lets deliveries end within Grace, and releases what it
// holds so that another process takes it at once. It returns nil when ctx has
// ended, and an error only when it is at work already.
func (o *Outbox) Run(ctx context.Context) error {
	if !o.running.CompareAndSwap(false, true) {
		return errOutboxRunning
	}
	defer o.running.Store(false)
	storing, stopStoring := context.WithCancel(context.WithoutCancel(ctx))
	defer stopStoring()
	delivering, stopDelivering := context.WithCancel(storing)
	defer stopDelivering()
	r := &outboxRun{Outbox: o, set: newOutboxSet(o.owner, o.cfg.Queue), delivering: delivering, storing: storing}
	o.local.Store(r.set)
	defer o.local.Store(nil)

	var working, polling sync.WaitGroup
	offers, ending := make(chan *outboxEntry), make(chan struct{})
	for range o.cfg.Workers {
		working.Go(func() { r.work(ctx, offers, ending) })
	}
	polling.Go(func() { r.poll(ctx) })
	r.offer(ctx, offers)

	grace := max(o.cfg.Grace, 0)
	defer time.AfterFunc(grace, stopDelivering).Stop()
	defer time.AfterFunc(grace+settleGrace, stopStoring).Stop()
	r.set.close() // before ending: from here on the queue only gets shorter
	close(ending)
	for range o.cfg.Workers { // the workers themselves may be busy for the whole grace
		working.Go(r.releaseQueue)
	}
	working.Wait()
	polling.Wait()
	r.writeLeftover()
	return nil
}

// offer gives the workers what is due, until ctx ends.
func (r *outboxRun) offer(ctx context.Context, offers chan<- *outboxEntry) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		e, wait := r.set.next(r.now())
		if e != nil {
			select {
			case offers <- e:
				continue
			case <-ctx.Done():
				r.set.release(e, r.now())
				return
			}
		}
		// The clock may be another than the timer's, so it is asked again soon.
		timer.Reset(min(wait, outboxPollEvery))
		select {
		case <-timer.C:
		case <-r.set.wake:
		case <-ctx.Done():
			return
		}
	}
}

// work delivers until the run ends.
func (r *outboxRun) work(ctx context.Context, offers <-chan *outboxEntry, ending <-chan struct{}) {
	for {
		select {
		case <-ending:
			return
		case e := <-offers:
			r.take(e)
		case c := <-r.set.queue:
			r.set.unreserve()
			if ctx.Err() != nil {
				r.settle(r.released(c))
			} else {
				r.deliver(c)
			}
		}
	}
}

// releaseQueue lets other processes have what is still in the queue.
func (r *outboxRun) releaseQueue() {
	for {
		select {
		case c := <-r.set.queue:
			r.set.unreserve()
			r.settle(r.released(c))
		default:
			return
		}
	}
}

// writeLeftover tries once more to write outcomes that the store did not take, and
// says how many are lost.
func (r *outboxRun) writeLeftover() {
	entries := r.set.leftover()
	lost := 0
	for i, e := range entries {
		r.take(e)
		if e.unwritten != nil {
			lost = len(entries) - i // the store is down; the others would fail alike
			break
		}
	}
	if lost > 0 {
		r.cfg.Logger.Error("the outcome of deliveries could not be written; mails already sent may be sent again", "jobs", lost)
	}
}

// poll reads the feed until ctx ends.
func (r *outboxRun) poll(ctx context.Context) {
	var since [outboxShards]uint64
	for n := 0; ; n++ {
		relist := -1
		if n%relistEvery == 0 {
			relist = n / relistEvery % outboxShards
		}
		for shard := range since {
			if err := r.pollShard(ctx, shard, &since[shard], shard == relist); err != nil {
				if ctx.Err() == nil {
					r.storeFailed(err)
				}
				break // the next round goes on from the versions seen
			}
		}
		// With jitter, so that many processes do not ask at the same moment.
		wait := outboxPollEvery*3/4 + rand.N(outboxPollEvery/2)
		select {
		case <-time.After(max(wait, r.set.pausedFor(r.now()))):
		case <-ctx.Done():
			return
		}
	}
}

func (r *outboxRun) pollShard(ctx context.Context, shard int, since *uint64, relist bool) error {
	if relist {
		*since = 0
	}
	full := *since == 0
	ctx, cancel := context.WithTimeout(ctx, r.storeTimeout())
	defer cancel()
	now := r.now()
	cells, err := r.cfg.Cells.Cells(ctx, outboxGroup(r.cfg.Name, shard), *since, now)
	if err != nil {
		return err
	}
	r.storeAnswered()
	r.set.see(shard, cells, full, now)
	for _, c := range cells {
		*since = max(*since, c.Version)
	}
	return nil
}

// storeTimeout bounds each step in the store, so that a store that hangs is one
// that is down.
func (r *outboxRun) storeTimeout() time.Duration { return r.cfg.Lease / 4 }

func (r *outboxRun) storeContext() (context.Context, context.CancelFunc) {
	return context.WithTimeout(r.storing, r.storeTimeout())
}

func (r *outboxRun) storeFailed(err error) {
	if r.set.storeFailed(r.now()) {
		r.cfg.Logger.Error("the outbox's store does not answer; mail waits", "error", err)
	}
}

func (r *outboxRun) storeAnswered() {
	if r.set.storeAnswered() {
		r.cfg.Logger.Info("the outbox's store answers again")
	}
}
