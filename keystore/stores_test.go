package keystore_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/memstore"
	"github.com/hallpass-go/hallpass/sqlitestore"
)

// opener opens the same store again each time, as another process would.
type opener func(t *testing.T) hallpass.Store

func eachStore(t *testing.T, test func(t *testing.T, open opener)) {
	t.Helper()
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		store := memstore.New()
		test(t, func(*testing.T) hallpass.Store { return store })
	})
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "keys.db")
		test(t, func(t *testing.T) hallpass.Store {
			store, err := sqlitestore.Open(t.Context(), path, &sqlitestore.Options{Create: true})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = store.Close() })
			return store
		})
	})
}

func cell(t *testing.T, store hallpass.Store) []byte {
	t.Helper()
	c, err := store.Cell(t.Context(), "keys", "ring", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return c.Value
}
