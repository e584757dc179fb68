package redisstore_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/needs"
)

func rowOf(id string) hallpass.Entry {
	now := time.Now().UTC().Truncate(time.Microsecond)
	return hallpass.Entry{Pass: hallpass.Pass{
		ID: id, Scope: "report:read", Mode: hallpass.ModeRequest, Subject: "user-7", Batch: "spring",
		IssuedAt: now, ExpiresAt: now.Add(time.Hour).Truncate(time.Second), MaxUses: 1, Recorded: true,
	}, KeepUntil: now.Add(48 * time.Hour)}
}

func rowsOf(n int) []hallpass.Entry {
	rows := make([]hallpass.Entry, n)
	for i := range rows {
		rows[i] = rowOf(newID())
	}
	return rows
}

func TestARecordThatDiedBeforeItsCommitmentLeftNothing(t *testing.T) {
	t.Parallel()
	s := open(t, place(needs.RedisCluster(t).DSN()))
	rows := rowsOf(50)
	if err := s.StopRecordAfter(t.Context(), rows, false); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Entry(t.Context(), rows[0].ID); !errors.Is(err, hallpass.ErrNotFound) {
		t.Errorf("Entry = %v, want ErrNotFound", err)
	}
	if found, err := s.Entries(t.Context(), hallpass.EntryQuery{Batch: "spring", Limit: 100}); err != nil || len(found) != 0 {
		t.Errorf("%d rows are listed, %v", len(found), err)
	}
	if _, err := s.Reserve(t.Context(), useOf(rows[1].Pass, "")); !errors.Is(err, hallpass.RefusalUnknownPass) {
		t.Errorf("Reserve = %v, want unknown_pass", err)
	}
	unrecorded := rows[2].Pass
	unrecorded.Recorded = false
	first := useOf(unrecorded, "")
	first.KeepUntil = rows[2].KeepUntil
	if _, err := s.Reserve(t.Context(), first); err != nil {
		t.Errorf("a first use beside a staged row: %v", err)
	}
	if _, err := s.RevokePass(t.Context(), rows[3], time.Now()); err != nil {
		t.Errorf("a tombstone beside a staged row: %v", err)
	}
	// The repeat completes it, and keeps what came to life meanwhile.
	if err := s.Record(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	if found, err := s.Entries(t.Context(), hallpass.EntryQuery{Batch: "spring", Limit: 100}); err != nil || len(found) != len(rows) {
		t.Errorf("%d rows are listed, want %d, %v", len(found), len(rows), err)
	}
	for i, want := range map[int]error{2: hallpass.RefusalSpent, 3: hallpass.RefusalRevoked, 4: nil} {
		if _, err := s.Reserve(t.Context(), useOf(rows[i].Pass, "")); !errors.Is(err, want) {
			t.Errorf("Reserve %d = %v, want %v", i, err, want)
		}
	}
	wantNothingLeft(t, s)
}

func TestARecordThatDiedAfterItsCommitmentLeftAll(t *testing.T) {
	t.Parallel()
	s := open(t, place(needs.RedisCluster(t).DSN()))
	rows := rowsOf(50)
	if err := s.StopRecordAfter(t.Context(), rows, true); err != nil {
		t.Fatal(err)
	}
	if e, err := s.Entry(t.Context(), rows[0].ID); err != nil || e.MaxUses != 1 {
		t.Errorf("Entry = %+v, %v", e, err)
	}
	if _, err := s.Reserve(t.Context(), useOf(rows[1].Pass, "")); err != nil {
		t.Errorf("Reserve: %v", err)
	}
	other := rows[2]
	other.MaxUses = 99
	if e, err := s.RevokePass(t.Context(), other, time.Now()); err != nil || e.MaxUses != 1 {
		t.Errorf("RevokePass = MaxUses %d, %v, want the row's", e.MaxUses, err)
	}
	if e, err := s.Amend(t.Context(), hallpass.Amendment{Pass: rows[3].ID, AddUses: 1}); err != nil || e.MaxUses != 2 {
		t.Errorf("Amend = MaxUses %d, %v", e.MaxUses, err)
	}
	other = rows[4]
	other.MaxUses = 99
	if err := s.Record(t.Context(), []hallpass.Entry{other}); err != nil {
		t.Fatal(err)
	}
	if e, err := s.Entry(t.Context(), other.ID); err != nil || e.MaxUses != 1 {
		t.Errorf("the row is now MaxUses %d, %v: it was there first", e.MaxUses, err)
	}
	found, err := s.Entries(t.Context(), hallpass.EntryQuery{Subject: "user-7", Limit: 100})
	if err != nil || len(found) != len(rows) {
		t.Errorf("%d rows are listed, want %d, %v", len(found), len(rows), err)
	}
	for i := range found {
		if i > 0 && slices.ContainsFunc(found[:i], func(e hallpass.Entry) bool { return e.ID == found[i].ID }) {
			t.Errorf("%s is listed twice", found[i].ID)
		}
	}
}

func TestARowThatIsRecordedAgainIsListedOnceAndWhereItStands(t *testing.T) {
	t.Parallel()
	s := open(t, place(needs.RedisCluster(t).DSN()))
	first := rowOf(newID())
	again := first
	again.IssuedAt, again.Subject = first.IssuedAt.Add(time.Minute), "user-8"
	for _, e := range []hallpass.Entry{first, again} {
		if err := s.Record(t.Context(), []hallpass.Entry{e}); err != nil {
			t.Fatal(err)
		}
	}
	for q, want := range map[hallpass.EntryQuery]int{
		{Limit: 10}: 1, {Scope: first.Scope, Limit: 10}: 1, {Subject: "user-7", Limit: 10}: 1, {Subject: "user-8", Limit: 10}: 0,
	} {
		found, err := s.Entries(t.Context(), q)
		if err != nil || len(found) != want {
			t.Errorf("%+v: %d rows, want %d, %v", q, len(found), want, err)
		}
	}
	wantNothingLeft(t, s)
}

func TestIndexEntriesThatLeadNowhereAreNotShownAndAreRemoved(t *testing.T) {
	t.Parallel()
	s := open(t, place(needs.RedisCluster(t).DSN()))
	p := fought(0)
	now := time.Now()
	made, err := s.Reserve(t.Context(), useOf(p, ""))
	if err != nil {
		t.Fatal(err)
	}
	old, young := useOf(p, "").Use, useOf(p, "").Use
	old.At = now.Add(-2 * time.Hour)
	for _, u := range []hallpass.Use{old, young} {
		if err := s.EnterUseOnly(t.Context(), p.ID, u); err != nil {
			t.Fatal(err)
		}
	}
	if uses, err := s.Uses(t.Context(), hallpass.UseQuery{Limit: 10}); err != nil || len(uses) != 1 || uses[0].ID != made.Use.ID {
		t.Errorf("Uses = %+v, %v, want the one that was made", uses, err)
	}
	done, err := s.Prune(t.Context(), hallpass.PruneRule{Now: now, UsesBefore: now.Add(time.Minute), KeepUses: -1})
	if err != nil || done.Uses != 1 {
		t.Errorf("Prune = %+v, %v, want one use", done, err)
	}
	// The id of one that may be under way is still claimed; the other's is free.
	other := fought(0)
	other.ID = newID()
	r := useOf(other, "")
	r.Use.ID = young.ID
	if _, err := s.Reserve(t.Context(), r); !errors.Is(err, hallpass.ErrConflict) {
		t.Errorf("Reserve = %v, want ErrConflict", err)
	}
	r.Use.ID = old.ID
	if _, err := s.Reserve(t.Context(), r); err != nil {
		t.Errorf("Reserve = %v", err)
	}
}
