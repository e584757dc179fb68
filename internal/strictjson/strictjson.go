// Package strictjson reads JSON in which nothing can be read in two ways: no
// duplicate names at any depth, valid UTF-8 without lone surrogates, bounded
// depth and size, nothing behind the value. It exists because encoding/json
// takes the last of two equal names, matches names without regard to case, and
// costs more than the signature check it serves.
//
// The grammar is RFC 8259; the refusals of duplicates follow RFC 8725 and
// RFC 7519 section 4.
package strictjson

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// ErrSyntax is the one error of this package: a token that is wrong is wrong,
// and the text that made it so must not reach a log.
var ErrSyntax = errors.New("strictjson: not strict JSON")

// Bounds that hold for every text. They are far above what a pass needs.
const (
	maxDepth   = 32
	maxMembers = 256
)

// Kind is the type of a JSON value.
type Kind byte

// The kinds.
const (
	Null Kind = iota
	Bool
	Number
	String
	Array
	Object
)

// Value is one value of a text, as it stands there.
type Value struct {
	Kind Kind
	// Raw is the value's text, without space around it.
	Raw string
}

// Text returns a string's content and whether the value is a string. It shares
// the input's memory unless there is an escape to undo.
func (v Value) Text() (string, bool) {
	if v.Kind != String {
		return "", false
	}
	return unquote(v.Raw), true
}

// Members reads an object and calls visit for each member, in order. Names
// arrive unescaped. It stops at visit's first error and returns it; a text that
// is not one strict object is ErrSyntax, possibly after some calls. visit may be
// nil.
func Members(text string, visit func(name string, v Value) error) error {
	s := scanner{text: text}
	s.space()
	if !s.object(visit) {
		return s.fail()
	}
	s.space()
	if s.pos != len(text) {
		return ErrSyntax
	}
	return nil
}

// Elements reads an array in the same way.
func Elements(text string, visit func(v Value) error) error {
	s := scanner{text: text}
	s.space()
	if !s.array(visit) {
		return s.fail()
	}
	s.space()
	if s.pos != len(text) {
		return ErrSyntax
	}
	return nil
}

// Valid reports whether the text is one strict value of any kind.
func Valid(text string) bool {
	s := scanner{text: text}
	s.space()
	if _, ok := s.value(); !ok {
		return false
	}
	s.space()
	return s.pos == len(text)
}

// Compact returns the text without the space between its parts. The text must
// be Valid.
func Compact(text string) string {
	if !strings.ContainsAny(text, " \t\r\n") {
		return text
	}
	var b strings.Builder
	b.Grow(len(text))
	inString := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case inString && c == '\\':
			b.WriteByte(c)
			i++
			b.WriteByte(text[i])
		case c == '"':
			inString = !inString
			b.WriteByte(c)
		case inString || (c != ' ' && c != '\t' && c != '\r' && c != '\n'):
			b.WriteByte(c)
		}
	}
	return b.String()
}

type scanner struct {
	text  string
	pos   int
	depth int
	err   error // of a visitor
}

func (s *scanner) fail() error {
	if s.err != nil {
		return s.err
	}
	return ErrSyntax
}

func (s *scanner) space() {
	for s.pos < len(s.text) {
		switch s.text[s.pos] {
		case ' ', '\t', '\r', '\n':
			s.pos++
		default:
			return
		}
	}
}

func (s *scanner) take(c byte) bool {
	if s.pos < len(s.text) && s.text[s.pos] == c {
		s.pos++
		return true
	}
	return false
}

func (s *scanner) value() (Value, bool) {
	if s.pos >= len(s.text) {
		return Value{}, false
	}
	start := s.pos
	kind, ok := Null, false
	switch c := s.text[s.pos]; {
	case c == '"':
		kind, ok = String, s.string()
	case c == '{':
		kind, ok = Object, s.object(nil)
	case c == '[':
		kind, ok = Array, s.array(nil)
	case c == 't':
		kind, ok = Bool, s.word("true")
	case c == 'f':
		kind, ok = Bool, s.word("false")
	case c == 'n':
		kind, ok = Null, s.word("null")
	default:
		kind, ok = Number, s.number()
	}
	return Value{Kind: kind, Raw: s.text[start:s.pos]}, ok
}

