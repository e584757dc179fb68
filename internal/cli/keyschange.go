package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/keytext"
	"github.com/hallpass-go/hallpass/internal/openstore"
	"github.com/hallpass-go/hallpass/keystore"
)

func (c *keysAddCmd) Run(ctx context.Context, a *app) error {
	key, err := c.key()
	if err != nil {
		return err
	}
	if c.Activate && !key.CanSign() {
		return fieldError("key", "is a public key and cannot sign; leave out --activate")
	}
	return a.withKeys(ctx, func(store *openstore.Store, ring *keystore.Ring) error {
		if err := mayMakeKey(store); err != nil && c.Key == "" {
			return err
		}
		if err := ring.Add(ctx, key, c.Activate); err != nil {
			return err
		}
		if key.Purpose() == hallpass.PurposeAccess && key.Algorithm() == hallpass.HS256 {
			a.notice("HS256 is a shared secret and is never published; nobody else verifies what it signs")
		}
		return a.keyDone(ring, key.ID(), "Added")
	})
}

// key reads the key that was given, or makes one.
func (c *keysAddCmd) key() (hallpass.Key, error) {
	purpose, err := purposeOf(c.Purpose)
	if err != nil {
		return hallpass.Key{}, err
	}
	if c.Key == "" {
		key, err := newKey(purpose, hallpass.Algorithm(orText(c.Alg, string(usualAlgorithm(purpose)))))
		if err != nil || c.ID == "" {
			return key, err
		}
		text, err := key.Reveal()
		if err != nil {
			return key, err
		}
		return hallpass.ParseKeyFor(purpose, text, c.ID)
	}
	text, err := keytext.ReadRef(c.Key)
	if err != nil {
		return hallpass.Key{}, fieldError("key", "%v", err)
	}
	key, err := hallpass.ParseKeyFor(purpose, text, c.ID)
	if err == nil && c.Alg != "" && string(key.Algorithm()) != c.Alg {
		return key, fieldError("alg", "is %s, but the key is for %s", c.Alg, key.Algorithm())
	}
	return key, err
}

// purposeOf reads a flag. Not given, it is passes.
func purposeOf(flag *string) (hallpass.Purpose, error) {
	text, err := givenText("purpose", flag)
	if err != nil || flag == nil {
		return hallpass.PurposePass, err
	}
	if !slices.Contains(hallpass.Purposes(), hallpass.Purpose(text)) {
		return "", fieldError("purpose", "must be pass or access, not %q", text)
	}
	return hallpass.Purpose(text), nil
}

// usualAlgorithm is short for passes; access tokens are verified by others.
func usualAlgorithm(purpose hallpass.Purpose) hallpass.Algorithm {
	if purpose == hallpass.PurposeAccess {
		return hallpass.EdDSA
	}
	return hallpass.HS256
}

func newKey(purpose hallpass.Purpose, alg hallpass.Algorithm) (hallpass.Key, error) {
	if !slices.Contains([]hallpass.Algorithm{hallpass.HS256, hallpass.EdDSA, hallpass.ES256}, alg) {
		return hallpass.Key{}, fieldError("alg", "must be HS256, EdDSA or ES256, not %q", string(alg))
	}
	return hallpass.GenerateKeyFor(purpose, alg)
}

// mustBeFor refuses a key of another purpose than the one that was given. What is
// not there is left to whoever changes it.
func mustBeFor(ring *keystore.Ring, id string, flag *string) error {
	want, err := purposeOf(flag)
	if err != nil || flag == nil {
		return err
	}
	for _, k := range ring.List() {
		if k.ID == id && k.Purpose != want {
			return fieldError("purpose", "is %s, but %q is for %s", want, id, k.Purpose)
		}
	}
	return nil
}

func (c *keysRotateCmd) Run(ctx context.Context, a *app) error {
	if c.ID != "" && c.Alg != "" {
		return fieldError("alg", "is for a new key; the one that is named has its own")
	}
	purpose, err := purposeOf(c.Purpose)
	if err != nil {
		return err
	}
	return a.withKeys(ctx, func(store *openstore.Store, ring *keystore.Ring) error {
		if c.ID != "" {
			if err := mustBeFor(ring, c.ID, c.Purpose); err != nil {
				return err
			}
			if err := ring.Activate(ctx, c.ID); err != nil {
				return err
			}
			return a.keyDone(ring, c.ID, "Rotated to")
		}
		if err := mayMakeKey(store); err != nil {
			return err
		}
		alg := usualAlgorithm(purpose)
		active, signs := ring.KeyringFor(purpose).Active()
		if signs {
			alg = active.Algorithm()
		}
		key, err := newKey(purpose, hallpass.Algorithm(orText(c.Alg, string(alg))))
		if err != nil {
			return err
		}
		if err := ring.Rotate(ctx, key); err != nil {
			return err
		}
		if signs && purpose == hallpass.PurposeAccess {
			a.notice("whoever cached the public keys refuses the new key's tokens for up to 5 minutes; next time add it first, wait, then rotate to it")
		}
		return a.keyDone(ring, key.ID(), "Rotated to")
	})
}

func (c *keysRetireCmd) Run(ctx context.Context, a *app) error {
	return a.withKeys(ctx, func(_ *openstore.Store, ring *keystore.Ring) error {
		if err := mustBeFor(ring, c.ID, c.Purpose); err != nil {
			return err
		}
		if err := ring.Retire(ctx, c.ID); err != nil {
			return err
		}
		return a.keyDone(ring, c.ID, "Retired")
	})
}

func (c *keysRemoveCmd) Run(ctx context.Context, a *app) error {
	return a.withKeys(ctx, func(_ *openstore.Store, ring *keystore.Ring) error {
		if err := mustBeFor(ring, c.ID, c.Purpose); err != nil {
			return err
		}
		if err := ring.Remove(ctx, c.ID); err != nil {
			return err
		}
		if a.grammar.JSON {
			return a.print(map[string]any{"id": c.ID, "removed": true})
		}
		return a.line("Removed %s. What it signed is not honoured any more.", c.ID)
	})
}

func (c *keysWrapCmd) Run(ctx context.Context, a *app) error {
	return a.withKeys(ctx, func(_ *openstore.Store, ring *keystore.Ring) error {
		ids, err := ring.Wrap(ctx)
		if err != nil {
			return err
		}
		if a.grammar.JSON {
			return a.print(map[string]any{"wrapped": append([]string{}, ids...)})
		}
		if len(ids) == 0 {
			return a.line("Every private key is wrapped already.")
		}
		return a.line("Wrapped %s. Backups and free pages of the store may still hold them in clear.", strings.Join(ids, ", "))
	})
}
