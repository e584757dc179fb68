package storetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
)

var cancelTests = []test{
	{"with a context that has ended nothing is written", func(t *testing.T, s suite) {
		one := s.open(t)
		p, fresh := recorded(5), recorded(5)
		record(t, one, p)
		use := redeem(t, one, p, "").Use
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		for name, call := range map[string]func() error{
			"Record":     func() error { return one.Record(ended, []hallpass.Entry{entryOf(fresh)}) },
			"Reserve":    func() error { _, err := one.Reserve(ended, reservationOf(p, "")); return err },
			"Settle":     func() error { _, err := one.Settle(ended, refundOf(use)); return err },
			"RevokePass": func() error { _, err := one.RevokePass(ended, entryOf(p), base); return err },
			"Amend": func() error {
				_, err := one.Amend(ended, hallpass.Amendment{Pass: p.ID, AddUses: 1})
				return err
			},
			"Entry":   func() error { _, err := one.Entry(ended, p.ID); return err },
			"Entries": func() error { _, err := one.Entries(ended, hallpass.EntryQuery{Limit: 1}); return err },
			"Uses":    func() error { _, err := one.Uses(ended, hallpass.UseQuery{Limit: 1}); return err },
			"Prune": func() error {
				_, err := one.Prune(ended, hallpass.PruneRule{Now: base.Add(1e6 * time.Hour)})
				return err
			},
			"Cell": func() error { _, err := one.Cell(ended, "g", "k", base); return err },
			"Swap": func() error { _, err := one.Swap(ended, hallpass.Cell{Group: "g", Key: "k"}, base); return err },
			"Add": func() error {
				_, _, err := one.Add(ended, hallpass.Addition{Group: "g", Key: "n", Delta: 1}, base)
				return err
			},
			"Cells": func() error { _, err := one.Cells(ended, "g", 0, base); return err },
		} {
			if err := call(); !isContextError(err) {
				t.Errorf("%s = %v, want the context's error", name, err)
			}
		}
		noEntry(t, one, fresh.ID)
		want := entryOf(p)
		want.Used = 1
		same(t, "the row", entry(t, one, p.ID), want)
		same(t, "the uses", allUses(t, one, p.ID), []hallpass.Use{use})
		if cells, err := one.Cells(t.Context(), "g", 0, base); err != nil || len(cells) != 0 {
			t.Errorf("Cells = %v, %v, want none", cells, err)
		}
	}},

	{"callers who give up at random moments leave counter, uses and answers in agreement", func(t *testing.T, s suite) {
		a, b := s.pair(t)
		p, q := recorded(0), unrecorded(40)
		record(t, a, p)
		var won, wonLimited atomic.Int64
		atOnce(crowd, func(i int) {
			one := a
			if i%2 == 1 {
				one = b
			}
			for round := range 5 {
				ctx, cancel := context.WithTimeout(t.Context(), rand.N(4*time.Millisecond))
				target, wins := p, &won
				if round%2 == 1 {
					target, wins = q, &wonLimited
				}
				_, err := one.Reserve(ctx, reservationOf(target, ""))
				cancel()
				if _, isRefusal := hallpass.RefusalOf(err); err == nil {
					wins.Add(1)
				} else if !isContextError(err) && (!isRefusal || target.ID == p.ID) {
					t.Errorf("Reserve: %v", err)
				}
			}
		})
		wantUsed(t, a, p.ID, won.Load())
		if n := wonLimited.Load(); n > 40 {
			t.Errorf("%d callers won a quota of 40", n)
		} else if n > 0 {
			wantUsed(t, b, q.ID, n)
		} else {
			noEntry(t, b, q.ID)
		}
	}},

	{"callers who give up while settling refund what they were told", func(t *testing.T, s suite) {
		one := s.open(t)
		p := recorded(0)
		record(t, one, p)
		uses := make([]hallpass.Use, 100)
		for i := range uses {
			uses[i] = redeem(t, one, p, "").Use
		}
		var refunds atomic.Int64
		atOnce(len(uses), func(i int) {
			ctx, cancel := context.WithTimeout(t.Context(), rand.N(2*time.Millisecond))
			defer cancel()
			end := refundOf(uses[i])
			end.MaxRefunds = 1000
			_, err := one.Settle(ctx, end)
			if err == nil {
				refunds.Add(1)
			} else if !isContextError(err) {
				t.Errorf("Settle: %v", err)
			}
		})
		if e := entry(t, one, p.ID); e.Refunds != refunds.Load() {
			t.Errorf("Refunds = %d, but %d callers were told so", e.Refunds, refunds.Load())
		}
		wantUsed(t, one, p.ID, 100-refunds.Load())
	}},

	{"recording that is given up half-way writes all or nothing", func(t *testing.T, s suite) {
		one := s.open(t)
		for round := range 10 {
			batch := make([]hallpass.Entry, 1500)
			for i := range batch {
				batch[i] = entryOf(recorded(1))
				batch[i].Batch = fmt.Sprintf("round %d", round)
			}
			ctx, cancel := context.WithTimeout(t.Context(), rand.N(30*time.Millisecond))
			err := one.Record(ctx, batch)
			cancel()
			want := len(batch)
			if isContextError(err) {
				want = 0
			} else if err != nil {
				t.Fatalf("Record: %v", err)
			}
			rows := allEntries(t, one, hallpass.EntryQuery{Batch: batch[0].Batch, Limit: 1000})
			if len(rows) != want {
				t.Fatalf("Record = %v, and there are %d rows, want %d", err, len(rows), want)
			}
		}
	}},

	{"counters and cells given up at random moments hold what was answered", func(t *testing.T, s suite) {
		one := s.open(t)
		var added, swapped atomic.Int64
		atOnce(100, func(i int) {
			ctx, cancel := context.WithTimeout(t.Context(), rand.N(2*time.Millisecond))
			defer cancel()
			_, ok, err := one.Add(ctx, hallpass.Addition{Group: "n", Key: "n", Delta: 1}, base)
			if ok {
				added.Add(1)
			} else if !isContextError(err) {
				t.Errorf("Add: %v", err)
			}
			_, err = one.Swap(ctx, hallpass.Cell{Group: "g", Key: fmt.Sprint(i)}, base)
			if err == nil {
				swapped.Add(1)
			} else if !isContextError(err) {
				t.Errorf("Swap: %v", err)
			}
		})
		cells, err := one.Cells(t.Context(), "g", 0, base)
		if err != nil || int64(len(cells)) != swapped.Load() {
			t.Errorf("Cells = %d, %v, want %d", len(cells), err, swapped.Load())
		}
		if value, _, err := one.Add(t.Context(), hallpass.Addition{Group: "n", Key: "n", Delta: 1}, base); err != nil || value != added.Load()+1 {
			t.Errorf("Add = %d, %v, want %d", value, err, added.Load()+1)
		}
	}},
}
