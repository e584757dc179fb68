package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
)

// eventTests are for stores that keep events.
var eventTests = []test{
	{"an event comes back as it was written", func(t *testing.T, s suite) {
		one := s.open(t)
		events := eventsOf(t, one)
		full := hallpass.Event{
			ID: newID(), At: base.Add(time.Second), Kind: hallpass.EventRefused, Pass: newID(), Scope: "report:read",
			Subject: "user-7", Batch: "spring", Reason: hallpass.RefusalSpent, Actor: "op é", Action: "pass.revoke",
			Detail: "<b>'\"\\\n\U0001f680", ClientIP: "2001:db8::7", UserAgent: "storetest/1", Method: "GET", Path: "/reports/7",
		}
		bare := hallpass.Event{ID: newID(), At: base, Kind: hallpass.EventLogin}
		recordEvents(t, one, full, bare)
		same(t, "the events", listEvents(t, events, hallpass.EventQuery{Limit: 10}), []hallpass.Event{bare, full})
	}},

	{"an event that is recorded again keeps what was written first", func(t *testing.T, s suite) {
		one := s.open(t)
		events := eventsOf(t, one)
		first := eventAt(hallpass.EventAdmin)
		second := first
		second.Detail = "another"
		fresh := eventAt(hallpass.EventAdmin)
		recordEvents(t, one, first)
		recordEvents(t, one, second, fresh)
		same(t, "the events", listEvents(t, events, hallpass.EventQuery{Limit: 10}), []hallpass.Event{fresh, first})
	}},

	{"no events are recorded when there are none", func(t *testing.T, s suite) {
		recordEvents(t, s.open(t))
	}},

	{"every filter of events holds, alone and together", func(t *testing.T, s suite) {
		one := s.open(t)
		events := eventsOf(t, one)
		passes := []string{"", newID(), newID()}
		reasons := []hallpass.Refusal{"", hallpass.RefusalSpent, hallpass.RefusalExpired}
		actors := []string{"", "op-1", "op-2"}
		var all []hallpass.Event
		for n := range 120 {
			e := eventAt(hallpass.EventKinds()[n%len(hallpass.EventKinds())])
			e.Pass, e.Reason, e.Actor = passes[n/5%3], reasons[n/15%3], actors[n/2%3]
			all = append(all, e)
		}
		recordEvents(t, one, all...)
		slices.Reverse(all)
		for _, kind := range append(hallpass.EventKinds(), "") {
			for _, pass := range passes {
				for _, reason := range reasons {
					for _, actor := range actors {
						q := hallpass.EventQuery{Kind: kind, Pass: pass, Reason: reason, Actor: actor, Limit: 7}
						var want []hallpass.Event
						for _, e := range all {
							if (kind == "" || e.Kind == kind) && (pass == "" || e.Pass == pass) &&
								(reason == "" || e.Reason == reason) && (actor == "" || e.Actor == actor) {
								want = append(want, e)
							}
						}
						same(t, fmt.Sprintf("%+v", q), allEvents(t, events, q), want)
					}
				}
			}
		}
	}},

	{"events lie between From, which is among them, and After, which is not", func(t *testing.T, s suite) {
		one := s.open(t)
		events := eventsOf(t, one)
		var all []hallpass.Event
		for range 9 {
			all = append(all, eventAt(hallpass.EventOpened))
		}
		recordEvents(t, one, all...)
		got := listEvents(t, events, hallpass.EventQuery{From: all[2].ID, After: all[5].ID, Limit: 100})
		same(t, "the events between", got, []hallpass.Event{all[4], all[3], all[2]})
		got = listEvents(t, events, hallpass.EventQuery{After: all[5].ID[:14] + "7000-8000-000000000000", Kind: hallpass.EventOpened, Limit: 100})
		same(t, "the events below an id nothing has", got[:1], []hallpass.Event{all[4]})
	}},

	{"events that arrive while somebody pages are not seen twice and hide none", func(t *testing.T, s suite) {
		one := s.open(t)
		events := eventsOf(t, one)
		var want []string
		for range 25 {
			e := eventAt(hallpass.EventScanned)
			recordEvents(t, one, e)
			want = append([]string{e.ID}, want...)
		}
		var got []string
		for q := (hallpass.EventQuery{Limit: 4}); ; {
			page := listEvents(t, events, q)
			for _, e := range page {
				got = append(got, e.ID)
			}
			if len(page) < q.Limit {
				break
			}
			q.After = page[len(page)-1].ID
			recordEvents(t, one, eventAt(hallpass.EventScanned))
		}
		same(t, "the events", got, want)
	}},

	{"events go by id and by count, and uses stay", func(t *testing.T, s suite) {
		one := s.open(t)
		events := eventsOf(t, one)
		p := recorded(0)
		record(t, one, p)
		redeem(t, one, p, "")
		var all []hallpass.Event
		for range 2500 {
			all = append(all, eventAt(hallpass.EventScanned))
		}
		recordEvents(t, one, all...)
		prunes := []struct {
			rule       hallpass.PruneRule
			gone, left int64
		}{
			{hallpass.PruneRule{Now: base, KeepUses: -1}, 0, 2500},
			{hallpass.PruneRule{Now: base, KeepUses: -1, EventsBefore: all[1200].ID}, 1200, 1300},
			{hallpass.PruneRule{Now: base, KeepUses: -1, KeepEvents: 100}, 1200, 100},
			{hallpass.PruneRule{Now: base, KeepUses: -1, KeepEvents: 100}, 0, 100},
		}
		for _, step := range prunes {
			same(t, "what was pruned", prune(t, one, step.rule), hallpass.Pruned{Events: step.gone})
			want := slices.Clone(all[2500-step.left:])
			slices.Reverse(want)
			same(t, "what is left", allEvents(t, events, hallpass.EventQuery{Limit: 1000}), want)
		}
		if left := allUses(t, one, p.ID); len(left) != 1 {
			t.Errorf("%d uses are left, want 1", len(left))
		}
	}},

	{"a caller whose context has ended records no events and reads none", func(t *testing.T, s suite) {
		one := s.open(t)
		events := eventsOf(t, one)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := events.RecordEvents(ctx, []hallpass.Event{eventAt(hallpass.EventAdmin)}); !errors.Is(err, context.Canceled) {
			t.Errorf("RecordEvents = %v, want the context's error", err)
		}
		if _, err := events.Events(ctx, hallpass.EventQuery{Limit: 1}); !errors.Is(err, context.Canceled) {
			t.Errorf("Events = %v, want the context's error", err)
		}
		if got := listEvents(t, events, hallpass.EventQuery{Limit: 1}); len(got) != 0 {
			t.Errorf("an event was written all the same: %+v", got)
		}
	}},

	{"events recorded at once through two handles are all there", func(t *testing.T, s suite) {
		a, b := s.pair(t)
		var ids [crowd]string
		atOnce(crowd, func(i int) {
			e := eventAt(hallpass.EventRefused)
			ids[i] = e.ID
			target := a
			if i%2 == 0 {
				target = b
			}
			if err := eventsOf(t, target).RecordEvents(t.Context(), []hallpass.Event{e}); err != nil {
				t.Errorf("RecordEvents: %v", err)
			}
		})
		var got []string
		for _, e := range allEvents(t, eventsOf(t, b), hallpass.EventQuery{Limit: 1000}) {
			got = append(got, e.ID)
		}
		want := ids[:]
		slices.SortFunc(want, func(a, b string) int { return strings.Compare(b, a) })
		same(t, "the events", got, want)
	}},

	{"events are there after the database was opened again", func(t *testing.T, s suite) {
		if s.reopen == nil {
			t.Skip("this store lives in one handle")
		}
		one := s.open(t)
		e := eventAt(hallpass.EventAdmin)
		recordEvents(t, one, e)
		one = s.reopen(t, one)
		same(t, "the events", listEvents(t, eventsOf(t, one), hallpass.EventQuery{Limit: 10}), []hallpass.Event{e})
	}},
}

