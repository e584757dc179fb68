package hallpass_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/memstore"
)

var errDisk = errors.New("the disk is on fire")

// brokenStore is a store whose methods fail at will.
type brokenStore struct {
	hallpass.Store
	failRecord, failEntry, failReserve, failCells, failSettle atomic.Bool
	records                                                   atomic.Int64
	beforeSettle                                              func(context.Context)
	afterEntry                                                func()
}

func (b *brokenStore) Record(ctx context.Context, entries []hallpass.Entry) error {
	b.records.Add(1)
	if b.failRecord.Load() {
		return errDisk
	}
	return b.Store.Record(ctx, entries)
}

func (b *brokenStore) Entry(ctx context.Context, id string) (hallpass.Entry, error) {
	if b.failEntry.Load() {
		return hallpass.Entry{}, errDisk
	}
	entry, err := b.Store.Entry(ctx, id)
	if b.afterEntry != nil {
		b.afterEntry()
	}
	return entry, err
}

func (b *brokenStore) Reserve(ctx context.Context, r hallpass.Reservation) (hallpass.Reserved, error) {
	if b.failReserve.Load() {
		return hallpass.Reserved{}, errDisk
	}
	return b.Store.Reserve(ctx, r)
}

func (b *brokenStore) Settle(ctx context.Context, s hallpass.Settlement) (hallpass.Use, error) {
	if b.beforeSettle != nil {
		b.beforeSettle(ctx)
	}
	if b.failSettle.Load() {
		return hallpass.Use{}, errDisk
	}
	return b.Store.Settle(ctx, s)
}

func (b *brokenStore) Cells(ctx context.Context, group string, since uint64, now time.Time) ([]hallpass.Cell, error) {
	if b.failCells.Load() {
		return nil, errDisk
	}
	return b.Store.Cells(ctx, group, since, now)
}

// used is the pass's counter and the number of its audit rows.
func (s *site) used(t *testing.T, id string) (counted int64, rows []hallpass.Use) {
	t.Helper()
	entry, err := s.Entry(t.Context(), id)
	if err != nil && !errors.Is(err, hallpass.ErrNotFound) {
		t.Fatal(err)
	}
	page, err := s.Uses(t.Context(), hallpass.UseQuery{Pass: id})
	if err != nil {
		t.Fatal(err)
	}
	return entry.Used, page.Uses
}

func TestExactlyTheQuotaIsHonoured(t *testing.T) {
	t.Parallel()
	for _, unrecorded := range []bool{false, true} {
		for _, format := range []hallpass.Format{hallpass.FormatSigned, hallpass.FormatCompact, hallpass.FormatShort} {
			if unrecorded && format == hallpass.FormatShort {
				continue
			}
			t.Run(fmt.Sprintf("%s, unrecorded %v", format, unrecorded), func(t *testing.T) {
				t.Parallel()
				s := newSite(t)
				p := s.issue(t, hallpass.Spec{MaxUses: 3, Format: format, Unrecorded: unrecorded})
				var won, spent atomic.Int64
				var wg sync.WaitGroup
				for range 50 {
					wg.Go(func() {
						switch _, err := s.redeem(t, p.Token); reason(err) {
						case "valid":
							won.Add(1)
						case "spent":
							spent.Add(1)
						default:
							t.Errorf("%v", err)
						}
					})
				}
				wg.Wait()
				counted, rows := s.used(t, p.ID)
				if won.Load() != 3 || spent.Load() != 47 || counted != 3 || len(rows) != 3 {
					t.Errorf("%d won, %d spent, %d counted, %d rows", won.Load(), spent.Load(), counted, len(rows))
				}
				if _, _, err := s.Check(t.Context(), hallpass.Presentation{Token: p.Token}); reason(err) != "spent" {
					t.Errorf("checked: %v", err)
				}
			})
		}
	}
}

func TestAnUnlimitedPassIsHonouredAndCounted(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.issue(t, hallpass.Spec{MaxUses: hallpass.Unlimited, Unrecorded: true})
	for range 25 {
		if _, err := s.redeem(t, p.Token); err != nil {
			t.Fatal(err)
		}
	}
	if counted, rows := s.used(t, p.ID); counted != 25 || len(rows) != 25 {
		t.Errorf("%d counted, %d rows", counted, len(rows))
	}
}

