package redisstore_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/needs"
	"github.com/hallpass-go/hallpass/redisstore"
)

// listen collects what wakes, and ends with ctx's error.
func listen(t *testing.T, ctx context.Context, s *redisstore.Store, groups ...string) <-chan string {
	t.Helper()
	heard := make(chan string, 10_000)
	ended := make(chan error, 1)
	go func() { ended <- s.Wake(ctx, groups, func(group string) { heard <- group }) }()
	t.Cleanup(func() {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Wake = %v, want the context's error", err)
		}
	})
	return heard
}

func hears(t *testing.T, heard <-chan string, want string, within time.Duration) {
	t.Helper()
	deadline := time.After(within)
	for {
		select {
		case group := <-heard:
			if group == want {
				return
			}
		case <-deadline:
			t.Fatalf("%q was not woken", want)
		}
	}
}

// quiet waits until nothing is on its way, and fails if anything wakes then.
func quiet(t *testing.T, heard <-chan string, do func()) {
	t.Helper()
	time.Sleep(150 * time.Millisecond)
	for len(heard) > 0 {
		<-heard
	}
	do()
	time.Sleep(150 * time.Millisecond)
	if len(heard) > 0 {
		t.Errorf("%q was woken", <-heard)
	}
}

func TestWritesWakeThoseWhoFollowTheirGroup(t *testing.T) {
	t.Parallel()
	cluster := needs.RedisCluster(t)
	for name, dsn := range map[string]string{"one server": needs.Redis(t), "a cluster": place(cluster.DSN())} {
		t.Run(name, func(t *testing.T) {
			a, b := open(t, dsn), open(t, dsn)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			swap := func(group, key string) {
				if _, err := a.Swap(t.Context(), hallpass.Cell{Group: group, Key: key}, time.Now()); err != nil {
					t.Fatal(err)
				}
			}
			heard := listen(t, ctx, b, "g", "h")
			hears(t, heard, "g", 2*time.Second) // it begins to listen
			short, leave := context.WithCancel(t.Context())
			other := listen(t, short, b, "g")
			hears(t, other, "g", 2*time.Second)
			swap("g", "1")
			hears(t, other, "g", time.Second)
			leave() // one listener who leaves takes no other along
			quiet(t, heard, func() {
				swap("another", "1")
				if _, _, err := a.Add(t.Context(), hallpass.Addition{Group: "g", Key: "n", Delta: 1}, time.Now()); err != nil {
					t.Fatal(err)
				}
			})
			for _, group := range []string{"g", "h", "g"} {
				swap(group, newID())
				hears(t, heard, group, time.Second)
			}
			cancel()
		})
	}
}

func TestAfterAReconnectionAllGroupsAreWoken(t *testing.T) {
	t.Parallel()
	server := needs.NewRedis(t)
	s := open(t, server.DSN())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	heard := listen(t, ctx, s, "g", "h")
	hears(t, heard, "h", 2*time.Second)
	quiet(t, heard, func() {})
	server.Kill()
	server.Start(t)
	hears(t, heard, "g", 5*time.Second)
	hears(t, heard, "h", time.Second)
	if _, err := s.Swap(t.Context(), hallpass.Cell{Group: "h", Key: "k"}, time.Now()); err != nil {
		t.Fatal(err)
	}
	hears(t, heard, "h", time.Second)
	cancel()
}
