package e2e_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// newUpstream is an application that does not know hallpass. /slow takes a while,
// /echo says what it got, /fail fails, any other path says who it is.
func newUpstream(t testing.TB) *httptest.Server {
	t.Helper()
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/slow":
			time.Sleep(50 * time.Millisecond)
		case "/echo":
			fmt.Fprintf(w, "request id %s\n", r.Header.Get("X-Request-Id"))
			io.Copy(w, r.Body)
			return
		case "/fail":
			w.WriteHeader(http.StatusInternalServerError)
		}
		io.WriteString(w, "the application")
	}))
	t.Cleanup(app.Close)
	return app
}

// jwk is a shared secret as a JWK.
func jwk(id, secret string) string {
	return fmt.Sprintf(`{"kty":"oct","alg":"HS256","kid":%q,"k":%q}`, id, base64.RawURLEncoding.EncodeToString([]byte(secret)))
}
