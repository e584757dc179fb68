package hallpass

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/asn1"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"math/big"
	"regexp"
	"strings"
	"sync"

	"github.com/hallpass-go/hallpass/internal/keytext"
	"github.com/hallpass-go/hallpass/internal/passjwt"
)

// Algorithm is a signature algorithm by its JOSE name (RFC 7518, RFC 8037).
type Algorithm string

// The algorithms. A key has exactly one; a token's header never chooses.
const (
	// HS256 is HMAC with SHA-256: shortest and fastest, for one service.
	HS256 Algorithm = "HS256"
	// EdDSA is Ed25519: for tokens that others verify.
	EdDSA Algorithm = "EdDSA"
	// ES256 is ECDSA on P-256 with SHA-256, where others cannot do Ed25519.
	ES256 Algorithm = "ES256"
)

// Key signs or verifies tokens. It has one algorithm and one purpose for life.
// The zero Key is not usable. Its String shows the id and never the secret.
type Key struct {
	id        string
	algorithm Algorithm
	purpose   Purpose
	material  keytext.Material
	// header is the encoded JOSE header of every pass this key signs; empty for
	// another purpose.
	header string
	macs   *sync.Pool // of *mac, HS256 only
}

// mac is a keyed HMAC with room for its sum, reused between tokens: setting up
// the key schedule costs as much as a short message.
type mac struct {
	hash.Hash
	sum     [sha256.Size]byte
	message []byte // a copy of what is checked, so that it need not be made anew
}

// GenerateKey makes a new key for passes from crypto/rand. Its id is derived from
// the key.
func GenerateKey(algorithm Algorithm) (Key, error) {
	return GenerateKeyFor(PurposePass, algorithm)
}

// GenerateKeyFor makes a new key for a purpose. Its errors are *FieldError with
// field "purpose" or "algorithm".
func GenerateKeyFor(purpose Purpose, algorithm Algorithm) (Key, error) {
	purpose, err := purpose.check()
	if err != nil {
		return Key{}, err
	}
	m, err := keytext.Generate(string(algorithm))
	if err != nil {
		return Key{}, fieldErrorf("algorithm", "%q is not one of HS256, EdDSA, ES256", string(algorithm))
	}
	return newKey(m, purpose, "")
}

// ParseKey reads a key for passes from text: a PEM block, an OpenSSH Ed25519 key (its line
// breaks may be written as |), a JWK, or a shared secret of at least 32 bytes
// for HS256. id names the key in tokens (`kid`); empty derives it from the key,
// or takes a JWK's own. A public key makes a Key that only verifies.
//
// Short secrets and secrets that stand in public documents are refused. Errors
// are *FieldError with field "key" or "id" and never contain the text.
func ParseKey(text, id string) (Key, error) { return ParseKeyFor(PurposePass, text, id) }

// ParseKeyFor is ParseKey for a purpose. A text does not say what its key is for:
// giving one key two purposes is the caller's mistake. A wrong purpose is a
// *FieldError with field "purpose".
func ParseKeyFor(purpose Purpose, text, id string) (Key, error) {
	purpose, err := purpose.check()
	if err != nil {
		return Key{}, err
	}
	m, err := keytext.Parse(text)
	if err != nil {
		return Key{}, fieldErrorf("key", "%v", err)
	}
	if err := keytext.Check(m); err != nil {
		return Key{}, fieldErrorf("key", "%v", err)
	}
	return newKey(m, purpose, id)
}

var keyIDPattern = regexp.MustCompile(`^[A-Za-z0-9._~-]{1,64}$`)

func newKey(m keytext.Material, purpose Purpose, id string) (Key, error) {
	if id == "" {
		id = m.ID
	}
	if id == "" {
		id = shortName(keytext.Fingerprint(m))
	}
	if !keyIDPattern.MatchString(id) {
		return Key{}, fieldErrorf("id", "a key id is 1 to 64 of A-Z a-z 0-9 . _ ~ -")
	}
	k := Key{id: id, algorithm: Algorithm(m.Algorithm), purpose: purpose, material: m}
	if purpose == PurposePass {
		k.header = passjwt.HeaderSegment(passjwt.Header{Algorithm: m.Algorithm, KeyID: id, Type: passjwt.Type})
	}
	if k.algorithm == HS256 {
		secret := m.Secret
		k.macs = &sync.Pool{New: func() any { return &mac{Hash: hmac.New(sha256.New, secret)} }}
	}
	return k, nil
}

// shortName takes letters and digits only: an id that starts with a hyphen would
// be a flag to the command line.
func shortName(fingerprint string) string {
	name := strings.NewReplacer("-", "", "_", "").Replace(fingerprint)
	return name[:min(len(name), 12)]
}

