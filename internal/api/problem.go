package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/wire"
)

// failure is an error of HTTP itself, or one whose status is another than usual.
type failure struct {
	status int
	code   string
	field  string
	detail string
	cause  error
}

func (f *failure) Error() string { return f.detail }
func (f *failure) Unwrap() error { return f.cause }

var errNoEndpoint = &failure{status: http.StatusNotFound, code: wire.CodeNotFound, detail: "there is no such endpoint"}

// problemOf is how an error is told.
func problemOf(err error) wire.Problem {
	var f *failure
	if errors.As(err, &f) {
		return wire.Problem{
			Type: "urn:hallpass:problem:" + f.code, Title: http.StatusText(f.status), Status: f.status,
			Code: f.code, Field: f.field, Detail: f.detail,
		}
	}
	p := wire.ProblemOf(err).Public()
	switch {
	case p.Detail != "":
	case p.Code == wire.CodeUnavailable:
		p.Detail = "nothing was decided and nothing was used up; try again"
	default:
		p.Detail = "something went wrong inside; it was logged"
	}
	return p
}

// fail writes an error.
func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err)
	if p.Status >= http.StatusInternalServerError {
		if r.Context().Err() != nil && errors.Is(err, context.Canceled) {
			return // the caller has gone, and nobody listens
		}
		a.cfg.Logger.ErrorContext(r.Context(), "an API request failed", "method", r.Method, "code", p.Code, "error", err)
		if p.Status == http.StatusServiceUnavailable {
			w.Header().Set("Retry-After", "1")
		}
	}
	if _, refused := hallpass.RefusalOf(err); refused && p.Status == http.StatusForbidden {
		w.Header().Set("WWW-Authenticate", challenge+`, error="insufficient_scope"`)
	}
	p.Answer(w, r)
}

func invalid(field, reason string) error {
	return &hallpass.FieldError{Field: field, Reason: reason}
}
