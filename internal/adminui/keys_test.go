package adminui_test

import (
	"strings"
	"testing"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/adminui"
)

// The page led to a key set that was empty, or that nobody served.
func TestTheKeysPageLeadsToPublicKeysOnlyWhereThereAreSome(t *testing.T) {
	t.Parallel()
	const jwks, accessJWKS = `href="/.well-known/hallpass-jwks.json"`, `href="/.well-known/jwks.json"`
	for name, tt := range map[string]struct {
		change      func(*testing.T, *adminui.Config)
		says, hides []string
	}{
		"a shared secret alone": {func(*testing.T, *adminui.Config) {}, []string{"HS256 keys are shared secrets", "no key signs access tokens here"}, []string{jwks, accessJWKS}},
		"an asymmetric key for passes": {func(t *testing.T, c *adminui.Config) {
			key, err := hallpass.GenerateKey(hallpass.EdDSA)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Ring.Rotate(t.Context(), key); err != nil {
				t.Fatal(err)
			}
		}, []string{jwks, "no key signs access tokens here"}, []string{accessJWKS, "shared secrets"}},
		"a key for access tokens": {func(t *testing.T, c *adminui.Config) {
			if _, err := c.Ring.Ensure(t.Context(), hallpass.PurposeAccess, hallpass.EdDSA); err != nil {
				t.Fatal(err)
			}
			c.AccessJWKS = "/.well-known/jwks.json"
		}, []string{"HS256 keys are shared secrets", accessJWKS}, []string{jwks}},
		"a key for access tokens that nobody serves": {func(t *testing.T, c *adminui.Config) {
			if _, err := c.Ring.Ensure(t.Context(), hallpass.PurposeAccess, hallpass.EdDSA); err != nil {
				t.Fatal(err)
			}
		}, []string{"no address is open for them here"}, []string{jwks, accessJWKS}},
		"keys for passes from a file": {func(t *testing.T, c *adminui.Config) {
			if _, err := c.Ring.Ensure(t.Context(), hallpass.PurposeAccess, hallpass.EdDSA); err != nil {
				t.Fatal(err)
			}
			c.AccessKeys, c.Ring, c.AccessJWKS = c.Ring.KeyringFor(hallpass.PurposeAccess), nil, "/.well-known/jwks.json"
		}, []string{"The keys of passes come from a file", accessJWKS, "<td>access</td>"}, []string{jwks}},
	} {
		body := newSite(t, func(c *adminui.Config) { tt.change(t, c) }).as(adminui.RoleAdmin).get("/keys").body
		for _, want := range tt.says {
			if !strings.Contains(body, want) {
				t.Errorf("%s: the page does not say %q", name, want)
			}
		}
		for _, bad := range tt.hides {
			if strings.Contains(body, bad) {
				t.Errorf("%s: the page says %q", name, bad)
			}
		}
	}
}
