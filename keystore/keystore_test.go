package keystore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/keystore"
)

const masterText = "a master key of at least thirty-two bytes"

func master(t *testing.T, text string) *keystore.Master {
	t.Helper()
	m, err := keystore.NewMaster(text)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func generate(t *testing.T, algorithm hallpass.Algorithm) hallpass.Key {
	t.Helper()
	k, err := hallpass.GenerateKey(algorithm)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func actives(r *keystore.Ring) (ids []string) {
	for _, k := range r.List() {
		if k.State == hallpass.KeyActive {
			ids = append(ids, k.ID)
		}
	}
	return ids
}

func TestAnEmptyStoreHasNoKeys(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, open opener) {
		_, err := keystore.Load(t.Context(), open(t), nil)
		if !errors.Is(err, keystore.ErrNoKeys) || !errors.Is(err, hallpass.ErrUnavailable) {
			t.Errorf("Load = %v, want ErrNoKeys, an ErrUnavailable", err)
		}
	})
}

func TestBootstrapMakesTheFirstKeyAndTheInstanceOnce(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, open opener) {
		first, created, err := keystore.Bootstrap(t.Context(), open(t), nil)
		if err != nil || !created {
			t.Fatalf("created %v, err %v", created, err)
		}
		if !regexp.MustCompile(`^hp-[a-z2-7]{16}$`).MatchString(first.Instance()) {
			t.Errorf("instance = %q", first.Instance())
		}
		again, created, err := keystore.Bootstrap(t.Context(), open(t), nil)
		if err != nil || created {
			t.Fatalf("second time: created %v, err %v", created, err)
		}
		if again.Instance() != first.Instance() || fmt.Sprint(again.List()) != fmt.Sprint(first.List()) {
			t.Errorf("second time: %v %v, want %v %v", again.Instance(), again.List(), first.Instance(), first.List())
		}
	})
}

func TestOfManyProcessesThatBootstrapAtOnceOneWins(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, open opener) {
		open(t) // the schema is there
		var wg sync.WaitGroup
		var mu sync.Mutex
		made, seen := 0, map[string]bool{}
		for range 8 {
			store := open(t)
			wg.Go(func() {
				r, created, err := keystore.Bootstrap(t.Context(), store, nil)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				if created {
					made++
				}
				seen[r.Instance()+" "+strings.Join(actives(r), ",")] = true
			})
		}
		wg.Wait()
		if made != 1 || len(seen) != 1 {
			t.Errorf("%d processes made a key and %d different rings were seen: %v", made, len(seen), seen)
		}
	})
}

