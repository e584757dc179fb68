package mail_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/mail"
	"github.com/hallpass-go/hallpass/memstore"
)

// A process dies at its nth write, before or after the store has it. Deliveries
// fail once before they succeed, so that the writes of retries are among them.
func TestACrashAtAnyWriteLosesNothing(t *testing.T) {
	t.Parallel()
	for crashAt := 1; crashAt <= 26; crashAt++ {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("write %d, written %t", crashAt, after), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { crash(t, crashAt, after) })
			})
		}
	}
}

func crash(t *testing.T, crashAt int, after bool) {
	base, keys, book := memstore.New(), outboxKeys(t), newLedger()
	var dead atomic.Bool
	var unmarked atomic.Int64 // deliveries whose mark the crash swallowed
	store := &tap{CellStore: base}
	store.onSwap = func(n int, c hallpass.Cell) (error, error) {
		switch {
		case n > crashAt || dead.Load():
			return errDown, nil
		case n < crashAt:
			return nil, nil
		}
		dead.Store(true)
		if len(c.Value) == 0 && !after {
			unmarked.Add(1)
		}
		store.set(func() { store.down = true })
		if after {
			return nil, errDown
		}
		return errDown, nil
	}
	failOnce := func(_ context.Context, job string) error {
		if len(book.of(job)) == 1 {
			return errors.New("the first time fails")
		}
		return nil
	}
	inner := book.deliver(failOnce)
	first := newOutbox(t, mail.OutboxConfig{
		Cells: store, Keys: keys, Workers: 1, Queue: 3, Grace: -1,
		Deliver: func(ctx context.Context, job []byte) error {
			if dead.Load() {
				return errors.New("dead")
			}
			return inner(ctx, job)
		},
	})
	// The front only puts, so that there are jobs to claim from the store.
	front := newOutbox(t, mail.OutboxConfig{Cells: base, Keys: keys, Deliver: inner})
	accepted := map[string]bool{}
	for i := range 3 {
		id := fmt.Sprint("front ", i)
		put(t, front, id)
		accepted[id] = true
	}
	stop := run(t, first)
	synctest.Wait()
	for i := range 3 {
		id := fmt.Sprint("own ", i)
		if err := first.Put(t.Context(), id, []byte(id), time.Now().Add(10*time.Minute)); err == nil {
			accepted[id] = true
		}
	}
	time.Sleep(5 * time.Second)
	stop() // with a dead store: nothing more of it reaches the base

	second := newOutbox(t, mail.OutboxConfig{Cells: base, Keys: keys, Deliver: inner})
	stop = run(t, second)
	time.Sleep(2 * time.Minute)
	depth := second.Depth()
	stop()
	again := int64(0)
	for id := range accepted {
		n := len(book.of(id))
		if n < 2 { // the first attempt fails, the second delivers
			t.Errorf("%q is lost after %d attempts", id, n)
		}
		again += int64(max(0, n-2))
	}
	if again > unmarked.Load() {
		t.Errorf("%d deliveries too many, %d marks were lost", again, unmarked.Load())
	}
	if depth != 0 {
		t.Errorf("%d jobs are left open", depth)
	}
	book.wantNoClash(t)
}

func TestNobodyTakesAJobBeforeItsLeaseIsOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		base, keys, book, events := memstore.New(), outboxKeys(t), newLedger(), &tally{}
		store := &tap{CellStore: base}
		var cut atomic.Int64
		hang := func(ctx context.Context, _ string) error {
			began := time.Now()
			<-ctx.Done()
			cut.Store(int64(time.Since(began)))
			store.set(func() { store.down = true }) // and the process is cut off
			return ctx.Err()
		}
		first := newOutbox(t, mail.OutboxConfig{Cells: store, Keys: keys, Deliver: book.deliver(hang)})
		stop := run(t, first)
		synctest.Wait()
		put(t, first, "a")
		began := time.Now()
		second := newOutbox(t, mail.OutboxConfig{Cells: base, Keys: keys, Deliver: book.deliver(nil), Observe: events.observe})
		stopSecond := run(t, second)
		time.Sleep(59 * time.Second)
		if n := len(book.of("a")); n != 1 {
			t.Errorf("%d deliveries within the lease", n)
		}
		if time.Duration(cut.Load()) != 30*time.Second {
			t.Errorf("the context of Deliver ended after %s, want half the lease", time.Duration(cut.Load()))
		}
		time.Sleep(3 * time.Second)
		if at := book.of("a"); len(at) != 2 || at[1].Sub(began) < time.Minute {
			t.Errorf("taken over at %v", at)
		}
		if n := events.of(mail.OutboxTakenOver); n != 1 {
			t.Errorf("%d takeovers told of", n)
		}
		stopSecond()
		stop()
		book.wantNoClash(t)
	})
}

