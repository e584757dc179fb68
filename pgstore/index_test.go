package pgstore_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/needs"
	"github.com/hallpass-go/hallpass/pgstore"
)

func TestIndexesAreMadeOnRequestAndStay(t *testing.T) {
	t.Parallel()
	dsn := needs.Postgres(t)
	s := open(t, dsn)
	if got, err := s.Indexes(t.Context()); err != nil || len(got) != 0 {
		t.Fatalf("Indexes = %q, %v; want none", got, err)
	}
	// What an attempt that was broken off leaves.
	mustExec(t, raw(t, dsn), `CREATE INDEX hallpass_passes_by_subject ON hallpass_passes (subject);
		UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'hallpass_passes_by_subject'::regclass`)
	for range 2 {
		again, err := pgstore.Open(t.Context(), dsn, &pgstore.Options{Indexes: []string{"recipient", "subject"}, AllowNoSync: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { again.Close() })
	}
	got, err := s.Indexes(t.Context())
	if slices.Sort(got); err != nil || !slices.Equal(got, []string{"recipient", "subject"}) {
		t.Errorf("Indexes = %q, %v", got, err)
	}
	_, err = pgstore.Open(t.Context(), dsn, &pgstore.Options{Indexes: []string{"data"}, AllowNoSync: true})
	if field, ok := errors.AsType[*hallpass.FieldError](err); !ok || field.Field != "index" {
		t.Errorf("an index that there is not: %v", err)
	}
}

func TestAnOlderDatabaseIsMigrated(t *testing.T) {
	t.Parallel()
	dsn := needs.Postgres(t)
	open(t, dsn).Close()
	mustExec(t, raw(t, dsn), `DROP TABLE hallpass_events; DELETE FROM hallpass_schema WHERE version_id = 2`)
	if _, err := pgstore.Open(t.Context(), dsn, &pgstore.Options{Create: true, AllowNoSync: true}); !errors.Is(err, hallpass.ErrUnavailable) {
		t.Fatalf("Open = %v, want ErrUnavailable", err)
	}
	s, err := pgstore.Open(t.Context(), dsn, &pgstore.Options{Migrate: true, AllowNoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.RecordEvents(t.Context(), []hallpass.Event{{ID: newID(), Kind: hallpass.EventAdmin}}); err != nil {
		t.Error(err)
	}
}
