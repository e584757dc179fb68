package storetest

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/hallpass-go/hallpass"
)

var quotaTests = []test{
	{"of 200 callers at once exactly the quota wins", func(t *testing.T, s suite) {
		for _, quota := range []int64{1, 7} {
			t.Run(fmt.Sprintf("a quota of %d", quota), func(t *testing.T) {
				one := s.open(t)
				fight(t, one, one, quota)
			})
		}
	}},

	{"of 200 callers on two handles exactly the quota wins", func(t *testing.T, s suite) {
		for _, quota := range []int64{1, 7} {
			t.Run(fmt.Sprintf("a quota of %d", quota), func(t *testing.T) {
				a, b := s.pair(t)
				fight(t, a, b, quota)
			})
		}
	}},

	{"passes fought over at the same time do not take from each other", func(t *testing.T, s suite) {
		one := s.open(t)
		passes := []hallpass.Pass{recorded(1), recorded(2), recorded(3), recorded(0)}
		record(t, one, passes...)
		wins := make([]atomic.Int64, len(passes))
		atOnce(crowd, func(i int) {
			if _, err := one.Reserve(t.Context(), reservationOf(passes[i%4], "")); err == nil {
				wins[i%4].Add(1)
			} else if !errors.Is(err, hallpass.RefusalSpent) {
				t.Errorf("Reserve: %v", err)
			}
		})
		for i, want := range []int64{1, 2, 3, crowd / 4} {
			if got := wins[i].Load(); got != want {
				t.Errorf("pass %d was won %d times, want %d", i, got, want)
			}
			wantUsed(t, one, passes[i].ID, want)
		}
	}},

	{"an unlimited pass counts every use", func(t *testing.T, s suite) {
		one := s.open(t)
		p := recorded(0)
		record(t, one, p)
		atOnce(crowd, func(int) { redeemed(t, one, p) })
		wantUsed(t, one, p.ID, crowd)
	}},

	{"a winner is told the row after counting and the use as written", func(t *testing.T, s suite) {
		one := s.open(t)
		p := recorded(3)
		record(t, one, p)
		r := reservationOf(p, "key")
		won, err := one.Reserve(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		want := entryOf(p)
		want.Used = 1
		same(t, "the reservation", won, hallpass.Reserved{Entry: want, Use: r.Use})
		same(t, "the stored row", entry(t, one, p.ID), want)
		same(t, "the stored uses", allUses(t, one, p.ID), []hallpass.Use{r.Use})
	}},

	{"winners at once are each told another count", func(t *testing.T, s suite) {
		one := s.open(t)
		p := recorded(0)
		record(t, one, p)
		var seen [crowd + 1]atomic.Bool
		atOnce(crowd, func(int) {
			won, err := one.Reserve(t.Context(), reservationOf(p, ""))
			if err != nil || won.Entry.Used < 1 || won.Entry.Used > crowd {
				t.Errorf("Reserve = Used %d, %v", won.Entry.Used, err)
				return
			}
			if seen[won.Entry.Used].Swap(true) {
				t.Errorf("two callers were both told that Used is %d", won.Entry.Used)
			}
		})
	}},

	{"the use belongs to the reserved pass whatever the caller wrote there", func(t *testing.T, s suite) {
		one := s.open(t)
		p := recorded(1)
		record(t, one, p)
		r := reservationOf(p, "")
		r.Use.Pass = ""
		won, err := one.Reserve(t.Context(), r)
		if err != nil || won.Use.Pass != p.ID {
			t.Fatalf("Reserve = Use.Pass %q, %v, want %q", won.Use.Pass, err, p.ID)
		}
		wantUsed(t, one, p.ID, 1)
	}},

	{"the row decides the quota, not the token", func(t *testing.T, s suite) {
		one := s.open(t)
		p := recorded(1)
		record(t, one, p)
		redeem(t, one, p, "")
		p.MaxUses = 0
		refused(t, one, p, "", hallpass.RefusalSpent)
		p.Recorded = false
		refused(t, one, p, "", hallpass.RefusalSpent)
	}},

	{"a use id that exists is a conflict and harms nobody else", func(t *testing.T, s suite) {
		one := s.open(t)
		p := recorded(0)
		record(t, one, p)
		taken := redeem(t, one, p, "").Use.ID
		var conflicts atomic.Int64
		atOnce(20, func(i int) {
			r := reservationOf(p, "")
			if i%4 == 0 {
				r.Use.ID = taken
			}
			_, err := one.Reserve(t.Context(), r)
			switch {
			case i%4 == 0 && errors.Is(err, hallpass.ErrConflict):
				conflicts.Add(1)
			case i%4 == 0 || err != nil:
				t.Errorf("Reserve %d: %v", i, err)
			}
		})
		if conflicts.Load() != 5 {
			t.Errorf("%d conflicts, want 5", conflicts.Load())
		}
		wantUsed(t, one, p.ID, 16)
	}},

	{"a count and its use survive reopening", func(t *testing.T, s suite) {
		if s.reopen == nil {
			t.Skip("the store cannot be reopened")
		}
		one := s.open(t)
		p, q := recorded(1), unrecorded(2)
		record(t, one, p)
		redeem(t, one, p, "")
		redeem(t, one, q, "key")
		one = s.reopen(t, one)
		refused(t, one, p, "", hallpass.RefusalSpent)
		wantUsed(t, one, p.ID, 1)
		if again := redeem(t, one, q, "key"); !again.Duplicate {
			t.Error("the key was forgotten")
		}
		wantUsed(t, one, q.ID, 1)
	}},
}

// fight lets a crowd loose on a quota, half of it on each handle.
func fight(t *testing.T, a, b hallpass.Store, quota int64) {
	t.Helper()
	p := recorded(quota)
	record(t, a, p)
	var won atomic.Int64
	atOnce(crowd, func(i int) {
		s := a
		if i%2 == 1 {
			s = b
		}
		_, err := s.Reserve(t.Context(), reservationOf(p, ""))
		switch {
		case err == nil:
			won.Add(1)
		case !errors.Is(err, hallpass.RefusalSpent):
			t.Errorf("a loser got %v, want the refusal spent", err)
		}
	})
	if won.Load() != quota {
		t.Errorf("%d callers won, want %d", won.Load(), quota)
	}
	wantUsed(t, a, p.ID, quota)
	wantUsed(t, b, p.ID, quota)
}

// redeemed is redeem for goroutines, which must not end the test.
func redeemed(t *testing.T, s hallpass.Store, p hallpass.Pass) {
	if _, err := s.Reserve(t.Context(), reservationOf(p, "")); err != nil {
		t.Errorf("Reserve: %v", err)
	}
}
