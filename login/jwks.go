package login

import (
	"net/http"

	"github.com/hallpass-go/hallpass/internal/wire"
)

// JWKS serves the public halves of Config.AccessKeys (RFC 7517), for whoever
// verifies access tokens elsewhere, by GET and HEAD. Mount it where they look,
// usually at "/.well-known/jwks.json". HS256 keys are never there, and access tokens
// that are encrypted (Config.CipherKey) can only be read with that key.
func (l *Login) JWKS() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			l.failAPI(w, r, &failure{http.StatusMethodNotAllowed, "use GET or HEAD"})
			return
		}
		if err := wire.ServeKeys(w, r, l.cfg.AccessKeys); err != nil {
			l.failAPI(w, r, err)
		}
	})
}
