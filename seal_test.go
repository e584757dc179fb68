package hallpass_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/memstore"
)

// sealed is a site in which a use was made in each of some minutes, the first of them
// t0, and all but the last two are sealed.
func sealed(t testing.TB, minutes int, edit ...func(*hallpass.Config)) *site {
	t.Helper()
	s := newSite(t, edit...)
	s.seal(t)
	issued := s.issue(t, hallpass.Spec{MaxUses: hallpass.Unlimited})
	for range minutes {
		for range 3 {
			s.use(t, issued.Token)
			s.Clock.Advance(time.Second)
		}
		s.Clock.Advance(57 * time.Second)
	}
	s.Clock.Advance(2 * time.Minute)
	s.seal(t)
	return s
}

func (s *site) seal(t testing.TB) int {
	t.Helper()
	n, err := s.Seal(t.Context())
	if err != nil {
		t.Fatalf("Seal: %v", err)
	}
	return n
}

func (s *site) use(t testing.TB, token hallpass.Token) hallpass.Use {
	t.Helper()
	r, err := s.RedeemOnce(t.Context(), hallpass.Presentation{Token: token, Scope: "report", ClientIP: "203.0.113.7"}, 200)
	if err != nil {
		t.Fatal(err)
	}
	return r.Use
}

func (s *site) verifySeals(t testing.TB, check hallpass.SealCheck) hallpass.SealReport {
	t.Helper()
	report, err := s.VerifySeals(t.Context(), check)
	if err != nil {
		t.Fatalf("VerifySeals: %v", err)
	}
	return report
}

func minute(n int) time.Time { return t0.Add(time.Duration(n) * time.Minute) }

func TestSealedMinutesAreWhole(t *testing.T) {
	t.Parallel()
	s := sealed(t, 5)
	report := s.verifySeals(t, hallpass.SealCheck{})
	if !report.Whole() || report.Uses != 15 || report.Seals != 5 {
		t.Fatalf("%+v", report)
	}
	if want := minute(-2); !report.Since.Equal(want) || !report.Until.Equal(minute(5)) {
		t.Errorf("sealed from %s to %s", report.Since, report.Until)
	}
	if n := s.seal(t); n != 0 {
		t.Errorf("sealing again added %d links", n)
	}
	if report := s.verifySeals(t, hallpass.SealCheck{Head: report.Head, Since: minute(3)}); !report.Whole() || report.Uses != 6 {
		t.Errorf("from a later minute: %+v", report)
	}
	if report := s.verifySeals(t, hallpass.SealCheck{Head: strings.Repeat("0", 64)}); report.Whole() {
		t.Error("a chain without the head that was kept is whole")
	}
}

func TestNothingIsSealedWithoutSeals(t *testing.T) {
	t.Parallel()
	if report := newSite(t).verifySeals(t, hallpass.SealCheck{}); report.Sealed || report.Whole() {
		t.Errorf("%+v", report)
	}
}

// TestAUseThatEndsLaterIsWhole: what a use came to after it was sealed is not sealed,
// and is no tampering.
func TestAUseThatEndsLaterIsWhole(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.seal(t)
	token := s.issue(t, hallpass.Spec{MaxUses: 5}).Token
	var open []*hallpass.Redemption
	for n := range 4 {
		r, err := s.redeem(t, token, func(p *hallpass.Presentation) { p.UseKey = fmt.Sprint("key", n) })
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, r)
		s.Clock.Advance(time.Millisecond)
	}
	if err := open[1].Settle(t.Context(), 200); err != nil {
		t.Fatal(err)
	}
	s.Clock.Advance(4 * time.Minute)
	s.seal(t)
	if err := open[0].Settle(t.Context(), 404); err != nil {
		t.Fatal(err)
	}
	if err := open[2].Refund(t.Context(), 503); err != nil {
		t.Fatal(err)
	}
	if report := s.verifySeals(t, hallpass.SealCheck{}); !report.Whole() || report.Uses != 4 {
		t.Errorf("%+v", report)
	}
}

