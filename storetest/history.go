package storetest

import (
	"context"
	"errors"
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

	{"a call whose context has ended writes none of them", func(t *testing.T, s suite) {
		one, history := s.history(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		p := recorded(1)
		if err := history.RecordUses(ctx, []hallpass.Use{useOf(p, "")}); !errors.Is(err, context.Canceled) {
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
