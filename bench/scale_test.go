package bench

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/rueidis"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/needs"
	"github.com/hallpass-go/hallpass/pgstore"
	"github.com/hallpass-go/hallpass/redisstore"
	"github.com/hallpass-go/hallpass/sqlitestore"
)

// BenchmarkScale fills the cost model of docs/scale.md: what a use and a new pass
// cost among so many stored ones, and what they take on the disk, or of memory.
// HALLPASS_BENCH_ROWS says how many, such as 1000,100000: a store of each, asked in
// turn, so that what else the machine does hits all alike. 1,000 by default.
func BenchmarkScale(b *testing.B) {
	var sizes []int
	for text := range strings.SplitSeq(cmp.Or(os.Getenv("HALLPASS_BENCH_ROWS"), "1000"), ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			b.Fatalf("HALLPASS_BENCH_ROWS: %q is no number of rows", text)
		}
		sizes = append(sizes, n)
	}
	for _, kind := range []struct {
		name string
		open func(b *testing.B) filled
	}{{"sqlite", sqliteScale}, {"postgres", postgresScale}, {"redis", redisScale}} {
		b.Run(kind.name, func(b *testing.B) {
			var all []*filled
			for _, rows := range sizes {
				f := kind.open(b)
				f.fill(b, rows)
				all = append(all, &f)
			}
			each := func(name string, measure func(b *testing.B, f *filled)) {
				for _, f := range all {
					b.Run(fmt.Sprintf("%s/%d", name, f.rows), func(b *testing.B) { measure(b, f) })
				}
			}
			for _, callers := range []int{1, 64} {
				each(fmt.Sprintf("any/%d", callers), func(b *testing.B, f *filled) {
					among(b, callers, func(i int) error { return f.use(passAt(i * 7919 % f.rows)) })
				})
				newest := func(b *testing.B, f *filled) {
					among(b, callers, func(i int) error { return f.use(passAt(f.rows - 1 - i*7919%min(f.rows, 100_000))) })
				}
				each(fmt.Sprintf("newest/%d", callers), newest)
			}
			each("size", func(b *testing.B, f *filled) {
				used := f.size(b)
				for b.Loop() {
					continue // only the sizes are of interest
				}
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(float64(f.full-f.empty)/float64(f.rows), "B/pass")
				b.ReportMetric(float64(used-f.full)/float64(f.uses.Load()), "B/use")
				b.ReportMetric(f.loaded, "loaded/s")
			})
			for _, callers := range []int{1, 64} {
				each(fmt.Sprintf("issue/%d", callers), func(b *testing.B, f *filled) {
					among(b, callers, func(int) error {
						next := f.rows + int(f.issued.Add(1))
						return f.store.Record(context.Background(), []hallpass.Entry{entryAt(next)})
					})
				})
			}
		})
	}
}

// touchEvery is fewer passes than a page of their counters has.
const touchEvery = 60

// filled is a store with many passes.
type filled struct {
	store hallpass.Store
	size  func(b *testing.B) int64
	rows  int
	// empty and full are its sizes before and after the rows.
	empty, full  int64
	loaded       float64 // rows a second
	uses, issued atomic.Int64
}

// loadBegan is the moment of the first pass.
var loadBegan = time.Now().UTC().Truncate(time.Millisecond)

// warm makes a few uses, so that no statistics are of empty tables, and returns the
// size from then on.
func (f *filled) warm(b *testing.B) int64 {
	b.Helper()
	p := passAt(-1)
	if err := f.store.Record(b.Context(), []hallpass.Entry{entryAt(-1)}); err != nil {
		b.Fatal(err)
	}
	for range 300 {
		if err := f.use(p); err != nil {
			b.Fatal(err)
		}
	}
	return f.size(b)
}

// idAt makes ids as hallpass does, ordered by time, without keeping ten million of
// them.
func idAt(i int, salt byte) string {
	random := sha256.Sum256(append(binary.BigEndian.AppendUint64(nil, uint64(i)), salt))
	random[0], random[2] = 0x70|random[0]&15, 0x80|random[2]&0x3f
	at := fmt.Sprintf("%012x", loadBegan.UnixMilli()+int64(i/100))
	return fmt.Sprintf("%s-%s-%x-%x-%x", at[:8], at[8:], random[:2], random[2:4], random[4:10])
}

func passAt(i int) hallpass.Pass {
	at := loadBegan.Add(time.Duration(i/100) * time.Millisecond)
	return hallpass.Pass{
		ID: idAt(i, 0), Scope: "newsletter:unsubscribe", Mode: hallpass.ModeRequest, Subject: "user-" + strconv.Itoa(i),
		Recipient: "reader" + strconv.Itoa(i) + "@example.com", Batch: "batch-" + strconv.Itoa(i/100_000),
		IssuedAt: at, ExpiresAt: at.Add(90 * 24 * time.Hour), Recorded: true, Key: "k1",
	}
}

func entryAt(i int) hallpass.Entry {
	p := passAt(i)
	return hallpass.Entry{Pass: p, KeepUntil: p.ExpiresAt.Add(24 * time.Hour)}
}

