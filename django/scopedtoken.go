package django

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hallpass-go/hallpass"
)

// ScopedToken is the format of drf-tmp-scoped-token: a value of django.core.signing
// that names a user, methods and paths, and its own life. Such a pass is unrecorded,
// unlimited and in request mode; its id is a hash of the signed text. What else the
// installation signs under the same salt is refused for its shape.
type ScopedToken struct {
	// Salt defaults to SigningSalt, which every signing.dumps of the project shares.
	Salt string
}

// Prefix implements hallpass.ForeignFormat.
func (ScopedToken) Prefix() string { return "dts" }

// Reader implements hallpass.ForeignFormat.
func (f ScopedToken) Reader(m hallpass.ForeignMaterial) (hallpass.ForeignReader, error) {
	secret, err := secretOf(m)
	if f.Salt == "" {
		f.Salt = SigningSalt
	}
	return scopedTokens{secret, f.Salt}, err
}

const (
	// maxPayload bounds the JSON of a token. Only a compressed one can reach it.
	maxPayload = 64 << 10
	maxGrants  = 1024
	// maxStamp is the length of a timestamp in base62 that no int64 of seconds exceeds.
	maxStamp = 10
)

type scopedTokens struct {
	secret []byte
	salt   string
}

func (r scopedTokens) Recognises(text string) bool { return strings.Count(text, ":") == 2 }

func (r scopedTokens) Open(text string) (hallpass.ForeignToken, error) {
	none := hallpass.ForeignToken{}
	if len(text) > hallpass.MaxTokenLength {
		return none, hallpass.RefusalMalformed
	}
	value, timestamp, ok := unsign(r.secret, r.salt, text)
	if !ok {
		return none, hallpass.RefusalBadSignature
	}
	data, ok := strictPayload(value)
	if !ok || len(timestamp) > maxStamp || strings.HasPrefix(timestamp, "-") {
		return none, hallpass.RefusalMalformed
	}
	stamp, err := decodeBase62(timestamp)
	if err != nil {
		return none, hallpass.RefusalMalformed
	}
	payload, err := strictValue(string(data))
	if err != nil {
		return none, hallpass.RefusalMalformed
	}
	out := hallpass.ForeignToken{Claims: data}
	pass, err := payload.scopedPass(stamp)
	if err != nil {
		return out, err
	}
	sum := sha256.Sum256([]byte(value + ":" + timestamp))
	pass.ID = hex.EncodeToString(sum[:16])
	out.Pass = pass
	return out, nil
}

// strictPayload decodes the one spelling that Django writes.
func strictPayload(value string) ([]byte, bool) {
	value, packed := strings.CutPrefix(value, ".")
	data, err := base64.RawURLEncoding.Strict().DecodeString(value)
	if err != nil || strings.ContainsAny(value, "\r\n") {
		return nil, false
	}
	if packed {
		if data, err = inflate(data, maxPayload); err != nil {
			return nil, false
		}
	}
	// Django reads the bytes as Latin-1; what it writes is ASCII.
	return data, !slices.ContainsFunc(data, func(c byte) bool { return c >= utf8.RuneSelf })
}

// scopedPass reads a payload, which must have exactly the members that the package
// writes.
func (v pyValue) scopedPass(stamp *big.Int) (hallpass.Pass, error) {
	p := hallpass.Pass{Mode: hallpass.ModeRequest, IssuedAt: moment(stamp)}
	if v.kind != pyDict {
		return p, hallpass.RefusalMalformed
	}
	var life *big.Int
	for _, m := range v.members {
		ok := true
		switch m.name {
		case "user":
			p.Subject, ok = m.value.subject()
		case "max_age":
			if ok = m.value.kind == pyInt; ok {
				life, _ = m.value.int()
			}
		case "endpoints":
			p.Grants, ok = m.value.grants()
		case "recipient":
			p.Recipient, ok = m.value.note()
		default:
			ok = false
		}
		if !ok {
			return p, hallpass.RefusalMalformed
		}
	}
	if p.Subject == "" || life == nil || len(p.Grants) == 0 {
		return p, hallpass.RefusalMissingClaim // without grants a pass would cover all
	}
	// Django honours a token up to and at its age.
	p.ExpiresAt = moment(life.Add(life, stamp)).Add(time.Microsecond)
	return p, nil
}

// subject is the id of a user.
func (v pyValue) subject() (string, bool) {
	if v.kind == pyStr {
		return v.text, v.text != "" && plainText(v.text)
	}
	return v.name()
}

// note is a recipient, which the package does not look at.
func (v pyValue) note() (string, bool) {
	switch v.kind {
	case pyNone:
		return "", true
	case pyStr, pyInt, pyFloat:
		return v.text, plainText(v.text)
	}
	return "", false
}

var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