// eventsOf returns the store as one that keeps events, or ends the test.
func eventsOf(t *testing.T, s hallpass.Store) hallpass.EventStore {
	t.Helper()
	for {
		if events, ok := s.(hallpass.EventStore); ok {
			return events
		}
		wrapper, wraps := s.(interface{ Unwrap() hallpass.Store })
		if !wraps {
			t.Skip("this store keeps no events")
		}
		s = wrapper.Unwrap()
	}
}

func eventAt(kind hallpass.EventKind) hallpass.Event {
	return hallpass.Event{ID: newID(), At: base, Kind: kind}
}

func recordEvents(t *testing.T, s hallpass.Store, events ...hallpass.Event) {
	t.Helper()
	if err := eventsOf(t, s).RecordEvents(t.Context(), events); err != nil {
		t.Fatalf("RecordEvents: %v", err)
	}
}

func listEvents(t *testing.T, s hallpass.EventStore, q hallpass.EventQuery) []hallpass.Event {
	t.Helper()
	events, err := s.Events(t.Context(), q)
	if err != nil {
		t.Fatalf("Events: %v", err)
	}
	return events
}

func allEvents(t *testing.T, s hallpass.EventStore, q hallpass.EventQuery) []hallpass.Event {
	t.Helper()
	var all []hallpass.Event
	for {
		page := listEvents(t, s, q)
		all = append(all, page...)
		if len(page) < q.Limit {
			return all
		}
		q.After = page[len(page)-1].ID
	}
}
