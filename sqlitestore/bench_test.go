package sqlitestore_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/sqlitestore"
)

func benchPass(maxUses int64) hallpass.Pass {
	now := time.Now()
	return hallpass.Pass{
		ID: newID(), Scope: "report:read", Mode: hallpass.ModeRequest, Subject: "user-7",
		Recipient: "reader@example.com", Batch: "spring", IssuedAt: now, ExpiresAt: now.Add(time.Hour),
		MaxUses: maxUses, Recorded: true, Key: "k1",
	}
}

func benchUse(p hallpass.Pass, key string) hallpass.Reservation {
	return hallpass.Reservation{Pass: p, Use: hallpass.Use{
		ID: newID(), Subject: p.Subject, At: time.Now(), ClientIP: "203.0.113.7",
		UserAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36",
		Method:    "GET", Path: "/reports/7", State: hallpass.UsePending, Key: key,
	}}
}

// fill records n passes.
func fill(b *testing.B, s *sqlitestore.Store, n int, maxUses int64) []hallpass.Pass {
	b.Helper()
	passes := make([]hallpass.Pass, n)
	entries := make([]hallpass.Entry, n)
	for i := range passes {
		passes[i] = benchPass(maxUses)
		entries[i] = hallpass.Entry{Pass: passes[i], KeepUntil: passes[i].ExpiresAt.Add(24 * time.Hour)}
	}
	if err := s.Record(b.Context(), entries); err != nil {
		b.Fatal(err)
	}
	return passes
}

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

func BenchmarkReserve(b *testing.B) {
	for _, callers := range []int{1, 32, 64, 256} {
		for _, kind := range []string{"one pass", "each its own", "at random"} {
			b.Run(fmt.Sprintf("%d callers/%s", callers, kind), func(b *testing.B) {
				s := open(b, b.TempDir()+"/bench.db")
				passes := 10_000
				switch kind {
				case "one pass":
					passes = 1
				case "each its own":
					passes = b.N
				}
				filled := fill(b, s, passes, 0)
				share(b, callers, func(i int) error {
					if kind == "at random" {
						i = i * 7919
					}
					_, err := s.Reserve(context.Background(), benchUse(filled[i%passes], ""))
					return err
				})
			})
		}
	}
}

func BenchmarkReserveAndSettle(b *testing.B) {
	for _, callers := range []int{1, 64, 256} {
		b.Run(fmt.Sprintf("%d callers", callers), func(b *testing.B) {
			s := open(b, b.TempDir()+"/bench.db")
			passes := fill(b, s, b.N, 1)
			share(b, callers, func(i int) error {
				won, err := s.Reserve(context.Background(), benchUse(passes[i], "key"))
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
	s := open(b, b.TempDir()+"/bench.db")
	share(b, 64, func(int) error {
		p := benchPass(1)
		p.Recorded = false
		_, err := s.Reserve(context.Background(), benchUse(p, "key"))
		return err
	})
}

func BenchmarkRecord(b *testing.B) {
	s := open(b, b.TempDir()+"/bench.db")
	for b.Loop() {
		fill(b, s, 1000, 10)
	}
	b.ReportMetric(1000*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
