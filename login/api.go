package login

import (
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/strictjson"
	"github.com/hallpass-go/hallpass/internal/wire"
)

// failure is an error of HTTP itself.
type failure struct {
	status int
	detail string
}

func (f *failure) Error() string { return f.detail }

// readBody reads the whole body within its bound.
func readBody(r *http.Request) (string, error) {
	body, err := io.ReadAll(r.Body)
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return "", &failure{http.StatusRequestEntityTooLarge, "the body is too large"}
	}
	if err != nil {
		return "", &failure{http.StatusBadRequest, "the body could not be read"}
	}
	return string(body), nil
}

// readJSON reads one strict JSON object into texts, and into data where there may
// be some. A name that is not among texts is refused: a misspelt one would
// otherwise do nothing, unseen.
func readJSON(r *http.Request, texts map[string]*string, data *Claims) error {
	if !isJSON(contentType(r)) {
		return &failure{http.StatusUnsupportedMediaType, "the body must be JSON, such as application/json"}
	}
	body, err := readBody(r)
	if err != nil {
		return err
	}
	err = strictjson.Members(body, func(name string, v strictjson.Value) error {
		if name == "data" && data != nil {
			if v.Kind != strictjson.Object {
				return wrong(name, "must be an object")
			}
			var err error
			*data, err = parseClaims([]byte(v.Raw))
			return err
		}
		into, known := texts[name]
		if !known {
			return wrong(bounded(name, 64), "is no field of this request")
		}
		text, ok := v.Text()
		if !ok {
			return wrong(name, "must be text")
		}
		*into = text
		return nil
	})
	if errors.Is(err, strictjson.ErrSyntax) {
		return &failure{http.StatusBadRequest, "the body must be one JSON object, with no name twice"}
	}
	return err
}

// readForm reads the body once; r.PostForm keeps it, as it does for a middleware
// that was here before. A field twice is refused.
func readForm(r *http.Request) (url.Values, error) {
	if r.PostForm == nil {
		body, err := readBody(r)
		if err != nil {
			return nil, err
		}
		if r.PostForm, err = url.ParseQuery(body); err != nil {
			return nil, &failure{http.StatusBadRequest, "the form cannot be read"}
		}
	}
	for name, values := range r.PostForm {
		if len(values) > 1 {
			return nil, wrong(bounded(name, 64), "is there twice")
		}
	}
	return r.PostForm, nil
}

// problemOf is how an error is told. Whoever has not shown to hold a token or a
// flow of ours hears one code for all that can be wrong with it.
func problemOf(err error) wire.Problem {
	if f, ok := errors.AsType[*failure](err); ok {
		return wire.Problem{
			Type: "urn:hallpass:problem:" + wire.CodeInvalid, Title: http.StatusText(f.status), Status: f.status,
			Code: wire.CodeInvalid, Detail: f.detail,
		}
	}
	if t, ok := errors.AsType[*Throttled](err); ok {
		p := wire.ProblemOf(wire.ErrThrottled)
		p.Detail = "too many attempts; try again in " + strconv.Itoa(wholeSeconds(t.RetryAfter)) + " seconds"
		return p
	}
	p := wire.ProblemOf(err).Public()
	if reason, refused := hallpass.RefusalOf(err); refused {
		public := reason.Public()
		p.Status, p.Code = http.StatusForbidden, string(public)
		p.Type, p.Detail = "urn:hallpass:problem:"+p.Code, refusalDetails[public]
	}
	switch {
	case p.Detail != "":
	case p.Code == wire.CodeUnavailable:
		p.Detail = "nothing was decided; try again"
	case p.Code == wire.CodeInternal:
		p.Detail = "something went wrong inside; it was logged"
	}
	return p
}

var refusalDetails = map[hallpass.Refusal]string{
	hallpass.RefusalBadSignature:      "the code or token is missing, unknown, or not the right one",
	hallpass.RefusalWrongAudience:     "the token was made for another deployment",
	hallpass.RefusalNotYetValid:       "the token is not valid yet",
	hallpass.RefusalExpired:           "it has expired; log in again",
	hallpass.RefusalSpent:             "it was used already, or tried too often",
	hallpass.RefusalRevoked:           "it was taken back",
	hallpass.RefusalUnknownSubject:    "this address may not log in",
	hallpass.RefusalNotGranted:        "this is switched off here",
	hallpass.RefusalNeedsConfirmation: "the request came from another site",
}

