package cli

import (
	"context"
	"fmt"
	"slices"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/keytext"
	"github.com/hallpass-go/hallpass/internal/openstore"
	"github.com/hallpass-go/hallpass/internal/wire"
	"github.com/hallpass-go/hallpass/keystore"
)

type keysCmd struct {
	List   keysListCmd   `cmd:"" help:"List the keys, never their secrets."`
	Add    keysAddCmd    `cmd:"" help:"Add a key: a new one, or one you have."`
	Rotate keysRotateCmd `cmd:"" help:"Sign with a new key, or with one of the others, from now on."`
	Retire keysRetireCmd `cmd:"" help:"Stop honouring what a key signed."`
	Remove keysRemoveCmd `cmd:"" help:"Forget a key."`
}

type keysListCmd struct{}

type keysAddCmd struct {
	Alg      string `placeholder:"ALG" values:"HS256,EdDSA,ES256" help:"HS256 (default), EdDSA or ES256."`
	Key      string `placeholder:"KEY" help:"A secret, PEM, OpenSSH or JWK text, or @FILE; a new key unless given."`
	ID       string `name:"id" placeholder:"ID" help:"Its name in tokens; derived from the key unless given."`
	Activate bool   `help:"Sign with it from now on."`
}

type keysRotateCmd struct {
	ID  string `arg:"" optional:"" help:"A key that was added before; a new one unless given."`
	Alg string `placeholder:"ALG" values:"HS256,EdDSA,ES256" help:"Algorithm of the new key; that of the active one unless given."`
}

type keysRetireCmd struct {
	ID string `arg:"" help:"The key's id."`
}

type keysRemoveCmd struct {
	ID string `arg:"" help:"The key's id."`
}

// keyJSON is a key as it is shown: everything but its secret.
type keyJSON struct {
	ID        string `json:"id"`
	Algorithm string `json:"algorithm"`
	State     string `json:"state"`
	CreatedAt string `json:"created_at"`
	CanSign   bool   `json:"can_sign"`
}

func keyOf(k keystore.Info) keyJSON {
	return keyJSON{k.ID, string(k.Algorithm), string(k.State), wire.Time(k.CreatedAt), k.CanSign}
}

func (c *keysListCmd) Run(ctx context.Context, a *app) error {
	return a.withKeys(ctx, func(_ *openstore.Store, ring *keystore.Ring) error {
		list := ring.List()
		if a.grammar.JSON {
			keys := make([]keyJSON, 0, len(list))
			for _, k := range list {
				keys = append(keys, keyOf(k))
			}
			return a.print(map[string]any{"keys": keys})
		}
		if len(list) == 0 {
			return a.line(`No keys yet. "hallpass issue" or "hallpass keys add" makes the first one.`)
		}
		var rows [][]string
		for _, k := range list {
			does := "signs and verifies"
			switch {
			case k.State == hallpass.KeyRetired:
				does = "nothing"
			case k.State != hallpass.KeyActive:
				does = "verifies"
			}
			rows = append(rows, []string{k.ID, string(k.Algorithm), string(k.State), does, moment(k.CreatedAt)})
		}
		return a.table(a.stdout, 2, []string{"KEY", "ALGORITHM", "STATE", "DOES", "ADDED (UTC)"}, rows)
	})
}

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
		return a.keyDone(ring, key.ID(), "Added")
	})
}

// key reads the key that was given, or makes one.
func (c *keysAddCmd) key() (hallpass.Key, error) {
	if c.Key == "" {
		key, err := newKey(hallpass.Algorithm(orText(c.Alg, string(hallpass.HS256))))
		if err != nil || c.ID == "" {
			return key, err
		}
		text, err := key.Reveal()
		if err != nil {
			return key, err
		}
		return hallpass.ParseKey(text, c.ID)
	}
	text, err := keytext.ReadRef(c.Key)
	if err != nil {
		return hallpass.Key{}, fieldError("key", "%v", err)
	}
	key, err := hallpass.ParseKey(text, c.ID)
	if err == nil && c.Alg != "" && string(key.Algorithm()) != c.Alg {
		return key, fieldError("alg", "is %s, but the key is for %s", c.Alg, key.Algorithm())
	}
	return key, err
}

func newKey(alg hallpass.Algorithm) (hallpass.Key, error) {
	if !slices.Contains([]hallpass.Algorithm{hallpass.HS256, hallpass.EdDSA, hallpass.ES256}, alg) {
		return hallpass.Key{}, fieldError("alg", "must be HS256, EdDSA or ES256, not %q", string(alg))
	}
	return hallpass.GenerateKey(alg)
}

func (c *keysRotateCmd) Run(ctx context.Context, a *app) error {
	if c.ID != "" && c.Alg != "" {
		return fieldError("alg", "is for a new key; the one that is named has its own")
	}
	return a.withKeys(ctx, func(store *openstore.Store, ring *keystore.Ring) error {
		if c.ID != "" {
			if err := ring.Activate(ctx, c.ID); err != nil {
				return err
			}
			return a.keyDone(ring, c.ID, "Rotated to")
		}
		if err := mayMakeKey(store); err != nil {
			return err
		}
		alg := hallpass.HS256
		if active, ok := ring.Keyring().Active(); ok {
			alg = active.Algorithm()
		}
		key, err := newKey(hallpass.Algorithm(orText(c.Alg, string(alg))))
		if err != nil {
			return err
		}
		if err := ring.Rotate(ctx, key); err != nil {
			return err
		}
		return a.keyDone(ring, key.ID(), "Rotated to")
	})
}

func (c *keysRetireCmd) Run(ctx context.Context, a *app) error {
	return a.withKeys(ctx, func(_ *openstore.Store, ring *keystore.Ring) error {
		if err := ring.Retire(ctx, c.ID); err != nil {
			return err
		}
		return a.keyDone(ring, c.ID, "Retired")
	})
}

func (c *keysRemoveCmd) Run(ctx context.Context, a *app) error {
	return a.withKeys(ctx, func(_ *openstore.Store, ring *keystore.Ring) error {
		if err := ring.Remove(ctx, c.ID); err != nil {
			return err
		}
		if a.grammar.JSON {
			return a.print(map[string]any{"id": c.ID, "removed": true})
		}
		return a.line("Removed %s. What it signed is not honoured any more.", c.ID)
	})
}

// withKeys opens the store's keys, which may be none.
func (a *app) withKeys(ctx context.Context, do func(*openstore.Store, *keystore.Ring) error) error {
	store, err := openstore.Open(ctx, a.grammar.Store, nil)
	if err != nil {
		return err
	}
	defer store.Close()
	opts, err := a.keyOptions(store)
	if err != nil {
		return err
	}
	ring, err := keystore.Edit(ctx, store, opts)
	if err != nil {
		return err
	}
	return do(store, ring)
}

// keyDone prints a key after a change.
func (a *app) keyDone(ring *keystore.Ring, id, what string) error {
	list := ring.List()
	i := slices.IndexFunc(list, func(k keystore.Info) bool { return k.ID == id })
	if i < 0 { // somebody else removed it meanwhile
		return fmt.Errorf("%w: there is no key %q", hallpass.ErrNotFound, id)
	}
	if a.grammar.JSON {
		return a.print(keyOf(list[i]))
	}
	return a.line("%s %s (%s): %s.", what, id, list[i].Algorithm, list[i].State)
}
