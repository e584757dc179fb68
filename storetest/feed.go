package storetest

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
)

var feedTests = []test{
	{"the newest cells of a group are read without the others, where the store can", func(t *testing.T, s suite) {
		one := s.open(t)
		newest, can := one.(hallpass.NewestCells)
		if !can {
			t.Skip("this store is no hallpass.NewestCells, which it need not be")
		}
		page := func(group string, before uint64, limit int, now time.Time) []hallpass.Cell {
			t.Helper()
			found, err := newest.NewestCells(t.Context(), group, before, limit, now)
			if err != nil {
				t.Fatal(err)
			}
			return found
		}
		var written []hallpass.Cell
		for n := range 700 { // more than one page of any store
			c := hallpass.Cell{Group: "g", Key: fmt.Sprint(n)}
			if n > 10 && n < 690 {
				c.ExpiresAt = base.Add(time.Minute)
			}
			written = append(written, swap(t, one, c, base))
			if n%100 == 0 {
				swap(t, one, hallpass.Cell{Group: "other", Key: fmt.Sprint(n)}, base)
			}
		}
		slices.Reverse(written)
		const end = math.MaxUint64
		same(t, "the newest", page("g", end, 3, base), written[:3])
		same(t, "those before", page("g", written[2].Version, 600, base), written[3:603])
		same(t, "the last", page("g", written[697].Version, 10, base), written[698:])
		same(t, "those that are not over", page("g", end, 15, base.Add(time.Minute)), append(written[:10:10], written[689:694]...))
		same(t, "none", page("nobody's", end, 10, base), nil)
		moved := swap(t, one, written[5], base)
		same(t, "the newest", page("g", end, 2, base), []hallpass.Cell{moved, written[0]})
		same(t, "those before", page("g", written[4].Version, 1, base), written[6:7])
	}},

	{"a group is read in the order in which it was written", func(t *testing.T, s suite) {
		one := s.open(t)
		var want []hallpass.Cell
		for _, key := range []string{"c", "a", "b"} {
			want = append(want, swap(t, one, hallpass.Cell{Group: "g", Key: key, Value: []byte(key)}, base))
			swap(t, one, hallpass.Cell{Group: "other", Key: key}, base)
		}
		same(t, "the group", cells(t, one, "g", 0, base), want)
		same(t, "the rest of the group", cells(t, one, "g", want[0].Version, base), want[1:])
		same(t, "what is new", cells(t, one, "g", want[2].Version, base), nil)

		want[0].Value = []byte("again")
		moved := swap(t, one, want[0], base)
		same(t, "what is new", cells(t, one, "g", want[2].Version, base), []hallpass.Cell{moved})
		same(t, "the group", cells(t, one, "g", 0, base), []hallpass.Cell{want[1], want[2], moved})
	}},

	{"cells that are over are not in the feed", func(t *testing.T, s suite) {
		one := s.open(t)
		gone := swap(t, one, hallpass.Cell{Group: "g", Key: "a", ExpiresAt: base.Add(time.Minute)}, base)
		kept := swap(t, one, hallpass.Cell{Group: "g", Key: "b"}, base)
		same(t, "the group before", cells(t, one, "g", 0, base), []hallpass.Cell{gone, kept})
		same(t, "the group after", cells(t, one, "g", 0, base.Add(time.Minute)), []hallpass.Cell{kept})
	}},

	{"a counter moves in the feed too", func(t *testing.T, s suite) {
		one := s.open(t)
		c := swap(t, one, hallpass.Cell{Group: "g", Key: "c"}, base)
		add(t, one, hallpass.Addition{Group: "g", Key: "n", Delta: 5}, base, 5, true)
		news := cells(t, one, "g", c.Version, base)
		if len(news) != 1 || news[0].Key != "n" || string(news[0].Value) != "5" {
			t.Errorf("the feed says %+v", news)
		}
	}},

	// Was the next version taken from the cells that are left, a reader would
	// never see what comes after the newest cell was pruned.
	{"versions rise even when the newest cell has been pruned", func(t *testing.T, s suite) {
		one := s.open(t)
		last := swap(t, one, hallpass.Cell{Group: "g", Key: "k", ExpiresAt: base.Add(time.Minute)}, base)
		prune(t, one, hallpass.PruneRule{Now: base.Add(time.Hour), KeepUses: -1})
		next := swap(t, one, hallpass.Cell{Group: "g", Key: "k"}, base.Add(time.Hour))
		if next.Version <= last.Version {
			t.Errorf("version %d followed %d", next.Version, last.Version)
		}
		same(t, "what is new", cells(t, one, "g", last.Version, base.Add(time.Hour)), []hallpass.Cell{next})
	}},

	{"a reader who remembers the last version misses nothing of parallel writers", func(t *testing.T, s suite) {
		a, b := s.pair(t)
		const writers, each = 8, 25
		var writing atomic.Int64
		writing.Store(writers)
		seen := map[string]uint64{}
		atOnce(writers+1, func(i int) {
			one := a
			if i%2 == 1 {
				one = b
			}
			if i < writers {
				defer writing.Add(-1)
				for n := range each {
					_, err := one.Swap(t.Context(), hallpass.Cell{Group: "g", Key: fmt.Sprintf("%d/%d", i, n)}, base)
					if err != nil {
						t.Errorf("Swap: %v", err)
					}
					_, _, err = one.Add(t.Context(), hallpass.Addition{Group: "g", Key: fmt.Sprint(n % 3), Delta: 1}, base)
					if err != nil {
						t.Errorf("Add: %v", err)
					}
				}
				return
			}
			var since uint64
			for last := false; ; {
				news, err := one.Cells(t.Context(), "g", since, base)
				if err != nil {
					t.Errorf("Cells: %v", err)
					return
				}
				for _, c := range news {
					if c.Version <= since {
						t.Errorf("version %d came after %d", c.Version, since)
					}
					since = c.Version
					seen[c.Key] = c.Version
				}
				if last {
					return
				}
				last = writing.Load() == 0
			}
		})
		all := cells(t, a, "g", 0, base)
		if len(all) != writers*each+3 {
			t.Errorf("the group has %d cells, want %d", len(all), writers*each+3)
		}
		for _, c := range all {
			if seen[c.Key] != c.Version {
				t.Errorf("cell %s stands at version %d, the reader saw %d", c.Key, c.Version, seen[c.Key])
			}
		}
	}},

	{"an empty group is empty", func(t *testing.T, s suite) {
		one := s.open(t)
		same(t, "the group", cells(t, one, "g", 0, base), nil)
		if _, err := one.Cell(t.Context(), "", "", base); !errors.Is(err, hallpass.ErrNotFound) {
			t.Errorf("Cell = %v, want ErrNotFound", err)
		}
	}},
}

func cells(t *testing.T, s hallpass.Store, group string, since uint64, now time.Time) []hallpass.Cell {
	t.Helper()
	found, err := s.Cells(t.Context(), group, since, now)
	if err != nil {
		t.Fatalf("Cells: %v", err)
	}
	return found
}
