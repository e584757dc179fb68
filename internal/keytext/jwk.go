package keytext

import (
	"crypto"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/go-jose/go-jose/v4"
)

var (
	errJWK       = errors.New("this JWK is not one JSON object, or is broken")
	errJWKKey    = errors.New("the members of this JWK are no key: they must be unpadded base64url of full length, and d must belong to the public half")
	errNoPrivate = errors.New("this key has no private half")
	errNoKey     = errors.New("there is no key to export")
	errExport    = errors.New("this key cannot be exported")
)

// jwkKeyMembers are the members that carry key material (RFC 7518 section 6,
// RFC 8037 section 2), by the key type they belong to.
var jwkKeyMembers = map[string][]string{
	"oct": {"k"},
	"OKP": {"crv", "x", "d"},
	"EC":  {"crv", "x", "y", "d"},
}

// jwkForeignMembers carry key material of some type. One that does not belong
// to the stated type means that two readers could see two keys.
var jwkForeignMembers = []string{"k", "crv", "x", "y", "d", "n", "e", "p", "q", "dp", "dq", "qi", "oth", "pub", "priv"}

// parseJWK reads one JWK (RFC 7517). Members that are not about the key itself
// are ignored, certificates and URLs included: only what was configured counts.
func parseJWK(body string) (Material, error) {
	members, err := jwkMembers(body)
	if err != nil {
		return Material{}, err
	}
	kty, err := jwkText(members, "kty")
	if err != nil {
		return Material{}, err
	}
	own, known := jwkKeyMembers[kty]
	switch {
	case members["keys"] != nil:
		return Material{}, errors.New("this is a JWK set; give one of its keys")
	case kty == "RSA":
		return Material{}, errRSA
	case !known:
		return Material{}, errors.New("the JWK member kty must be oct, OKP or EC")
	}
	for _, name := range jwkForeignMembers {
		if members[name] != nil && !slices.Contains(own, name) {
			return Material{}, errors.New("this JWK mixes members of different key types")
		}
	}
	bare := map[string]string{"kty": kty}
	for _, name := range own {
		if members[name] == nil && name == "d" {
			continue
		}
		if bare[name], err = jwkText(members, name); err != nil {
			return Material{}, err
		}
		if bare[name] == "" {
			return Material{}, errors.New("this JWK lacks a member that its kty needs: " + strings.Join(own, ", ") + " (d for a private key)")
		}
	}
	if want := map[string]string{"OKP": "Ed25519", "EC": "P-256"}[kty]; bare["crv"] != want {
		return Material{}, errCurve
	}
	m, err := jwkMaterial(bare)
	if err != nil {
		return Material{}, err
	}
	if err := jwkPurpose(&m, members); err != nil {
		return Material{}, err
	}
	return m, nil
}

// jwkMaterial decodes the members that are the key. go-jose reads base64 with
// line breaks and spare bits in it, so the result must spell like what was
// read: one spelling per key.
func jwkMaterial(bare map[string]string) (Material, error) {
	text, err := json.Marshal(bare)
	if err != nil {
		return Material{}, errJWK
	}
	var key jose.JSONWebKey
	if err := key.UnmarshalJSON(text); err != nil {
		return Material{}, errJWKKey
	}
	again, err := key.MarshalJSON()
	if err != nil {
		return Material{}, errJWKKey
	}
	var spelled map[string]string
	if err := json.Unmarshal(again, &spelled); err != nil || !maps.Equal(spelled, bare) {
		return Material{}, errJWKKey
	}
	if secret, ok := key.Key.([]byte); ok {
		return Material{Algorithm: HS256, Secret: secret}, nil
	}
	if bare["d"] != "" {
		return fromPrivate(key.Key)
	}
	return fromPublic(key.Key)
}

// jwkPurpose applies what the JWK says about its use, and takes its kid.
func jwkPurpose(m *Material, members map[string]json.RawMessage) error {
	alg, err := jwkText(members, "alg")
	if err != nil {
		return err
	}
	// RFC 9864 names EdDSA with Ed25519 plainly Ed25519.
	if alg == "Ed25519" && m.Algorithm == EdDSA {
		alg = EdDSA
	}
	if members["alg"] != nil && alg != m.Algorithm {
		return errors.New("the JWK member alg must be " + m.Algorithm + " for this kind of key, or absent")
	}
	use, err := jwkText(members, "use")
	if err != nil {
		return err
	}
	if members["use"] != nil && use != "sig" {
		return errors.New("the JWK member use must be sig, or absent")
	}
	if raw := members["key_ops"]; raw != nil {
		var ops []string
		if json.Unmarshal(raw, &ops) != nil || !slices.Contains(ops, "sign") && !slices.Contains(ops, "verify") {
			return errors.New("the JWK member key_ops must list sign or verify, or be absent")
		}
	}
	if m.ID, err = jwkText(members, "kid"); err != nil {
		return err
	}
	// The kid goes into token headers, logs and pages.
	if len(m.ID) > 256 || strings.ContainsFunc(m.ID, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return errors.New("the JWK member kid must be at most 256 bytes of printable text")
	}
	return nil
}

// jwkText is the member as text, empty if it is absent. A null is no text.
func jwkText(members map[string]json.RawMessage, name string) (string, error) {
	raw := members[name]
	if raw == nil {
		return "", nil
	}
	var text string
	if raw[0] != '"' || json.Unmarshal(raw, &text) != nil {
		return "", errors.New("the JWK member " + name + " must be text")
	}
	return text, nil
}

// jwkMembers reads one JSON object in which no name stands twice, at any
// depth: which of two values counts differs from reader to reader.
func jwkMembers(body string) (map[string]json.RawMessage, error) {
	dec := json.NewDecoder(strings.NewReader(body))
	if err := oneMeaning(dec, 0); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errJWK
	}
	var members map[string]json.RawMessage
	if json.Unmarshal([]byte(body), &members) != nil {
		return nil, errJWK
	}
	return members, nil
}

// jwkDepth is far beyond any real key and keeps the recursion small.
const jwkDepth = 16

func oneMeaning(dec *json.Decoder, depth int) error {
	token, err := dec.Token()
	if err != nil || depth > jwkDepth {
		return errJWK
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	seen := map[string]bool{}
	for dec.More() {
		if delim == '{' {
			name, err := dec.Token()
			if err != nil {
				return errJWK
			}
			text, _ := name.(string)
			if seen[text] {
				return errors.New("this JWK has the same member twice")
			}
			seen[text] = true
		}
		if err := oneMeaning(dec, depth+1); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil {
		return errJWK
	}
	return nil
}

// MarshalJWK writes the key as a JWK that Parse reads back: with its private
// half, or the public one alone. A shared secret can only be written with
// private, as it has no half to publish.
func MarshalJWK(m Material, private bool) ([]byte, error) {
	var key any
	switch {
	case m.Secret != nil && !private:
		return nil, errors.New("a shared secret has no public half")
	case m.Secret != nil:
		key = m.Secret
	case private && m.Private == nil:
		return nil, errNoPrivate
	case private:
		key = crypto.PrivateKey(m.Private)
	case m.Public == nil:
		return nil, errNoKey
	default:
		key = m.Public
	}
	text, err := jose.JSONWebKey{Key: key, KeyID: m.ID, Algorithm: m.Algorithm, Use: "sig"}.MarshalJSON()
	if err != nil {
		return nil, errExport
	}
	return text, nil
}
