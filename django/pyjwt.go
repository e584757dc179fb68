package django

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/keytext"
)

// pyjwt judges as jwt.decode of PyJWT 2.6 does, with Debian's check of `crit` and
// `kid`. JSON in UTF-16 or UTF-32, which Python would read and nobody writes, is
// not read.
type pyjwt struct {
	key              keytext.Material // its algorithm is the one that is allowed
	now              time.Time
	leeway           time.Duration
	verifyNotBefore  bool
	audience, issuer string // empty is not configured
	require          []string
}

// decode returns the payload of a token. After a good signature the payload is
// there even if the token is refused.
func (d pyjwt) decode(token string) (pyValue, error) {
	none := pyValue{}
	last := strings.LastIndexByte(token, '.')
	if last < 0 {
		return none, hallpass.RefusalMalformed
	}
	signed := token[:last]
	headerPart, payloadPart, two := strings.Cut(signed, ".")
	if !two {
		return none, hallpass.RefusalMalformed
	}
	header, err := pyObject(headerPart)
	if err != nil {
		return none, err
	}
	payload, err := laxURLBase64(payloadPart)
	if err != nil {
		return none, hallpass.RefusalMalformed
	}
	signature, err := laxURLBase64(token[last+1:])
	if err != nil {
		return none, hallpass.RefusalMalformed
	}
	if err := d.checkHeader(header, signed, signature); err != nil {
		return none, err
	}
	claims, err := parsePy(string(payload))
	if err != nil || claims.kind != pyDict {
		return none, jsonRefusal(err)
	}
	return claims, d.checkClaims(claims)
}

func pyObject(segment string) (pyValue, error) {
	raw, err := laxURLBase64(segment)
	if err != nil {
		return pyValue{}, hallpass.RefusalMalformed
	}
	v, err := parsePy(string(raw))
	if err != nil || v.kind != pyDict {
		return pyValue{}, jsonRefusal(err)
	}
	return v, nil
}

// jsonRefusal is the refusal of a text that is no JSON, or not an object.
func jsonRefusal(err error) error {
	if errors.Is(err, errPyDepth) {
		return errCrash
	}
	return hallpass.RefusalMalformed
}

func (d pyjwt) checkHeader(header pyValue, signed string, signature []byte) error {
	if kid, there := header.member("kid"); there && kid.kind != pyStr {
		return hallpass.RefusalMalformed
	}
	if crit, there := header.member("crit"); there {
		if crit.kind != pyList || len(crit.items) == 0 {
			return hallpass.RefusalMalformed
		}
		for _, name := range crit.items {
			if _, there := header.member(name.text); name.kind != pyStr || name.text != "b64" || !there {
				return hallpass.RefusalMalformed
			}
		}
	}
	if b64, there := header.member("b64"); there && b64.kind == pyBool && b64.text == "false" {
		return hallpass.RefusalMalformed // a detached payload, which nobody gives
	}
	if alg, _ := header.member("alg"); alg.kind != pyStr || alg.text != d.key.Algorithm {
		return hallpass.RefusalBadSignature
	}
	if !verifySignature(d.key, signed, signature) {
		return hallpass.RefusalBadSignature
	}
	return nil
}

// verifySignature checks HS256 or EdDSA, the key's own algorithm.
func verifySignature(key keytext.Material, signed string, signature []byte) bool {
	if public, ok := key.Public.(ed25519.PublicKey); ok {
		return ed25519.Verify(public, []byte(signed), signature)
	}
	return key.Secret != nil && hmac.Equal(sumHMAC(key.Secret, signed), signature)
}

func sumHMAC(secret []byte, message string) []byte {
	m := hmac.New(sha256.New, secret)
	m.Write([]byte(message))
	return m.Sum(nil)
}

func (d pyjwt) checkClaims(claims pyValue) error {
	for _, name := range d.require {
		if v, _ := claims.member(name); v.kind == pyNone {
			return hallpass.RefusalMissingClaim
		}
	}
	now, leeway := seconds(d.now), d.leeway.Seconds()
	for _, claim := range []struct {
		name    string
		skip    bool
		refused hallpass.Refusal
		bad     func(cmp func(at float64) int) bool
	}{
		{"iat", false, hallpass.RefusalNotYetValid, func(cmp func(float64) int) bool { return cmp(now+leeway) > 0 }},
		{"nbf", !d.verifyNotBefore, hallpass.RefusalNotYetValid, func(cmp func(float64) int) bool { return cmp(now+leeway) > 0 }},
		{"exp", false, hallpass.RefusalExpired, func(cmp func(float64) int) bool { return cmp(now-leeway) <= 0 }},
	} {
		v, there := claims.member(claim.name)
		if !there || claim.skip {
			continue
		}
		n, err := v.int()
		switch {
		case errors.Is(err, errPyType):
			return errCrash
		case err != nil:
			return hallpass.RefusalMalformed
		case claim.bad(func(at float64) int { return cmpSeconds(n, at) }):
			return claim.refused
		}
	}
	if err := d.checkIssuer(claims); err != nil {
		return err
	}
	return d.checkAudience(claims)
}

func (d pyjwt) checkIssuer(claims pyValue) error {
	issuer, there := claims.member("iss")
	switch {
	case d.issuer == "":
		return nil
	case !there:
		return hallpass.RefusalMissingClaim
	case issuer.kind != pyStr || issuer.text != d.issuer:
		return hallpass.RefusalWrongAudience
	}
	return nil
}

func (d pyjwt) checkAudience(claims pyValue) error {
	if d.audience == "" {
		return nil
	}
	audience, _ := claims.member("aud")
	if !audience.truthy() {
		return hallpass.RefusalMissingClaim
	}
	names := []pyValue{audience}
	if audience.kind == pyList {
		names = audience.items
	}
	isText := func(v pyValue) bool { return v.kind == pyStr }
	if slices.ContainsFunc(names, func(v pyValue) bool { return !isText(v) }) ||
		!slices.ContainsFunc(names, func(v pyValue) bool { return v.text == d.audience }) {
		return hallpass.RefusalWrongAudience
	}
	return nil
}