func TestRotatingAtOnceLeavesOneActiveKeyAndLosesNone(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, open opener) {
		if _, _, err := keystore.Bootstrap(t.Context(), open(t), nil); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 6 {
			store := open(t)
			wg.Go(func() {
				r, err := keystore.Load(t.Context(), store, nil)
				if err != nil {
					t.Error(err)
					return
				}
				key, err := hallpass.GenerateKey(hallpass.EdDSA)
				if err != nil {
					t.Error(err)
					return
				}
				if err := r.Rotate(t.Context(), key); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		r, err := keystore.Load(t.Context(), open(t), nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.List()) != 7 || len(actives(r)) != 1 {
			t.Errorf("%d keys, active: %v; want 7 and one", len(r.List()), actives(r))
		}
	})
}

func TestARunningProcessLearnsOfARotation(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, open opener) {
		store := open(t)
		running, _, err := keystore.Bootstrap(t.Context(), store, nil)
		if err != nil {
			t.Fatal(err)
		}
		issuer, err := hallpass.New(hallpass.Config{Keys: running.Keyring(), Store: store, Instance: running.Instance()})
		if err != nil {
			t.Fatal(err)
		}
		other, err := keystore.Load(t.Context(), open(t), nil)
		if err != nil {
			t.Fatal(err)
		}
		key := generate(t, hallpass.ES256)
		old := actives(running)[0]
		steps := []struct {
			name string
			do   func() error
			want string
		}{
			{"rotate", func() error { return other.Rotate(t.Context(), key) }, key.ID()},
			{"activate", func() error { return other.Activate(t.Context(), old) }, old},
			{"retire", func() error { return other.Retire(t.Context(), key.ID()) }, old},
			{"remove", func() error { return other.Remove(t.Context(), key.ID()) }, old},
			{"add again", func() error { return other.Add(t.Context(), key, false) }, old},
		}
		for _, step := range steps {
			if changed, err := running.Refresh(t.Context()); changed || err != nil {
				t.Fatalf("before %s: changed %v, err %v", step.name, changed, err)
			}
			if err := step.do(); err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
			if changed, err := running.Refresh(t.Context()); !changed || err != nil {
				t.Fatalf("%s: changed %v, err %v", step.name, changed, err)
			}
			issued, err := issuer.Issue(t.Context(), hallpass.Spec{Scope: "x"})
			if err != nil || issued.Key != step.want {
				t.Errorf("after %s signed by %q (%v), want %q", step.name, issued.Key, err, step.want)
			}
			if fmt.Sprint(running.List()) != fmt.Sprint(other.List()) {
				t.Errorf("after %s: %v, want %v", step.name, running.List(), other.List())
			}
		}
	})
}

func TestTheActiveKeyCannotGo(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, open opener) {
		r, _, err := keystore.Bootstrap(t.Context(), open(t), nil)
		if err != nil {
			t.Fatal(err)
		}
		id := actives(r)[0]
		for name, do := range map[string]func(context.Context, string) error{"retire": r.Retire, "remove": r.Remove} {
			var field *hallpass.FieldError
			if err := do(t.Context(), id); !errors.As(err, &field) || field.Field != "id" {
				t.Errorf("%s = %v, want a FieldError of id", name, err)
			}
			if err := do(t.Context(), "nobody"); !errors.Is(err, hallpass.ErrNotFound) {
				t.Errorf("%s of an unknown key = %v, want ErrNotFound", name, err)
			}
		}
	})
}

func TestKeysAreWrappedByTheMasterKey(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, open opener) {
		store := open(t)
		opts := &keystore.Options{Master: master(t, masterText), Bare: func() { t.Error("a wrapped key was called bare") }}
		r, _, err := keystore.Bootstrap(t.Context(), store, opts)
		if err != nil {
			t.Fatal(err)
		}
		key, _ := r.Keyring().Active()
		jwk, err := key.Reveal()
		if err != nil {
			t.Fatal(err)
		}
		secret := regexp.MustCompile(`"k":"([^"]+)"`).FindStringSubmatch(jwk)[1]
		value := cell(t, store)
		if bytes.Contains(value, []byte(secret)) || bytes.Contains(value, []byte("jwk")) {
			t.Errorf("the stored value shows the key: %s", value)
		}
		again, err := keystore.Load(t.Context(), store, opts)
		if err != nil {
			t.Fatal(err)
		}
		if back, _ := again.Keyring().Active(); back.ID() != key.ID() {
			t.Errorf("read back %v, want %v", back, key)
		}

		_, err = keystore.Load(t.Context(), store, nil)
		if !errors.Is(err, hallpass.ErrUnavailable) || !strings.Contains(err.Error(), "HALLPASS_MASTER_KEY") {
			t.Errorf("without the master key: %v, want ErrUnavailable naming the variable", err)
		}
		_, err = keystore.Load(t.Context(), store, &keystore.Options{Master: master(t, masterText+"!")})
		if !errors.Is(err, hallpass.ErrUnavailable) || !strings.Contains(err.Error(), "another HALLPASS_MASTER_KEY") {
			t.Errorf("with another master key: %v, want ErrUnavailable naming the variable", err)
		}
	})
}

