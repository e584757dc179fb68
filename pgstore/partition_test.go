package pgstore_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/needs"
	"github.com/hallpass-go/hallpass/pgstore"
)

const inPartition = `SELECT count(*) FROM pg_class WHERE relname = $1`

// useAt reserves a use that was made at a moment, as its id and its time say.
func useAt(t *testing.T, s *pgstore.Store, pass string, at time.Time, key string) hallpass.Use {
	t.Helper()
	p := fought(0)
	p.ID = pass
	r := useOf(p)
	r.Use.ID, r.Use.At, r.Use.Key = idAt(at), at.UTC().Truncate(time.Microsecond), key
	won, err := s.Reserve(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return won.Use
}

func TestUsesLeaveByTheWeek(t *testing.T) {
	t.Parallel()
	dsn := needs.Postgres(t)
	s, db := open(t, dsn), raw(t, dsn)
	now := time.Now()
	later := now.Add(2 * pgstore.PartitionSpan)
	first := useAt(t, s, "p", now, "first")
	late := useAt(t, s, "p", later, "late")
	for at, id := range map[time.Time]string{now: first.ID, later: late.ID} {
		if got := scan[string](t, db, `SELECT tableoid::regclass::text FROM hallpass_uses WHERE id = $1`, id); got != pgstore.PartitionOf(at) {
			t.Errorf("the use of %s is in %s, want %s", at, got, pgstore.PartitionOf(at))
		}
	}
	done, err := s.Prune(t.Context(), hallpass.PruneRule{Now: later, UsesBefore: later.Add(-time.Minute), KeepUses: -1})
	if err != nil || done != (hallpass.Pruned{Uses: 1}) {
		t.Errorf("Prune = %+v, %v, want one use", done, err)
	}
	if n := scan[int](t, db, inPartition, pgstore.PartitionOf(now)); n != 0 {
		t.Error("the week's table is still there")
	}
	if n := scan[int](t, db, `SELECT count(*) FROM hallpass_use_keys`); n != 1 {
		t.Errorf("%d keys are left, want 1", n)
	}
	uses, err := s.Uses(t.Context(), hallpass.UseQuery{Pass: "p", Limit: 10})
	if diff := cmp.Diff([]hallpass.Use{late}, uses); err != nil || diff != "" {
		t.Errorf("Uses: %v\n%s", err, diff)
	}
	// The key of a use that has gone is free, and its week's uses still have a place.
	again := useAt(t, s, "p", now, "first")
	if again.ID == first.ID {
		t.Error("the key of a pruned use was taken for a repeat")
	}
	if got := scan[string](t, db, `SELECT tableoid::regclass::text FROM hallpass_uses WHERE id = $1`, again.ID); got != "hallpass_uses_other" {
		t.Errorf("the use is in %s", got)
	}
}

func TestAWeekWithAUseMadeLaterThanItsIDSaysIsKept(t *testing.T) {
	t.Parallel()
	dsn := needs.Postgres(t)
	s := open(t, dsn)
	now := time.Now()
	later := now.Add(2 * pgstore.PartitionSpan)
	useAt(t, s, "p", now, "goes")
	p := fought(0)
	p.ID = "p"
	r := useOf(p)
	r.Use.ID, r.Use.At = idAt(now), later
	won, err := s.Reserve(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	done, err := s.Prune(t.Context(), hallpass.PruneRule{Now: later, UsesBefore: later.Add(-time.Minute), KeepUses: -1})
	if err != nil || done.Uses != 1 {
		t.Errorf("Prune = %+v, %v, want one use", done, err)
	}
	uses, err := s.Uses(t.Context(), hallpass.UseQuery{Pass: "p", Limit: 10})
	if err != nil || len(uses) != 1 || uses[0].ID != won.Use.ID {
		t.Errorf("Uses = %+v, %v, want the one made later", uses, err)
	}
}

func TestWeeksAreMadeAheadByWhoeverPrunesAndNothingWaitsForThem(t *testing.T) {
	t.Parallel()
	dsn := needs.Postgres(t)
	a, b, db := open(t, dsn), open(t, dsn), raw(t, dsn)
	far := time.Now().Add(52 * pgstore.PartitionSpan)
	// A use of a week without a table is kept all the same, and its week gets none.
	useAt(t, a, "p", far.Add(pgstore.PartitionSpan), "early")
	var all sync.WaitGroup
	for i := range 8 {
		s := a
		if i%2 == 1 {
			s = b
		}
		all.Go(func() {
			if _, err := s.Prune(t.Context(), hallpass.PruneRule{Now: far, KeepUses: -1}); err != nil {
				t.Errorf("Prune: %v", err)
			}
		})
		all.Go(func() {
			for n := range 20 {
				p := fought(0)
				p.ID = fmt.Sprint("q", i)
				r := useOf(p)
				r.Use.ID = idAt(far.Add(time.Duration(n) * time.Hour))
				if _, err := s.Reserve(t.Context(), r); err != nil {
					t.Errorf("Reserve: %v", err)
				}
			}
		})
	}
	all.Wait()
	if _, err := a.Prune(t.Context(), hallpass.PruneRule{Now: far, KeepUses: -1}); err != nil {
		t.Fatal(err)
	}
	for weeks, want := range map[int]int{1: 0, 2: 1, 4: 1, 5: 0} {
		name := pgstore.PartitionOf(far.Add(time.Duration(weeks) * pgstore.PartitionSpan))
		if n := scan[int](t, db, inPartition, name); n != want {
			t.Errorf("%s: %d, want %d", name, n, want)
		}
	}
	uses, err := b.Uses(t.Context(), hallpass.UseQuery{Limit: 1000})
	if err != nil || len(uses) != 8*20+1 {
		t.Errorf("%d uses, %v, want %d", len(uses), err, 8*20+1)
	}
}

// An insert that waited for the others' table while a week was attached was told that
// it belongs elsewhere, and the caller that nothing could be decided.
func TestAUseWhoseWeekIsMadeAtThatMomentIsCounted(t *testing.T) {
	t.Parallel()
	dsn := needs.Postgres(t)
	s, db, watcher := open(t, dsn), raw(t, dsn), raw(t, dsn)
	far := time.Now().Add(52 * pgstore.PartitionSpan)
	mustExec(t, db, "BEGIN")
	mustExec(t, db, `CREATE TABLE made (LIKE hallpass_uses INCLUDING DEFAULTS INCLUDING CONSTRAINTS)`)
	mustExec(t, db, `ALTER TABLE hallpass_uses ATTACH PARTITION made FOR VALUES FROM ('`+idAt(far.Add(-time.Hour))+`') TO ('`+idAt(far.Add(time.Hour))+`')`)
	r := useOf(fought(1))
	r.Use.ID, r.Use.Key = idAt(far), "" // with a key, what is read first waits instead
	answered := make(chan error, 1)
	go func() {
		_, err := s.Reserve(context.Background(), r)
		answered <- err
	}()
	for began := time.Now(); scan[int](t, watcher, `SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'hallpass_uses_other'::regclass`) == 0; time.Sleep(time.Millisecond) {
		if time.Since(began) > 5*time.Second {
			t.Fatal("the use does not wait for the table")
		}
	}
	mustExec(t, db, "COMMIT")
	if err := <-answered; err != nil {
		t.Fatalf("Reserve = %v", err)
	}
	if got := scan[string](t, db, `SELECT tableoid::regclass::text FROM hallpass_uses WHERE id = $1`, r.Use.ID); got != "made" {
		t.Errorf("the use is in %s", got)
	}
}

// A process that ended after it had taken a week out leaves the rest to the next.
func TestAWeekThatWasTakenOutIsRemovedByTheNextOne(t *testing.T) {
	t.Parallel()
	dsn := needs.Postgres(t)
	s, db := open(t, dsn), raw(t, dsn)
	now := time.Now()
	old := useAt(t, s, "p", now, "old")
	kept := useAt(t, s, "p", now.Add(time.Millisecond), "kept")
	mustExec(t, db, `ALTER TABLE hallpass_uses DETACH PARTITION `+pgstore.PartitionOf(now))
	done, err := s.Prune(t.Context(), hallpass.PruneRule{Now: now, UsesBefore: kept.At, KeepUses: -1})
	if err != nil || done.Uses != 1 {
		t.Errorf("Prune = %+v, %v, want one use", done, err)
	}
	if n := scan[int](t, db, inPartition, pgstore.PartitionOf(now)); n != 0 {
		t.Error("the week's table is still there")
	}
	uses, err := s.Uses(t.Context(), hallpass.UseQuery{Pass: "p", Limit: 10})
	if diff := cmp.Diff([]hallpass.Use{kept}, uses); err != nil || diff != "" {
		t.Errorf("Uses: %v\n%s", err, diff)
	}
	if again := useAt(t, s, "p", now, "old"); again.ID == old.ID {
		t.Error("the key of a pruned use was taken for a repeat")
	}
}
