package hallpass_test

import (
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
)

func TestSealStateSaysHowFarTheSealsHaveCome(t *testing.T) {
	t.Parallel()
	fresh := newSite(t)
	if state, err := fresh.SealState(t.Context()); err != nil || state != (hallpass.SealState{}) {
		t.Errorf("before anything was sealed: %+v, %v", state, err)
	}
	s := sealed(t, 5)
	state, err := s.SealState(t.Context())
	if err != nil || state.Links == 0 || !state.Through.Equal(minute(5)) || state.Late {
		t.Fatalf("%+v, %v", state, err)
	}
	s.Clock.Advance(time.Hour)
	if state, err = s.SealState(t.Context()); err != nil || state.Late {
		t.Errorf("after a quiet hour: %+v, %v", state, err)
	}
	s.use(t, s.issue(t, hallpass.Spec{MaxUses: hallpass.Unlimited}).Token)
	s.Clock.Advance(10 * time.Minute)
	if state, err = s.SealState(t.Context()); err != nil || state.Late {
		t.Errorf("ten minutes after a use: %+v, %v", state, err)
	}
	s.Clock.Advance(10 * time.Minute)
	if state, err = s.SealState(t.Context()); err != nil || !state.Late {
		t.Errorf("a use that nobody sealed: %+v, %v", state, err)
	}
}

func TestAnOperatorWhoSignsInIsCounted(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, scope := range []hallpass.Scope{"login", "hallpass:admin"} {
		s.Note(hallpass.Event{Kind: hallpass.EventLogin, Scope: scope, Subject: "greta"})
	}
	if err := s.FlushStats(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := s.Clock.Now().Truncate(time.Minute)
	points, err := s.Stats(t.Context(), now, now.Add(time.Minute), time.Minute)
	if err != nil || len(points) != 1 || points[0].Logins != 2 {
		t.Errorf("%+v, %v; want two logins", points, err)
	}
}
