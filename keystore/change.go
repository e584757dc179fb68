package keystore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/hallpass-go/hallpass"
)

// Add puts a key into the store: for verifying, or as the one that signs. The
// first key that can sign always does. An id that is taken is a FieldError.
func (r *Ring) Add(ctx context.Context, key hallpass.Key, activate bool) error {
	return r.change(ctx, func(ring *hallpass.Keyring) error {
		state := hallpass.KeyVerifying
		if _, signs := ring.Active(); activate || (!signs && key.CanSign()) {
			state = hallpass.KeyActive
		}
		return ring.Add(key, state)
	})
}

// Rotate makes a new key the one that signs; the former one goes on verifying.
// Of two processes that rotate at once both add their key, and the later one's
// signs.
func (r *Ring) Rotate(ctx context.Context, key hallpass.Key) error {
	return r.change(ctx, func(ring *hallpass.Keyring) error { return ring.Rotate(key) })
}

// Activate makes a key of the store the one that signs.
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
	err := r.change(ctx, func(ring *hallpass.Keyring) error { return edit(ring, id) })
	if errors.Is(err, hallpass.ErrNotFound) {
		return fmt.Errorf("%w: there is no key %q", hallpass.ErrNotFound, id)
	}
	return err
}

// errUnchanged, returned by an edit, keeps the store as it is.
var errUnchanged = errors.New("unchanged")

// change reads the keys, edits them, and writes them if nobody else did in
// between; otherwise it begins again. The rules of a Keyring are the rules here.
func (r *Ring) change(ctx context.Context, edit func(*hallpass.Keyring) error) error {
	for {
		doc, version, err := r.read(ctx)
		if err != nil {
			return err
		}
		ring, err := doc.keyring(r.opts.Master)
		if err != nil {
			return fmt.Errorf("%w: %w", hallpass.ErrUnavailable, err)
		}
		err = edit(ring)
		if errors.Is(err, errUnchanged) {
			r.adopt(doc, version, ring)
			return nil
		}
		if err != nil {
			return err
		}
		if version == 0 {
			doc.Instance = newInstance()
		}
		bare, err := doc.update(ring, r.opts.Master, r.now())
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
		r.adopt(doc, cell.Version, ring)
		if bare && r.opts.Bare != nil {
			r.opts.Bare()
		}
		return nil
	}
}