// ID is the key's name in tokens.
func (k Key) ID() string { return k.id }

// Algorithm is the key's one algorithm.
func (k Key) Algorithm() Algorithm { return k.algorithm }

// Purpose is what the key signs; empty for the zero Key.
func (k Key) Purpose() Purpose { return k.purpose }

// CanSign reports whether the key holds its secret half.
func (k Key) CanSign() bool { return k.material.Secret != nil || k.material.Private != nil }

// Public returns the public half of an asymmetric key, and nil for a shared
// secret, which has none.
func (k Key) Public() crypto.PublicKey { return k.material.Public }

// Reveal returns the whole key as a JWK that ParseKey reads. It is secret.
func (k Key) Reveal() (string, error) {
	text, err := keytext.MarshalJWK(k.material, k.CanSign())
	return string(text), err
}

// String returns the id, the algorithm and a purpose other than passes.
func (k Key) String() string {
	if k.purpose == PurposePass || k.purpose == "" {
		return k.id + " (" + string(k.algorithm) + ")"
	}
	return k.id + " (" + string(k.algorithm) + ", " + string(k.purpose) + ")"
}

// Format writes String for every verb: one that takes no text, such as %d, would
// otherwise print the fields.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// LogValue keeps the secret out of structured logs.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalJSON keeps the secret out of JSON; Reveal gives it.
func (k Key) MarshalJSON() ([]byte, error) {
	return []byte(`{"id":"` + k.id + `","algorithm":"` + string(k.algorithm) + `","purpose":"` + string(k.purpose) + `"}`), nil
}

// sign appends the signature of message.
func (k Key) sign(dst, message []byte) ([]byte, error) {
	switch k.algorithm {
	case HS256:
		m := k.macs.Get().(*mac)
		defer k.macs.Put(m)
		m.Reset()
		m.Write(message)
		return m.Sum(dst), nil
	case EdDSA:
		return append(dst, ed25519.Sign(k.material.Private.(ed25519.PrivateKey), message)...), nil
	}
	digest := sha256.Sum256(message)
	// Without a source of randomness the nonce is that of RFC 6979: the same pass
	// gives the same token, which a repeated Series needs.
	der, err := k.material.Private.(*ecdsa.PrivateKey).Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	var pair struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &pair); err != nil {
		return nil, err
	}
	r, s := pair.R, pair.S
	if s.Cmp(halfP256) > 0 {
		s.Sub(elliptic.P256().Params().N, s)
	}
	var fixed [64]byte // RFC 7518 section 3.4: R and S, 32 bytes each
	r.FillBytes(fixed[:32])
	s.FillBytes(fixed[32:])
	return append(dst, fixed[:]...), nil
}

// verify reports whether the signature is this key's over message.
func (k Key) verify(message string, signature []byte) bool {
	switch k.algorithm {
	case HS256:
		m := k.macs.Get().(*mac)
		defer k.macs.Put(m)
		m.Reset()
		m.message = append(m.message[:0], message...)
		m.Write(m.message)
		return hmac.Equal(m.Sum(m.sum[:0]), signature)
	case EdDSA:
		return ed25519.Verify(k.material.Public.(ed25519.PublicKey), []byte(message), signature)
	case ES256:
		if len(signature) != 64 {
			return false
		}
		digest := sha256.Sum256([]byte(message))
		r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
		return s.Cmp(halfP256) <= 0 && ecdsa.Verify(k.material.Public.(*ecdsa.PublicKey), digest[:], r, s)
	}
	return false
}

// halfP256 is the largest S of a signature. R and N-S would be a second signature
// of the same message, hence a second spelling of the same token.
var halfP256 = new(big.Int).Rsh(elliptic.P256().Params().N, 1)

// signatureLength is in bytes.
func (k Key) signatureLength() int {
	if k.algorithm == HS256 {
		return sha256.Size
	}
	return 64
}

// derive returns 32 bytes that only holders of the secret half can compute, for
// one purpose. HKDF with the purpose as info keeps them independent of the
// signatures and of each other (RFC 5869 section 3.2). The key's own purpose keeps
// them apart where one secret was given two.
func (k Key) derive(purpose string) ([]byte, error) {
	info := "hallpass/1 " + purpose
	if k.purpose != PurposePass {
		info = "hallpass/1/" + string(k.purpose) + " " + purpose
	}
	var secret []byte
	switch private := k.material.Private.(type) {
	case ed25519.PrivateKey:
		secret = private.Seed()
	case *ecdsa.PrivateKey:
		d, err := private.Bytes()
		if err != nil {
			return nil, err
		}
		secret = d
	default:
		secret = k.material.Secret
	}
	return hkdf.Key(sha256.New, secret, nil, info, sha256.Size)
}
