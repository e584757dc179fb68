package keystore

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"

	"github.com/hallpass-go/hallpass"
)

// MinMaster is the shortest master key text, in bytes.
const MinMaster = 32

// Master wraps private keys before they go into a store. It shows itself
// redacted.
type Master struct{ aead cipher.AEAD }

// NewMaster derives the wrapping key from any text of at least MinMaster bytes.
// Its error is a *hallpass.FieldError with field "master_key".
func NewMaster(text string) (*Master, error) {
	if len(text) < MinMaster {
		return nil, &hallpass.FieldError{Field: "master_key", Reason: fmt.Sprintf("must be at least %d bytes of text", MinMaster)}
	}
	// The info separates this key from whatever else may once be derived from the
	// same text (RFC 5869 section 3.2).
	key, err := hkdf.Key(sha256.New, []byte(text), nil, "hallpass/1 key wrapping", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	return &Master{aead}, nil
}

// String keeps the secret out of what is printed.
func (m *Master) String() string { return "[master key]" }

// GoString keeps it out of %#v.
func (m *Master) GoString() string { return m.String() }

// LogValue keeps it out of structured logs.
func (m *Master) LogValue() slog.Value { return slog.StringValue(m.String()) }

// context is what a wrapped key is bound to: moved to another id or another
// purpose, it does not open.
func (k *keyRow) context() []byte {
	return []byte("hallpass key\x00" + string(k.Purpose) + "\x00" + k.ID)
}

func (m *Master) wrap(k *keyRow, jwk string) {
	k.Wrapped, k.JWK = m.aead.Seal(nil, nil, []byte(jwk), k.context()), nil
}

var errWrongMaster = errors.New("the keys in this store were wrapped with another HALLPASS_MASTER_KEY")

func (m *Master) unwrap(k *keyRow) (string, error) {
	jwk, err := m.aead.Open(nil, nil, k.Wrapped, k.context())
	if err != nil {
		return "", errWrongMaster
	}
	return string(jwk), nil
}
