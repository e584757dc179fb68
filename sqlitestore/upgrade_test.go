package sqlitestore_test

import (
	"database/sql"
	"errors"
	"testing"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/sqlitestore"
)

// TestAnOlderFileIsMigratedOnRequest: the first schema had no events.
func TestAnOlderFileIsMigratedOnRequest(t *testing.T) {
	t.Parallel()
	path := fresh(t)
	s, err := sqlitestore.Open(t.Context(), path, &sqlitestore.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	p := hallpass.Pass{ID: newID(), Scope: "report", Recorded: true}
	if err := s.Record(t.Context(), []hallpass.Entry{{Pass: p}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{`DROP TABLE events`, `DELETE FROM goose_db_version WHERE version_id = 2`} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	if _, err := sqlitestore.Open(t.Context(), path, &sqlitestore.Options{Create: true}); !errors.Is(err, hallpass.ErrUnavailable) {
		t.Fatalf("Open = %v, want ErrUnavailable", err)
	}
	s, err = sqlitestore.Open(t.Context(), path, &sqlitestore.Options{Migrate: true, Indexes: []string{"recipient"}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Entry(t.Context(), p.ID); err != nil {
		t.Errorf("the pass is gone: %v", err)
	}
	if err := s.RecordEvents(t.Context(), []hallpass.Event{{ID: newID(), Kind: hallpass.EventAdmin}}); err != nil {
		t.Error(err)
	}
	if got, err := s.Indexes(t.Context()); err != nil || len(got) != 1 || got[0] != "recipient" {
		t.Errorf("Indexes = %q, %v", got, err)
	}
}
