package redisstore_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/needs"
	"github.com/hallpass-go/hallpass/redisstore"
)

// load clicks single-use passes, each many times over, and one unlimited pass, and
// keeps book of what was acknowledged.
type load struct {
	s         *redisstore.Store
	rows      []hallpass.Entry
	unlimited hallpass.Pass
	won       []atomic.Int64
	uses      sync.Map // acknowledged use ids, to their pass
	failed    atomic.Int64
	slowest   atomic.Int64
	stopped   atomic.Bool
	all       sync.WaitGroup
}

func startLoad(t *testing.T, s *redisstore.Store, passes int) *load {
	t.Helper()
	l := &load{s: s, rows: rowsOf(passes), won: make([]atomic.Int64, passes), unlimited: fought(0)}
	l.unlimited.ID = newID()
	// Here a busy machine is no failure: repeating is a no-op.
	err := s.Record(t.Context(), l.rows)
	for deadline := time.Now().Add(20 * time.Second); err != nil && time.Now().Before(deadline); {
		err = s.Record(t.Context(), l.rows)
	}
	if err != nil {
		t.Fatal(err)
	}
	for i := range 16 {
		l.all.Go(func() {
			for n := i * 7; !l.stopped.Load(); n++ {
				l.click(t, l.rows[n%passes].Pass, &l.won[n%passes])
				l.click(t, l.unlimited, nil)
			}
		})
	}
	return l
}

func (l *load) click(t *testing.T, p hallpass.Pass, won *atomic.Int64) {
	began := time.Now()
	got, err := l.s.Reserve(t.Context(), useOf(p, ""))
	took := int64(time.Since(began))
	for seen := l.slowest.Load(); took > seen && !l.slowest.CompareAndSwap(seen, took); seen = l.slowest.Load() {
	}
	switch {
	case err == nil:
		l.uses.Store(got.Use.ID, p.ID)
		if won != nil {
			won.Add(1)
		}
	case errors.Is(err, hallpass.RefusalSpent): // somebody else won
	case errors.Is(err, hallpass.ErrUnavailable):
		l.failed.Add(1)
		time.Sleep(10 * time.Millisecond)
	default:
		t.Errorf("Reserve: %v", err)
	}
}

// missing counts the acknowledged uses that the store does not know.
func (l *load) missing(t *testing.T) (missing, acknowledged int) {
	t.Helper()
	kept := map[string]bool{}
	for _, p := range append(l.rows, hallpass.Entry{Pass: l.unlimited}) {
		q := hallpass.UseQuery{Pass: p.ID, Limit: 1000}
		for {
			page, err := l.s.Uses(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, u := range page {
				kept[u.ID] = true
			}
			if len(page) < q.Limit {
				break
			}
			q.After = page[len(page)-1].ID
		}
	}
	l.uses.Range(func(id, _ any) bool {
		acknowledged++
		if !kept[id.(string)] {
			missing++
		}
		return true
	})
	return missing, acknowledged
}

func (l *load) wonTwice() (n int) {
	for i := range l.won {
		if l.won[i].Load() > 1 {
			n++
		}
	}
	return n
}

// inStep waits until the cluster takes writes in every slot range again.
func inStep(t *testing.T, s *redisstore.Store) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		good := 0
		for range 30 {
			p := fought(0)
			p.ID = newID()
			if _, err := s.Reserve(t.Context(), useOf(p, "")); err == nil {
				good++
			}
		}
		if good == 30 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the cluster does not come back")
		}
	}
}

// docs/redis.md: with replicas=1 nothing that was acknowledged is lost when a
// master dies and its replica takes over.
func TestWithReplicasNothingAcknowledgedIsLostWhenAMasterDies(t *testing.T) {
	t.Parallel()
	nodes := needs.RedisCluster(t)
	s := open(t, nodes.DSN()+"&replicas=1&timeout=2s")
	l := startLoad(t, s, 200)
	time.Sleep(500 * time.Millisecond)
	victim := nodes.Masters[0]
	victim.Kill()
	time.Sleep(2500 * time.Millisecond)
	victim.Start(t) // as a replica: its successor may then acknowledge again
	inStep(t, s)
	time.Sleep(300 * time.Millisecond)
	l.stopped.Store(true)
	l.all.Wait()
	missing, acknowledged := l.missing(t)
	if missing > 0 || l.wonTwice() > 0 {
		t.Errorf("%d of %d acknowledged uses are missing, %d single-use passes were won twice", missing, acknowledged, l.wonTwice())
	}
	if acknowledged < 300 {
		t.Errorf("only %d uses were acknowledged; this tested nothing", acknowledged)
	}
	t.Logf("%d acknowledged, %d missing, %d calls unavailable, the slowest took %s",
		acknowledged, missing, l.failed.Load(), time.Duration(l.slowest.Load()))
}

