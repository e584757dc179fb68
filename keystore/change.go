package keystore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/hallpass-go/hallpass"
)

// Add puts a key into the store, among those of its purpose: for verifying, or as
// the one that signs. The first key of a purpose that can sign always does. An id
// that is taken, for whatever purpose, is a FieldError.
func (r *Ring) Add(ctx context.Context, key hallpass.Key, activate bool) error {
	return r.change(ctx, func(doc *document, all rings) error { return add(doc, all, key, activate) })
}

// Rotate makes a new key the one that signs for its purpose; the former one goes
// on verifying. Of two processes that rotate at once both add their key, and the
// later one's signs.
func (r *Ring) Rotate(ctx context.Context, key hallpass.Key) error { return r.Add(ctx, key, true) }

// Ensure makes the first key of a purpose: where no key signs for it, a new one
// does, and created is true. Of several processes that do so at once one wins, and
// the others get the winner's key.
func (r *Ring) Ensure(ctx context.Context, purpose hallpass.Purpose, algorithm hallpass.Algorithm) (created bool, err error) {
	err = r.change(ctx, func(doc *document, all rings) error {
		created = false
		if ring, known := all[orPass(purpose)]; known {
			if _, signs := ring.Active(); signs {
				return errUnchanged
			}
		}
		key, err := hallpass.GenerateKeyFor(purpose, algorithm)
		if err != nil {
			return err
		}
		created = true
		return add(doc, all, key, true)
	})
	return created && err == nil, err
}

// EnsureInstance gives the store its instance id where it has none yet, for those
// whose keys are elsewhere: Add would make one later, and what was signed until
// then would name another.
func (r *Ring) EnsureInstance(ctx context.Context) error {
	return r.change(ctx, func(doc *document, _ rings) error {
		if doc.Instance != "" {
			return errUnchanged
		}
		return nil
	})
}

func add(doc *document, all rings, key hallpass.Key, activate bool) error {
	ring, known := all[key.Purpose()]
	if !known { // the zero Key
		return &hallpass.FieldError{Field: "key", Reason: "is empty; make one with GenerateKeyFor or ParseKeyFor"}
	}
	if row := doc.row(key.ID()); row != nil && row.Purpose != key.Purpose() {
		return &hallpass.FieldError{Field: "id", Reason: fmt.Sprintf("there is already a key %q, for %s", key.ID(), row.Purpose)}
	}
	state := hallpass.KeyVerifying
	if _, signs := ring.Active(); activate || (!signs && key.CanSign()) {
		state = hallpass.KeyActive
	}
	return ring.Add(key, state)
}

// Activate makes a key of the store the one that signs for its purpose.
func (r *Ring) Activate(ctx context.Context, id string) error {
	return r.changeKey(ctx, id, (*hallpass.Keyring).Activate)
}

// Retire stops honouring what a key signed, and keeps it for the record.
func (r *Ring) Retire(ctx context.Context, id string) error {
	return r.changeKey(ctx, id, (*hallpass.Keyring).Retire)
}

// Remove forgets a key.
func (r *Ring) Remove(ctx context.Context, id string) error {
	return r.changeKey(ctx, id, (*hallpass.Keyring).Remove)
}

func (r *Ring) changeKey(ctx context.Context, id string, edit func(*hallpass.Keyring, string) error) error {
	return r.change(ctx, func(doc *document, all rings) error {
		row := doc.row(id)
		if row == nil {
			return fmt.Errorf("%w: there is no key %q", hallpass.ErrNotFound, id)
		}
		ring, known := all[row.Purpose]
		if !known {
			return &hallpass.FieldError{Field: "id", Reason: fmt.Sprintf("%q is for %q, which only a newer hallpass knows", id, row.Purpose)}
		}
		return edit(ring, id)
	})
}

// Wrap wraps every private key that still stands in the store in clear, and
// returns their ids. Any other change does so too. Without Options.Master it is a
// FieldError with field "master_key". What the store kept of the old text, such as
// free pages and backups, is not its to erase.
func (r *Ring) Wrap(ctx context.Context) (ids []string, err error) {
	if r.opts.Master == nil {
		return nil, &hallpass.FieldError{Field: "master_key", Reason: "is needed to wrap keys; set HALLPASS_MASTER_KEY or HALLPASS_MASTER_KEY_FILE"}
	}
	err = r.change(ctx, func(doc *document, all rings) error {
		if ids = doc.bare(all); len(ids) == 0 {
			return errUnchanged
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return ids, nil
}

// errUnchanged, returned by an edit, keeps the store as it is.
var errUnchanged = errors.New("unchanged")

// change reads the keys, edits them, and writes them if nobody else did in
// between; otherwise it begins again. The rules of a Keyring are the rules here.
// An edit sees the document as it was read, and changes the rings.
func (r *Ring) change(ctx context.Context, edit func(*document, rings) error) error {
	for {
		doc, version, err := r.read(ctx)
		if err != nil {
			return err
		}
		all, err := doc.open(r.opts.Master)
		if err != nil {
			return fmt.Errorf("%w: %w", hallpass.ErrUnavailable, err)
		}
		err = edit(&doc, all)
		if errors.Is(err, errUnchanged) {
			return r.adopt(doc, version, all)
		}
		if err != nil {
			return err
		}
		if version == 0 {
			doc.Instance = newInstance()
		}
		bare, err := doc.update(all, r.opts.Master, r.now())
		if err != nil {
			return err
		}
		if bare && r.opts.RequireMaster {
			return fmt.Errorf("%w: private keys in this kind of store must be wrapped; set HALLPASS_MASTER_KEY or HALLPASS_MASTER_KEY_FILE", hallpass.ErrUnavailable)
		}
		value, err := json.Marshal(doc)
		if err != nil {
			return err
		}
		cell, err := r.cells.Swap(ctx, hallpass.Cell{Group: cellGroup, Key: cellKey, Value: value, Version: version}, r.now())
		if errors.Is(err, hallpass.ErrConflict) {
			continue
		}
		if err != nil {
			return unavailable("the keys were not written", err)
		}
		if err := r.adopt(doc, cell.Version, all); err != nil {
			return err
		}
		if bare && r.opts.Bare != nil {
			r.opts.Bare()
		}
		return nil
	}
}