func TestAWrappedKeyDoesNotOpenUnderAnotherID(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, open opener) {
		store := open(t)
		opts := &keystore.Options{Master: master(t, masterText)}
		r, _, err := keystore.Bootstrap(t.Context(), store, opts)
		if err != nil {
			t.Fatal(err)
		}
		old, err := store.Cell(t.Context(), "keys", "ring", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		id := actives(r)[0]
		other := "x" + id[1:]
		if other == id {
			other = "y" + id[1:]
		}
		old.Value = bytes.Replace(old.Value, []byte(`"id":"`+id), []byte(`"id":"`+other), 1)
		if _, err := store.Swap(t.Context(), old, time.Now()); err != nil {
			t.Fatal(err)
		}
		if _, err := keystore.Load(t.Context(), store, opts); !errors.Is(err, hallpass.ErrUnavailable) {
			t.Errorf("Load = %v, want ErrUnavailable", err)
		}
		if _, err := r.Refresh(t.Context()); err == nil || len(actives(r)) != 1 {
			t.Errorf("Refresh = %v with %v active, want an error and the keys as they were", err, actives(r))
		}
	})
}

func TestABareKeyIsReportedAndWrappedByTheNextChangeWithAMasterKey(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, open opener) {
		store := open(t)
		bare := 0
		opts := &keystore.Options{Bare: func() { bare++ }}
		if _, _, err := keystore.Bootstrap(t.Context(), store, opts); err != nil {
			t.Fatal(err)
		}
		r, err := keystore.Load(t.Context(), store, opts)
		if err != nil {
			t.Fatal(err)
		}
		if bare != 1 {
			t.Errorf("Bare was called %d times, want once", bare)
		}
		public, err := hallpass.ParseKey("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGB7w0SyH5rrAcX+YbLm7UqSFjpnTeKtB4wvtWwSyWXt", "theirs")
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Add(t.Context(), public, false); err != nil || bare != 1 {
			t.Errorf("adding a public key: %v, Bare called %d times", err, bare)
		}

		wrapping, err := keystore.Load(t.Context(), store, &keystore.Options{Master: master(t, masterText)})
		if err != nil {
			t.Fatal(err)
		}
		if err := wrapping.Rotate(t.Context(), generate(t, hallpass.EdDSA)); err != nil {
			t.Fatal(err)
		}
		if value := cell(t, store); bytes.Count(value, []byte(`"wrapped"`)) != 2 || bytes.Count(value, []byte(`"jwk"`)) != 1 {
			t.Errorf("want both private keys wrapped and the public one in clear: %s", value)
		}
	})
}

func TestAStoreThatNeedsAMasterKeyTakesNoBareKey(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, open opener) {
		store := open(t)
		_, _, err := keystore.Bootstrap(t.Context(), store, &keystore.Options{RequireMaster: true})
		if !errors.Is(err, hallpass.ErrUnavailable) || !strings.Contains(err.Error(), "HALLPASS_MASTER_KEY") {
			t.Errorf("Bootstrap = %v, want ErrUnavailable naming the variable", err)
		}
		if _, err := keystore.Load(t.Context(), store, nil); !errors.Is(err, keystore.ErrNoKeys) {
			t.Errorf("something was written: %v", err)
		}
	})
}

func TestAShortMasterKeyIsRefusedAndNoneShowsItself(t *testing.T) {
	t.Parallel()
	var field *hallpass.FieldError
	if _, err := keystore.NewMaster(masterText[:31]); !errors.As(err, &field) || field.Field != "master_key" {
		t.Errorf("31 bytes: %v, want a FieldError of master_key", err)
	}
	if got := fmt.Sprintf("%v %+v %#v %s", master(t, masterText), master(t, masterText), master(t, masterText), master(t, masterText)); got != strings.TrimSpace(strings.Repeat("[master key] ", 4)) {
		t.Errorf("printed as %s", got)
	}
}
