package redisstore_test

import (
	"errors"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/needs"
)

func TestEventsOfStrangersDoNotFillTheMemory(t *testing.T) {
	t.Parallel()
	s := open(t, needs.Redis(t))
	s.SetMaxEvents(3)
	event := func(kind hallpass.EventKind) hallpass.Event {
		return hallpass.Event{ID: newID(), At: time.Unix(1_800_000_000, 0), Kind: kind}
	}
	first := []hallpass.Event{event(hallpass.EventRefused), event(hallpass.EventRefused)}
	if err := s.RecordEvents(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	two := []hallpass.Event{event(hallpass.EventRefused), event(hallpass.EventScanned)}
	if err := s.RecordEvents(t.Context(), two); !errors.Is(err, hallpass.ErrUnavailable) {
		t.Errorf("two where one has room: %v, want ErrUnavailable", err)
	}
	if found, err := s.Events(t.Context(), hallpass.EventQuery{Limit: 10}); err != nil || len(found) != 2 {
		t.Errorf("%d events are there, %v; want the first two and none of the others", len(found), err)
	}
	if err := s.RecordEvents(t.Context(), two[:1]); err != nil {
		t.Errorf("the last one that has room: %v", err)
	}
	if err := s.RecordEvents(t.Context(), first); err != nil {
		t.Errorf("what is there already, again: %v", err)
	}
	for range 2 {
		if err := s.RecordEvents(t.Context(), []hallpass.Event{event(hallpass.EventAdmin)}); err != nil {
			t.Errorf("what an operator did: %v", err)
		}
	}
	if _, err := s.Prune(t.Context(), hallpass.PruneRule{Now: time.Now(), KeepUses: -1, KeepEvents: 2}); err != nil {
		t.Fatal(err)
	}
	if err := s.RecordEvents(t.Context(), two[1:]); err != nil {
		t.Errorf("after pruning: %v", err)
	}
}

func TestPrunedEventsLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	s := open(t, needs.Redis(t))
	before, err := s.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	e := hallpass.Event{
		ID: newID(), At: time.Unix(1_800_000_000, 0), Kind: hallpass.EventRefused, Pass: newID(), Reason: hallpass.RefusalSpent, Actor: "op",
	}
	if err := s.RecordEvents(t.Context(), []hallpass.Event{e}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Prune(t.Context(), hallpass.PruneRule{Now: time.Now(), KeepUses: -1, EventsBefore: e.ID + "~"}); err != nil {
		t.Fatal(err)
	}
	if after, err := s.Keys(t.Context()); err != nil || len(after) != len(before) {
		t.Errorf("keys: %q, want %q; %v", after, before, err)
	}
}
