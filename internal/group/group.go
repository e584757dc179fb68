// Package group lets callers that arrive at the same time share one run of a
// costly function, such as one durable commit for hundreds of writes.
//
// There is no worker to start or stop. The first caller runs the function for
// itself; whoever comes meanwhile waits; the oldest of them then runs it for all
// that wait. So a lone caller pays nothing, nobody waits for more than the run in
// flight before its own begins, and no caller runs the function for others twice.
package group

import (
	"context"
	"errors"
	"sync"
)

var (
	// ErrClosed is the answer to callers that come after Close.
	ErrClosed = errors.New("group: closed")
	// ErrPanicked is the answer to callers whose run another caller did, when the
	// function panicked there. Whether it had an effect is unknown.
	ErrPanicked = errors.New("group: the function panicked")
)

// Result is the outcome of one item.
type Result[Out any] struct {
	Value Out
	Err   error
}

// Group runs a function for several callers at once.
type Group[In, Out any] struct {
	run   func([]In) []Result[Out]
	limit int

	// mu is never held while run runs.
	mu sync.Mutex
	// queue holds waiting and withdrawn calls, oldest first.
	queue []*call[In, Out]
	// busy is set from the moment somebody leads until nobody waits.
	busy   bool
	closed bool
	idle   sync.Cond
}

type call[In, Out any] struct {
	in    In
	out   Result[Out]
	state state
	// wake gets one token when the call is to lead, or else when it is done.
	wake chan struct{}
}

// state is guarded by Group.mu.
type state int

const (
	waiting   state = iota
	leading         // is to take the queue, at whose head it stands
	taken           // is in a run; its outcome will be the true one
	withdrawn       // its caller has left; it is never run
	done
)

// New returns a group that hands run at most limit items at a time, in the order
// in which they came. run returns one result per item. It is never called twice
// at the same time.
func New[In, Out any](limit int, run func([]In) []Result[Out]) *Group[In, Out] {
	g := &Group[In, Out]{run: run, limit: max(1, limit)}
	g.idle.L = &g.mu
	return g
}

// Do hands the item in and returns its result. If ctx ends before a run has
// taken the item, the item is withdrawn and ctx's error is returned; later, Do
// waits for the true outcome.
func (g *Group[In, Out]) Do(ctx context.Context, in In) (Out, error) {
	var none Out
	if err := ctx.Err(); err != nil {
		return none, err
	}
	c := &call[In, Out]{in: in}
	g.mu.Lock()
	if g.closed {
		g.mu.Unlock()
		return none, ErrClosed
	}
	if g.busy {
		c.wake = make(chan struct{}, 1)
		g.queue = append(g.queue, c)
		g.mu.Unlock()
		select {
		case <-c.wake:
		case <-ctx.Done():
			if g.withdraw(c) {
				return none, ctx.Err()
			}
			<-c.wake
		}
		g.mu.Lock()
	} else {
		g.busy = true
		c.state = leading
		g.queue = append(g.queue, c)
	}
	if c.state == leading {
		g.lead()
	}
	g.mu.Unlock()
	return c.out.Value, c.out.Err
}

// withdraw takes the call back unless a run has it. A call that was to lead
// passes the lead on.
func (g *Group[In, Out]) withdraw(c *call[In, Out]) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch c.state {
	case waiting:
		c.state = withdrawn
		return true
	case leading:
		c.state = withdrawn
		g.passLead()
		return true
	}
	return false
}

// lead runs the function for those who wait. It is called, and returns or
// panics, with mu held and the caller at the head of the queue.
func (g *Group[In, Out]) lead() {
	batch := g.take()
	results := make([]Result[Out], 0)
	finished := false
	defer func() {
		g.mu.Lock()
		for i, c := range batch {
			c.out.Err = ErrPanicked
			if finished {
				c.out = results[i]
			}
			c.state = done
			if i > 0 {
				c.wake <- struct{}{}
			}
		}
		g.passLead()
		if !finished {
			g.mu.Unlock()
		}
	}()
	g.mu.Unlock()

	items := make([]In, len(batch))
	for i, c := range batch {
		items[i] = c.in
	}
	results = g.run(items)
	if len(results) != len(items) {
		panic("group: the function must return one result per item")
	}
	finished = true
}

// take removes up to limit calls from the queue, and those that were withdrawn
// before them.
func (g *Group[In, Out]) take() []*call[In, Out] {
	batch := make([]*call[In, Out], 0, min(len(g.queue), g.limit))
	n := 0
	for ; n < len(g.queue) && len(batch) < g.limit; n++ {
		if c := g.queue[n]; c.state != withdrawn {
			c.state = taken
			batch = append(batch, c)
		}
	}
	g.drop(n)
	return batch
}

// passLead wakes the oldest waiting call to lead the next run, or leaves the
// group idle.
func (g *Group[In, Out]) passLead() {
	n := 0
	for n < len(g.queue) && g.queue[n].state == withdrawn {
		n++
	}
	g.drop(n)
	if len(g.queue) == 0 {
		g.busy = false
		g.idle.Broadcast()
		return
	}
	g.queue[0].state = leading
	g.queue[0].wake <- struct{}{}
}

// drop removes the first n calls and keeps the queue's memory.
func (g *Group[In, Out]) drop(n int) {
	rest := copy(g.queue, g.queue[n:])
	clear(g.queue[rest:])
	g.queue = g.queue[:rest]
}

// Close refuses new callers and returns when all earlier ones have their result.
func (g *Group[In, Out]) Close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	for g.busy {
		g.idle.Wait()
	}
}
