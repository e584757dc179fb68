package cli

import (
	"context"
	"fmt"
	"slices"

	"github.com/hallpass-go/hallpass"
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
	Wrap   keysWrapCmd   `cmd:"" help:"Wrap with the master key what stands in the store in clear."`
}

type keysListCmd struct {
	Purpose *string `placeholder:"PURPOSE" values:"pass,access" help:"Only keys for pass, or for access; all unless given."`
}

type keysAddCmd struct {
	Purpose  *string `placeholder:"PURPOSE" values:"pass,access" help:"What it signs: pass (default), or access for the access tokens of a login."`
	Alg      string  `placeholder:"ALG" values:"HS256,EdDSA,ES256" help:"HS256 (default for pass), EdDSA (default for access) or ES256."`
	Key      string  `placeholder:"KEY" help:"A secret, PEM, OpenSSH or JWK text, or @FILE; a new key unless given."`
	ID       string  `name:"id" placeholder:"ID" help:"Its name in tokens; derived from the key unless given."`
	Activate bool    `help:"Sign with it from now on."`
}

type keysRotateCmd struct {
	ID      string  `arg:"" optional:"" help:"A key that was added before; a new one unless given."`
	Purpose *string `placeholder:"PURPOSE" values:"pass,access" help:"What the new key signs: pass (default) or access. With ID, what that key must be for."`
	Alg     string  `placeholder:"ALG" values:"HS256,EdDSA,ES256" help:"Algorithm of the new key; that of the active one unless given."`
}

type keysRetireCmd struct {
	ID      string  `arg:"" help:"The key's id."`
	Purpose *string `placeholder:"PURPOSE" values:"pass,access" help:"What it must be for."`
}

type keysRemoveCmd struct {
	ID      string  `arg:"" help:"The key's id."`
	Purpose *string `placeholder:"PURPOSE" values:"pass,access" help:"What it must be for."`
}

type keysWrapCmd struct{}

// keyJSON is a key as it is shown: everything but its secret.
type keyJSON struct {
	ID        string `json:"id"`
	Purpose   string `json:"purpose"`
	Algorithm string `json:"algorithm"`
	State     string `json:"state"`
	CreatedAt string `json:"created_at"`
	CanSign   bool   `json:"can_sign"`
}

func keyOf(k keystore.Info) keyJSON {
	return keyJSON{k.ID, string(k.Purpose), string(k.Algorithm), string(k.State), wire.Time(k.CreatedAt), k.CanSign}
}

func (c *keysListCmd) Run(ctx context.Context, a *app) error {
	purpose, err := purposeOf(c.Purpose)
	if err != nil {
		return err
	}
	return a.withKeys(ctx, func(_ *openstore.Store, ring *keystore.Ring) error {
		list := ring.List()
		if c.Purpose != nil {
			list = slices.DeleteFunc(list, func(k keystore.Info) bool { return k.Purpose != purpose })
		}
		if a.grammar.JSON {
			keys := make([]keyJSON, 0, len(list))
			for _, k := range list {
				keys = append(keys, keyOf(k))
			}
			return a.print(map[string]any{"keys": keys})
		}
		if len(list) == 0 && purpose == hallpass.PurposeAccess {
			return a.line(`No access keys yet. "hallpass keys add --purpose access" makes one.`)
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
			rows = append(rows, []string{k.ID, string(k.Algorithm), string(k.State), does, string(k.Purpose), moment(k.CreatedAt)})
		}
		return a.table(a.stdout, 2, []string{"KEY", "ALGORITHM", "STATE", "DOES", "PURPOSE", "ADDED (UTC)"}, rows)
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
	kind := string(list[i].Algorithm)
	if list[i].Purpose != hallpass.PurposePass {
		kind += ", " + string(list[i].Purpose)
	}
	return a.line("%s %s (%s): %s.", what, id, kind, list[i].State)
}