func TestTheRowOfAnUnrecordedPassComesToLifeAtFirstUse(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.issue(t, hallpass.Spec{Unrecorded: true, TTL: time.Hour, Batch: "march", Data: []byte(`{"a":1}`)})
	if _, err := s.Entry(t.Context(), p.ID); !errors.Is(err, hallpass.ErrNotFound) {
		t.Fatalf("before: %v", err)
	}
	r, err := s.redeem(t, p.Token)
	if err != nil {
		t.Fatal(err)
	}
	want := p.Entry
	want.Used = 1
	if diff := cmp.Diff(want, r.Entry); diff != "" {
		t.Errorf("redeemed (-issued +got):\n%s", diff)
	}
	row, err := s.Entry(t.Context(), p.ID)
	if diff := cmp.Diff(want, row); err != nil || diff != "" {
		t.Errorf("row (-issued +got), %v:\n%s", err, diff)
	}
}

func TestTheSameUseKeyCountsOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p, other := s.issue(t, hallpass.Spec{MaxUses: 2}), s.issue(t, hallpass.Spec{})
	key := func(k string) func(*hallpass.Presentation) {
		return func(p *hallpass.Presentation) { p.UseKey = k }
	}
	first, err := s.redeem(t, p.Token, key("a"))
	if err != nil || first.Duplicate {
		t.Fatal(first, err)
	}
	again, err := s.redeem(t, p.Token, key("a"))
	if err != nil || !again.Duplicate || again.Use.ID != first.Use.ID {
		t.Fatalf("again: %+v, %v", again, err)
	}
	if err := again.Refund(t.Context(), 500); err != nil {
		t.Fatal(err)
	}
	if counted, _ := s.used(t, p.ID); counted != 1 {
		t.Errorf("a duplicate's refund left %d counted", counted)
	}
	if r, err := s.redeem(t, other.Token, key("a")); err != nil || r.Duplicate {
		t.Errorf("the same key of another pass: %+v, %v", r, err)
	}
	if _, err := s.redeem(t, p.Token, key("b")); err != nil {
		t.Fatal(err)
	}
	// A spent pass still recognises what it honoured.
	if r, err := s.redeem(t, p.Token, key("b")); err != nil || !r.Duplicate {
		t.Errorf("a repeat after the last use: %v", err)
	}
	if _, err := s.redeem(t, p.Token, key("c")); reason(err) != "spent" {
		t.Errorf("one more: %v", err)
	}
	// A refunded use gives its key back.
	if err := first.Refund(t.Context(), 503); err != nil {
		t.Fatal(err)
	}
	if r, err := s.redeem(t, p.Token, key("a")); err != nil || r.Duplicate {
		t.Errorf("after its refund: %+v, %v", r, err)
	}
	if _, err := s.redeem(t, p.Token, key(strings.Repeat("k", 129))); err == nil {
		t.Error("a key of 129 bytes passed")
	}
}