// status401 are the refusals of a refresh or access token after which only a new
// login helps, because there is no session. A session that was ended (revoked,
// spent, unknown_subject) is 403.
var status401 = []hallpass.Refusal{
	hallpass.RefusalBadSignature, hallpass.RefusalWrongAudience, hallpass.RefusalNotYetValid, hallpass.RefusalExpired,
}

// tokenError marks an error of a refresh or access token.
type tokenError struct{ error }

func (e tokenError) Unwrap() error { return e.error }

func ofToken(err error) error {
	if err == nil {
		return nil
	}
	return tokenError{err}
}

// failAPI answers a program.
func (l *Login) failAPI(w http.ResponseWriter, r *http.Request, err error) {
	p := l.failed(w, r, err)
	if l.cfg.HTTP.Refused != nil && l.cfg.HTTP.Refused(w, r, p.Status, err) {
		return
	}
	p.Answer(w, r)
}

// failed is what programs and browsers are told alike, with the log that they are
// not shown.
func (l *Login) failed(w http.ResponseWriter, r *http.Request, err error) wire.Problem {
	p := problemOf(err)
	if _, ok := errors.AsType[tokenError](err); ok && slices.Contains(status401, hallpass.Refusal(p.Code)) {
		p.Status = http.StatusUnauthorized
		w.Header().Set("WWW-Authenticate", l.challenge(err))
	}
	if t, ok := errors.AsType[*Throttled](err); ok {
		w.Header().Set("Retry-After", strconv.Itoa(wholeSeconds(t.RetryAfter)))
	}
	reason, refused := hallpass.RefusalOf(err)
	switch {
	case p.Status == http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "1")
		fallthrough
	case p.Status >= http.StatusInternalServerError:
		if !errors.Is(err, context.Canceled) { // then the client has gone
			l.cfg.Logger.ErrorContext(r.Context(), "a login request could not be decided", "method", r.Method, "path", r.URL.Path, "error", err)
		}
	case refused:
		l.cfg.Logger.DebugContext(r.Context(), "a login request was refused", "method", r.Method, "path", r.URL.Path, "reason", reason)
	}
	return p
}

func wholeSeconds(d time.Duration) int { return max(1, int(math.Ceil(d.Seconds()))) }

func writeJSON(w http.ResponseWriter, r *http.Request, v any) error {
	body, err := wire.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(append(body, '\n'))
	}
	return nil
}

// tokenPair is the body that carries tokens.
type tokenPair struct {
	Access  string `json:"access"`
	Refresh string `json:"refresh"`
}

// answerTokens gives a program its tokens, as JSON or as cookies: as it prefers
// (RFC 7240), or as is configured. A refresh token that came as a cookie goes back
// as one, whatever is preferred: scripts were not to read it, and shall not.
func (l *Login) answerTokens(w http.ResponseWriter, r *http.Request, t Tokens, fromCookie bool) error {
	w.Header().Add("Vary", "Prefer")
	choice, asked := preference(r)
	if !asked {
		choice = l.cfg.HTTP.Prefer
	}
	if fromCookie && choice != preferCookies {
		choice, asked = preferCookies, false
	}
	if asked {
		w.Header().Set("Preference-Applied", choice)
	}
	if choice == preferCookies {
		l.jar(r).setTokens(w, t)
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return writeJSON(w, r, tokenPair{t.Access.Reveal(), t.Refresh.Reveal()})
}

// preference is the first of ours in the Prefer headers.
func preference(r *http.Request) (string, bool) {
	for _, line := range r.Header.Values("Prefer") {
		for item := range strings.SplitSeq(line, ",") {
			name, _, _ := strings.Cut(item, ";")
			switch name = strings.ToLower(strings.TrimSpace(name)); name {
			case preferToken, preferCookies:
				return name, true
			}
		}
	}
	return "", false
}
