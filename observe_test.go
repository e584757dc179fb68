package hallpass_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hallpass-go/hallpass"
)

func TestObserveIsToldHowEachDecisionEnded(t *testing.T) {
	t.Parallel()
	var told []hallpass.Decision
	s := newSite(t, func(c *hallpass.Config) { c.Observe = func(d hallpass.Decision) { told = append(told, d) } })
	issued, err := s.Issue(t.Context(), hallpass.Spec{Scope: "a", MaxUses: 1})
	if err != nil {
		t.Fatal(err)
	}
	p := hallpass.Presentation{Token: issued.Token, Scope: "a", UseKey: "once"}
	for range 2 {
		if _, err := s.Redeem(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	p.UseKey = "another"
	if _, err := s.Redeem(t.Context(), p); !errors.Is(err, hallpass.RefusalSpent) {
		t.Fatal(err)
	}
	if _, _, err := s.Check(t.Context(), hallpass.Presentation{Token: issued.Token, Scope: "b"}); !errors.Is(err, hallpass.RefusalWrongScope) {
		t.Fatal(err)
	}
	want := []hallpass.Decision{
		{Scope: "a", Redeem: true},
		{Scope: "a", Redeem: true, Duplicate: true},
		{Scope: "a", Redeem: true, Err: hallpass.RefusalSpent},
		{Scope: "b", Err: hallpass.RefusalWrongScope},
	}
	if diff := cmp.Diff(want, told, cmpopts.EquateErrors()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
