package pgstore_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/needs"
	"github.com/hallpass-go/hallpass/pgstore"
)

func benchStore(b *testing.B) *pgstore.Store {
	b.Helper()
	s, err := pgstore.Open(b.Context(), needs.Postgres(b), &pgstore.Options{Create: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return s
}

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

// fill records n passes and returns them.
func fill(b *testing.B, s *pgstore.Store, n int, maxUses int64) []hallpass.Pass {
	b.Helper()
	passes := make([]hallpass.Pass, 0, n)
	for len(passes) < n {
		entries := make([]hallpass.Entry, min(10_000, n-len(passes)))
		for i := range entries {
			p := benchPass(maxUses)
			passes = append(passes, p)
			entries[i] = hallpass.Entry{Pass: p, KeepUntil: p.ExpiresAt.Add(24 * time.Hour)}
		}
		if err := s.Record(b.Context(), entries); err != nil {
			b.Fatal(err)
		}
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
	for _, callers := range []int{1, 8, 64, 256} {
		for _, kind := range []string{"one pass", "at random"} {
			b.Run(fmt.Sprintf("%d callers/%s", callers, kind), func(b *testing.B) {
				s := benchStore(b)
				passes := 10_000
				if kind == "one pass" {
					passes = 1
				}
				filled := fill(b, s, passes, 0)
				share(b, callers, func(i int) error {
					_, err := s.Reserve(context.Background(), benchUse(filled[i*7919%passes], ""))
					return err
				})
			})
		}
	}
}

func BenchmarkReserveAndSettle(b *testing.B) {
	for _, callers := range []int{1, 64, 256} {
		b.Run(fmt.Sprintf("%d callers", callers), func(b *testing.B) {
			s := benchStore(b)
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
	s := benchStore(b)
	share(b, 64, func(int) error {
		p := benchPass(1)
		p.Recorded = false
		_, err := s.Reserve(context.Background(), benchUse(p, "key"))
		return err
	})
}

func BenchmarkRecord(b *testing.B) {
	s := benchStore(b)
	for b.Loop() {
		fill(b, s, 1000, 10)
	}
	b.ReportMetric(1000*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkAdd(b *testing.B) {
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprintf("%d callers", callers), func(b *testing.B) {
			s := benchStore(b)
			share(b, callers, func(i int) error {
				_, _, err := s.Add(context.Background(), hallpass.Addition{Group: "g", Key: strconv.Itoa(i % 1000), Delta: 1, Window: time.Hour}, time.Now())
				return err
			})
		})
	}
}

// BenchmarkReserveAmong redeems among as many stored passes as
// PGSTORE_BENCH_PASSES says, 100,000 by default.
func BenchmarkReserveAmong(b *testing.B) {
	stored := 100_000
	if n, err := strconv.Atoi(os.Getenv("PGSTORE_BENCH_PASSES")); err == nil {
		stored = n
	}
	s := benchStore(b)
	filled := fill(b, s, stored, 0)
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprintf("%d passes/%d callers", stored, callers), func(b *testing.B) {
			share(b, callers, func(i int) error {
				won, err := s.Reserve(context.Background(), benchUse(filled[i*7919%stored], ""))
				if err == nil {
					_, err = s.Settle(context.Background(), hallpass.Settlement{Pass: won.Use.Pass, Use: won.Use.ID, State: hallpass.UseSettled, Status: 200})
				}
				return err
			})
		})
	}
}
