package storetest

import (
	"errors"
	"sync/atomic"
	"testing"

	"github.com/hallpass-go/hallpass"
)

var firstUseTests = []test{
	{"a recorded pass without a row is unknown and stays so", func(t *testing.T, s suite) {
		one := s.open(t)
		p := recorded(1)
		refused(t, one, p, "", hallpass.RefusalUnknownPass)
		noEntry(t, one, p.ID)
		refused(t, one, p, "key", hallpass.RefusalUnknownPass)
	}},

	{"the first use of an unrecorded pass makes its row from the token", func(t *testing.T, s suite) {
		one := s.open(t)
		p := unrecorded(2)
		p.Data = []byte(`{"from":"the token"}`)
		p.Grants = []hallpass.Grant{{Method: "GET", Path: "/a", Exact: true}}
		r := reservationOf(p, "")
		won, err := one.Reserve(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		want := hallpass.Entry{Pass: p, Used: 1, KeepUntil: r.KeepUntil}
		same(t, "the returned row", won.Entry, want)
		same(t, "the stored row", entry(t, one, p.ID), want)
	}},

	{"200 first uses at once make one row and exactly the quota wins", func(t *testing.T, s suite) {
		a, b := s.pair(t)
		p := unrecorded(7)
		var won atomic.Int64
		atOnce(crowd, func(i int) {
			one := a
			if i%2 == 1 {
				one = b
			}
			_, err := one.Reserve(t.Context(), reservationOf(p, ""))
			switch {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, hallpass.RefusalSpent):
				t.Errorf("Reserve: %v", err)
			}
		})
		if won.Load() != 7 {
			t.Errorf("%d callers won, want 7", won.Load())
		}
		wantUsed(t, a, p.ID, 7)
		if rows := allEntries(t, b, hallpass.EntryQuery{Limit: 10}); len(rows) != 1 {
			t.Errorf("there are %d rows, want 1", len(rows))
		}
	}},

	{"200 passes used for the first time at once each get their row", func(t *testing.T, s suite) {
		one := s.open(t)
		var passes [crowd]hallpass.Pass
		for i := range passes {
			passes[i] = unrecorded(1)
		}
		atOnce(crowd, func(i int) { redeemed(t, one, passes[i]) })
		for _, p := range passes {
			if got := entry(t, one, p.ID).Used; got != 1 {
				t.Errorf("Used = %d, want 1", got)
			}
		}
	}},

	{"a refused first use makes no row", func(t *testing.T, s suite) {
		one := s.open(t)
		p := unrecorded(1)
		r := reservationOf(p, "")
		r.Use.ID = redeem(t, one, unrecorded(0), "").Use.ID
		if _, err := one.Reserve(t.Context(), r); !errors.Is(err, hallpass.ErrConflict) {
			t.Fatalf("Reserve = %v, want ErrConflict", err)
		}
		noEntry(t, one, p.ID)
	}},

	{"an unrecorded pass that was recorded after all is judged on its row", func(t *testing.T, s suite) {
		one := s.open(t)
		p := unrecorded(5)
		row := entryOf(p)
		row.MaxUses = 1
		if err := one.Record(t.Context(), []hallpass.Entry{row}); err != nil {
			t.Fatal(err)
		}
		redeem(t, one, p, "")
		refused(t, one, p, "", hallpass.RefusalSpent)
	}},
}
