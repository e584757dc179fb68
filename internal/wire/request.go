package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/strictjson"
)

// Request is what somebody asks to be issued: by flags, by a line of a file, or
// by a body over HTTP. The fields have the same names everywhere.
type Request struct {
	Spec hallpass.Spec
	// URL becomes the link, where it is not empty.
	URL string
	// TypedCode asks for the code that the page of a link wants typed.
	TypedCode bool
}

// requestFields are the names a Request knows.
var requestFields = []string{
	"scope", "mode", "subject", "max_uses", "ttl", "not_before", "data", "grants",
	"recipient", "batch", "url", "format", "unrecorded", "typed_code",
}

// RequestFields returns the names of the fields.
func RequestFields() []string { return slices.Clone(requestFields) }

// IsRequestField reports whether a Request knows the name.
func IsRequestField(name string) bool { return slices.Contains(requestFields, name) }

// SetText sets a field from text, as flags and cells of a table have it; empty
// text leaves the field as it is. Several grants in one text are separated by
// semicolons or line breaks, which no grant contains. Errors are
// *hallpass.FieldError.
func (r *Request) SetText(field, text string) error {
	if text == "" {
		return nil
	}
	switch field {
	case "max_uses":
		return r.setMaxUses(strings.TrimSpace(text))
	case "grants":
		return r.setGrants(strings.FieldsFunc(text, func(c rune) bool { return c == ';' || c == '\n' || c == '\r' }))
	case "data":
		r.Spec.Data = json.RawMessage(text)
		return nil
	case "unrecorded", "typed_code":
		on, err := strconv.ParseBool(strings.ToLower(strings.TrimSpace(text)))
		if err != nil {
			return invalid(field, "must be true or false")
		}
		*r.choice(field) = on
		return nil
	}
	return r.setString(field, text)
}

// SetJSON sets a field from a JSON value; null leaves the field as it is. Errors
// are *hallpass.FieldError.
func (r *Request) SetJSON(field string, v strictjson.Value) error {
	if v.Kind == strictjson.Null {
		return nil
	}
	switch field {
	case "max_uses":
		if v.Kind != strictjson.Number {
			return invalid(field, "must be a number")
		}
		return r.setMaxUses(v.Raw)
	case "grants":
		var grants []string
		notText := invalid(field, `must be a list of texts such as "GET /reports"`)
		err := strictjson.Elements(v.Raw, func(e strictjson.Value) error {
			text, ok := e.Text()
			if !ok {
				return notText
			}
			grants = append(grants, text)
			return nil
		})
		if err != nil {
			return notText
		}
		return r.setGrants(grants)
	case "data":
		r.Spec.Data = json.RawMessage(v.Raw)
		return nil
	case "unrecorded", "typed_code":
		if v.Kind != strictjson.Bool {
			return invalid(field, "must be true or false")
		}
		*r.choice(field) = v.Raw == "true"
		return nil
	}
	text, ok := v.Text()
	if !ok {
		return invalid(field, "must be text")
	}
	return r.setString(field, text)
}

// choice is a field that is true or false.
func (r *Request) choice(field string) *bool {
	if field == "typed_code" {
		return &r.TypedCode
	}
	return &r.Spec.Unrecorded
}

func (r *Request) setString(field, text string) error {
	switch field {
	case "scope":
		r.Spec.Scope = hallpass.Scope(text)
	case "mode":
		r.Spec.Mode = hallpass.Mode(text)
	case "subject":
		r.Spec.Subject = text
	case "recipient":
		r.Spec.Recipient = text
	case "batch":
		r.Spec.Batch = text
	case "format":
		r.Spec.Format = hallpass.Format(text)
	case "url":
		// Whether a URL can carry a token is judged before anything is issued.
		if _, err := hallpass.Link(text, hallpass.NewToken("x"), ""); err != nil {
			return err
		}
		r.URL = text
	case "ttl":
		return r.setTTL(text)
	case "not_before":
		t, err := ParseTime(field, text)
		if err != nil {
			return err
		}
		r.Spec.NotBefore = t
	default:
		return fmt.Errorf("wire: no field %q in a request", field)
	}
	return nil
}

// setMaxUses reads the number outside, where 0 means unlimited, into the number
// of a Spec, where 0 means the default.
func (r *Request) setMaxUses(text string) error {
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case errors.Is(err, strconv.ErrRange) && n > 0:
		n = math.MaxInt64 // which Issue refuses, naming the limit
	case n < 0:
		return invalid("max_uses", "must not be negative; 0 means unlimited")
	case err != nil:
		return invalid("max_uses", "must be a whole number; 0 means unlimited")
	case n == 0:
		n = hallpass.Unlimited
	}
	r.Spec.MaxUses = n
	return nil
}

func (r *Request) setTTL(text string) error {
	if text == "never" {
		r.Spec.TTL = hallpass.NoExpiry
		return nil
	}
	d, err := ParseDuration("ttl", text)
	switch {
	case err != nil:
		return err
	case d <= 0:
		return invalid("ttl", `must be positive; "never" means no end`)
	}
	r.Spec.TTL = d
	return nil
}

func (r *Request) setGrants(texts []string) error {
	grants := make([]hallpass.Grant, 0, len(texts))
	for _, text := range texts {
		g, err := hallpass.ParseGrant(strings.TrimSpace(text))
		if err != nil {
			return err
		}
		grants = append(grants, g)
	}
	r.Spec.Grants = grants
	return nil
}

// SetGrants sets the grants from flags, one text each.
func (r *Request) SetGrants(texts []string) error { return r.setGrants(texts) }

func invalid(field, reason string) error {
	return &hallpass.FieldError{Field: field, Reason: reason}
}
