package sqlitestore_test

import (
	"database/sql"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/sqlitestore"
)

// largeRows is how many passes, uses and events BenchmarkLarge has: HALLPASS_BENCH_ROWS,
// which is 10,000,000 in docs/audit.md.
func largeRows(b *testing.B) int64 {
	n, err := strconv.ParseInt(os.Getenv("HALLPASS_BENCH_ROWS"), 10, 64)
	if err != nil {
		return 200_000
	}
	return n
}

var largeEnd = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// largeID is the SQL of the id of row i of n, over the 30 days before largeEnd.
func largeID(n int64) string {
	from := largeEnd.Add(-30 * 24 * time.Hour).UnixMilli()
	milli := fmt.Sprintf("(%d + i * %d / %d)", from, 30*24*time.Hour.Milliseconds(), n)
	return fmt.Sprintf("printf('%%08x-%%04x-7000-8000-%%012x', %s >> 16, %s & 65535, i)", milli, milli)
}

// fillLarge makes the rows by SQL, in the order of their ids.
func fillLarge(b *testing.B, path string, n int64) {
	b.Helper()
	if err := open(b, path).Close(); err != nil {
		b.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+path+"?_synchronous=OFF")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	from := largeEnd.Add(-30 * 24 * time.Hour).UnixMicro()
	at := fmt.Sprintf("(%d + i * %d / %d)", from, 30*24*time.Hour.Microseconds(), n)
	rows := fmt.Sprintf("WITH RECURSIVE seq (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM seq WHERE i < %d) ", n-1)
	for _, statement := range []string{
		`INSERT INTO passes (id, scope, mode, subject, data, grants, recipient, batch, target, issued_at, not_before, recorded, key, browser) ` + rows +
			`SELECT ` + largeID(n) + `, 'scope-' || (i % 20), 'request', 'user-' || (i % 1000003), NULL, NULL, 'user-' || (i % 1000003) || '@example.com',
			'batch-' || (i / 100000), '', ` + at + `, NULL, 1, 'k1', '' FROM seq`,
		`INSERT INTO counters ` + rows + `SELECT i + 1, 1, i % 2, 0, NULL, ` + at + ` + 86400000000, NULL FROM seq`,
		`INSERT INTO uses ` + rows + `SELECT ` + largeID(n) + `, (SELECT id FROM passes WHERE n = 1 + i / 10 * 10), 'user-' || (i % 1000003), ` + at + `,
			'203.0.113.7', 'Mozilla/5.0 (X11; Linux x86_64)', 'GET', '/reports/7', 200, 'settled', NULL FROM seq`,
		`INSERT INTO events ` + rows + `SELECT ` + largeID(n) + `, ` + at + `, iif(i % 100003 = 0, 'admin', iif(i % 3 = 0, 'refused', 'scanned')),
			(SELECT id FROM passes WHERE n = 1 + i / 10 * 10), 'scope-1', 'user-1', 'batch-1', iif(i % 3 = 0, 'spent', ''),
			iif(i % 100003 = 0, 'op-1', ''), '', '', '203.0.113.7', 'Mozilla/5.0', 'GET', '/r' FROM seq`,
	} {
		if _, err := db.ExecContext(b.Context(), statement); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLarge is what the admin's pages ask of a store with very many rows.
func BenchmarkLarge(b *testing.B) {
	n := largeRows(b)
	path := b.TempDir() + "/large.db"
	began := time.Now()
	fillLarge(b, path, n)
	filled := time.Since(began)
	s, err := sqlitestore.Open(b.Context(), path, &sqlitestore.Options{Indexes: []string{"subject", "recipient"}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	b.Logf("%d rows in %s, indexes in %s", n, filled, time.Since(began)-filled)
	i, err := sealIssuer(s, func() time.Time { return largeEnd })
	if err != nil {
		b.Fatal(err)
	}
	middle := largeEnd.Add(-15 * 24 * time.Hour)
	page, err := i.Uses(b.Context(), hallpass.UseQuery{Since: middle, Until: middle.Add(time.Hour), Limit: 1})
	if err != nil || len(page.Uses) != 1 {
		b.Fatal(page, err)
	}
	pass := page.Uses[0].Pass
	uses := func(q hallpass.UseQuery) func() (int, error) {
		return func() (int, error) { p, err := i.Uses(b.Context(), q); return len(p.Uses), err }
	}
	events := func(f hallpass.EventFilter) func() (int, error) {
		return func() (int, error) { p, err := i.Events(b.Context(), f); return len(p.Events), err }
	}
	entries := func(f hallpass.EntryFilter) func() (int, error) {
		return func() (int, error) { p, err := i.Entries(b.Context(), f); return len(p.Entries), err }
	}
	for _, tt := range []struct {
		name string
		ask  func() (int, error)
		want int // at least
	}{
		{"uses, newest", uses(hallpass.UseQuery{}), 50},
		{"uses of a pass", uses(hallpass.UseQuery{Pass: pass}), 1},
		{"uses of an hour", uses(hallpass.UseQuery{Since: middle, Until: middle.Add(time.Hour)}), 50},
		{"uses of a subject in an hour", uses(hallpass.UseQuery{Since: middle, Until: middle.Add(time.Hour), Subject: "nobody"}), 0},
		{"uses of a subject nobody has", uses(hallpass.UseQuery{Subject: "nobody"}), 0},
		{"events, newest", events(hallpass.EventFilter{}), 50},
		{"events of a pass", events(hallpass.EventFilter{Pass: pass}), 1},
		{"events of operators", events(hallpass.EventFilter{Kind: hallpass.EventAdmin}), 1},
		{"events of one operator in a day", events(hallpass.EventFilter{Actor: "op-1", Since: middle, Until: middle.Add(24 * time.Hour)}), 0},
		{"events refused for a reason nothing has", events(hallpass.EventFilter{Kind: hallpass.EventRefused, Reason: hallpass.RefusalExpired}), 0},
		{"events refused for a reason many have", events(hallpass.EventFilter{Kind: hallpass.EventRefused, Reason: hallpass.RefusalSpent}), 50},
		{"events of a pass and a kind", events(hallpass.EventFilter{Kind: hallpass.EventRefused, Pass: pass}), 0},
		{"passes, newest", entries(hallpass.EntryFilter{}), 50},
		{"passes of a scope", entries(hallpass.EntryFilter{Scope: "scope-7"}), 50},
		{"passes of a subject", entries(hallpass.EntryFilter{Subject: "user-7"}), 1},
		{"passes of a recipient", entries(hallpass.EntryFilter{Recipient: "user-7@example.com"}), 1},
		{"passes searched for", entries(hallpass.EntryFilter{Query: "user-7@example.com"}), 1},
		{"passes searched for in vain", entries(hallpass.EntryFilter{Query: "nobody"}), 0},
		{"passes in a state none has", entries(hallpass.EntryFilter{State: hallpass.StateRevoked}), 0},
		{"passes that end soon", entries(hallpass.EntryFilter{State: hallpass.StateActive, ExpiringBefore: largeEnd.Add(time.Hour)}), 0},
	} {
		b.Run(tt.name, func(b *testing.B) {
			for b.Loop() {
				if got, err := tt.ask(); err != nil || got < tt.want {
					b.Fatal(got, err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/page")
		})
	}
}
