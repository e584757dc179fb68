package django

import (
	"bytes"
	"compress/zlib"
	"crypto/hmac"
	"crypto/sha1" // Django signed with it until 3.1, and still verifies it
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
)

// SigningSalt is the salt of django.core.signing.dumps where none is given, as in
// drf-tmp-scoped-token.
const SigningSalt = "django.core.signing"

// maxInflated bounds what a compressed value may grow to.
const maxInflated = 1 << 20

func encodeURL(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// signature is django.core.signing.base64_hmac under a salted key.
func signature(h func() hash.Hash, salt string, secret []byte, message string) string {
	derive := h()
	derive.Write([]byte(salt + "signer"))
	derive.Write(secret)
	m := hmac.New(h, derive.Sum(nil))
	m.Write([]byte(message))
	return encodeURL(m.Sum(nil))
}

// unsign checks a signature and returns the value and its timestamp. SHA-1 is what
// Django before 3.1 made; an HMAC needs no collision resistance.
func unsign(secret []byte, salt, text string) (value, timestamp string, ok bool) {
	at := strings.LastIndexByte(text, ':')
	if at < 0 {
		return "", "", false
	}
	signed, given := text[:at], []byte(text[at+1:])
	if !hmac.Equal(given, []byte(signature(sha256.New, salt, secret, signed))) &&
		!hmac.Equal(given, []byte(signature(sha1.New, salt, secret, signed))) {
		return "", "", false
	}
	at = strings.LastIndexByte(signed, ':')
	if at < 0 {
		return signed, "", true
	}
	return signed[:at], signed[at+1:], true
}

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// base62Digits is how many digits a number may have that Python would still turn
// into decimal.
const base62Digits = 2400

func decodeBase62(text string) (*big.Int, error) {
	if text == "" {
		return nil, errPyType
	}
	digits, negative := strings.CutPrefix(text, "-")
	digits = strings.TrimLeft(digits, "0")
	if len(digits) > base62Digits || strings.Trim(digits, base62) != "" {
		return nil, errPyValue
	}
	n, base := new(big.Int), big.NewInt(62)
	for i := range len(digits) {
		n.Mul(n, base).Add(n, big.NewInt(int64(strings.IndexByte(base62, digits[i]))))
	}
	if negative {
		n.Neg(n)
	}
	return n, nil
}

func encodeBase62(n int64) string {
	if n <= 0 {
		return "0"
	}
	var b []byte
	for ; n > 0; n /= 62 {
		b = append(b, base62[n%62])
	}
	slices.Reverse(b)
	return string(b)
}

// Signed judges as django.core.signing.loads of Django 3.2 does. An empty salt is
// SigningSalt; a nil maxAge is none.
func (j Judge) Signed(text, salt string, maxAge *time.Duration) (json.RawMessage, error) {
	secret, err := j.Key.secret()
	if err != nil {
		return nil, err
	}
	if salt == "" {
		salt = SigningSalt
	}
	value, timestamp, ok := unsign(secret, salt, text)
	if !ok {
		return nil, hallpass.RefusalBadSignature
	}
	if value+":"+timestamp+":" != text[:strings.LastIndexByte(text, ':')+1] {
		return nil, hallpass.RefusalMalformed // no timestamp
	}
	stamp, err := decodeBase62(timestamp)
	if err != nil {
		return nil, valueRefusal(err)
	}
	refusal := error(nil)
	if maxAge != nil {
		if stamp.BitLen() > 1024 {
			return nil, errCrash // no float holds it
		}
		made, _ := new(big.Float).SetInt(stamp).Float64()
		if seconds(j.Now)-made > maxAge.Seconds() {
			refusal = hallpass.RefusalExpired
		}
	}
	payload, err := laxPayload(value)
	if err != nil {
		if refusal != nil {
			return nil, refusal
		}
		return nil, err
	}
	return claimsJSON(payload), refusal
}

func valueRefusal(err error) error {
	if errors.Is(err, errPyType) {
		return errCrash
	}
	return hallpass.RefusalMalformed
}

func laxPayload(value string) (pyValue, error) {
	value, packed := strings.CutPrefix(value, ".")
	data, err := laxURLBase64(value)
	if err != nil {
		return pyValue{}, hallpass.RefusalMalformed
	}
	if packed {
		if data, err = inflate(data, maxInflated); errors.Is(err, errTooLarge) {
			return pyValue{}, hallpass.RefusalMalformed
		} else if err != nil {
			return pyValue{}, errCrash
		}
	}
	v, err := parsePy(fromLatin1(data))
	if err != nil {
		return pyValue{}, jsonRefusal(err)
	}
	return v, nil
}

var errTooLarge = errors.New("django: too large when inflated")

// inflate undoes zlib up to a limit. It stops at the limit, so a bomb costs no more
// than its fuse.
func inflate(data []byte, limit int64) ([]byte, error) {
	r, err := zlib.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	out, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(out)) > limit {
		return nil, errTooLarge
	}
	return out, nil
}

// SigningOptions say how DumpSigned signs.
type SigningOptions struct {
	// Salt defaults to SigningSalt.
	Salt string
	// SHA1 signs as Django before 3.1 did.
	SHA1 bool
}

// DumpSigned makes the text that django.core.signing.dumps makes of a value at a
// moment: compact JSON in ASCII, not compressed. o may be nil. Errors are
// *hallpass.FieldError.
func DumpSigned(key Key, value json.RawMessage, now time.Time, o *SigningOptions) (string, error) {
	secret, err := key.secret()
	if err != nil {
		return "", err
	}
	v, err := strictValue(string(value))
	if err != nil {
		return "", &hallpass.FieldError{Field: "value", Reason: "must be JSON"}
	}
	salt, h := SigningSalt, sha256.New
	if o != nil && o.Salt != "" {
		salt = o.Salt
	}
	if o != nil && o.SHA1 {
		h = sha1.New
	}
	signed := encodeURL(v.append(nil, true)) + ":" + encodeBase62(now.Unix())
	return signed + ":" + signature(h, salt, secret, signed), nil
}
