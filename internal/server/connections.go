package server

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// connections knows what each connection of a listener is doing.
type connections struct {
	mu  sync.Mutex
	all map[net.Conn]connection
}

type connection struct {
	state http.ConnState
	since time.Time
}

// changed is http.Server's ConnState.
func (c *connections) changed(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if state == http.StateClosed || state == http.StateHijacked {
		delete(c.all, conn)
		return
	}
	if c.all == nil {
		c.all = map[net.Conn]connection{}
	}
	c.all[conn] = connection{state, time.Now()}
}

const (
	// quietTime is how long a connection must have been idle before it is closed
	// under its client, who may have been about to ask again.
	quietTime = 500 * time.Millisecond
	// newTime is how long a new connection may take to send something.
	newTime = 2 * time.Second
)

// quiet waits until nobody asks and nobody just did, or ctx ends. The listener is
// closed by then. http.Server.Shutdown alone closes a connection in the moment
// after its last answer, and the client's next request on it fails.
func (c *connections) quiet(ctx context.Context) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for c.busy() {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (c *connections) busy() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.all {
		age := time.Since(conn.since)
		if conn.state == http.StateActive || conn.state == http.StateIdle && age < quietTime || conn.state == http.StateNew && age < newTime {
			return true
		}
	}
	return false
}