func TestAReplyThatGotLostIsNoSecondMail(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, book := &tap{CellStore: memstore.New()}, newLedger()
		o := newOutbox(t, mail.OutboxConfig{Cells: store, Deliver: book.deliver(nil)})
		stop := run(t, o)
		synctest.Wait()
		lose := true
		store.set(func() {
			store.onSwap = func(int, hallpass.Cell) (error, error) {
				if lose {
					lose = false
					return nil, errDown
				}
				return nil, nil
			}
		})
		if err := o.Put(t.Context(), "a", []byte("a"), time.Now().Add(time.Minute)); !errors.Is(err, hallpass.ErrUnavailable) {
			t.Fatalf("Put = %v", err)
		}
		put(t, o, "a")
		time.Sleep(2 * time.Second) // far less than a lease
		if n := len(book.of("a")); n != 1 {
			t.Errorf("delivered %d times", n)
		}
		time.Sleep(10 * time.Minute)
		stop()
		if n := len(book.of("a")); n != 1 {
			t.Errorf("delivered %d times", n)
		}
	})
}

func TestAnOutageOfTheStoreIsWaitedOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, book, log, keys := &tap{CellStore: memstore.New()}, newLedger(), &logBuffer{}, outboxKeys(t)
		cfg := mail.OutboxConfig{Cells: store, Keys: keys, Logger: log.logger(), Deliver: book.deliver(func(context.Context, string) error {
			time.Sleep(2 * time.Second)
			return nil
		})}
		o := newOutbox(t, cfg)
		front := newOutbox(t, cfg)
		for i := range 100 {
			put(t, front, fmt.Sprint(i))
		}
		stop := run(t, o)
		time.Sleep(time.Second) // four are on their way
		store.set(func() { store.down = true })
		if err := o.Put(t.Context(), "b", nil, time.Now().Add(time.Minute)); !errors.Is(err, hallpass.ErrUnavailable) {
			t.Errorf("Put = %v", err)
		}
		swaps, reads, _ := store.counts()
		time.Sleep(5 * time.Minute)
		swapsAfter, readsAfter, _ := store.counts()
		if n := swapsAfter - swaps + readsAfter - reads; n > 300 {
			t.Errorf("the store was asked %d times in five minutes of outage", n)
		}
		store.set(func() { store.down = false })
		time.Sleep(80 * time.Second)
		stop()
		book.wantNoClash(t)
		if jobs, n := book.total(); jobs != 100 || n != 100 {
			t.Errorf("%d jobs in %d deliveries, want 100 in 100", jobs, n)
		}
		for _, line := range []string{"does not answer", "answers again"} {
			if n := strings.Count(log.String(), line); n != 1 {
				t.Errorf("%q is in the log %d times", line, n)
			}
		}
	})
}

func TestJobsOfARestoredStoreAreFoundThoughItsVersionsFell(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, book, keys := &tap{CellStore: memstore.New()}, newLedger(), outboxKeys(t)
		cfg := mail.OutboxConfig{Cells: store, Keys: keys, Deliver: book.deliver(nil)}
		o := newOutbox(t, cfg)
		stop := run(t, o)
		for i := range 200 {
			put(t, o, fmt.Sprint("before ", i))
		}
		time.Sleep(5 * time.Second)
		restored := memstore.New()
		cfg.Cells = restored
		put(t, newOutbox(t, cfg), "after")
		store.restore(restored)
		time.Sleep(5 * time.Minute)
		stop()
		if n := len(book.of("after")); n != 1 {
			t.Errorf("delivered %d times", n)
		}
	})
}

