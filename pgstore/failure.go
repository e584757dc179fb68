package pgstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/hallpass-go/hallpass"
)

var (
	errFull = fmt.Errorf("%w: postgres: too many calls are waiting", hallpass.ErrUnavailable)
	errAway = fmt.Errorf("%w: postgres: the server is away; it is tried again in the background", hallpass.ErrUnavailable)
	// errDoubt is the answer where the commit got none, and the server did not come
	// back in time to tell.
	errDoubt = fmt.Errorf("%w: postgres: the connection broke at the commit, and its outcome could not be read; the same use key again gives it", hallpass.ErrUnavailable)
)

// unavailable makes the error that a caller gets when the server failed at what. An
// ended context is the caller's own doing and comes back as it is, and so do the
// contract's own answers.
func unavailable(ctx context.Context, what string, err error) error {
	switch {
	case err == nil:
		return nil
	case isAnswer(err):
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return fmt.Errorf("%w: postgres: %s: %w", hallpass.ErrUnavailable, what, oneLine{err})
}

// oneLine is an error whose text has one line; the driver writes one for each attempt
// to connect.
type oneLine struct{ err error }

func (e oneLine) Error() string {
	if failure, ok := errors.AsType[*pgconn.ConnectError](e.err); ok {
		return connectText(failure)
	}
	return strings.ReplaceAll(e.err.Error(), "\n", "; ")
}

func (e oneLine) Unwrap() error { return e.err }

// isAnswer reports whether err is the contract's answer rather than a failure.
func isAnswer(err error) bool {
	_, refused := hallpass.RefusalOf(err)
	return refused || errors.Is(err, hallpass.ErrNotFound) || errors.Is(err, hallpass.ErrConflict) ||
		errors.Is(err, hallpass.ErrUnavailable)
}

// connectFailure is an error before there was a connection.
type connectFailure struct{ err error }

func (e *connectFailure) Error() string { return e.err.Error() }
func (e *connectFailure) Unwrap() error { return e.err }

func isConnectFailure(err error) bool {
	var failure *connectFailure
	return errors.As(err, &failure)
}

// brokenConnection is an error that took the connection along, or came when the
// transaction had ended and its outcome was not read.
type brokenConnection struct{ err error }

func (e *brokenConnection) Error() string { return e.err.Error() }
func (e *brokenConnection) Unwrap() error { return e.err }

// isUnsendable reports whether the driver could not write an argument in the
// server's format. It then closes the connection itself, before a commit was sent.
func isUnsendable(err error) bool {
	return err != nil && strings.Contains(err.Error(), "failed to encode args")
}

// isCrowded reports whether the server takes no more connections for now: those that
// are open go on.
func isCrowded(err error) bool {
	code, _ := sqlState(err)
	return code == "53300"
}

// isClosed reports whether the store was closed.
func isClosed(err error) bool {
	return err != nil && strings.Contains(err.Error(), "closed pool")
}

// sqlState is the server's code, and whether the session goes on after it. It is
// empty where the error is not the server's.
func sqlState(err error) (code string, goesOn bool) {
	var failure *pgconn.PgError
	if !errors.As(err, &failure) {
		return "", false
	}
	severity := failure.SeverityUnlocalized
	if severity == "" {
		severity = failure.Severity
	}
	return failure.Code, severity == "ERROR"
}

// isLost reports whether the connection is of no more use, or never came to be. A
// row or an argument that the driver cannot convert is no such thing: taking it for
// one would let a single bad row stop the whole process.
func isLost(err error) bool {
	if err == nil || isAnswer(err) || errors.Is(err, errLostGroup) {
		return false
	}
	code, goesOn := sqlState(err)
	if code == "" {
		var broken *brokenConnection
		var network net.Error
		return errors.As(err, &broken) || isConnectFailure(err) || errors.Is(err, errNoCommit) ||
			errors.Is(err, pgconn.ErrConnClosed) || pgconn.Timeout(err) || errors.As(err, &network) ||
			errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	}
	// 25006: what was a primary is a standby now. 40003: the server itself does not
	// know the outcome.
	return !goesOn || code == "25006" || code == "40003" || strings.HasPrefix(code, "08") || strings.HasPrefix(code, "57P")
}

// isCut reports whether the server cut a statement off before it was done, because it
// took too long or somebody said so: nothing was written.
func isCut(err error) bool {
	code, goesOn := sqlState(err)
	return goesOn && code == "57014"
}

// isPassing reports whether the server undid the transaction for a reason that
// passes: a deadlock, a conflict, a lock that took too long, a row that another
// process made at the same moment, or a week that got its table then.
func isPassing(err error) bool {
	if errors.Is(err, errLostGroup) || isMisplaced(err) {
		return true
	}
	code, goesOn := sqlState(err)
	return goesOn && slices.Contains([]string{"40001", "40P01", "55P03", "23505"}, code)
}

// isMisplaced reports whether a use no longer belongs into the partition that the
// server had chosen for it: the one of its week was attached meanwhile. The code is
// that of a CHECK constraint, which has a name.
func isMisplaced(err error) bool {
	failure, ok := errors.AsType[*pgconn.PgError](err)
	return ok && failure.Code == "23514" && failure.ConstraintName == ""
}

// isOneItemsFault reports whether a failure can be due to one of several writes,
// so that the others would succeed without it: bad data, a constraint, a limit, or a
// row that this program cannot read.
func isOneItemsFault(err error) bool {
	code, goesOn := sqlState(err)
	if code == "" {
		return err != nil && !isAnswer(err) && !isLost(err) && !isPassing(err)
	}
	return goesOn && len(code) == 5 && slices.Contains([]string{"22", "23", "54"}, code[:2])
}
