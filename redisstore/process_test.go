package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/needs"
	"github.com/hallpass-go/hallpass/redisstore"
)

// Other processes are this test binary again, with these set.
const (
	childJob = "REDISSTORE_TEST_JOB"
	childDSN = "REDISSTORE_TEST_DSN"
)

func TestMain(m *testing.M) {
	if os.Getenv(childJob) == "" {
		code := m.Run()
		needs.StopRedis()
		os.Exit(code)
	}
	s, err := redisstore.Open(context.Background(), os.Getenv(childDSN), &redisstore.Options{Create: true})
	if err != nil {
		fmt.Fprintln(os.Stderr, "open:", err)
		os.Exit(1)
	}
	childFight(s)
	s.Close()
}

// fought is the pass that every child redeems.
func fought(maxUses int64) hallpass.Pass {
	return hallpass.Pass{ID: "0195946c-0000-7000-8000-000000000001", Scope: "report:read", MaxUses: maxUses}
}

func useOf(p hallpass.Pass, key string) hallpass.Reservation {
	return hallpass.Reservation{Pass: p, Use: hallpass.Use{
		ID: newID(), Key: key, At: time.Now(), State: hallpass.UsePending,
	}}
}

// childFight prints how often it won: 200 clicks at once.
func childFight(s *redisstore.Store) {
	var won atomic.Int64
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			_, err := s.Reserve(context.Background(), useOf(fought(1), ""))
			switch {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, hallpass.RefusalSpent):
				fmt.Fprintln(os.Stderr, "Reserve:", err)
				os.Exit(1)
			}
		})
	}
	all.Wait()
	fmt.Println(won.Load())
}

func TestOfClicksInSeveralProcessesOneWins(t *testing.T) {
	t.Parallel()
	cluster := needs.RedisCluster(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, dsn := range map[string]string{"one server": needs.Redis(t), "a cluster": cluster.DSN()} {
		var won atomic.Int64
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				cmd := exec.CommandContext(t.Context(), self)
				cmd.Env = append(os.Environ(), childJob+"=fight", childDSN+"="+dsn)
				cmd.Stderr = os.Stderr
				out, err := cmd.Output()
				n, err2 := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
				if err := errors.Join(err, err2); err != nil {
					t.Errorf("%s: a process: %v", name, err)
				}
				won.Add(n)
			})
		}
		all.Wait()
		if won.Load() != 1 {
			t.Errorf("%s: %d clicks won, want 1", name, won.Load())
		}
	}
}
