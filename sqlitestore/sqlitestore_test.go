package sqlitestore_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/sqlitestore"
	"github.com/hallpass-go/hallpass/storetest"
)

// open opens path, creating it, and closes it when the test ends.
func open(t testing.TB, path string) *sqlitestore.Store {
	t.Helper()
	s, err := sqlitestore.Open(t.Context(), path, &sqlitestore.Options{Create: true})
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

func fresh(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "hallpass.db")
}

// newID returns a time-ordered id that no other process makes.
func newID() string { return fmt.Sprintf("%016x-%s", time.Now().UnixMicro(), rand.Text()[:18]) }

func TestStoreKeepsTheContract(t *testing.T) {
	t.Parallel()
	var paths sync.Map
	storetest.Run(t, func(t *testing.T) hallpass.Store {
		path := fresh(t)
		s := open(t, path)
		paths.Store(s, path)
		return s
	}, &storetest.Options{
		Pair: func(t *testing.T) (a, b hallpass.Store) {
			path := fresh(t)
			return open(t, path), open(t, path)
		},
		Reopen: func(t *testing.T, s hallpass.Store) hallpass.Store {
			path, _ := paths.Load(s)
			if err := s.(*sqlitestore.Store).Close(); err != nil {
				t.Fatal(err)
			}
			return open(t, path.(string))
		},
	})
}

// TestCallersThatGiveUpStopNobody: a context that ended while a transaction began
// once left it open, and no process could write any more.
func TestCallersThatGiveUpStopNobody(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "hallpass.db")
	s, err := sqlitestore.Open(t.Context(), path, &sqlitestore.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var work sync.WaitGroup
	for worker := range 4 {
		work.Go(func() {
			for i := range 400 {
				ctx, cancel := context.WithCancel(t.Context())
				go cancel()
				_ = s.Record(ctx, []hallpass.Entry{{Pass: hallpass.Pass{ID: fmt.Sprintf("%d-%d", worker, i), Scope: "s", Recorded: true}}})
				cancel()
			}
		})
	}
	work.Wait()
	other, err := sqlitestore.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	for name, store := range map[string]*sqlitestore.Store{"this one": s, "another one": other} {
		if err := store.Record(t.Context(), []hallpass.Entry{{Pass: hallpass.Pass{ID: name, Scope: "s", Recorded: true}}}); err != nil {
			t.Errorf("%s cannot write: %v", name, err)
		}
	}
}
