package storetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hallpass-go/hallpass"
)

// crowd is how many callers fight in a race.
const crowd = 200

// base is the moment at which everything in these tests was issued.
var base = time.Date(2026, 3, 14, 15, 9, 26, 535_897_000, time.UTC)

var lastID atomic.Int64

// newID returns a UUIDv7 that is greater than every one before it.
func newID() string { return idAt(time.UnixMilli(base.UnixMilli() + lastID.Add(1))) }

// idAt returns an id of a moment, to the millisecond.
func idAt(at time.Time) string {
	milli := at.UnixMilli()
	var random [8]byte
	rand.Read(random[:])
	return fmt.Sprintf("%08x-%04x-7%03x-8%03x-%012x", milli>>16, milli&0xffff,
		uint16(random[0])<<8&0xf00|uint16(random[1]), uint16(random[2]), random[2:])
}

// recorded returns a pass that needs a row; maxUses 0 is unlimited.
func recorded(maxUses int64) hallpass.Pass {
	return hallpass.Pass{
		ID: newID(), Scope: "report:read", Mode: hallpass.ModeRequest, Subject: "user-7",
		IssuedAt: base, ExpiresAt: base.Truncate(time.Second).Add(time.Hour),
		MaxUses: maxUses, Recorded: true, Key: "k1",
	}
}

// unrecorded returns a pass whose row comes to life at its first use.
func unrecorded(maxUses int64) hallpass.Pass {
	p := recorded(maxUses)
	p.Recorded = false
	return p
}

func entryOf(p hallpass.Pass) hallpass.Entry {
	return hallpass.Entry{Pass: p, KeepUntil: base.Add(48 * time.Hour)}
}

func useOf(p hallpass.Pass, key string) hallpass.Use {
	return hallpass.Use{
		ID: newID(), Pass: p.ID, Subject: p.Subject, At: base.Add(time.Second),
		ClientIP: "2001:db8::7", UserAgent: "storetest/1", Method: "GET", Path: "/reports/7",
		State: hallpass.UsePending, Key: key,
	}
}

func reservationOf(p hallpass.Pass, key string) hallpass.Reservation {
	return hallpass.Reservation{Pass: p, KeepUntil: base.Add(48 * time.Hour), Use: useOf(p, key)}
}

func record(t *testing.T, s hallpass.Store, passes ...hallpass.Pass) {
	t.Helper()
	entries := make([]hallpass.Entry, len(passes))
	for i, p := range passes {
		entries[i] = entryOf(p)
	}
	if err := s.Record(t.Context(), entries); err != nil {
		t.Fatalf("Record: %v", err)
	}
}

// redeem reserves one use, which must win.
func redeem(t *testing.T, s hallpass.Store, p hallpass.Pass, key string) hallpass.Reserved {
	t.Helper()
	won, err := s.Reserve(t.Context(), reservationOf(p, key))
	if err != nil {
		t.Fatalf("Reserve: %v", err)
	}
	return won
}

// refused reserves one use, which must be refused.
func refused(t *testing.T, s hallpass.Store, p hallpass.Pass, key string, want hallpass.Refusal) {
	t.Helper()
	if _, err := s.Reserve(t.Context(), reservationOf(p, key)); !errors.Is(err, want) {
		t.Fatalf("Reserve = %v, want the refusal %q", err, want)
	}
}

func settle(t *testing.T, s hallpass.Store, end hallpass.Settlement) hallpass.Use {
	t.Helper()
	use, err := s.Settle(t.Context(), end)
	if err != nil {
		t.Fatalf("Settle: %v", err)
	}
	return use
}

func refundOf(use hallpass.Use) hallpass.Settlement {
	return hallpass.Settlement{
		Pass: use.Pass, Use: use.ID, State: hallpass.UseRefunded, Status: 503, MaxRefunds: 3,
	}
}

func entry(t *testing.T, s hallpass.Store, id string) hallpass.Entry {
	t.Helper()
	e, err := s.Entry(t.Context(), id)
	if err != nil {
		t.Fatalf("Entry: %v", err)
	}
	return e
}

func noEntry(t *testing.T, s hallpass.Store, id string) {
	t.Helper()
	if e, err := s.Entry(t.Context(), id); !errors.Is(err, hallpass.ErrNotFound) {
		t.Fatalf("Entry = %+v, %v, want ErrNotFound", e, err)
	}
}

// wantUsed checks that the counter and the audit rows that were not given back
// both say want.
func wantUsed(t *testing.T, s hallpass.Store, id string, want int64) {
	t.Helper()
	if got := entry(t, s, id).Used; got != want {
		t.Errorf("Used = %d, want %d", got, want)
	}
	var rows int64
	for _, use := range allUses(t, s, id) {
		if use.State != hallpass.UseRefunded {
			rows++
		}
	}
	if rows != want {
		t.Errorf("%d uses stand in the audit, want %d", rows, want)
	}
}

func allUses(t *testing.T, s hallpass.Store, pass string) []hallpass.Use {
	t.Helper()
	var all []hallpass.Use
	q := hallpass.UseQuery{Pass: pass, Limit: 100}
	for {
		page, err := s.Uses(t.Context(), q)
		if err != nil {
			t.Fatalf("Uses: %v", err)
		}
		all = append(all, page...)
		if len(page) < q.Limit {
			return all
		}
		q.After = page[len(page)-1].ID
	}
}

func allEntries(t *testing.T, s hallpass.Store, q hallpass.EntryQuery) []hallpass.Entry {
	t.Helper()
	var all []hallpass.Entry
	for {
		page, err := s.Entries(t.Context(), q)
		if err != nil {
			t.Fatalf("Entries: %v", err)
		}
		all = append(all, page...)
		if len(page) < q.Limit {
			return all
		}
		last := page[len(page)-1]
		q.After = hallpass.EntryPosition{IssuedAt: last.IssuedAt, ID: last.ID}
	}
}

// atOnce runs f for 0 to n-1, all released at the same moment, and waits.
func atOnce(n int, f func(i int)) {
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	all.Wait()
}

func isContextError(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// same compares what went in with what came out. Nil and empty are one thing,
// and an instant is itself in every zone.
func same[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	// Comparing big values byte by byte takes cmp seconds.
	whole := cmp.FilterValues(func(a, b []byte) bool { return len(a)+len(b) > 0 }, cmp.Comparer(bytes.Equal))
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), whole); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", what, diff)
	}
}
