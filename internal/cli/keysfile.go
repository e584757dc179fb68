package cli

import (
	"encoding/json"
	"strings"

	"github.com/hallpass-go/hallpass"
)

// readKeys reads the keys of a file: one in any form that `keys add` takes, or a
// JWK set, whose first key that can sign does.
func readKeys(file string) (*hallpass.Keyring, error) {
	text, err := readFile(file, 1<<20)
	if err != nil {
		return nil, fieldError("keys", "%v", err)
	}
	text = strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	texts := []string{text}
	if err := json.Unmarshal([]byte(text), &set); err == nil && set.Keys != nil {
		texts = nil
		for _, raw := range set.Keys {
			texts = append(texts, string(raw))
		}
	}
	ring, err := hallpass.NewKeyring()
	if err != nil {
		return nil, err
	}
	signs := false
	for _, text := range texts {
		key, err := hallpass.ParseKey(text, "")
		if err != nil {
			return nil, fieldError("keys", "%s: %v", file, err)
		}
		state := hallpass.KeyVerifying
		if !signs && key.CanSign() {
			signs, state = true, hallpass.KeyActive
		}
		if err := ring.Add(key, state); err != nil {
			return nil, fieldError("keys", "%s: %v", file, err)
		}
	}
	if !signs {
		return nil, fieldError("keys", "%s holds no key that can sign", file)
	}
	return ring, nil
}
