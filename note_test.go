package hallpass_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/memstore"
)

// countingStore counts what it is asked.
type countingStore struct {
	hallpass.Store
	uses atomic.Int64
}

func (s *countingStore) Unwrap() hallpass.Store { return s.Store }

func (s *countingStore) Uses(ctx context.Context, q hallpass.UseQuery) ([]hallpass.Use, error) {
	s.uses.Add(1)
	return s.Store.Uses(ctx, q)
}

// running is an issuer at work in a bubble of its own time.
func running(t *testing.T, test func(t *testing.T, i *hallpass.Issuer, store hallpass.Store)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ring, err := hallpass.NewKeyring(newSigner(t, hallpass.HS256).key)
		if err != nil {
			t.Fatal(err)
		}
		store := memstore.New()
		i, err := hallpass.New(hallpass.Config{Keys: ring, Store: store})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- i.Run(ctx) }()
		synctest.Wait()
		test(t, i, store)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func listed(t *testing.T, i *hallpass.Issuer, f hallpass.EventFilter) []hallpass.Event {
	t.Helper()
	f.Limit = hallpass.MaxPage
	page, err := i.Events(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	return page.Events
}

func TestARefusalIsNotedOnceTheTokenIsProven(t *testing.T) {
	t.Parallel()
	running(t, func(t *testing.T, i *hallpass.Issuer, _ hallpass.Store) {
		issued, err := i.Issue(t.Context(), hallpass.Spec{Scope: "report", Mode: hallpass.ModeRequest, Subject: "ada", MaxUses: 1, Batch: "spring"})
		if err != nil {
			t.Fatal(err)
		}
		p := hallpass.Presentation{
			Token: issued.Token, Scope: "report", ClientIP: "203.0.113.7", UserAgent: "curl/8", Method: "GET", Path: "/r",
		}
		if _, err := i.RedeemOnce(t.Context(), p, 200); err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{issued.Token.Reveal(), issued.Token.Reveal() + "A", "rubbish", "0000000000000000000000", ""} {
			p.Token = hallpass.NewToken(text)
			if _, err := i.Redeem(t.Context(), p); err == nil {
				t.Fatalf("%q was honoured", text)
			}
		}
		time.Sleep(10 * time.Second)
		got := listed(t, i, hallpass.EventFilter{})
		if len(got) != 1 {
			t.Fatalf("%d events, want the one of the proven token: %+v", len(got), got)
		}
		want := hallpass.Event{
			ID: got[0].ID, At: got[0].At, Kind: hallpass.EventRefused, Pass: issued.ID, Scope: "report", Subject: "ada", Batch: "spring",
			Reason: hallpass.RefusalSpent, ClientIP: "203.0.113.7", UserAgent: "curl/8", Method: "GET", Path: "/r",
		}
		if diff := cmp.Diff(want, got[0]); diff != "" {
			t.Error(diff)
		}
		points, err := i.Stats(t.Context(), time.Now().Add(-time.Minute), time.Now().Add(time.Second), time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		sum := hallpass.StatPoint{Reasons: map[hallpass.Refusal]int64{}}
		for _, p := range points {
			sum.Issued, sum.Used, sum.Refused = sum.Issued+p.Issued, sum.Used+p.Used, sum.Refused+p.Refused
			for r, n := range p.Reasons {
				sum.Reasons[r] += n
			}
		}
		wantSum := hallpass.StatPoint{Issued: 1, Used: 1, Refused: 4, Reasons: map[hallpass.Refusal]int64{
			"spent": 1, "bad_signature": 1, "malformed": 1, "unknown_pass": 1,
		}}
		if diff := cmp.Diff(wantSum, sum); diff != "" {
			t.Error(diff)
		}
	})
}

func TestOneLinkCannotFillTheStore(t *testing.T) {
	t.Parallel()
	running(t, func(t *testing.T, i *hallpass.Issuer, _ hallpass.Store) {
		for range 1000 {
			i.Note(hallpass.Event{Kind: hallpass.EventScanned, Pass: "one"})
		}
		time.Sleep(2 * time.Second)
		if got := len(listed(t, i, hallpass.EventFilter{Pass: "one"})); got != 30 {
			t.Errorf("%d events of one pass, want 30", got)
		}
		if got := i.DroppedEvents(); got != 970 {
			t.Errorf("%d dropped, want 970", got)
		}
		time.Sleep(10 * time.Minute)
		i.Note(hallpass.Event{Kind: hallpass.EventScanned, Pass: "one"})
		time.Sleep(2 * time.Second)
		if got := len(listed(t, i, hallpass.EventFilter{Pass: "one"})); got != 31 {
			t.Errorf("%d events ten minutes later, want one more", got)
		}
	})
}

func TestManyLinksCannotFillTheStore(t *testing.T) {
	t.Parallel()
	running(t, func(t *testing.T, i *hallpass.Issuer, store hallpass.Store) {
		const seconds, each = 20, 1000
		for second := range seconds {
			for n := range each {
				i.Note(hallpass.Event{Kind: hallpass.EventScanned, Pass: fmt.Sprint(second, "/", n)})
			}
			time.Sleep(time.Second)
		}
		time.Sleep(2 * time.Second)
		var kept int64
		q := hallpass.EventQuery{Limit: 1000}
		for {
			page, err := store.(hallpass.EventStore).Events(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			kept += int64(len(page))
			if len(page) < q.Limit {
				break
			}
			q.After = page[len(page)-1].ID
		}
		if want := int64(2000 + 19*200); kept > want || kept < want-300 {
			t.Errorf("%d events were kept, want about %d", kept, want)
		}
		if dropped := i.DroppedEvents(); dropped+kept != seconds*each {
			t.Errorf("%d kept and %d dropped are not %d", kept, dropped, seconds*each)
		}
	})
}

func TestWhatIsNotedWhenRunEndsIsWritten(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	for { // until Run is at work
		s.Note(hallpass.Event{Kind: hallpass.EventLogin, Subject: "ada"})
		s.Clock.Advance(time.Second)
		if len(listed(t, s.Issuer, hallpass.EventFilter{})) > 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.Note(hallpass.Event{Kind: hallpass.EventOpened, Pass: "last"})
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := listed(t, s.Issuer, hallpass.EventFilter{Pass: "last"}); len(got) != 1 {
		t.Errorf("%d events of the last moment", len(got))
	}
}

func TestAnActionIsWrittenBeforeItReturns(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, e := range []hallpass.Event{{Action: "keys.rotate"}, {Actor: "op"}} {
		var wrong *hallpass.FieldError
		if err := s.RecordAction(t.Context(), e); !errors.As(err, &wrong) {
			t.Errorf("RecordAction(%+v) = %v, want a FieldError", e, err)
		}
	}
	if err := s.RecordAction(t.Context(), hallpass.Event{Actor: "op", Action: "keys.rotate", Detail: "k1"}); err != nil {
		t.Fatal(err)
	}
	got := listed(t, s.Issuer, hallpass.EventFilter{Kind: hallpass.EventAdmin, Actor: "op"})
	if len(got) != 1 || got[0].Action != "keys.rotate" || !got[0].At.Equal(t0) {
		t.Errorf("%+v", got)
	}
}

// plainStore keeps no events.
type plainStore struct{ hallpass.Store }

func TestAStoreWithoutEventsRefusesActionsAndLosesNotes(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *hallpass.Config) { c.Store = plainStore{memstore.New()} })
	if err := s.RecordAction(t.Context(), hallpass.Event{Actor: "op", Action: "x"}); !errors.Is(err, hallpass.ErrUnavailable) {
		t.Errorf("RecordAction = %v", err)
	}
	if _, err := s.Events(t.Context(), hallpass.EventFilter{}); !errors.Is(err, hallpass.ErrUnavailable) {
		t.Errorf("Events = %v", err)
	}
	s.Note(hallpass.Event{Kind: hallpass.EventOpened})
	s.seal(t)
	s.use(t, s.issue(t, hallpass.Spec{}).Token)
	s.Clock.Advance(5 * time.Minute)
	s.seal(t)
	if report := s.verifySeals(t, hallpass.SealCheck{}); !report.Whole() || report.Uses != 1 {
		t.Errorf("%+v", report)
	}
}
