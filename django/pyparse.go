package django

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// pyParser reads JSON as the scanner of CPython does.
type pyParser struct {
	text string
	pos  int
}

func (p *pyParser) space() {
	for p.pos < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.pos]) >= 0 {
		p.pos++
	}
}

func (p *pyParser) take(c byte) bool {
	if p.pos < len(p.text) && p.text[p.pos] == c {
		p.pos++
		return true
	}
	return false
}

var pyWords = []struct {
	word string
	kind pyKind
}{
	{"null", pyNone}, {"true", pyBool}, {"false", pyBool},
	{"NaN", pyFloat}, {"Infinity", pyFloat}, {"-Infinity", pyFloat},
}

func (p *pyParser) value(depth int) (pyValue, error) {
	if p.pos >= len(p.text) {
		return pyValue{}, errPyJSON
	}
	switch p.text[p.pos] {
	case '"':
		text, err := p.string()
		return pyValue{kind: pyStr, text: text}, err
	case '{', '[':
		if depth == pyDepth {
			return pyValue{}, errPyDepth
		}
		if p.text[p.pos] == '{' {
			return p.dict(depth + 1)
		}
		return p.list(depth + 1)
	}
	for _, w := range pyWords {
		if strings.HasPrefix(p.text[p.pos:], w.word) {
			p.pos += len(w.word)
			return pyValue{kind: w.kind, text: w.word}, nil
		}
	}
	return p.number()
}

func (p *pyParser) digits() bool {
	start := p.pos
	for p.pos < len(p.text) && p.text[p.pos] >= '0' && p.text[p.pos] <= '9' {
		p.pos++
	}
	return p.pos > start
}

// number takes the longest number, as Python does; what follows is judged by the
// caller.
func (p *pyParser) number() (pyValue, error) {
	start, kind := p.pos, pyInt
	p.take('-')
	first := p.pos
	if !p.take('0') && !p.digits() {
		return pyValue{}, errPyJSON
	}
	count := p.pos - first
	mark := p.pos
	if p.take('.') && p.digits() {
		kind, mark = pyFloat, p.pos
	}
	p.pos = mark
	if p.take('e') || p.take('E') {
		if !p.take('+') {
			p.take('-')
		}
		if p.digits() {
			kind, mark = pyFloat, p.pos
		}
	}
	p.pos = mark
	if kind == pyInt && count > pyDigits {
		return pyValue{}, errPyJSON
	}
	return pyValue{kind: kind, text: p.text[start:p.pos]}, nil
}

func (p *pyParser) list(depth int) (pyValue, error) {
	p.pos++
	v := pyValue{kind: pyList}
	if p.space(); p.take(']') {
		return v, nil
	}
	for {
		item, err := p.value(depth)
		if err != nil {
			return v, err
		}
		v.items = append(v.items, item)
		if p.space(); p.take(']') {
			return v, nil
		}
		if !p.take(',') {
			return v, errPyJSON
		}
		p.space()
	}
}

func (p *pyParser) dict(depth int) (pyValue, error) {
	p.pos++
	v := pyValue{kind: pyDict}
	if p.space(); p.take('}') {
		return v, nil
	}
	at := map[string]int{}
	for {
		if p.pos >= len(p.text) || p.text[p.pos] != '"' {
			return v, errPyJSON
		}
		name, err := p.string()
		if err != nil {
			return v, err
		}
		if p.space(); !p.take(':') {
			return v, errPyJSON
		}
		p.space()
		value, err := p.value(depth)
		if err != nil {
			return v, err
		}
		if i, twice := at[name]; twice {
			v.members[i].value = value
		} else {
			at[name] = len(v.members)
			v.members = append(v.members, pyMember{name, value})
		}
		if p.space(); p.take('}') {
			return v, nil
		}
		if !p.take(',') {
			return v, errPyJSON
		}
		p.space()
	}
}

func (p *pyParser) string() (string, error) {
	p.pos++
	var b []byte
	for p.pos < len(p.text) {
		c := p.text[p.pos]
		switch {
		case c == '"':
			p.pos++
			return string(b), nil
		case c < 0x20:
			return "", errPyJSON
		case c != '\\':
			b = append(b, c)
			p.pos++
			continue
		}
		p.pos++
		if p.pos >= len(p.text) {
			return "", errPyJSON
		}
		c = p.text[p.pos]
		p.pos++
		if i := strings.IndexByte(`"\/bfnrt`, c); i >= 0 {
			b = append(b, "\"\\/\b\f\n\r\t"[i])
			continue
		}
		r, ok := p.hex4()
		if c != 'u' || !ok {
			return "", errPyJSON
		}
		if mark := p.pos; utf16.IsSurrogate(r) && strings.HasPrefix(p.text[p.pos:], `\u`) {
			p.pos += 2
			low, ok := p.hex4()
			if pair := utf16.DecodeRune(r, low); ok && pair != utf8.RuneError {
				r = pair
			} else {
				p.pos = mark
			}
		}
		b = appendWTF8(b, r)
	}
	return "", errPyJSON
}

func (p *pyParser) hex4() (rune, bool) {
	if p.pos+4 > len(p.text) {
		return 0, false
	}
	digits := p.text[p.pos : p.pos+4]
	n, err := strconv.ParseUint(digits, 16, 32)
	if err != nil || strings.Trim(digits, "0123456789abcdefABCDEF") != "" {
		return 0, false
	}
	p.pos += 4
	return rune(n), true
}

// appendWTF8 appends a character, a lone surrogate in the form that validWTF8 takes.
func appendWTF8(b []byte, r rune) []byte {
	if utf16.IsSurrogate(r) {
		return append(b, 0xe0|byte(r>>12), 0x80|byte(r>>6&0x3f), 0x80|byte(r&0x3f))
	}
	return utf8.AppendRune(b, r)
}
