package passjwt

import (
	"encoding/binary"
	"encoding/hex"
	"math/bits"
	"strings"
	"unicode/utf8"

	"github.com/hallpass-go/hallpass/internal/strictjson"
)

// The compact form is base64url of: version, length of the key id, key id, the
// claims as fields in rising order of their tag, signature. A number is a
// uvarint, a text a uvarint length and bytes. Each claim has one spelling:
// shortest varints, no empty or repeated fields (grants repeat).
const (
	compactVersion = 1
	// compactDomain precedes the signed bytes, so that a signature of this form is
	// never one of a JWT, whose signed text starts with "ey".
	compactDomain = "hallpass compact pass 1\x00"
)

const (
	tagID = iota + 1
	tagScope
	tagMode
	tagSubject
	tagMaxUses
	tagExpiresAt
	tagNotBefore
	tagIssuedAt
	tagIssuer
	tagData
	tagGrant
	tagRecipient
	tagBatch
	tagTarget
	tagUnrecorded
)

// Compact is a compact token taken apart.
type Compact struct {
	KeyID     string
	Claims    Claims
	Signed    string // what the signature covers
	Signature []byte
}

// AppendCompact appends the signed part: everything but the signature, behind
// the domain.
func AppendCompact(b []byte, keyID string, c *Claims) []byte {
	b = append(b, compactDomain...)
	b = append(b, compactVersion, byte(len(keyID)))
	b = append(b, keyID...)
	b = appendField(b, tagID, packID(c.ID))
	b = appendField(b, tagScope, c.Scope)
	b = appendField(b, tagMode, c.Mode)
	b = appendField(b, tagSubject, c.Subject)
	b = appendNumber(b, tagMaxUses, c.MaxUses)
	b = appendNumber(b, tagExpiresAt, c.ExpiresAt)
	b = appendNumber(b, tagNotBefore, c.NotBefore)
	b = appendNumber(b, tagIssuedAt, c.IssuedAt)
	b = appendField(b, tagIssuer, c.Issuer)
	b = appendField(b, tagData, c.Data)
	for _, g := range c.Grants {
		b = appendField(b, tagGrant, g)
	}
	b = appendField(b, tagRecipient, c.Recipient)
	b = appendField(b, tagBatch, c.Batch)
	b = appendField(b, tagTarget, c.Target)
	if c.Unrecorded {
		b = appendNumber(b, tagUnrecorded, 1)
	}
	return b
}

// EncodeCompact writes signed, which AppendCompact made, and its signature as
// text.
func EncodeCompact(signed, signature []byte) string {
	body := append(signed[len(compactDomain):len(signed):len(signed)], signature...)
	return string(AppendSegment(nil, body))
}

// ParseCompact reads the text behind the prefix. signatureLength tells how long
// the signature of the named key is, or 0 when there is no such key: then either
// length will do, so that a malformed text is still told apart from a token of a
// key that was retired.
func ParseCompact(text string, signatureLength func(keyID string) int) (Compact, error) {
	room := make([]byte, 0, len(compactDomain)+DecodedLen(text))
	raw, err := DecodeSegment(append(room, compactDomain...), text)
	if err != nil {
		return Compact{}, ErrMalformed
	}
	body := string(raw)
	rest := body[len(compactDomain):]
	if len(rest) < 2 || rest[0] != compactVersion || len(rest) < 2+int(rest[1]) {
		return Compact{}, ErrMalformed
	}
	c := Compact{KeyID: rest[2 : 2+int(rest[1])]}
	rest = rest[2+len(c.KeyID):]
	n := signatureLength(c.KeyID)
	if n > 0 {
		return c, c.read(body, raw, rest, n)
	}
	if err := c.read(body, raw, rest, 32); err != nil {
		c.Claims = Claims{}
		return c, c.read(body, raw, rest, 64)
	}
	return c, nil
}

// read cuts off a signature of n bytes and reads the fields before it.
func (c *Compact) read(body string, raw []byte, rest string, n int) error {
	if len(rest) < n {
		return ErrMalformed
	}
	c.Signed, c.Signature = body[:len(body)-n], raw[len(raw)-n:]
	return c.Claims.readFields(rest[:len(rest)-n])
}

func (c *Claims) readFields(fields string) error {
	last := 0
	for fields != "" {
		tag := int(fields[0])
		if tag < last || (tag == last && tag != tagGrant) {
			return ErrMalformed
		}
		last = tag
		n, size := binary.Uvarint([]byte(fields[1:min(len(fields), 1+binary.MaxVarintLen64)]))
		if size <= 0 || size != uvarintSize(n) || n == 0 || n > 1<<53 {
			return ErrMalformed
		}
		fields = fields[1+size:]
		if isNumber(tag) {
			if !c.setNumber(tag, int64(n)) {
				return ErrMalformed
			}
			continue
		}
		if uint64(len(fields)) < n || !c.setText(tag, fields[:n]) {
			return ErrMalformed
		}
		fields = fields[n:]
	}
	// In this form an absent number is zero, so every pass has its quota.
	c.Has = Presence{ID: c.ID != "", Scope: c.Scope != "", Mode: c.Mode != "", MaxUses: true, Issuer: c.Issuer != ""}
	return nil
}

func isNumber(tag int) bool {
	return tag >= tagMaxUses && tag <= tagIssuedAt || tag == tagUnrecorded
}

func (c *Claims) setNumber(tag int, n int64) bool {
	switch tag {
	case tagMaxUses:
		c.MaxUses = n
	case tagExpiresAt:
		c.ExpiresAt = n
		return n <= maxSeconds
	case tagNotBefore:
		c.NotBefore = n
		return n <= maxSeconds
	case tagIssuedAt:
		c.IssuedAt = n
	case tagUnrecorded:
		c.Unrecorded = true
		return n == 1
	}
	return true
}

func (c *Claims) setText(tag int, text string) bool {
	switch tag {
	case tagID:
		c.ID = unpackID(text)
		return c.ID != ""
	case tagScope:
		c.Scope = text
	case tagMode:
		c.Mode = text
		return isMode(text)
	case tagSubject:
		c.Subject = text
	case tagIssuer:
		c.Issuer = text
	case tagData:
		c.Data = text
		return strictjson.Valid(text)
	case tagGrant:
		c.Grants = append(c.Grants, text)
	case tagRecipient:
		c.Recipient = text
	case tagBatch:
		c.Batch = text
	case tagTarget:
		c.Target = text
	default:
		return false
	}
	return utf8.ValidString(text)
}

func appendField(b []byte, tag byte, text string) []byte {
	if text == "" {
		return b
	}
	b = binary.AppendUvarint(append(b, tag), uint64(len(text)))
	return append(b, text...)
}

func appendNumber(b []byte, tag byte, n int64) []byte {
	if n == 0 {
		return b
	}
	return binary.AppendUvarint(append(b, tag), uint64(n))
}

// uvarintSize is the number of bytes of the shortest spelling.
func uvarintSize(n uint64) int { return (bits.Len64(n|1) + 6) / 7 }

// packID writes a UUID as its 16 bytes.
func packID(id string) string {
	raw, err := hex.DecodeString(strings.ReplaceAll(id, "-", ""))
	if err != nil || len(raw) != 16 {
		return ""
	}
	return string(raw)
}

func unpackID(raw string) string {
	if len(raw) != 16 {
		return ""
	}
	var text [36]byte
	out := text[:0]
	for i := range len(raw) {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			out = append(out, '-')
		}
		out = hex.AppendEncode(out, []byte{raw[i]})
	}
	return string(out)
}
