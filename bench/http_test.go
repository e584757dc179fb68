// Package bench measures whole requests over loopback. Quote ratios of one run,
// not times: load generator and server share the machine.
//
//	go test -bench . -benchtime 3s ./bench
package bench

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/guard"
	"github.com/hallpass-go/hallpass/memstore"
	"github.com/hallpass-go/hallpass/sqlitestore"
)

// clients is how many connections ask at once.
const clients = 64

var hello = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })

func newIssuer(b *testing.B, store hallpass.Store) *hallpass.Issuer {
	b.Helper()
	key, err := hallpass.GenerateKey(hallpass.HS256)
	if err != nil {
		b.Fatal(err)
	}
	keys, err := hallpass.NewKeyring(key)
	if err != nil {
		b.Fatal(err)
	}
	issuer, err := hallpass.New(hallpass.Config{Keys: keys, Store: store})
	if err != nil {
		b.Fatal(err)
	}
	return issuer
}

func newGuard(b *testing.B, issuer *hallpass.Issuer) *guard.Guard {
	b.Helper()
	g, err := guard.New(guard.Config{Issuer: issuer})
	if err != nil {
		b.Fatal(err)
	}
	return g
}

// load sends b.N requests over clients connections and reports throughput and the
// slowest hundredth.
func load(b *testing.B, handler http.Handler, want int, token func(i int) string) {
	b.Helper()
	server := httptest.NewServer(handler)
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	defer client.CloseIdleConnections()
	times := make([]time.Duration, b.N)
	var next atomic.Int64
	var work sync.WaitGroup
	b.ResetTimer()
	for range clients {
		work.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= b.N {
					return
				}
				req, err := http.NewRequest(http.MethodGet, server.URL, nil)
				if err != nil {
					b.Error(err)
					return
				}
				req.Header.Set("Authorization", "Bearer "+token(i))
				began := time.Now()
				resp, err := client.Do(req)
				if err != nil {
					b.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				times[i] = time.Since(began)
				if resp.StatusCode != want {
					b.Errorf("status %d, want %d", resp.StatusCode, want)
					return
				}
			}
		})
	}
	work.Wait()
	b.StopTimer()
	slices.Sort(times)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
	b.ReportMetric(float64(times[len(times)*99/100].Microseconds())/1000, "p99-ms")
}

// BenchmarkBareHandler is what the guarded ones are compared with. It gets the same
// requests, with a token that nobody looks at.
func BenchmarkBareHandler(b *testing.B) {
	issued, err := newIssuer(b, memstore.New()).Issue(context.Background(), hallpass.Spec{Scope: "api", Unrecorded: true})
	if err != nil {
		b.Fatal(err)
	}
	text := issued.Token.Reveal()
	load(b, hello, http.StatusOK, func(int) string { return text })
}

// BenchmarkGuardUnlimited is a busy API token: verified at each request, its uses
// written behind.
func BenchmarkGuardUnlimited(b *testing.B) {
	for _, audit := range []hallpass.Audit{hallpass.AuditOff, hallpass.AuditBehind} {
		b.Run("audit="+string(audit), func(b *testing.B) {
			store := openSQLite(b)
			issuer := newIssuer(b, store)
			ctx, stop := context.WithCancel(context.Background())
			var running sync.WaitGroup
			running.Go(func() { _ = issuer.Run(ctx) })
			defer running.Wait()
			defer stop()
			issued, err := issuer.Issue(ctx, hallpass.Spec{Scope: "api", MaxUses: hallpass.Unlimited, Unrecorded: true})
			if err != nil {
				b.Fatal(err)
			}
			text := issued.Token.Reveal()
			load(b, newGuard(b, issuer).Require("api", &guard.Options{Audit: audit})(hello), http.StatusOK, func(int) string { return text })
			b.ReportMetric(float64(issuer.Dropped()), "uses-dropped")
		})
	}
}

// BenchmarkRedeemSQLite redeems one single-use pass a request: durable before the
// handler runs, settled after it.
func BenchmarkRedeemSQLite(b *testing.B) { redeem(b, openSQLite(b)) }

// BenchmarkRedeemMemory is the same without a disk.
func BenchmarkRedeemMemory(b *testing.B) { redeem(b, memstore.New()) }

func redeem(b *testing.B, store hallpass.Store) {
	issuer := newIssuer(b, store)
	tokens := make([]string, b.N)
	for i := range tokens {
		issued, err := issuer.Issue(context.Background(), hallpass.Spec{Scope: "once", MaxUses: 1, Unrecorded: true})
		if err != nil {
			b.Fatal(err)
		}
		tokens[i] = issued.Token.Reveal()
	}
	load(b, newGuard(b, issuer).Require("once", nil)(hello), http.StatusOK, func(i int) string { return tokens[i] })
}

// BenchmarkBadSignature is a flood of forgeries.
func BenchmarkBadSignature(b *testing.B) {
	issuer := newIssuer(b, memstore.New())
	issued, err := issuer.Issue(context.Background(), hallpass.Spec{Scope: "once", Unrecorded: true})
	if err != nil {
		b.Fatal(err)
	}
	text := []byte(issued.Token.Reveal())
	if at := len(text) - 20; text[at] == 'A' {
		text[at] = 'B'
	} else {
		text[at] = 'A'
	}
	load(b, newGuard(b, issuer).Require("once", nil)(hello), http.StatusUnauthorized, func(int) string { return string(text) })
}

func openSQLite(b *testing.B) *sqlitestore.Store {
	b.Helper()
	store, err := sqlitestore.Open(context.Background(), filepath.Join(b.TempDir(), "bench.db"), &sqlitestore.Options{Create: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { store.Close() })
	return store
}
