package api

import (
	"net/http"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/wire"
)

// serveKeys publishes the public halves of a ring's keys (RFC 7517).
func (a *API) serveKeys(ring *hallpass.Keyring) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := wire.ServeKeys(w, r, ring); err != nil {
			a.fail(w, r, err)
		}
	}
}
