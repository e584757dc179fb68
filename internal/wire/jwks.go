package wire

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"

	"github.com/hallpass-go/hallpass"
)

// ServeKeys answers with the public halves of a ring's keys, which readers may keep
// for five minutes; a nil ring has none. An error has written nothing.
func ServeKeys(w http.ResponseWriter, r *http.Request, ring *hallpass.Keyring) error {
	body := []byte(`{"keys":[]}`)
	if ring != nil {
		var err error
		if body, err = ring.MarshalJWKS(); err != nil {
			return err
		}
	}
	sum := sha256.Sum256(body)
	h := w.Header()
	h.Set("Cache-Control", "public, max-age=300")
	h.Set("ETag", `"`+base64.RawURLEncoding.EncodeToString(sum[:15])+`"`)
	if r.Header.Get("If-None-Match") == h.Get("ETag") {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Content-Type", "application/jwk-set+json")
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(append(body, '\n'))
	}
	return nil
}
