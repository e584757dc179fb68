package keystore

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
)

// document is the one cell that holds a deployment's keys. All of them stand in
// one cell on purpose: a compare-and-swap of one value moves the whole ring from
// one consistent state to the next, so there is never a moment, or a crash, with
// two active keys or none.
type document struct {
	Instance string   `json:"instance"`
	Keys     []keyRow `json:"keys"`
}

// keyRow is a key at rest: a JWK in clear, or wrapped by the master key.
type keyRow struct {
	ID      string            `json:"id"`
	Purpose string            `json:"purpose"`
	State   hallpass.KeyState `json:"state"`
	Created time.Time         `json:"created"`
	JWK     json.RawMessage   `json:"jwk,omitempty"`
	Wrapped []byte            `json:"wrapped,omitempty"`
}

// purposePass is the one purpose so far: signing passes.
const purposePass = "pass"

// newInstance returns the id of a new deployment: 80 bits, so that two never meet.
func newInstance() string {
	var b [10]byte
	rand.Read(b[:]) // never fails since Go 1.24
	return "hp-" + strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
}

var errNoMaster = errors.New("the keys in this store are wrapped; set HALLPASS_MASTER_KEY or HALLPASS_MASTER_KEY_FILE")

// keyring opens every key.
func (d *document) keyring(m *Master) (*hallpass.Keyring, error) {
	ring, err := hallpass.NewKeyring()
	if err != nil {
		return nil, err
	}
	for i := range d.Keys {
		row := &d.Keys[i]
		if row.Purpose != purposePass {
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
		key, err := hallpass.ParseKey(text, row.ID)
		if err == nil {
			err = ring.Add(key, row.State)
		}
		if err != nil {
			return nil, fmt.Errorf("the stored key %q cannot be used: %v", row.ID, err)
		}
	}
	return ring, nil
}

// update writes the ring's keys and states into the document and reports whether
// a private key now stands in it unwrapped that did not before.
func (d *document) update(ring *hallpass.Keyring, m *Master, now time.Time) (bare bool, err error) {
	old := map[string]keyRow{}
	var rows []keyRow
	for _, row := range d.Keys {
		if row.Purpose == purposePass {
			old[row.ID] = row
		} else {
			rows = append(rows, row)
		}
	}
	for key, state := range ring.Keys {
		row, known := old[key.ID()]
		if !known {
			row = keyRow{ID: key.ID(), Purpose: purposePass, Created: now}
		}
		row.State = state
		if row.Wrapped == nil && (!known || m != nil) {
			jwk, err := key.Reveal()
			if err != nil {
				return false, err
			}
			row.JWK = json.RawMessage(jwk)
			switch {
			case !key.CanSign(): // a public key is no secret
			case m != nil:
				m.wrap(&row, jwk)
			default:
				bare = true
			}
		}
		rows = append(rows, row)
	}
	d.Keys = rows
	return bare, nil
}
