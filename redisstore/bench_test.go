package redisstore_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/needs"
	"github.com/hallpass-go/hallpass/redisstore"
)

// share splits b.N among callers.
func share(b *testing.B, callers int, call func(i int) error) {
	b.Helper()
	var next atomic.Int64
	var all sync.WaitGroup
	b.ResetTimer()
	for range callers {
		all.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= b.N {
					return
				}
				if err := call(i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "/s")
}

func benchUse(p hallpass.Pass, key string) hallpass.Reservation {
	r := useOf(p, key)
	r.Use.ClientIP, r.Use.Method, r.Use.Path = "203.0.113.7", "GET", "/reports/7"
	r.Use.UserAgent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36"
	return r
}

func fill(b *testing.B, s *redisstore.Store, n int, maxUses int64) []hallpass.Entry {
	b.Helper()
	rows := rowsOf(n)
	for i := range rows {
		rows[i].MaxUses = maxUses
	}
	for from := 0; from < n; from += 1000 {
		if err := s.Record(b.Context(), rows[from:min(from+1000, n)]); err != nil {
			b.Fatal(err)
		}
	}
	return rows
}

func BenchmarkReserve(b *testing.B) {
	for _, callers := range []int{1, 32, 256} {
		for _, passes := range []int{1, 10_000} {
			b.Run(fmt.Sprintf("%d callers/%d passes", callers, passes), func(b *testing.B) {
				s := open(b, needs.Redis(b))
				rows := fill(b, s, passes, 0)
				share(b, callers, func(i int) error {
					_, err := s.Reserve(context.Background(), benchUse(rows[i*7919%passes].Pass, ""))
					return err
				})
			})
		}
	}
}

func BenchmarkRefused(b *testing.B) {
	s := open(b, needs.Redis(b))
	p := fill(b, s, 1, 1)[0].Pass
	_, _ = s.Reserve(context.Background(), benchUse(p, ""))
	share(b, 256, func(int) error {
		if _, err := s.Reserve(context.Background(), benchUse(p, "")); err != hallpass.RefusalSpent {
			return fmt.Errorf("Reserve = %v", err)
		}
		return nil
	})
}

func BenchmarkReserveAndSettle(b *testing.B) {
	for _, callers := range []int{1, 32, 256} {
		b.Run(fmt.Sprintf("%d callers", callers), func(b *testing.B) {
			s := open(b, needs.Redis(b))
			rows := fill(b, s, b.N, 1)
			share(b, callers, func(i int) error {
				won, err := s.Reserve(context.Background(), benchUse(rows[i].Pass, "key"))
				if err != nil {
					return err
				}
				_, err = s.Settle(context.Background(), hallpass.Settlement{
					Pass: won.Use.Pass, Use: won.Use.ID, State: hallpass.UseSettled, Status: 200,
				})
				return err
			})
		})
	}
}

func BenchmarkFirstUse(b *testing.B) {
	s := open(b, needs.Redis(b))
	share(b, 256, func(int) error {
		e := rowOf(newID())
		e.Recorded = false
		r := benchUse(e.Pass, "key")
		r.KeepUntil = e.KeepUntil
		_, err := s.Reserve(context.Background(), r)
		return err
	})
}

func BenchmarkAdd(b *testing.B) {
	s := open(b, needs.Redis(b))
	now := time.Now()
	share(b, 256, func(i int) error {
		_, _, err := s.Add(context.Background(), hallpass.Addition{Group: "n", Key: fmt.Sprint(i % 1000), Delta: 1, Window: time.Hour}, now)
		return err
	})
}

func BenchmarkRecord(b *testing.B) {
	s := open(b, needs.Redis(b))
	for b.Loop() {
		fill(b, s, 1000, 10)
	}
	b.ReportMetric(1000*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkCluster(b *testing.B) {
	nodes := needs.RedisCluster(b)
	for _, setting := range []string{"", "&replicas=1"} {
		for _, callers := range []int{1, 32, 256} {
			b.Run(fmt.Sprintf("Reserve%s/%d callers", setting, callers), func(b *testing.B) {
				s := open(b, place(nodes.DSN())+setting)
				rows := fill(b, s, 1000, 0)
				share(b, callers, func(i int) error {
					_, err := s.Reserve(context.Background(), benchUse(rows[i*7919%1000].Pass, ""))
					return err
				})
			})
		}
	}
}
