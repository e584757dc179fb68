package django

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"maps"
	"slices"
	"strings"

	"github.com/hallpass-go/hallpass"
)

const (
	nonceSize = 12
	tagSize   = 16
)

// ParseCipherKey reads CIPHER_KEY of jwt-email-auth: 16, 24 or 32 bytes as base64.
// Errors are *hallpass.FieldError with field "cipher_key" and never contain it.
func ParseCipherKey(text string) ([]byte, error) {
	key, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(key) != 16 && len(key) != 24 && len(key) != 32 {
		return nil, &hallpass.FieldError{Field: "cipher_key", Reason: "must be 16, 24 or 32 bytes as base64, such as `openssl rand -base64 32` prints"}
	}
	return key, nil
}

func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, &hallpass.FieldError{Field: "cipher_key", Reason: "must be 16, 24 or 32 bytes"}
	}
	return cipher.NewGCM(block)
}

// encrypt wraps a token as the package does: nonce, ciphertext and tag as base64.
func (e *EmailAuth) encrypt(token string) (string, error) {
	if e.cipher == nil {
		return token, nil
	}
	gcm, err := newGCM(e.cipher)
	if err != nil {
		return "", err
	}
	nonce := make([]byte, nonceSize)
	rand.Read(nonce) // never fails
	return base64.StdEncoding.EncodeToString(gcm.Seal(nonce, nonce, []byte(token), nil)), nil
}

// decrypt takes the one spelling that encrypt makes.
func (e *EmailAuth) decrypt(token string) (string, error) {
	if e.cipher == nil {
		return token, nil
	}
	if len(token) > 2*hallpass.MaxTokenLength || strings.ContainsAny(token, "\r\n") {
		return "", hallpass.RefusalMalformed
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) < nonceSize+tagSize {
		return "", hallpass.RefusalMalformed
	}
	return unseal(e.cipher, raw)
}

func unseal(key, raw []byte) (string, error) {
	gcm, err := newGCM(key)
	if err != nil {
		return "", err
	}
	plain, err := gcm.Open(nil, raw[:nonceSize], raw[nonceSize:], nil)
	if err != nil {
		return "", hallpass.RefusalBadSignature
	}
	return string(plain), nil
}

// laxDecrypt decrypts as the package does, which fails on what is no base64 or
// shorter than the shortest nonce, and refuses the rest.
func laxDecrypt(key []byte, token string) (string, error) {
	if strings.ContainsFunc(token, func(r rune) bool { return r > 0x7f }) {
		return "", errCrash
	}
	raw, err := laxBase64(token)
	switch {
	case err != nil || len(raw) < 8:
		return "", errCrash
	case len(raw) < nonceSize+tagSize:
		return "", hallpass.RefusalBadSignature
	}
	return unseal(key, raw)
}

func sortedNames(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
