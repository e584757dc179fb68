package redisstore_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/needs"
	"github.com/hallpass-go/hallpass/redisstore"
)

var farFuture = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// wantNothingLeft prunes all and looks for keys that no Prune would ever remove.
func wantNothingLeft(t *testing.T, s *redisstore.Store) {
	t.Helper()
	if _, err := s.Prune(t.Context(), hallpass.PruneRule{Now: farFuture, UsesBefore: farFuture, KeepUses: 0}); err != nil {
		t.Fatal(err)
	}
	names, err := s.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		switch _, name, _ := strings.Cut(name, ":"); {
		case name == "layout", name == "groups", strings.HasSuffix(name, "}v"), strings.Contains(name, "}m:"):
		default:
			t.Errorf("%q was left over", name)
		}
	}
}

func TestWhenAllIsOverNothingIsLeft(t *testing.T) {
	t.Parallel()
	cluster := needs.RedisCluster(t)
	for name, dsn := range map[string]string{"one server": needs.Redis(t), "a cluster": place(cluster.DSN())} {
		t.Run(name, func(t *testing.T) {
			s := open(t, dsn)
			rows := rowsOf(20)
			if err := s.Record(t.Context(), rows); err != nil {
				t.Fatal(err)
			}
			changed := rows[0]
			changed.Scope, changed.IssuedAt = "other", changed.IssuedAt.Add(time.Minute)
			if err := s.Record(t.Context(), []hallpass.Entry{changed}); err != nil {
				t.Fatal(err)
			}
			for i, e := range rows {
				e.Recorded = i%2 == 0
				if i%2 == 1 {
					e.ID = newID() // comes to life here
				}
				r := useOf(e.Pass, fmt.Sprint("key ", i))
				r.KeepUntil = e.KeepUntil
				won, err := s.Reserve(t.Context(), r)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := s.Reserve(t.Context(), useOf(e.Pass, fmt.Sprint("key ", i))); err != nil {
					t.Fatal(err)
				}
				if _, err := s.Reserve(t.Context(), useOf(e.Pass, "")); err == nil {
					t.Fatal("a spent pass was honoured")
				}
				if _, err := s.Settle(t.Context(), hallpass.Settlement{
					Pass: e.ID, Use: won.Use.ID, State: hallpass.UseRefunded, MaxRefunds: int64(i % 3),
				}); err != nil {
					t.Fatal(err)
				}
				if _, err := s.Amend(t.Context(), hallpass.Amendment{
					Pass: e.ID, AddUses: 1, ExpiresAt: e.ExpiresAt.Add(time.Hour), KeepUntil: e.KeepUntil.Add(time.Hour),
				}); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := s.RevokePass(t.Context(), rowOf(newID()), time.Now()); err != nil {
				t.Fatal(err)
			}
			for i := range 5 {
				now := time.Now()
				if _, err := s.Swap(t.Context(), hallpass.Cell{Group: "g", Key: fmt.Sprint(i), ExpiresAt: now.Add(time.Hour)}, now); err != nil {
					t.Fatal(err)
				}
				if _, _, err := s.Add(t.Context(), hallpass.Addition{Group: "n", Key: "n", Delta: math.MaxInt64 / 10, Window: time.Hour}, now); err != nil {
					t.Fatal(err)
				}
			}
			wantNothingLeft(t, s)
		})
	}
}
