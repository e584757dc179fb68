package wire

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/hallpass-go/hallpass"
)

// The codes of problems that are no refusals.
const (
	CodeInvalid     = "invalid"
	CodeNotFound    = "not_found"
	CodeConflict    = "conflict"
	CodeThrottled   = "throttled"
	CodeUnavailable = "unavailable"
	CodeInternal    = "internal"
)

// Exit codes of the command line.
const (
	ExitDone      = 0
	ExitRefused   = 1 // refused, or not found
	ExitInvalid   = 2 // bad input
	ExitUndecided = 3 // store, keys, network
)

// Problem is an error as application/problem+json (RFC 9457).
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Code   string `json:"code"`
	Field  string `json:"field,omitempty"`
	Detail string `json:"detail,omitempty"`

	exit int
}

// kind is one row of the table from errors to what they mean outside.
type kind struct {
	is     func(error) bool
	code   string
	title  string
	status int
	exit   int
}

// kinds is that table. Refusals come first, as their code is their own; what no
// row knows is internal, and its text is not for strangers.
var kinds = []kind{
	{isA[hallpass.Refusal], "", "The token was refused", http.StatusForbidden, ExitRefused},
	{isA[*hallpass.FieldError], CodeInvalid, "The request is not valid", http.StatusBadRequest, ExitInvalid},
	{is(hallpass.ErrNotFound), CodeNotFound, "There is no such thing", http.StatusNotFound, ExitRefused},
	{is(hallpass.ErrConflict), CodeConflict, "Somebody else changed this first", http.StatusConflict, ExitUndecided},
	{is(ErrThrottled), CodeThrottled, "Too many requests", http.StatusTooManyRequests, ExitUndecided},
	{is(hallpass.ErrUnavailable), CodeUnavailable, "No decision could be made", http.StatusServiceUnavailable, ExitUndecided},
	{is(context.Canceled), CodeUnavailable, "No decision could be made", http.StatusServiceUnavailable, ExitUndecided},
	{is(context.DeadlineExceeded), CodeUnavailable, "No decision could be made", http.StatusServiceUnavailable, ExitUndecided},
}

var internal = kind{nil, CodeInternal, "Internal error", http.StatusInternalServerError, ExitUndecided}

// ErrThrottled means that the caller asked too often and may come back later.
var ErrThrottled = errors.New("hallpass: too many requests")

// ProblemOf returns an error as it is told outside. The detail of an error that
// is nobody's but ours is its text all the same: over HTTP, use Public.
func ProblemOf(err error) Problem {
	k := internal
	for _, row := range kinds {
		if row.is(err) {
			k = row
			break
		}
	}
	p := Problem{Title: k.title, Status: k.status, Code: k.code, exit: k.exit, Detail: detail(err)}
	if refusal, ok := hallpass.RefusalOf(err); ok {
		p.Code = string(refusal)
		if refusal == hallpass.RefusalMissing {
			p.Status = http.StatusUnauthorized
		}
	}
	var field *hallpass.FieldError
	if p.Code == CodeInvalid && errors.As(err, &field) {
		p.Field, p.Detail = field.Field, field.Reason
	}
	p.Type = "urn:hallpass:problem:" + p.Code
	return p
}

// Public returns the problem without the detail of what went wrong inside: file
// names, addresses and drivers are for the log.
func (p Problem) Public() Problem {
	if p.Code == CodeInternal || p.Code == CodeUnavailable {
		p.Detail = ""
	}
	return p
}

// Answer writes the problem as the answer to a request.
func (p Problem) Answer(w http.ResponseWriter, r *http.Request) {
	body, err := Marshal(p)
	if err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(p.Status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(append(body, '\n'))
	}
}

// Exit returns the exit code of the command line.
func (p Problem) Exit() int { return p.exit }

// Line returns the problem as one line of text for a person.
func (p Problem) Line() string {
	if p.Field != "" {
		return p.Field + ": " + p.Detail
	}
	return p.Detail
}

// detail is an error's text in one line, without the name of the program, which
// whoever prints it says already.
func detail(err error) string {
	text := strings.Join(strings.Fields(err.Error()), " ")
	return strings.TrimPrefix(text, "hallpass: ")
}

func is(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

func isA[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
