package hallpass_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/memstore"
)

func TestRevokingOnePass(t *testing.T) {
	t.Parallel()
	for name, spec := range map[string]hallpass.Spec{
		"recorded":             {},
		"unrecorded":           {Unrecorded: true},
		"short":                {Format: hallpass.FormatShort},
		"unlimited":            {MaxUses: hallpass.Unlimited},
		"unlimited unrecorded": {MaxUses: hallpass.Unlimited, Unrecorded: true},
	} {
		for _, audit := range []hallpass.Audit{hallpass.AuditDefault, hallpass.AuditOff, hallpass.AuditBehind} {
			for _, byID := range []bool{false, true} {
				s := newSite(t)
				p, other := s.issue(t, spec), s.issue(t, spec)
				edit := func(q *hallpass.Presentation) { q.Audit = audit }
				if _, err := s.redeem(t, p.Token, edit); err != nil {
					t.Fatal(err)
				}
				s.Clock.Advance(time.Second)
				at := s.Now()
				if byID {
					if _, _, err := s.RevokeID(t.Context(), p.ID); err != nil {
						t.Fatal(err)
					}
				} else if entry, err := s.RevokePass(t.Context(), p.Pass); err != nil || !entry.RevokedAt.Equal(at) {
					t.Fatal(entry, err)
				}
				if _, err := s.redeem(t, p.Token, edit); reason(err) != "revoked" {
					t.Errorf("%s, audit %q, by id %v: %v", name, audit, byID, err)
				}
				if _, err := s.redeem(t, other.Token, edit); err != nil {
					t.Errorf("%s: the other pass: %v", name, err)
				}
				s.Clock.Advance(time.Minute)
				if again, err := s.RevokePass(t.Context(), p.Pass); err != nil || !again.RevokedAt.Equal(at) {
					t.Errorf("%s: revoked again: %v, %v", name, again.RevokedAt, err)
				}
			}
		}
	}
}

