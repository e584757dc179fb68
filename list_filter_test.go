package hallpass_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/memstore"
)

func TestUsesAreFoundBySubjectStateAndTime(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	made := map[string][]string{}
	for n := range 30 {
		subject := []string{"ada", "bob", "eve"}[n%3]
		issued := s.issue(t, hallpass.Spec{Mode: hallpass.ModeRequest, Subject: subject, MaxUses: 1})
		r, err := s.redeem(t, issued.Token)
		if err != nil {
			t.Fatal(err)
		}
		if n%2 == 0 {
			if err := r.Settle(t.Context(), 200); err != nil {
				t.Fatal(err)
			}
		}
		made[subject] = append([]string{r.Use.ID}, made[subject]...)
		s.Clock.Advance(time.Minute)
	}
	read := func(q hallpass.UseQuery) (ids []string) {
		for q.Limit = 4; ; {
			page, err := s.Uses(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, u := range page.Uses {
				ids = append(ids, u.ID)
			}
			if q.After = page.Next; q.After == "" {
				return ids
			}
		}
	}
	if diff := cmp.Diff(made["ada"], read(hallpass.UseQuery{Subject: "ada"})); diff != "" {
		t.Error(diff)
	}
	for _, tt := range []struct {
		q    hallpass.UseQuery
		want int
	}{
		{hallpass.UseQuery{State: hallpass.UseSettled}, 15},
		{hallpass.UseQuery{State: hallpass.UsePending}, 8}, // of the last quarter of an hour
		{hallpass.UseQuery{State: hallpass.UseUnknown}, 7},
		{hallpass.UseQuery{State: hallpass.UseUnknown, Subject: "bob"}, 3},
		{hallpass.UseQuery{Since: t0.Add(10 * time.Minute)}, 20},
		{hallpass.UseQuery{Until: t0.Add(10 * time.Minute)}, 10},
		{hallpass.UseQuery{Since: t0.Add(10 * time.Minute), Until: t0.Add(20 * time.Minute), Subject: "eve"}, 3},
		{hallpass.UseQuery{Since: t0.Add(10 * time.Minute), Until: t0.Add(11 * time.Minute)}, 1},
		{hallpass.UseQuery{Since: t0.Add(time.Hour)}, 0},
	} {
		if got := len(read(tt.q)); got != tt.want {
			t.Errorf("%+v: %d uses, want %d", tt.q, got, tt.want)
		}
	}
}

func TestAScanThatStopsSaysWhereToGoOn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var specs []hallpass.Spec
	for n := range 12_000 {
		spec := hallpass.Spec{Scope: "report", MaxUses: 1}
		if n == 0 {
			spec.Recipient = "first@example.com"
		}
		specs = append(specs, spec)
	}
	var first string
	for issued, err := range s.IssueAll(t.Context(), slices.Values(specs)) {
		if err != nil {
			t.Fatal(err)
		}
		if first == "" {
			first = issued.ID
		}
		s.Clock.Advance(time.Microsecond)
	}
	for _, f := range []hallpass.EntryFilter{{Recipient: "first@example.com", State: hallpass.StateActive}, {Query: "first@example.com"}} {
		var found []string
		pages := 0
		for {
			page, err := s.Entries(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			pages++
			for _, e := range page.Entries {
				found = append(found, e.ID)
			}
			if f.After = page.Next; f.After == "" {
				break
			}
		}
		if !slices.Equal(found, []string{first}) {
			t.Errorf("%+v: found %q", f, found)
		}
		// A slow machine stops earlier, by time, but not before a piece of a thousand.
		if f.Query != "" && (pages < 3 || pages > 12) {
			t.Errorf("%d pages, want one for at most five thousand passes", pages)
		}
	}
}

func TestASearchFindsAPassByAnyOfItsNames(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var ids []string
	for _, spec := range []hallpass.Spec{
		{Scope: "spring"}, {Batch: "spring"}, {Mode: hallpass.ModeRequest, Subject: "spring"}, {Recipient: "spring"},
		{Scope: "spring", Batch: "spring", Recipient: "spring"}, {Scope: "springs", Batch: "sprin", Recipient: "Spring"},
	} {
		ids = append([]string{s.issue(t, spec).ID}, ids...)
		s.Clock.Advance(time.Second)
	}
	want := ids[1:]
	var got []string
	f := hallpass.EntryFilter{Query: "spring", Limit: 2}
	for {
		page, err := s.Entries(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Entries {
			got = append(got, e.ID)
		}
		if f.After = page.Next; f.After == "" {
			break
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for query, want := range map[string]int{ids[0]: 1, strings.ToUpper(ids[0]): 0, "nobody": 0} {
		page, err := s.Entries(t.Context(), hallpass.EntryFilter{Query: query})
		if err != nil || len(page.Entries) != want {
			t.Errorf("%q: %d passes, %v", query, len(page.Entries), err)
		}
	}
	page, err := s.Entries(t.Context(), hallpass.EntryFilter{Query: "spring", Scope: "report"})
	if err != nil || len(page.Entries) != 3 {
		t.Errorf("of one scope: %d passes, %v", len(page.Entries), err)
	}
}

func TestPassesThatEndSoonAreFound(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for n := range 10 {
		s.issue(t, hallpass.Spec{TTL: time.Duration(n+1) * time.Hour})
	}
	s.issue(t, hallpass.Spec{})
	s.Clock.Advance(2*time.Hour + time.Minute)
	page, err := s.Entries(t.Context(), hallpass.EntryFilter{ExpiringBefore: s.Now().Add(3 * time.Hour)})
	if err != nil || len(page.Entries) != 3 {
		t.Errorf("%d passes, %v", len(page.Entries), err)
	}
}

// TestTheSoonestEndsAreFound: by a store that knows ends among all passes, and by any
// other among the newest, which is said.
func TestTheSoonestEndsAreFound(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		store   hallpass.Store
		indexed bool
	}{"a store that knows ends": {memstore.New(), true}, "any store": {plainStore{memstore.New()}, false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, func(c *hallpass.Config) { c.Store = tt.store })
			soonest := s.issue(t, hallpass.Spec{Subject: "first", TTL: 2 * time.Hour})
			for n := range 8 {
				s.issue(t, hallpass.Spec{TTL: time.Duration(3+n) * time.Hour})
			}
			for _, over := range []hallpass.Spec{{TTL: time.Hour}, {TTL: time.Hour, Batch: "gone"}, {TTL: time.Hour, MaxUses: 1}} {
				issued := s.issue(t, over)
				if over.MaxUses == 1 {
					s.use(t, issued.Token)
				} else if over.Batch == "" {
					if _, err := s.RevokePass(t.Context(), issued.Pass); err != nil {
						t.Fatal(err)
					}
				}
			}
			s.issue(t, hallpass.Spec{TTL: 30 * time.Hour})
			s.issue(t, hallpass.Spec{})
			s.Clock.Advance(time.Second)
			if err := s.RevokeGroup(t.Context(), hallpass.Revocation{Batch: "gone", Before: s.Now()}); err != nil {
				t.Fatal(err)
			}
			page, err := s.Ending(t.Context(), s.Now().Add(24*time.Hour), 5)
			if err != nil || page.Indexed != tt.indexed || !page.More || len(page.Entries) != 5 {
				t.Fatalf("%+v, %v", page, err)
			}
			if got := page.Entries[0].ID; tt.indexed && got != soonest.ID {
				t.Errorf("the first is %s, which ends at %s", got, page.Entries[0].ExpiresAt)
			}
			if !slices.IsSortedFunc(page.Entries, func(a, b hallpass.Entry) int { return a.ExpiresAt.Compare(b.ExpiresAt) }) {
				t.Errorf("not the soonest first: %+v", page.Entries)
			}
			page, err = s.Ending(t.Context(), s.Now().Add(24*time.Hour), 20)
			if err != nil || page.More || len(page.Entries) != 9 {
				t.Errorf("all of them: %+v, %v", page, err)
			}
		})
	}
}

func TestCountersAreKeptByMinuteHourScopeAndBatch(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for hour := range 3 {
		for n := range 5 {
			scope := hallpass.Scope(fmt.Sprintf("scope-%d", n%2))
			issued := s.issue(t, hallpass.Spec{Scope: scope, Batch: "spring", MaxUses: 1})
			for range 2 {
				_, _ = s.RedeemOnce(t.Context(), hallpass.Presentation{Token: issued.Token, Scope: scope}, 200)
			}
			s.Note(hallpass.Event{Kind: hallpass.EventScanned, Batch: "spring"})
			s.Clock.Advance(time.Minute)
		}
		s.issue(t, hallpass.Spec{Scope: hallpass.ScopeAPI, Mode: hallpass.ModeRequest, Subject: "op"}) // none of the passes it looks after
		s.Clock.Set(t0.Add(time.Duration(hour+1) * time.Hour))
		if err := s.FlushStats(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	minutes, err := s.Stats(t.Context(), t0, t0.Add(3*time.Hour), time.Minute)
	if err != nil || len(minutes) != 180 {
		t.Fatalf("%d points, %v", len(minutes), err)
	}
	one := func(n int64) hallpass.StatPoint {
		p := hallpass.StatPoint{Issued: n, Used: n, Refused: n, Scanned: n, Reasons: map[hallpass.Refusal]int64{}}
		if n > 0 {
			p.Reasons[hallpass.RefusalSpent] = n
		}
		return p
	}
	for n, p := range minutes {
		want := one(0)
		if n%60 < 5 {
			want = one(1)
		}
		want.At = t0.Add(time.Duration(n) * time.Minute)
		if diff := cmp.Diff(want, p); diff != "" {
			t.Fatalf("minute %d: %s", n, diff)
		}
	}
	hours, err := s.Stats(t.Context(), t0.Add(30*time.Minute), t0.Add(3*time.Hour), time.Hour)
	if err != nil || len(hours) != 3 || hours[2].Used != 5 || !hours[0].At.Equal(t0) {
		t.Errorf("%+v, %v", hours, err)
	}
	top, err := s.TopScopes(t.Context(), t0, t0.Add(3*time.Hour), 1)
	if want := []hallpass.ScopeStat{{Scope: "scope-0", Issued: 9, Used: 9, Refused: 9}}; err != nil || !cmp.Equal(want, top) {
		t.Errorf("%+v, %v", top, err)
	}
	batches, err := s.Batches(t.Context(), "", 10)
	if want := []hallpass.BatchStat{{Batch: "spring", Issued: 15, Scanned: 15, Used: 15, Refused: 15}}; err != nil || !cmp.Equal(want, batches.Batches) || batches.Next != "" {
		t.Errorf("%+v, %v", batches, err)
	}
	for _, wrong := range []time.Duration{0, time.Second, 90 * time.Second} {
		if _, err := s.Stats(t.Context(), t0, t0.Add(time.Hour), wrong); err == nil {
			t.Errorf("steps of %s are taken", wrong)
		}
	}
	if _, err := s.Stats(t.Context(), t0, t0.Add(365*24*time.Hour), time.Minute); err == nil {
		t.Error("half a million points are returned")
	}
	s.Clock.Advance(60 * 24 * time.Hour)
	// Three hours of five minutes with four counters each, the hours' own ten, and the
	// day's six of its two scopes.
	if pruned, err := s.Prune(t.Context(), hallpass.PruneOptions{}); err != nil || pruned.Cells != 3*5*4+3*10+6 {
		t.Errorf("the counters stay for ever: %+v, %v", pruned, err)
	}
}

// TestTopScopesOfAMonthAreCountedByTheDay: there are too many hours to read.
func TestTopScopesOfAMonthAreCountedByTheDay(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for day := range 31 {
		for range 2 { // noon, and eleven at night
			for n := range 3 {
				s.issue(t, hallpass.Spec{Scope: hallpass.Scope(fmt.Sprint("scope-", min(n, day)))})
			}
			s.Clock.Advance(11 * time.Hour)
		}
		s.Clock.Advance(2 * time.Hour)
	}
	s.Clock.Advance(-2 * time.Hour)
	if err := s.FlushStats(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		back time.Duration
		want []int64 // of the three scopes
	}{
		{"an hour ago nothing happened", time.Hour, nil},
		{"eleven hours ago is in the last day", 11 * time.Hour, []int64{1, 1, 1}},
		{"a day", 24 * time.Hour, []int64{2, 2, 2}},
		{"two days", 48 * time.Hour, []int64{4, 4, 4}},
		{"what goes back further is counted from the beginning of its day", 60 * time.Hour, []int64{6, 6, 6}},
		{"30 days", 30 * 24 * time.Hour, []int64{62, 60, 58}},
	} {
		top, err := s.TopScopes(t.Context(), s.Now().Add(-tt.back), s.Now(), 8)
		if err != nil {
			t.Fatal(err)
		}
		var got []int64
		for _, scope := range top {
			got = append(got, scope.Issued)
		}
		if !cmp.Equal(tt.want, got) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestBatchesComePageByPage: the one to which something happened last first.
func TestBatchesComePageByPage(t *testing.T) {
	t.Parallel()
	for name, store := range map[string]hallpass.Store{"a store that reads from the end": memstore.New(), "any store": plainStore{memstore.New()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, func(c *hallpass.Config) { c.Store = store })
			for _, batch := range []string{"a", "b", "c", "d", "a", "e"} {
				s.issue(t, hallpass.Spec{Batch: batch})
				if err := s.FlushStats(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			var got []string
			for after, n := "", 0; n < 9; n++ {
				page, err := s.Batches(t.Context(), after, 2)
				if err != nil {
					t.Fatal(err)
				}
				for _, b := range page.Batches {
					got = append(got, fmt.Sprint(b.Batch, b.Issued))
				}
				if after = page.Next; after == "" {
					break
				}
				got = append(got, "|")
			}
			if want := []string{"e1", "a2", "|", "d1", "c1", "|", "b1"}; !cmp.Equal(want, got) {
				t.Errorf("%v, want %v", got, want)
			}
			for _, wrong := range []string{"x!", "-1", strings.Repeat("z", 20)} {
				_, err := s.Batches(t.Context(), wrong, 2)
				if f, ok := errors.AsType[*hallpass.FieldError](err); !ok || f.Field != "after" {
					t.Errorf("after %q: %v", wrong, err)
				}
			}
		})
	}
}
