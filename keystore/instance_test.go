package keystore_test

import (
	"errors"
	"testing"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/keystore"
	"github.com/hallpass-go/hallpass/memstore"
)

// A server whose keys are in a file signed under one id, and after the first key was
// added to its store under another.
func TestAnInstanceStaysWhenTheFirstKeyComes(t *testing.T) {
	t.Parallel()
	store := memstore.New()
	ring, err := keystore.Edit(t.Context(), store, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := ring.EnsureInstance(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	first := ring.Instance()
	if first == "" {
		t.Fatal("it has no id")
	}
	if _, err := keystore.Load(t.Context(), store, nil); !errors.Is(err, keystore.ErrNoKeys) {
		t.Errorf("without a key: %v, want %v", err, keystore.ErrNoKeys)
	}
	other, created, err := keystore.Bootstrap(t.Context(), store, nil)
	if err != nil || !created || other.Instance() != first {
		t.Errorf("the first key: created %t, of %q, want %q, %v", created, other.Instance(), first, err)
	}
	key, err := hallpass.GenerateKey(hallpass.HS256)
	if err != nil {
		t.Fatal(err)
	}
	if err := ring.Add(t.Context(), key, true); err != nil || ring.Instance() != first {
		t.Errorf("another key: of %q, want %q, %v", ring.Instance(), first, err)
	}
}
