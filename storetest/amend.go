package storetest

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
)

var amendTests = []test{
	{"uses can be added to a limited pass", func(t *testing.T, s suite) {
		one := s.open(t)
		p := recorded(1)
		record(t, one, p)
		redeem(t, one, p, "")
		want := entryOf(p)
		want.Used, want.MaxUses = 1, 3
		same(t, "the answer", amend(t, one, hallpass.Amendment{Pass: p.ID, AddUses: 2}), want)
		same(t, "the row", entry(t, one, p.ID), want)
		redeem(t, one, p, "")
		redeem(t, one, p, "")
		refused(t, one, p, "", hallpass.RefusalSpent)
	}},

	{"an unlimited pass stays unlimited", func(t *testing.T, s suite) {
		one := s.open(t)
		p := recorded(0)
		record(t, one, p)
		same(t, "the row", amend(t, one, hallpass.Amendment{Pass: p.ID, AddUses: 2}), entryOf(p))
	}},

	{"uses added beyond counting stop at the highest count", func(t *testing.T, s suite) {
		one := s.open(t)
		p := recorded(5)
		record(t, one, p)
		if got := amend(t, one, hallpass.Amendment{Pass: p.ID, AddUses: math.MaxInt64}).MaxUses; got <= 5 {
			t.Errorf("MaxUses = %d", got)
		}
		redeem(t, one, p, "")
	}},

	{"uses added by many at once are all added", func(t *testing.T, s suite) {
		a, b := s.pair(t)
		p := recorded(1)
		record(t, a, p)
		atOnce(50, func(i int) {
			one := a
			if i%2 == 1 {
				one = b
			}
			if _, err := one.Amend(t.Context(), hallpass.Amendment{Pass: p.ID, AddUses: 1}); err != nil {
				t.Errorf("Amend: %v", err)
			}
		})
		if got := entry(t, a, p.ID).MaxUses; got != 51 {
			t.Errorf("MaxUses = %d, want 51", got)
		}
	}},

	{"the end moves later, never earlier", func(t *testing.T, s suite) {
		one := s.open(t)
		p := recorded(1)
		record(t, one, p)
		later, keep := p.ExpiresAt.Add(time.Hour), base.Add(1000*time.Hour)
		want := entryOf(p)
		want.ExpiresAt, want.KeepUntil = later, keep
		same(t, "the longer row", amend(t, one, hallpass.Amendment{Pass: p.ID, ExpiresAt: later, KeepUntil: keep}), want)
		same(t, "the row not cut", amend(t, one, hallpass.Amendment{
			Pass: p.ID, ExpiresAt: p.ExpiresAt, KeepUntil: base.Add(time.Hour),
		}), want)
		want.ExpiresAt = later.Add(time.Hour)
		same(t, "the row kept as long as before", amend(t, one, hallpass.Amendment{
			Pass: p.ID, ExpiresAt: want.ExpiresAt, KeepUntil: base.Add(time.Hour),
		}), want)
		same(t, "the row", entry(t, one, p.ID), want)
	}},

	{"a pass without end gets none", func(t *testing.T, s suite) {
		one := s.open(t)
		p := recorded(1)
		p.ExpiresAt = time.Time{}
		row := hallpass.Entry{Pass: p}
		if err := one.Record(t.Context(), []hallpass.Entry{row}); err != nil {
			t.Fatal(err)
		}
		same(t, "the row", amend(t, one, hallpass.Amendment{
			Pass: p.ID, ExpiresAt: base.Add(time.Hour), KeepUntil: base.Add(time.Hour),
		}), row)
	}},

	{"more uses do not lift a revocation", func(t *testing.T, s suite) {
		one := s.open(t)
		p := recorded(1)
		record(t, one, p)
		revoke(t, one, p, base)
		amend(t, one, hallpass.Amendment{Pass: p.ID, AddUses: 5})
		refused(t, one, p, "", hallpass.RefusalRevoked)
	}},

	{"a pass without a row cannot be amended", func(t *testing.T, s suite) {
		one := s.open(t)
		id := newID()
		if _, err := one.Amend(t.Context(), hallpass.Amendment{Pass: id, AddUses: 1}); !errors.Is(err, hallpass.ErrNotFound) {
			t.Errorf("Amend = %v, want ErrNotFound", err)
		}
		noEntry(t, one, id)
	}},
}

func amend(t *testing.T, s hallpass.Store, a hallpass.Amendment) hallpass.Entry {
	t.Helper()
	e, err := s.Amend(t.Context(), a)
	if err != nil {
		t.Fatalf("Amend: %v", err)
	}
	return e
}
