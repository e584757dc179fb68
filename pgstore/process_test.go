package pgstore_test

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
	"github.com/hallpass-go/hallpass/internal/needs"
	"github.com/hallpass-go/hallpass/pgstore"
)

// Other processes are this test binary again, with these set.
const (
	childJob = "PGSTORE_TEST_JOB"
	childDSN = "PGSTORE_TEST_DSN"
)

func TestMain(m *testing.M) {
	jobs := map[string]func(*pgstore.Store){
		"open": func(*pgstore.Store) {}, "fight": childFight, "redeem": childRedeem, "write": childWrite,
	}
	job, isChild := jobs[os.Getenv(childJob)]
	if !isChild {
		os.Exit(m.Run())
	}
	s, err := pgstore.Open(context.Background(), os.Getenv(childDSN), &pgstore.Options{Create: true, MaxConns: 4, Timeout: time.Minute})
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

func child(t *testing.T, job, dsn string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), childJob+"="+job, childDSN+"="+dsn)
	cmd.Stderr = os.Stderr
	return cmd
}

// together runs the job in n processes at once and returns what each wrote.
func together(t *testing.T, n int, job, dsn string) []string {
	t.Helper()
	outputs := make([]string, n)
	var all sync.WaitGroup
	for i := range n {
		cmd := child(t, job, dsn)
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

func useOf(p hallpass.Pass) hallpass.Reservation {
	return hallpass.Reservation{Pass: p, Use: hallpass.Use{
		ID: newID(), Key: rand.Text(), At: time.Now(), State: hallpass.UsePending,
	}}
}

// childFight prints how often it won, on a pass of 50 and on 20 of one each.
func childFight(s *pgstore.Store) {
	var won, wonSingle atomic.Int64
	var all sync.WaitGroup
	for range 40 {
		all.Go(func() {
			for i := range 20 {
				if i < 5 {
					countWin(s, fought(50), &won)
				}
				single := fought(1)
				single.ID = fmt.Sprintf("0195946c-0000-7000-8000-1%011d", i)
				countWin(s, single, &wonSingle)
			}
		})
	}
	all.Wait()
	fmt.Println(won.Load(), wonSingle.Load())
}

func countWin(s *pgstore.Store, p hallpass.Pass, won *atomic.Int64) {
	_, err := s.Reserve(context.Background(), useOf(p))
	switch {
	case err == nil:
		won.Add(1)
	case !errors.Is(err, hallpass.RefusalSpent):
		fmt.Fprintln(os.Stderr, "Reserve:", err)
		os.Exit(1)
	}
}

// childRedeem prints the id of each use that was acknowledged, until somebody
// kills it.
func childRedeem(s *pgstore.Store) {
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for {
				won, err := s.Reserve(context.Background(), useOf(fought(200_000)))
				if err != nil {
					return
				}
				fmt.Fprintln(os.Stdout, won.Use.ID)
			}
		})
	}
	all.Wait()
}

// childWrite writes cells of one group, and prints nothing.
func childWrite(s *pgstore.Store) {
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range 50 {
				if _, err := s.Swap(context.Background(), hallpass.Cell{Group: "g", Key: rand.Text()}, time.Now()); err != nil {
					fmt.Fprintln(os.Stderr, "Swap:", err)
					os.Exit(1)
				}
				if _, _, err := s.Add(context.Background(), hallpass.Addition{Group: "g", Key: fmt.Sprint(i % 3), Delta: 1}, time.Now()); err != nil {
					fmt.Fprintln(os.Stderr, "Add:", err)
					os.Exit(1)
				}
			}
		})
	}
	all.Wait()
}

func TestThreeProcessesStopExactlyAtTheQuota(t *testing.T) {
	t.Parallel()
	dsn := needs.Postgres(t)
	var won, single int
	for _, out := range together(t, 3, "fight", dsn) {
		a, b, _ := strings.Cut(strings.TrimSpace(out), " ")
		n, err := strconv.Atoi(a)
		m, err2 := strconv.Atoi(b)
		if err != nil || err2 != nil {
			t.Fatalf("a process wrote %q", out)
		}
		won, single = won+n, single+m
	}
	if won != 50 || single != 20 {
		t.Errorf("%d and %d callers won, want 50 and 20", won, single)
	}
	e, err := open(t, dsn).Entry(t.Context(), fought(50).ID)
	if err != nil || e.Used != 50 {
		t.Errorf("Entry = Used %d, %v, want 50", e.Used, err)
	}
}

func TestProcessesThatMakeTheTablesAtOnceAllSucceed(t *testing.T) {
	t.Parallel()
	for _, suffix := range []string{"", "&schema=two"} {
		dsn := needs.Postgres(t) + suffix
		together(t, 4, "open", dsn)
		open(t, dsn)
	}
}

func TestAReaderOfTheFeedMissesNothingOfOtherProcesses(t *testing.T) {
	t.Parallel()
	dsn := needs.Postgres(t)
	s := open(t, dsn)
	done := make(chan struct{})
	go func() {
		defer close(done)
		together(t, 3, "write", dsn)
	}()
	seen := map[string]uint64{}
	var since uint64
	for last := false; ; {
		news, err := s.Cells(t.Context(), "g", since, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range news {
			since = c.Version
			seen[c.Key] = c.Version
		}
		if last {
			break
		}
		select {
		case <-done:
			last = true
		default:
		}
	}
	all, err := s.Cells(t.Context(), "g", 0, time.Now())
	if err != nil || len(all) != 3*4*50+3 {
		t.Fatalf("%d cells, %v, want %d", len(all), err, 3*4*50+3)
	}
	for _, c := range all {
		if seen[c.Key] != c.Version {
			t.Errorf("cell %s stands at version %d, the reader saw %d", c.Key, c.Version, seen[c.Key])
		}
	}
}

func TestAKilledProcessLosesNothingItAcknowledged(t *testing.T) {
	t.Parallel()
	for _, killAfter := range []int{1, 50, 700} {
		dsn := needs.Postgres(t)
		cmd := child(t, "redeem", dsn)
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
		_ = cmd.Wait()
		if len(acknowledged) < killAfter {
			t.Fatalf("the process stopped by itself after %d uses", len(acknowledged))
		}
		agree(t, open(t, dsn), fought(0).ID, acknowledged)
	}
}

// agree checks that a pass's counter says what its uses say, and that every
// acknowledged use is among them.
func agree(t *testing.T, s *pgstore.Store, pass string, acknowledged map[string]bool) {
	t.Helper()
	// What the dead process had sent may still be committed; a lock waits for it.
	if _, err := s.Amend(t.Context(), hallpass.Amendment{Pass: pass}); err != nil {
		t.Fatal(err)
	}
	e, err := s.Entry(t.Context(), pass)
	if err != nil {
		t.Fatal(err)
	}
	uses, err := s.Uses(t.Context(), hallpass.UseQuery{Pass: pass, Limit: 1_000_000})
	if err != nil {
		t.Fatal(err)
	}
	if e.Used != int64(len(uses)) || e.Used > e.MaxUses {
		t.Errorf("Used = %d of %d, and there are %d uses", e.Used, e.MaxUses, len(uses))
	}
	lost := len(acknowledged)
	for _, use := range uses {
		if acknowledged[use.ID] {
			lost--
		}
	}
	if lost > 0 {
		t.Errorf("%d acknowledged uses of %d are lost", lost, len(acknowledged))
	}
}
