package pgstore_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/needs"
	"github.com/hallpass-go/hallpass/pgstore"
)

// load redeems passes of one use each and one pass of many, until ctx ends, and
// keeps what was acknowledged. An undecided call is tried again with its key.
type load struct {
	store *pgstore.Store
	many  hallpass.Pass

	mu     sync.Mutex
	uses   map[string]bool // of many
	single map[string]int  // successes by pass
	failed atomic.Int64
}

func startLoad(ctx context.Context, t *testing.T, s *pgstore.Store) (l *load, wait func()) {
	l = &load{store: s, many: fought(1_000_000), uses: map[string]bool{}, single: map[string]int{}}
	var workers sync.WaitGroup
	for range 16 {
		workers.Go(func() {
			for ctx.Err() == nil {
				if won, ok := l.redeem(t, useOf(l.many)); ok {
					l.mu.Lock()
					l.uses[won.Use.ID] = true
					l.mu.Unlock()
				}
				p := fought(1)
				p.ID = newID()
				for range 2 { // the second one is another caller, who must lose
					if _, ok := l.redeem(t, useOf(p)); ok {
						l.mu.Lock()
						l.single[p.ID]++
						l.mu.Unlock()
					}
				}
			}
		})
	}
	return l, workers.Wait
}

// redeem tries until the outcome is known: the key makes that safe.
func (l *load) redeem(t *testing.T, r hallpass.Reservation) (hallpass.Reserved, bool) {
	for began := time.Now(); time.Since(began) < time.Minute; {
		won, err := l.store.Reserve(context.Background(), r)
		switch {
		case err == nil:
			return won, true
		case errors.Is(err, hallpass.RefusalSpent):
			return won, false
		case !errors.Is(err, hallpass.ErrUnavailable):
			t.Errorf("Reserve: %v", err)
			return won, false
		}
		l.failed.Add(1)
		r.Use.ID = newID()
		time.Sleep(5 * time.Millisecond)
	}
	t.Error("the store did not come back")
	return hallpass.Reserved{}, false
}

func (l *load) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.uses)
}

// more waits until n more uses were acknowledged.
func (l *load) more(t *testing.T, n int) {
	t.Helper()
	want := l.count() + n
	for began := time.Now(); l.count() < want; time.Sleep(2 * time.Millisecond) {
		if time.Since(began) > time.Minute {
			t.Fatalf("%d uses after a minute, want %d", l.count(), want)
		}
	}
}

// judge looks with another store's eyes.
func (l *load) judge(t *testing.T, dsn string) {
	t.Helper()
	s := open(t, dsn)
	agree(t, s, l.many.ID, l.uses)
	for id, n := range l.single {
		if n != 1 {
			t.Errorf("a pass of one use was won %d times", n)
		}
		if e, err := s.Entry(t.Context(), id); err != nil || e.Used != 1 {
			t.Errorf("Entry = Used %d, %v, want 1", e.Used, err)
		}
	}
	t.Logf("%d uses and %d passes of one use, %d calls undecided", len(l.uses), len(l.single), l.failed.Load())
}

func TestAKilledServerLosesNothingItAcknowledgedAndNobodyWinsTwice(t *testing.T) {
	t.Parallel()
	server := needs.NewPostgresServer(t)
	dsn := server.Database(t, "crash")
	ctx, stop := context.WithCancel(t.Context())
	l, wait := startLoad(ctx, t, open(t, dsn))
	for range 3 {
		l.more(t, 200)
		server.Kill(t)
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
	}
	l.more(t, 50)
	stop()
	wait()
	l.judge(t, dsn)
	if l.failed.Load() == 0 {
		t.Error("the server was killed and no call noticed")
	}
}

func TestAPromotedStandbyHasEverythingThatWasAcknowledged(t *testing.T) {
	t.Parallel()
	primary := needs.NewPostgresServer(t)
	dsn := primary.Database(t, "failover")
	open(t, dsn)
	standby := primary.Standby(t)
	both := strings.Replace(dsn, primary.Addr(), primary.Addr()+","+standby.Addr(), 1)
	ctx, stop := context.WithCancel(t.Context())
	l, wait := startLoad(ctx, t, open(t, both))
	l.more(t, 300)
	primary.Kill(t)
	standby.Promote(t)
	l.more(t, 300)
	stop()
	wait()
	l.judge(t, standby.DSN("failover"))
}

// brokenPipe passes a connection on, and can cut it off when a text passes.
type brokenPipe struct {
	net.Listener
	to string
	// cut decides what happens to a message that holds COMMIT: nothing, the message
	// is thrown away with the connection, or only its answer is.
	cut atomic.Int32
	n   atomic.Int64
}

const (
	cutNothing int32 = iota
	cutBefore
	cutAfter
)

// distinct is a number that is recognised in what the client sends, as decimal text
// and as a binary parameter, also when a little is added to it.
const (
	distinct       = int64(0x0123456789abcd00)
	distinctDigits = "819855292164866"
	distinctBytes  = "\x01\x23\x45\x67\x89\xab\xcd"
)

