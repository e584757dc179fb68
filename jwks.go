package hallpass

import (
	"encoding/json"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

// MarshalJWKS returns the public halves of a ring's keys as a JWK set (RFC 7517
// section 5), for others to verify with: of those that sign and those that verify,
// so a new key stands there before it signs, and an old one until its last token has
// ended. A shared secret (HS256) has no public half and is never there; a ring
// without public keys is an empty set.
func (r *Keyring) MarshalJWKS() ([]byte, error) {
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for key, state := range r.Keys {
		if public := key.Public(); public != nil && state != KeyRetired {
			set.Keys = append(set.Keys, jose.JSONWebKey{Key: public, KeyID: key.ID(), Algorithm: string(key.Algorithm()), Use: "sig"})
		}
	}
	text, err := json.Marshal(set)
	if err != nil {
		return nil, fmt.Errorf("hallpass: the public keys: %w", err)
	}
	return text, nil
}
