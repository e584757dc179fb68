package storetest_test

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/memstore"
	"github.com/hallpass-go/hallpass/storetest"
)

// faultyStore breaks one promise of a good store.
type faultyStore struct {
	hallpass.Store
	fault string
}

const faultVariable = "STORETEST_FAULT"

func (s *faultyStore) Reserve(ctx context.Context, r hallpass.Reservation) (hallpass.Reserved, error) {
	switch s.fault {
	case "two steps":
		e, err := s.Store.Entry(ctx, r.Pass.ID)
		if left, limited := e.UsesLeft(); err == nil && limited && left > 0 {
			time.Sleep(time.Millisecond)
			r.Pass.ID += "/uncounted"
			r.Pass.Recorded = false
		}
	case "keys ignored":
		r.Use.Key = ""
	case "writes after the context ended":
		ctx = context.WithoutCancel(ctx)
	}
	return s.Store.Reserve(ctx, r)
}

func (s *faultyStore) Settle(ctx context.Context, end hallpass.Settlement) (hallpass.Use, error) {
	if s.fault == "endless refunds" {
		end.MaxRefunds++
	}
	return s.Store.Settle(ctx, end)
}

func (s *faultyStore) Prune(ctx context.Context, p hallpass.PruneRule) (hallpass.Pruned, error) {
	if s.fault == "rows removed too early" {
		p.Now = p.Now.Add(time.Microsecond)
	}
	return s.Store.Prune(ctx, p)
}

func (s *faultyStore) Entries(ctx context.Context, q hallpass.EntryQuery) ([]hallpass.Entry, error) {
	if s.fault == "pages by time alone" {
		q.After.ID = ""
	}
	return s.Store.Entries(ctx, q)
}

func (s *faultyStore) RevokePass(ctx context.Context, tombstone hallpass.Entry, now time.Time) (hallpass.Entry, error) {
	if s.fault == "no tombstones" {
		if _, err := s.Store.Entry(ctx, tombstone.ID); err != nil {
			return tombstone, nil
		}
	}
	return s.Store.RevokePass(ctx, tombstone, now)
}

func (s *faultyStore) Cells(ctx context.Context, group string, since uint64, now time.Time) ([]hallpass.Cell, error) {
	if s.fault == "a feed that skips" {
		since++
	}
	return s.Store.Cells(ctx, group, since, now)
}

func (s *faultyStore) Add(ctx context.Context, a hallpass.Addition, now time.Time) (int64, bool, error) {
	if s.fault == "windows that slide" {
		defer func() {
			if c, err := s.Store.Cell(ctx, a.Group, a.Key, now); err == nil && a.Window > 0 {
				c.ExpiresAt = now.Add(a.Window)
				s.Store.Swap(ctx, c, now)
			}
		}()
	}
	return s.Store.Add(ctx, a, now)
}

func (s *faultyStore) RecordEvents(ctx context.Context, events []hallpass.Event) error {
	if s.fault == "events without their time" {
		events = append([]hallpass.Event(nil), events...)
		for i := range events {
			events[i].At = time.Time{}
		}
	}
	return s.Store.(hallpass.EventStore).RecordEvents(ctx, events)
}

func (s *faultyStore) Events(ctx context.Context, q hallpass.EventQuery) ([]hallpass.Event, error) {
	switch s.fault {
	case "events that forget a filter":
		q.Reason = ""
	case "events without their first":
		q.From += "-"
	}
	return s.Store.(hallpass.EventStore).Events(ctx, q)
}

// TestFaultyStore fails when the variable names a fault, as it should.
func TestFaultyStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) hallpass.Store {
		return &faultyStore{memstore.New(), os.Getenv(faultVariable)}
	}, nil)
}

func TestRunFindsEachFault(t *testing.T) {
	t.Parallel()
	if os.Getenv(faultVariable) != "" {
		return // this is the faulty run that the other process started
	}
	for _, fault := range []string{
		"two steps", "keys ignored", "writes after the context ended", "endless refunds", "rows removed too early",
		"pages by time alone", "no tombstones", "a feed that skips", "windows that slide",
		"events without their time", "events that forget a filter", "events without their first",
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestFaultyStore$", "-test.failfast")
			cmd.Env = append(os.Environ(), faultVariable+"="+fault)
			if out, err := cmd.CombinedOutput(); err == nil {
				t.Errorf("a store with %s passes:\n%s", fault, out)
			}
		})
	}
}
