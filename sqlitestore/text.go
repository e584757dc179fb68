package sqlitestore

import (
	"fmt"
	"time"
)

// textList is a list of texts that travels to json_each as one parameter.
// encoding/json would replace bytes that are no UTF-8, and two ids could become
// one; SQLite takes and gives all bytes as they are.
type textList []string

func (l textList) json() string {
	size := 2
	for _, s := range l {
		size += len(s) + 3
	}
	b := append(make([]byte, 0, size), '[')
	for i, s := range l {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, s)
	}
	return string(append(b, ']'))
}

func appendText(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < 0x20:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// micros scans a time; NULL is the zero time.
type micros struct{ t *time.Time }

// Scan implements sql.Scanner.
func (m micros) Scan(value any) error {
	switch v := value.(type) {
	case nil:
		*m.t = time.Time{}
	case int64:
		*m.t = time.UnixMicro(v).UTC()
	default:
		return fmt.Errorf("%T is no time", value)
	}
	return nil
}

// nullMicros is a time as it is stored: the zero time is NULL.
func nullMicros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// micro is the precision of every time in a store.
func micro(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
