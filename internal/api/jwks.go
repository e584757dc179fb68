package api

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"

	"github.com/go-jose/go-jose/v4"

	"github.com/hallpass-go/hallpass"
)

// serveKeys publishes the public halves of a ring's keys (RFC 7517), those that
// sign and those that verify: a new key stands here before it signs, and an old
// one until its last token has ended. A shared secret has no public half.
func (a *API) serveKeys(ring *hallpass.Keyring) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
		if ring != nil {
			for key, state := range ring.Keys {
				if public := key.Public(); public != nil && state != hallpass.KeyRetired {
					set.Keys = append(set.Keys, jose.JSONWebKey{Key: public, KeyID: key.ID(), Algorithm: string(key.Algorithm()), Use: "sig"})
				}
			}
		}
		body, err := json.Marshal(set)
		if err != nil {
			a.fail(w, r, err)
			return
		}
		sum := sha256.Sum256(body)
		h := w.Header()
		h.Set("Cache-Control", "public, max-age=300")
		h.Set("ETag", `"`+base64.RawURLEncoding.EncodeToString(sum[:15])+`"`)
		if r.Header.Get("If-None-Match") == h.Get("ETag") {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		h.Set("Content-Type", "application/jwk-set+json")
		_, _ = w.Write(append(body, '\n'))
	}
}