// docs/redis.md: without replicas= a failover may lose the last moments, the rest
// of the cluster goes on meanwhile, nobody hangs, and it comes back by itself.
func TestWhenAMasterDiesTheOthersGoOnAndItsReplicaTakesOver(t *testing.T) {
	t.Parallel()
	nodes := needs.RedisCluster(t)
	s := open(t, nodes.DSN()+"&timeout=1s")
	l := startLoad(t, s, 200)
	time.Sleep(500 * time.Millisecond)
	nodes.Masters[1].Kill()
	// Asked one by one, as all of the load may wait for the dead master at this moment.
	served := false
	for deadline := time.Now().Add(3 * time.Second); !served && time.Now().Before(deadline); {
		p := fought(0)
		p.ID = newID()
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		_, err := s.Reserve(ctx, useOf(p, ""))
		cancel()
		served = err == nil
	}
	if !served {
		t.Error("with one master down nobody was served")
	}
	inStep(t, s)
	time.Sleep(300 * time.Millisecond)
	l.stopped.Store(true)
	l.all.Wait()
	missing, acknowledged := l.missing(t)
	if took := time.Duration(l.slowest.Load()); took > 4*time.Second {
		t.Errorf("a call took %s", took)
	}
	// What the page says is lost at most: about what was on its way to the replica.
	if missing > acknowledged/10 || l.wonTwice() > missing {
		t.Errorf("%d of %d acknowledged uses are missing, %d passes were won twice", missing, acknowledged, l.wonTwice())
	}
	t.Logf("%d acknowledged, %d missing, %d won twice, %d calls unavailable, the slowest took %s",
		acknowledged, missing, l.wonTwice(), l.failed.Load(), time.Duration(l.slowest.Load()))
}

// A replica that takes over without the newest versions would give them again.
func TestAReaderMissesNothingWrittenAfterAFailoverThatLostVersions(t *testing.T) {
	t.Parallel()
	server := needs.NewRedis(t)
	s := open(t, server.DSN()+"/?durability=relaxed")
	write := func(key string) uint64 {
		c, err := s.Swap(t.Context(), hallpass.Cell{Group: "g", Key: key}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return c.Version
	}
	write("old")
	if answer := server.Say(t, "BGREWRITEAOF"); answer[0] != '+' {
		t.Fatal(answer)
	}
	server.Say(t, "CONFIG SET appendonly no") // from here on what is written is lost
	var since uint64
	for i := range 50 {
		since = write(string(rune('a' + i)))
	}
	server.Kill()
	server.Start(t)
	answers(t, s, 5*time.Second)
	write("new")
	news, err := s.Cells(t.Context(), "g", since, time.Now())
	if err != nil || len(news) != 1 || news[0].Key != "new" {
		t.Errorf("the reader is told %+v, %v, want the cell that is new", news, err)
	}
}

// cutOff makes the replicas deaf, so that what is written from here on is on the
// masters alone.
func cutOff(t *testing.T, nodes *needs.RedisNodes) (resume func()) {
	t.Helper()
	for _, replica := range nodes.Replicas {
		replica.Pause()
	}
	for _, master := range nodes.Masters {
		master.Say(t, "CLIENT KILL TYPE replica")
	}
	return sync.OnceFunc(func() {
		for _, replica := range nodes.Replicas {
			replica.Resume()
		}
	})
}

// masterOf is the master that has a pass's row, which stands under the prefix.
func masterOf(t *testing.T, nodes *needs.RedisNodes, p hallpass.Pass) *needs.RedisServer {
	t.Helper()
	for _, master := range nodes.Masters {
		if master.Say(t, "EXISTS hallpass:p{"+p.ID+"}") == ":1" {
			return master
		}
	}
	t.Fatal("no master has the pass")
	return nil
}

// docs/redis.md: a master that dies before its replica has the last writes takes
// them along. This is what it looks like.
func TestWhatNoReplicaHadIsLostWithItsMasterUnlessReplicasAreAskedFor(t *testing.T) {
	t.Parallel()
	nodes := needs.RedisCluster(t)
	plain := open(t, nodes.DSN()+"&timeout=1s")
	careful := open(t, nodes.DSN()+"&timeout=1s&replicas=1")
	p := rowOf(newID())
	other := rowOf(newID())
	other.MaxUses = 2
	for _, e := range []hallpass.Entry{p, other} {
		if err := careful.Record(t.Context(), []hallpass.Entry{e}); err != nil {
			t.Fatal(err)
		}
	}
	resume := cutOff(t, nodes)
	defer resume()
	if _, err := plain.Reserve(t.Context(), useOf(p.Pass, "")); err != nil {
		t.Fatal(err)
	}
	if _, err := plain.Reserve(t.Context(), useOf(p.Pass, "")); !errors.Is(err, hallpass.RefusalSpent) {
		t.Fatalf("Reserve = %v, want the refusal spent", err)
	}
	if _, err := careful.Reserve(t.Context(), useOf(other.Pass, "")); !errors.Is(err, hallpass.ErrUnavailable) {
		t.Errorf("with replicas=1 and none in step Reserve = %v, want ErrUnavailable", err)
	}
	masterOf(t, nodes, p.Pass).Kill()
	resume()
	inStep(t, plain)
	if _, err := plain.Reserve(t.Context(), useOf(p.Pass, "")); err != nil {
		t.Errorf("docs/redis.md says that the pass is good again, but Reserve = %v", err)
	}
}
