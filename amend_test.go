package hallpass_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
)

func TestAddedUsesAreHonoured(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	issued := s.issue(t, hallpass.Spec{MaxUses: 1})
	if _, err := s.redeem(t, issued.Token); err != nil {
		t.Fatal(err)
	}
	got, err := s.Amend(t.Context(), issued.ID, hallpass.Change{AddUses: 2})
	if err != nil || got.MaxUses != 3 || got.Used != 1 || !got.Token.IsZero() {
		t.Fatalf("%+v, %v", got, err)
	}
	for range 2 {
		if _, err := s.redeem(t, issued.Token); err != nil {
			t.Error(err)
		}
	}
	if _, err := s.redeem(t, issued.Token); reason(err) != "spent" {
		t.Errorf("the fourth use is %v", reason(err))
	}
}

func TestAnExtendedShortTokenLivesLonger(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	issued := s.issue(t, hallpass.Spec{Format: hallpass.FormatShort, TTL: time.Hour})
	got, err := s.Amend(t.Context(), issued.ID, hallpass.Change{TTL: 2 * time.Hour})
	if err != nil || !got.Token.IsZero() || !got.ExpiresAt.Equal(t0.Add(2*time.Hour)) || !got.KeepUntil.Equal(t0.Add(26*time.Hour)) {
		t.Fatalf("%+v, %v", got, err)
	}
	s.Clock.Advance(90 * time.Minute)
	if _, err := s.redeem(t, issued.Token); err != nil {
		t.Error(err)
	}
}

func TestExtendingASignedPassGivesANewTokenOfTheSamePass(t *testing.T) {
	t.Parallel()
	for name, spec := range map[string]hallpass.Spec{
		"recorded":   {TTL: time.Hour, MaxUses: 3, Data: []byte(`{"a":1}`), Batch: "b", Target: "/x"},
		"unrecorded": {TTL: time.Hour, MaxUses: 3, Data: []byte(`{"a":1}`), Batch: "b", Target: "/x", Unrecorded: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			issued := s.issue(t, spec)
			onTarget := func(p *hallpass.Presentation) { p.Target = "/x" }
			if _, err := s.redeem(t, issued.Token, onTarget); err != nil {
				t.Fatal(err)
			}
			if err := s.Keys().Rotate(newSigner(t, hallpass.EdDSA).key); err != nil {
				t.Fatal(err)
			}
			end := t0.Add(2*time.Hour - time.Millisecond)
			got, err := s.Amend(t.Context(), issued.ID, hallpass.Change{ExpiresAt: end})
			if err != nil {
				t.Fatal(err)
			}
			v, err := s.Verify(hallpass.Presentation{Token: got.Token})
			if err != nil || v.Pass.ID != issued.ID || !v.Pass.ExpiresAt.Equal(t0.Add(2*time.Hour)) || !v.Pass.IssuedAt.Equal(issued.IssuedAt) {
				t.Fatalf("%+v, %v", v.Pass, err)
			}
			s.Clock.Advance(90 * time.Minute)
			if _, err := s.redeem(t, issued.Token, onTarget); reason(err) != "expired" {
				t.Errorf("the old token is %v, want expired as it said", reason(err))
			}
			done, err := s.redeem(t, got.Token, onTarget)
			if err != nil || done.Entry.Used != 2 || string(done.Entry.Data) != `{"a":1}` {
				t.Errorf("%+v, %v", done, err)
			}
			// What revokes the old token must reach the new one, although it is younger.
			if err := s.RevokeGroup(t.Context(), hallpass.Revocation{Batch: "b", Before: t0.Add(time.Minute)}); err != nil {
				t.Fatal(err)
			}
			if _, err := s.redeem(t, got.Token, onTarget); reason(err) != "revoked" {
				t.Errorf("after revoking its batch the new token is %v", reason(err))
			}
		})
	}
}

