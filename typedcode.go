package hallpass

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
)

const typedCodePurpose = "guard typed code"

// TypedCode returns the six digits to write into the mail of a pass whose page asks
// for them (guard.Options.TypedCode). They follow from the pass's id and the keys, so
// nothing is stored. Its error is ErrUnavailable.
func (i *Issuer) TypedCode(p Pass) (string, error) {
	secrets, err := i.cfg.Keys.Derive(typedCodePurpose)
	if err != nil || len(secrets) == 0 {
		return "", unavailable("the code cannot be made", err)
	}
	return typedCodeOf(secrets[0], p.ID), nil
}

// IsTypedCode reports whether the six digits are those of the pass. Whoever asks
// counts the tries. Its error is ErrUnavailable.
func (i *Issuer) IsTypedCode(p Pass, typed string) (bool, error) {
	secrets, err := i.cfg.Keys.Derive(typedCodePurpose)
	if err != nil {
		return false, unavailable("the code cannot be judged", err)
	}
	right := false
	for _, secret := range secrets { // of a key that was replaced since, too
		if hmac.Equal([]byte(typedCodeOf(secret, p.ID)), []byte(typed)) {
			right = true
		}
	}
	return right, nil
}

func typedCodeOf(secret []byte, id string) string {
	m := hmac.New(sha256.New, secret)
	_, _ = io.WriteString(m, id)
	return fmt.Sprintf("%06d", binary.BigEndian.Uint64(m.Sum(nil))%1_000_000)
}
