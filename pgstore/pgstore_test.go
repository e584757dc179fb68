package pgstore_test

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/needs"
	"github.com/hallpass-go/hallpass/pgstore"
	"github.com/hallpass-go/hallpass/storetest"
)

// open opens the database, making the tables, and closes the store when the test
// ends.
func open(t testing.TB, dsn string) *pgstore.Store {
	t.Helper()
	s, err := pgstore.Open(t.Context(), dsn, &pgstore.Options{Create: true, MaxConns: 4, Timeout: 20 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// newID returns a UUIDv7 of this moment.
func newID() string { return idAt(time.Now()) }

func idAt(at time.Time) string {
	var random [10]byte
	rand.Read(random[:])
	digits := fmt.Sprintf("%012x", at.UnixMilli()) + "7" + hex.EncodeToString(random[:])[1:4] + "8" + hex.EncodeToString(random[2:])[1:]
	return digits[:8] + "-" + digits[8:12] + "-" + digits[12:16] + "-" + digits[16:20] + "-" + digits[20:32]
}

func TestStoreKeepsTheContract(t *testing.T) {
	t.Parallel()
	var dsns sync.Map
	storetest.Run(t, func(t *testing.T) hallpass.Store {
		dsn := needs.Postgres(t)
		s := open(t, dsn)
		dsns.Store(s, dsn)
		return s
	}, &storetest.Options{
		Pair: func(t *testing.T) (a, b hallpass.Store) {
			dsn := needs.Postgres(t)
			return open(t, dsn), open(t, dsn)
		},
		Reopen: func(t *testing.T, s hallpass.Store) hallpass.Store {
			dsn, _ := dsns.Load(s)
			if err := s.(*pgstore.Store).Close(); err != nil {
				t.Fatal(err)
			}
			return open(t, dsn.(string))
		},
	})
}
