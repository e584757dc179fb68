package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
)

var cellTests = []test{
	{"a cell comes back as it was written", func(t *testing.T, s suite) {
		one := s.open(t)
		every := make([]byte, 256)
		for i := range every {
			every[i] = byte(i)
		}
		for i, c := range []hallpass.Cell{
			{Group: "g", Key: "empty"},
			{Group: "g", Key: "bytes", Value: every},
			{Group: "g", Key: "big", Value: bytes.Repeat(every, 1000)},
			{Group: "g", Key: "ends", Value: []byte("v"), ExpiresAt: base.Add(time.Hour)},
			{Group: "gé \"'\\", Key: "kö\n\U0001f680", Value: []byte("v"), ExpiresAt: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)},
		} {
			written := swap(t, one, c, base)
			if written.Version == 0 {
				t.Errorf("cell %d got version 0, which means none", i)
			}
			c.Version = written.Version
			same(t, "what Swap returned", written, c)
			same(t, "what Cell returned", cell(t, one, c.Group, c.Key, base), c)
		}
	}},

	{"an absent cell is not found", func(t *testing.T, s suite) {
		one := s.open(t)
		swap(t, one, hallpass.Cell{Group: "g", Key: "k"}, base)
		for _, c := range []hallpass.Cell{{Group: "g", Key: "K"}, {Group: "k", Key: "g"}, {Group: "gk"}} {
			noCell(t, one, c.Group, c.Key, base)
		}
	}},

	{"a cell is written only at the version that was read", func(t *testing.T, s suite) {
		one := s.open(t)
		c := swap(t, one, hallpass.Cell{Group: "g", Key: "k", Value: []byte("1")}, base)
		noSwap(t, one, hallpass.Cell{Group: "g", Key: "k", Value: []byte("none")}, base)
		noSwap(t, one, hallpass.Cell{Group: "g", Key: "k", Version: c.Version + 1}, base)
		noSwap(t, one, hallpass.Cell{Group: "g", Key: "other", Version: c.Version}, base)
		next := c
		next.Value = []byte("2")
		next = swap(t, one, next, base)
		if next.Version <= c.Version {
			t.Errorf("version %d followed %d", next.Version, c.Version)
		}
		noSwap(t, one, c, base)
		same(t, "the cell", cell(t, one, "g", "k", base), next)
	}},

	{"of 100 first writers one wins", func(t *testing.T, s suite) {
		a, b := s.pair(t)
		var won atomic.Int64
		atOnce(100, func(i int) {
			one := a
			if i%2 == 1 {
				one = b
			}
			_, err := one.Swap(t.Context(), hallpass.Cell{Group: "g", Key: "k", Value: fmt.Append(nil, i)}, base)
			switch {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, hallpass.ErrConflict):
				t.Errorf("Swap: %v", err)
			}
		})
		if won.Load() != 1 {
			t.Errorf("%d writers won, want 1", won.Load())
		}
	}},

	{"100 writers who read, swap and try again lose no write", func(t *testing.T, s suite) {
		a, b := s.pair(t)
		swap(t, a, hallpass.Cell{Group: "g", Key: "k", Value: []byte{0}}, base)
		atOnce(100, func(i int) {
			one := a
			if i%2 == 1 {
				one = b
			}
			for {
				c, err := one.Cell(t.Context(), "g", "k", base)
				if err != nil {
					t.Errorf("Cell: %v", err)
					return
				}
				c.Value = []byte{c.Value[0] + 1}
				if _, err = one.Swap(t.Context(), c, base); err == nil {
					return
				}
				if !errors.Is(err, hallpass.ErrConflict) {
					t.Errorf("Swap: %v", err)
					return
				}
			}
		})
		if got := cell(t, a, "g", "k", base).Value[0]; got != 100 {
			t.Errorf("the cell was raised %d times, want 100", got)
		}
	}},

	{"a cell that is over counts as absent", func(t *testing.T, s suite) {
		one := s.open(t)
		end := base.Add(time.Minute)
		c := swap(t, one, hallpass.Cell{Group: "g", Key: "k", Value: []byte("old"), ExpiresAt: end}, base)
		cell(t, one, "g", "k", end.Add(-time.Microsecond))
		noSwap(t, one, hallpass.Cell{Group: "g", Key: "k"}, end.Add(-time.Microsecond))

		noCell(t, one, "g", "k", end)
		noSwap(t, one, c, end)
		next := swap(t, one, hallpass.Cell{Group: "g", Key: "k", Value: []byte("new")}, end)
		if next.Version <= c.Version {
			t.Errorf("version %d followed %d", next.Version, c.Version)
		}
		same(t, "the cell", cell(t, one, "g", "k", end), next)
	}},

	{"cells survive reopening", func(t *testing.T, s suite) {
		if s.reopen == nil {
			t.Skip("the store cannot be reopened")
		}
		one := s.open(t)
		c := swap(t, one, hallpass.Cell{Group: "g", Key: "k", Value: []byte("v")}, base)
		one = s.reopen(t, one)
		same(t, "the cell", cell(t, one, "g", "k", base), c)
		if next := swap(t, one, hallpass.Cell{Group: "g", Key: "other"}, base); next.Version <= c.Version {
			t.Errorf("version %d followed %d", next.Version, c.Version)
		}
	}},
}

func swap(t *testing.T, s hallpass.Store, c hallpass.Cell, now time.Time) hallpass.Cell {
	t.Helper()
	written, err := s.Swap(t.Context(), c, now)
	if err != nil {
		t.Fatalf("Swap: %v", err)
	}
	return written
}

func noSwap(t *testing.T, s hallpass.Store, c hallpass.Cell, now time.Time) {
	t.Helper()
	if _, err := s.Swap(t.Context(), c, now); !errors.Is(err, hallpass.ErrConflict) {
		t.Fatalf("Swap at version %d = %v, want ErrConflict", c.Version, err)
	}
}

func cell(t *testing.T, s hallpass.Store, group, key string, now time.Time) hallpass.Cell {
	t.Helper()
	c, err := s.Cell(t.Context(), group, key, now)
	if err != nil {
		t.Fatalf("Cell: %v", err)
	}
	return c
}

func noCell(t *testing.T, s hallpass.Store, group, key string, now time.Time) {
	t.Helper()
	if c, err := s.Cell(t.Context(), group, key, now); !errors.Is(err, hallpass.ErrNotFound) {
		t.Fatalf("Cell = %+v, %v, want ErrNotFound", c, err)
	}
}
