package storetest

import (
	"cmp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
)

var listTests = []test{
	{"rows that end are found by when they do, where the store can", func(t *testing.T, s suite) {
		one := s.open(t)
		ending, can := one.(hallpass.EndingStore)
		if !can {
			t.Skip("this store is no hallpass.EndingStore, which it need not be")
		}
		var want []hallpass.Entry
		for n := range 30 {
			e := inSpring(base.Add(-time.Duration(n) * time.Microsecond)) // the last ends first
			e.ExpiresAt, e.KeepUntil = base.Add(time.Duration(n)*time.Hour), base.Add(100*time.Hour)
			if n%10 == 9 {
				e.ExpiresAt, e.KeepUntil = time.Time{}, time.Time{}
			}
			record(t, one, e.Pass)
			if stored := entry(t, one, e.ID); !e.ExpiresAt.IsZero() {
				want = append(want, stored)
			}
		}
		for _, tt := range []struct {
			since, until time.Duration
			limit        int
			want         []hallpass.Entry
		}{
			{0, 5 * time.Hour, 10, want[:5]},
			{time.Microsecond, 5*time.Hour + time.Microsecond, 10, want[1:6]},
			{0, 100 * time.Hour, 4, want[:4]},
			{8 * time.Hour, 100 * time.Hour, 50, want[8:]},
			{50 * time.Hour, 100 * time.Hour, 50, nil},
		} {
			found, err := ending.EndingEntries(t.Context(), base.Add(tt.since), base.Add(tt.until), tt.limit)
			if err != nil {
				t.Fatal(err)
			}
			same(t, "what ends from "+tt.since.String()+" to "+tt.until.String(), found, tt.want)
		}
		moved, err := one.Amend(t.Context(), hallpass.Amendment{Pass: want[0].ID, ExpiresAt: base.Add(90 * time.Hour), KeepUntil: base.Add(100 * time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		found, err := ending.EndingEntries(t.Context(), base.Add(28*time.Hour), base.Add(99*time.Hour), 9)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "what ends after one was extended", found, []hallpass.Entry{want[len(want)-1], moved})
	}},

	{"rows are listed newest first and page by page nothing is skipped or repeated", func(t *testing.T, s suite) {
		for name, q := range map[string]hallpass.EntryQuery{
			"all":        {},
			"by scope":   {Scope: "report:read"},
			"by batch":   {Batch: "spring"},
			"by subject": {Subject: "user-7"},
			"by mode":    {Mode: hallpass.ModeRequest},
		} {
			t.Run(name, func(t *testing.T) {
				one := s.open(t)
				var want []hallpass.Entry
				for i := range 60 {
					e := inSpring(base.Add(time.Duration(i%5) * time.Microsecond))
					if i%12 == 0 {
						e.IssuedAt = time.Time{}
					}
					want = append(want, e)
				}
				if err := one.Record(t.Context(), want); err != nil {
					t.Fatal(err)
				}
				slices.SortFunc(want, func(a, b hallpass.Entry) int {
					return cmp.Or(b.IssuedAt.Compare(a.IssuedAt), strings.Compare(b.ID, a.ID))
				})

				seen := map[string]bool{}
				var old []hallpass.Entry
				for q.Limit = 7; ; {
					page, err := one.Entries(t.Context(), q)
					if err != nil {
						t.Fatal(err)
					}
					for _, e := range page {
						if seen[e.ID] {
							t.Fatalf("%s was listed twice", e.ID)
						}
						seen[e.ID] = true
						if slices.ContainsFunc(want, func(w hallpass.Entry) bool { return w.ID == e.ID }) {
							old = append(old, e)
						}
					}
					if len(page) < q.Limit {
						break
					}
					last := page[len(page)-1]
					q.After = hallpass.EntryPosition{IssuedAt: last.IssuedAt, ID: last.ID}
					// Some arrive before the reader's place, some behind it.
					if err := one.Record(t.Context(), []hallpass.Entry{
						inSpring(base.Add(time.Hour)), inSpring(last.IssuedAt),
					}); err != nil {
						t.Fatal(err)
					}
					if len(seen) > 500 {
						t.Fatal("the list does not end")
					}
				}
				same(t, "the rows that were there from the start", old, want)
			})
		}
	}},

	{"the cursor need not be a row", func(t *testing.T, s suite) {
		one := s.open(t)
		a, b := inSpring(base), inSpring(base.Add(time.Second))
		if err := one.Record(t.Context(), []hallpass.Entry{a, b}); err != nil {
			t.Fatal(err)
		}
		got, err := one.Entries(t.Context(), hallpass.EntryQuery{
			After: hallpass.EntryPosition{IssuedAt: base.Add(time.Millisecond)}, Limit: 10,
		})
		if err != nil {
			t.Fatal(err)
		}
		same(t, "what is older", got, []hallpass.Entry{a})
	}},

	{"filters hold together", func(t *testing.T, s suite) {
		one := s.open(t)
		var all []hallpass.Entry
		for i := range 32 {
			e := inSpring(base.Add(time.Duration(i)))
			choose := func(bit int, a, b string) string {
				if i&bit == 0 {
					return a
				}
				return b
			}
			e.Scope = hallpass.Scope(choose(1, "report:read", "report:Read"))
			e.Subject = choose(2, "user-7", "")
			e.Batch = choose(4, "spring", "")
			e.Mode = hallpass.Mode(choose(8, "public", "request"))
			all = append(all, e)
		}
		if err := one.Record(t.Context(), all); err != nil {
			t.Fatal(err)
		}
		for _, q := range []hallpass.EntryQuery{
			{},
			{Scope: "report:read"},
			{Subject: "user-7"},
			{Batch: "spring"},
			{Mode: hallpass.ModePublic},
			{Scope: "report:Read", Subject: "user-7"},
			{Scope: "report:read", Batch: "spring"},
			{Subject: "user-7", Batch: "spring", Mode: hallpass.ModeRequest},
			{Scope: "report:Read", Subject: "user-7", Batch: "spring", Mode: hallpass.ModePublic},
			{Scope: "nothing"},
			{Batch: "Spring"},
		} {
			want := map[string]bool{}
			for _, e := range all {
				if (q.Scope == "" || q.Scope == e.Scope) && (q.Subject == "" || q.Subject == e.Subject) &&
					(q.Batch == "" || q.Batch == e.Batch) && (q.Mode == "" || q.Mode == e.Mode) {
					want[e.ID] = true
				}
			}
			q.Limit = 3
			got := map[string]bool{}
			for _, e := range allEntries(t, one, q) {
				got[e.ID] = true
			}
			same(t, "the selection", got, want)
		}
	}},

	{"a listed row shows its count and revocation", func(t *testing.T, s suite) {
		one := s.open(t)
		p := recorded(3)
		record(t, one, p)
		redeem(t, one, p, "")
		revoke(t, one, p, base)
		same(t, "the list", allEntries(t, one, hallpass.EntryQuery{Limit: 5}), []hallpass.Entry{entry(t, one, p.ID)})
	}},

	{"uses are listed newest first and page by page nothing is skipped or repeated", func(t *testing.T, s suite) {
		for _, ofOnePass := range []bool{true, false} {
			one := s.open(t)
			p, other := recorded(0), recorded(0)
			record(t, one, p, other)
			var want []string
			for i := range 40 {
				use := redeem(t, one, p, "").Use
				want = append(want, use.ID)
				if i%3 == 0 {
					use = redeem(t, one, other, "").Use
					if !ofOnePass {
						want = append(want, use.ID)
					}
				}
			}
			slices.Reverse(want)
			q := hallpass.UseQuery{Limit: 7}
			if ofOnePass {
				q.Pass = p.ID
			}
			var got []string
			for {
				page, err := one.Uses(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				for _, use := range page {
					got = append(got, use.ID)
				}
				if len(page) < q.Limit {
					break
				}
				q.After = page[len(page)-1].ID
				redeem(t, one, p, "")
			}
			same(t, "the uses that were there from the start", got, want)
		}
	}},

	{"the uses of a pass that has none are none", func(t *testing.T, s suite) {
		if got := allUses(t, s.open(t), newID()); len(got) != 0 {
			t.Errorf("got %d uses", len(got))
		}
	}},
}

func inSpring(issued time.Time) hallpass.Entry {
	p := recorded(1)
	p.Batch, p.IssuedAt = "spring", issued.Truncate(time.Microsecond)
	return entryOf(p)
}