func newBrokenPipe(t *testing.T, to string) *brokenPipe {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &brokenPipe{Listener: l, to: to}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(conn)
		}
	}()
	return p
}

func (p *brokenPipe) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.to)
	if err != nil {
		return
	}
	defer server.Close()
	var deaf atomic.Bool
	go func() {
		defer client.Close()
		buffer := make([]byte, 64<<10)
		for {
			n, err := server.Read(buffer)
			if err != nil {
				return
			}
			if !deaf.Load() {
				if _, err := client.Write(buffer[:n]); err != nil {
					return
				}
			}
		}
	}()
	buffer := make([]byte, 1<<20)
	for {
		n, err := client.Read(buffer)
		if err != nil {
			return
		}
		// Only the writes of a transaction, with which its commit comes, have these
		// texts and numbers.
		commits := strings.Contains(string(buffer[:n]), "the-use-to-cut") ||
			strings.Contains(string(buffer[:n]), distinctDigits) || strings.Contains(string(buffer[:n]), distinctBytes)
		switch cut := p.cut.Load(); {
		case cut == cutNothing || !commits:
		case p.cut.CompareAndSwap(cut, cutNothing):
			p.n.Add(1)
			if cut == cutBefore {
				return
			}
			deaf.Store(true)
			if _, err := server.Write(buffer[:n]); err != nil {
				return
			}
			time.Sleep(50 * time.Millisecond) // it commits meanwhile
			return
		}
		if _, err := server.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func TestAConnectionLostAtTheCommitCountsOnceAndIsTold(t *testing.T) {
	t.Parallel()
	dsn := needs.Postgres(t)
	direct := open(t, dsn)
	host, rest, _ := strings.Cut(strings.TrimPrefix(dsn, "postgres://"), "@")
	addr, _, _ := strings.Cut(rest, "/")
	pipe := newBrokenPipe(t, addr)
	s := open(t, "postgres://"+host+"@"+strings.Replace(rest, addr, pipe.Addr().String(), 1))
	for name, cut := range map[string]int32{"before the server got it": cutBefore, "before its answer came": cutAfter} {
		t.Run("a reservation, "+name, func(t *testing.T) {
			p := fought(3)
			p.ID = newID()
			for i := range int64(3) {
				r := useOf(p)
				r.Use.UserAgent = "the-use-to-cut"
				before := pipe.n.Load()
				pipe.cut.Store(cut)
				won, err := s.Reserve(t.Context(), r)
				if err != nil || won.Duplicate || won.Use.ID != r.Use.ID || won.Entry.Used != i+1 {
					t.Fatalf("Reserve = used %d, duplicate %t, %v, want %d", won.Entry.Used, won.Duplicate, err, i+1)
				}
				if pipe.n.Load() == before {
					t.Fatal("nothing was cut off")
				}
			}
			uses, err := direct.Uses(t.Context(), hallpass.UseQuery{Pass: p.ID, Limit: 10})
			if err != nil || len(uses) != 3 {
				t.Errorf("%d uses, %v, want 3", len(uses), err)
			}
		})
		t.Run("a counter and a cell, "+name, func(t *testing.T) {
			group, counted := fmt.Sprint(cut), func(delta int64) (int64, error) {
				value, added, err := s.Add(t.Context(), hallpass.Addition{Group: fmt.Sprint(cut), Key: "n", Delta: delta}, time.Now())
				if err == nil && !added {
					t.Error("nothing was added")
				}
				return value, err
			}
			if _, err := counted(distinct); err != nil {
				t.Fatal(err)
			}
			for want := range int64(3) {
				before := pipe.n.Load()
				pipe.cut.Store(cut)
				value, err := counted(1)
				if err != nil || value != distinct+want+1 {
					t.Fatalf("Add = %d, %v, want %d", value, err, distinct+want+1)
				}
				if pipe.n.Load() == before {
					t.Fatal("nothing was cut off")
				}
			}
			c, err := s.Cell(t.Context(), group, "n", time.Now())
			if err != nil {
				t.Fatal(err)
			}
			c.Value = []byte("the-use-to-cut")
			pipe.cut.Store(cut)
			if written, err := s.Swap(t.Context(), c, time.Now()); err != nil || written.Version <= c.Version {
				t.Errorf("Swap = %+v, %v", written, err)
			}
		})
		t.Run("more uses, "+name, func(t *testing.T) {
			p := fought(distinct)
			p.ID = newID()
			if _, err := s.RevokePass(t.Context(), hallpass.Entry{Pass: p}, time.Now()); err != nil {
				t.Fatal(err)
			}
			for want := range int64(3) {
				before := pipe.n.Load()
				pipe.cut.Store(cut)
				e, err := s.Amend(t.Context(), hallpass.Amendment{Pass: p.ID, AddUses: 1})
				if err != nil || e.MaxUses != distinct+want+1 {
					t.Fatalf("Amend = MaxUses %d, %v, want %d", e.MaxUses, err, distinct+want+1)
				}
				if pipe.n.Load() == before {
					t.Fatal("nothing was cut off")
				}
			}
		})
	}
	pipe.cut.Store(cutNothing)
}

func TestWhileTheServerIsAwayCallsFailFastAndAfterwardsWorkAgain(t *testing.T) {
	t.Parallel()
	server := needs.NewPostgresServer(t)
	s := open(t, server.Database(t, "away"))
	if _, err := s.Reserve(t.Context(), useOf(fought(0))); err != nil {
		t.Fatal(err)
	}
	server.Stop()
	_, err := s.Reserve(t.Context(), useOf(fought(0)))
	if !errors.Is(err, hallpass.ErrUnavailable) {
		t.Fatalf("Reserve = %v, want ErrUnavailable", err)
	}
	began := time.Now()
	for range 1000 {
		if _, err := s.Reserve(t.Context(), useOf(fought(0))); !errors.Is(err, hallpass.ErrUnavailable) {
			t.Fatalf("Reserve = %v, want ErrUnavailable", err)
		}
		if _, err := s.Entry(t.Context(), "x"); !errors.Is(err, hallpass.ErrUnavailable) || strings.Contains(err.Error(), "sesame") {
			t.Fatalf("Entry = %v, want ErrUnavailable without the password", err)
		}
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("2,000 calls took %s", took)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		if _, err = s.Reserve(t.Context(), useOf(fought(0))); err == nil {
			break
		}
		if time.Since(began) > 10*time.Second {
			t.Fatalf("10 s after the server came back: %v", err)
		}
	}
}

// A frozen server accepts connections and answers nothing.
func TestAServerThatDoesNotAnswerIsGivenUpInTime(t *testing.T) {
	t.Parallel()
	dsn := needs.Postgres(t)
	open(t, dsn)
	_, rest, _ := strings.Cut(dsn, "@")
	addr, _, _ := strings.Cut(rest, "/")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var frozen atomic.Bool
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer client.Close()
				server, err := net.Dial("tcp", addr)
				if err != nil {
					return
				}
				defer server.Close()
				go func() {
					_, _ = io.Copy(client, server)
					client.Close()
				}()
				buffer := make([]byte, 64<<10)
				for {
					n, err := client.Read(buffer)
					if err != nil {
						return
					}
					if frozen.Load() {
						continue
					}
					_, _ = server.Write(buffer[:n])
				}
			}()
		}
	}()
	s, err := pgstore.Open(t.Context(), strings.Replace(dsn, addr, l.Addr().String(), 1), &pgstore.Options{Timeout: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	frozen.Store(true)
	began := time.Now()
	for name, call := range map[string]func() error{
		"Reserve": func() error { _, err := s.Reserve(t.Context(), useOf(fought(0))); return err },
		"Entry":   func() error { _, err := s.Entry(t.Context(), "x"); return err },
		"Record":  func() error { return s.Record(t.Context(), []hallpass.Entry{{Pass: fought(1)}}) },
	} {
		if err := call(); !errors.Is(err, hallpass.ErrUnavailable) {
			t.Errorf("%s = %v, want ErrUnavailable", name, err)
		}
	}
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("it took %s", took)
	}
	frozen.Store(false)
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		if _, err = s.Reserve(t.Context(), useOf(fought(0))); err == nil {
			break
		}
		if time.Since(began) > 20*time.Second {
			t.Fatalf("20 s after the server thawed: %v", err)
		}
	}
}

