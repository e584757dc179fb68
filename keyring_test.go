package hallpass_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
)

func TestAWrongConfigNamesItsField(t *testing.T) {
	t.Parallel()
	ring, err := hallpass.NewKeyring(newSigner(t, hallpass.HS256).key)
	if err != nil {
		t.Fatal(err)
	}
	for want, cfg := range map[string]hallpass.Config{
		"keys":             {},
		"leeway":           {Keys: ring, Leeway: -1},
		"session_ttl":      {Keys: ring, SessionTTL: 25 * time.Hour},
		"grant_ttl":        {Keys: ring, GrantTTL: -1},
		"default_max_uses": {Keys: ring, DefaultMaxUses: -1},
		"max_stale":        {Keys: ring, MaxStale: -1},
		"instance":         {Keys: ring, Instance: "a\nb"},
	} {
		_, err := hallpass.New(cfg)
		if f, ok := errors.AsType[*hallpass.FieldError](err); !ok || f.Field != want {
			t.Errorf("%s: %v", want, err)
		}
	}
	if _, err := hallpass.New(hallpass.Config{Keys: ring}); err != nil {
		t.Errorf("an issuer that only verifies: %v", err)
	}
}

func TestAKeyReadsBackWhatItReveals(t *testing.T) {
	t.Parallel()
	for _, alg := range []hallpass.Algorithm{hallpass.HS256, hallpass.EdDSA, hallpass.ES256} {
		key, err := hallpass.GenerateKey(alg)
		if err != nil {
			t.Fatal(err)
		}
		text, err := key.Reveal()
		if err != nil {
			t.Fatal(err)
		}
		back, err := hallpass.ParseKey(text, "")
		if err != nil || back.ID() != key.ID() || back.Algorithm() != alg || !back.CanSign() {
			t.Errorf("%s: %v, %v", alg, back, err)
		}
		one, other := newSiteWith(t, signer{key: key}), newSiteWith(t, signer{key: back})
		token := one.issue(t, hallpass.Spec{}).Token.Reveal()
		if _, err := other.verify(token); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
		named, err := hallpass.ParseKey(text, "2026-03")
		if err != nil || named.ID() != "2026-03" {
			t.Errorf("%s: %v, %v", alg, named, err)
		}
	}
	if _, err := hallpass.GenerateKey("RS256"); err == nil {
		t.Error("RS256 was generated")
	}
	for name, id := range map[string]string{"a space": "a b", "a slash": "../x", "65 bytes": string(bytes.Repeat([]byte("k"), 65)), "a quote": `"`} {
		if _, err := hallpass.ParseKey("4c0ee7e6bd6a4f3d9f2b51c8a0d7e913", id); err == nil {
			t.Errorf("an id with %s passed", name)
		}
	}
}

func TestAKeyringRefusesWhatWouldConfuse(t *testing.T) {
	t.Parallel()
	a, b := newSigner(t, hallpass.HS256).key, newSigner(t, hallpass.EdDSA).key
	if _, err := hallpass.NewKeyring(a, a); err == nil {
		t.Error("one id twice passed")
	}
	if _, err := hallpass.NewKeyring(hallpass.Key{}); err == nil {
		t.Error("an empty key passed")
	}
	ring, err := hallpass.NewKeyring(a, b)
	if err != nil {
		t.Fatal(err)
	}
	for name, do := range map[string]func(string) error{"Activate": ring.Activate, "Retire": ring.Retire, "Remove": ring.Remove} {
		if err := do("nobody"); !errors.Is(err, hallpass.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := ring.Remove(a.ID()); err == nil {
		t.Error("the active key was removed")
	}
	if err := ring.Rotate(a); err == nil {
		t.Error("a key was added twice")
	}
	var states []hallpass.KeyState
	for _, state := range ring.Keys {
		states = append(states, state)
	}
	if !slices.Equal(states, []hallpass.KeyState{hallpass.KeyActive, hallpass.KeyVerifying}) {
		t.Errorf("states are %v", states)
	}
}

func TestDerivedSecretsFollowTheKeys(t *testing.T) {
	t.Parallel()
	a, b := newSigner(t, hallpass.EdDSA), newSigner(t, hallpass.HS256)
	here, err := hallpass.NewKeyring(a.key)
	if err != nil {
		t.Fatal(err)
	}
	there, err := hallpass.NewKeyring(a.key)
	if err != nil {
		t.Fatal(err)
	}
	derive := func(ring *hallpass.Keyring, purpose string) [][]byte {
		t.Helper()
		secrets, err := ring.Derive(purpose)
		if err != nil {
			t.Fatal(err)
		}
		return secrets
	}
	first := derive(here, "nonce")
	if len(first) != 1 || len(first[0]) != 32 || !bytes.Equal(first[0], derive(there, "nonce")[0]) {
		t.Errorf("two processes derive %x and %x", first, derive(there, "nonce"))
	}
	if bytes.Equal(first[0], derive(here, "ticket")[0]) {
		t.Error("two purposes share a secret")
	}
	if err := here.Rotate(b.key); err != nil {
		t.Fatal(err)
	}
	rotated := derive(here, "nonce")
	if len(rotated) != 2 || !bytes.Equal(rotated[1], first[0]) || bytes.Equal(rotated[0], first[0]) {
		t.Errorf("after a rotation: %x, before: %x", rotated, first)
	}
	if err := here.Retire(a.key.ID()); err != nil {
		t.Fatal(err)
	}
	if left := derive(here, "nonce"); len(left) != 1 || !bytes.Equal(left[0], rotated[0]) {
		t.Errorf("after the retirement: %x", left)
	}
}

func TestASoleKeyIgnoresTheKid(t *testing.T) {
	t.Parallel()
	sign := newSigner(t, hallpass.ES256)
	other := newSigner(t, hallpass.ES256)
	s := newSiteWith(t, sign, func(c *hallpass.Config) { c.Keys = hallpass.SoleKeyring(sign.key) })
	for name, row := range map[string]struct {
		text, want string
	}{
		"its own kid":  {sign.pass(nil), "valid"},
		"another kid":  {sign.jwt(sign.header(map[string]any{"kid": "x"}), claims(nil)), "valid"},
		"no kid":       {sign.jwt(sign.header(map[string]any{"kid": nil}), claims(nil)), "valid"},
		"another key":  {other.pass(nil), "bad_signature"},
		"another alg":  {sign.jwt(sign.header(map[string]any{"alg": "HS256"}), claims(nil)), "bad_signature"},
		"another type": {sign.jwt(sign.header(map[string]any{"typ": "JWT"}), claims(nil)), "wrong_type"},
		"crit":         {sign.jwt(sign.header(map[string]any{"crit": []string{}}), claims(nil)), "malformed"},
	} {
		if _, err := s.verify(row.text); reason(err) != row.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAKeyHasOneOfThreeStates(t *testing.T) {
	t.Parallel()
	ring, err := hallpass.NewKeyring()
	if err != nil {
		t.Fatal(err)
	}
	err = ring.Add(newSigner(t, hallpass.HS256).key, "asleep")
	var field *hallpass.FieldError
	if !errors.As(err, &field) || field.Field != "state" {
		t.Errorf("got %v, want a FieldError for state", err)
	}
}
