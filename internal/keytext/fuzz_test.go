package keytext_test

import (
	"testing"

	"github.com/hallpass-go/hallpass/internal/keytext"
)

// FuzzParse: no text makes Parse panic, and what it takes for a key stays the
// same key when written as a JWK and read again.
func FuzzParse(f *testing.F) {
	for _, algorithm := range []string{keytext.EdDSA, keytext.ES256} {
		m := generate(f, algorithm)
		for _, text := range []string{pkcs8(f, m), pkix(f, m), jwk(f, m, true), jwk(f, m, false), openSSH(f, m.Private, ""), sshLine(f, m.Public)} {
			f.Add(text)
		}
	}
	for _, key := range publicTestKeys(f) {
		f.Add(key.OneLine)
	}
	f.Add(jwk(f, generate(f, keytext.HS256), true))
	f.Add(sec1(f, generate(f, keytext.ES256)))
	f.Add("a shared secret")
	f.Add(`{"kty":"OKP","crv":"Ed25519","x":"","d":null}`)
	f.Add("-----BEGIN|-----END")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := keytext.Parse(text)
		if err != nil {
			if m.Secret != nil || m.Private != nil || m.Public != nil {
				t.Fatal("a key beside an error")
			}
			return
		}
		if (m.Secret == nil) != (m.Algorithm != keytext.HS256) || (m.Secret == nil) == (m.Public == nil) {
			t.Fatalf("a key that is two things or none: %v", m)
		}
		if keytext.Fingerprint(m) == "" {
			t.Fatalf("%v has no fingerprint", m)
		}
		_ = keytext.Check(m)
		same(t, parse(t, jwk(t, m, m.Public == nil || m.Private != nil)), m)
	})
}
