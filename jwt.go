package hallpass

import (
	"regexp"
	"strings"

	"github.com/hallpass-go/hallpass/internal/passjwt"
	"github.com/hallpass-go/hallpass/internal/strictjson"
)

// SignJWT signs a payload as a JWT of a type of its own, such as "at+jwt" (RFC
// 9068), with the active key. The header has `alg`, `kid` and typ as `typ`; the
// payload travels as it is given. What the claims say is the caller's business.
//
// Passes are signed by an Issuer alone: a ring for passes is a *FieldError of
// "purpose", and so is a typ of "pass+jwt" or "JWT", or one that is no subtype of
// "application/", of "typ". A payload that is no strict JSON object (no name
// twice, valid UTF-8), or that makes a token above MaxTokenLength, is one of
// "payload". Without an active key it is an ErrUnavailable.
func (r *Keyring) SignJWT(typ string, payload []byte) (Token, error) {
	s := r.snap.Load()
	if err := s.checkJWT(typ); err != nil {
		return Token{}, err
	}
	if strictjson.Members(string(payload), nil) != nil {
		return Token{}, fieldErrorf("payload", "must be one JSON object without duplicate names")
	}
	if s.active == nil {
		return Token{}, errNoActiveKey
	}
	header := passjwt.HeaderSegment(passjwt.Header{Algorithm: string(s.active.algorithm), KeyID: s.active.id, Type: typ})
	text, err := signSegments(*s.active, header, payload)
	if err != nil {
		return Token{}, unavailable("signing failed", err)
	}
	if len(text) > MaxTokenLength {
		return Token{}, fieldErrorf("payload", "makes a token of %d bytes; at most %d fit a request", len(text), MaxTokenLength)
	}
	return Token{text}, nil
}

// OpenJWT returns the payload of a token that SignJWT made with a key of this
// ring, and the key. It judges no time and no claim: that is the caller's, and
// nothing is permitted before it is done. The payload is one strict JSON object.
//
// A token has one spelling: unpadded base64url with zero trailing bits. Its header
// has the members alg, kid and typ and no other; the key, never the header, says
// the algorithm, and typ is compared as it is written ("application/at+jwt" is
// another type). Its refusals, in this order, are RefusalMalformed,
// RefusalUnknownKey, RefusalBadSignature and RefusalWrongType; any other error is
// the *FieldError of SignJWT for a wrong ring or typ. With an error there is no
// payload.
func (r *Keyring) OpenJWT(typ, token string) (payload []byte, key Key, err error) {
	s := r.snap.Load()
	if err := s.checkJWT(typ); err != nil {
		return nil, Key{}, err
	}
	if len(token) > MaxTokenLength {
		return nil, Key{}, RefusalMalformed
	}
	parts, err := passjwt.Split(token)
	if err != nil {
		return nil, Key{}, RefusalMalformed
	}
	header, err := passjwt.ParseExactHeader(parts.Header)
	if err != nil {
		return nil, Key{}, RefusalMalformed
	}
	payload, err = passjwt.DecodeSegment(make([]byte, 0, passjwt.DecodedLen(parts.Payload)), parts.Payload)
	if err != nil {
		return nil, Key{}, RefusalMalformed
	}
	var room [64]byte // of the longest signature
	signature, err := passjwt.DecodeSegment(room[:0], parts.Signature)
	if err != nil || strictjson.Members(string(payload), nil) != nil {
		return nil, Key{}, RefusalMalformed
	}
	key, ok := s.key(header.KeyID)
	switch {
	case !ok:
		return nil, Key{}, RefusalUnknownKey
	case header.Algorithm != string(key.algorithm) || !key.verify(parts.Signed, signature):
		return nil, Key{}, RefusalBadSignature
	case header.Type != typ:
		return nil, Key{}, RefusalWrongType
	}
	return payload, key, nil
}

// typPattern is a media subtype (RFC 6838 section 4.2). It has no slash, so a
// type cannot be spelt with and without "application/" (RFC 7515 section 4.1.9).
var typPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,63}$`)

// checkJWT keeps other tokens apart from passes, by key and by type. Types are
// compared without regard to case here, as other decoders may do so.
func (s *ringSnapshot) checkJWT(typ string) error {
	switch {
	case s.purpose == PurposePass:
		return fieldErrorf("purpose", "these keys are for passes; other tokens need keys of another purpose")
	case typ == "at+jwt": // the usual one
		return nil
	case !typPattern.MatchString(typ):
		return fieldErrorf("typ", "must be a media type below application/, such as at+jwt")
	case strings.EqualFold(typ, passjwt.Type), strings.EqualFold(typ, "JWT"):
		return fieldErrorf("typ", "%q is not for tokens that are no passes; each kind has a type of its own", typ)
	}
	return nil
}
