package pgstore

import (
	"context"
	"fmt"
	"hash/fnv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// channelOf is the name under which the processes of one schema hear of each other:
// channels are the whole database's.
func channelOf(schema string) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(schema))
	return fmt.Sprintf("hallpass_%016x", h.Sum64())
}

const (
	wakeFirst = 100 * time.Millisecond
	wakeMost  = 30 * time.Second
	// wakePing is how often a silent connection is asked whether it lives.
	wakePing = 30 * time.Second
)

// Wake implements hallpass.Waker with LISTEN, on a connection of its own beside the
// pool.
func (s *Store) Wake(ctx context.Context, groups []string, woken func(group string)) error {
	wanted := make(map[string]string, len(groups))
	for _, group := range groups {
		wanted[encode(group)] = group
	}
	retry := wakeFirst
	for {
		began := time.Now()
		s.listen(ctx, wanted, woken)
		if time.Since(began) > wakeMost {
			retry = wakeFirst
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(retry):
		}
		retry = min(2*retry, wakeMost)
	}
}

// listen passes messages on until the connection breaks or ctx ends.
func (s *Store) listen(ctx context.Context, wanted map[string]string, woken func(string)) {
	config := s.dsn.pool.ConnConfig.Copy()
	config.OnNotice = nil
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(closing)
	}()
	if _, err := conn.Exec(ctx, `LISTEN `+s.channel); err != nil {
		return
	}
	// What was written before this moment was announced to nobody here.
	for _, group := range wanted {
		woken(group)
	}
	for ctx.Err() == nil {
		waiting, cancel := context.WithTimeout(ctx, wakePing)
		message, err := conn.WaitForNotification(waiting)
		expired := waiting.Err() != nil
		cancel()
		switch {
		case err == nil:
			if group, ok := wanted[message.Payload]; ok {
				woken(group)
			}
		case expired && ctx.Err() == nil && !conn.IsClosed():
			if conn.Ping(ctx) != nil {
				return
			}
		default:
			return
		}
	}
}

// notices announces what was written. It is apart from the writes: the server lets
// one transaction with an announcement commit at a time, and a lost one costs only
// latency. One goroutine sends, while there is something to send.
type notices struct {
	mu      sync.Mutex
	pending map[string]bool
	busy    bool
	closed  bool
	sending sync.WaitGroup
}

// noticePayload is how long the text of an announcement may be, by the server.
const noticePayload = 7999

func (s *Store) announce(group string) {
	payload := encode(group)
	if len(payload) > noticePayload {
		return
	}
	n := &s.notices
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return
	}
	if n.pending == nil {
		n.pending = map[string]bool{}
	}
	n.pending[payload] = true
	if !n.busy {
		n.busy = true
		n.sending.Go(s.sendNotices)
	}
}

func (s *Store) sendNotices() {
	n := &s.notices
	for {
		n.mu.Lock()
		var groups []string
		for group := range n.pending {
			groups = append(groups, group)
		}
		clear(n.pending)
		n.busy = len(groups) > 0
		n.mu.Unlock()
		if len(groups) == 0 {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), s.opts.Timeout)
		// Nobody waits for this commit to reach the disk.
		_ = s.query(ctx, func(conn pooled) error {
			_, err := conn.Exec(ctx, `SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, g)
				FROM unnest($2::text[]) AS g`, s.channel, groups)
			return err
		})
		cancel()
	}
}

func (n *notices) close() {
	n.mu.Lock()
	n.closed = true
	n.mu.Unlock()
	n.sending.Wait()
}
