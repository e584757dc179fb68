package hallpass_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/memstore"
)

// TestOutageIsForUsesThatNeedNothingOfTheStore: while it is away, and no longer than
// was set.
func TestOutageIsForUsesThatNeedNothingOfTheStore(t *testing.T) {
	t.Parallel()
	silent := func(issued hallpass.Issued) hallpass.Presentation {
		return hallpass.Presentation{Token: issued.Token, Scope: "report", Audit: hallpass.AuditOff}
	}
	unlimited := hallpass.Spec{MaxUses: hallpass.Unlimited}
	for name, tt := range map[string]struct {
		outage time.Duration
		spec   hallpass.Spec
		change func(*hallpass.Presentation)
		unread bool // the process has not asked about the pass before
		want   error
	}{
		"a signed unlimited pass goes on":     {outage: time.Minute, spec: unlimited},
		"an unrecorded one too":               {outage: time.Minute, spec: hallpass.Spec{MaxUses: hallpass.Unlimited, Unrecorded: true}},
		"not unless it was set":               {spec: unlimited, want: hallpass.ErrUnavailable},
		"not one that was never asked for":    {outage: time.Minute, spec: unlimited, unread: true, want: hallpass.ErrUnavailable},
		"not longer than was set":             {outage: time.Nanosecond, spec: unlimited, want: hallpass.ErrUnavailable},
		"not one with a quota":                {outage: time.Minute, spec: hallpass.Spec{MaxUses: 5}, want: hallpass.ErrUnavailable},
		"not a short one, which is in no key": {outage: time.Minute, spec: hallpass.Spec{MaxUses: hallpass.Unlimited, Format: hallpass.FormatShort}, want: hallpass.ErrUnavailable},
		"not one whose use is written down": {
			outage: time.Minute, spec: unlimited, want: hallpass.ErrUnavailable,
			change: func(p *hallpass.Presentation) { p.Audit = hallpass.AuditDurable },
		},
		"not one with a key that counts once": {
			outage: time.Minute, spec: unlimited, want: hallpass.ErrUnavailable,
			change: func(p *hallpass.Presentation) { p.UseKey = "k" },
		},
		"the scope is judged as ever": {
			outage: time.Minute, spec: unlimited, want: hallpass.RefusalWrongScope,
			change: func(p *hallpass.Presentation) { p.Scope = "other" },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := &brokenStore{Store: memstore.New()}
			s := newSite(t, func(cfg *hallpass.Config) {
				cfg.Store, cfg.Outage, cfg.MaxStale = store, tt.outage, time.Nanosecond
			})
			issued := s.issue(t, tt.spec)
			asked := silent(issued)
			if tt.change != nil {
				tt.change(&asked)
			}
			if !tt.unread {
				if _, err := s.Redeem(t.Context(), silent(issued)); err != nil {
					t.Fatal(err)
				}
			}
			store.silence(true)
			for range 2 { // the second does not ask again
				if _, err := s.Redeem(t.Context(), asked); !errors.Is(err, tt.want) {
					t.Errorf("%v, want %v", err, tt.want)
				}
			}
			store.silence(false)
			if _, err := s.Redeem(t.Context(), silent(issued)); err != nil {
				t.Errorf("when it is back: %v", err)
			}
		})
	}
}

func TestWhatWasRevokedBeforeAnOutageStaysRevoked(t *testing.T) {
	t.Parallel()
	store := &brokenStore{Store: memstore.New()}
	s := newSite(t, func(cfg *hallpass.Config) { cfg.Store, cfg.Outage, cfg.MaxStale = store, time.Minute, time.Nanosecond })
	present := func(issued hallpass.Issued) error {
		_, err := s.Redeem(t.Context(), hallpass.Presentation{Token: issued.Token, Scope: "report", Audit: hallpass.AuditOff})
		return err
	}
	alone := s.issue(t, hallpass.Spec{MaxUses: hallpass.Unlimited})
	group := s.issue(t, hallpass.Spec{MaxUses: hallpass.Unlimited, Batch: "spring"})
	good := s.issue(t, hallpass.Spec{MaxUses: hallpass.Unlimited})
	for _, issued := range []hallpass.Issued{alone, group, good} {
		if err := present(issued); err != nil {
			t.Fatal(err)
		}
	}
	s.Clock.Advance(time.Second)
	if _, err := s.RevokePass(t.Context(), alone.Pass); err != nil {
		t.Fatal(err)
	}
	if err := s.RevokeGroup(t.Context(), hallpass.Revocation{Batch: "spring"}); err != nil {
		t.Fatal(err)
	}
	if err := present(alone); !errors.Is(err, hallpass.RefusalRevoked) {
		t.Fatalf("before the outage: %v", err)
	}
	store.silence(true)
	for name, err := range map[string]error{"alone": present(alone), "with its group": present(group)} {
		if !errors.Is(err, hallpass.RefusalRevoked) {
			t.Errorf("revoked %s: %v", name, err)
		}
	}
	if err := present(good); err != nil {
		t.Errorf("another: %v", err)
	}
}

