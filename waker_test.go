package hallpass_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/memstore"
)

// wakingStore is a store whose messages the test sends.
type wakingStore struct {
	hallpass.Store
	groups chan []string
	send   chan string
}

func (s *wakingStore) Wake(ctx context.Context, groups []string, woken func(string)) error {
	s.groups <- groups
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case group := <-s.send:
			woken(group)
		}
	}
}

func TestAStoreThatCannotWakeSaysSoAtOnce(t *testing.T) {
	t.Parallel()
	err := hallpass.Wake(t.Context(), memstore.New(), []string{"g"}, func(string) { t.Error("woken") })
	if !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Wake = %v, want ErrUnsupported", err)
	}
}

func TestRunReadsRevocationsWhenItIsWokenAndNotOnlyWhenItPolls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &wakingStore{memstore.New(), make(chan []string, 1), make(chan string)}
		keys, err := hallpass.NewKeyring()
		if err != nil {
			t.Fatal(err)
		}
		issuer, err := hallpass.New(hallpass.Config{Keys: keys, Store: store})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- issuer.Run(ctx) }()
		groups := <-store.groups
		time.Sleep(100 * time.Millisecond) // less than a poll
		synctest.Wait()
		if age := issuer.RulesAge(); age < 100*time.Millisecond {
			t.Fatalf("read %s ago without being woken", age)
		}
		for _, group := range groups {
			store.send <- group
		}
		synctest.Wait()
		if age := issuer.RulesAge(); age != 0 {
			t.Errorf("read %s ago although it was woken now", age)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run = %v", err)
		}
	})
}
