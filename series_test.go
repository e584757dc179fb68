package hallpass_test

import (
	"errors"
	"iter"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
)

func lines(specs ...hallpass.Spec) iter.Seq2[int, hallpass.Spec] {
	return func(yield func(int, hallpass.Spec) bool) {
		for n, s := range specs {
			if !yield(n+1, s) {
				return
			}
		}
	}
}

// series issues the lines and returns "id token" for each.
func (s *site) series(t *testing.T, caller, key string, specs ...hallpass.Spec) (made []string) {
	t.Helper()
	series, err := s.Series(t.Context(), caller, key)
	if err != nil {
		t.Fatal(err)
	}
	for issued, err := range series.IssueAll(t.Context(), lines(specs...)) {
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, issued.ID+" "+issued.Token.Reveal())
	}
	return made
}

func TestARepeatedSeriesGivesTheSamePasses(t *testing.T) {
	t.Parallel()
	for _, alg := range []hallpass.Algorithm{hallpass.HS256, hallpass.EdDSA, hallpass.ES256} {
		t.Run(string(alg), func(t *testing.T) {
			t.Parallel()
			s := newSiteWith(t, newSigner(t, alg))
			specs := []hallpass.Spec{
				{Scope: "report", Subject: "a", TTL: time.Hour}, {Scope: "report", Subject: "a", TTL: time.Hour},
				{Scope: "report", Format: hallpass.FormatShort}, {Scope: "report", Format: hallpass.FormatCompact},
				{Scope: "report", Unrecorded: true, Data: []byte(`{"a": 1}`)},
			}
			first := s.series(t, "caller", "k", specs...)
			s.Clock.Advance(23 * time.Hour)
			// Nothing that happens in between changes them, a rotation least of all.
			if err := s.Keys().Rotate(newSigner(t, hallpass.HS256).key); err != nil {
				t.Fatal(err)
			}
			again := s.series(t, "caller", "k", specs...)
			if strings.Join(first, "\n") != strings.Join(again, "\n") {
				t.Errorf("first\n%s\nthen\n%s", strings.Join(first, "\n"), strings.Join(again, "\n"))
			}
			page, err := s.Entries(t.Context(), hallpass.EntryFilter{})
			if err != nil || len(page.Entries) != 4 {
				t.Errorf("%d rows, %v; want the 4 recorded ones once", len(page.Entries), err)
			}
			seen := map[string]bool{}
			others := [][]string{
				first, s.series(t, "other", "k", specs...), s.series(t, "caller", "other", specs...),
				s.series(t, "caller", "k", hallpass.Spec{Scope: "other"}),
			}
			for _, made := range others {
				for _, text := range made {
					id, token, _ := strings.Cut(text, " ")
					if seen[id] || seen[token] {
						t.Errorf("%s was given twice", id)
					}
					seen[id], seen[token] = true, true
				}
			}
			s.Clock.Advance(time.Hour)
			if late := s.series(t, "caller", "k", specs...); late[0] == first[0] {
				t.Error("after a day the key still stands for the old request")
			}
		})
	}
}

func TestADraftOfASeriesHasTheIDOfItsPassAndMakesNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	series, err := s.Series(t.Context(), "caller", "k")
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range []hallpass.Spec{{Scope: "report", Subject: "a"}, {Scope: "report", Format: hallpass.FormatShort}} {
		draft, err := series.Draft(1, spec)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Entry(t.Context(), draft.ID); !errors.Is(err, hallpass.ErrNotFound) {
			t.Errorf("a draft made a pass: %v", err)
		}
		if issued, err := series.Issue(t.Context(), 1, spec); err != nil || issued.ID != draft.ID {
			t.Errorf("the draft has the id %s, its pass %s, %v", draft.ID, issued.ID, err)
		}
	}
	if _, err := series.Draft(1, hallpass.Spec{}); err == nil {
		t.Error("a wrong spec has a draft")
	}
}

func TestASeriesIDIsTimedByItsFirstRequest(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	first := s.series(t, "c", "k", hallpass.Spec{Scope: "report"})
	s.Clock.Advance(time.Hour)
	series, err := s.Series(t.Context(), "c", "k")
	if err != nil {
		t.Fatal(err)
	}
	issued, err := series.Issue(t.Context(), 2, hallpass.Spec{Scope: "report"})
	if err != nil || !series.Now().Equal(t0) || !issued.IssuedAt.Equal(t0) {
		t.Fatalf("%v, %v", issued.IssuedAt, err)
	}
	if got := issued.ID[:15]; got != first[0][:15] || got[14] != '7' {
		t.Errorf("%s and %s do not share their time", issued.ID, first[0][:36])
	}
}

func TestManyWhoBeginASeriesAtOnceShareIt(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var mu sync.Mutex
	ids := map[string]bool{}
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			series, err := s.Series(t.Context(), "c", "k")
			if err != nil {
				t.Error(err)
				return
			}
			issued, err := series.Issue(t.Context(), 0, hallpass.Spec{Scope: "report"})
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			ids[issued.ID] = true
		})
	}
	wait.Wait()
	if len(ids) != 1 {
		t.Errorf("%d passes", len(ids))
	}
}

func TestAWrongIdempotencyKey(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, key := range []string{"", strings.Repeat("k", 129), "a\x00", "\xff"} {
		_, err := s.Series(t.Context(), "c", key)
		if field, ok := errors.AsType[*hallpass.FieldError](err); !ok || field.Field != "idempotency_key" {
			t.Errorf("%q: %v", key, err)
		}
	}
	ring, err := hallpass.NewKeyring()
	if err != nil {
		t.Fatal(err)
	}
	keyless := newSite(t, func(c *hallpass.Config) { c.Keys = ring })
	if _, err := keyless.Series(t.Context(), "c", "k"); !errors.Is(err, hallpass.ErrUnavailable) {
		t.Errorf("without keys: %v", err)
	}
}