// grants reads endpoints. One that could be read in two ways is never granted and
// left out.
func (v pyValue) grants() (grants []hallpass.Grant, ok bool) {
	if v.kind != pyDict {
		return nil, false
	}
	for _, m := range v.members {
		if !slices.Contains(methods, m.name) || m.value.kind != pyList {
			return nil, false
		}
		for _, endpoint := range m.value.items {
			if endpoint.kind != pyStr || !strings.HasPrefix(endpoint.text, "/") || len(grants) == maxGrants {
				return nil, false
			}
			if g, ok := uriGrant(m.name, endpoint.text); ok {
				grants = append(grants, g)
			}
		}
	}
	return grants, true
}

// uriGrant is the grant of an endpoint as the package writes it: percent-encoded,
// but for percent signs, which it lets stand; one that begins no escape is itself.
func uriGrant(method, endpoint string) (hallpass.Grant, bool) {
	var b strings.Builder
	for i := range len(endpoint) {
		b.WriteByte(endpoint[i])
		if endpoint[i] != '%' {
			continue
		}
		if i+2 >= len(endpoint) || !isHex(endpoint[i+1]) || !isHex(endpoint[i+2]) {
			b.WriteString("25")
		}
	}
	g, err := hallpass.ParseGrant(method + " " + b.String())
	return g, err == nil
}

// decodedGrant is the grant of a path as Django decoded it.
func decodedGrant(method, path string, exact bool) (hallpass.Grant, bool) {
	path = strings.ReplaceAll(path, "%", "%25")
	if exact {
		path = "=" + path
	}
	g, err := hallpass.ParseGrant(method + " " + path)
	return g, err == nil
}

func isHex(c byte) bool { return strings.IndexByte("0123456789abcdefABCDEF", c) >= 0 }

// Endpoint is a method with the beginnings of paths.
type Endpoint struct {
	Method string
	Paths  []string
}

// ScopedTokenSpec is what a TokenManager of drf-tmp-scoped-token gets.
type ScopedTokenSpec struct {
	// User is the id of the user; one of decimal digits is written as a number.
	User string
	// Endpoints stand in the token in this order. Paths may be IRIs.
	Endpoints []Endpoint
	// MaxAge is in whole seconds. The package's own default is 360 seconds.
	MaxAge time.Duration
	// Recipient is a note; nil leaves it out.
	Recipient *string
}

// EncodeScopedToken makes the exact text that generate_token() makes at a moment. o
// may be nil. Errors are *hallpass.FieldError.
func EncodeScopedToken(key Key, s ScopedTokenSpec, now time.Time, o *SigningOptions) (string, error) {
	user := pyValue{kind: pyStr, text: s.User}
	if n, err := strconv.ParseInt(s.User, 10, 64); err == nil && strconv.FormatInt(n, 10) == s.User {
		user.kind = pyInt
	}
	switch {
	case s.User == "":
		return "", &hallpass.FieldError{Field: "user", Reason: "is required"}
	case s.MaxAge < 0 || s.MaxAge%time.Second != 0:
		return "", &hallpass.FieldError{Field: "max_age", Reason: "must be whole seconds"}
	}
	endpoints := pyValue{kind: pyDict}
	for _, e := range s.Endpoints {
		if !slices.Contains(methods, e.Method) {
			return "", &hallpass.FieldError{Field: "endpoints", Reason: "unknown method " + strconv.Quote(e.Method) + "; use " + strings.Join(methods, " ")}
		}
		list := pyValue{kind: pyList}
		for _, path := range e.Paths {
			if !strings.HasPrefix(path, "/") || !utf8.ValidString(path) {
				return "", &hallpass.FieldError{Field: "endpoints", Reason: "paths must start with a slash"}
			}
			list.items = append(list.items, pyValue{kind: pyStr, text: iriToURI(path)})
		}
		endpoints.members = append(endpoints.members, pyMember{e.Method, list})
	}
	claims := pyValue{kind: pyDict, members: []pyMember{
		{"user", user},
		{"max_age", pyValue{kind: pyInt, text: strconv.FormatInt(int64(s.MaxAge/time.Second), 10)}},
		{"endpoints", endpoints},
	}}
	if s.Recipient != nil {
		claims.members = append(claims.members, pyMember{"recipient", pyValue{kind: pyStr, text: *s.Recipient}})
	}
	return DumpSigned(key, json.RawMessage(claims.append(nil, true)), now, o)
}

// iriToURI is django.utils.encoding.iri_to_uri: percent signs stay as they are.
func iriToURI(iri string) string {
	const safe = "/#%[]=:;$&()+,!?*@'~-._"
	var b strings.Builder
	for i := range len(iri) {
		c := iri[i]
		if c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || strings.IndexByte(safe, c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteString("%" + strings.ToUpper(hex.EncodeToString([]byte{c})))
	}
	return b.String()
}