// fill records the rows.
func (f *filled) fill(b *testing.B, rows int) {
	b.Helper()
	f.rows, f.empty = rows, f.warm(b)
	began := time.Now()
	for from := 0; from < rows; from += 10_000 {
		entries := make([]hallpass.Entry, min(10_000, rows-from))
		for i := range entries {
			entries[i] = entryAt(from + i)
		}
		if err := f.store.Record(b.Context(), entries); err != nil {
			b.Fatal(err)
		}
	}
	f.loaded = float64(rows) / time.Since(began).Seconds()
	f.full = f.size(b)
	f.uses.Store(0)
	// A first write to a page after a checkpoint costs PostgreSQL the whole page: each
	// is written once before anything is measured.
	if err := share(64, (rows+touchEvery-1)/touchEvery, func(i int) error { return f.use(passAt(i * touchEvery)) }); err != nil {
		b.Fatal(err)
	}
}

var usesMade atomic.Int64

// use counts and settles, as a request does.
func (f *filled) use(p hallpass.Pass) error {
	f.uses.Add(1)
	id := idAt(int(usesMade.Add(1)), 1)
	_, err := f.store.Reserve(context.Background(), hallpass.Reservation{Pass: p, Use: hallpass.Use{
		ID: id, Subject: p.Subject, At: time.Now(), ClientIP: "203.0.113.7", Method: "GET", Path: "/unsubscribe",
		UserAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36",
		State:     hallpass.UsePending,
	}})
	if err == nil {
		_, err = f.store.Settle(context.Background(), hallpass.Settlement{Pass: p.ID, Use: id, State: hallpass.UseSettled, Status: 200})
	}
	return err
}

// among splits b.N among callers and reports throughput.
func among(b *testing.B, callers int, call func(i int) error) {
	b.Helper()
	b.ResetTimer()
	if err := share(callers, b.N, call); err != nil {
		b.Error(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "/s")
}

// share makes n calls from several callers.
func share(callers, n int, call func(i int) error) error {
	var next atomic.Int64
	errs := make([]error, callers)
	var all sync.WaitGroup
	for c := range callers {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && errs[c] == nil; i = int(next.Add(1)) - 1 {
				errs[c] = call(i)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

func sqliteScale(b *testing.B) filled {
	file := filepath.Join(b.TempDir(), "hallpass.db")
	store, err := sqlitestore.Open(b.Context(), file, &sqlitestore.Options{Create: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { store.Close() })
	db, err := sql.Open("sqlite", file) // the driver that sqlitestore brings along
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	return filled{store: store, size: func(b *testing.B) int64 {
		if _, err := db.ExecContext(b.Context(), "PRAGMA wal_checkpoint(FULL)"); err != nil {
			b.Fatal(err)
		}
		info, err := os.Stat(file)
		if err != nil {
			b.Fatal(err)
		}
		return info.Size()
	}}
}

// postgresMemory is a quarter of the machine's, as PostgreSQL's manual advises for
// shared_buffers: what ten million counters and their index need fits into it.
const postgresMemory = "shared_buffers=6GB"

func postgresScale(b *testing.B) filled {
	dsn := needs.NewPostgresServer(b, postgresMemory).Database(b, "scale")
	store, err := pgstore.Open(b.Context(), dsn, &pgstore.Options{Create: true, Timeout: time.Minute})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { store.Close() })
	conn, err := pgx.Connect(b.Context(), dsn)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close(context.Background()) })
	return filled{store: store, size: func(b *testing.B) (size int64) {
		// What an autovacuum would have done by now, and what loading left to be written.
		for _, chore := range []string{"VACUUM ANALYZE", "CHECKPOINT"} {
			if _, err := conn.Exec(b.Context(), chore); err != nil {
				b.Fatal(err)
			}
		}
		if err := conn.QueryRow(b.Context(), `SELECT sum(pg_total_relation_size(oid)) FROM pg_class
			WHERE relkind = 'r' AND relname LIKE 'hallpass\_%'`).Scan(&size); err != nil {
			b.Fatal(err)
		}
		return size
	}}
}

func redisScale(b *testing.B) filled {
	server := needs.NewRedis(b, "--auto-aof-rewrite-percentage", "0")
	store, err := redisstore.Open(b.Context(), server.DSN()+"?timeout=30s", &redisstore.Options{Create: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { store.Close() })
	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{server.Addr}, DisableCache: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(client.Close)
	return filled{store: store, size: func(b *testing.B) int64 {
		info, err := client.Do(b.Context(), client.B().Info().Section("memory").Build()).ToString()
		if err != nil {
			b.Fatal(err)
		}
		for line := range strings.Lines(info) {
			if text, found := strings.CutPrefix(strings.TrimSpace(line), "used_memory:"); found {
				n, err := strconv.ParseInt(text, 10, 64)
				if err != nil {
					b.Fatal(err)
				}
				return n
			}
		}
		b.Fatal("redis does not say how much memory it uses")
		return 0
	}}
}
