package keystore_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/keystore"
	"github.com/hallpass-go/hallpass/memstore"
)

func generateFor(t *testing.T, purpose hallpass.Purpose, algorithm hallpass.Algorithm) hallpass.Key {
	t.Helper()
	k, err := hallpass.GenerateKeyFor(purpose, algorithm)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// field is the field of a FieldError, and the error's text for any other.
func field(err error) string {
	if f, ok := errors.AsType[*hallpass.FieldError](err); ok {
		return f.Field
	}
	return fmt.Sprint(err)
}

// signing is the id of the key that signs for a purpose.
func signing(r *keystore.Ring, purpose hallpass.Purpose) string {
	key, _ := r.KeyringFor(purpose).Active()
	return key.ID()
}

func bootstrap(t *testing.T, cells hallpass.CellStore, opts *keystore.Options) *keystore.Ring {
	t.Helper()
	r, _, err := keystore.Bootstrap(t.Context(), cells, opts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEachPurposeHasARingOfItsOwn(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, open opener) {
		store := open(t)
		r := bootstrap(t, store, nil)
		pass := signing(r, hallpass.PurposePass)
		if r.KeyringFor("") != r.Keyring() || r.KeyringFor(hallpass.PurposePass) != r.Keyring() {
			t.Error("Keyring is not the one for passes")
		}
		if r.KeyringFor("refresh") != nil {
			t.Error("there is a ring for an unknown purpose")
		}
		if _, err := r.KeyringFor(hallpass.PurposeAccess).SignJWT("at+jwt", []byte(`{}`)); !errors.Is(err, hallpass.ErrUnavailable) {
			t.Errorf("without an access key: %v", err)
		}
		first, second := generateFor(t, hallpass.PurposeAccess, hallpass.EdDSA), generateFor(t, hallpass.PurposeAccess, hallpass.ES256)
		if err := r.Add(t.Context(), first, false); err != nil {
			t.Fatal(err)
		}
		if got := signing(r, hallpass.PurposeAccess); got != first.ID() {
			t.Errorf("the first access key does not sign: %q does", got)
		}
		if err := r.Add(t.Context(), second, false); err != nil {
			t.Fatal(err)
		}
		if err := r.Activate(t.Context(), second.ID()); err != nil {
			t.Fatal(err)
		}
		if err := r.Rotate(t.Context(), generate(t, hallpass.EdDSA)); err != nil {
			t.Fatal(err)
		}
		if got := signing(r, hallpass.PurposeAccess); got != second.ID() {
			t.Errorf("%q signs access tokens, want %q", got, second.ID())
		}
		if got := signing(r, hallpass.PurposePass); got == pass || got == second.ID() {
			t.Errorf("%q signs passes, want the new key", got)
		}
		if err := r.Retire(t.Context(), first.ID()); err != nil {
			t.Fatal(err)
		}
		again, err := keystore.Load(t.Context(), open(t), nil)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, k := range again.List() {
			got = append(got, fmt.Sprint(k.Purpose, " ", k.Algorithm, " ", k.State))
		}
		if want := []string{"pass HS256 verifying", "access EdDSA retired", "access ES256 active", "pass EdDSA active"}; !slices.Equal(got, want) {
			t.Errorf("in order of their addition: %v, want %v", got, want)
		}
		if _, err := hallpass.New(hallpass.Config{Keys: again.KeyringFor(hallpass.PurposeAccess)}); field(err) != "keys" {
			t.Errorf("an issuer took the access keys: %v", err)
		}
	})
}

func TestAnIDNamesOneKeyWhateverItIsFor(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, open opener) {
		r := bootstrap(t, open(t), nil)
		jwk, err := generate(t, hallpass.EdDSA).Reveal()
		if err != nil {
			t.Fatal(err)
		}
		for _, purpose := range hallpass.Purposes() {
			key, err := hallpass.ParseKeyFor(purpose, jwk, "spring")
			if err != nil {
				t.Fatal(err)
			}
			want := "<nil>"
			if purpose != hallpass.PurposePass {
				want = "id"
			}
			if err := r.Add(t.Context(), key, true); field(err) != want {
				t.Errorf("%s: %v", purpose, err)
			}
			if err := r.Rotate(t.Context(), key); field(err) != "id" {
				t.Errorf("%s, again: %v", purpose, err)
			}
		}
		if err := r.Add(t.Context(), hallpass.Key{}, false); field(err) != "key" {
			t.Errorf("the zero Key: %v", err)
		}
		if len(r.List()) != 2 || len(actives(r)) != 1 {
			t.Errorf("refused keys changed something: %v", r.List())
		}
	})
}

