package redisstore

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

// callOut is the command by which Swap tells others of a write, and its channel.
// In a cluster it is the group's own slot that is told, which needs Redis 7; older
// ones tell nobody.
func (s *Store) callOut(g groupKeys) (word, channel string) {
	switch {
	case s.sharded:
		return "SPUBLISH", g.channel
	case s.cluster:
		return "", g.channel
	}
	return "PUBLISH", s.keys.channel()
}

// Wake implements hallpass.Waker, by publish and subscribe. Messages can be lost:
// whenever a connection is made anew all its groups are woken.
func (s *Store) Wake(ctx context.Context, groups []string, woken func(group string)) error {
	if s.cluster && !s.sharded {
		return errors.ErrUnsupported
	}
	wanted := make(map[string]bool, len(groups))
	for _, group := range groups {
		wanted[group] = true
	}
	// woken is called by one goroutine at a time.
	var turn sync.Mutex
	tell := func(groups ...string) {
		turn.Lock()
		defer turn.Unlock()
		for _, group := range groups {
			if ctx.Err() == nil && wanted[group] {
				woken(group)
			}
		}
	}
	var all sync.WaitGroup
	if !s.cluster {
		s.follow(ctx, groups, func() rueidis.Completed {
			return s.client.B().Subscribe().Channel(s.keys.channel()).Build()
		}, tell)
	} else {
		for _, group := range groups {
			channel := s.keys.group(group).channel
			all.Go(func() {
				s.follow(ctx, []string{group}, func() rueidis.Completed {
					return s.client.B().Ssubscribe().Channel(channel).Build()
				}, tell)
			})
		}
	}
	all.Wait()
	<-ctx.Done()
	return ctx.Err()
}

// follow listens until ctx ends or the store closes, and connects again.
func (s *Store) follow(ctx context.Context, groups []string, command func() rueidis.Completed, tell func(...string)) {
	for ctx.Err() == nil && !s.closing.Load() {
		listening, stop := context.WithCancel(ctx)
		listening = rueidis.WithOnSubscriptionHook(listening, func(rueidis.PubSubSubscription) { tell(groups...) })
		_ = s.client.Receive(listening, command(), func(m rueidis.PubSubMessage) { tell(m.Message) })
		stop()
		select {
		case <-ctx.Done():
		case <-s.done:
		case <-time.After(200 * time.Millisecond):
		}
	}
}
