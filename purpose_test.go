package hallpass_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/hallpass-go/hallpass"
)

// field is the field of a FieldError, and the error's text for any other.
func field(err error) string {
	if f, ok := errors.AsType[*hallpass.FieldError](err); ok {
		return f.Field
	}
	return fmt.Sprint(err)
}

func TestAKeyIsForPassesUnlessItSaysSo(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		make func() (hallpass.Key, error)
		want hallpass.Purpose
	}{
		"generated":            {func() (hallpass.Key, error) { return hallpass.GenerateKey(hallpass.EdDSA) }, hallpass.PurposePass},
		"parsed":               {func() (hallpass.Key, error) { return hallpass.ParseKey("4c0ee7e6bd6a4f3d9f2b51c8a0d7e913", "k") }, hallpass.PurposePass},
		"for the zero purpose": {func() (hallpass.Key, error) { return hallpass.GenerateKeyFor("", hallpass.EdDSA) }, hallpass.PurposePass},
		"generated for access": {func() (hallpass.Key, error) { return hallpass.GenerateKeyFor(hallpass.PurposeAccess, hallpass.EdDSA) }, hallpass.PurposeAccess},
		"parsed for access": {func() (hallpass.Key, error) {
			return hallpass.ParseKeyFor("access", "4c0ee7e6bd6a4f3d9f2b51c8a0d7e913", "k")
		}, hallpass.PurposeAccess},
	} {
		key, err := row.make()
		if err != nil || key.Purpose() != row.want {
			t.Errorf("%s: %q, %v; want %q", name, key.Purpose(), err, row.want)
		}
	}
	if _, err := hallpass.GenerateKeyFor("refresh", hallpass.EdDSA); field(err) != "purpose" {
		t.Errorf("an unknown purpose, generated: %v", err)
	}
	if _, err := hallpass.ParseKeyFor("Pass", "4c0ee7e6bd6a4f3d9f2b51c8a0d7e913", ""); field(err) != "purpose" {
		t.Errorf("an unknown purpose, parsed: %v", err)
	}
	if _, err := hallpass.NewKeyringFor("refresh"); field(err) != "purpose" {
		t.Errorf("a ring of an unknown purpose: %v", err)
	}
}

func TestAKeyShowsItsPurposeAndNeverItsSecret(t *testing.T) {
	t.Parallel()
	key, err := hallpass.ParseKeyFor(hallpass.PurposeAccess, "4c0ee7e6bd6a4f3d9f2b51c8a0d7e913", "k1")
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(key)
	if err != nil || string(text) != `{"id":"k1","algorithm":"HS256","purpose":"access"}` {
		t.Errorf("%s, %v", text, err)
	}
	if got := fmt.Sprintf("%v %d %+v", key, key, key); got != "k1 (HS256, access) k1 (HS256, access) k1 (HS256, access)" {
		t.Error(got)
	}
}

func TestARingHoldsKeysOfOnePurpose(t *testing.T) {
	t.Parallel()
	pass, access := newSigner(t, hallpass.EdDSA).key, newSignerFor(t, hallpass.PurposeAccess, hallpass.EdDSA).key
	if _, err := hallpass.NewKeyring(pass, access); field(err) != "purpose" {
		t.Errorf("both at once: %v", err)
	}
	if _, err := hallpass.NewKeyringFor(hallpass.PurposeAccess, pass); field(err) != "purpose" {
		t.Errorf("a pass key in a ring for access: %v", err)
	}
	ring, err := hallpass.NewKeyring()
	if err != nil || ring.Purpose() != "" {
		t.Fatalf("an empty ring is for %q, %v", ring.Purpose(), err)
	}
	if err := ring.Add(access, hallpass.KeyActive); err != nil || ring.Purpose() != hallpass.PurposeAccess {
		t.Fatalf("the first key: %v, the ring is for %q", err, ring.Purpose())
	}
	passes, err := hallpass.NewKeyring(pass)
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"add": ring.Add(pass, hallpass.KeyRetired), "rotate": ring.Rotate(pass), "replace": ring.Replace(passes),
	} {
		if field(err) != "purpose" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if active, ok := ring.Active(); !ok || active.ID() != access.ID() {
		t.Errorf("a refused change left %v active", active)
	}
	empty, err := hallpass.NewKeyring()
	if err != nil {
		t.Fatal(err)
	}
	if err := ring.Replace(empty); err != nil {
		t.Fatal(err)
	}
	if err := ring.Add(pass, hallpass.KeyActive); field(err) != "purpose" {
		t.Errorf("a ring that was emptied forgot its purpose: %v", err)
	}
}

func TestAnIssuerTakesKeysForPassesAlone(t *testing.T) {
	t.Parallel()
	pass, access := newSigner(t, hallpass.HS256).key, newSignerFor(t, hallpass.PurposeAccess, hallpass.HS256).key
	ring, err := hallpass.NewKeyring(access)
	if err != nil {
		t.Fatal(err)
	}
	empty, err := hallpass.NewKeyringFor(hallpass.PurposeAccess)
	if err != nil {
		t.Fatal(err)
	}
	for name, keys := range map[string]*hallpass.Keyring{"an access key": ring, "an empty ring for access": empty, "a sole access key": hallpass.SoleKeyring(access)} {
		if _, err := hallpass.New(hallpass.Config{Keys: keys}); field(err) != "keys" {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What the issuer was given empty cannot become something else behind its back.
	later, err := hallpass.NewKeyring()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := hallpass.New(hallpass.Config{Keys: later}); err != nil {
		t.Fatal(err)
	}
	if err := later.Add(access, hallpass.KeyActive); field(err) != "purpose" {
		t.Errorf("an access key into an issuer's ring: %v", err)
	}
	if err := later.Add(pass, hallpass.KeyActive); err != nil {
		t.Error(err)
	}
}

func TestOneSecretForTwoPurposesDerivesTwoSecrets(t *testing.T) {
	t.Parallel()
	secrets := map[hallpass.Purpose][]byte{}
	for _, purpose := range hallpass.Purposes() {
		key, err := hallpass.ParseKeyFor(purpose, "4c0ee7e6bd6a4f3d9f2b51c8a0d7e913", "k")
		if err != nil {
			t.Fatal(err)
		}
		ring, err := hallpass.NewKeyring(key)
		if err != nil {
			t.Fatal(err)
		}
		derived, err := ring.Derive("nonce")
		if err != nil || len(derived) != 1 {
			t.Fatal(derived, err)
		}
		secrets[purpose] = derived[0]
	}
	if bytes.Equal(secrets[hallpass.PurposePass], secrets[hallpass.PurposeAccess]) {
		t.Error("they are the same")
	}
}
