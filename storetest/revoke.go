package storetest

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
)

var revokeTests = []test{
	{"a revoked pass is refused, before its quota is looked at", func(t *testing.T, s suite) {
		one := s.open(t)
		p := recorded(1)
		record(t, one, p)
		redeem(t, one, p, "")
		want := entryOf(p)
		want.Used, want.RevokedAt = 1, base.Add(time.Minute)
		same(t, "the revoked row", revoke(t, one, p, base.Add(time.Minute)), want)
		same(t, "the stored row", entry(t, one, p.ID), want)
		refused(t, one, p, "", hallpass.RefusalRevoked)
		wantUsed(t, one, p.ID, 1)
	}},

	{"the first revocation's time stays", func(t *testing.T, s suite) {
		one := s.open(t)
		p := recorded(1)
		record(t, one, p)
		first := revoke(t, one, p, base.Add(time.Minute))
		same(t, "the second answer", revoke(t, one, p, base.Add(time.Hour)), first)
	}},

	{"a pass can be revoked before its first use", func(t *testing.T, s suite) {
		one := s.open(t)
		p := unrecorded(1)
		want := entryOf(p)
		want.RevokedAt = base.Add(time.Minute)
		same(t, "the tombstone", revoke(t, one, p, base.Add(time.Minute)), want)
		same(t, "the stored row", entry(t, one, p.ID), want)
		refused(t, one, p, "", hallpass.RefusalRevoked)
	}},

	{"recording a pass does not lift its tombstone", func(t *testing.T, s suite) {
		one := s.open(t)
		p := recorded(1)
		revoke(t, one, p, base)
		record(t, one, p)
		refused(t, one, p, "", hallpass.RefusalRevoked)
	}},

	{"a use reserved before the revocation can still be settled", func(t *testing.T, s suite) {
		one := s.open(t)
		p := recorded(1)
		record(t, one, p)
		use := redeem(t, one, p, "").Use
		revoke(t, one, p, base)
		if got := settle(t, one, refundOf(use)); got.State != hallpass.UseRefunded {
			t.Errorf("the use is %s, want refunded", got.State)
		}
		refused(t, one, p, "", hallpass.RefusalRevoked)
	}},

	{"no reservation that starts after the revocation returned wins", func(t *testing.T, s suite) {
		for name, p := range map[string]hallpass.Pass{"a row": recorded(0), "a first use": unrecorded(0)} {
			t.Run(name, func(t *testing.T) {
				a, b := s.pair(t)
				if p.Recorded {
					record(t, a, p)
				}
				var revoked atomic.Bool
				var won atomic.Int64
				atOnce(33, func(i int) {
					if i == 0 {
						if _, err := a.RevokePass(t.Context(), entryOf(p), base); err != nil {
							t.Errorf("RevokePass: %v", err)
						}
						revoked.Store(true)
						return
					}
					one := a
					if i%2 == 1 {
						one = b
					}
					for range 20 {
						late := revoked.Load()
						_, err := one.Reserve(t.Context(), reservationOf(p, ""))
						switch {
						case err == nil && late:
							t.Error("a reservation won after the revocation had returned")
						case err == nil:
							won.Add(1)
						case errors.Is(err, hallpass.RefusalRevoked):
							return
						default:
							t.Errorf("Reserve: %v", err)
						}
					}
				})
				wantUsed(t, b, p.ID, won.Load())
				refused(t, b, p, "", hallpass.RefusalRevoked)
			})
		}
	}},

	{"of 100 revocations at once all are told the same time", func(t *testing.T, s suite) {
		a, b := s.pair(t)
		p := unrecorded(1)
		var told [100]hallpass.Entry
		atOnce(len(told), func(i int) {
			one := a
			if i%2 == 1 {
				one = b
			}
			var err error
			if told[i], err = one.RevokePass(t.Context(), entryOf(p), base.Add(time.Duration(i)*time.Second)); err != nil {
				t.Errorf("RevokePass: %v", err)
			}
		})
		for _, e := range told {
			same(t, "what a caller was told", e, told[0])
		}
	}},
}

func revoke(t *testing.T, s hallpass.Store, p hallpass.Pass, now time.Time) hallpass.Entry {
	t.Helper()
	e, err := s.RevokePass(t.Context(), entryOf(p), now)
	if err != nil {
		t.Fatalf("RevokePass: %v", err)
	}
	return e
}
