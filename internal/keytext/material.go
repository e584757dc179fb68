// Package keytext turns the text of a key into key material: PEM, OpenSSH and
// JWK keys are recognised by their shape, anything else is a shared secret.
//
// A text that was meant to be a key but is broken is an error and never a
// secret. That closes algorithm confusion at its source: the text of a public
// key cannot become an HMAC secret (PyJWT CVE-2022-29217, authlib
// CVE-2024-37568).
//
// No error of this package contains any part of the key text.
package keytext

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"github.com/go-jose/go-jose/v4"
)

// The algorithms a key can have, by their names in RFC 7518 and RFC 8037.
const (
	HS256 = "HS256" // HMAC with SHA-256, a shared secret
	EdDSA = "EdDSA" // Ed25519
	ES256 = "ES256" // ECDSA on P-256 with SHA-256
)

// Material is a key together with the one algorithm it is for. The header of
// a token never chooses another.
//
// It shows itself only redacted, through fmt, log/slog and encoding/json. The
// fmt package cannot ask a value in an unexported field, so a struct that
// holds a Material in one must redact itself.
type Material struct {
	// Algorithm is HS256, EdDSA or ES256.
	Algorithm string
	// Secret is the shared secret of an HS256 key, nil for the others.
	Secret []byte
	// Private is an ed25519.PrivateKey or *ecdsa.PrivateKey, nil for a secret
	// and for a key that can only verify.
	Private crypto.Signer
	// Public is an ed25519.PublicKey or *ecdsa.PublicKey, nil for a secret. It
	// is always the public half of Private where there is one.
	Public crypto.PublicKey
	// ID is the kid that a JWK states, empty for other forms. See Fingerprint
	// for a default.
	ID string
}

// String names the kind of key and its id, never the key.
func (m Material) String() string {
	kind := "no key"
	switch {
	case m.Secret != nil:
		kind = m.Algorithm + " secret"
	case m.Private != nil:
		kind = m.Algorithm + " private key"
	case m.Public != nil:
		kind = m.Algorithm + " public key"
	}
	if m.ID != "" {
		kind += fmt.Sprintf(" %q", m.ID)
	}
	return kind
}

// Format writes String for every verb: a verb that takes no strings, such as
// %d, would otherwise print the fields.
func (m Material) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(m.String())) }

// LogValue is String, so that a logged key is redacted.
func (m Material) LogValue() slog.Value { return slog.StringValue(m.String()) }

// MarshalJSON writes String. MarshalJWK is the way to export a key.
func (m Material) MarshalJSON() ([]byte, error) { return json.Marshal(m.String()) }

// fingerprintInfo separates the id of a secret from every key that is derived
// from it elsewhere. Changing it changes the kid of every stored secret.
const fingerprintInfo = "hallpass key id v1"

// Fingerprint is a stable id for a key that has none of its own: the SHA-256
// JWK thumbprint (RFC 7638, 43 characters) of an asymmetric key, the same for
// both halves, or 16 characters derived from a secret by HKDF. It is public,
// as tokens carry it: for a secret it tells no more than any token's MAC does.
// A Material that holds no key has the empty fingerprint.
func Fingerprint(m Material) string {
	if m.Secret != nil {
		id, err := hkdf.Key(sha256.New, m.Secret, nil, fingerprintInfo, 12)
		if err != nil {
			return ""
		}
		return base64.RawURLEncoding.EncodeToString(id)
	}
	if m.Public == nil {
		return ""
	}
	sum, err := (&jose.JSONWebKey{Key: m.Public}).Thumbprint(crypto.SHA256)
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(sum)
}

var (
	errRSA   = errors.New("RSA keys are not supported; use an Ed25519 or P-256 key")
	errCurve = errors.New("this curve is not supported; use an Ed25519 or P-256 key")
	errKind  = errors.New("this kind of key is not supported; use an Ed25519 or P-256 key")
	errPair  = errors.New("the private and public halves of this key do not belong together")
)

// fromPrivate takes what a parser returned. Both halves are worked out again
// from the private scalar: signing Ed25519 with a foreign public half gives
// the private key away, and no parser checks all of this.
func fromPrivate(key any) (Material, error) {
	switch k := key.(type) {
	case *ed25519.PrivateKey: // as golang.org/x/crypto/ssh returns it
		return fromPrivate(*k)
	case ed25519.PrivateKey:
		if len(k) != ed25519.PrivateKeySize {
			return Material{}, errors.New("this Ed25519 private key has the wrong length")
		}
		derived := ed25519.NewKeyFromSeed(k.Seed())
		if !derived.Equal(k) {
			return Material{}, errPair
		}
		return Material{Algorithm: EdDSA, Private: derived, Public: derived.Public()}, nil
	case *ecdsa.PrivateKey:
		if k.Curve != elliptic.P256() {
			return Material{}, errCurve
		}
		raw, err := k.Bytes()
		if err != nil {
			return Material{}, errors.New("this P-256 private key is out of range")
		}
		derived, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), raw)
		if err != nil {
			return Material{}, errors.New("this P-256 private key is out of range")
		}
		if !derived.PublicKey.Equal(&k.PublicKey) {
			return Material{}, errPair
		}
		return Material{Algorithm: ES256, Private: derived, Public: &derived.PublicKey}, nil
	case *rsa.PrivateKey:
		return Material{}, errRSA
	default:
		return Material{}, errKind
	}
}

// fromPublic takes what a parser returned.
func fromPublic(key any) (Material, error) {
	switch k := key.(type) {
	case ed25519.PublicKey:
		if len(k) != ed25519.PublicKeySize {
			return Material{}, errors.New("this Ed25519 public key has the wrong length")
		}
		if smallOrder(k) {
			return Material{}, errors.New("this Ed25519 public key is a point of small order: anybody could sign for it")
		}
		return Material{Algorithm: EdDSA, Public: k}, nil
	case *ecdsa.PublicKey:
		if k.Curve != elliptic.P256() {
			return Material{}, errCurve
		}
		if _, err := k.Bytes(); err != nil {
			return Material{}, errors.New("this P-256 public key is not a point of the curve")
		}
		return Material{Algorithm: ES256, Public: k}, nil
	case *rsa.PublicKey:
		return Material{}, errRSA
	default:
		return Material{}, errKind
	}
}
