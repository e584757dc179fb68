package pgstore

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// breaker remembers that the server is away, so that calls fail at once instead of
// each waiting for a connection. While it is open, and only then, a goroutine
// tries the server until it answers.
type breaker struct {
	probe func(context.Context) error

	away    atomic.Bool
	mu      sync.Mutex // guards closed, stop, and starting the goroutine
	closed  bool
	stop    context.CancelFunc
	probing sync.WaitGroup
}

const (
	probeFirst   = 50 * time.Millisecond
	probeMost    = time.Second
	probeTimeout = 3 * time.Second
)

// check returns an error while the server is away.
func (b *breaker) check() error {
	if b.away.Load() {
		return errAway
	}
	return nil
}

// open is called by whoever could not reach the server.
func (b *breaker) open() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || b.away.Load() {
		return
	}
	b.away.Store(true)
	ctx, stop := context.WithCancel(context.Background())
	b.stop = stop
	b.probing.Go(func() { b.run(ctx) })
}

func (b *breaker) run(ctx context.Context) {
	pause := probeFirst
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		pause = min(2*pause, probeMost)
		attempt, cancel := context.WithTimeout(ctx, probeTimeout)
		err := b.probe(attempt)
		cancel()
		if err == nil {
			b.away.Store(false)
			return
		}
	}
}

// close ends the probing.
func (b *breaker) close() {
	b.mu.Lock()
	b.closed = true
	if b.stop != nil {
		b.stop()
	}
	b.mu.Unlock()
	b.probing.Wait()
}
