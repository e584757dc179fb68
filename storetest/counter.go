package storetest

import (
	"errors"
	"math"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
)

var counterTests = []test{
	{"a counter starts at zero and adds up", func(t *testing.T, s suite) {
		one := s.open(t)
		a := hallpass.Addition{Group: "g", Key: "n", Delta: 2}
		add(t, one, a, base, 2, true)
		a.Delta = 40
		add(t, one, a, base, 42, true)
		add(t, one, hallpass.Addition{Group: "g", Key: "other", Delta: 1}, base, 1, true)
		add(t, one, hallpass.Addition{Group: "other", Key: "n", Delta: 1}, base, 1, true)
	}},

	{"beyond its limit nothing is added", func(t *testing.T, s suite) {
		one := s.open(t)
		a := hallpass.Addition{Group: "g", Key: "n", Delta: 3, Limit: 5}
		add(t, one, a, base, 3, true)
		add(t, one, a, base, 3, false)
		a.Delta = 2
		add(t, one, a, base, 5, true)
		a.Delta = 1
		add(t, one, a, base, 5, false)
		a.Limit = 2
		add(t, one, a, base, 5, false)
	}},

	{"a first addition beyond the limit starts no counter", func(t *testing.T, s suite) {
		one := s.open(t)
		add(t, one, hallpass.Addition{Group: "g", Key: "n", Delta: 6, Limit: 5, Window: time.Hour}, base, 0, false)
		noCell(t, one, "g", "n", base)
	}},

	{"a counter never wraps round", func(t *testing.T, s suite) {
		one := s.open(t)
		a := hallpass.Addition{Group: "g", Key: "n", Delta: math.MaxInt64}
		add(t, one, a, base, math.MaxInt64, true)
		a.Delta = 1
		add(t, one, a, base, math.MaxInt64, false)
	}},

	{"100 goroutines stop exactly at the limit", func(t *testing.T, s suite) {
		a, b := s.pair(t)
		var added atomic.Int64
		var seen [11]atomic.Bool
		atOnce(100, func(i int) {
			one := a
			if i%2 == 1 {
				one = b
			}
			value, ok, err := one.Add(t.Context(), hallpass.Addition{Group: "g", Key: "n", Delta: 1, Limit: 10, Window: time.Hour}, base)
			switch {
			case err != nil:
				t.Errorf("Add: %v", err)
			case ok && (value < 1 || value > 10 || seen[value].Swap(true)):
				t.Errorf("Add = %d, twice or out of range", value)
			case ok:
				added.Add(1)
			case value != 10:
				t.Errorf("a late caller was told %d, want 10", value)
			}
		})
		if added.Load() != 10 {
			t.Errorf("%d were added, want 10", added.Load())
		}
	}},

	{"a window begins with its first addition and then starts again", func(t *testing.T, s suite) {
		one := s.open(t)
		a := hallpass.Addition{Group: "g", Key: "n", Delta: 1, Limit: 2, Window: time.Minute}
		add(t, one, a, base, 1, true)
		add(t, one, a, base.Add(59*time.Second), 2, true)
		add(t, one, a, base.Add(time.Minute-time.Microsecond), 2, false)
		add(t, one, a, base.Add(time.Minute), 1, true)
		add(t, one, a, base.Add(2*time.Minute-time.Microsecond), 2, true)
		add(t, one, a, base.Add(2*time.Minute), 1, true)
	}},

	{"a counter without a window lives for ever", func(t *testing.T, s suite) {
		one := s.open(t)
		a := hallpass.Addition{Group: "g", Key: "n", Delta: 1}
		add(t, one, a, base, 1, true)
		add(t, one, a, time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), 2, true)
	}},

	{"a counter is a cell whose value is its decimal text", func(t *testing.T, s suite) {
		one := s.open(t)
		a := hallpass.Addition{Group: "g", Key: "n", Delta: 12, Window: time.Minute}
		add(t, one, a, base, 12, true)
		c := cell(t, one, "g", "n", base)
		if string(c.Value) != "12" || !c.ExpiresAt.Equal(base.Add(time.Minute)) {
			t.Errorf("the cell is %q until %v", c.Value, c.ExpiresAt)
		}
		c.Value = []byte("3")
		c = swap(t, one, c, base)
		add(t, one, a, base, 15, true)
		noSwap(t, one, c, base)
	}},

	{"what is no counter cannot be added to", func(t *testing.T, s suite) {
		one := s.open(t)
		for i, value := range []string{"", "x", "1.5", " 1", "9223372036854775808"} {
			c := hallpass.Cell{Group: "g", Key: string(rune('a' + i)), Value: []byte(value)}
			swap(t, one, c, base)
			_, added, err := one.Add(t.Context(), hallpass.Addition{Group: "g", Key: c.Key, Delta: 1}, base)
			if added || !errors.Is(err, hallpass.ErrConflict) {
				t.Errorf("Add to %q = %t, %v, want ErrConflict", value, added, err)
			}
		}
	}},
}

func add(t *testing.T, s hallpass.Store, a hallpass.Addition, now time.Time, want int64, wantAdded bool) {
	t.Helper()
	value, added, err := s.Add(t.Context(), a, now)
	if err != nil || value != want || added != wantAdded {
		t.Fatalf("Add = %d, %t, %v, want %d, %t", value, added, err, want, wantAdded)
	}
}
