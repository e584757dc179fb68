package sqlitestore

import (
	"context"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/hallpass-go/hallpass"
)

// unavailable makes the error that a caller gets when SQLite failed at what. An
// ended context is the caller's own doing and comes back as it is, and so do the
// contract's own answers.
func unavailable(ctx context.Context, what string, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case isAnswer(err):
		return err
	}
	return fmt.Errorf("%w: sqlite: %s: %w", hallpass.ErrUnavailable, what, err)
}

// isAnswer reports whether err is the contract's answer rather than a failure.
func isAnswer(err error) bool {
	_, refused := hallpass.RefusalOf(err)
	return refused || errors.Is(err, hallpass.ErrNotFound) || errors.Is(err, hallpass.ErrConflict) ||
		errors.Is(err, hallpass.ErrUnavailable)
}

// code is SQLite's extended result code, or 0.
func code(err error) int {
	var failure *sqlite.Error
	if errors.As(err, &failure) {
		return failure.Code()
	}
	return 0
}

// isOneItemsFault reports whether a failure can be due to one of several writes,
// so that the others would succeed without it.
func isOneItemsFault(err error) bool {
	switch code(err) & 0xff {
	case sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_ERROR:
		return true
	}
	return false
}

func isBusy(err error) bool {
	switch code(err) & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return true
	}
	return false
}