// A revocation of one pass is in its row, which could be read all the time.
func TestARowIsReadAfreshWhileOnlyTheFeedIsAway(t *testing.T) {
	t.Parallel()
	inner := memstore.New()
	store := &brokenStore{Store: inner}
	s := newSite(t, func(cfg *hallpass.Config) { cfg.Store, cfg.Outage, cfg.MaxStale = store, time.Minute, time.Nanosecond })
	present := func(issued hallpass.Issued) error {
		_, err := s.Redeem(t.Context(), hallpass.Presentation{Token: issued.Token, Scope: "report", Audit: hallpass.AuditOff})
		return err
	}
	revoked, unread := s.issue(t, hallpass.Spec{MaxUses: hallpass.Unlimited}), s.issue(t, hallpass.Spec{MaxUses: hallpass.Unlimited})
	if err := present(revoked); err != nil {
		t.Fatal(err)
	}
	store.failCells.Store(true)
	if err := present(revoked); err != nil {
		t.Fatalf("before it was revoked: %v", err)
	}
	if err := present(unread); err != nil {
		t.Errorf("one whose row is read for the first time: %v", err)
	}
	// Another process does it.
	if _, err := inner.RevokePass(t.Context(), hallpass.Entry{Pass: revoked.Pass}, s.Now()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := present(revoked); !errors.Is(err, hallpass.RefusalRevoked) {
			t.Errorf("%v, want %v", err, hallpass.RefusalRevoked)
		}
	}
	store.silence(true)
	if err := present(revoked); !errors.Is(err, hallpass.RefusalRevoked) {
		t.Errorf("when all of it is away: %v, want %v", err, hallpass.RefusalRevoked)
	}
}

// lateRow is a store that does not have a row yet.
type lateRow struct {
	hallpass.Store
	late atomic.Bool
}

func (s *lateRow) Entry(ctx context.Context, id string) (hallpass.Entry, error) {
	if s.late.Load() {
		return hallpass.Entry{}, hallpass.ErrNotFound
	}
	return s.Store.Entry(ctx, id)
}

func TestThatARowWasMissingOnceDoesNotMakeAPassUnknownInAnOutage(t *testing.T) {
	t.Parallel()
	late := &lateRow{Store: memstore.New()}
	store := &brokenStore{Store: late}
	s := newSite(t, func(cfg *hallpass.Config) { cfg.Store, cfg.Outage, cfg.MaxStale = store, time.Minute, time.Nanosecond })
	issued := s.issue(t, hallpass.Spec{MaxUses: hallpass.Unlimited})
	present := func(want error) {
		t.Helper()
		_, err := s.Redeem(t.Context(), hallpass.Presentation{Token: issued.Token, Scope: "report", Audit: hallpass.AuditOff})
		if !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	late.late.Store(true)
	present(hallpass.RefusalUnknownPass)
	store.failCells.Store(true)
	present(hallpass.RefusalUnknownPass) // the row is read, and is not there
	late.late.Store(false)
	store.failEntry.Store(true)
	for range 2 {
		present(hallpass.ErrUnavailable)
	}
	store.failEntry.Store(false)
	present(nil)
}

// silence makes the store answer nothing, or everything again.
func (b *brokenStore) silence(on bool) {
	for _, fail := range []*atomic.Bool{&b.failRecord, &b.failEntry, &b.failReserve, &b.failCells, &b.failSettle} {
		fail.Store(on)
	}
}

// slowFeed is a store whose feed fails, after a while.
type slowFeed struct {
	hallpass.Store
	slow  atomic.Bool
	reads atomic.Int64
}

func (s *slowFeed) Cells(ctx context.Context, group string, since uint64, now time.Time) ([]hallpass.Cell, error) {
	if !s.slow.Load() {
		return s.Store.Cells(ctx, group, since, now)
	}
	s.reads.Add(1)
	select {
	case <-time.After(100 * time.Millisecond):
	case <-ctx.Done():
	}
	return nil, errDisk
}

// Each who waited for the feed of a dead store asked it again himself, one after
// the other, so the last of sixty waited sixty times as long as the first.
func TestThoseWhoWaitForADeadStoreDoNotQueueUp(t *testing.T) {
	t.Parallel()
	store := &slowFeed{Store: memstore.New()}
	s := newSite(t, func(cfg *hallpass.Config) { cfg.Store, cfg.MaxStale = store, time.Nanosecond })
	issued := s.issue(t, hallpass.Spec{})
	store.slow.Store(true)
	began := time.Now()
	var all sync.WaitGroup
	for range 60 {
		all.Go(func() {
			_, err := s.Redeem(t.Context(), hallpass.Presentation{Token: issued.Token, Scope: "report"})
			if !errors.Is(err, hallpass.ErrUnavailable) {
				t.Errorf("%v, want %v", err, hallpass.ErrUnavailable)
			}
		})
	}
	all.Wait()
	if took := time.Since(began); store.reads.Load() > 5 || took > 3*time.Second {
		t.Errorf("%d reads in %v", store.reads.Load(), took)
	}
}