func TestEventsAreSealedToo(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.seal(t)
	for range 3 {
		if err := s.RecordAction(t.Context(), hallpass.Event{Actor: "op", Action: "pass.revoke"}); err != nil {
			t.Fatal(err)
		}
	}
	s.Clock.Advance(4 * time.Minute)
	s.seal(t)
	if report := s.verifySeals(t, hallpass.SealCheck{}); !report.Whole() || report.Events != 3 {
		t.Fatalf("%+v", report)
	}
	if _, err := s.Store.Prune(t.Context(), hallpass.PruneRule{Now: s.Clock.Now(), KeepUses: -1, KeepEvents: 1}); err != nil {
		t.Fatal(err)
	}
	want := []hallpass.SealFault{{Kind: hallpass.FaultMissing, Minute: t0, Rows: "events", Sealed: 3, Found: 1}}
	if diff := cmp.Diff(want, s.verifySeals(t, hallpass.SealCheck{}).Faults); diff != "" {
		t.Error(diff)
	}
}

func TestPrunedMinutesAreNoFault(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]hallpass.PruneOptions{
		"by age":   {MaxAge: 8*time.Minute - 30*time.Second}, // of ten and two minutes: all before the fifth
		"by count": {MaxCount: 17},                           // 30 are there, 3 a minute
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sealed(t, 10)
			before := s.verifySeals(t, hallpass.SealCheck{})
			pruned, err := s.Prune(t.Context(), o)
			if err != nil || pruned.Uses != 12 {
				t.Fatalf("pruned %+v, %v; want 12 uses, whole minutes", pruned, err)
			}
			report := s.verifySeals(t, hallpass.SealCheck{Head: before.Head})
			if !report.Whole() || report.Uses != 18 || !report.UsesPruned.Equal(minute(4)) {
				t.Errorf("%+v", report)
			}
			// What goes without a word is missing.
			if _, err := s.Store.Prune(t.Context(), hallpass.PruneRule{Now: s.Clock.Now(), KeepUses: 4}); err != nil {
				t.Fatal(err)
			}
			report = s.verifySeals(t, hallpass.SealCheck{})
			if report.Whole() || report.FaultCount != 5 || report.Faults[0].Kind != hallpass.FaultMissing || !report.Faults[0].Minute.Equal(minute(4)) {
				t.Errorf("%+v", report)
			}
		})
	}
}

// TestCountingAfterALongStopKeepsWholeMinutes: nobody has sealed for hours, so what is
// not sealed yet is counted too.
func TestCountingAfterALongStopKeepsWholeMinutes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name         string
		keep         int64
		pruned       int64
		usesLeft     int64 // of the 30 that are sealed
		prunedBefore time.Time
	}{
		{"more than is open", 10, 24, 6, minute(8)},
		{"as much as is open", 5, 30, 0, minute(10)},
		{"less than is open", 3, 32, 0, minute(10)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := sealed(t, 10)
			s.Clock.Advance(3 * time.Hour)
			token := s.issue(t, hallpass.Spec{MaxUses: hallpass.Unlimited}).Token
			for range 5 {
				s.use(t, token)
			}
			pruned, err := s.Prune(t.Context(), hallpass.PruneOptions{MaxCount: tt.keep})
			if err != nil || pruned.Uses != tt.pruned {
				t.Fatalf("pruned %+v, %v; want %d uses", pruned, err, tt.pruned)
			}
			report := s.verifySeals(t, hallpass.SealCheck{})
			if !report.Whole() || report.Uses != tt.usesLeft || !report.UsesPruned.Equal(tt.prunedBefore) {
				t.Errorf("%+v; want %d uses, from %s on", report, tt.usesLeft, tt.prunedBefore)
			}
		})
	}
}

