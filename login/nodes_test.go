package login_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/needs"
	"github.com/hallpass-go/hallpass/login"
	"github.com/hallpass-go/hallpass/pgstore"
	"github.com/hallpass-go/hallpass/redisstore"
)

// machines are stores that several machines share: each call of what is returned
// opens the same one again.
var machines = map[string]func(t *testing.T) func() hallpass.Store{
	"PostgreSQL": func(t *testing.T) func() hallpass.Store {
		dsn := needs.Postgres(t)
		return func() hallpass.Store {
			s, err := pgstore.Open(t.Context(), dsn, &pgstore.Options{Create: true, MaxConns: 4, Timeout: 20 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.Close() })
			return s
		}
	},
	"Redis": func(t *testing.T) func() hallpass.Store {
		dsn := needs.Redis(t)
		return func() hallpass.Store {
			s, err := redisstore.Open(t.Context(), dsn, &redisstore.Options{Create: true})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.Close() })
			return s
		}
	},
}

// three returns three engines over a store, of which any may send the mails.
func three(t *testing.T, open func() hallpass.Store) [3]*engine {
	t.Helper()
	var all [3]*engine
	c := &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	box := newLetterbox()
	for i := range all {
		all[i] = engineOver(t, open(), c, func(cfg *login.Config) { cfg.Sender = box })
		all[i].outbox = box
	}
	return all
}

func TestALoginBegunOnOneNodeIsFinishedOnAnotherAndRefreshedOnAThird(t *testing.T) {
	t.Parallel()
	for name, machine := range machines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			nodes := three(t, machine(t))
			begun, code, link := nodes[0].begin("greta@example.com")
			if _, err := nodes[2].enter(begun.Flow, wrongCode(code, 0), from(1)); err == nil {
				t.Fatal("a wrong code is right at another node")
			}
			id, err := nodes[1].enter(begun.Flow, code, from(1))
			if err != nil {
				t.Fatalf("finished at another node: %v", err)
			}
			if _, err := nodes[2].ByLink(t.Context(), link, from(3)); err == nil {
				t.Error("the link is good after the code was used at another node")
			}
			tokens, err := nodes[1].Open(t.Context(), id, from(1))
			if err != nil {
				t.Fatal(err)
			}
			if a, err := nodes[0].OpenAccess(tokens.Access.Reveal()); err != nil || a.Address != "greta@example.com" {
				t.Errorf("its access token at another node: %+v, %v", a, err)
			}
			second, err := nodes[2].Refresh(t.Context(), tokens.Refresh.Reveal())
			if err != nil {
				t.Fatalf("refreshed at a third: %v", err)
			}
			// Long after the grace an old token is a stolen one, wherever it appears.
			nodes[0].clock.Pass(10 * time.Minute)
			if _, err := nodes[0].Refresh(t.Context(), tokens.Refresh.Reveal()); err == nil {
				t.Error("an old refresh token is good at another node")
			}
			if _, err := nodes[1].Refresh(t.Context(), second.Refresh.Reveal()); err == nil {
				t.Error("its family goes on at another node")
			}
		})
	}
}

func TestOfManyWhoAreRightAtOnceOnThreeNodesOneGetsIn(t *testing.T) {
	t.Parallel()
	for name, machine := range machines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			nodes := three(t, machine(t))
			for round := range 5 {
				begun, code, _ := nodes[round%3].begin("hugo" + string(rune('a'+round)) + "@example.com")
				var in atomic.Int64
				var all sync.WaitGroup
				for i := range 30 {
					all.Go(func() {
						_, err := nodes[i%3].enter(begun.Flow, code, from(i))
						if err == nil {
							in.Add(1)
						} else if errors.Is(err, hallpass.ErrUnavailable) {
							t.Error(err)
						}
					})
				}
				all.Wait()
				if in.Load() != 1 {
					t.Errorf("round %d: %d got in", round, in.Load())
				}
			}
		})
	}
}

func TestWrongCodesAreCountedTogether(t *testing.T) {
	t.Parallel()
	for name, machine := range machines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			nodes := three(t, machine(t))
			begun, code, _ := nodes[0].begin("ida@example.com")
			for i := range 5 {
				if _, err := nodes[i%3].enter(begun.Flow, wrongCode(code, i), from(1)); err == nil {
					t.Fatal("a wrong code is right")
				}
			}
			if _, err := nodes[2].enter(begun.Flow, code, from(1)); err == nil {
				t.Error("after five wrong codes at three nodes the right one is good")
			}
		})
	}
}
