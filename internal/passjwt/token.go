// Package passjwt is the wire form of a signed pass: a JWS in compact form (RFC
// 7515) with the claims of a pass; other tokens share its envelope. It knows
// spelling, not policy: which key may sign, what a claim permits and what time it
// is are the caller's business.
//
// One pass has one spelling. base64 is unpadded, in the URL alphabet, with zero
// trailing bits; JSON is strict (package strictjson).
package passjwt

import (
	"encoding/base64"
	"errors"
	"strings"

	"github.com/hallpass-go/hallpass/internal/strictjson"
)

// ErrMalformed says that a text is no token of this form.
var ErrMalformed = errors.New("passjwt: malformed token")

// Type is the `typ` of a pass (RFC 8725 section 3.11: explicit typing).
const Type = "pass+jwt"

// Parts are the segments of a token, still encoded.
type Parts struct {
	// Signed is what the signature covers: header, dot, payload.
	Signed                     string
	Header, Payload, Signature string
}

// Split cuts a token at its two dots. What lies between them is judged by
// DecodeSegment.
func Split(token string) (Parts, error) {
	first := strings.IndexByte(token, '.')
	second := first + 1 + strings.IndexByte(token[first+1:], '.')
	if first < 1 || second <= first+1 || strings.IndexByte(token[second+1:], '.') >= 0 {
		return Parts{}, ErrMalformed
	}
	return Parts{
		Signed:    token[:second],
		Header:    token[:first],
		Payload:   token[first+1 : second],
		Signature: token[second+1:],
	}, nil
}

var encoding = base64.RawURLEncoding.Strict()

// DecodedLen is how many bytes a segment decodes to.
func DecodedLen(segment string) int { return encoding.DecodedLen(len(segment)) }

// DecodeSegment decodes a segment that Split returned, appending to dst.
func DecodeSegment(dst []byte, segment string) ([]byte, error) {
	// All that package base64 overlooks, even when it is strict.
	if strings.IndexByte(segment, '\n') >= 0 || strings.IndexByte(segment, '\r') >= 0 {
		return nil, ErrMalformed
	}
	dst, err := encoding.AppendDecode(dst, []byte(segment))
	if err != nil {
		return nil, ErrMalformed
	}
	return dst, nil
}

// AppendSegment appends the encoded form of raw.
func AppendSegment(dst, raw []byte) []byte { return encoding.AppendEncode(dst, raw) }

// Header is the part of a JOSE header that matters here. Key material in a
// header (jwk, jku, x5u, x5c) is never looked at.
type Header struct {
	Algorithm, KeyID, Type string
}

// ParseHeader reads an encoded header segment.
func ParseHeader(segment string) (Header, error) {
	raw, err := DecodeSegment(nil, segment)
	if err != nil {
		return Header{}, err
	}
	var h Header
	hasAlgorithm := false
	err = strictjson.Members(string(raw), func(name string, v strictjson.Value) error {
		ok := true
		switch name {
		case "alg":
			h.Algorithm, ok = v.Text()
			hasAlgorithm = true
		case "kid":
			h.KeyID, ok = v.Text()
		case "typ":
			h.Type, ok = v.Text()
		case "crit", "b64":
			ok = false // RFC 7515 section 4.1.11: refuse what must be understood and is not
		}
		if !ok {
			return ErrMalformed
		}
		return nil
	})
	if err != nil || !hasAlgorithm {
		return Header{}, ErrMalformed
	}
	return h, nil
}

// ParseExactHeader reads an encoded header segment that has the members alg, kid
// and typ, all texts, and no other: what is not understood is refused whether it
// calls itself critical or not.
func ParseExactHeader(segment string) (Header, error) {
	raw, err := DecodeSegment(nil, segment)
	if err != nil {
		return Header{}, err
	}
	var h Header
	members := 0 // strictjson refuses a name that comes twice
	err = strictjson.Members(string(raw), func(name string, v strictjson.Value) error {
		ok := false
		switch name {
		case "alg":
			h.Algorithm, ok = v.Text()
		case "kid":
			h.KeyID, ok = v.Text()
		case "typ":
			h.Type, ok = v.Text()
		}
		if !ok {
			return ErrMalformed
		}
		members++
		return nil
	})
	if err != nil || members != 3 {
		return Header{}, ErrMalformed
	}
	return h, nil
}

// HeaderSegment is the encoded header that this package writes. A verifier
// compares it as text before it parses anything.
func HeaderSegment(h Header) string {
	b := append([]byte(nil), `{"alg":`...)
	b = strictjson.AppendString(b, h.Algorithm)
	b = append(b, `,"kid":`...)
	b = strictjson.AppendString(b, h.KeyID)
	b = append(b, `,"typ":`...)
	b = strictjson.AppendString(b, h.Type)
	b = append(b, '}')
	return string(AppendSegment(nil, b))
}

// LooksLike reports whether a text has a token's shape: two dots.
func LooksLike(text string) bool { return strings.Count(text, ".") == 2 }
