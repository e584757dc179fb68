package django

import (
	"errors"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unicode"
)

var (
	// errPyValue is Python's ValueError from int(), which the packages catch.
	errPyValue = errors.New("django: not a whole number")
	// errPyType is its TypeError or OverflowError, which they do not.
	errPyType = errors.New("django: no number")
)

// int is Python's int(value).
func (v pyValue) int() (*big.Int, error) {
	switch v.kind {
	case pyBool:
		if v.text == "true" {
			return big.NewInt(1), nil
		}
		return new(big.Int), nil
	case pyInt:
		n, ok := new(big.Int).SetString(v.text, 10)
		if !ok {
			return nil, errPyValue
		}
		return n, nil
	case pyFloat:
		f := v.float()
		switch {
		case math.IsNaN(f):
			return nil, errPyValue
		case math.IsInf(f, 0):
			return nil, errPyType
		}
		n, _ := big.NewFloat(f).Int(nil)
		return n, nil
	case pyStr:
		return pyParseInt(v.text)
	}
	return nil, errPyType
}

// float is the value of a pyFloat.
func (v pyValue) float() float64 {
	switch v.text {
	case "NaN":
		return math.NaN()
	case "Infinity":
		return math.Inf(1)
	case "-Infinity":
		return math.Inf(-1)
	}
	f, _ := strconv.ParseFloat(v.text, 64) // too large is infinite, as in Python
	return f
}

// pyParseInt is Python's int() of a text: space around it, a sign, decimal digits
// of any script, single underscores between them.
func pyParseInt(text string) (*big.Int, error) {
	text = strings.TrimFunc(text, unicode.IsSpace)
	negative := strings.HasPrefix(text, "-")
	if negative || strings.HasPrefix(text, "+") {
		text = text[1:]
	}
	var digits []byte
	gap := true // an underscore may not stand here
	for _, r := range text {
		if r == '_' {
			if gap {
				return nil, errPyValue
			}
			gap = true
			continue
		}
		d, ok := decimalDigit(r)
		if !ok {
			return nil, errPyValue
		}
		digits, gap = append(digits, d), false
	}
	if gap || len(digits) > pyDigits {
		return nil, errPyValue
	}
	n, _ := new(big.Int).SetString(string(digits), 10)
	if negative {
		n.Neg(n)
	}
	return n, nil
}

// decimalDigit returns the ASCII form of a digit. Unicode keeps those of a script
// together, from zero to nine.
func decimalDigit(r rune) (byte, bool) {
	if r >= '0' && r <= '9' {
		return byte(r), true
	}
	for _, span := range unicode.Nd.R16 {
		if r >= rune(span.Lo) && r <= rune(span.Hi) {
			return byte('0' + (r-rune(span.Lo))%10), true
		}
	}
	for _, span := range unicode.Nd.R32 {
		if r >= rune(span.Lo) && r <= rune(span.Hi) {
			return byte('0' + (r-rune(span.Lo))%10), true
		}
	}
	return 0, false
}

// seconds is a moment as Python's time.time() has it.
func seconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }

// cmpSeconds compares a whole number of any size with a moment.
func cmpSeconds(n *big.Int, at float64) int {
	return new(big.Float).SetInt(n).Cmp(big.NewFloat(at))
}

// lastSecond is the end of the year 9999, the last moment RFC 3339 can write.
const lastSecond = 253402300799

// moment is a claim's whole seconds as a time, within the years that hallpass has.
func moment(n *big.Int) time.Time {
	switch {
	case n.Sign() < 0:
		return time.Unix(0, 0).UTC()
	case !n.IsInt64() || n.Int64() > lastSecond:
		return time.Unix(lastSecond, 0).UTC()
	}
	return time.Unix(n.Int64(), 0).UTC()
}
