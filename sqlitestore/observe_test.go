package sqlitestore_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/sqlitestore"
)

func TestObserveIsToldAboutEachTransaction(t *testing.T) {
	t.Parallel()
	var writes, transactions atomic.Int64
	path := filepath.Join(t.TempDir(), "store.db")
	s, err := sqlitestore.Open(t.Context(), path, &sqlitestore.Options{Create: true, Observe: func(size int, took time.Duration) {
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
	now := time.Now().UTC()
	for i := range 3 {
		if _, _, err := s.Add(t.Context(), hallpass.Addition{Group: "g", Key: "k", Delta: 1, Window: time.Hour}, now); err != nil {
			t.Fatalf("Add %d: %v", i, err)
		}
	}
	if writes.Load() != 3 || transactions.Load() != 3 {
		t.Errorf("told of %d writes in %d transactions", writes.Load(), transactions.Load())
	}
}

func TestCheckSchemaNoticesAMigrationByANewerProgram(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "store.db")
	s, err := sqlitestore.Open(t.Context(), path, &sqlitestore.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.CheckSchema(t.Context()); err != nil {
		t.Errorf("a store of this program: %v", err)
	}
	mustExec(t, raw(t, path), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)`)
	if err := s.CheckSchema(t.Context()); !errors.Is(err, hallpass.ErrUnavailable) {
		t.Errorf("after a newer program's migration: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.CheckSchema(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("with an ended context: %v", err)
	}
}
