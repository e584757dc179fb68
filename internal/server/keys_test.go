package server_test

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/server"
	"github.com/hallpass-go/hallpass/keystore"
)

// published reads the ids of a key set.
func published(t *testing.T, url string) (ids []string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	var set struct{ Keys []struct{ Kid string } }
	if err == nil {
		err = json.Unmarshal(body, &set)
	}
	if err != nil || resp.StatusCode != http.StatusOK || set.Keys == nil {
		t.Fatalf("%s: %d, %v: %s", url, resp.StatusCode, err, body)
	}
	for _, key := range set.Keys {
		ids = append(ids, key.Kid)
	}
	return ids
}

func TestAccessKeysOfAnotherProcessArePublishedApartFromThoseForPasses(t *testing.T) {
	t.Parallel()
	fileKey, err := hallpass.GenerateKey(hallpass.EdDSA)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*server.Config){
		"with the store's keys": nil,
		"with keys of a file": func(c *server.Config) {
			var err error
			if c.FileKeys, err = hallpass.NewKeyring(fileKey); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, cfg, _ := newServer(t, change)
			run(t, s)
			access, passes := cfg.BaseURL+"/.well-known/jwks.json", cfg.BaseURL+"/.well-known/hallpass-jwks.json"
			if ids := published(t, access); len(ids) != 0 {
				t.Fatalf("before: %v", ids)
			}
			other, err := keystore.Load(t.Context(), cfg.Store, nil)
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			for _, alg := range []hallpass.Algorithm{hallpass.EdDSA, hallpass.ES256, hallpass.HS256} {
				key, err := hallpass.GenerateKeyFor(hallpass.PurposeAccess, alg)
				if err == nil {
					err = other.Add(t.Context(), key, false)
				}
				if err != nil {
					t.Fatal(err)
				}
				if alg != hallpass.HS256 {
					want = append(want, key.ID())
				}
			}
			deadline := time.Now().Add(5 * time.Second)
			for got := published(t, access); !slices.Equal(got, want); got = published(t, access) {
				if time.Now().After(deadline) {
					t.Fatalf("published %v, want %v", got, want)
				}
				time.Sleep(50 * time.Millisecond)
			}
			for _, id := range published(t, passes) {
				if slices.Contains(want, id) {
					t.Errorf("the access key %s stands among those for passes", id)
				}
			}
		})
	}
}

func TestAServerTakesNoAccessKeysForPasses(t *testing.T) {
	t.Parallel()
	key, err := hallpass.GenerateKeyFor(hallpass.PurposeAccess, hallpass.EdDSA)
	if err != nil {
		t.Fatal(err)
	}
	_, cfg, _ := newServer(t, nil)
	if cfg.FileKeys, err = hallpass.NewKeyring(key); err != nil {
		t.Fatal(err)
	}
	if _, err := server.New(t.Context(), cfg); err == nil {
		t.Error("the server would sign passes with an access key")
	}
}