func TestEnsureMakesTheFirstKeyOfAPurposeOnce(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, open opener) {
		r := bootstrap(t, open(t), nil)
		created, err := r.Ensure(t.Context(), hallpass.PurposeAccess, hallpass.EdDSA)
		if err != nil || !created {
			t.Fatalf("created %v, %v", created, err)
		}
		id := signing(r, hallpass.PurposeAccess)
		for _, alg := range []hallpass.Algorithm{hallpass.EdDSA, hallpass.ES256} {
			if created, err := r.Ensure(t.Context(), hallpass.PurposeAccess, alg); created || err != nil || signing(r, hallpass.PurposeAccess) != id {
				t.Errorf("%s again: created %v, %v, %q signs", alg, created, err, signing(r, hallpass.PurposeAccess))
			}
		}
		if created, err := r.Ensure(t.Context(), "", hallpass.HS256); created || err != nil {
			t.Errorf("for passes, of which there are: created %v, %v", created, err)
		}
		if created, err := r.Ensure(t.Context(), "refresh", hallpass.EdDSA); created || field(err) != "purpose" {
			t.Errorf("an unknown purpose: created %v, %v", created, err)
		}
	})
}

func TestEnsureNamesAnAlgorithmThatIsNone(t *testing.T) {
	t.Parallel()
	r := bootstrap(t, memstore.New(), nil)
	if created, err := r.Ensure(t.Context(), hallpass.PurposeAccess, "RS256"); created || field(err) != "algorithm" {
		t.Errorf("created %v, %v", created, err)
	}
}

func TestOfManyProcessesThatEnsureAtOnceOneWinsEachPurpose(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, open opener) {
		open(t) // the schema is there
		var wg sync.WaitGroup
		var mu sync.Mutex
		made, seen := map[hallpass.Purpose]int{}, map[string]bool{}
		for range 6 {
			store := open(t)
			wg.Go(func() {
				r, err := keystore.Edit(t.Context(), store, nil)
				if err != nil {
					t.Error(err)
					return
				}
				for _, purpose := range hallpass.Purposes() {
					created, err := r.Ensure(t.Context(), purpose, hallpass.EdDSA)
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					if created {
						made[purpose]++
					}
					seen[string(purpose)+" "+signing(r, purpose)] = true
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if made[hallpass.PurposePass] != 1 || made[hallpass.PurposeAccess] != 1 || len(seen) != 2 {
			t.Errorf("made %v, seen %v; want one of each", made, seen)
		}
	})
}

func TestARunningProcessLearnsOfAccessKeys(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, open opener) {
		running := bootstrap(t, open(t), nil)
		ring := running.KeyringFor(hallpass.PurposeAccess)
		other, err := keystore.Load(t.Context(), open(t), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := other.Ensure(t.Context(), hallpass.PurposeAccess, hallpass.EdDSA); err != nil {
			t.Fatal(err)
		}
		token, err := other.KeyringFor(hallpass.PurposeAccess).SignJWT("at+jwt", []byte(`{}`))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := ring.OpenJWT("at+jwt", token.Reveal()); !errors.Is(err, hallpass.RefusalUnknownKey) {
			t.Errorf("before: %v", err)
		}
		if changed, err := running.Refresh(t.Context()); !changed || err != nil {
			t.Fatalf("changed %v, %v", changed, err)
		}
		if _, key, err := ring.OpenJWT("at+jwt", token.Reveal()); err != nil || key.ID() != signing(other, hallpass.PurposeAccess) {
			t.Errorf("after: %v, %v", key, err)
		}
	})
}

func TestAccessKeysAloneAreNoKeysForPasses(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, open opener) {
		r, err := keystore.Edit(t.Context(), open(t), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Ensure(t.Context(), hallpass.PurposeAccess, hallpass.EdDSA); err != nil {
			t.Fatal(err)
		}
		if _, err := keystore.Load(t.Context(), open(t), nil); !errors.Is(err, keystore.ErrNoKeys) {
			t.Errorf("Load = %v, want ErrNoKeys", err)
		}
		again, created, err := keystore.Bootstrap(t.Context(), open(t), nil)
		if err != nil || !created || again.Instance() != r.Instance() {
			t.Fatalf("created %v, %v, instance %q, want %q", created, err, again.Instance(), r.Instance())
		}
		if signing(again, hallpass.PurposeAccess) != signing(r, hallpass.PurposeAccess) || signing(again, hallpass.PurposePass) == "" {
			t.Errorf("the keys are %v", again.List())
		}
	})
}

