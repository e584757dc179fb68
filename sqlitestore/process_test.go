package sqlitestore_test

import (
	"bufio"
	"context"
	"crypto/rand"
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
	"github.com/hallpass-go/hallpass/sqlitestore"
)

// Other processes are this test binary again, with these set.
const (
	childJob  = "SQLITESTORE_TEST_JOB"
	childFile = "SQLITESTORE_TEST_FILE"
)

func TestMain(m *testing.M) {
	jobs := map[string]func(*sqlitestore.Store){"open": func(*sqlitestore.Store) {}, "fight": childFight, "redeem": childRedeem, "seal": childSeal}
	job, isChild := jobs[os.Getenv(childJob)]
	if !isChild {
		os.Exit(m.Run())
	}
	s, err := sqlitestore.Open(context.Background(), os.Getenv(childFile), &sqlitestore.Options{Create: true, BusyTimeout: time.Minute})
	if err != nil {
		fmt.Fprintln(os.Stderr, "open:", err)
		os.Exit(1)
	}
	job(s)
	if err := s.Close(); err != nil {
		fmt.Fprintln(os.Stderr, "close:", err)
		os.Exit(1)
	}
}

func child(t *testing.T, job, path string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), childJob+"="+job, childFile+"="+path)
	cmd.Stderr = os.Stderr
	return cmd
}

// together runs the job in n processes at once and returns what each wrote.
func together(t *testing.T, n int, job, path string) []string {
	t.Helper()
	outputs := make([]string, n)
	var all sync.WaitGroup
	for i := range n {
		cmd := child(t, job, path)
		all.Go(func() {
			out, err := cmd.Output()
			if err != nil {
				t.Errorf("process %d: %v", i, err)
			}
			outputs[i] = string(out)
		})
	}
	all.Wait()
	return outputs
}

// fought is the pass that every child redeems.
func fought(maxUses int64) hallpass.Pass {
	return hallpass.Pass{ID: "0195946c-0000-7000-8000-000000000001", Scope: "report:read", MaxUses: maxUses}
}

func childUse(p hallpass.Pass) hallpass.Reservation {
	return hallpass.Reservation{Pass: p, Use: hallpass.Use{
		ID: newID(), Key: rand.Text(), At: time.Now(), State: hallpass.UsePending,
	}}
}

// childFight prints how often it won.
func childFight(s *sqlitestore.Store) {
	var won atomic.Int64
	var all sync.WaitGroup
	for range 40 {
		all.Go(func() {
			for range 5 {
				_, err := s.Reserve(context.Background(), childUse(fought(50)))
				switch {
				case err == nil:
					won.Add(1)
				case !errors.Is(err, hallpass.RefusalSpent):
					fmt.Fprintln(os.Stderr, "Reserve:", err)
					os.Exit(1)
				}
			}
		})
	}
	all.Wait()
	fmt.Println(won.Load())
}

// childRedeem prints the id of each use that was acknowledged, until the quota
// is spent or somebody kills it.
func childRedeem(s *sqlitestore.Store) {
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for {
				won, err := s.Reserve(context.Background(), childUse(fought(20_000)))
				if err != nil {
					return
				}
				fmt.Fprintln(os.Stdout, won.Use.ID)
			}
		})
	}
	all.Wait()
}

func TestThreeProcessesOnOneFileStopExactlyAtTheQuota(t *testing.T) {
	t.Parallel()
	path := fresh(t)
	var won int
	for _, out := range together(t, 3, "fight", path) {
		n, err := strconv.Atoi(strings.TrimSpace(out))
		if err != nil {
			t.Fatalf("a process wrote %q", out)
		}
		won += n
	}
	if won != 50 {
		t.Errorf("%d callers won, want 50", won)
	}
	e, err := open(t, path).Entry(t.Context(), fought(50).ID)
	if err != nil || e.Used != 50 {
		t.Errorf("Entry = Used %d, %v, want 50", e.Used, err)
	}
}

func TestProcessesThatOpenTheSameNewFileAtOnceAllSucceed(t *testing.T) {
	t.Parallel()
	for range 5 {
		path := fresh(t)
		together(t, 8, "open", path)
		open(t, path)
	}
}

func TestAKilledProcessLosesNothingItAcknowledged(t *testing.T) {
	t.Parallel()
	for _, killAfter := range []int{1, 50, 700} {
		path := fresh(t)
		cmd := child(t, "redeem", path)
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		acknowledged := map[string]bool{}
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			acknowledged[lines.Text()] = true
			if len(acknowledged) == killAfter {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		cmd.Wait()
		if len(acknowledged) < killAfter {
			t.Fatalf("the process stopped by itself after %d uses", len(acknowledged))
		}

		s := open(t, path)
		e, err := s.Entry(t.Context(), fought(0).ID)
		if err != nil {
			t.Fatal(err)
		}
		uses, err := s.Uses(t.Context(), hallpass.UseQuery{Pass: e.ID, Limit: 1_000_000})
		if err != nil {
			t.Fatal(err)
		}
		if e.Used != int64(len(uses)) || e.Used > e.MaxUses {
			t.Errorf("Used = %d of %d, and there are %d uses", e.Used, e.MaxUses, len(uses))
		}
		for _, use := range uses {
			delete(acknowledged, use.ID)
		}
		if len(acknowledged) > 0 {
			t.Errorf("%d acknowledged uses are lost", len(acknowledged))
		}
	}
}