func (s *scanner) word(w string) bool {
	if !strings.HasPrefix(s.text[s.pos:], w) {
		return false
	}
	s.pos += len(w)
	return true
}

func (s *scanner) digits() bool {
	start := s.pos
	for s.pos < len(s.text) && s.text[s.pos] >= '0' && s.text[s.pos] <= '9' {
		s.pos++
	}
	return s.pos > start
}

func (s *scanner) number() bool {
	s.take('-')
	if !s.take('0') && !s.digits() {
		return false
	}
	if s.take('.') && !s.digits() {
		return false
	}
	if s.take('e') || s.take('E') {
		if !s.take('+') {
			s.take('-')
		}
		return s.digits()
	}
	return true
}

func (s *scanner) string() bool {
	s.pos++ // the opening quote
	start := s.pos
	ascii := true
	for s.pos < len(s.text) {
		switch c := s.text[s.pos]; {
		case c == '"':
			if !ascii && !utf8.ValidString(s.text[start:s.pos]) {
				return false
			}
			s.pos++
			return true
		case c == '\\':
			if !s.escape() {
				return false
			}
		case c < 0x20:
			return false
		default:
			if c >= utf8.RuneSelf {
				ascii = false
			}
			s.pos++
		}
	}
	return false
}

func (s *scanner) escape() bool {
	s.pos++
	if s.pos >= len(s.text) {
		return false
	}
	c := s.text[s.pos]
	s.pos++
	if c != 'u' {
		return strings.IndexByte(`"\/bfnrt`, c) >= 0
	}
	r, ok := s.hex4()
	if !ok {
		return false
	}
	if !utf16.IsSurrogate(r) {
		return true
	}
	if !s.take('\\') || !s.take('u') {
		return false
	}
	low, ok := s.hex4()
	return ok && utf16.DecodeRune(r, low) != utf8.RuneError
}

func (s *scanner) hex4() (rune, bool) {
	if s.pos+4 > len(s.text) {
		return 0, false
	}
	r, ok := hex4(s.text[s.pos:])
	s.pos += 4
	return r, ok
}

func (s *scanner) object(visit func(string, Value) error) bool {
	if !s.take('{') || s.depth == maxDepth {
		return false
	}
	s.depth++
	s.space()
	if s.take('}') {
		s.depth--
		return true
	}
	var few [16]string // names of most objects, without touching the heap
	names := few[:0]
	var filter uint64 // has the bit of each name so far
	for {
		start := s.pos
		if s.pos >= len(s.text) || s.text[s.pos] != '"' || !s.string() {
			return false
		}
		name := unquote(s.text[start:s.pos])
		if len(names) == maxMembers {
			return false
		}
		bit := nameBit(name)
		if filter&bit != 0 && slices.Contains(names, name) {
			return false
		}
		filter |= bit
		names = append(names, name)
		s.space()
		if !s.take(':') {
			return false
		}
		s.space()
		v, ok := s.value()
		if !ok {
			return false
		}
		if visit != nil {
			if s.err = visit(name, v); s.err != nil {
				return false
			}
		}
		s.space()
		if s.take('}') {
			s.depth--
			return true
		}
		if !s.take(',') {
			return false
		}
		s.space()
	}
}

// nameBit maps a name to one of 64 bits. Different names may share one.
func nameBit(name string) uint64 {
	h := uint32(len(name))
	for i := range min(len(name), 8) {
		h = h*31 + uint32(name[i])
	}
	return 1 << (h % 61)
}

func (s *scanner) array(visit func(Value) error) bool {
	if !s.take('[') || s.depth == maxDepth {
		return false
	}
	s.depth++
	s.space()
	if s.take(']') {
		s.depth--
		return true
	}
	for {
		v, ok := s.value()
		if !ok {
			return false
		}
		if visit != nil {
			if s.err = visit(v); s.err != nil {
				return false
			}
		}
		s.space()
		if s.take(']') {
			s.depth--
			return true
		}
		if !s.take(',') {
			return false
		}
		s.space()
	}
}
