package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
)

var pruneTests = []test{
	{"pruning never brings a spent or revoked pass back to life", func(t *testing.T, s suite) {
		one := s.open(t)
		end := base.Truncate(time.Second).Add(100 * time.Hour)
		spent, revoked, spentForEver := unrecorded(1), unrecorded(1), unrecorded(1)
		for _, r := range []hallpass.Reservation{
			{Pass: spent, KeepUntil: end, Use: useOf(spent, "")},
			{Pass: spentForEver, Use: useOf(spentForEver, "")},
		} {
			if _, err := one.Reserve(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := one.RevokePass(t.Context(), hallpass.Entry{Pass: revoked, KeepUntil: end}, base); err != nil {
			t.Fatal(err)
		}

		done := prune(t, one, hallpass.PruneRule{Now: end.Add(-time.Microsecond), UsesBefore: end, KeepUses: 0})
		same(t, "what was pruned", done, hallpass.Pruned{Uses: 2})
		refused(t, one, spent, "", hallpass.RefusalSpent)
		refused(t, one, spentForEver, "", hallpass.RefusalSpent)
		refused(t, one, revoked, "", hallpass.RefusalRevoked)

		done = prune(t, one, hallpass.PruneRule{Now: end, KeepUses: -1})
		same(t, "what was pruned at the end", done, hallpass.Pruned{Passes: 2})
		noEntry(t, one, spent.ID)
		noEntry(t, one, revoked.ID)

		prune(t, one, hallpass.PruneRule{Now: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), KeepUses: 0})
		refused(t, one, spentForEver, "", hallpass.RefusalSpent)
	}},

	{"a removed row's place is free for another pass", func(t *testing.T, s suite) {
		one := s.open(t)
		p := recorded(3)
		record(t, one, p)
		redeem(t, one, p, "")
		if done := prune(t, one, hallpass.PruneRule{Now: base.Add(48 * time.Hour), KeepUses: -1}); done.Passes != 1 {
			t.Fatalf("pruned %+v, want one pass", done)
		}
		refused(t, one, p, "", hallpass.RefusalUnknownPass)
		q := recorded(3)
		record(t, one, q)
		same(t, "the new row", entry(t, one, q.ID), entryOf(q))
	}},

	{"a use outlives the row of its pass", func(t *testing.T, s suite) {
		one := s.open(t)
		p := recorded(3)
		record(t, one, p)
		use := redeem(t, one, p, "").Use
		prune(t, one, hallpass.PruneRule{Now: base.Add(48 * time.Hour), KeepUses: -1})
		same(t, "the audit", allUses(t, one, p.ID), []hallpass.Use{use})
		if got := settle(t, one, refundOf(use)); got.State != hallpass.UseSettled {
			t.Errorf("a use whose row is gone became %s, want settled", got.State)
		}
		noEntry(t, one, p.ID)
	}},

	{"uses go by age and never lower the count", func(t *testing.T, s suite) {
		one := s.open(t)
		p := recorded(0)
		record(t, one, p)
		var kept []hallpass.Use
		for i := range 30 {
			r := reservationOf(p, fmt.Sprint(i))
			// Not in the order of the ids: clocks differ between machines.
			r.Use.At = base.Add(time.Duration(i*7%30) * time.Minute)
			if _, err := one.Reserve(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			if !r.Use.At.Before(base.Add(20 * time.Minute)) {
				kept = append([]hallpass.Use{r.Use}, kept...)
			}
		}
		done := prune(t, one, hallpass.PruneRule{Now: base, UsesBefore: base.Add(20 * time.Minute), KeepUses: -1})
		same(t, "what was pruned", done, hallpass.Pruned{Uses: 20})
		same(t, "what is left", allUses(t, one, p.ID), kept)
		if got := entry(t, one, p.ID).Used; got != 30 {
			t.Errorf("Used = %d, want 30", got)
		}
	}},

	{"uses go by count, oldest first, and never lower the count", func(t *testing.T, s suite) {
		one := s.open(t)
		p, q := recorded(0), recorded(0)
		record(t, one, p, q)
		var newest []string
		for i := range 2500 {
			target := p
			if i%2 == 0 {
				target = q
			}
			r := reservationOf(target, "")
			r.Use.State = hallpass.UseSettled
			if i >= 2495 {
				newest = append([]string{r.Use.ID}, newest...)
			}
			if _, err := one.Reserve(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		same(t, "what was pruned", prune(t, one, hallpass.PruneRule{Now: base, KeepUses: 5}), hallpass.Pruned{Uses: 2495})
		var left []string
		for _, use := range allUses(t, one, "") {
			left = append(left, use.ID)
		}
		same(t, "what is left", left, newest)
		for _, id := range []string{p.ID, q.ID} {
			if got := entry(t, one, id).Used; got != 1250 {
				t.Errorf("Used = %d, want 1250", got)
			}
		}
		same(t, "what more was pruned", prune(t, one, hallpass.PruneRule{Now: base, KeepUses: 5}), hallpass.Pruned{})
	}},

	{"a pruned use cannot be settled", func(t *testing.T, s suite) {
		one := s.open(t)
		p := recorded(1)
		record(t, one, p)
		use := redeem(t, one, p, "").Use
		prune(t, one, hallpass.PruneRule{Now: base, KeepUses: 0})
		if _, err := one.Settle(t.Context(), refundOf(use)); !errors.Is(err, hallpass.ErrNotFound) {
			t.Errorf("Settle = %v, want ErrNotFound", err)
		}
		refused(t, one, p, "", hallpass.RefusalSpent)
	}},

	{"pruning while passes are used loses no count", func(t *testing.T, s suite) {
		a, b := s.pair(t)
		p := unrecorded(0)
		atOnce(20, func(i int) {
			for range 10 {
				if i == 0 {
					if _, err := b.Prune(t.Context(), hallpass.PruneRule{Now: base, UsesBefore: base.Add(time.Hour), KeepUses: 0}); err != nil {
						t.Errorf("Prune: %v", err)
					}
					continue
				}
				redeemed(t, a, p)
			}
		})
		if got := entry(t, b, p.ID).Used; got != 190 {
			t.Errorf("Used = %d, want 190", got)
		}
	}},

	{"cells that are over are removed", func(t *testing.T, s suite) {
		one := s.open(t)
		for i := range 3 {
			c := hallpass.Cell{Group: "g", Key: fmt.Sprint(i), Value: []byte("v")}
			if i > 0 {
				c.ExpiresAt = base.Add(time.Duration(i) * time.Hour)
			}
			swap(t, one, c, base)
		}
		same(t, "what was pruned", prune(t, one, hallpass.PruneRule{Now: base.Add(time.Hour), KeepUses: -1}), hallpass.Pruned{Cells: 1})
		cells, err := one.Cells(t.Context(), "g", 0, base)
		if err != nil || len(cells) != 2 {
			t.Errorf("Cells = %v, %v, want two", cells, err)
		}
	}},
}

func prune(t *testing.T, s hallpass.Store, rule hallpass.PruneRule) hallpass.Pruned {
	t.Helper()
	done, err := s.Prune(t.Context(), rule)
	if err != nil {
		t.Fatalf("Prune: %v", err)
	}
	return done
}