func TestSettling(t *testing.T) {
	t.Parallel()
	type ending = func(*hallpass.Redemption, context.Context) error
	settle := func(r *hallpass.Redemption, ctx context.Context) error { return r.Settle(ctx, 204) }
	refund := func(r *hallpass.Redemption, ctx context.Context) error { return r.Refund(ctx, 503) }
	forward := func(r *hallpass.Redemption, ctx context.Context) error { return r.Forward(ctx) }
	rows := []struct {
		name   string
		end    []ending
		state  hallpass.UseState
		status int
		used   int64
	}{
		{"nothing", nil, hallpass.UsePending, 0, 1},
		{"settled", []ending{settle}, hallpass.UseSettled, 204, 1},
		{"refunded", []ending{refund}, hallpass.UseRefunded, 503, 0},
		{"forwarded", []ending{forward}, hallpass.UseForwarded, 0, 1},
		{"settled, then refunded", []ending{settle, refund}, hallpass.UseSettled, 204, 1},
		{"refunded, then settled", []ending{refund, settle}, hallpass.UseRefunded, 503, 0},
		{"refunded twice", []ending{refund, refund}, hallpass.UseRefunded, 503, 0},
		{"forwarded, then refunded", []ending{forward, refund}, hallpass.UseForwarded, 0, 1},
	}
	for _, row := range rows {
		s := newSite(t)
		p := s.issue(t, hallpass.Spec{})
		r, err := s.redeem(t, p.Token)
		if err != nil {
			t.Fatal(err)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel() // the client hung up: settling goes on all the same
		for _, end := range row.end {
			if err := end(r, gone); err != nil {
				t.Errorf("%s: %v", row.name, err)
			}
		}
		counted, uses := s.used(t, p.ID)
		if len(uses) != 1 || uses[0].State != row.state || uses[0].Status != row.status || counted != row.used {
			t.Errorf("%s: %d counted, %+v", row.name, counted, uses)
		}
	}
}

func TestAPassGetsThreeRefundsInAll(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.issue(t, hallpass.Spec{MaxUses: 1})
	var got []string
	for range 6 {
		r, err := s.redeem(t, p.Token)
		got = append(got, reason(err))
		if err == nil {
			if err := r.Refund(t.Context(), 500); err != nil {
				t.Fatal(err)
			}
		}
	}
	if diff := cmp.Diff([]string{"valid", "valid", "valid", "valid", "spent", "spent"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestSettlingCanBeTriedAgain(t *testing.T) {
	t.Parallel()
	var deadline atomic.Bool
	store := &brokenStore{Store: memstore.New(), beforeSettle: func(ctx context.Context) {
		_, ok := ctx.Deadline()
		deadline.Store(ok && ctx.Err() == nil)
	}}
	s := newSite(t, func(c *hallpass.Config) { c.Store = store })
	p := s.issue(t, hallpass.Spec{})
	r, err := s.redeem(t, p.Token)
	if err != nil {
		t.Fatal(err)
	}
	store.failSettle.Store(true)
	if err := r.Settle(t.Context(), 200); !errors.Is(err, hallpass.ErrUnavailable) || !errors.Is(err, errDisk) {
		t.Errorf("with a broken store: %v", err)
	}
	store.failSettle.Store(false)
	if err := r.Settle(t.Context(), 200); err != nil {
		t.Errorf("again: %v", err)
	}
	if _, uses := s.used(t, p.ID); uses[0].State != hallpass.UseSettled {
		t.Errorf("the use is %s", uses[0].State)
	}
	if !deadline.Load() {
		t.Error("settling had no time limit of its own")
	}
}

func TestTheSubject(t *testing.T) {
	t.Parallel()
	ask := func(ctx context.Context, subject string) (bool, error) {
		if subject == "lost" {
			return false, errDisk
		}
		return subject != "gone", nil
	}
	rows := []struct {
		name     string
		mode     hallpass.Mode
		subject  string
		signedIn string
		revoked  bool
		want     string
	}{
		{"a known subject", hallpass.ModeRequest, "ada", "", false, "valid"},
		{"the subject signed in", hallpass.ModeRequest, "ada", "ada", false, "valid"},
		{"somebody else signed in", hallpass.ModeRequest, "ada", "bob", false, "wrong_subject"},
		{"the subject in another case", hallpass.ModeRequest, "ada", "Ada", false, "wrong_subject"},
		{"somebody else, and revoked", hallpass.ModeRequest, "ada", "bob", true, "revoked"},
		{"a deactivated subject", hallpass.ModeRequest, "gone", "", false, "unknown_subject"},
		{"a deactivated subject, and somebody else", hallpass.ModeRequest, "gone", "bob", false, "unknown_subject"},
		{"a deactivated subject, and revoked", hallpass.ModeRequest, "gone", "", true, "revoked"},
		{"nobody could be asked", hallpass.ModeRequest, "lost", "", false, "unavailable"},
		{"a public pass with a deactivated subject", hallpass.ModePublic, "gone", "", false, "valid"},
		{"a public pass, and somebody signed in", hallpass.ModePublic, "ada", "bob", false, "valid"},
		{"a public pass of nobody", hallpass.ModePublic, "", "bob", false, "valid"},
	}
	for _, row := range rows {
		s := newSite(t, func(c *hallpass.Config) { c.Active = ask })
		p := s.issue(t, hallpass.Spec{Mode: row.mode, Subject: row.subject})
		if row.revoked {
			if _, err := s.RevokePass(t.Context(), p.Pass); err != nil {
				t.Fatal(err)
			}
		}
		_, err := s.redeem(t, p.Token, func(q *hallpass.Presentation) { q.SignedIn = row.signedIn })
		if reason(err) != row.want {
			t.Errorf("%s: %s, want %s", row.name, reason(err), row.want)
		}
		if counted, _ := s.used(t, p.ID); (counted == 1) != (row.want == "valid") {
			t.Errorf("%s: %d counted", row.name, counted)
		}
	}
}

func TestASessionPassNeedsConfirmation(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.issue(t, hallpass.Spec{Mode: hallpass.ModeSession, Subject: "ada"})
	confirmed := func(q *hallpass.Presentation) { q.Confirmed = true }
	for range 3 {
		r, err := s.redeem(t, p.Token)
		if reason(err) != "needs_confirmation" || r == nil || r.Entry.ID != p.ID {
			t.Fatalf("%+v, %v", r, err)
		}
	}
	if counted, _ := s.used(t, p.ID); counted != 0 {
		t.Errorf("asking counted %d", counted)
	}
	if _, err := s.redeem(t, p.Token, confirmed); err != nil {
		t.Error(err)
	}
	for _, edit := range []func(*hallpass.Presentation){confirmed, func(*hallpass.Presentation) {}} {
		if _, err := s.redeem(t, p.Token, edit); reason(err) != "spent" {
			t.Errorf("afterwards: %v", err)
		}
	}
}

func TestRedeemLeavesNothingUnasked(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.issue(t, hallpass.Spec{Grants: []hallpass.Grant{{Method: "GET", Path: "/"}}})
	bound := s.issue(t, hallpass.Spec{Target: "/"})
	if _, err := s.Redeem(t.Context(), hallpass.Presentation{Token: p.Token}); err == nil {
		t.Error("no scope was asked for")
	} else if f, ok := errors.AsType[*hallpass.FieldError](err); !ok || f.Field != "scope" {
		t.Error(err)
	}
	for name, q := range map[string]hallpass.Presentation{
		"no method": {Token: p.Token, Path: "/"}, "no path": {Token: p.Token, Method: "GET"}, "neither": {Token: p.Token},
		"no target": {Token: bound.Token}, "another target": {Token: bound.Token, Target: "/a"},
	} {
		q.Scope = "report"
		if _, err := s.Redeem(t.Context(), q); reason(err) != "not_granted" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWithoutTheStoreNothingIsHonoured(t *testing.T) {
	t.Parallel()
	store := &brokenStore{Store: memstore.New()}
	s := newSite(t, func(c *hallpass.Config) { c.Store, c.MaxStale = store, time.Nanosecond })
	session := s.issue(t, hallpass.Spec{Mode: hallpass.ModeSession, Subject: "a", MaxUses: 5})
	limited := s.issue(t, hallpass.Spec{Unrecorded: true})
	endless := s.issue(t, hallpass.Spec{MaxUses: hallpass.Unlimited})
	short := s.issue(t, hallpass.Spec{Format: hallpass.FormatShort})
	off := func(p *hallpass.Presentation) { p.Audit = hallpass.AuditOff }
	none := func(*hallpass.Presentation) {}
	rows := []struct {
		name   string
		fail   *atomic.Bool
		token  hallpass.Token
		edit   func(*hallpass.Presentation)
		honest string // without the failure
	}{
		{"Reserve, a limited pass", &store.failReserve, limited.Token, none, "valid"},
		{"Reserve, a limited pass without audit", &store.failReserve, limited.Token, off, "valid"},
		{"Reserve, a short pass", &store.failReserve, short.Token, none, "valid"},
		{"Cells, a limited pass", &store.failCells, limited.Token, none, "valid"},
		{"Cells, an endless pass without audit", &store.failCells, endless.Token, off, "valid"},
		{"Entry, an endless pass without audit", &store.failEntry, endless.Token, off, "valid"},
		{"Entry, a short pass", &store.failEntry, short.Token, none, "valid"},
		{"Entry, an unconfirmed session", &store.failEntry, session.Token, none, "needs_confirmation"},
	}
	for _, row := range rows {
		row.fail.Store(true)
		_, err := s.redeem(t, row.token, row.edit)
		if _, isRefusal := hallpass.RefusalOf(err); !errors.Is(err, hallpass.ErrUnavailable) || !errors.Is(err, errDisk) || isRefusal {
			t.Errorf("%s: %v", row.name, err)
		}
		row.fail.Store(false)
		if _, err := s.redeem(t, row.token, row.edit); reason(err) != row.honest {
			t.Errorf("%s, repaired: %v", row.name, err)
		}
	}
	store.failCells.Store(true)
	if _, _, err := s.Check(t.Context(), hallpass.Presentation{Token: limited.Token}); !errors.Is(err, hallpass.ErrUnavailable) {
		t.Errorf("Check: %v", err)
	}
}

func TestACallerWhoIsGoneIsNotCalledAnOutage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.issue(t, hallpass.Spec{})
	if _, err := s.redeem(t, p.Token); err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Redeem(gone, hallpass.Presentation{Token: p.Token, Scope: "report"})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if counted, _ := s.used(t, p.ID); counted != 1 {
		t.Errorf("%d counted", counted)
	}
}
