package login_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/hallpass-go/hallpass/login"
)

func TestAccessTokensVerifyWithTheKeysThatJWKSPublishes(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	server := httptest.NewServer(s.JWKS())
	t.Cleanup(server.Close)
	resp, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var set struct{ Keys []json.RawMessage }
	if err := json.NewDecoder(resp.Body).Decode(&set); err != nil {
		t.Fatal(err)
	}
	if len(set.Keys) != 1 || strings.Contains(string(set.Keys[0]), `"d"`) || resp.Header.Get("Content-Type") != "application/jwk-set+json" {
		t.Fatalf("published: %s, %v", set.Keys, resp.Header)
	}
	var key jose.JSONWebKey
	if err := key.UnmarshalJSON(set.Keys[0]); err != nil {
		t.Fatal(err)
	}
	tokens, err := s.Open(t.Context(), login.Identity{Subject: "7", Address: "hugo@example.com"}, login.Client{})
	if err != nil {
		t.Fatal(err)
	}
	signed, err := jose.ParseSignedCompact(tokens.Access.Reveal(), []jose.SignatureAlgorithm{jose.EdDSA})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := signed.Verify(key); err != nil {
		t.Errorf("an access token does not verify: %v", err)
	}

	posted, err := http.Post(server.URL, "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	defer posted.Body.Close()
	if posted.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %s", posted.Status)
	}
}
