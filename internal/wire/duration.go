package wire

import (
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
)

// ParseDuration reads Go's durations with days before the rest: "7d", "1d12h",
// "1.5h". Its error is a *hallpass.FieldError.
func ParseDuration(field, text string) (time.Duration, error) {
	bad := func(reason string) (time.Duration, error) {
		return 0, &hallpass.FieldError{Field: field, Reason: reason}
	}
	const example = "must be a duration such as 90s, 1h30m or 7d"
	days, rest, found := strings.Cut(strings.TrimPrefix(text, "-"), "d")
	if !found {
		d, err := time.ParseDuration(text)
		if err != nil {
			return bad(example)
		}
		return d, nil
	}
	// A day is 24 hours, so time.ParseDuration can do the arithmetic and the
	// checking, but for the factor.
	d, err := time.ParseDuration(days + "h")
	if err != nil || days == "" || strings.ContainsAny(days, "+-hmsuµn") || strings.HasPrefix(rest, "-") || strings.HasPrefix(rest, "+") {
		return bad(example)
	}
	const longest = 1<<63 - 1
	if d > longest/24 {
		return bad("is too long")
	}
	d *= 24
	if rest != "" {
		more, err := time.ParseDuration(rest)
		if err != nil {
			return bad(example)
		}
		if d > longest-more {
			return bad("is too long")
		}
		d += more
	}
	if strings.HasPrefix(text, "-") {
		d = -d
	}
	return d, nil
}

// ParseTime reads RFC 3339, with any offset and with a fraction. Its error is a
// *hallpass.FieldError.
func ParseTime(field, text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, &hallpass.FieldError{Field: field, Reason: "must be a time such as 2026-01-31T18:00:00Z or 2026-01-31T19:00:00.5+01:00"}
	}
	return t, nil
}
