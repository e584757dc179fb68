package sqlitestore_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/sqlitestore"
)

// raw opens the file behind the store's back.
func raw(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	return db
}

func mustExec(t *testing.T, db *sql.DB, text string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), text); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		prepare func(t *testing.T, path string)
		options sqlitestore.Options
		want    error
		says    string
	}{
		"a file that is missing": {
			prepare: func(*testing.T, string) {},
			want:    hallpass.ErrNotFound, says: "no store at",
		},
		"a folder that is missing": {
			prepare: func(t *testing.T, path string) { os.Remove(filepath.Dir(path)) },
			options: sqlitestore.Options{Create: true},
			want:    hallpass.ErrUnavailable, says: "no such folder",
		},
		"an empty file": {
			prepare: func(t *testing.T, path string) { os.WriteFile(path, nil, 0o600) },
			want:    hallpass.ErrNotFound, says: "empty",
		},
		"a file that is no database": {
			prepare: func(t *testing.T, path string) { os.WriteFile(path, []byte(strings.Repeat("text ", 1000)), 0o600) },
			options: sqlitestore.Options{Create: true, Migrate: true},
			want:    hallpass.ErrUnavailable, says: "not a database",
		},
		"a folder": {
			prepare: func(t *testing.T, path string) { os.Mkdir(path, 0o700) },
			options: sqlitestore.Options{Create: true},
			want:    hallpass.ErrUnavailable,
		},
		"another program's database": {
			prepare: func(t *testing.T, path string) { mustExec(t, raw(t, path), "CREATE TABLE django_session (id)") },
			options: sqlitestore.Options{Create: true, Migrate: true},
			want:    hallpass.ErrUnavailable, says: "another program",
		},
		"a newer schema": {
			prepare: func(t *testing.T, path string) {
				open(t, path)
				mustExec(t, raw(t, path), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)")
			},
			options: sqlitestore.Options{Create: true, Migrate: true},
			want:    hallpass.ErrUnavailable, says: "schema 99, made by a newer hallpass",
		},
		"negative readers": {
			prepare: func(*testing.T, string) {},
			options: sqlitestore.Options{Readers: -1},
			says:    "Readers",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := fresh(t)
			tt.prepare(t, path)
			s, err := sqlitestore.Open(t.Context(), path, &tt.options)
			if err == nil {
				s.Close()
				t.Fatal("it was opened")
			}
			if (tt.want != nil && !errors.Is(err, tt.want)) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("Open = %v, want %v saying %q", err, tt.want, tt.says)
			}
		})
	}
}

func TestOpenWithoutCreateFindsTheStore(t *testing.T) {
	t.Parallel()
	path := fresh(t)
	open(t, path)
	s, err := sqlitestore.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
}

func TestTheFilesAreTheirOwnersAlone(t *testing.T) {
	t.Parallel()
	path := fresh(t)
	s := open(t, path)
	if _, err := s.Reserve(t.Context(), childUse(fought(1))); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(file)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("Stat(%s) = %v, %v, want mode 0600", filepath.Base(file), info, err)
		}
	}
}

// A path is no URI: "?mode=memory" in a name once kept everything in memory.
func TestPathsOfAnyTextNameTheirFile(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a b.db", "100%.db", "a?mode=memory&x=y.db", "#1.db", "%41.db", "ü.db", ":memory:"} {
		path := filepath.Join(t.TempDir(), name)
		open(t, path)
		if info, err := os.Stat(path); err != nil || info.Size() == 0 {
			t.Errorf("%q: no file was written: %v", name, err)
		}
	}
}

func TestAClosedStoreIsUnavailable(t *testing.T) {
	t.Parallel()
	s := open(t, fresh(t))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for name, call := range map[string]func() error{
		"Reserve": func() error { _, err := s.Reserve(t.Context(), childUse(fought(1))); return err },
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

func TestAWriteThatWaitsTooLongForAnotherProcessIsUnavailable(t *testing.T) {
	t.Parallel()
	path := fresh(t)
	open(t, path)
	s, err := sqlitestore.Open(t.Context(), path, &sqlitestore.Options{BusyTimeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	other := raw(t, path)
	mustExec(t, other, "BEGIN IMMEDIATE")

	if _, err := s.Reserve(t.Context(), childUse(fought(1))); !errors.Is(err, hallpass.ErrUnavailable) {
		t.Errorf("Reserve = %v, want ErrUnavailable", err)
	}
	if _, err := s.Entry(t.Context(), "x"); !errors.Is(err, hallpass.ErrNotFound) {
		t.Errorf("Entry = %v: a writer must not stop readers", err)
	}
	mustExec(t, other, "COMMIT")
	if _, err := s.Reserve(t.Context(), childUse(fought(1))); err != nil {
		t.Errorf("Reserve = %v when the other process is done", err)
	}
}

func TestACallerWhoLeavesDoesNotWaitForAnotherProcess(t *testing.T) {
	t.Parallel()
	path := fresh(t)
	s := open(t, path)
	other := raw(t, path)
	mustExec(t, other, "BEGIN IMMEDIATE")
	defer mustExec(t, other, "COMMIT")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if err := s.Record(ctx, []hallpass.Entry{{Pass: fought(1)}}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Record = %v, want the context's error", err)
	}
}

// Texts reach SQLite as parameters and as JSON; neither may change a byte.
func TestTextsThatAreNoUTF8AreToldApart(t *testing.T) {
	t.Parallel()
	s := open(t, fresh(t))
	texts := []string{"a", "a\x00", "a\x00b", "a\xff", "a\xfe", "\ufffd", "a\ufffd", "\x7f", "\x1f\t\"\\"}
	for _, text := range texts {
		p := fought(1)
		p.ID = text
		r := childUse(p)
		r.Use.Key = text
		if won, err := s.Reserve(t.Context(), r); err != nil || won.Duplicate {
			t.Errorf("Reserve(%q) = duplicate %t, %v", text, won.Duplicate, err)
		}
		again := childUse(p)
		again.Use.Key = text
		if won, err := s.Reserve(t.Context(), again); err != nil || !won.Duplicate || won.Use.ID != r.Use.ID {
			t.Errorf("Reserve(%q) again = duplicate %t, %v", text, won.Duplicate, err)
		}
		if e, err := s.Entry(t.Context(), text); err != nil || e.ID != text || e.Used != 1 {
			t.Errorf("Entry(%q) = %q used %d, %v", text, e.ID, e.Used, err)
		}
	}
}
