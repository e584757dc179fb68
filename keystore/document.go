package keystore

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
)

// document is the one cell that holds a deployment's keys. All of them stand in
// one cell on purpose: a compare-and-swap of one value moves all rings from one
// consistent state to the next, so there is never a moment, or a crash, with two
// active keys of a purpose or none.
type document struct {
	Instance string   `json:"instance"`
	Keys     []keyRow `json:"keys"`
}

// keyRow is a key at rest: a JWK in clear, or wrapped by the master key. Rows of a
// purpose that this package does not know belong to a newer hallpass: they are
// kept as they are.
type keyRow struct {
	ID      string            `json:"id"`
	Purpose hallpass.Purpose  `json:"purpose"`
	State   hallpass.KeyState `json:"state"`
	Created time.Time         `json:"created"`
	JWK     json.RawMessage   `json:"jwk,omitempty"`
	Wrapped []byte            `json:"wrapped,omitempty"`
}

// newInstance returns the id of a new deployment: 80 bits, so that two never meet.
func newInstance() string {
	var b [10]byte
	rand.Read(b[:]) // never fails since Go 1.24
	return "hp-" + strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
}

var errNoMaster = errors.New("the keys in this store are wrapped; set HALLPASS_MASTER_KEY or HALLPASS_MASTER_KEY_FILE")

// row returns the row of an id, of whatever purpose, or nil.
func (d *document) row(id string) *keyRow {
	i := slices.IndexFunc(d.Keys, func(row keyRow) bool { return row.ID == id })
	if i < 0 {
		return nil
	}
	return &d.Keys[i]
}

// has reports whether there is a key of a purpose.
func (d *document) has(purpose hallpass.Purpose) bool {
	return slices.ContainsFunc(d.Keys, func(row keyRow) bool { return row.Purpose == purpose })
}

// open opens every key of a known purpose.
func (d *document) open(m *Master) (rings, error) {
	all, err := newRings()
	if err != nil {
		return nil, err
	}
	for i := range d.Keys {
		row := &d.Keys[i]
		ring, known := all[row.Purpose]
		if !known {
			continue
		}
		text := string(row.JWK)
		if row.Wrapped != nil {
			if m == nil {
				return nil, errNoMaster
			}
			if text, err = m.unwrap(row); err != nil {
				return nil, err
			}
		}
		key, err := hallpass.ParseKeyFor(row.Purpose, text, row.ID)
		if err == nil {
			err = ring.Add(key, row.State)
		}
		if err != nil {
			return nil, fmt.Errorf("the stored key %q cannot be used: %v", row.ID, err)
		}
	}
	return all, nil
}

// bare lists the private keys that stand in the document unwrapped.
func (d *document) bare(all rings) (ids []string) {
	for i := range d.Keys {
		row := &d.Keys[i]
		if key, _, there := all.of(row); there && row.Wrapped == nil && key.CanSign() {
			ids = append(ids, row.ID)
		}
	}
	return ids
}

// update writes the rings' keys and states into the document and reports whether
// a private key now stands in it unwrapped that did not before. Keys keep their
// order; new ones come last.
func (d *document) update(all rings, m *Master, now time.Time) (bare bool, err error) {
	var rows []keyRow
	old := map[string]bool{}
	for _, row := range d.Keys {
		old[string(row.Purpose)+" "+row.ID] = true
		if _, known := all[row.Purpose]; !known {
			rows = append(rows, row)
			continue
		}
		key, state, there := all.of(&row)
		if !there {
			continue
		}
		row.State = state
		if m != nil && row.Wrapped == nil {
			if _, err := row.hold(key, m); err != nil {
				return false, err
			}
		}
		rows = append(rows, row)
	}
	for _, purpose := range hallpass.Purposes() {
		for key, state := range all[purpose].Keys {
			if old[string(purpose)+" "+key.ID()] {
				continue
			}
			row := keyRow{ID: key.ID(), Purpose: purpose, State: state, Created: now}
			inClear, err := row.hold(key, m)
			if err != nil {
				return false, err
			}
			bare = bare || inClear
			rows = append(rows, row)
		}
	}
	d.Keys = rows
	return bare, nil
}

// hold puts the key into its row, wrapped where it is a secret and there is a
// master key, and reports whether it is a secret in clear.
func (k *keyRow) hold(key hallpass.Key, m *Master) (bare bool, err error) {
	jwk, err := key.Reveal()
	if err != nil {
		return false, err
	}
	if m != nil && key.CanSign() {
		m.wrap(k, jwk)
		return false, nil
	}
	k.JWK = json.RawMessage(jwk)
	return key.CanSign(), nil // a public key is no secret
}
