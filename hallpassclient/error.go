package hallpassclient

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"slices"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/wire"
)

// CallerError says what is wrong with the client's own token: it is not good, or
// may not do this. It is an ErrUnavailable, because nothing was decided about
// anybody else, and never a Refusal: a user must not be told that a link has
// expired because the server's own token has.
type CallerError struct {
	// Status is 401 or 403.
	Status int
	// Reason is the refusal of the client's token.
	Reason hallpass.Refusal
	// Detail is what the server said about it.
	Detail string
}

// Error returns the detail.
func (e *CallerError) Error() string {
	return fmt.Sprintf("hallpass: the client's own token was refused (%d %s): %s", e.Status, e.Reason, e.Detail)
}

// Unwrap returns ErrUnavailable.
func (e *CallerError) Unwrap() error { return hallpass.ErrUnavailable }

// errorOf turns an answer back into the error it was made of.
func errorOf(response *http.Response, body []byte) error {
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	var p wire.Problem
	if kind != "application/problem+json" || json.Unmarshal(body, &p) != nil {
		return fmt.Errorf("%w: the server answered %s", hallpass.ErrUnavailable, response.Status)
	}
	p.Status = response.StatusCode
	return errorOfProblem(p)
}

func errorOfProblem(p wire.Problem) error {
	switch {
	case p.Status == http.StatusUnauthorized || p.Status == http.StatusForbidden || slices.Contains(hallpass.Refusals(), hallpass.Refusal(p.Code)):
		return &CallerError{Status: p.Status, Reason: hallpass.Refusal(p.Code), Detail: p.Detail}
	case p.Code == wire.CodeInvalid:
		return &hallpass.FieldError{Field: p.Field, Reason: p.Detail}
	case p.Code == wire.CodeNotFound:
		return fmt.Errorf("%w: %s", hallpass.ErrNotFound, p.Detail)
	case p.Code == wire.CodeConflict:
		return fmt.Errorf("%w: %s", hallpass.ErrConflict, p.Detail)
	}
	return fmt.Errorf("%w: the server answered %d %s", hallpass.ErrUnavailable, p.Status, p.Code)
}

func unreachable(cause error) error {
	return fmt.Errorf("%w: the server did not answer: %w", hallpass.ErrUnavailable, cause)
}

// refusalOf returns the verdict's refusal. One that this client has no name for is
// still a refusal.
func refusalOf(v wire.Verdict) error {
	if v.Reason == "" {
		return fmt.Errorf("%w: the answer is neither a yes nor a no", hallpass.ErrUnavailable)
	}
	return v.Reason
}