// TestRowsFromBeforeSealingAreCounted: nothing vouches for them, and if sealing had
// begun earlier, they are what is left when somebody removes all seals.
func TestRowsFromBeforeSealingAreCounted(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	token := s.issue(t, hallpass.Spec{MaxUses: hallpass.Unlimited}).Token
	for range 4 {
		s.use(t, token)
	}
	if err := s.RecordAction(t.Context(), hallpass.Event{Actor: "op", Action: "pass.revoke"}); err != nil {
		t.Fatal(err)
	}
	s.Clock.Advance(time.Hour)
	s.seal(t)
	s.use(t, token)
	s.Clock.Advance(4 * time.Minute)
	s.seal(t)
	report := s.verifySeals(t, hallpass.SealCheck{})
	if !report.Whole() || report.Uses != 1 || report.UsesBefore != 4 || report.EventsBefore != 1 {
		t.Errorf("%+v", report)
	}
	if report := s.verifySeals(t, hallpass.SealCheck{Since: report.Since}); !report.Whole() || report.UsesBefore != 0 {
		t.Errorf("since a moment: %+v", report)
	}
}

// TestAMinuteAheadIsNoFault: machines' clocks may differ that much.
func TestAMinuteAheadIsNoFault(t *testing.T) {
	t.Parallel()
	s := sealed(t, 2)
	token := s.issue(t, hallpass.Spec{MaxUses: hallpass.Unlimited}).Token
	for _, ahead := range []time.Duration{time.Minute, 3 * time.Minute} {
		whole := ahead <= time.Minute
		s.Clock.Advance(ahead)
		s.use(t, token)
		s.Clock.Advance(-ahead)
		if report := s.verifySeals(t, hallpass.SealCheck{}); report.Whole() != whole {
			t.Errorf("a use %s ahead: %+v", ahead, report)
		}
	}
}

