package storetest

import (
	"errors"
	"sync/atomic"
	"testing"

	"github.com/hallpass-go/hallpass"
)

var keyTests = []test{
	{"the same key twice counts once and names the first use", func(t *testing.T, s suite) {
		one := s.open(t)
		p := recorded(3)
		record(t, one, p)
		first := redeem(t, one, p, "click")
		again := redeem(t, one, p, "click")
		if first.Duplicate || !again.Duplicate {
			t.Errorf("Duplicate = %t then %t, want false then true", first.Duplicate, again.Duplicate)
		}
		first.Duplicate = true
		same(t, "the repeat", again, first)
		wantUsed(t, one, p.ID, 1)
	}},

	{"the same key from 100 goroutines counts once and all get the same use", func(t *testing.T, s suite) {
		for name, p := range map[string]hallpass.Pass{"a row": recorded(7), "a first use": unrecorded(7)} {
			t.Run(name, func(t *testing.T) {
				a, b := s.pair(t)
				if p.Recorded {
					record(t, a, p)
				}
				var counted atomic.Int64
				var ids [100]string
				atOnce(100, func(i int) {
					one := a
					if i%2 == 1 {
						one = b
					}
					won, err := one.Reserve(t.Context(), reservationOf(p, "click"))
					if err != nil {
						t.Errorf("Reserve: %v", err)
					}
					if !won.Duplicate {
						counted.Add(1)
					}
					ids[i] = won.Use.ID
				})
				if counted.Load() != 1 {
					t.Errorf("%d callers were counted, want 1", counted.Load())
				}
				for _, id := range ids {
					if id != ids[0] {
						t.Fatalf("one caller got use %s, another %s", id, ids[0])
					}
				}
				wantUsed(t, a, p.ID, 1)
			})
		}
	}},

	{"a repeated key is honoured on a pass that is spent", func(t *testing.T, s suite) {
		one := s.open(t)
		p := recorded(1)
		record(t, one, p)
		first := redeem(t, one, p, "click")
		refused(t, one, p, "other", hallpass.RefusalSpent)
		again := redeem(t, one, p, "click")
		if !again.Duplicate || again.Use.ID != first.Use.ID {
			t.Errorf("got use %s, duplicate %t, want %s again", again.Use.ID, again.Duplicate, first.Use.ID)
		}
	}},

	{"a revoked pass is revoked for a repeated key too", func(t *testing.T, s suite) {
		one := s.open(t)
		p := recorded(2)
		record(t, one, p)
		redeem(t, one, p, "click")
		revoke(t, one, p, base)
		refused(t, one, p, "click", hallpass.RefusalRevoked)
	}},

	{"a repeat is told how the use has ended", func(t *testing.T, s suite) {
		one := s.open(t)
		p := recorded(2)
		record(t, one, p)
		use := redeem(t, one, p, "click").Use
		settle(t, one, hallpass.Settlement{Pass: p.ID, Use: use.ID, State: hallpass.UseSettled, Status: 201})
		again := redeem(t, one, p, "click").Use
		if again.State != hallpass.UseSettled || again.Status != 201 {
			t.Errorf("the repeat says %s %d, want settled 201", again.State, again.Status)
		}
	}},

	{"a key belongs to one pass", func(t *testing.T, s suite) {
		one := s.open(t)
		p, q := recorded(2), recorded(2)
		record(t, one, p, q)
		redeem(t, one, p, "click")
		if redeem(t, one, q, "click").Duplicate {
			t.Error("another pass's key was taken for this one's")
		}
	}},

	{"uses without a key are all counted", func(t *testing.T, s suite) {
		one := s.open(t)
		p := recorded(2)
		record(t, one, p)
		redeem(t, one, p, "")
		if redeem(t, one, p, "").Duplicate {
			t.Error("two uses without a key were taken for one")
		}
		refused(t, one, p, "", hallpass.RefusalSpent)
	}},

	{"keys of any text are told apart", func(t *testing.T, s suite) {
		one := s.open(t)
		p := recorded(0)
		record(t, one, p)
		keys := []string{"a", "A", "a ", " a", `a"b`, `a\b`, `a\"b`, "a\nb", "ä", "a\u0308", "😀", "%61", "1", "01", "null", "[]"}
		for _, key := range keys {
			if redeem(t, one, p, key).Duplicate {
				t.Errorf("%q was taken for another key", key)
			}
		}
		for _, key := range keys {
			if won := redeem(t, one, p, key); !won.Duplicate || won.Use.Key != key {
				t.Errorf("%q came back as %q, duplicate %t", key, won.Use.Key, won.Duplicate)
			}
		}
		wantUsed(t, one, p.ID, int64(len(keys)))
	}},

	{"among keys and quota at once nobody wins twice", func(t *testing.T, s suite) {
		one := s.open(t)
		p := recorded(5)
		record(t, one, p)
		var counted atomic.Int64
		atOnce(crowd, func(i int) {
			won, err := one.Reserve(t.Context(), reservationOf(p, string(rune('a'+i%20))))
			switch {
			case errors.Is(err, hallpass.RefusalSpent):
			case err != nil:
				t.Errorf("Reserve: %v", err)
			case !won.Duplicate:
				counted.Add(1)
			}
		})
		if counted.Load() != 5 {
			t.Errorf("%d uses were counted, want 5", counted.Load())
		}
		wantUsed(t, one, p.ID, 5)
	}},
}
