package redisstore_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/needs"
)

// cutter stands before a server and loses answers: now and then it has the server
// do what was asked, throws the answer away and ends the connection.
type cutter struct {
	net.Listener
	server string
	lost   atomic.Int64
	// one in so many answers is lost; 0 loses none.
	oneIn atomic.Int64
}

func newCutter(t *testing.T, server string) *cutter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{Listener: l, server: server}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go c.serve(conn)
		}
	}()
	return c
}

func (c *cutter) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", c.server)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		_, _ = io.Copy(server, client)
		server.Close()
	}()
	buf := make([]byte, 64<<10)
	for {
		n, err := server.Read(buf)
		if err != nil {
			return
		}
		if oneIn := c.oneIn.Load(); oneIn > 0 && rand.N(oneIn) == 0 {
			c.lost.Add(1)
			return
		}
		if _, err := client.Write(buf[:n]); err != nil {
			return
		}
	}
}

func TestWhatIsAskedAgainHappensOnceAndIsAnsweredTruly(t *testing.T) {
	t.Parallel()
	server := needs.NewRedis(t)
	c := newCutter(t, server.Addr)
	s := open(t, "redis://"+c.Addr().String()+"/?timeout=20s")
	now := time.Now()
	recorded := func(maxUses int64) hallpass.Pass {
		e := rowOf(newID())
		e.MaxUses = maxUses
		if err := s.Record(t.Context(), []hallpass.Entry{e}); err != nil {
			t.Fatal(err)
		}
		return e.Pass
	}
	unlimited, limited, amended := recorded(0), recorded(100), recorded(1)
	if _, err := s.Swap(t.Context(), hallpass.Cell{Group: "g", Key: "k", Value: []byte("0")}, now); err != nil {
		t.Fatal(err)
	}
	c.oneIn.Store(8)

	const callers, each = 8, 40
	var won, wonLimited, refunded, added, huge atomic.Int64
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for range each {
				got, err := s.Reserve(t.Context(), useOf(unlimited, ""))
				if err != nil || got.Duplicate {
					t.Errorf("Reserve = duplicate %t, %v", got.Duplicate, err)
					return
				}
				won.Add(1)
				end, err := s.Settle(t.Context(), hallpass.Settlement{
					Pass: unlimited.ID, Use: got.Use.ID, State: hallpass.UseRefunded, MaxRefunds: 50,
				})
				if err != nil {
					t.Errorf("Settle: %v", err)
				}
				if end.State == hallpass.UseRefunded {
					refunded.Add(1)
				}
				switch _, err := s.Reserve(t.Context(), useOf(limited, newID())); {
				case err == nil:
					wonLimited.Add(1)
				case !errors.Is(err, hallpass.RefusalSpent):
					t.Errorf("Reserve: %v", err)
				}
				if _, err := s.Amend(t.Context(), hallpass.Amendment{Pass: amended.ID, AddUses: 1}); err != nil {
					t.Errorf("Amend: %v", err)
				}
				for counter, delta := range map[string]int64{"small": 1, "huge": 1e15} {
					_, ok, err := s.Add(t.Context(), hallpass.Addition{Group: "n", Key: counter, Delta: delta}, now)
					if err != nil || !ok {
						t.Errorf("Add = %t, %v", ok, err)
					} else if delta == 1 {
						added.Add(1)
					} else {
						huge.Add(delta)
					}
				}
				for {
					cell, err := s.Cell(t.Context(), "g", "k", now)
					if err != nil {
						t.Errorf("Cell: %v", err)
						return
					}
					n, _ := strconv.Atoi(string(cell.Value))
					cell.Value = []byte(fmt.Sprint(n + 1))
					if _, err = s.Swap(t.Context(), cell, now); err == nil {
						break
					}
					if !errors.Is(err, hallpass.ErrConflict) {
						t.Errorf("Swap: %v", err)
						return
					}
				}
			}
		})
	}
	all.Wait()
	c.oneIn.Store(0)

	for name, p := range map[string]struct {
		id   string
		want int64
	}{"unlimited": {unlimited.ID, won.Load() - refunded.Load()}, "limited": {limited.ID, 100}} {
		if e, err := s.Entry(t.Context(), p.id); err != nil || e.Used != p.want {
			t.Errorf("%s: Used = %d, %v, want %d", name, e.Used, err, p.want)
		}
	}
	if wonLimited.Load() != 100 || refunded.Load() != 50 {
		t.Errorf("%d won the quota of 100, %d had the 50 refunds", wonLimited.Load(), refunded.Load())
	}
	if e, err := s.Entry(t.Context(), amended.ID); err != nil || e.MaxUses != 1+callers*each {
		t.Errorf("MaxUses = %d, %v, want %d", e.MaxUses, err, 1+callers*each)
	}
	for key, want := range map[string]int64{"small": added.Load(), "huge": huge.Load()} {
		if cell, err := s.Cell(t.Context(), "n", key, now); err != nil || string(cell.Value) != fmt.Sprint(want) {
			t.Errorf("the counter %s is %s, %v, want %d", key, cell.Value, err, want)
		}
	}
	if cell, err := s.Cell(t.Context(), "g", "k", now); err != nil || string(cell.Value) != fmt.Sprint(callers*each) {
		t.Errorf("the cell is %s, %v, want %d", cell.Value, err, callers*each)
	}
	if c.lost.Load() < 50 {
		t.Errorf("only %d answers were lost; this tested nothing", c.lost.Load())
	}
	t.Logf("%d answers were lost", c.lost.Load())
}
