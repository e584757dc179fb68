package django

import (
	"math"
	"math/big"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/passjwt"
	"github.com/hallpass-go/hallpass/internal/strictjson"
)

// strictValue reads JSON that cannot be read in two ways.
func strictValue(text string) (pyValue, error) {
	if !strictjson.Valid(text) {
		return pyValue{}, errPyJSON
	}
	return parsePy(text)
}

// strictJWT opens a JWT as strictly as hallpass opens its own: one spelling, no
// duplicate claims, no `crit`, one algorithm. check is the key's.
func strictJWT(text, algorithm string, check func(signed string, signature []byte) bool) (claims pyValue, raw []byte, err error) {
	malformed := func() (pyValue, []byte, error) { return pyValue{}, nil, hallpass.RefusalMalformed }
	if len(text) > hallpass.MaxTokenLength {
		return malformed()
	}
	parts, err := passjwt.Split(text)
	if err != nil {
		return malformed()
	}
	header, err := passjwt.ParseHeader(parts.Header)
	if err != nil {
		return malformed()
	}
	if raw, err = passjwt.DecodeSegment(nil, parts.Payload); err != nil {
		return malformed()
	}
	signature, err := passjwt.DecodeSegment(nil, parts.Signature)
	if err != nil {
		return malformed()
	}
	if claims, err = strictValue(string(raw)); err != nil || claims.kind != pyDict {
		return malformed()
	}
	switch {
	case header.Algorithm != algorithm || !check(parts.Signed, signature):
		return pyValue{}, nil, hallpass.RefusalBadSignature
	case header.Type != "" && header.Type != "JWT":
		return claims, raw, hallpass.RefusalWrongType
	}
	return claims, raw, nil
}

// name is the id of a row, by which Django finds it: a whole number in any of its
// spellings, or a plain text.
func (v pyValue) name() (string, bool) {
	switch v.kind {
	case pyInt:
		n, err := v.int()
		return n.String(), err == nil && len(v.text) <= 40
	case pyFloat:
		f := v.float()
		if f != math.Trunc(f) || math.Abs(f) > 1<<53 {
			return "", false
		}
		n, _ := big.NewFloat(f).Int(nil)
		return n.String(), true
	case pyStr:
		return v.text, v.text != "" && len(v.text) <= 128 && strings.Trim(v.text, "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
	}
	return "", false
}

// plainText reports whether a text may be a subject or a note.
func plainText(text string) bool {
	return utf8.ValidString(text) && utf8.RuneCountInString(text) <= 255 && !strings.ContainsFunc(text, unicode.IsControl)
}

// times reads a JWT's times as PyJWT does, fractions cut off. A token is not valid
// before it was issued either. Texts, booleans and null are no times.
func (v pyValue) times(p *hallpass.Pass) error {
	for name, to := range map[string]*time.Time{"iat": &p.IssuedAt, "nbf": &p.NotBefore, "exp": &p.ExpiresAt} {
		claim, there := v.member(name)
		if !there {
			continue
		}
		if claim.kind != pyInt && claim.kind != pyFloat {
			return hallpass.RefusalMalformed
		}
		n, err := claim.int()
		if err != nil {
			return hallpass.RefusalMalformed
		}
		*to = moment(n)
	}
	if p.IssuedAt.After(p.NotBefore) {
		p.NotBefore = p.IssuedAt
	}
	return nil
}