func TestTheEndOfRunReleasesWhatItHolds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, book, other, keys := memstore.New(), newLedger(), newLedger(), outboxKeys(t)
		o := newOutbox(t, mail.OutboxConfig{
			Cells: store, Keys: keys, Workers: 2,
			Deliver: book.deliver(func(ctx context.Context, job string) error {
				if job == "ends" {
					time.Sleep(5 * time.Second)
					return nil
				}
				<-ctx.Done()
				return ctx.Err()
			}),
		})
		stop := run(t, o)
		synctest.Wait()
		for _, id := range []string{"ends", "hangs"} {
			put(t, o, id)
			synctest.Wait()
		}
		for i := range 20 {
			put(t, o, fmt.Sprint("waits ", i))
		}
		second := newOutbox(t, mail.OutboxConfig{Cells: store, Keys: keys, Deliver: other.deliver(nil)})
		stopSecond := run(t, second)
		time.Sleep(time.Second)
		if jobs, _ := other.total(); jobs != 0 {
			t.Errorf("the other process has %d jobs already", jobs)
		}
		began := time.Now()
		stop()
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("Run took %s to end, want the grace of 10s", took)
		}
		time.Sleep(1300 * time.Millisecond)
		stopSecond()
		if jobs, n := other.total(); jobs != 21 || n != 21 {
			t.Errorf("the other process made %d deliveries of %d jobs, want 21", n, jobs)
		}
		if len(other.of("ends")) != 0 || len(other.of("hangs")) != 1 {
			t.Errorf("the one that ended went out %d times more, the one that hung %d", len(other.of("ends")), len(other.of("hangs")))
		}
		if at := other.of("waits 0"); len(at) == 1 && at[0].Sub(began) > 1300*time.Millisecond {
			t.Errorf("a waiting job went out %s after the end began", at[0].Sub(began))
		}
	})
}

func TestAWriteThatArrivesAfterPutFailedIsFoundWithoutWaitingForItsLease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		base, book := memstore.New(), newLedger()
		store := &tap{CellStore: base}
		o := newOutbox(t, mail.OutboxConfig{Cells: store, Deliver: book.deliver(nil)})
		stop := run(t, o)
		synctest.Wait()
		store.set(func() {
			store.onSwap = func(n int, c hallpass.Cell) (error, error) {
				if n > 1 {
					return nil, nil
				}
				time.AfterFunc(5*time.Second, func() { _, _ = base.Swap(context.Background(), c, time.Now()) })
				return errDown, nil
			}
		})
		if err := o.Put(t.Context(), "a", []byte("a"), time.Now().Add(time.Minute)); !errors.Is(err, hallpass.ErrUnavailable) {
			t.Fatalf("Put = %v", err)
		}
		time.Sleep(7 * time.Second)
		if n := len(book.of("a")); n != 1 {
			t.Errorf("delivered %d times", n)
		}
		stop()
	})
}

// The first delivers and is cut off for longer than its lease, the second takes
// over and fails. What the first knows then counts.
func TestADeliveryThatIsWrittenDownLateEndsTheRetriesOfAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		base, keys, first, second := memstore.New(), outboxKeys(t), newLedger(), newLedger()
		store := &tap{CellStore: base}
		o := newOutbox(t, mail.OutboxConfig{Cells: store, Keys: keys, Deliver: first.deliver(func(context.Context, string) error {
			store.set(func() { store.down = true })
			return nil
		})})
		stop := run(t, o)
		synctest.Wait()
		put(t, o, "a")
		other := newOutbox(t, mail.OutboxConfig{
			Cells: base, Keys: keys, MinBackoff: time.Minute,
			Deliver: second.deliver(func(context.Context, string) error { return errors.New("no") }),
		})
		stopOther := run(t, other)
		time.Sleep(65 * time.Second)
		store.set(func() { store.down = false })
		time.Sleep(20 * time.Minute)
		if len(first.of("a")) != 1 || len(second.of("a")) != 1 {
			t.Errorf("delivered %d times by the first, tried %d times by the second, want 1 and 1", len(first.of("a")), len(second.of("a")))
		}
		stop()
		stopOther()
	})
}
