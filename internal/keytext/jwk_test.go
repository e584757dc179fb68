package keytext_test

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/hallpass-go/hallpass/internal/keytext"
)

// with is a JWK with some members changed; nil takes one out.
func with(t *testing.T, text string, change map[string]any) string {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal([]byte(text), &members); err != nil {
		t.Fatal(err)
	}
	maps.Copy(members, change)
	maps.DeleteFunc(members, func(_ string, value any) bool { return value == nil })
	changed, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return string(changed)
}

func member(t *testing.T, text, name string) string {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal([]byte(text), &members); err != nil {
		t.Fatal(err)
	}
	value, ok := members[name].(string)
	if !ok {
		t.Fatalf("no member %s", name)
	}
	return value
}

func TestParseRefusesAJWKThatCouldBeReadInTwoWays(t *testing.T) {
	t.Parallel()
	okp, ec, oct := jwk(t, generate(t, keytext.EdDSA), true), jwk(t, generate(t, keytext.ES256), true), jwk(t, generate(t, keytext.HS256), true)
	otherOKP, otherEC := jwk(t, generate(t, keytext.EdDSA), true), jwk(t, generate(t, keytext.ES256), true)
	tail := func(text, more string) string { return strings.TrimSuffix(text, "}") + more + "}" }

	tests := []struct {
		name string
		text string
		says string
	}{
		{"broken JSON", "{", "broken"},
		{"an empty object", "{}", "kty"},
		{"an object that only looks like one", "{secret}", "broken"},
		{"text after the object", okp + "x", "broken"},
		{"a second object", okp + okp, "broken"},
		{"very deep JSON", `{"a":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + "}", "broken"},
		{"a set of keys", `{"keys":[` + okp + `]}`, "set"},
		{"a list of keys", "[" + okp + "]", "alone"},

		{"the same member twice", tail(oct, `,"alg":"HS256"`), "twice"},
		{"the same member twice, once escaped", tail(oct, `,"k\u0074y":"oct"`), "twice"},
		{"the same member twice further in", tail(oct, `,"x":{"a":1,"a":2}`), "twice"},

		{"no kty", with(t, okp, map[string]any{"kty": nil}), "kty"},
		{"an unknown kty", with(t, okp, map[string]any{"kty": "AKP"}), "kty"},
		{"a kty in capitals", with(t, oct, map[string]any{"kty": "OCT"}), "kty"},
		{"a kty that is no text", with(t, okp, map[string]any{"kty": 1}), "kty"},
		{"an RSA key", `{"kty":"RSA","n":"AQAB","e":"AQAB"}`, "RSA"},
		{"a crv of another kty", with(t, okp, map[string]any{"crv": "P-256"}), "curve"},
		{"an OKP key for key agreement", with(t, okp, map[string]any{"crv": "X25519"}), "curve"},
		{"an EC key on P-384", with(t, ec, map[string]any{"crv": "P-384"}), "curve"},
		{"an oct key with a curve", with(t, oct, map[string]any{"crv": "Ed25519"}), "mixes"},
		{"an OKP key with a secret", with(t, okp, map[string]any{"k": "AAAA"}), "mixes"},
		{"an OKP key with a y", with(t, okp, map[string]any{"y": "AAAA"}), "mixes"},

		{"an alg of another kty", with(t, okp, map[string]any{"alg": "ES256"}), "alg"},
		{"an alg that is not supported", with(t, oct, map[string]any{"alg": "HS512"}), "alg"},
		{"an alg none", with(t, oct, map[string]any{"alg": "none"}), "alg"},
		{"an empty alg", with(t, oct, map[string]any{"alg": ""}), "alg"},
		{"a null alg", tail(with(t, oct, map[string]any{"alg": nil}), `,"alg":null`), "alg"},
		{"a key for encryption", with(t, okp, map[string]any{"use": "enc"}), "use"},
		{"an empty use", with(t, okp, map[string]any{"use": ""}), "use"},
		{"operations without signing", with(t, oct, map[string]any{"key_ops": []string{"encrypt"}}), "key_ops"},
		{"operations that are no list", with(t, oct, map[string]any{"key_ops": "sign"}), "key_ops"},
		{"a kid that is no text", with(t, oct, map[string]any{"kid": 7}), "kid"},
		{"a kid with a line break", with(t, oct, map[string]any{"kid": "a\nb"}), "kid"},
		{"a kid that is too long", with(t, oct, map[string]any{"kid": strings.Repeat("k", 257)}), "kid"},

		{"an oct key without its secret", with(t, oct, map[string]any{"k": nil}), "lacks"},
		{"an oct key with an empty secret", with(t, oct, map[string]any{"k": ""}), "lacks"},
		{"an OKP private key without its public half", with(t, okp, map[string]any{"x": nil}), "lacks"},
		{"an EC key without its y", with(t, ec, map[string]any{"y": nil}), "lacks"},
		{"an OKP private key with an empty d", with(t, okp, map[string]any{"d": ""}), "lacks"},
		{"an OKP private key with a null d", tail(with(t, okp, map[string]any{"d": nil}), `,"d":null`), "text"},
		{"an OKP key that is too short", with(t, okp, map[string]any{"d": nil, "x": "AAAA"}), "JWK"},
		{"an OKP key that is too long", with(t, okp, map[string]any{"d": nil, "x": member(t, okp, "x") + "AAAA"}), "JWK"},
		{"an EC point that is not on the curve", with(t, ec, map[string]any{"d": nil, "y": member(t, ec, "x")}), "JWK"},
		{"an EC private key of zero", with(t, ec, map[string]any{"d": strings.Repeat("A", 43)}), "range"},
		{"an EC private key beyond the order", with(t, ec, map[string]any{"d": strings.Repeat("_", 42) + "8"}), "range"},
		{"padded base64", with(t, oct, map[string]any{"k": member(t, oct, "k") + "="}), "base64url"},
		{"base64 with a line break", with(t, oct, map[string]any{"k": member(t, oct, "k")[:8] + "\n" + member(t, oct, "k")[8:]}), "base64url"},

		{"an OKP private key with another's public half", with(t, okp, map[string]any{"x": member(t, otherOKP, "x")}), "belong"},
		{"an EC private key with another's public half", with(t, ec, map[string]any{"x": member(t, otherEC, "x"), "y": member(t, otherEC, "y")}), "belong"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			refused(t, tt.text, tt.says)
		})
	}
}

func TestMarshalRefusesAHalfThatIsNotThere(t *testing.T) {
	t.Parallel()
	ed, hs := generate(t, keytext.EdDSA), generate(t, keytext.HS256)
	tests := []struct {
		name    string
		m       keytext.Material
		private bool
		pemOnly bool
	}{
		{"the public half of a secret", hs, false, false},
		{"a secret as PEM", hs, true, true},
		{"the private half of a public key", publicOnly(ed), true, false},
		{"no key, public", keytext.Material{}, false, false},
		{"no key, private", keytext.Material{}, true, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if text, err := keytext.MarshalPEM(tt.m, tt.private); err == nil {
				t.Errorf("MarshalPEM gave %d bytes", len(text))
			}
			if tt.pemOnly {
				return
			}
			if text, err := keytext.MarshalJWK(tt.m, tt.private); err == nil {
				t.Errorf("MarshalJWK gave %d bytes", len(text))
			}
		})
	}
}

func TestMarshalPublicHoldsNothingPrivate(t *testing.T) {
	t.Parallel()
	for _, algorithm := range []string{keytext.EdDSA, keytext.ES256} {
		m := generate(t, algorithm)
		d := member(t, jwk(t, m, true), "d")
		if public := jwk(t, m, false); strings.Contains(public, d) || strings.Contains(public, `"d"`) {
			t.Errorf("the public JWK of an %s key holds its private half", algorithm)
		}
		same(t, parse(t, pkix(t, m)), publicOnly(m))
	}
}