func TestRevokingAnUnusedPassByItsIDAlone(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.issue(t, hallpass.Spec{Unrecorded: true, TTL: time.Hour})
	entry, known, err := s.RevokeID(t.Context(), p.ID)
	if err != nil || known || entry.RevokedAt.IsZero() {
		t.Fatalf("%+v, known %v, %v", entry, known, err)
	}
	r, err := s.redeem(t, p.Token)
	if reason(err) != "revoked" || r.Entry.Scope != "report" {
		t.Errorf("redeemed: %+v, %v", r, err)
	}
	if _, _, err := s.Check(t.Context(), hallpass.Presentation{Token: p.Token}); reason(err) != "revoked" {
		t.Errorf("checked: %v", err)
	}
	// The tombstone stays: nothing says when the token ends.
	s.Clock.Advance(1000 * 24 * time.Hour)
	if done, err := s.Prune(t.Context(), hallpass.PruneOptions{}); err != nil || done.Passes != 0 {
		t.Errorf("pruned %+v, %v", done, err)
	}
	for name, id := range map[string]string{
		"text": "nonsense", "empty": "", "a short pass's id": "00000000-0000-8000-8000-000000000000",
		"capitals": "0195512F-7C00-7000-8000-000000000001", "an id of tomorrow": "ffffffff-ffff-7000-8000-000000000001",
	} {
		if _, _, err := s.RevokeID(t.Context(), id); !errors.Is(err, hallpass.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRevokingGroups(t *testing.T) {
	t.Parallel()
	base := hallpass.Spec{Scope: "report", Mode: hallpass.ModeRequest, Subject: "ada", Batch: "march"}
	before := t0.Add(time.Minute) // of the passes, which are issued at t0 and later
	rows := []struct {
		name string
		r    hallpass.Revocation
		want map[string]bool // of the passes below, which are revoked
	}{
		{"by batch", hallpass.Revocation{Batch: "march"}, map[string]bool{"base": true, "other scope": true, "other subject": true}},
		{"by scope", hallpass.Revocation{Scope: "report"}, map[string]bool{"base": true, "other batch": true, "other subject": true, "bare": true}},
		{"by subject", hallpass.Revocation{Subject: "ada"}, map[string]bool{"base": true, "other batch": true, "other scope": true}},
		{"by scope and batch", hallpass.Revocation{Scope: "report", Batch: "march"}, map[string]bool{"base": true, "other subject": true}},
		{"by scope and subject", hallpass.Revocation{Scope: "report", Subject: "ada"}, map[string]bool{"base": true, "other batch": true}},
		{"by subject and batch", hallpass.Revocation{Subject: "ada", Batch: "march"}, map[string]bool{"base": true, "other scope": true}},
		{"by all three", hallpass.Revocation{Scope: "report", Subject: "ada", Batch: "march"}, map[string]bool{"base": true}},
		{"by time alone", hallpass.Revocation{Before: before}, map[string]bool{"base": true, "other batch": true, "other scope": true, "other subject": true, "bare": true}},
		{"by time before all of them", hallpass.Revocation{Before: t0}, nil},
		{"by batch before all of them", hallpass.Revocation{Batch: "march", Before: t0}, nil},
		{"by a batch nobody has", hallpass.Revocation{Batch: "Mar"}, nil},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			tokens := map[string]hallpass.Issued{}
			for _, unrecorded := range []bool{false, true} {
				for name, edit := range map[string]func(*hallpass.Spec){
					"base":          func(*hallpass.Spec) {},
					"other batch":   func(p *hallpass.Spec) { p.Batch = "april" },
					"other scope":   func(p *hallpass.Spec) { p.Scope = "export" },
					"other subject": func(p *hallpass.Spec) { p.Subject = "bob" },
					"bare":          func(p *hallpass.Spec) { p.Batch, p.Subject, p.Mode = "", "", "" },
				} {
					spec := base
					spec.Unrecorded = unrecorded
					edit(&spec)
					key := name
					if unrecorded {
						key += " unrecorded"
					}
					tokens[key] = s.issue(t, spec)
				}
			}
			s.Clock.Advance(2 * time.Minute)
			if err := s.RevokeGroup(t.Context(), row.r); err != nil {
				t.Fatal(err)
			}
			after := s.issue(t, base)
			for name, p := range tokens {
				want := "valid"
				plain := name
				if len(name) > 11 && name[len(name)-11:] == " unrecorded" {
					plain = name[:len(name)-11]
				}
				if row.want[plain] {
					want = "revoked"
				}
				if _, err := s.Redeem(t.Context(), hallpass.Presentation{Token: p.Token, Scope: p.Scope}); reason(err) != want {
					t.Errorf("%s: %s, want %s", name, reason(err), want)
				}
				if entry, err := s.Entry(t.Context(), p.ID); err == nil && entry.RevokedAt.IsZero() != (want == "valid") {
					t.Errorf("%s: listed as revoked at %v", name, entry.RevokedAt)
				}
			}
			if _, err := s.redeem(t, after.Token); err != nil {
				t.Errorf("issued afterwards: %v", err)
			}
		})
	}
}

func TestARevocationIsToTheMicrosecond(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	first := s.issue(t, hallpass.Spec{Unrecorded: true})
	s.Clock.Advance(time.Microsecond)
	if err := s.RevokeGroup(t.Context(), hallpass.Revocation{Scope: "report"}); err != nil {
		t.Fatal(err)
	}
	second := s.issue(t, hallpass.Spec{Unrecorded: true})
	if _, err := s.redeem(t, first.Token); reason(err) != "revoked" {
		t.Errorf("a microsecond before: %v", err)
	}
	if _, err := s.redeem(t, second.Token); err != nil {
		t.Errorf("in the same microsecond: %v", err)
	}
	undated := hallpass.NewToken(s.Sign.pass(map[string]any{"iat": nil}))
	if _, err := s.redeem(t, undated); reason(err) != "revoked" {
		t.Errorf("a pass that does not say when: %v", err)
	}
	// An older cutoff for the same group does not weaken the newer one.
	if err := s.RevokeGroup(t.Context(), hallpass.Revocation{Scope: "report", Before: t0.Add(-time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.redeem(t, first.Token); reason(err) != "revoked" {
		t.Errorf("after an older cutoff: %v", err)
	}
	if err := s.RevokeGroup(t.Context(), hallpass.Revocation{}); err == nil {
		t.Error("an empty revocation passed")
	} else if _, ok := errors.AsType[*hallpass.FieldError](err); !ok {
		t.Error(err)
	}
}

func TestAnotherProcessSeesRevocations(t *testing.T) {
	t.Parallel()
	const stale = 50 * time.Millisecond
	store, sign := memstore.New(), newSigner(t, hallpass.HS256)
	share := func(c *hallpass.Config) { c.Store, c.MaxStale = store, stale }
	here, there := newSiteWith(t, sign, share), newSiteWith(t, sign, share)
	limited := here.issue(t, hallpass.Spec{Batch: "march"})
	endless := here.issue(t, hallpass.Spec{MaxUses: hallpass.Unlimited})
	off := func(p *hallpass.Presentation) { p.Audit = hallpass.AuditOff }
	for _, p := range []hallpass.Issued{limited, endless} {
		if _, err := there.redeem(t, p.Token, off); err != nil {
			t.Fatal(err)
		}
	}
	here.Clock.Advance(time.Second)
	there.Clock.Advance(time.Second)
	if err := here.RevokeGroup(t.Context(), hallpass.Revocation{Batch: "march"}); err != nil {
		t.Fatal(err)
	}
	if _, err := here.RevokePass(t.Context(), endless.Pass); err != nil {
		t.Fatal(err)
	}
	for _, p := range []hallpass.Issued{limited, endless} {
		if _, err := here.redeem(t, p.Token, off); reason(err) != "revoked" {
			t.Errorf("where it was done: %v", err)
		}
	}
	time.Sleep(stale + time.Millisecond)
	for _, p := range []hallpass.Issued{limited, endless} {
		if _, err := there.redeem(t, p.Token, off); reason(err) != "revoked" {
			t.Errorf("elsewhere, after MaxStale: %v", err)
		}
	}
	// A single limited pass is revoked everywhere at once: the row is read.
	single := here.issue(t, hallpass.Spec{})
	if _, err := here.RevokePass(t.Context(), single.Pass); err != nil {
		t.Fatal(err)
	}
	if _, err := there.redeem(t, single.Token); reason(err) != "revoked" {
		t.Errorf("a single pass elsewhere: %v", err)
	}
}

// A row read just before a revocation and remembered just after it used to hide
// the revocation for as long as MaxStale, in the process that made it.
func TestARevocationIsNotHiddenByARowReadBefore(t *testing.T) {
	t.Parallel()
	store := &brokenStore{Store: memstore.New()}
	s := newSite(t, func(c *hallpass.Config) { c.Store, c.MaxStale = store, time.Hour })
	p := s.issue(t, hallpass.Spec{MaxUses: hallpass.Unlimited})
	off := func(p *hallpass.Presentation) { p.Audit = hallpass.AuditOff }
	store.afterEntry = func() {
		store.afterEntry = nil
		if _, err := s.RevokePass(t.Context(), p.Pass); err != nil {
			t.Error(err)
		}
	}
	if _, err := s.redeem(t, p.Token, off); err != nil {
		t.Fatal(err) // it was read before the revocation
	}
	if _, err := s.redeem(t, p.Token, off); reason(err) != "revoked" {
		t.Errorf("after the revocation: %v", err)
	}
}

func TestKeyRotation(t *testing.T) {
	t.Parallel()
	for _, format := range []hallpass.Format{hallpass.FormatSigned, hallpass.FormatCompact} {
		for _, alg := range []hallpass.Algorithm{hallpass.HS256, hallpass.EdDSA, hallpass.ES256} {
			s := newSiteWith(t, newSigner(t, alg))
			spec := hallpass.Spec{Format: format, Unrecorded: true}
			old := s.issue(t, spec)
			next := newSigner(t, alg)
			if err := s.Keys().Add(next.key, hallpass.KeyVerifying); err != nil {
				t.Fatal(err)
			}
			if p := s.issue(t, spec); p.Key != s.Sign.key.ID() {
				t.Errorf("%s: a published key signs already", alg)
			}
			if err := s.Keys().Retire(s.Sign.key.ID()); err == nil {
				t.Errorf("%s: the active key was retired", alg)
			}
			if err := s.Keys().Activate(next.key.ID()); err != nil {
				t.Fatal(err)
			}
			young := s.issue(t, spec)
			if young.Key != next.key.ID() {
				t.Errorf("%s: signed with %s", alg, young.Key)
			}
			expect := func(when string, want ...string) {
				t.Helper()
				var got []string
				for _, p := range []hallpass.Issued{old, young} {
					_, err := s.verify(p.Token.Reveal())
					got = append(got, reason(err))
				}
				if !slices.Equal(got, want) {
					t.Errorf("%s %s, %s: %v, want %v", alg, format, when, got, want)
				}
			}
			expect("after the rotation", "valid", "valid")
			if err := s.Keys().Retire(s.Sign.key.ID()); err != nil {
				t.Fatal(err)
			}
			expect("after the retirement", "unknown_key", "valid")
			if err := s.Keys().Activate(s.Sign.key.ID()); err == nil {
				t.Errorf("%s: a retired key was activated", alg)
			}
			if err := s.Keys().Remove(s.Sign.key.ID()); err != nil {
				t.Fatal(err)
			}
			expect("after the removal", "unknown_key", "valid")
		}
	}
}

func TestAGroupRevocationCannotReachIntoTheFuture(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	err := s.RevokeGroup(t.Context(), hallpass.Revocation{Scope: "report", Before: t0.Add(2 * time.Minute)})
	var field *hallpass.FieldError
	if !errors.As(err, &field) || field.Field != "issued_before" {
		t.Errorf("got %v, want a FieldError for issued_before", err)
	}
}

// hangingFeed is a store whose feed does not answer.
type hangingFeed struct {
	hallpass.Store
	hang chan struct{}
}

func (h *hangingFeed) Cells(ctx context.Context, group string, since uint64, now time.Time) ([]hallpass.Cell, error) {
	select {
	case <-h.hang:
		return h.Store.Cells(ctx, group, since, now)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// TestACallerWaitsForAHangingFeedNoLongerThanItWants: all callers once waited for
// the first one's patience.
func TestACallerWaitsForAHangingFeedNoLongerThanItWants(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &hangingFeed{Store: memstore.New(), hang: make(chan struct{})}
		s := newSite(t, func(c *hallpass.Config) { c.Store = store })
		issued, err := s.Issue(t.Context(), hallpass.Spec{Scope: "once", Unrecorded: true})
		if err != nil {
			t.Fatal(err)
		}
		redeem := func(ctx context.Context) error {
			_, err := s.Redeem(ctx, hallpass.Presentation{Token: issued.Token, Scope: "once"})
			return err
		}
		first := make(chan error, 1)
		go func() { first <- redeem(context.Background()) }()
		synctest.Wait()
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if err := redeem(ctx); !errors.Is(err, hallpass.ErrUnavailable) {
			t.Errorf("got %v, want ErrUnavailable", err)
		}
		if waited := time.Since(began); waited > 200*time.Millisecond {
			t.Errorf("waited %s", waited)
		}
		if err := <-first; !errors.Is(err, hallpass.ErrUnavailable) {
			t.Errorf("the first got %v, want ErrUnavailable in the end", err)
		}
	})
}

// TestAnUnlimitedShortPassIsJudgedByTheRowJustRead: an older picture of the row was
// once believed instead.
func TestAnUnlimitedShortPassIsJudgedByTheRowJustRead(t *testing.T) {
	t.Parallel()
	store := memstore.New()
	s, other := newSite(t, func(c *hallpass.Config) { c.Store = store }), newSite(t, func(c *hallpass.Config) { c.Store = store })
	issued, err := s.Issue(t.Context(), hallpass.Spec{Scope: "api", MaxUses: hallpass.Unlimited, Format: hallpass.FormatShort})
	if err != nil {
		t.Fatal(err)
	}
	p := hallpass.Presentation{Token: issued.Token, Scope: "api", Audit: hallpass.AuditOff}
	if _, err := s.Redeem(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if _, err := other.RevokePass(t.Context(), issued.Pass); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Redeem(t.Context(), p); !errors.Is(err, hallpass.RefusalRevoked) {
		t.Errorf("got %v, want revoked", err)
	}
}
