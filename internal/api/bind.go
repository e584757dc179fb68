package api

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hallpass-go/hallpass/internal/strictjson"
	"github.com/hallpass-go/hallpass/internal/wire"
)

// maxBody bounds a body that is read at once: 64 KiB of data, written with escapes.
const maxBody = 512 << 10

// bind reads a request into the struct that in points to. Its fields carry the
// tags path, query or header, all of type string, or int for a query; a field Body
// takes the body. The same tags make the OpenAPI document. Whatever the struct
// does not know is an error that names it.
func bind(w http.ResponseWriter, r *http.Request, in any, form bool) error {
	if err := bindFields(r, in); err != nil {
		return err
	}
	body := reflect.ValueOf(in).Elem().FieldByName("Body")
	if !body.IsValid() {
		return checkNoBody(w, r)
	}
	kind := "application/json"
	if form {
		kind = "application/x-www-form-urlencoded"
	}
	if err := checkType(r, kind); err != nil {
		return err
	}
	text, err := readBody(w, r)
	if err != nil {
		return err
	}
	if form {
		return decodeForm(text, body.Addr().Interface())
	}
	return decodeJSON(text, body.Addr().Interface())
}

// bindFields reads all but the body.
func bindFields(r *http.Request, in any) error {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return invalid("query", "cannot be read")
	}
	v := reflect.ValueOf(in).Elem()
	known := map[string]bool{}
	for n := range v.NumField() {
		tag := v.Type().Field(n).Tag
		field := v.Field(n)
		if name := tag.Get("path"); name != "" {
			err = setText(field, name, r.PathValue(name))
		}
		if name := tag.Get("header"); name != "" {
			err = setValues(field, strings.ReplaceAll(strings.ToLower(name), "-", "_"), r.Header.Values(name))
		}
		if name := tag.Get("query"); name != "" {
			known[name] = true
			err = setValues(field, name, query[name])
		}
		if err != nil {
			return err
		}
	}
	for name := range query {
		if !known[name] {
			return invalid(name, "is no parameter here")
		}
	}
	return nil
}

// checkNoBody lets an empty object pass: many clients cannot send nothing.
func checkNoBody(w http.ResponseWriter, r *http.Request) error {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil
	}
	text, err := readBody(w, r)
	if err != nil || strings.TrimSpace(text) == "" {
		return err
	}
	if err := checkType(r, "application/json"); err != nil {
		return err
	}
	return decodeJSON(text, &struct{}{})
}

func setValues(field reflect.Value, name string, values []string) error {
	switch {
	case len(values) > 1:
		return invalid(name, "is given more than once")
	case len(values) == 0:
		return nil
	case values[0] == "":
		return invalid(name, "is empty; leave it out instead")
	}
	return setText(field, name, values[0])
}

func setText(field reflect.Value, name, text string) error {
	switch {
	case !utf8.ValidString(text):
		return invalid(name, "must be valid UTF-8")
	case strings.ContainsFunc(text, unicode.IsControl):
		return invalid(name, "must not contain control characters")
	case field.Kind() != reflect.Int:
		field.SetString(text)
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return invalid(name, "must be a whole number from 1")
	}
	field.SetInt(int64(n))
	return nil
}

// checkType refuses a body of another type. A body without any is taken for what
// is expected.
func checkType(r *http.Request, want string) error {
	wrong := &failure{status: http.StatusUnsupportedMediaType, code: wire.CodeInvalid, field: "content-type", detail: "the body must be " + want}
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		wrong.field, wrong.detail = "content-encoding", "the body must not be compressed"
		return wrong
	}
	text := r.Header.Get("Content-Type")
	if text == "" {
		return nil
	}
	kind, params, err := mime.ParseMediaType(text)
	if err != nil || kind != want {
		return wrong
	}
	if charset := params["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") {
		wrong.detail = "the body must be in UTF-8"
		return wrong
	}
	return nil
}

// readBody reads a body whole, to a limit.
func readBody(w http.ResponseWriter, r *http.Request) (string, error) {
	if r.ContentLength > maxBody {
		return "", errTooLarge
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	return string(body), bodyError(err)
}

var errTooLarge = &failure{
	status: http.StatusRequestEntityTooLarge, code: wire.CodeInvalid, field: "body",
	detail: "the body is larger than " + strconv.Itoa(maxBody) + " bytes",
}

// bodyError turns an error of reading a body into one that is the sender's fault,
// as all of them are.
func bodyError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.As(err, new(*http.MaxBytesError)):
		return errTooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &failure{status: http.StatusRequestTimeout, code: wire.CodeInvalid, field: "body", detail: "the body did not arrive in time", cause: err}
	}
	return &failure{status: http.StatusBadRequest, code: wire.CodeInvalid, field: "body", detail: "the body broke off", cause: err}
}

// decodeJSON reads one strict object into the struct that out points to. A null
// leaves its field as it is.
func decodeJSON(text string, out any) error {
	if strings.TrimSpace(text) == "" {
		return invalid("body", "is missing; it must be a JSON object")
	}
	if !strictjson.Valid(text) {
		return invalid("body", "is no JSON, says a name twice, or is nested more than 32 levels deep")
	}
	set := setter(out)
	err := strictjson.Members(text, func(name string, v strictjson.Value) error {
		if s, ok := v.Text(); ok && strings.ContainsRune(s, 0) {
			return invalid(name, "must not contain a NUL")
		}
		return set(name, v)
	})
	if errors.Is(err, strictjson.ErrSyntax) {
		return invalid("body", "must be a JSON object")
	}
	return err
}

// memberSetter reads its members itself.
type memberSetter interface {
	setMember(name string, v strictjson.Value) error
}

func setter(out any) func(string, strictjson.Value) error {
	if m, ok := out.(memberSetter); ok {
		return m.setMember
	}
	target := reflect.ValueOf(out).Elem()
	return func(name string, v strictjson.Value) error {
		for n := range target.NumField() {
			own, _, _ := strings.Cut(target.Type().Field(n).Tag.Get("json"), ",")
			if own != name {
				continue
			}
			if v.Kind == strictjson.Null {
				return nil
			}
			if err := json.Unmarshal([]byte(v.Raw), target.Field(n).Addr().Interface()); err != nil {
				return invalid(name, "must be "+kindOf(target.Field(n).Type()))
			}
			return nil
		}
		return errUnknown(name)
	}
}

func errUnknown(name string) error { return invalid(name, "is no field here") }

func kindOf(t reflect.Type) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.String:
		return "text"
	}
	return "of another type"
}

// decodeForm reads a form into a struct of strings. What it does not know is
// ignored, as RFC 7662 section 2.1 lets callers add parameters.
func decodeForm(text string, out any) error {
	values, err := url.ParseQuery(text)
	if err != nil {
		return invalid("body", "is no form")
	}
	target := reflect.ValueOf(out).Elem()
	for n := range target.NumField() {
		name, _, _ := strings.Cut(target.Type().Field(n).Tag.Get("json"), ",")
		switch given := values[name]; len(given) {
		case 0:
		case 1:
			target.Field(n).SetString(given[0])
		default:
			return invalid(name, "is given more than once")
		}
	}
	return nil
}
