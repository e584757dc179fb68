package redisstore_test

import (
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/needs"
	"github.com/hallpass-go/hallpass/redisstore"
	"github.com/hallpass-go/hallpass/storetest"
)

// open opens dsn, creating the store, and closes it when the test ends.
func open(t testing.TB, dsn string) *redisstore.Store {
	t.Helper()
	s, err := redisstore.Open(t.Context(), dsn, &redisstore.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// newID returns a time-ordered id that no other process makes.
func newID() string { return fmt.Sprintf("%016x-%s", time.Now().UnixMicro(), rand.Text()[:18]) }

// keepsTheContract runs the suite on what fresh names, a new place each time.
func keepsTheContract(t *testing.T, fresh func(t testing.TB) string) {
	var places sync.Map
	storetest.Run(t, func(t *testing.T) hallpass.Store {
		dsn := fresh(t)
		s := open(t, dsn)
		places.Store(s, dsn)
		return s
	}, &storetest.Options{
		Pair: func(t *testing.T) (a, b hallpass.Store) {
			dsn := fresh(t)
			return open(t, dsn), open(t, dsn)
		},
		Reopen: func(t *testing.T, s hallpass.Store) hallpass.Store {
			dsn, _ := places.Load(s)
			if err := s.(*redisstore.Store).Close(); err != nil {
				t.Fatal(err)
			}
			return open(t, dsn.(string))
		},
	})
}

func TestStoreKeepsTheContract(t *testing.T) {
	t.Parallel()
	keepsTheContract(t, needs.Redis)
}

func TestStoreKeepsTheContractOnACluster(t *testing.T) {
	t.Parallel()
	nodes := needs.RedisCluster(t)
	keepsTheContract(t, func(testing.TB) string { return place(nodes.DSN()) })
}

// place is a place of its own on a server.
func place(dsn string) string {
	separator := "/?"
	if strings.Contains(dsn, "?") {
		separator = "&"
	}
	return dsn + separator + "prefix=" + rand.Text()[:12] + ":"
}
