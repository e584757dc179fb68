package mail_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/mail"
	"github.com/hallpass-go/hallpass/sqlitestore"
)

// The process that is killed is this test binary again, with this set to the file.
const outboxChildFile = "MAIL_TEST_OUTBOX_FILE"

const outboxChildKey = "an outbox test key of thirty-two bytes and more"

func outboxChildRing() (*hallpass.Keyring, error) {
	key, err := hallpass.ParseKey(outboxChildKey, "k1")
	if err != nil {
		return nil, err
	}
	return hallpass.NewKeyring(key)
}

// TestOutboxChild is the process that is killed. By itself it does nothing. It
// writes "begin JOB" when a delivery begins and "end JOB" when Deliver is about to
// return.
func TestOutboxChild(t *testing.T) {
	path := os.Getenv(outboxChildFile)
	if path == "" {
		return
	}
	store, err := sqlitestore.Open(context.Background(), path, &sqlitestore.Options{BusyTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := outboxChildRing()
	if err != nil {
		t.Fatal(err)
	}
	o, err := mail.NewOutbox(mail.OutboxConfig{
		Cells: store, Keys: keys, Lease: 2 * time.Second, Logger: slog.New(slog.DiscardHandler),
		Deliver: func(_ context.Context, job []byte) error {
			fmt.Printf("begin %s\n", job)
			time.Sleep(2 * time.Millisecond)
			fmt.Printf("end %s\n", job)
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Fatal(o.Run(context.Background()))
}

func TestKillingTheProcessLosesNoMailAndRepeatsOnlyWhatWasInFlight(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "outbox.db")
	store := openSQLite(t, path)
	keys, err := outboxChildRing()
	if err != nil {
		t.Fatal(err)
	}
	front := newOutbox(t, mail.OutboxConfig{Cells: store, Keys: keys, Deliver: newLedger().deliver(nil)})
	const jobs = 200
	var putting sync.WaitGroup
	for i := range jobs {
		putting.Go(func() { put(t, front, fmt.Sprint(i)) })
	}
	putting.Wait()

	delivered := map[string]int{}
	inFlight := map[string]int{} // kills during which the job may have been between claim and mark
	kills := 0
	for _, lines := range []int{30, 90, 150, 100, 1 << 30} {
		begun := killedAfter(t, path, lines, func(done map[string]bool) bool {
			for job := range done {
				delivered[job]++
			}
			return len(delivered) == jobs
		})
		// Four workers: nothing but the last few can have been unmarked at the kill.
		for _, job := range begun[max(0, len(begun)-8):] {
			inFlight[job]++
		}
		kills++
	}
	if len(delivered) != jobs {
		t.Errorf("%d of %d jobs were delivered", len(delivered), jobs)
	}
	repeats := 0
	for job, n := range delivered {
		repeats += n - 1
		if n-1 > inFlight[job] {
			t.Errorf("job %s was delivered %d times, in flight at %d kills", job, n, inFlight[job])
		}
	}
	if repeats > 4*kills {
		t.Errorf("%d repeats with 4 workers and %d kills", repeats, kills)
	}
	t.Logf("%d kills, %d repeats", kills, repeats)
}

// killedAfter runs the child and kills it after so many lines, or once all is
// done. It returns the jobs whose delivery began, in order; delivered is told the
// ones that ended.
func killedAfter(t *testing.T, path string, lines int, delivered func(map[string]bool) (all bool)) (begun []string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestOutboxChild$")
	cmd.Env = append(os.Environ(), outboxChildFile+"="+path)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	killed := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
	defer killed.Stop()
	scan := bufio.NewScanner(stdout)
	for n := 0; scan.Scan(); {
		what, job, _ := strings.Cut(scan.Text(), " ")
		switch what {
		case "begin":
			begun = append(begun, job)
		case "end":
			if delivered(map[string]bool{job: true}) && lines == 1<<30 {
				time.Sleep(100 * time.Millisecond)
				_ = cmd.Process.Kill()
			}
		}
		if n++; n == lines {
			_ = cmd.Process.Kill()
		}
	}
	_ = cmd.Wait()
	return begun
}

func TestTwoProcessesWorthOfOutboxesShareTheWork(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "outbox.db")
	book, keys := newLedger(), outboxKeys(t)
	var boxes []*mail.Outbox
	for range 2 {
		boxes = append(boxes, newOutbox(t, mail.OutboxConfig{
			Cells: openSQLite(t, path), Keys: keys, Queue: 50,
			Deliver: book.deliver(func(context.Context, string) error { time.Sleep(time.Millisecond); return nil }),
		}))
	}
	for i := range 100 { // for both to find
		put(t, boxes[0], fmt.Sprint("early ", i))
	}
	stops := []func(){run(t, boxes[0]), run(t, boxes[1])}
	var putting sync.WaitGroup
	for i := range 400 {
		putting.Go(func() { put(t, boxes[i%2], fmt.Sprint(i)) })
	}
	putting.Wait()
	for range 300 {
		if jobs, _ := book.total(); jobs == 500 {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	for _, stop := range stops {
		stop()
	}
	book.wantNoClash(t)
	if jobs, n := book.total(); jobs != 500 || n != 500 {
		t.Errorf("%d jobs in %d deliveries, want 500 in 500", jobs, n)
	}
	// A restart finds nothing to do.
	stop := run(t, newOutbox(t, mail.OutboxConfig{Cells: openSQLite(t, path), Keys: keys, Deliver: book.deliver(nil)}))
	time.Sleep(1500 * time.Millisecond)
	stop()
	if _, n := book.total(); n != 500 {
		t.Errorf("%d deliveries after a restart", n)
	}
}
