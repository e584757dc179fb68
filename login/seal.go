package login

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/json"
	"fmt"

	"github.com/hallpass-go/hallpass"
)

// flowSecrets is what a mail carries.
type flowSecrets struct {
	Code string `json:"code"`
	Link string `json:"link"`
}

const sealPurpose = "login-flow"

// secrets returns what is derived for a purpose from the keys that sign passes:
// first the one to make with, then all to check with. Whoever has the login store
// has none of them.
func (l *Login) secrets(purpose string) ([][]byte, error) {
	if l.realm != "login" {
		purpose += "/" + l.realm
	}
	secrets, err := l.cfg.Issuer.Keys().Derive(purpose)
	if err == nil && len(secrets) == 0 {
		err = fmt.Errorf("%w: login: the keyring holds no secret key", hallpass.ErrUnavailable)
	}
	return secrets, err
}

// seal encrypts a flow's secrets. The flow's id is authenticated with them, so
// that they cannot be moved to another flow.
func (l *Login) seal(f *flow, s flowSecrets) ([]byte, error) {
	keys, err := l.secrets(sealPurpose)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	return gcm(keys[0]).Seal(nil, nil, text, []byte(f.ID)), nil
}

func (l *Login) unseal(f *flow) (s flowSecrets, err error) {
	keys, err := l.secrets(sealPurpose)
	if err != nil {
		return s, err
	}
	for _, key := range keys {
		if text, openErr := gcm(key).Open(nil, nil, f.Sealed, []byte(f.ID)); openErr == nil {
			return s, json.Unmarshal(text, &s)
		}
	}
	return s, fmt.Errorf("%w: login: the key that sealed this login is gone", hallpass.ErrUnavailable)
}

// gcm puts a random nonce before each ciphertext (NIST SP 800-38D section 8.2.2).
func gcm(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err == nil {
		var aead cipher.AEAD
		if aead, err = cipher.NewGCMWithRandomNonce(block); err == nil {
			return aead
		}
	}
	panic(err) // only for keys that are not 32 bytes long
}
