package pgstore_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/needs"
	"github.com/hallpass-go/hallpass/pgstore"
)

// awaken listens to the groups "a" and "b" until the test ends.
func awaken(t *testing.T, s *pgstore.Store) <-chan string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	woken, ended := make(chan string, 100), make(chan error, 1)
	go func() {
		ended <- s.Wake(ctx, []string{"a", "b\x00"}, func(group string) { woken <- group })
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Wake = %v", err)
		}
	})
	return woken
}

// wakes waits until a group was named.
func wakes(t *testing.T, woken <-chan string, group string) {
	t.Helper()
	for timeout := time.After(20 * time.Second); ; {
		select {
		case got := <-woken:
			if got == group {
				return
			}
		case <-timeout:
			t.Fatalf("%q was not woken", group)
		}
	}
}

func TestASwapWakesOtherProcesses(t *testing.T) {
	t.Parallel()
	dsn := needs.Postgres(t)
	woken := awaken(t, open(t, dsn))
	wakes(t, woken, "a") // it listens now
	other := open(t, dsn)
	elsewhere := open(t, dsn+"&schema=other")
	for name, s := range map[string]*pgstore.Store{"c": other, "a": elsewhere} {
		if _, err := s.Swap(t.Context(), hallpass.Cell{Group: name, Key: "k"}, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(200 * time.Millisecond)
	for len(woken) > 0 {
		if got := <-woken; got == "c" {
			t.Error("a group that nobody asked for was named")
		}
	}
	for _, group := range []string{"b\x00", "a"} {
		if _, err := other.Swap(t.Context(), hallpass.Cell{Group: group, Key: "k"}, time.Now()); err != nil {
			t.Fatal(err)
		}
		wakes(t, woken, group)
	}
	if _, _, err := other.Add(t.Context(), hallpass.Addition{Group: "a", Key: "n", Delta: 1}, time.Now()); err != nil {
		t.Fatal(err)
	}
	select {
	case got := <-woken:
		t.Errorf("a counter woke %q", got)
	case <-time.After(200 * time.Millisecond):
	}
}

func TestListeningBeginsAgainAfterTheServerWasAway(t *testing.T) {
	t.Parallel()
	server := needs.NewPostgresServer(t)
	s := open(t, server.Database(t, "wake"))
	woken := awaken(t, s)
	wakes(t, woken, "b\x00")
	server.Kill(t)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	wakes(t, woken, "a") // whatever was missed is read again
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		_, err := s.Swap(t.Context(), hallpass.Cell{Group: "b\x00", Key: "k"}, time.Now())
		if err == nil || time.Since(began) > 10*time.Second {
			break
		}
	}
	wakes(t, woken, "b\x00")
}
