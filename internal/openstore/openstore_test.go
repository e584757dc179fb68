package openstore_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/needs"
	"github.com/hallpass-go/hallpass/internal/openstore"
)

func TestADSNThatNamesNoStoreIsAFieldErrorAndNeverRepeated(t *testing.T) {
	t.Parallel()
	for _, dsn := range []string{
		"", "hallpass.db", "sqlite:", "sqlite::memory:", "memory:", "memory:x", "SQLITE:a", "mysql://u:sesame@h/db",
		"postgres://u:sesame@h:port/db", "postgresql://u:sesame%zz@h/db", "postgres:u:sesame", "postgres://u:sesame@h/db?sslmode=sesame",
		"postgres://u:sesame@h/db?pool_max_conns=1", "redis://:sesame@h:port", "rediss://:sesame@h?tls_ca=/sesame", "redis:sesame", "redis://h?sesame=1",
	} {
		_, err := openstore.Open(t.Context(), dsn, nil)
		var field *hallpass.FieldError
		if !errors.As(err, &field) || field.Field != "store" || strings.Contains(err.Error(), "sesame") {
			t.Errorf("Open(%q) = %v, want a FieldError of store without the password", dsn, err)
		}
		if check := openstore.Check(dsn, nil); check == nil || check.Error() != err.Error() {
			t.Errorf("Check(%q) = %v, want what Open says: %v", dsn, check, err)
		}
	}
}

func TestAFileIsMadeOnlyWhenAsked(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a store.db")
	_, err := openstore.Open(t.Context(), "sqlite:"+path, nil)
	if !errors.Is(err, hallpass.ErrUnavailable) || errors.Is(err, hallpass.ErrNotFound) || !strings.Contains(err.Error(), "hallpass migrate") {
		t.Fatalf("without Create: %v, want an ErrUnavailable that says how to make one", err)
	}
	for _, created := range []bool{true, false} {
		store, err := openstore.Open(t.Context(), "sqlite:"+path, &openstore.Options{Create: true})
		if err != nil {
			t.Fatal(err)
		}
		if store.Created != created || store.Kind != openstore.SQLite || store.Name != path {
			t.Errorf("got created %v, %s %s; want %v, sqlite %s", store.Created, store.Kind, store.Name, created, path)
		}
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestMemoryIsForThoseWhoLiveLongEnough(t *testing.T) {
	t.Parallel()
	store, err := openstore.Open(t.Context(), "memory:", &openstore.Options{Memory: true})
	if err != nil || store.Kind != openstore.Memory || !store.Created {
		t.Fatalf("%+v, %v", store, err)
	}
	if err := store.Close(); err != nil {
		t.Error(err)
	}
}

func TestAPostgreSQLDatabaseIsFilledOnlyWhenAskedAndWantsAMasterKey(t *testing.T) {
	t.Parallel()
	dsn := needs.Postgres(t)
	_, err := openstore.Open(t.Context(), dsn, nil)
	if !errors.Is(err, hallpass.ErrUnavailable) || errors.Is(err, hallpass.ErrNotFound) || !strings.Contains(err.Error(), "hallpass migrate") {
		t.Fatalf("without Create: %v, want an ErrUnavailable that says how to make the tables", err)
	}
	for _, created := range []bool{true, false} {
		store, err := openstore.Open(t.Context(), dsn, &openstore.Options{Create: true})
		if err != nil {
			t.Fatal(err)
		}
		if store.Created != created || store.Kind != openstore.Postgres || !store.NeedsMaster || strings.Contains(store.Name, "sesame") {
			t.Errorf("%+v", store)
		}
		if err := store.CheckSchema(t.Context()); err != nil {
			t.Error(err)
		}
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestARedisServerIsFilledOnlyWhenAskedAndHasNoKeyAlone(t *testing.T) {
	t.Parallel()
	t.Cleanup(needs.StopRedis) // no other test here has one
	dsn := needs.Redis(t)
	if kind := openstore.KindOf(dsn); kind != openstore.Redis {
		t.Errorf("KindOf = %q", kind)
	}
	_, err := openstore.Open(t.Context(), dsn, nil)
	if !errors.Is(err, hallpass.ErrUnavailable) || errors.Is(err, hallpass.ErrNotFound) || !strings.Contains(err.Error(), "hallpass migrate") {
		t.Fatalf("without Create: %v, want an ErrUnavailable that says how to make the store", err)
	}
	for _, created := range []bool{true, false} {
		store, err := openstore.Open(t.Context(), dsn, &openstore.Options{Create: true})
		if err != nil {
			t.Fatal(err)
		}
		if store.Created != created || store.Kind != openstore.Redis || !store.NeedsMaster || !store.NoSoleKey || store.Name == "" {
			t.Errorf("%+v", store)
		}
		if err := store.CheckSchema(t.Context()); err != nil {
			t.Error(err)
		}
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestAServerThatIsNotThereIsUnavailableAndItsPasswordUnsaid(t *testing.T) {
	t.Parallel()
	for _, dsn := range []string{"postgres://u:sesame@127.0.0.1:1/db", "redis://u:sesame@127.0.0.1:1", "redis://u:sesame@127.0.0.1:1,127.0.0.1:2"} {
		_, err := openstore.Open(t.Context(), dsn, &openstore.Options{Create: true})
		if !errors.Is(err, hallpass.ErrUnavailable) || strings.Contains(err.Error(), "sesame") || strings.Contains(err.Error(), "\n") {
			t.Errorf("Open = %v, want one line without the password", err)
		}
	}
}