// before is a document as it was written when all keys were for passes.
const before = `{"instance":"hp-aaaaaaaaaaaaaaaa","keys":[` +
	`{"id":"old","purpose":"pass","state":"verifying","created":"2026-03-01T12:00:00Z","jwk":{"kty":"oct","kid":"old","alg":"HS256","k":"NGMwZWU3ZTZiZDZhNGYzZDlmMmI1MWM4YTBkN2U5MTM"}},` +
	`{"id":"now","purpose":"pass","state":"active","created":"2026-04-01T12:00:00Z","jwk":{"kty":"oct","kid":"now","alg":"HS256","k":"NzFmMGVlN2U2YmQ2YTRmM2Q5ZjJiNTFjOGEwZDdlOTE"}}]}`

func write(t *testing.T, store hallpass.Store, value string) {
	t.Helper()
	if _, err := store.Swap(t.Context(), hallpass.Cell{Group: "keys", Key: "ring", Value: []byte(value)}, time.Now()); err != nil {
		t.Fatal(err)
	}
}

func TestAnOlderDocumentIsRead(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, open opener) {
		store := open(t)
		write(t, store, before)
		r, err := keystore.Load(t.Context(), store, nil)
		if err != nil {
			t.Fatal(err)
		}
		if created, err := r.Ensure(t.Context(), hallpass.PurposeAccess, hallpass.EdDSA); err != nil || !created {
			t.Fatalf("created %v, %v", created, err)
		}
		if list := r.List(); r.Instance() != "hp-aaaaaaaaaaaaaaaa" || len(list) != 3 || list[0].ID != "old" || list[1].ID != "now" || signing(r, hallpass.PurposePass) != "now" {
			t.Errorf("%q: %v", r.Instance(), list)
		}
	})
}

// A newer hallpass knows more purposes. What it wrote must outlive an older one's
// changes, byte for byte, and the older one's ids must not get in its way.
func TestKeysOfAPurposeOfTheFutureAreKept(t *testing.T) {
	t.Parallel()
	const future = `{"id":"later","purpose":"refresh","state":"active","created":"2027-01-01T12:00:00Z","wrapped":"AAECAw=="}`
	eachStore(t, func(t *testing.T, open opener) {
		store := open(t)
		write(t, store, strings.Replace(before, `"keys":[`, `"keys":[`+future+`,`, 1))
		opts := &keystore.Options{Master: master(t, masterText)}
		r, err := keystore.Load(t.Context(), store, opts)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Rotate(t.Context(), generate(t, hallpass.EdDSA)); err != nil {
			t.Fatal(err)
		}
		if err := r.Remove(t.Context(), "old"); err != nil {
			t.Fatal(err)
		}
		if value := cell(t, store); !bytes.Contains(value, []byte(future)) {
			t.Errorf("it is gone: %s", value)
		}
		named, err := hallpass.ParseKey("4c0ee7e6bd6a4f3d9f2b51c8a0d7e913", "later")
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Add(t.Context(), named, false); field(err) != "id" {
			t.Errorf("its id was taken: %v", err)
		}
		if err := r.Remove(t.Context(), "later"); field(err) != "id" {
			t.Errorf("it was removed: %v", err)
		}
		if len(r.List()) != 2 {
			t.Errorf("%v", r.List())
		}
	})
}

