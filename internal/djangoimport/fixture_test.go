package djangoimport_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/django"
	"github.com/hallpass-go/hallpass/internal/djangoimport"
	"github.com/hallpass-go/hallpass/internal/needs"
	"github.com/hallpass-go/hallpass/memstore"
	"github.com/hallpass-go/hallpass/pgstore"
	"github.com/hallpass-go/hallpass/redisstore"
	"github.com/hallpass-go/hallpass/sqlitestore"
)

// migration is what the real package says about testdata/django-request-token.*.
type migration struct {
	SecretKey string `json:"secret_key"`
	Now       int64  `json:"now"`
	Totals    struct {
		Tokens, Logs  int64
		SumUsedToDate int64 `json:"sum_used_to_date"`
		StillWorking  int   `json:"still_working_at_now"`
	}
	Users []struct {
		ID       int64
		Username string
	}
	Tokens    []migratedToken
	Orphans   []migratedToken         `json:"orphan_tokens"`
	LogDigest struct{ SHA256 string } `json:"log_digest"`
}

type migratedToken struct {
	ID        int64
	Label     string
	JWT       string
	JWTString string `json:"jwt_string_jti"`
	Scope     string
	LoginMode string `json:"login_mode"`
	User      *string
	MaxUses   int64 `json:"max_uses"`
	Used      int64 `json:"used_to_date"`
	Remaining int64 `json:"remaining_uses"`
	Data      json.RawMessage
	Logs      int
	Verdict   struct {
		Verdict string
		Error   string
	} `json:"at_now_in_view_of_row_scope"`
}

func readMigration(t *testing.T) (m migration) {
	t.Helper()
	text, err := os.ReadFile("testdata/django-request-token-migration.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// now is the moment of the verdicts.
func (m migration) now() time.Time { return time.Unix(m.Now, 0).UTC() }

func (m migration) userID(name *string) string {
	for _, u := range m.Users {
		if name != nil && u.Username == *name {
			return json.Number(jsonOf(u.ID)).String()
		}
	}
	return ""
}

func jsonOf(v any) string { text, _ := json.Marshal(v); return string(text) }

// issuer honours what the Django site signed.
func (m migration) issuer(t *testing.T, store hallpass.Store) *hallpass.Issuer {
	t.Helper()
	ring, err := hallpass.NewKeyring()
	if err != nil {
		t.Fatal(err)
	}
	var scopes []hallpass.Scope
	seen := map[string]bool{}
	for _, token := range m.Tokens {
		if !seen[token.Scope] {
			seen[token.Scope] = true
			scopes = append(scopes, hallpass.Scope(token.Scope))
		}
	}
	err = ring.AddForeign(hallpass.ForeignKey{
		ID: "django", Key: m.SecretKey, Form: django.RequestToken{}, Scopes: scopes,
		Modes: []hallpass.Mode{hallpass.ModePublic, hallpass.ModeRequest, hallpass.ModeSession},
	})
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := hallpass.New(hallpass.Config{Keys: ring, Store: store, Now: m.now})
	if err != nil {
		t.Fatal(err)
	}
	return issuer
}

// database is a Django database that a test may change.
type database struct {
	dsn string
	db  *sql.DB
}

func (d database) exec(t *testing.T, text string, args ...any) {
	t.Helper()
	if _, err := d.db.ExecContext(t.Context(), text, args...); err != nil {
		t.Fatal(err)
	}
}

func (d database) number(t *testing.T, text string) (n int64) {
	t.Helper()
	if err := d.db.QueryRowContext(t.Context(), text).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// sqliteDatabase is a copy of the SQLite database.
func sqliteDatabase(t *testing.T) database {
	t.Helper()
	content, err := os.ReadFile("testdata/django-request-token.sqlite3")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "a site's.sqlite3")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return openDatabase(t, "sqlite", path, "sqlite:"+path)
}

// postgresDatabase is the dump in a real PostgreSQL.
func postgresDatabase(t *testing.T) database {
	t.Helper()
	dsn := needs.Postgres(t)
	dump, err := os.Open("testdata/django-request-token.sql")
	if err != nil {
		t.Fatal(err)
	}
	defer dump.Close()
	load := exec.CommandContext(t.Context(), needs.Program(t, "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", dsn)
	load.Stdin = dump
	if out, err := load.CombinedOutput(); err != nil {
		t.Fatalf("psql: %v\n%s", err, bytes.TrimSpace(out))
	}
	return openDatabase(t, "pgx", dsn, dsn)
}

func openDatabase(t *testing.T, driver, name, dsn string) database {
	t.Helper()
	db, err := sql.Open(driver, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return database{dsn: dsn, db: db}
}

// plainStore hides what a store can do beyond the contract.
type plainStore struct{ hallpass.Store }

// stores are what a test may import into.
var stores = map[string]func(*testing.T) hallpass.Store{
	"memory": func(*testing.T) hallpass.Store { return memstore.New() },
	"sqlite": func(t *testing.T) hallpass.Store {
		store, err := sqlitestore.Open(t.Context(), filepath.Join(t.TempDir(), "hallpass.db"), &sqlitestore.Options{Create: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { store.Close() })
		return store
	},
	"postgres": func(t *testing.T) hallpass.Store {
		store, err := pgstore.Open(t.Context(), needs.Postgres(t), &pgstore.Options{Create: true, MaxConns: 4, Timeout: 20 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { store.Close() })
		return store
	},
	"redis":      func(t *testing.T) hallpass.Store { return redisStore(t, needs.Redis(t)) },
	"no history": func(*testing.T) hallpass.Store { return plainStore{memstore.New()} },
}

func redisStore(t *testing.T, dsn string) hallpass.Store {
	t.Helper()
	store, err := redisstore.Open(t.Context(), dsn, &redisstore.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

// run imports and must succeed.
func run(t *testing.T, cfg djangoimport.Config) djangoimport.Report {
	t.Helper()
	report, err := djangoimport.Run(t.Context(), cfg)
	if err != nil {
		t.Fatalf("%v after %s", err, jsonOf(report))
	}
	return report
}

func entry(t *testing.T, store hallpass.Store, row int64) hallpass.Entry {
	t.Helper()
	e, err := store.Entry(t.Context(), django.RequestTokenID("django", row))
	if err != nil {
		t.Fatalf("row %d: %v", row, err)
	}
	return e
}

func usesOf(t *testing.T, store hallpass.Store, pass string) (uses []hallpass.Use) {
	t.Helper()
	after := ""
	for {
		page, err := store.Uses(context.WithoutCancel(t.Context()), hallpass.UseQuery{Pass: pass, After: after, Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		uses = append(uses, page...)
		if len(page) < 100 {
			return uses
		}
		after = page[99].ID
	}
}
