package hallpass

import (
	"errors"
	"fmt"
)

var (
	// ErrUnavailable means that no decision could be made: the store did not
	// answer, no key was loaded, or the revocation rules are too old to trust.
	// It never means that a token is good or bad.
	ErrUnavailable = errors.New("hallpass: unavailable")
	// ErrNotFound means that what was named does not exist.
	ErrNotFound = errors.New("hallpass: not found")
	// ErrConflict means that somebody else changed the same thing first.
	ErrConflict = errors.New("hallpass: conflict")
)

// FieldError is bad input: the field by its JSON name, and what to do about it.
type FieldError struct {
	Field  string // e.g. "max_uses"
	Reason string // e.g. "must not be negative; 0 means unlimited"
}

// Error returns "field: reason".
func (e *FieldError) Error() string { return e.Field + ": " + e.Reason }

func fieldErrorf(field, format string, args ...any) error {
	return &FieldError{Field: field, Reason: fmt.Sprintf(format, args...)}
}

// unavailable wraps a cause so that errors.Is finds both ErrUnavailable and it.
func unavailable(what string, cause error) error {
	if errors.Is(cause, ErrUnavailable) {
		return fmt.Errorf("%s: %w", what, cause)
	}
	return fmt.Errorf("%w: %s: %w", ErrUnavailable, what, cause)
}
