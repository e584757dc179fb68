package pgstore_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/needs"
	"github.com/hallpass-go/hallpass/pgstore"
)

// raw connects behind the store's back.
func raw(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func mustExec(t *testing.T, conn *pgx.Conn, text string, args ...any) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), text, args...); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

func scan[T any](t *testing.T, conn *pgx.Conn, text string, args ...any) (v T) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), text, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		prepare func(t *testing.T, dsn string)
		dsn     string // instead of a new database
		suffix  string
		options pgstore.Options
		want    error
		says    string
	}{
		"a database without tables":    {want: hallpass.ErrNotFound, says: "no hallpass tables"},
		"a schema that is not there":   {suffix: "&schema=none", want: hallpass.ErrNotFound, says: "schema none"},
		"a database that is not there": {suffix: "&dbname=none", options: pgstore.Options{Create: true}, want: hallpass.ErrUnavailable, says: "3D000"},
		"a server that is not there":   {dsn: "postgres://u:sesame@127.0.0.1:1/db", want: hallpass.ErrUnavailable, says: "refused"},
		"a newer schema": {
			prepare: func(t *testing.T, dsn string) {
				open(t, dsn)
				mustExec(t, raw(t, dsn), "INSERT INTO hallpass_schema (version_id, is_applied) VALUES (99, true)")
			},
			options: pgstore.Options{Create: true, Migrate: true},
			want:    hallpass.ErrUnavailable, says: "schema 99, made by a newer hallpass",
		},
		"an older schema": {
			prepare: func(t *testing.T, dsn string) {
				open(t, dsn)
				mustExec(t, raw(t, dsn), "DELETE FROM hallpass_schema; INSERT INTO hallpass_schema (version_id, is_applied) VALUES (0, true)")
			},
			want: hallpass.ErrNotFound,
		},
		"a database that is not UTF-8": {
			prepare: func(t *testing.T, dsn string) {
				mustExec(t, raw(t, dsn), "CREATE DATABASE latin ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
			},
			suffix: "&dbname=latin", options: pgstore.Options{Create: true}, want: hallpass.ErrUnavailable, says: "UTF8",
		},
		"one connection":          {options: pgstore.Options{MaxConns: 1}, says: "MaxConns"},
		"a negative queue":        {options: pgstore.Options{QueueLimit: -1}, says: "QueueLimit"},
		"a timeout of nothing":    {options: pgstore.Options{Timeout: time.Nanosecond}, says: "Timeout"},
		"two names of one schema": {suffix: "&schema=a&search_path=b", says: "schema"},
		"a schema that is a list": {suffix: "&schema=a,b", says: "schema"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := tt.dsn
			if dsn == "" {
				dsn = needs.Postgres(t)
			}
			if tt.prepare != nil {
				tt.prepare(t, dsn)
			}
			s, err := pgstore.Open(t.Context(), dsn+tt.suffix, &tt.options)
			if err == nil {
				s.Close()
				t.Fatal("it was opened")
			}
			if (tt.want != nil && !errors.Is(err, tt.want)) || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "sesame") {
				t.Errorf("Open = %v, want %v saying %q and no password", err, tt.want, tt.says)
			}
		})
	}
}

