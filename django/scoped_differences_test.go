package django_test

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/url"
	"slices"
	"strings"
	"time"
)

// offered is the token that a vector of dts-auth offers, wherever it stands.
func (v vector) offered() string {
	if v.Token != "" {
		return v.Token
	}
	if text, there := strings.CutPrefix(v.Request.Headers["Authorization"], "TmpToken "); there {
		return text
	}
	_, query, _ := strings.Cut(v.Request.Target, "?")
	values, _ := url.ParseQuery(query)
	return values.Get(v.param())
}

// signedAt is the timestamp of a signed value.
func (v vector) signedAt() (stamp *big.Int, ok bool) {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	parts := strings.Split(v.offered(), ":")
	if len(parts) != 3 || parts[1] == "" {
		return nil, false
	}
	stamp = new(big.Int)
	for _, digit := range parts[1] {
		at := strings.IndexRune(digits, digit)
		if at < 0 {
			return nil, false
		}
		stamp.Add(stamp.Mul(stamp, big.NewInt(62)), big.NewInt(int64(at)))
	}
	return stamp, true
}

// signedAhead reports whether a token was signed more than a minute from now.
func (v vector) signedAhead() bool {
	stamp, ok := v.signedAt()
	now, isTime := new(big.Rat).SetString(v.Now.String())
	if !ok || !isTime {
		return false
	}
	latest := now.Add(now, big.NewRat(int64(time.Minute/time.Second), 1))
	return new(big.Rat).SetInt(stamp).Cmp(latest) > 0
}

// scopedClaims are what the offered token says.
func (v vector) scopedClaims() (claims map[string]any) {
	value, _, _ := strings.Cut(v.offered(), ":")
	value, packed := strings.CutPrefix(value, ".")
	text, _ := base64.RawURLEncoding.DecodeString(value)
	if packed {
		if r, err := zlib.NewReader(bytes.NewReader(text)); err == nil {
			text, _ = io.ReadAll(io.LimitReader(r, 1<<20))
		}
	}
	_ = json.Unmarshal(text, &claims)
	return claims
}

// endpoints are those that the offered token has for a method.
func (v vector) endpoints(method string) (all []string) {
	byMethod, _ := v.scopedClaims()["endpoints"].(map[string]any)
	list, _ := byMethod[method].([]any)
	for _, e := range list {
		if text, isText := e.(string); isText {
			all = append(all, text)
		}
	}
	return all
}

// path is what the request asks for, decoded.
func (v vector) path() string {
	path, _, _ := strings.Cut(v.Request.Target, "?")
	return percentDecoded(path)
}

// grantedAsWritten reports whether an endpoint of the method is a prefix of the path as
// the package compares them: the path encoded again, the endpoint as it stands.
func (v vector) grantedAsWritten(method string) bool {
	path := percentEncoded(v.path())
	return slices.ContainsFunc(v.endpoints(method), func(e string) bool { return strings.HasPrefix(path, e) })
}

// onSegment reports whether an endpoint of the method means the path, or one that it
// is below.
func (v vector) onSegment(method string) bool {
	return slices.ContainsFunc(v.endpoints(method), func(e string) bool {
		e = percentDecoded(e)
		rest, found := strings.CutPrefix(v.path(), e)
		return found && (rest == "" || strings.HasPrefix(rest, "/") || strings.HasSuffix(e, "/"))
	})
}

// percentDecoded decodes what is an escape and lets every other percent sign stand.
func percentDecoded(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if i+2 < len(text) && text[i] == '%' {
			if decoded, err := url.PathUnescape(text[i : i+3]); err == nil {
				b.WriteString(decoded)
				i += 2
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// percentEncoded is iri_to_uri of Django.
func percentEncoded(text string) string {
	const plain = "/#%[]=:;$&()+,!?*@'~-._0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	var b strings.Builder
	for _, c := range []byte(text) {
		if strings.IndexByte(plain, c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
