package redisstore_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/needs"
	"github.com/hallpass-go/hallpass/redisstore"
)

func calls(ctx context.Context, s *redisstore.Store) map[string]func() error {
	return map[string]func() error{
		"Reserve": func() error { _, err := s.Reserve(ctx, useOf(fought(0), "")); return err },
		"Settle":  func() error { _, err := s.Settle(ctx, hallpass.Settlement{State: hallpass.UseSettled}); return err },
		"Record":  func() error { return s.Record(ctx, rowsOf(3)) },
		"Revoke":  func() error { _, err := s.RevokePass(ctx, rowOf(newID()), time.Now()); return err },
		"Amend":   func() error { _, err := s.Amend(ctx, hallpass.Amendment{}); return err },
		"Entry":   func() error { _, err := s.Entry(ctx, "x"); return err },
		"Entries": func() error { _, err := s.Entries(ctx, hallpass.EntryQuery{Limit: 1}); return err },
		"Uses":    func() error { _, err := s.Uses(ctx, hallpass.UseQuery{Limit: 1}); return err },
		"Prune":   func() error { _, err := s.Prune(ctx, hallpass.PruneRule{Now: time.Now()}); return err },
		"Cell":    func() error { _, err := s.Cell(ctx, "g", "k", time.Now()); return err },
		"Cells":   func() error { _, err := s.Cells(ctx, "g", 0, time.Now()); return err },
		"Swap":    func() error { _, err := s.Swap(ctx, hallpass.Cell{Group: "g", Key: "k"}, time.Now()); return err },
		"Add": func() error {
			_, _, err := s.Add(ctx, hallpass.Addition{Group: "g", Key: "n", Delta: 1}, time.Now())
			return err
		},
		"CheckSchema": func() error { return s.CheckSchema(ctx) },
	}
}

// answers waits until the store answers again.
func answers(t *testing.T, s *redisstore.Store, within time.Duration) {
	t.Helper()
	var err error
	for began := time.Now(); time.Since(began) < within; time.Sleep(20 * time.Millisecond) {
		if _, err = s.Reserve(t.Context(), useOf(fought(0), "")); err == nil {
			return
		}
	}
	t.Fatalf("the store does not come back: %v", err)
}

func TestASilentServerIsUnavailableAndNobodyHangs(t *testing.T) {
	t.Parallel()
	server := needs.NewRedis(t)
	s := open(t, server.DSN()+"/?timeout=300ms")
	answers(t, s, time.Second)
	server.Pause()
	resume := sync.OnceFunc(server.Resume)
	defer resume()
	var all sync.WaitGroup
	for name, call := range calls(t.Context(), s) {
		all.Go(func() {
			began := time.Now()
			if err := call(); !errors.Is(err, hallpass.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s = %v, want ErrUnavailable", name, err)
			}
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("%s took %s", name, took)
			}
		})
	}
	all.Wait()
	// By now the breaker is open and most answers come at once.
	began := time.Now()
	for range 50 {
		if _, err := s.Entry(t.Context(), "x"); !errors.Is(err, hallpass.ErrUnavailable) {
			t.Errorf("Entry = %v, want ErrUnavailable", err)
		}
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("50 calls to a server that is down took %s", took)
	}
	resume()
	answers(t, s, 5*time.Second)
}

func TestACallerMayLeaveWhileTheServerIsSilentButOnlyFromReading(t *testing.T) {
	t.Parallel()
	server := needs.NewRedis(t)
	s := open(t, server.DSN()+"/?timeout=1s")
	server.Pause()
	defer server.Resume()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := s.Entry(ctx, "x"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Entry = %v, want the context's error", err)
	}
	if took := time.Since(began); took > 500*time.Millisecond {
		t.Errorf("Entry took %s", took)
	}
	// What was sent may happen: the context's error would say that it did not.
	ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.Reserve(ctx, useOf(fought(0), "")); !errors.Is(err, hallpass.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Reserve = %v, want ErrUnavailable", err)
	}
}

func TestAServerThatDiesLosesNothingItAcknowledged(t *testing.T) {
	t.Parallel()
	server := needs.NewRedis(t)
	s := open(t, server.DSN()+"/?timeout=1s")
	const rounds, singles = 3, 400
	rows := rowsOf(singles)
	if err := s.Record(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	limited := fought(0)
	var told sync.Map // use id to pass
	var won [singles]atomic.Int64
	var stopped atomic.Bool
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			for n := i; !stopped.Load(); n++ {
				target := n % singles
				got, err := s.Reserve(t.Context(), useOf(rows[target].Pass, ""))
				switch {
				case err == nil:
					won[target].Add(1)
					told.Store(got.Use.ID, got.Use.Pass)
				case errors.Is(err, hallpass.RefusalSpent), errors.Is(err, hallpass.ErrUnavailable):
				default:
					t.Errorf("Reserve: %v", err)
				}
				if got, err = s.Reserve(t.Context(), useOf(limited, "")); err == nil {
					told.Store(got.Use.ID, got.Use.Pass)
				}
			}
		})
	}
	for range rounds {
		time.Sleep(150 * time.Millisecond)
		server.Kill()
		time.Sleep(50 * time.Millisecond)
		server.Start(t)
	}
	time.Sleep(300 * time.Millisecond)
	stopped.Store(true)
	all.Wait()
	answers(t, s, 5*time.Second)

	kept := map[string]string{}
	q := hallpass.UseQuery{Limit: 1000}
	for {
		page, err := s.Uses(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range page {
			kept[u.ID] = u.Pass
		}
		if len(page) < q.Limit {
			break
		}
		q.After = page[len(page)-1].ID
	}
	acknowledged := 0
	told.Range(func(id, pass any) bool {
		acknowledged++
		if kept[id.(string)] != pass.(string) {
			t.Errorf("the acknowledged use %s of %s is missing", id, pass)
		}
		return true
	})
	for i := range won {
		if n := won[i].Load(); n > 1 {
			t.Errorf("a single-use pass was won %d times", n)
		}
	}
	if e, err := s.Entry(t.Context(), limited.ID); err != nil || e.Used < 100 {
		t.Errorf("Used = %d, %v; this tested nothing", e.Used, err)
	}
	t.Logf("%d uses were acknowledged over %d deaths, and %d are kept", acknowledged, rounds, len(kept))
}

func TestAClosedStoreIsUnavailable(t *testing.T) {
	t.Parallel()
	s := open(t, needs.Redis(t))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close again: %v", err)
	}
	for name, call := range calls(t.Context(), s) {
		if err := call(); !errors.Is(err, hallpass.ErrUnavailable) {
			t.Errorf("%s = %v, want ErrUnavailable", name, err)
		}
	}
}
