package hallpass

import (
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"strings"

	"github.com/hallpass-go/hallpass/internal/passjwt"
)

// MaxTokenLength is the longest token that is looked at, in bytes. It fits the
// request line and header limits of common servers.
const MaxTokenLength = 8192

// Token is a pass on the wire. Who holds its text holds the pass, so only Reveal
// shows it: printing, logging and marshalling a Token do not.
type Token struct{ text string }

// NewToken wraps a text as it was presented. It judges nothing.
func NewToken(text string) Token { return Token{text} }

// Reveal returns the text. Do not log it.
func (t Token) Reveal() string { return t.text }

// IsZero reports whether there is no token.
func (t Token) IsZero() bool { return t.text == "" }

// String returns a stand-in.
func (t Token) String() string {
	if t.text == "" {
		return ""
	}
	return "[token]"
}

// Format writes String for every verb: one that takes no text, such as %d, would
// otherwise print the fields.
func (t Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, t.String()) }

// LogValue keeps the text out of structured logs.
func (t Token) LogValue() slog.Value { return slog.StringValue(t.String()) }

// MarshalText keeps the text out of JSON and other encodings.
func (t Token) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// Format is the spelling of a token.
type Format string

const (
	// FormatSigned is a JWT: it carries what it permits and is verified without I/O.
	FormatSigned Format = "signed"
	// FormatShort is 22 base62 characters of randomness, for mail and SMS. What it
	// permits is in the store.
	FormatShort Format = "short"
	// FormatCompact is signed like a JWT, in a binary form about half as long.
	FormatCompact Format = "compact"

	// formForeign is a shape that only other systems' tokens have: Django's signed
	// values, three parts between colons, the last a MAC with SHA-256 or SHA-1.
	formForeign Format = "foreign"
)

var foreignShape = regexp.MustCompile(`^\.?[A-Za-z0-9_-]+:[0-9A-Za-z]+:[A-Za-z0-9_-]{27}(?:[A-Za-z0-9_-]{16})?$`)

// form tells the forms of a token apart by shape alone; "" is none of ours.
func (t Token) form() Format {
	switch {
	case len(t.text) > MaxTokenLength:
		return ""
	case len(t.text) == shortLength && isBase62(t.text):
		return FormatShort
	case strings.HasPrefix(t.text, compactPrefix):
		return FormatCompact
	case passjwt.LooksLike(t.text):
		return FormatSigned
	case strings.IndexByte(t.text, ':') > 0 && foreignShape.MatchString(t.text):
		return formForeign
	}
	return ""
}

const (
	// compactPrefix marks the compact form; an underscore is in no short token,
	// and it has no dots.
	compactPrefix = "hp_"
	shortLength   = 22 // 62^22 is just above 2^130
	base62        = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

func isBase62(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

// newShortToken draws each character evenly: bytes from 248 on would favour the
// first eight characters and are drawn again. The reader never fails.
func newShortToken(random io.Reader) Token {
	out := make([]byte, 0, shortLength)
	var buf [32]byte
	for len(out) < shortLength {
		_, _ = io.ReadFull(random, buf[:])
		for _, b := range buf {
			if b < 248 && len(out) < shortLength {
				out = append(out, base62[b%62])
			}
		}
	}
	return Token{string(out)}
}

// shortID is the id of a short pass: a UUID of version 8 (RFC 9562 section 5.8)
// made of its token's SHA-256. The store thus keeps no token, needs no second
// index, and 122 bits of hash lead nobody back to 130 bits of randomness.
func shortID(t Token) string {
	sum := sha256.Sum256([]byte(t.text))
	return formatUUID([16]byte(sum[:16]), 8)
}