func TestPruningWithoutAKeyStopsWhereThereAreSeals(t *testing.T) {
	t.Parallel()
	s := sealed(t, 3)
	ring, err := hallpass.NewKeyring()
	if err != nil {
		t.Fatal(err)
	}
	keyless, err := hallpass.New(hallpass.Config{Keys: ring, Store: s.Store, Now: s.Clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keyless.Prune(t.Context(), hallpass.PruneOptions{MaxAge: time.Second}); !errors.Is(err, hallpass.ErrUnavailable) {
		t.Errorf("Prune = %v, want ErrUnavailable", err)
	}
	if report := s.verifySeals(t, hallpass.SealCheck{}); !report.Whole() || report.Uses != 9 {
		t.Errorf("%+v", report)
	}
	if _, err := keyless.Prune(t.Context(), hallpass.PruneOptions{}); err != nil {
		t.Errorf("what is over by itself did not go: %v", err)
	}
}

func TestSealsOutliveARotation(t *testing.T) {
	t.Parallel()
	for _, alg := range []hallpass.Algorithm{hallpass.HS256, hallpass.EdDSA, hallpass.ES256} {
		s := sealed(t, 2)
		old := s.Sign.key.ID()
		next := newSigner(t, alg)
		if err := s.Keys().Rotate(next.key); err != nil {
			t.Fatal(err)
		}
		if err := s.Keys().Retire(old); err != nil {
			t.Fatal(err)
		}
		if report := s.verifySeals(t, hallpass.SealCheck{}); !report.Whole() {
			t.Errorf("%s: with a retired key: %+v", alg, report)
		}
		s.use(t, s.issue(t, hallpass.Spec{}).Token)
		s.Clock.Advance(4 * time.Minute)
		s.seal(t)
		if err := s.Keys().Remove(old); err != nil {
			t.Fatal(err)
		}
		if report := s.verifySeals(t, hallpass.SealCheck{}); !report.Whole() || report.Seals != 3 {
			t.Errorf("%s: a seal after that of the removed key does not vouch for it: %+v", alg, report)
		}
	}
}

// Others can then check what they could not have made.
func TestASealSignedByAnAsymmetricKeyIsPreferred(t *testing.T) {
	t.Parallel()
	other := newSigner(t, hallpass.EdDSA)
	s := newSite(t)
	if err := s.Keys().Add(other.key, hallpass.KeyVerifying); err != nil {
		t.Fatal(err)
	}
	s.seal(t)
	if err := s.Keys().Rotate(newSigner(t, hallpass.HS256).key); err != nil {
		t.Fatal(err)
	}
	if err := s.Keys().Remove(s.Sign.key.ID()); err != nil {
		t.Fatal(err)
	}
	if report := s.verifySeals(t, hallpass.SealCheck{}); !report.Whole() {
		t.Errorf("the first seal was not signed by the asymmetric key: %+v", report)
	}
	if err := s.Keys().Remove(other.key.ID()); err != nil {
		t.Fatal(err)
	}
	if report := s.verifySeals(t, hallpass.SealCheck{}); report.Whole() {
		t.Error("seals that no key of the ring signed are whole")
	}
}

// cells is what the seals stand in.
func (s *site) cell(t testing.TB, group, key string) hallpass.Cell {
	t.Helper()
	c, err := s.Store.Cell(t.Context(), group, key, s.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// set writes a cell behind the Issuer's back; an empty value removes it.
func (s *site) set(t testing.TB, group, key, value string) {
	t.Helper()
	c := s.cell(t, group, key)
	c.Value = []byte(value)
	if value == "" {
		c.ExpiresAt = s.Clock.Now()
	}
	if _, err := s.Store.Swap(t.Context(), c, s.Clock.Now().Add(-time.Second)); err != nil {
		t.Fatal(err)
	}
}

func TestTamperingWithSealsShows(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		tamper func(t *testing.T, s *site)
		want   []hallpass.SealFault
	}{
		{"the last seal is deleted", func(t *testing.T, s *site) { s.set(t, "seals/0", "6", "") },
			[]hallpass.SealFault{{Kind: "seal_missing", Minute: minute(4), Sealed: 1}}},
		{"the last two seals are deleted", func(t *testing.T, s *site) { s.set(t, "seals/0", "6", ""); s.set(t, "seals/0", "5", "") },
			[]hallpass.SealFault{{Kind: "seal_missing", Minute: minute(3), Sealed: 2}}},
		{"a seal in the middle is deleted", func(t *testing.T, s *site) { s.set(t, "seals/0", "4", "") },
			[]hallpass.SealFault{{Kind: "seal_missing", Minute: minute(2), Sealed: 1}}},
		{"the first link is deleted", func(t *testing.T, s *site) { s.set(t, "seals", "first", "") },
			[]hallpass.SealFault{{Kind: "seal_missing", Minute: minute(-2), Sealed: 1}}},
		{"the head is deleted", func(t *testing.T, s *site) { s.set(t, "seals", "head", "") },
			[]hallpass.SealFault{{Kind: "seal_missing", Minute: minute(4), Sealed: 1}}},
		{"a seal is replaced by its neighbour", func(t *testing.T, s *site) {
			s.set(t, "seals/0", "4", string(s.cell(t, "seals/0", "5").Value))
		}, []hallpass.SealFault{{Kind: "seal_altered", Minute: minute(3), Sealed: 1, Found: 1}}},
		{"a seal is altered", func(t *testing.T, s *site) {
			s.set(t, "seals/0", "4", strings.Replace(string(s.cell(t, "seals/0", "4").Value), `"count":3`, `"count":2`, 1))
		}, []hallpass.SealFault{{Kind: "seal_altered", Minute: minute(2), Sealed: 1, Found: 1}}},
		{"a seal is rubbish", func(t *testing.T, s *site) { s.set(t, "seals/0", "4", "rubbish") },
			[]hallpass.SealFault{{Kind: "seal_altered", Minute: minute(2), Sealed: 1, Found: 1}}},
		{"the head is altered", func(t *testing.T, s *site) {
			s.set(t, "seals", "head", strings.Replace(string(s.cell(t, "seals", "head").Value), `"n":6`, `"n":5`, 1))
		}, []hallpass.SealFault{{Kind: "seal_altered", Minute: minute(4), Sealed: 1, Found: 1}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := sealed(t, 5)
			tt.tamper(t, s)
			report := s.verifySeals(t, hallpass.SealCheck{})
			if diff := cmp.Diff(tt.want, report.Faults); diff != "" || report.Whole() {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestASealOfAnotherChainShows: signed by the same key, but not the one that its
// successor names.
func TestASealOfAnotherChainShows(t *testing.T) {
	t.Parallel()
	one := sealed(t, 5)
	two := newSiteWith(t, one.Sign)
	two.Clock.Set(t0)
	two.seal(t)
	token := two.issue(t, hallpass.Spec{MaxUses: hallpass.Unlimited}).Token
	for range 5 {
		two.use(t, token)
		two.Clock.Advance(time.Minute)
	}
	two.Clock.Advance(3 * time.Minute)
	two.seal(t)
	one.set(t, "seals/0", "4", string(two.cell(t, "seals/0", "4").Value))
	want := []hallpass.SealFault{
		{Kind: "seal_replaced", Minute: minute(1), Sealed: 1, Found: 1},
		{Kind: "seal_replaced", Minute: minute(2), Sealed: 1, Found: 1},
	}
	if diff := cmp.Diff(want, one.verifySeals(t, hallpass.SealCheck{}).Faults); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTheSealerDoesNotGoOnFromAShorterChain(t *testing.T) {
	t.Parallel()
	s := sealed(t, 2)
	head := string(s.cell(t, "seals", "head").Value)
	token := s.issue(t, hallpass.Spec{}).Token
	s.use(t, token)
	s.Clock.Advance(4 * time.Minute)
	s.seal(t)
	s.set(t, "seals", "head", head)
	s.set(t, "seals/0", "4", "")
	if _, err := s.Seal(t.Context()); !errors.Is(err, hallpass.ErrUnavailable) {
		t.Errorf("Seal = %v, want ErrUnavailable", err)
	}
}

func TestAChainWithoutItsHeadIsNotBegunAnew(t *testing.T) {
	t.Parallel()
	s := sealed(t, 2)
	s.set(t, "seals", "head", "")
	if _, err := s.Seal(t.Context()); !errors.Is(err, hallpass.ErrUnavailable) {
		t.Errorf("Seal = %v, want ErrUnavailable", err)
	}
}

// TestASealWhoseWriterDiedIsTakenOver: the link is there, the head does not name it.
func TestASealWhoseWriterDiedIsTakenOver(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.seal(t)
	token := s.issue(t, hallpass.Spec{MaxUses: hallpass.Unlimited}).Token
	old := string(s.cell(t, "seals", "head").Value)
	s.use(t, token)
	s.Clock.Advance(4 * time.Minute)
	s.seal(t)
	s.set(t, "seals", "head", old)
	if report := s.verifySeals(t, hallpass.SealCheck{}); !report.Whole() || report.Uses != 1 {
		t.Errorf("%+v", report)
	}
	s.use(t, token)
	s.Clock.Advance(4 * time.Minute)
	s.seal(t)
	if report := s.verifySeals(t, hallpass.SealCheck{}); !report.Whole() || report.Seals != 2 || report.Uses != 2 {
		t.Errorf("%+v", report)
	}
}

func TestManySealAtOnce(t *testing.T) {
	t.Parallel()
	s := sealed(t, 0)
	token := s.issue(t, hallpass.Spec{MaxUses: hallpass.Unlimited}).Token
	for range 150 {
		s.use(t, token)
		s.Clock.Advance(time.Minute)
	}
	s.Clock.Advance(2 * time.Minute)
	var all sync.WaitGroup
	for range 8 {
		other, err := hallpass.New(hallpass.Config{Keys: s.Keys(), Store: s.Store, Now: s.Clock.Now})
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			for range 20 {
				if _, err := other.Seal(context.Background()); err != nil {
					t.Errorf("Seal: %v", err)
				}
			}
		})
	}
	all.Wait()
	if report := s.verifySeals(t, hallpass.SealCheck{}); !report.Whole() || report.Uses != 150 || report.Seals != 150 {
		t.Errorf("%+v", report)
	}
}

func TestALongPauseIsSealedAtOnce(t *testing.T) {
	t.Parallel()
	store := &countingStore{Store: memstore.New()}
	s := newSite(t, func(c *hallpass.Config) { c.Store = store })
	s.seal(t)
	s.Clock.Advance(365 * 24 * time.Hour)
	store.uses.Store(0)
	s.seal(t)
	if n := store.uses.Load(); n > 3 {
		t.Errorf("a year without a use took %d looks", n)
	}
	if report := s.verifySeals(t, hallpass.SealCheck{}); !report.Until.Equal(s.Clock.Now().Add(-2 * time.Minute)) {
		t.Errorf("sealed until %s", report.Until)
	}
}
