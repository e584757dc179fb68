package django

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// pyKind is the type that a JSON value has in Python.
type pyKind byte

const (
	pyNone pyKind = iota
	pyBool
	pyInt
	pyFloat
	pyStr
	pyList
	pyDict
)

// pyValue is a value as Python's json.loads makes it: of two equal names the last
// counts, NaN and Infinity are numbers, and a lone surrogate is a character (kept
// here as the three bytes that UTF-8 would have for it).
type pyValue struct {
	kind    pyKind
	text    string // of a string its content, of anything else the JSON
	items   []pyValue
	members []pyMember
}

type pyMember struct {
	name  string
	value pyValue
}

var (
	// errPyJSON is Python's ValueError from json.loads.
	errPyJSON = errors.New("django: not JSON")
	// errPyDepth is its RecursionError, which nobody catches.
	errPyDepth = errors.New("django: JSON too deep")
)

const (
	// pyDepth is about where Python's interpreter gives up.
	pyDepth = 980
	// pyDigits is the longest integer that Python reads (CVE-2020-10735).
	pyDigits = 4300
)

// parsePy reads one JSON text. Its bytes are UTF-8, in which Python lets encoded
// surrogates pass.
func parsePy(text string) (pyValue, error) {
	text = strings.TrimPrefix(text, "\ufeff")
	if !validWTF8(text) {
		return pyValue{}, errPyJSON
	}
	p := pyParser{text: text}
	p.space()
	v, err := p.value(0)
	if err != nil {
		return pyValue{}, err
	}
	if p.space(); p.pos != len(text) {
		return pyValue{}, errPyJSON
	}
	return v, nil
}

// fromLatin1 is the text whose characters are the bytes.
func fromLatin1(b []byte) string {
	var out strings.Builder
	for _, c := range b {
		out.WriteRune(rune(c))
	}
	return out.String()
}

// member returns the value under a name.
func (v pyValue) member(name string) (pyValue, bool) {
	for _, m := range v.members {
		if m.name == name {
			return m.value, true
		}
	}
	return pyValue{}, false
}

// truthy is Python's bool().
func (v pyValue) truthy() bool {
	switch v.kind {
	case pyNone:
		return false
	case pyBool:
		return v.text == "true"
	case pyInt, pyFloat:
		f, err := strconv.ParseFloat(v.text, 64)
		return err != nil || f != 0
	case pyStr:
		return v.text != ""
	case pyList:
		return len(v.items) > 0
	}
	return len(v.members) > 0
}

// json writes the value as JSON with its numbers as they were. NaN and Infinity,
// which JSON has not, become null.
func (v pyValue) json() json.RawMessage { return v.append(nil, false) }

func (v pyValue) append(b []byte, ascii bool) []byte {
	switch v.kind {
	case pyStr:
		return appendPyString(b, v.text, ascii)
	case pyList:
		b = append(b, '[')
		for i, item := range v.items {
			if i > 0 {
				b = append(b, ',')
			}
			b = item.append(b, ascii)
		}
		return append(b, ']')
	case pyDict:
		b = append(b, '{')
		for i, m := range v.members {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendPyString(b, m.name, ascii), ':')
			b = m.value.append(b, ascii)
		}
		return append(b, '}')
	}
	if strings.HasSuffix(v.text, "N") || strings.HasSuffix(v.text, "y") {
		return append(b, "null"...)
	}
	return append(b, v.text...)
}

// appendPyString appends a JSON string. With ascii it is as Python's json.dumps
// writes it; otherwise only what has no other spelling is escaped.
func appendPyString(b []byte, s string, ascii bool) []byte {
	b = append(b, '"')
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && size == 1 && len(s) >= 3 && s[0] == 0xed {
			r, size = rune(s[0]&0x0f)<<12|rune(s[1]&0x3f)<<6|rune(s[2]&0x3f), 3
		}
		s = s[size:]
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, '\\', 'n')
		case r == '\r':
			b = append(b, '\\', 'r')
		case r == '\t':
			b = append(b, '\\', 't')
		case r == '\b':
			b = append(b, '\\', 'b')
		case r == '\f':
			b = append(b, '\\', 'f')
		case r < 0x20, utf16.IsSurrogate(r), ascii && r > 0x7f && r <= 0xffff:
			b = appendEscape(b, r)
		case ascii && r > 0xffff:
			high, low := utf16.EncodeRune(r)
			b = appendEscape(appendEscape(b, high), low)
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}

func appendEscape(b []byte, r rune) []byte {
	const digits = "0123456789abcdef"
	return append(b, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
}

// validWTF8 reports whether a text is UTF-8 in which surrogates may be encoded too.
func validWTF8(s string) bool {
	for len(s) > 0 {
		if s[0] < utf8.RuneSelf {
			s = s[1:]
			continue
		}
		r, size := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && size == 1 {
			if len(s) < 3 || s[0] != 0xed || s[1]&0xe0 != 0xa0 || s[2]&0xc0 != 0x80 {
				return false
			}
			size = 3
		}
		s = s[size:]
	}
	return true
}
