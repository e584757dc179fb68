package storetest

import (
	"errors"
	"sync/atomic"
	"testing"

	"github.com/hallpass-go/hallpass"
)

var settleTests = []test{
	{"a settlement stores state and status", func(t *testing.T, s suite) {
		for _, state := range []hallpass.UseState{hallpass.UseSettled, hallpass.UseForwarded} {
			one := s.open(t)
			p := recorded(2)
			record(t, one, p)
			want := redeem(t, one, p, "key").Use
			want.State, want.Status = state, 204
			got := settle(t, one, hallpass.Settlement{Pass: p.ID, Use: want.ID, State: state, Status: 204})
			same(t, "the returned use", got, want)
			same(t, "the stored uses", allUses(t, one, p.ID), []hallpass.Use{want})
			wantUsed(t, one, p.ID, 1)
		}
	}},

	{"the first settlement of a use wins", func(t *testing.T, s suite) {
		one := s.open(t)
		p := recorded(2)
		record(t, one, p)
		use := redeem(t, one, p, "").Use
		first := settle(t, one, hallpass.Settlement{Pass: p.ID, Use: use.ID, State: hallpass.UseSettled, Status: 200})
		same(t, "a later refund", settle(t, one, refundOf(use)), first)
		same(t, "a later settlement", settle(t, one, hallpass.Settlement{
			Pass: p.ID, Use: use.ID, State: hallpass.UseForwarded, Status: 404,
		}), first)
		wantUsed(t, one, p.ID, 1)
	}},

	{"of 100 settlements at once one wins and all are told it", func(t *testing.T, s suite) {
		a, b := s.pair(t)
		p := recorded(2)
		record(t, a, p)
		use := redeem(t, a, p, "").Use
		var told [100]hallpass.Use
		atOnce(100, func(i int) {
			one, end := a, refundOf(use)
			if i%2 == 1 {
				one, end.State, end.Status = b, hallpass.UseSettled, 200+i
			}
			var err error
			if told[i], err = one.Settle(t.Context(), end); err != nil {
				t.Errorf("Settle: %v", err)
			}
		})
		for _, got := range told {
			same(t, "what a caller was told", got, told[0])
		}
		e := entry(t, a, p.ID)
		refunded := told[0].State == hallpass.UseRefunded
		if wantUsed := map[bool]int64{true: 0, false: 1}[refunded]; e.Used != wantUsed || e.Refunds != 1-wantUsed {
			t.Errorf("after %s: Used %d, Refunds %d", told[0].State, e.Used, e.Refunds)
		}
	}},

	{"a use that does not exist cannot be settled", func(t *testing.T, s suite) {
		one := s.open(t)
		p, q := recorded(2), recorded(2)
		record(t, one, p, q)
		use := redeem(t, one, p, "").Use
		for name, end := range map[string]hallpass.Settlement{
			"no such use":        {Pass: p.ID, Use: newID(), State: hallpass.UseSettled},
			"another pass's use": {Pass: q.ID, Use: use.ID, State: hallpass.UseSettled},
		} {
			if _, err := one.Settle(t.Context(), end); !errors.Is(err, hallpass.ErrNotFound) {
				t.Errorf("%s: Settle = %v, want ErrNotFound", name, err)
			}
		}
	}},

	{"a use reserved as settled needs and takes no settlement", func(t *testing.T, s suite) {
		one := s.open(t)
		p := recorded(2)
		record(t, one, p)
		r := reservationOf(p, "")
		r.Use.State, r.Use.Status = hallpass.UseSettled, 200
		won, err := one.Reserve(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "the use after a refund", settle(t, one, refundOf(won.Use)), won.Use)
		wantUsed(t, one, p.ID, 1)
	}},

	{"a refund gives the use back", func(t *testing.T, s suite) {
		one := s.open(t)
		p := recorded(1)
		record(t, one, p)
		use := redeem(t, one, p, "").Use
		refused(t, one, p, "", hallpass.RefusalSpent)
		got := settle(t, one, refundOf(use))
		if got.State != hallpass.UseRefunded || got.Status != 503 {
			t.Errorf("the use is %s %d, want refunded 503", got.State, got.Status)
		}
		if e := entry(t, one, p.ID); e.Used != 0 || e.Refunds != 1 {
			t.Errorf("Used %d, Refunds %d, want 0 and 1", e.Used, e.Refunds)
		}
		same(t, "a second refund", settle(t, one, refundOf(use)), got)
		redeem(t, one, p, "")
		wantUsed(t, one, p.ID, 1)
	}},

	{"a refund gives the key back", func(t *testing.T, s suite) {
		one := s.open(t)
		p := recorded(2)
		record(t, one, p)
		first := redeem(t, one, p, "click").Use
		if got := settle(t, one, refundOf(first)); got.Key != "" {
			t.Errorf("the refunded use still has the key %q", got.Key)
		}
		second := redeem(t, one, p, "click")
		if second.Duplicate || second.Use.ID == first.ID {
			t.Error("the key of a refunded use was taken for a repeat")
		}
		if third := redeem(t, one, p, "click"); !third.Duplicate || third.Use.ID != second.Use.ID {
			t.Error("the key was not taken again")
		}
		wantUsed(t, one, p.ID, 1)
	}},

	{"beyond the most refunds a refund is a settlement", func(t *testing.T, s suite) {
		one := s.open(t)
		p := recorded(1)
		record(t, one, p)
		for range 3 {
			if got := settle(t, one, refundOf(redeem(t, one, p, "click").Use)); got.State != hallpass.UseRefunded {
				t.Fatalf("the use is %s, want refunded", got.State)
			}
		}
		got := settle(t, one, refundOf(redeem(t, one, p, "click").Use))
		if got.State != hallpass.UseSettled || got.Status != 503 || got.Key != "click" {
			t.Errorf("the use is %s %d with key %q, want settled 503 with its key", got.State, got.Status, got.Key)
		}
		if e := entry(t, one, p.ID); e.Used != 1 || e.Refunds != 3 {
			t.Errorf("Used %d, Refunds %d, want 1 and 3", e.Used, e.Refunds)
		}
		refused(t, one, p, "", hallpass.RefusalSpent)
	}},

	{"a pass that may have no refunds gets none", func(t *testing.T, s suite) {
		one := s.open(t)
		p := recorded(1)
		record(t, one, p)
		end := refundOf(redeem(t, one, p, "").Use)
		end.MaxRefunds = 0
		if got := settle(t, one, end); got.State != hallpass.UseSettled {
			t.Errorf("the use is %s, want settled", got.State)
		}
		refused(t, one, p, "", hallpass.RefusalSpent)
	}},

	{"refunds at once never exceed the most a pass may have", func(t *testing.T, s suite) {
		a, b := s.pair(t)
		p := recorded(20)
		record(t, a, p)
		uses := make([]hallpass.Use, 20)
		for i := range uses {
			uses[i] = redeem(t, a, p, "").Use
		}
		var refunds atomic.Int64
		atOnce(len(uses), func(i int) {
			one := a
			if i%2 == 1 {
				one = b
			}
			got, err := one.Settle(t.Context(), refundOf(uses[i]))
			if err != nil {
				t.Errorf("Settle: %v", err)
			}
			if got.State == hallpass.UseRefunded {
				refunds.Add(1)
			}
		})
		if e := entry(t, a, p.ID); refunds.Load() != 3 || e.Refunds != 3 || e.Used != 17 {
			t.Errorf("%d refunds; Used %d, Refunds %d, want 3; 17, 3", refunds.Load(), e.Used, e.Refunds)
		}
		wantUsed(t, b, p.ID, 17)
	}},

	{"while winners give back what they won the quota still holds", func(t *testing.T, s suite) {
		one := s.open(t)
		p := recorded(1)
		record(t, one, p)
		var holders, won atomic.Int64
		atOnce(crowd, func(int) {
			got, err := one.Reserve(t.Context(), reservationOf(p, ""))
			if errors.Is(err, hallpass.RefusalSpent) {
				return
			}
			if err != nil {
				t.Errorf("Reserve: %v", err)
				return
			}
			won.Add(1)
			if holders.Add(1) > 1 {
				t.Error("two callers hold the one use")
			}
			holders.Add(-1)
			if _, err := one.Settle(t.Context(), refundOf(got.Use)); err != nil {
				t.Errorf("Settle: %v", err)
			}
		})
		e := entry(t, one, p.ID)
		if e.Refunds > 3 || e.Used != won.Load()-e.Refunds || e.Used > 1 {
			t.Errorf("%d won; Used %d, Refunds %d", won.Load(), e.Used, e.Refunds)
		}
		wantUsed(t, one, p.ID, e.Used)
	}},
}