func TestAWrappedKeyDoesNotOpenForAnotherPurpose(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, open opener) {
		store := open(t)
		opts := &keystore.Options{Master: master(t, masterText)}
		r := bootstrap(t, store, opts)
		if _, err := r.Ensure(t.Context(), hallpass.PurposeAccess, hallpass.EdDSA); err != nil {
			t.Fatal(err)
		}
		old, err := store.Cell(t.Context(), "keys", "ring", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(old.Value, []byte(`"purpose":"access"`)) {
			t.Fatalf("no access key in %s", old.Value)
		}
		old.Value = bytes.Replace(old.Value, []byte(`"purpose":"access"`), []byte(`"purpose":"pass"`), 1)
		old.Value = bytes.Replace(old.Value, []byte(`"state":"active"`), []byte(`"state":"verifying"`), 1)
		if _, err := store.Swap(t.Context(), old, time.Now()); err != nil {
			t.Fatal(err)
		}
		if _, err := keystore.Load(t.Context(), store, opts); !errors.Is(err, hallpass.ErrUnavailable) || !strings.Contains(err.Error(), "wrapped") {
			t.Errorf("Load = %v, want ErrUnavailable", err)
		}
	})
}

func TestWrapWrapsWhatStandsInClear(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, open opener) {
		store := open(t)
		r := bootstrap(t, store, nil)
		if _, err := r.Ensure(t.Context(), hallpass.PurposeAccess, hallpass.EdDSA); err != nil {
			t.Fatal(err)
		}
		public, err := hallpass.ParseKey("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGB7w0SyH5rrAcX+YbLm7UqSFjpnTeKtB4wvtWwSyWXt", "theirs")
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Add(t.Context(), public, false); err != nil {
			t.Fatal(err)
		}
		if ids, err := r.Wrap(t.Context()); ids != nil || field(err) != "master_key" {
			t.Errorf("without a master key: %v, %v", ids, err)
		}
		var secrets []string
		for _, ring := range []*hallpass.Keyring{r.Keyring(), r.KeyringFor(hallpass.PurposeAccess)} {
			key, _ := ring.Active()
			text, err := key.Reveal()
			if err != nil {
				t.Fatal(err)
			}
			var jwk struct{ K, D string }
			if err := json.Unmarshal([]byte(text), &jwk); err != nil || jwk.K+jwk.D == "" {
				t.Fatal(err)
			}
			secrets = append(secrets, jwk.K+jwk.D)
		}
		opts := &keystore.Options{Master: master(t, masterText), RequireMaster: true}
		wrapping, err := keystore.Load(t.Context(), open(t), opts)
		if err != nil {
			t.Fatal(err)
		}
		want := []string{signing(r, hallpass.PurposePass), signing(r, hallpass.PurposeAccess)}
		if ids, err := wrapping.Wrap(t.Context()); err != nil || !slices.Equal(ids, want) {
			t.Errorf("wrapped %v, %v; want %v", ids, err, want)
		}
		value := cell(t, store)
		if bytes.Count(value, []byte(`"wrapped"`)) != 2 || bytes.Count(value, []byte(`"jwk"`)) != 1 ||
			slices.ContainsFunc(secrets, func(s string) bool { return bytes.Contains(value, []byte(s)) }) {
			t.Errorf("want both private keys wrapped and the public one in clear: %s", value)
		}
		if ids, err := wrapping.Wrap(t.Context()); err != nil || len(ids) != 0 {
			t.Errorf("again: %v, %v", ids, err)
		}
		if !bytes.Equal(value, cell(t, store)) {
			t.Error("the second time wrote something")
		}
		again, err := keystore.Load(t.Context(), open(t), opts)
		if err != nil || fmt.Sprint(again.List()) != fmt.Sprint(wrapping.List()) || len(again.List()) != 3 {
			t.Errorf("read back %v, %v", again.List(), err)
		}
	})
}
