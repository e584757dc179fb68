package mail_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hallpass-go/hallpass/mail"
	"github.com/hallpass-go/hallpass/memstore"
)

func TestPutIsOneWriteAndTheWorkersHaveTheJobAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, book := &tap{CellStore: memstore.New()}, newLedger()
		release := make(chan struct{})
		o := newOutbox(t, mail.OutboxConfig{Cells: store, Deliver: book.deliver(func(context.Context, string) error {
			<-release
			return nil
		})})
		put(t, o, "before Run")
		if swaps, _, _ := store.counts(); swaps != 1 {
			t.Errorf("without Run: %d writes, want 1", swaps)
		}
		stop := run(t, o)
		synctest.Wait()
		before, _, _ := store.counts()
		put(t, o, "a")
		synctest.Wait()
		if swaps, _, _ := store.counts(); swaps != before+1 {
			t.Errorf("Put: %d writes, want 1", swaps-before)
		}
		if at := book.of("a"); len(at) != 1 || time.Since(at[0]) != 0 {
			t.Errorf("delivered at %v, want now", at)
		}
		close(release)
		synctest.Wait()
		// One more each: done.
		if swaps, _, _ := store.counts(); swaps != before+3 {
			t.Errorf("after delivery: %d writes, want 3", swaps-before)
		}
		stop()
	})
}

func TestAJobIsDeliveredOnceHoweverOftenItIsPut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, book, keys := memstore.New(), newLedger(), outboxKeys(t)
		cfg := mail.OutboxConfig{Cells: store, Keys: keys, Deliver: book.deliver(nil)}
		o, other := newOutbox(t, cfg), newOutbox(t, cfg)
		stop := run(t, o)
		put(t, o, "a")
		put(t, o, "a")
		put(t, other, "a")
		for range 9 { // until just before the deadline
			time.Sleep(time.Minute)
			put(t, o, "a")
			put(t, other, "a")
		}
		time.Sleep(time.Minute)
		stop()
		stop = run(t, other) // a restart
		put(t, other, "b")
		time.Sleep(5 * time.Minute)
		stop()
		if n := len(book.of("a")); n != 1 {
			t.Errorf("delivered %d times", n)
		}
		if n := len(book.of("b")); n != 1 {
			t.Errorf("b delivered %d times", n)
		}
	})
}

func TestThePollFindsWhatAnotherProcessPut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, book, keys := memstore.New(), newLedger(), outboxKeys(t)
		cfg := mail.OutboxConfig{Cells: store, Keys: keys, Deliver: book.deliver(nil)}
		stop := run(t, newOutbox(t, cfg))
		time.Sleep(10 * time.Second)
		front := newOutbox(t, cfg)
		for i := range 50 {
			put(t, front, fmt.Sprint(i))
		}
		began := time.Now()
		time.Sleep(1300 * time.Millisecond)
		for i := range 50 {
			if at := book.of(fmt.Sprint(i)); len(at) != 1 || at[0].Sub(began) > 1250*time.Millisecond {
				t.Errorf("job %d delivered at %v", i, at)
			}
		}
		stop()
	})
}

func TestFailuresAreRetriedWithLongerAndLongerWaitsUntilTheDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		book, events, log := newLedger(), &tally{}, &logBuffer{}
		o := newOutbox(t, mail.OutboxConfig{
			Workers: 1, Observe: events.observe, Logger: log.logger(),
			Deliver: book.deliver(func(_ context.Context, job string) error {
				if job == "good" {
					return nil
				}
				return errors.New("451 come back later")
			}),
		})
		stop := run(t, o)
		put(t, o, "bad")
		time.Sleep(100 * time.Second)
		put(t, o, "good") // the only worker is free while the other waits
		synctest.Wait()
		if at := book.of("good"); len(at) != 1 || time.Since(at[0]) != 0 {
			t.Errorf("the good job was delivered at %v", at)
		}
		time.Sleep(10 * time.Minute)
		at := book.of("bad")
		if len(at) < 9 || len(at) > 11 {
			t.Fatalf("%d attempts in ten minutes", len(at))
		}
		for i := 1; i < len(at); i++ {
			full := time.Second << (i - 1)
			if wait := at[i].Sub(at[i-1]); wait < full*3/4 || wait > full+time.Millisecond {
				t.Errorf("wait %d is %s, want up to %s", i, wait, full)
			}
		}
		if last := at[len(at)-1].Sub(at[0]); last > 10*time.Minute {
			t.Errorf("tried after the deadline: %s", last)
		}
		if n := events.of(mail.OutboxRetried); n != len(at)-1 {
			t.Errorf("%d retries told of, want %d", n, len(at)-1)
		}
		if n := events.of(mail.OutboxGivenUp); n != 1 {
			t.Errorf("given up %d times", n)
		}
		if !strings.Contains(log.String(), "given up") || !strings.Contains(log.String(), "451") {
			t.Errorf("log:\n%s", log)
		}
		if o.Depth() != 0 {
			t.Errorf("Depth = %d", o.Depth())
		}
		stop()
	})
}

func TestTheWaitHasALimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		book := newLedger()
		o := newOutbox(t, mail.OutboxConfig{
			MinBackoff: time.Second, MaxBackoff: 3 * time.Second,
			Deliver: book.deliver(func(context.Context, string) error { return errors.New("no") }),
		})
		stop := run(t, o)
		put(t, o, "a")
		time.Sleep(10 * time.Minute)
		if n := len(book.of("a")); n < 195 || n > 275 {
			t.Errorf("%d attempts in 600 s with at most 3 s between them", n)
		}
		stop()
	})
}

func TestAJobIsGivenUpWhenItIsRejectedOrItsAttemptsAreUsedUp(t *testing.T) {
	t.Parallel()
	own := errors.New("my own")
	for name, c := range map[string]struct {
		cfg   mail.OutboxConfig
		err   error
		tries int
	}{
		"rejected by default": {mail.OutboxConfig{}, fmt.Errorf("550: %w", mail.ErrRejected), 1},
		"rejected by config":  {mail.OutboxConfig{Rejected: func(err error) bool { return errors.Is(err, own) }}, own, 1},
		"attempts":            {mail.OutboxConfig{Attempts: 3}, own, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				book, events := newLedger(), &tally{}
				c.cfg.Observe = events.observe
				c.cfg.Deliver = book.deliver(func(context.Context, string) error { return c.err })
				o := newOutbox(t, c.cfg)
				stop := run(t, o)
				put(t, o, "a")
				time.Sleep(20 * time.Minute)
				if n := len(book.of("a")); n != c.tries {
					t.Errorf("tried %d times, want %d", n, c.tries)
				}
				if n := events.of(mail.OutboxGivenUp); n != 1 {
					t.Errorf("given up %d times", n)
				}
				stop()
			})
		})
	}
}

func TestADeadlineThatPassesWhileNobodyRunsIsSaidOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, book, events, log, keys := &tap{CellStore: memstore.New()}, newLedger(), &tally{}, &logBuffer{}, outboxKeys(t)
		cfg := mail.OutboxConfig{Cells: store, Keys: keys, Deliver: book.deliver(nil), Observe: events.observe, Logger: log.logger()}
		put(t, newOutbox(t, cfg), "too late")
		time.Sleep(11 * time.Minute)
		for range 2 {
			stop := run(t, newOutbox(t, cfg))
			time.Sleep(10 * time.Second)
			stop()
		}
		if jobs, _ := book.total(); jobs != 0 {
			t.Error("it was delivered after its deadline")
		}
		if n := events.of(mail.OutboxGivenUp); n != 1 || !strings.Contains(log.String(), "deadline") {
			t.Errorf("given up %d times; log:\n%s", n, log)
		}
		if strings.Contains(log.String(), "too late") {
			t.Errorf("the log tells the content:\n%s", log)
		}
	})
}

func TestAPanicIsAFailureAndTellsNoContent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		book, log := newLedger(), &logBuffer{}
		o := newOutbox(t, mail.OutboxConfig{
			Workers: 1, Logger: log.logger(),
			Deliver: book.deliver(func(_ context.Context, job string) error {
				if len(book.of(job)) < 3 {
					panic("cannot render " + job)
				}
				return nil
			}),
		})
		stop := run(t, o)
		put(t, o, "secret-4711")
		time.Sleep(5 * time.Minute)
		stop()
		if n := len(book.of("secret-4711")); n != 3 {
			t.Errorf("tried %d times, want 3", n)
		}
		if !strings.Contains(log.String(), "outboxdeliver_test.go") {
			t.Errorf("the log does not say where it panicked:\n%s", log)
		}
		if strings.Contains(log.String(), "4711") {
			t.Errorf("the log tells the content:\n%s", log)
		}
	})
}

func TestAFullQueueLosesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, book := &tap{CellStore: memstore.New()}, newLedger()
		release := make(chan struct{})
		o := newOutbox(t, mail.OutboxConfig{
			Cells: store, Workers: 1, Queue: 2,
			Deliver: book.deliver(func(context.Context, string) error { <-release; return nil }),
		})
		stop := run(t, o)
		synctest.Wait()
		before, _, _ := store.counts()
		for i := range 20 {
			put(t, o, fmt.Sprint(i))
			synctest.Wait()
		}
		if swaps, _, _ := store.counts(); swaps != before+20 {
			t.Errorf("%d writes for 20 jobs", swaps-before)
		}
		if jobs, _ := book.total(); jobs != 1 {
			t.Errorf("%d jobs are being delivered by one worker", jobs)
		}
		time.Sleep(3 * time.Second)
		if o.Depth() != 20 || o.Oldest() != 3*time.Second {
			t.Errorf("Depth, Oldest = %d, %s, want 20, 3s", o.Depth(), o.Oldest())
		}
		close(release)
		time.Sleep(3 * time.Second)
		if jobs, n := book.total(); jobs != 20 || n != 20 {
			t.Errorf("%d jobs in %d deliveries, want 20 in 20", jobs, n)
		}
		if o.Depth() != 0 || o.Oldest() != 0 {
			t.Errorf("Depth, Oldest = %d, %s, want none", o.Depth(), o.Oldest())
		}
		stop()
	})
}

func TestJobsThatWaitLongerThanTheirLeaseAreNotDeliveredTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, book, keys := memstore.New(), newLedger(), outboxKeys(t)
		slow := mail.OutboxConfig{
			Cells: store, Keys: keys, Workers: 1, Lease: 8 * time.Second,
			Deliver: book.deliver(func(context.Context, string) error { time.Sleep(3 * time.Second); return nil }),
		}
		o, other := newOutbox(t, slow), newOutbox(t, slow)
		stop, stopOther := run(t, o), run(t, other)
		for i := range 30 { // a minute and a half of work for one, in its own queue
			put(t, o, fmt.Sprint(i))
		}
		time.Sleep(5 * time.Minute)
		stop()
		stopOther()
		book.wantNoClash(t)
		if jobs, n := book.total(); jobs != 30 || n != 30 {
			t.Errorf("%d jobs in %d deliveries, want 30 in 30", jobs, n)
		}
	})
}

func TestThePollDoesNotReadDoneJobsAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, book := &tap{CellStore: memstore.New()}, newLedger()
		o := newOutbox(t, mail.OutboxConfig{Cells: store, Deliver: book.deliver(nil)})
		stop := run(t, o)
		for i := range 160 {
			put(t, o, fmt.Sprint(i))
		}
		time.Sleep(5 * time.Second)
		_, _, before := store.counts()
		time.Sleep(8 * time.Minute)
		// Each group is read from its start every four minutes: twice, or three times.
		if _, _, listed := store.counts(); listed-before > 3*160 {
			t.Errorf("480 polls read %d cells of 160 done jobs", listed-before)
		}
		time.Sleep(10 * time.Minute)
		_, _, before = store.counts()
		time.Sleep(8 * time.Minute)
		if _, _, listed := store.counts(); listed != before {
			t.Errorf("%d done jobs have not left", listed-before)
		}
		stop()
	})
}

func TestAMailThatMayHaveArrivedIsSentOnceMoreAndNoMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		book := newLedger()
		o := newOutbox(t, mail.OutboxConfig{Cells: memstore.New(), Deliver: book.deliver(func(context.Context, string) error {
			return fmt.Errorf("%w: the connection ended", mail.ErrUnsure)
		})})
		stop := run(t, o)
		put(t, o, "a")
		time.Sleep(5 * time.Minute)
		if n := len(book.of("a")); n != 2 {
			t.Errorf("%d attempts, want 2: a server that is slow to say yes would fill a mailbox", n)
		}
		stop()
	})
}

func TestOutboxesWithDifferentNamesDoNotTakeEachOthersJobs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, keys, ours, theirs := memstore.New(), outboxKeys(t), newLedger(), newLedger()
		o := newOutbox(t, mail.OutboxConfig{Cells: store, Keys: keys, Deliver: ours.deliver(nil)})
		other := newOutbox(t, mail.OutboxConfig{Cells: store, Keys: keys, Name: "staff", Deliver: theirs.deliver(nil)})
		stop := run(t, other)
		put(t, o, "a")
		time.Sleep(time.Minute)
		stop()
		if n := len(theirs.of("a")); n != 0 {
			t.Error("another outbox delivered the job")
		}
		stop = run(t, o)
		time.Sleep(10 * time.Second)
		if n := len(ours.of("a")); n != 1 {
			t.Errorf("%d deliveries, want 1", n)
		}
		stop()
	})
}
