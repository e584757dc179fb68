package pgstore

import (
	"encoding/hex"
	"strings"
	"time"
	"unicode/utf8"
)

// mark stands before two hex digits for a byte that PostgreSQL takes in no text:
// a zero, and whatever is not UTF-8. It is U+FDD0, which Unicode reserves for such
// uses; its own three bytes are written the same way. So different texts stay
// different, and nearly all are stored as they are.
const mark = "\uFDD0"

func encode(text string) string {
	if utf8.ValidString(text) && strings.IndexByte(text, 0) < 0 && !strings.Contains(text, mark) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if r == 0 || r == utf8.RuneError && size == 1 || text[i:i+size] == mark {
			for _, c := range []byte(text[i : i+size]) {
				b.WriteString(mark)
				b.WriteString(hex.EncodeToString([]byte{c}))
			}
		} else {
			b.WriteString(text[i : i+size])
		}
		i += size
	}
	return b.String()
}

func decode(stored string) string {
	if !strings.Contains(stored, mark) {
		return stored
	}
	var b strings.Builder
	for {
		before, after, found := strings.Cut(stored, mark)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		if len(after) < 2 {
			return b.String() // nothing that encode writes
		}
		c, err := hex.DecodeString(after[:2])
		if err == nil {
			b.Write(c)
		}
		stored = after[2:]
	}
}

// stored scans a text that was encoded.
func decodeAll(texts ...*string) {
	for _, t := range texts {
		*t = decode(*t)
	}
}

// timeOf reads a time; NULL is the zero time.
func timeOf(micros *int64) time.Time {
	if micros == nil {
		return time.Time{}
	}
	return time.UnixMicro(*micros).UTC()
}

// nullMicros is a time as it is stored: the zero time is NULL.
func nullMicros(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	micros := t.UnixMicro()
	return &micros
}

// micro is the precision of every time in a store.
func micro(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// over reports whether a thing that ends at end is over at now. A zero end is
// never.
func over(end, now time.Time) bool { return !end.IsZero() && !now.Before(end) }
