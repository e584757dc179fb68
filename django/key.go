package django

import (
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/keytext"
)

// Key is a key of a Django installation: its SECRET_KEY, or jwt-email-auth's
// SIGNING_KEY. It shows itself only as a kind. The zero Key judges nothing.
type Key struct{ material keytext.Material }

// ParseKey reads a key: a shared secret of any length, whose UTF-8 bytes count, or
// an Ed25519 key as PEM, OpenSSH (line breaks may be written as |) or JWK. Keys that
// stand in public documents, such as the default that jwt-email-auth ships, are
// refused. Errors are *hallpass.FieldError with field "key" and never contain it.
func ParseKey(text string) (Key, error) {
	m, err := keytext.Parse(text)
	if err == nil {
		err = keytext.CheckKnown(m)
	}
	if err == nil && m.Algorithm == keytext.ES256 {
		err = fmt.Errorf("no Django package signs with %s", m.Algorithm)
	}
	if err != nil {
		return Key{}, &hallpass.FieldError{Field: "key", Reason: err.Error()}
	}
	return Key{m}, nil
}

// String names the kind of key, never the key.
func (k Key) String() string { return k.material.String() }

// Format writes String for every verb: one that takes no text, such as %d, would
// otherwise print the fields.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// LogValue keeps the key out of structured logs.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// secret is the shared secret, which SECRET_KEY always is.
func (k Key) secret() ([]byte, error) {
	if k.material.Secret == nil {
		return nil, &hallpass.FieldError{Field: "key", Reason: "must be a shared secret, as Django's SECRET_KEY is"}
	}
	return k.material.Secret, nil
}

func secretOf(m hallpass.ForeignMaterial) ([]byte, error) {
	secret := m.Secret()
	if secret == nil {
		return nil, &hallpass.FieldError{Field: "key", Reason: "must be a shared secret, as Django's SECRET_KEY is"}
	}
	return secret, nil
}

// jwtHeader is what PyJWT 2.6 writes: sorted names, no space.
const jwtHeader = `{"alg":"HS256","typ":"JWT"}`

// signHS256 makes a JWT of a payload.
func signHS256(secret []byte, header, payload string) string {
	signed := encodeURL([]byte(header)) + "." + encodeURL([]byte(payload))
	return strings.Join([]string{signed, encodeURL(sumHMAC(secret, signed))}, ".")
}
