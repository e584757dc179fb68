package hallpass

import (
	"strings"

	"github.com/hallpass-go/hallpass/internal/passjwt"
)

// signCompact writes the compact form: the same claims as the JWT, in binary.
func signCompact(key Key, claims *passjwt.Claims) (string, error) {
	signed := passjwt.AppendCompact(nil, key.id, claims)
	signature, err := key.sign(nil, signed)
	if err != nil {
		return "", err
	}
	return compactPrefix + passjwt.EncodeCompact(signed, signature), nil
}

func (i *Issuer) openCompact(text string) (Verified, error) {
	var key Key
	known := false
	c, err := passjwt.ParseCompact(strings.TrimPrefix(text, compactPrefix), func(id string) int {
		if key, known = i.cfg.Keys.byID(id); known {
			return key.signatureLength()
		}
		return 0
	})
	if err != nil {
		return Verified{}, RefusalMalformed
	}
	pass, err := readPass(&c.Claims)
	switch {
	case err != nil:
		return Verified{}, err
	case !known:
		return Verified{}, RefusalUnknownKey
	case !key.verify(c.Signed, c.Signature):
		return Verified{}, RefusalBadSignature
	}
	payload := passjwt.AppendPayload(make([]byte, 0, 512), &c.Claims)
	pass.Key = key.id
	return i.readClaims(Verified{Pass: pass, Claims: payload}, &c.Claims)
}
