package storetest

import (
	"log/slog"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
)

// sealTests seal and verify what a store keeps: its order of ids, its ranges and its
// times must be those that were sealed.
var sealTests = []test{
	{"uses and events are sealed, verified and pruned by whole minutes", func(t *testing.T, s suite) {
		one := s.open(t)
		key, err := hallpass.GenerateKey(hallpass.EdDSA)
		if err != nil {
			t.Fatal(err)
		}
		ring, err := hallpass.NewKeyring(key)
		if err != nil {
			t.Fatal(err)
		}
		now := base
		issuer, err := hallpass.New(hallpass.Config{
			Keys: ring, Instance: "storetest", Store: one, Now: func() time.Time { return now }, Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		_, events := one.(hallpass.EventStore)
		p := recorded(0)
		record(t, one, p)
		minute := func(uses int) {
			for range uses {
				use := hallpass.Use{ID: idAt(now), Pass: p.ID, At: now, State: hallpass.UseSettled, Status: 200, ClientIP: "192.0.2.7"}
				if _, err := one.Reserve(t.Context(), hallpass.Reservation{Pass: p, Use: use}); err != nil {
					t.Fatal(err)
				}
				if events {
					if err := issuer.RecordAction(t.Context(), hallpass.Event{Actor: "op", Action: "test"}); err != nil {
						t.Fatal(err)
					}
				}
				now = now.Add(7 * time.Millisecond)
			}
			now = now.Truncate(time.Minute).Add(time.Minute)
		}
		seal := func() {
			now = now.Add(3 * time.Minute)
			if _, err := issuer.Seal(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		verify := func(uses, before int64) hallpass.SealReport {
			t.Helper()
			report, err := issuer.VerifySeals(t.Context(), hallpass.SealCheck{})
			if err != nil || !report.Whole() || report.Uses != uses || report.UsesBefore != before || events && (report.Events != uses || report.EventsBefore != before) {
				t.Errorf("want %d rows of each, %d from before: %+v, %v", uses, before, report, err)
			}
			return report
		}
		minute(3) // before sealing began
		seal()
		for _, uses := range []int{5, 1200, 0, 4} { // more than a page
			minute(uses)
		}
		seal()
		minute(2) // not sealed yet
		verify(1209, 3)
		if _, err := issuer.Prune(t.Context(), hallpass.PruneOptions{MaxCount: 600}); err != nil {
			t.Fatal(err)
		}
		report := verify(1204, 0)
		if report.UsesPruned.IsZero() {
			t.Errorf("nothing is said to be pruned: %+v", report)
		}
		// One that says another time than its id does.
		use := hallpass.Use{ID: idAt(now.Add(time.Hour)), Pass: p.ID, At: base, State: hallpass.UseSettled}
		if _, err := one.Reserve(t.Context(), hallpass.Reservation{Pass: p, Use: use}); err != nil {
			t.Fatal(err)
		}
		report, err = issuer.VerifySeals(t.Context(), hallpass.SealCheck{})
		if err != nil || report.FaultCount != 1 || report.Faults[0].Kind != hallpass.FaultMisplaced {
			t.Errorf("a use in the wrong place: %+v, %v", report, err)
		}
	}},
}
