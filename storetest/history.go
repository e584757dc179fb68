package storetest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
)

// historyTests are for stores that are a hallpass.History; they need not be.
var historyTests = []test{
	{"uses that were counted elsewhere change no counter", func(t *testing.T, s suite) {
		one, history := s.history(t)
		p := recorded(2)
		if err := one.Record(t.Context(), []hallpass.Entry{{Pass: p, Used: 1}}); err != nil {
			t.Fatal(err)
		}
		first, second := useOf(p, ""), useOf(p, "")
		first.State, first.Status = hallpass.UseSettled, 200
		second.State, second.At = hallpass.UseUnknown, base.Add(-time.Hour)
		for range 2 {
			if err := history.RecordUses(t.Context(), []hallpass.Use{first, second}); err != nil {
				t.Fatal(err)
			}
		}
		if e := entry(t, one, p.ID); e.Used != 1 {
			t.Errorf("used %d, want 1", e.Used)
		}
		uses, err := one.Uses(t.Context(), hallpass.UseQuery{Pass: p.ID, Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		same(t, "the uses", uses, []hallpass.Use{second, first})
	}},

	{"a use that is there stays as it is", func(t *testing.T, s suite) {
		one, history := s.history(t)
		p := recorded(2)
		record(t, one, p)
		use := useOf(p, "key")
		if _, err := one.Reserve(t.Context(), hallpass.Reservation{Pass: p, Use: use}); err != nil {
			t.Fatal(err)
		}
		other := use
		other.Key, other.UserAgent, other.State = "", "another", hallpass.UseSettled
		if err := history.RecordUses(t.Context(), []hallpass.Use{other}); err != nil {
			t.Fatal(err)
		}
		uses, err := one.Uses(t.Context(), hallpass.UseQuery{Pass: p.ID, Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		same(t, "the uses", uses, []hallpass.Use{use})
		if got, err := one.Reserve(t.Context(), hallpass.Reservation{Pass: p, Use: useOf(p, "key")}); err != nil || !got.Duplicate {
			t.Errorf("its key is gone: %+v, %v", got, err)
		}
	}},

	{"the quota does not matter to them, and a pass without a row has uses", func(t *testing.T, s suite) {
		one, history := s.history(t)
		p, gone := recorded(1), recorded(1)
		if err := one.Record(t.Context(), []hallpass.Entry{{Pass: p, Used: 1}}); err != nil {
			t.Fatal(err)
		}
		if err := history.RecordUses(t.Context(), []hallpass.Use{useOf(p, ""), useOf(p, ""), useOf(gone, "")}); err != nil {
			t.Fatal(err)
		}
		uses, err := one.Uses(t.Context(), hallpass.UseQuery{Limit: 10})
		if err != nil || len(uses) != 3 {
			t.Errorf("%d uses, %v", len(uses), err)
		}
	}},

	{"a quota is lowered and never raised, and the count stays", func(t *testing.T, s suite) {
		one, history := s.history(t)
		p := recorded(10)
		if err := one.Record(t.Context(), []hallpass.Entry{{Pass: p, Used: 3}}); err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct{ lower, want int64 }{{5, 5}, {5, 5}, {8, 5}, {2, 2}, {0, 1}, {-7, 1}, {3, 1}} {
			got, err := history.LowerQuota(t.Context(), p.ID, step.lower)
			if err != nil {
				t.Fatal(err)
			}
			same(t, "the row that is returned", got, entry(t, one, p.ID))
			if got.MaxUses != step.want || got.Used != 3 || !got.RevokedAt.IsZero() {
				t.Errorf("lowered to %d: %d of %d, want 3 of %d", step.lower, got.Used, got.MaxUses, step.want)
			}
		}
		if _, err := one.Reserve(t.Context(), hallpass.Reservation{Pass: p, Use: useOf(p, "")}); !errors.Is(err, hallpass.RefusalSpent) {
			t.Errorf("used more often than the new quota: %v, want %v", err, hallpass.RefusalSpent)
		}
		if e, err := one.Amend(t.Context(), hallpass.Amendment{Pass: p.ID, AddUses: 4}); err != nil || e.MaxUses != 5 || e.Used != 3 {
			t.Errorf("raised again: %d of %d, %v; want 3 of 5", e.Used, e.MaxUses, err)
		}
	}},

	{"a pass without limit gets none, and one without a row is not found", func(t *testing.T, s suite) {
		one, history := s.history(t)
		p := recorded(0)
		record(t, one, p)
		if e, err := history.LowerQuota(t.Context(), p.ID, 1); err != nil || e.MaxUses != 0 {
			t.Errorf("max_uses %d, %v", e.MaxUses, err)
		}
		if _, err := history.LowerQuota(t.Context(), recorded(1).ID, 1); !errors.Is(err, hallpass.ErrNotFound) {
			t.Errorf("%v, want %v", err, hallpass.ErrNotFound)
		}
	}},

	{"while it is lowered, no more win than one of the quotas allows", func(t *testing.T, s suite) {
		one, history := s.history(t)
		p := recorded(100)
		record(t, one, p)
		var won atomic.Int64
		var all sync.WaitGroup
		for range 40 {
			all.Go(func() {
				_, err := one.Reserve(t.Context(), hallpass.Reservation{Pass: p, Use: useOf(p, "")})
				if err == nil {
					won.Add(1)
				} else if !errors.Is(err, hallpass.RefusalSpent) {
					t.Error(err)
				}
			})
		}
		var before hallpass.Entry
		all.Go(func() {
			var err error
			if before, err = history.LowerQuota(t.Context(), p.ID, 7); err != nil {
				t.Error(err)
			}
		})
		all.Wait()
		if n := won.Load(); n != max(7, before.Used) || entry(t, one, p.ID).Used != n {
			t.Errorf("%d won; %d had been counted when the quota fell to 7", n, before.Used)
		}
	}},

	{"a call whose context has ended writes none of them", func(t *testing.T, s suite) {
		one, history := s.history(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		p := recorded(1)
		if err := history.RecordUses(ctx, []hallpass.Use{useOf(p, "")}); !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want %v", err, context.Canceled)
		}
		record(t, one, p)
		if _, err := history.LowerQuota(ctx, p.ID, 1); !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want %v", err, context.Canceled)
		}
		if uses, err := one.Uses(t.Context(), hallpass.UseQuery{Limit: 10}); err != nil || len(uses) != 0 {
			t.Errorf("%d uses, %v", len(uses), err)
		}
	}},
}

// history opens a store that takes one, or leaves the test out.
func (s suite) history(t *testing.T) (hallpass.Store, hallpass.History) {
	t.Helper()
	one := s.open(t)
	history, takes := one.(hallpass.History)
	if !takes {
		t.Skip("this store is no hallpass.History, which it need not be")
	}
	return one, history
}
