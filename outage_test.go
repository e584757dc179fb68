package hallpass_test

import (
	"errors"
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

// silence makes the store answer nothing, or everything again.
func (b *brokenStore) silence(on bool) {
	for _, fail := range []*atomic.Bool{&b.failRecord, &b.failEntry, &b.failReserve, &b.failCells, &b.failSettle} {
		fail.Store(on)
	}
}
