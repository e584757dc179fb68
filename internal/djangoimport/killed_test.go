package djangoimport_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/djangoimport"
	"github.com/hallpass-go/hallpass/memstore"
)

// dyingStore is a store whose user is killed at its nth write: before it, or after
// it but before it could be known.
type dyingStore struct {
	hallpass.Store
	writes *atomic.Int64
	death  int64
	after  bool
}

var errKilled = errors.New("killed")

func (s dyingStore) write(f func() error) error {
	n := s.writes.Add(1)
	if n > s.death || n == s.death && !s.after {
		return errKilled
	}
	if err := f(); err != nil || n < s.death {
		return err
	}
	return errKilled
}

func (s dyingStore) Record(ctx context.Context, entries []hallpass.Entry) error {
	return s.write(func() error { return s.Store.Record(ctx, entries) })
}

func (s dyingStore) Reserve(ctx context.Context, r hallpass.Reservation) (out hallpass.Reserved, err error) {
	err = s.write(func() (err error) { out, err = s.Store.Reserve(ctx, r); return err })
	return out, err
}

func (s dyingStore) Amend(ctx context.Context, a hallpass.Amendment) (out hallpass.Entry, err error) {
	err = s.write(func() (err error) { out, err = s.Store.Amend(ctx, a); return err })
	return out, err
}

func (s dyingStore) RevokePass(ctx context.Context, e hallpass.Entry, now time.Time) (out hallpass.Entry, err error) {
	err = s.write(func() (err error) { out, err = s.Store.RevokePass(ctx, e, now); return err })
	return out, err
}

func (s dyingStore) Swap(ctx context.Context, c hallpass.Cell, now time.Time) (out hallpass.Cell, err error) {
	if c.Key == "lease" {
		// The killed one's lease would only make the test wait.
		return s.Store.Swap(ctx, c, now)
	}
	err = s.write(func() (err error) { out, err = s.Store.Swap(ctx, c, now); return err })
	return out, err
}

// dyingHistory is a dyingStore that takes a history.
type dyingHistory struct{ dyingStore }

func (s dyingHistory) RecordUses(ctx context.Context, uses []hallpass.Use) error {
	return s.write(func() error { return s.Store.(hallpass.History).RecordUses(ctx, uses) })
}

// dying wraps a store for one life.
func dying(store hallpass.Store, history bool, death int64, after bool) hallpass.Store {
	s := dyingStore{Store: store, writes: new(atomic.Int64), death: death, after: after}
	if history {
		return dyingHistory{s}
	}
	return s
}

// TestAKillAtAnyPointChangesNothing kills an import, and then a second one with
// everything changed, at each of their writes in turn, and looks whether what the
// next one leaves is what it would have been.
func TestAKillAtAnyPointChangesNothing(t *testing.T) {
	t.Parallel()
	for name, history := range map[string]bool{"history": true, "no history": false} {
		for when, after := range map[string]bool{"before": false, "after": true} {
			t.Run(name+" "+when, func(t *testing.T) {
				t.Parallel()
				m, before, changed := readMigration(t), sqliteDatabase(t), sqliteDatabase(t)
				// Few, but of every kind: a kill at each of two hundred log rows tells nothing
				// more than one at each of twenty.
				for _, d := range []database{before, changed} {
					d.exec(t, "DELETE FROM request_token_requesttokenlog WHERE token_id IN (63, 41, 31)")
					d.exec(t, "UPDATE request_token_requesttoken SET used_to_date = 3 WHERE id IN (63, 41, 31)")
				}
				useInDjango(t, changed, 301, 45)
				useInDjango(t, changed, 302, 45)
				changed.exec(t, fmt.Sprintf(setToken, "used_to_date = used_to_date + 2", 46))
				changed.exec(t, fmt.Sprintf(setToken, "max_uses = 15", 44))
				changed.exec(t, fmt.Sprintf(setToken, "max_uses = 12, used_to_date = 11", 50))
				changed.exec(t, fmt.Sprintf(setToken, "max_uses = 5", 55))
				changed.exec(t, fmt.Sprintf(setToken, "max_uses = 8", 53))
				changed.exec(t, "DELETE FROM request_token_requesttoken WHERE id = 62")

				config := func(d database, store hallpass.Store) djangoimport.Config {
					return djangoimport.Config{From: d.dsn, Store: store, Now: m.now}
				}
				fresh := func() hallpass.Store { return memstore.New() }
				hide := func(s hallpass.Store) hallpass.Store {
					if history {
						return s
					}
					return plainStore{s}
				}
				want := fresh()
				run(t, config(before, hide(want)))
				first := everything(t, want)
				run(t, config(changed, hide(want)))
				second := everything(t, want)

				for death := int64(1); ; death++ {
					store := fresh()
					if _, err := djangoimport.Run(t.Context(), config(before, dying(store, history, death, after))); err == nil {
						if death < 4 {
							t.Fatalf("an import has only %d writes", death)
						}
						break
					} else if !errors.Is(err, errKilled) {
						t.Fatal(err)
					}
					if history {
						neverMore(t, store, first)
					}
					run(t, config(before, hide(store)))
					if diff := cmp.Diff(first, everything(t, store)); diff != "" {
						t.Fatalf("killed at write %d:\n%s", death, diff)
					}
				}
				for death := int64(1); ; death++ {
					store := fresh()
					run(t, config(before, hide(store)))
					_, err := djangoimport.Run(t.Context(), config(changed, dying(store, history, death, after)))
					if err == nil {
						break
					} else if !errors.Is(err, errKilled) {
						t.Fatal(err)
					}
					run(t, config(changed, hide(store)))
					if diff := cmp.Diff(second, everything(t, store)); diff != "" {
						t.Fatalf("killed at write %d of the second import:\n%s", death, diff)
					}
				}
			})
		}
	}
}

type standing struct {
	Used, MaxUses int64
	Revoked       bool
	Uses          int
}

// everything is what decides about each token.
func everything(t *testing.T, store hallpass.Store) map[string]standing {
	t.Helper()
	rows, err := store.Entries(t.Context(), hallpass.EntryQuery{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]standing{}
	for _, row := range rows {
		all[row.ID] = standing{row.Used, row.MaxUses, !row.RevokedAt.IsZero(), len(usesOf(t, store, row.ID))}
	}
	return all
}

// neverMore says that a store which takes a history never promises more than it
// will in the end, however far the import came.
func neverMore(t *testing.T, store hallpass.Store, end map[string]standing) {
	t.Helper()
	for id, now := range everything(t, store) {
		if now.MaxUses-now.Used > end[id].MaxUses-end[id].Used {
			t.Errorf("%s: %+v, and %+v in the end", id, now, end[id])
		}
	}
}