// A commit that its standby has not got would be lost by a failover, also where the
// server gives up waiting and calls it done.
func TestWhatNoStandbyConfirmedIsNotAcknowledged(t *testing.T) {
	t.Parallel()
	primary := needs.NewPostgresServer(t)
	dsn := primary.Database(t, "alone")
	open(t, dsn)
	standby := primary.Standby(t)
	s, err := pgstore.Open(t.Context(), dsn, &pgstore.Options{Timeout: 300 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	standby.Stop()
	type outcome struct {
		won hallpass.Reserved
		err error
	}
	p := fought(5)
	told := make(chan outcome, 1)
	go func() {
		won, err := s.Reserve(context.Background(), useOf(p))
		told <- outcome{won, err}
	}()
	for range 6 {
		select {
		case got := <-told:
			t.Fatalf("Reserve = Used %d, %v without a standby", got.won.Entry.Used, got.err)
		case <-time.After(500 * time.Millisecond):
		}
		primary.SQL(t, "postgres", "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
	}
	if err := standby.Start(); err != nil {
		t.Fatal(err)
	}
	got := <-told
	if got.err != nil || got.won.Entry.Used != 1 || got.won.Duplicate {
		t.Fatalf("Reserve = %+v, %v when the standby was back", got.won, got.err)
	}
	if used := standby.SQL(t, "alone", "SELECT used FROM hallpass_counters"); used != "1" {
		t.Errorf("on the standby: used = %q", used)
	}
}
