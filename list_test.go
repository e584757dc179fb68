package hallpass_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-go/hallpass"
)

func TestAPendingUseBecomesUnknown(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.issue(t, hallpass.Spec{})
	r, err := s.redeem(t, p.Token)
	if err != nil {
		t.Fatal(err)
	}
	for after, want := range map[time.Duration]hallpass.UseState{
		0: hallpass.UsePending, 15 * time.Minute: hallpass.UsePending, 15*time.Minute + time.Microsecond: hallpass.UseUnknown,
	} {
		s.Clock.Set(t0.Add(after))
		if counted, rows := s.used(t, p.ID); counted != 1 || rows[0].State != want {
			t.Errorf("after %v: %s, want %s", after, rows[0].State, want)
		}
	}
	// The truth may still arrive.
	if err := r.Settle(t.Context(), 200); err != nil {
		t.Fatal(err)
	}
	if _, rows := s.used(t, p.ID); rows[0].State != hallpass.UseSettled {
		t.Errorf("settled late: %s", rows[0].State)
	}
}

func TestEntriesByStateAndPage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	want := map[hallpass.State][]string{}
	spec := func(i int) (hallpass.Spec, hallpass.State) {
		switch i % 5 {
		case 0:
			return hallpass.Spec{TTL: time.Minute}, hallpass.StateExpired
		case 1:
			return hallpass.Spec{MaxUses: 1}, hallpass.StateSpent
		case 2:
			return hallpass.Spec{NotBefore: t0.Add(24 * time.Hour)}, hallpass.StateNotYetValid
		case 3:
			return hallpass.Spec{Batch: "recalled", MaxUses: 1}, hallpass.StateRevoked
		}
		return hallpass.Spec{}, hallpass.StateActive
	}
	for i := range 60 {
		s.Clock.Advance(time.Millisecond)
		sp, state := spec(i)
		p := s.issue(t, sp)
		if sp.MaxUses == 1 {
			if _, err := s.redeem(t, p.Token); err != nil {
				t.Fatal(err)
			}
		}
		want[state] = append(want[state], p.ID)
		want[""] = append(want[""], p.ID)
	}
	s.Clock.Advance(time.Hour)
	if err := s.RevokeGroup(t.Context(), hallpass.Revocation{Batch: "recalled"}); err != nil {
		t.Fatal(err)
	}
	for state, ids := range want {
		slices.Reverse(ids)
		for _, size := range []int{1, 5, 12, 60, 1000} {
			var got []string
			f := hallpass.EntryFilter{State: state, Limit: size}
			for {
				page, err := s.Entries(t.Context(), f)
				if err != nil {
					t.Fatal(err)
				}
				if len(page.Entries) > size {
					t.Fatalf("a page of %d", len(page.Entries))
				}
				for _, e := range page.Entries {
					if got = append(got, e.ID); state != "" && e.State(s.Now()) != state {
						t.Errorf("%s is listed as %s", e.State(s.Now()), state)
					}
				}
				if f.After = page.Next; f.After == "" {
					break
				}
			}
			if diff := cmp.Diff(ids, got); diff != "" {
				t.Errorf("state %q in pages of %d (-want +got):\n%s", state, size, diff)
			}
		}
	}
}

func TestListsRefuseWhatTheyDidNotReturn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	field := func(err error) string {
		if f, ok := errors.AsType[*hallpass.FieldError](err); ok {
			return f.Field
		}
		return fmt.Sprint(err)
	}
	for want, f := range map[string]hallpass.EntryFilter{
		"limit": {Limit: -1}, "limit ": {Limit: 1001}, "after": {After: "x"}, "after ": {After: "AAAAAAAAAA=="},
	} {
		if _, err := s.Entries(t.Context(), f); field(err) != want[:5] {
			t.Errorf("Entries(%+v): %v", f, err)
		}
	}
	if _, err := s.Uses(t.Context(), hallpass.UseQuery{After: "1 OR 1=1"}); field(err) != "after" {
		t.Errorf("Uses: %v", err)
	}
	if _, err := s.Uses(t.Context(), hallpass.UseQuery{Limit: 1001}); field(err) != "limit" {
		t.Errorf("Uses: %v", err)
	}
	if _, err := s.Prune(t.Context(), hallpass.PruneOptions{MaxAge: -1}); field(err) != "max_age" {
		t.Errorf("Prune: %v", err)
	}
	if _, err := s.Prune(t.Context(), hallpass.PruneOptions{MaxCount: -1}); field(err) != "max_count" {
		t.Errorf("Prune: %v", err)
	}
}