func TestWhatCannotBeAmendedNamesItsField(t *testing.T) {
	t.Parallel()
	session := hallpass.Spec{Mode: hallpass.ModeSession, Subject: "u"}
	for _, row := range []struct {
		name   string
		spec   hallpass.Spec
		change hallpass.Change
		field  string
	}{
		{"nothing to change", hallpass.Spec{}, hallpass.Change{}, "add_uses"},
		{"fewer uses", hallpass.Spec{}, hallpass.Change{AddUses: -1}, "add_uses"},
		{"uses of an unlimited pass", hallpass.Spec{MaxUses: hallpass.Unlimited}, hallpass.Change{AddUses: 1}, "add_uses"},
		{"uses of an unrecorded pass", hallpass.Spec{Unrecorded: true}, hallpass.Change{AddUses: 1}, "add_uses"},
		{"more uses than a row counts", hallpass.Spec{}, hallpass.Change{AddUses: 1<<31 - 1}, "add_uses"},
		{"the most uses an integer holds", hallpass.Spec{}, hallpass.Change{AddUses: 1<<63 - 1}, "add_uses"},
		{"a life and an end", hallpass.Spec{TTL: time.Hour}, hallpass.Change{TTL: 2 * time.Hour, ExpiresAt: t0.Add(2 * time.Hour)}, "ttl"},
		{"a negative life", hallpass.Spec{TTL: time.Hour}, hallpass.Change{TTL: -1}, "ttl"},
		{"a life of 101 years", hallpass.Spec{TTL: time.Hour}, hallpass.Change{TTL: 101 * 365 * 24 * time.Hour}, "ttl"},
		{"an earlier end", hallpass.Spec{TTL: time.Hour}, hallpass.Change{ExpiresAt: t0.Add(time.Minute)}, "expires_at"},
		{"the same end", hallpass.Spec{TTL: time.Hour}, hallpass.Change{ExpiresAt: t0.Add(time.Hour)}, "expires_at"},
		{"an end in the year 20000", hallpass.Spec{TTL: time.Hour}, hallpass.Change{ExpiresAt: time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC)}, "expires_at"},
		{"an end for a pass without", hallpass.Spec{}, hallpass.Change{TTL: time.Hour}, "ttl"},
		{"a session beyond its cap", session, hallpass.Change{TTL: 25 * time.Hour}, "ttl"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			issued := s.issue(t, row.spec)
			if row.spec.Unrecorded {
				if _, err := s.redeem(t, issued.Token); err != nil { // brings its row to life
					t.Fatal(err)
				}
			}
			_, err := s.Amend(t.Context(), issued.ID, row.change)
			if field, ok := errors.AsType[*hallpass.FieldError](err); !ok || field.Field != row.field {
				t.Errorf("error is %v, want one of %s", err, row.field)
			}
		})
	}
}

func TestARevokedPassStaysRevoked(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	issued := s.issue(t, hallpass.Spec{})
	if _, err := s.RevokePass(t.Context(), issued.Pass); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Amend(t.Context(), issued.ID, hallpass.Change{AddUses: 1}); !errors.Is(err, hallpass.ErrConflict) {
		t.Errorf("error is %v", err)
	}
	if _, err := s.Amend(t.Context(), passID, hallpass.Change{AddUses: 1}); !errors.Is(err, hallpass.ErrNotFound) {
		t.Errorf("without a row the error is %v", err)
	}
}

func TestOneOfManyConditionalChangesWins(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	issued := s.issue(t, hallpass.Spec{MaxUses: 1})
	var won atomic.Int64
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() {
			_, err := s.Amend(t.Context(), issued.ID, hallpass.Change{AddUses: 1, From: &issued.Entry})
			switch {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, hallpass.ErrConflict):
				t.Error(err)
			}
		})
	}
	wait.Wait()
	entry, err := s.Entry(t.Context(), issued.ID)
	if won.Load() != 1 || err != nil || entry.MaxUses != 2 {
		t.Errorf("%d won, %d uses, %v", won.Load(), entry.MaxUses, err)
	}
}

func TestAUseIsSettledByItsID(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	issued := s.issue(t, hallpass.Spec{MaxUses: 5})
	for n := range 4 {
		r, err := s.redeem(t, issued.Token)
		if err != nil {
			t.Fatal(err)
		}
		want := hallpass.UseRefunded
		if n == 3 {
			want = hallpass.UseSettled // the fourth refund of a pass
		}
		for range 2 { // the first wins
			use, err := s.SettleUse(t.Context(), issued.ID, r.Use.ID, 503, true)
			if err != nil || use.State != want || use.Status != 503 {
				t.Errorf("settling use %d: %+v, %v", n, use, err)
			}
		}
		if use, err := s.SettleUse(t.Context(), issued.ID, r.Use.ID, 200, false); err != nil || use.State != want {
			t.Errorf("settling use %d anew: %+v, %v", n, use, err)
		}
	}
	if _, err := s.SettleUse(t.Context(), issued.ID, passID, 200, false); !errors.Is(err, hallpass.ErrNotFound) {
		t.Errorf("an unknown use: %v", err)
	}
	if _, err := s.SettleUse(t.Context(), issued.ID, passID, -1, false); !errors.As(err, new(*hallpass.FieldError)) {
		t.Errorf("a negative status: %v", err)
	}
	entry, err := s.Entry(t.Context(), issued.ID)
	if err != nil || entry.Used != 1 {
		t.Errorf("%d used, %v", entry.Used, err)
	}
}
