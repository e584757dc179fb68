package passjwt

import (
	"strconv"
	"strings"

	"github.com/hallpass-go/hallpass/internal/strictjson"
)

// Claims are the claims of a pass, by the names the Django packages documented
// where they had one. Absent texts are empty, absent numbers zero; Has tells
// absent from zero where that matters.
type Claims struct {
	ID        string   // jti
	Scope     string   // sub
	Mode      string   // mod: n, r or s
	Subject   string   // aud
	Issuer    string   // iss
	MaxUses   int64    // max
	ExpiresAt int64    // exp, whole seconds
	NotBefore int64    // nbf, whole seconds
	IssuedAt  int64    // iat in microseconds
	Data      string   // dat, raw JSON
	Grants    []string // grt
	Recipient string   // rcp
	Batch     string   // bat
	Target    string   // tgt: the path and query the pass is bound to
	// Unrecorded is unr: the pass has no row until its first use.
	Unrecorded bool
	// Has says which of the claims were there.
	Has Presence
}

// Presence tells an absent claim from an empty one.
type Presence struct {
	ID, Scope, Mode, MaxUses, Issuer bool
}

// maxSeconds is the end of the year 9999, the last moment RFC 3339 can write.
const maxSeconds = 253402300799

// ParseClaims reads the payload of a token. Claims it does not know are left
// alone; in a pass, a known claim of the wrong type is ErrMalformed. In any other
// kind of token the same names may mean other things, so only the JSON is judged.
func ParseClaims(payload string, isPass bool) (Claims, error) {
	var c Claims
	err := strictjson.Members(payload, func(name string, v strictjson.Value) error {
		if isPass && !c.set(name, v) {
			return ErrMalformed
		}
		return nil
	})
	if err != nil {
		return Claims{}, ErrMalformed
	}
	return c, nil
}

func (c *Claims) set(name string, v strictjson.Value) (ok bool) {
	switch name {
	case "jti":
		c.ID, ok = v.Text()
		c.Has.ID = ok
		ok = ok && c.ID != ""
	case "sub":
		c.Scope, ok = v.Text()
		c.Has.Scope = ok
	case "mod":
		c.Mode, ok = v.Text()
		c.Has.Mode = ok
		ok = ok && isMode(c.Mode)
	case "aud":
		c.Subject, ok = v.Text()
	case "iss":
		c.Issuer, ok = v.Text()
		c.Has.Issuer = ok
	case "rcp":
		c.Recipient, ok = v.Text()
	case "bat":
		c.Batch, ok = v.Text()
	case "tgt":
		c.Target, ok = v.Text()
	case "max":
		c.MaxUses, ok = whole(v, 1<<53)
		c.Has.MaxUses = ok
	case "exp":
		c.ExpiresAt, ok = whole(v, maxSeconds)
		ok = ok && c.ExpiresAt > 0 // 0 stands for "never" from here on
	case "nbf":
		c.NotBefore, ok = whole(v, maxSeconds)
	case "iat":
		c.IssuedAt, ok = micros(v)
	case "unr":
		c.Unrecorded, ok = v.Raw == "true", v.Kind == strictjson.Bool
	case "dat":
		c.Data, ok = v.Raw, true
	case "grt":
		ok = v.Kind == strictjson.Array && strictjson.Elements(v.Raw, func(e strictjson.Value) error {
			g, isText := e.Text()
			if !isText {
				return ErrMalformed
			}
			c.Grants = append(c.Grants, g)
			return nil
		}) == nil
	default:
		return true
	}
	return ok
}

func isMode(letter string) bool { return letter == "n" || letter == "r" || letter == "s" }

// whole reads a non-negative integer of at most limit.
func whole(v strictjson.Value, limit int64) (int64, bool) {
	if v.Kind != strictjson.Number {
		return 0, false
	}
	n, err := strconv.ParseInt(v.Raw, 10, 64)
	return n, err == nil && n >= 0 && n <= limit && v.Raw[0] != '-'
}

// micros reads seconds with up to six decimals, exactly, without floating point:
// a float64 cannot hold a present-day time to the microsecond reliably. Further
// decimals, which only other signers write, are dropped.
func micros(v strictjson.Value) (int64, bool) {
	if v.Kind != strictjson.Number {
		return 0, false
	}
	seconds, fraction, _ := strings.Cut(v.Raw, ".")
	s, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil || s < 0 || s > maxSeconds || v.Raw[0] == '-' {
		return 0, false
	}
	n := s * 1e6
	unit := int64(1e5)
	for _, digit := range fraction {
		if digit < '0' || digit > '9' {
			return 0, false // an exponent
		}
		n += int64(digit-'0') * unit
		unit /= 10
	}
	return n, true
}

// AppendPayload appends the claims as JSON, in the order of the struct. `max` is
// always written; the rest only where it says something.
func AppendPayload(b []byte, c *Claims) []byte {
	b = append(b, `{"jti":`...)
	b = strictjson.AppendString(b, c.ID)
	b = appendText(b, "sub", c.Scope)
	b = appendText(b, "mod", c.Mode)
	b = appendText(b, "aud", c.Subject)
	b = append(b, `,"max":`...)
	b = strconv.AppendInt(b, c.MaxUses, 10)
	if c.ExpiresAt != 0 {
		b = append(b, `,"exp":`...)
		b = strconv.AppendInt(b, c.ExpiresAt, 10)
	}
	if c.NotBefore != 0 {
		b = append(b, `,"nbf":`...)
		b = strconv.AppendInt(b, c.NotBefore, 10)
	}
	b = append(b, `,"iat":`...)
	b = appendMicros(b, c.IssuedAt)
	b = appendText(b, "iss", c.Issuer)
	if c.Data != "" {
		b = append(b, `,"dat":`...)
		b = append(b, c.Data...)
	}
	if len(c.Grants) > 0 {
		b = append(b, `,"grt":[`...)
		for i, g := range c.Grants {
			if i > 0 {
				b = append(b, ',')
			}
			b = strictjson.AppendString(b, g)
		}
		b = append(b, ']')
	}
	b = appendText(b, "rcp", c.Recipient)
	b = appendText(b, "bat", c.Batch)
	b = appendText(b, "tgt", c.Target)
	if c.Unrecorded {
		b = append(b, `,"unr":true`...)
	}
	return append(b, '}')
}

func appendText(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	b = append(b, ',', '"')
	b = append(b, name...)
	b = append(b, '"', ':')
	return strictjson.AppendString(b, value)
}

// appendMicros writes seconds with the fraction that is there: six decimals, or
// none for a whole second.
func appendMicros(b []byte, micros int64) []byte {
	b = strconv.AppendInt(b, micros/1e6, 10)
	fraction := micros % 1e6
	if fraction == 0 {
		return b
	}
	b = append(b, '.')
	for unit := int64(1e5); unit > 0; unit /= 10 {
		b = append(b, byte('0'+fraction/unit%10))
	}
	return b
}