func TestUsesArePaged(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.issue(t, hallpass.Spec{MaxUses: 100})
	var want []string
	for range 25 {
		s.Clock.Advance(time.Millisecond)
		r, err := s.redeem(t, p.Token)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, r.Use.ID)
	}
	slices.Reverse(want)
	var got []string
	q := hallpass.UseQuery{Pass: p.ID, Limit: 5}
	for pages := 1; ; pages++ {
		page, err := s.Uses(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range page.Uses {
			got = append(got, u.ID)
		}
		if q.After = page.Next; q.After == "" {
			if pages != 5 {
				t.Errorf("%d pages", pages)
			}
			break
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestPruningBringsNothingBackToLife(t *testing.T) {
	t.Parallel()
	const leeway = time.Minute
	s := newSite(t, func(c *hallpass.Config) { c.Leeway = leeway })
	spent := s.issue(t, hallpass.Spec{MaxUses: 1, Unrecorded: true})
	ending := s.issue(t, hallpass.Spec{MaxUses: 1, TTL: time.Hour, Unrecorded: true})
	revoked := s.issue(t, hallpass.Spec{Unrecorded: true, TTL: time.Hour})
	for _, p := range []hallpass.Issued{spent, ending} {
		if _, err := s.redeem(t, p.Token); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.RevokePass(t.Context(), revoked.Pass); err != nil {
		t.Fatal(err)
	}
	prune := func(want hallpass.Pruned, o hallpass.PruneOptions) {
		t.Helper()
		if got, err := s.Prune(t.Context(), o); err != nil || got != want {
			t.Errorf("pruned %+v, want %+v (%v)", got, want, err)
		}
	}
	// The audit goes; the counters stay.
	s.Clock.Advance(30 * time.Minute)
	prune(hallpass.Pruned{}, hallpass.PruneOptions{MaxAge: time.Hour})
	prune(hallpass.Pruned{Uses: 1}, hallpass.PruneOptions{MaxCount: 1})
	prune(hallpass.Pruned{Uses: 1}, hallpass.PruneOptions{MaxAge: time.Minute})
	for name, row := range map[string]struct {
		p    hallpass.Issued
		want string
	}{"spent": {spent, "spent"}, "ending": {ending, "spent"}, "revoked": {revoked, "revoked"}} {
		if _, err := s.redeem(t, row.p.Token); reason(err) != row.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Rows go a day after the last moment of their token, not before.
	s.Clock.Set(t0.Add(time.Hour + leeway + 24*time.Hour - time.Microsecond))
	prune(hallpass.Pruned{}, hallpass.PruneOptions{})
	s.Clock.Advance(time.Microsecond)
	prune(hallpass.Pruned{Passes: 2}, hallpass.PruneOptions{})
	for name, row := range map[string]struct {
		p    hallpass.Issued
		want string
	}{"spent, without an end": {spent, "spent"}, "ended": {ending, "expired"}, "revoked and ended": {revoked, "expired"}} {
		if _, err := s.redeem(t, row.p.Token); reason(err) != row.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	s.Clock.Advance(100 * 365 * 24 * time.Hour)
	prune(hallpass.Pruned{}, hallpass.PruneOptions{})
	if _, err := s.redeem(t, spent.Token); reason(err) != "spent" {
		t.Errorf("a century later: %v", err)
	}
}