func TestAServerThatDoesNotSynchroniseIsRefused(t *testing.T) {
	t.Parallel()
	server := needs.NewPostgresServer(t)
	dsn := server.Database(t, "unsafe")
	server.SQL(t, "postgres", "ALTER SYSTEM SET fsync = off")
	server.SQL(t, "postgres", "SELECT pg_reload_conf()")
	_, err := pgstore.Open(t.Context(), dsn, &pgstore.Options{Create: true})
	if !errors.Is(err, hallpass.ErrUnavailable) || !strings.Contains(err.Error(), "fsync=off") {
		t.Errorf("Open = %v, want ErrUnavailable about fsync", err)
	}
	s, err := pgstore.Open(t.Context(), dsn, &pgstore.Options{Create: true, AllowNoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
}

// An administrator's, or the role's, default must not make redemptions forgetful.
func TestCommitsAreWaitedForWhateverTheDefaultIs(t *testing.T) {
	t.Parallel()
	for setting, want := range map[string]string{"off": "on", "local": "local", "remote_apply": "remote_apply"} {
		s := open(t, needs.Postgres(t)+"&synchronous_commit="+setting)
		if got := pgstore.Setting(t, s, "synchronous_commit"); got != want {
			t.Errorf("synchronous_commit=%s: commits run with %s, want %s", setting, got, want)
		}
	}
}

func TestSchemasAreStoresOfTheirOwn(t *testing.T) {
	t.Parallel()
	dsn := needs.Postgres(t)
	a, b, public := open(t, dsn+"&schema=a"), open(t, dsn+`&schema=B%20b`), open(t, dsn)
	for i, s := range []*pgstore.Store{a, b, public} {
		for range i + 1 {
			if _, err := s.Reserve(t.Context(), useOf(fought(0))); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i, s := range []*pgstore.Store{a, b, public} {
		if e, err := s.Entry(t.Context(), fought(0).ID); err != nil || e.Used != int64(i+1) {
			t.Errorf("store %d: Used = %d, %v", i, e.Used, err)
		}
	}
}

func TestTextsThatPostgreSQLDoesNotTakeAreToldApart(t *testing.T) {
	t.Parallel()
	s := open(t, needs.Postgres(t))
	for _, text := range []string{"a", "a\x00", "a\x00b", "a\xff", "a\xfe", "\ufffd", "\ufdd0", "\ufdd000", "\x00", "\x7f", "\xed\xa0\x80"} {
		p := fought(1)
		p.ID = text
		r := useOf(p)
		r.Use.Key, r.Use.Path = text, text
		if won, err := s.Reserve(t.Context(), r); err != nil || won.Duplicate {
			t.Errorf("Reserve(%q) = duplicate %t, %v", text, won.Duplicate, err)
		}
		again := useOf(p)
		again.Use.Key = text
		if won, err := s.Reserve(t.Context(), again); err != nil || !won.Duplicate || won.Use.ID != r.Use.ID || won.Use.Path != text {
			t.Errorf("Reserve(%q) again = %+v, %v", text, won, err)
		}
		if e, err := s.Entry(t.Context(), text); err != nil || e.ID != text || e.Used != 1 {
			t.Errorf("Entry(%q) = %q used %d, %v", text, e.ID, e.Used, err)
		}
		c, err := s.Swap(t.Context(), hallpass.Cell{Group: text, Key: text, Value: []byte(text)}, time.Now())
		if err != nil || c.Group != text {
			t.Errorf("Swap(%q) = %+v, %v", text, c, err)
		}
		if cells, err := s.Cells(t.Context(), text, 0, time.Now()); err != nil || len(cells) != 1 || cells[0].Key != text {
			t.Errorf("Cells(%q) = %+v, %v", text, cells, err)
		}
	}
}

func TestAFullQueueIsUnavailableAtOnce(t *testing.T) {
	t.Parallel()
	dsn := needs.Postgres(t)
	open(t, dsn)
	s, err := pgstore.Open(t.Context(), dsn, &pgstore.Options{QueueLimit: 10})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Reserve(t.Context(), useOf(fought(0))); err != nil {
		t.Fatal(err)
	}
	other := raw(t, dsn)
	mustExec(t, other, "BEGIN")
	mustExec(t, other, "SELECT 1 FROM hallpass_counters FOR UPDATE")
	var waiting sync.WaitGroup
	var won, refused atomic.Int64
	for range 30 {
		waiting.Go(func() {
			_, err := s.Reserve(context.Background(), useOf(fought(0)))
			switch {
			case err == nil:
				won.Add(1)
			case errors.Is(err, hallpass.ErrUnavailable) && strings.Contains(err.Error(), "too many"):
				refused.Add(1)
			default:
				t.Errorf("Reserve = %v", err)
			}
		})
	}
	for began := time.Now(); refused.Load() < 20 && time.Since(began) < 3*time.Second; time.Sleep(time.Millisecond) {
	}
	if won.Load() != 0 || refused.Load() != 20 {
		t.Errorf("while the row is locked %d won and %d were turned away, want 0 and 20", won.Load(), refused.Load())
	}
	mustExec(t, other, "COMMIT")
	waiting.Wait()
	if won.Load() != 10 {
		t.Errorf("%d won when the lock had gone, want 10", won.Load())
	}
}

func TestAWriteThatWaitsTooLongForALockIsUnavailable(t *testing.T) {
	t.Parallel()
	dsn := needs.Postgres(t)
	open(t, dsn)
	s, err := pgstore.Open(t.Context(), dsn, &pgstore.Options{Timeout: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Reserve(t.Context(), useOf(fought(0))); err != nil {
		t.Fatal(err)
	}
	other := raw(t, dsn)
	mustExec(t, other, "BEGIN")
	mustExec(t, other, "SELECT 1 FROM hallpass_counters FOR UPDATE")
	if _, err := s.Reserve(t.Context(), useOf(fought(0))); !errors.Is(err, hallpass.ErrUnavailable) {
		t.Errorf("Reserve = %v, want ErrUnavailable", err)
	}
	if e, err := s.Entry(t.Context(), fought(0).ID); err != nil || e.Used != 1 {
		t.Errorf("Entry = Used %d, %v: readers wait for nobody", e.Used, err)
	}
	mustExec(t, other, "COMMIT")
	if _, err := s.Reserve(t.Context(), useOf(fought(0))); err != nil {
		t.Errorf("Reserve = %v when the lock has gone", err)
	}
}

func TestAClosedStoreIsUnavailable(t *testing.T) {
	t.Parallel()
	s := open(t, needs.Postgres(t))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for name, call := range map[string]func() error{
		"Reserve": func() error { _, err := s.Reserve(t.Context(), useOf(fought(1))); return err },
		"Record":  func() error { return s.Record(t.Context(), []hallpass.Entry{{Pass: fought(1)}}) },
		"Entry":   func() error { _, err := s.Entry(t.Context(), "x"); return err },
		"Cells":   func() error { _, err := s.Cells(t.Context(), "g", 0, time.Now()); return err },
		"Prune":   func() error { _, err := s.Prune(t.Context(), hallpass.PruneRule{Now: time.Now()}); return err },
	} {
		if err := call(); !errors.Is(err, hallpass.ErrUnavailable) {
			t.Errorf("%s = %v, want ErrUnavailable", name, err)
		}
	}
}

func TestCheckSchemaNoticesAMigrationByANewerProgram(t *testing.T) {
	t.Parallel()
	dsn := needs.Postgres(t)
	s := open(t, dsn)
	if err := s.CheckSchema(t.Context()); err != nil {
		t.Errorf("a store of this program: %v", err)
	}
	mustExec(t, raw(t, dsn), `INSERT INTO hallpass_schema (version_id, is_applied) VALUES (999, true)`)
	if err := s.CheckSchema(t.Context()); !errors.Is(err, hallpass.ErrUnavailable) {
		t.Errorf("after a newer program's migration: %v", err)
	}
}

// Grouping is what makes one database enough: BenchmarkReserveAmong and docs/scale.md
// have the figures, twelve times and more on a quiet machine. Here other tests run
// beside it.
func TestManyCallersGetSeveralTimesTheUsesOfOne(t *testing.T) {
	t.Parallel()
	s := open(t, needs.Postgres(t))
	p := fought(0)
	rate := func(callers int) float64 {
		var made atomic.Int64
		began := time.Now()
		var all sync.WaitGroup
		for range callers {
			all.Go(func() {
				for time.Since(began) < 400*time.Millisecond {
					if _, err := s.Reserve(context.Background(), useOf(p)); err != nil {
						t.Errorf("Reserve: %v", err)
						return
					}
					made.Add(1)
				}
			})
		}
		all.Wait()
		return float64(made.Load()) / time.Since(began).Seconds()
	}
	var ratios []float64
	for range 5 { // in turn, so that what else the machine does hits both alike
		one := rate(1)
		ratios = append(ratios, rate(64)/one)
	}
	t.Logf("64 callers against one: %.1f", ratios)
	if best := slices.Max(ratios); best < 5 {
		t.Errorf("64 callers get %.1f times the uses of one, want 5 and more", best)
	}
}

func TestObserveIsToldHowManyWritesShareATransaction(t *testing.T) {
	t.Parallel()
	dsn := needs.Postgres(t)
	open(t, dsn)
	var writes, transactions atomic.Int64
	s, err := pgstore.Open(t.Context(), dsn, &pgstore.Options{Observe: func(size int, took time.Duration) {
		transactions.Add(1)
		writes.Add(int64(size))
		if size < 1 || took <= 0 {
			t.Errorf("%d writes in %s", size, took)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			for range 20 {
				if _, err := s.Reserve(context.Background(), useOf(fought(0))); err != nil {
					t.Errorf("Reserve: %v", err)
				}
			}
		})
	}
	all.Wait()
	if writes.Load() != 64*20 || transactions.Load() > 64*20/5 {
		t.Errorf("%d writes in %d transactions; want at least 5 in each on average", writes.Load(), transactions.Load())
	}
}

// The role that serves need not own the tables.
func TestARoleThatMayOnlyReadAndWriteServes(t *testing.T) {
	t.Parallel()
	server := needs.NewPostgresServer(t)
	dsn := server.Database(t, "rights")
	open(t, dsn)
	server.SQL(t, "rights", `CREATE ROLE clerk LOGIN;
		GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO clerk; REVOKE CREATE ON SCHEMA public FROM PUBLIC`)
	s := open(t, strings.Replace(dsn, "hallpass:", "clerk:", 1))
	won, err := s.Reserve(t.Context(), useOf(fought(1)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Settle(t.Context(), hallpass.Settlement{Pass: won.Use.Pass, Use: won.Use.ID, State: hallpass.UseRefunded, MaxRefunds: 3}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Swap(t.Context(), hallpass.Cell{Group: "g", Key: "k"}, time.Now()); err != nil {
		t.Fatal(err)
	}
	year := time.Now().Add(365 * 24 * time.Hour)
	done, err := s.Prune(t.Context(), hallpass.PruneRule{Now: year, UsesBefore: year, KeepUses: -1})
	if err != nil || done.Uses != 1 {
		t.Errorf("Prune = %+v, %v, want one use, row by row", done, err)
	}
}
