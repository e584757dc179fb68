package mail

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

var errClosed = errors.New("mail: the sender is closed")

// pool keeps the connections of an SMTP. At most so many are open: whoever dials or
// takes holds a slot until the connection is put back.
type pool struct {
	slots       chan struct{}
	perConn     int
	idleTimeout time.Duration

	mu     sync.Mutex
	idle   []idleConn // the one used last comes last
	closed bool
}

type idleConn struct {
	conn *smtpConn
	// end hangs up when nobody has taken the connection by then.
	end *time.Timer
}

func newPool(maxConns, perConn int, idleTimeout time.Duration) *pool {
	return &pool{slots: make(chan struct{}, maxConns), perConn: perConn, idleTimeout: idleTimeout}
}

// acquire waits for a slot.
func (p *pool) acquire(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("mail: %w", context.Cause(ctx))
	}
	p.mu.Lock()
	closed := p.closed
	p.mu.Unlock()
	if closed {
		return errClosed
	}
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("mail: waiting for a connection: %w", context.Cause(ctx))
	}
}

func (p *pool) release() { <-p.slots }

// take returns the connection that was used last, or nil. The others can so grow
// old and go, when fewer suffice.
func (p *pool) take() *smtpConn {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.idle) - 1
	if last < 0 {
		return nil
	}
	one := p.idle[last]
	p.idle = p.idle[:last]
	one.end.Stop() // too late, it finds the connection gone
	return one.conn
}

// put keeps the connection for the next send, or hangs up.
func (p *pool) put(c *smtpConn) {
	p.mu.Lock()
	keep := !p.closed && !c.broken && c.messages < p.perConn
	if keep {
		p.idle = append(p.idle, idleConn{c, time.AfterFunc(p.idleTimeout, func() { p.expire(c) })})
	}
	p.mu.Unlock()
	if !keep {
		c.hangUp()
	}
}

// expire hangs up a connection unless it was taken meanwhile. It cannot have been
// put back: that would be another timer's.
func (p *pool) expire(c *smtpConn) {
	p.mu.Lock()
	found := false
	for i, one := range p.idle {
		if one.conn == c {
			p.idle = append(p.idle[:i], p.idle[i+1:]...)
			found = true
			break
		}
	}
	p.mu.Unlock()
	if found {
		c.hangUp()
	}
}

func (p *pool) close() {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.closed = nil, true
	p.mu.Unlock()
	for _, one := range idle {
		one.end.Stop()
		one.conn.hangUp()
	}
}
