package django

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/strictjson"
)

// EmailAuthViews lets front ends that were written for jwt-email-auth speak to
// package login as they are: the same paths, bodies and statuses, and
// {"detail": …} for errors. It decides nothing: every answer is the login's.
//
//	views := django.EmailAuthViews{Prefix: "/auth", Path: "/auth", Tokens: auth}
//	l, err := login.New(login.Config{…, Path: "/auth", HTTP: login.HTTP{Refused: views.Refused}})
//	mux.Handle("/auth", views.Handler(l.Handler()))
//	mux.Handle("/auth/", views.Handler(l.Handler()))
//
// One thing a front end must do that it need not have done before: keep cookies
// between asking for a code and entering it, or send the header Hallpass-Flow of
// the one answer with the other request. It is what ties the code to the browser
// that asked.
type EmailAuthViews struct {
	// Prefix stands before the paths of all views. Defaults to none.
	Prefix string
	// Authenticate, Login, Refresh, Logout, Update and Claims are the paths of the
	// package's views. They default to "/authenticate", "/login", "/refresh",
	// "/logout", "/update" and "/claims".
	Authenticate, Login, Refresh, Logout, Update, Claims string
	// Path is the login's Config.Path. Defaults to "/login". A refresh cookie goes to
	// paths below it alone, so where tokens are cookies Prefix must be below it too.
	Path string
	// Tokens, when set, tells what is no token at all (400) from what is none of ours
	// (403), as the package does; needed for that where tokens are encrypted.
	Tokens *EmailAuth
}

// The views, as they are told apart inside.
const (
	viewAuthenticate = "authenticate"
	viewLogin        = "login"
	viewRefresh      = "refresh"
	viewLogout       = "logout"
	viewUpdate       = "update"
	viewClaims       = "claims"
)

// view is one of the package's views, and where it is now.
type view struct {
	name, path, to string
	texts          []string // the fields that are text
	required       bool     // whether all of them must be there
}

func (v EmailAuthViews) views() []view {
	or := func(path, usual string) string {
		if path == "" {
			path = usual
		}
		return v.Prefix + path
	}
	to := v.Path
	if to == "" {
		to = "/login"
	}
	return []view{
		{viewAuthenticate, or(v.Authenticate, "/authenticate"), to + "/code", []string{"email"}, true},
		{viewLogin, or(v.Login, "/login"), to, []string{"email", "code"}, true},
		{viewRefresh, or(v.Refresh, "/refresh"), to + "/refresh", []string{"token"}, false},
		{viewLogout, or(v.Logout, "/logout"), to + "/logout", []string{"token"}, false},
		{viewUpdate, or(v.Update, "/update"), to + "/claims", []string{"token"}, false},
		{viewClaims, or(v.Claims, "/claims"), to + "/claims", nil, false},
	}
}

// viewCall is a request on its way to the login.
type viewCall struct {
	name  string
	token string // as it was sent
}

type viewKey struct{}

// Handler serves the package's paths from the login's own handler, and passes all
// else on to it: the login's pages, and whoever asks for text/html, as the forms on
// them do.
func (v EmailAuthViews) Handler(login http.Handler) http.Handler {
	views := v.views()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, view := range views {
			if strings.Contains(r.Header.Get("Accept"), "text/html") {
				break
			}
			if r.URL.Path == view.path || r.URL.Path == view.path+"/" {
				view.serve(w, r, login)
				return
			}
		}
		login.ServeHTTP(w, r)
	})
}

// maxViewBody is above every request that is one.
const maxViewBody = 8 << 10

// serve passes a request on. Fields that the login does not know are dropped, as
// Django REST framework does, and forms become JSON.
func (v view) serve(w http.ResponseWriter, r *http.Request, login http.Handler) {
	call, body := viewCall{name: v.name}, []byte(nil)
	method := http.MethodPost
	if v.name == viewClaims {
		method = http.MethodGet
	}
	if r.Method != method && (method != http.MethodGet || r.Method != http.MethodHead) {
		w.Header().Set("Allow", method)
		writeDetail(w, http.StatusMethodNotAllowed, `Method "`+plainMethod(r.Method)+`" not allowed.`)
		return
	}
	if method == http.MethodPost {
		text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxViewBody))
		if err != nil {
			writeDetail(w, http.StatusRequestEntityTooLarge, "The request is too large, or broke off.")
			return
		}
		fields, status, problem := v.fields(r, string(text))
		if problem != nil {
			writeAnswer(w, status, problem)
			return
		}
		if token, ok := fields["token"].(string); ok {
			call.token = token
		}
		if body, err = json.Marshal(fields); err != nil {
			writeDetail(w, http.StatusBadRequest, "JSON parse error.")
			return
		}
	}
	inner := r.Clone(context.WithValue(r.Context(), viewKey{}, call))
	inner.URL.Path, inner.URL.RawPath, inner.URL.RawQuery = v.to, "", ""
	inner.Body, inner.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	inner.Header.Set("Accept", "application/json")
	if method == http.MethodPost {
		inner.Header.Set("Content-Type", "application/json")
	}
	login.ServeHTTP(w, inner)
}

func plainMethod(method string) string {
	if len(method) > 16 || strings.Trim(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return "?"
	}
	return method
}

// fields reads a body into what the login is sent. problem is the answer for one
// that is wrong.
func (v view) fields(r *http.Request, body string) (fields map[string]any, status int, problem any) {
	fields = map[string]any{}
	wrong := map[string][]string{}
	take := func(name string, text string, isText bool) {
		switch text = strings.TrimSpace(text); {
		case !isText:
			wrong[name] = []string{"Not a valid string."}
		case text == "":
			wrong[name] = []string{"This field may not be blank."}
		default:
			fields[name] = text
		}
	}
	switch kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); {
	case body == "" && len(v.texts) == 1 && !v.required: // the token is a cookie
	case kind == "application/x-www-form-urlencoded":
		form, err := url.ParseQuery(body)
		if err != nil {
			return nil, http.StatusBadRequest, detail("Form parse error.")
		}
		for _, name := range v.texts {
			if values := form[name]; len(values) > 0 {
				take(name, values[0], len(values) == 1)
			}
		}
	case kind == "application/json" || strings.HasSuffix(kind, "+json"):
		err := strictjson.Members(body, func(name string, value strictjson.Value) error {
			switch {
			case name == "data" && v.name == viewUpdate && value.Kind == strictjson.Object:
				fields[name] = json.RawMessage(value.Raw)
			case slices.Contains(v.texts, name) && value.Kind == strictjson.Number: // as its text fields do
				take(name, value.Raw, true)
			case slices.Contains(v.texts, name):
				text, ok := value.Text()
				take(name, text, ok)
			}
			return nil
		})
		if err != nil {
			return nil, http.StatusBadRequest, detail("JSON parse error.")
		}
	default:
		return nil, http.StatusUnsupportedMediaType, detail("Unsupported media type in request.")
	}
	for _, name := range v.texts {
		if _, there := fields[name]; !there && wrong[name] == nil && v.required {
			wrong[name] = []string{"This field is required."}
		}
	}
	if _, there := fields["data"]; !there && v.name == viewUpdate {
		wrong["data"] = []string{"This field is required."}
	}
	if len(wrong) > 0 {
		return nil, http.StatusBadRequest, wrong
	}
	return fields, 0, nil
}

// Refused is for HTTP.Refused of package login: it answers what came through
// Handler, and nothing else.
func (v EmailAuthViews) Refused(w http.ResponseWriter, r *http.Request, status int, err error) bool {
	call, ours := r.Context().Value(viewKey{}).(viewCall)
	if !ours {
		return false
	}
	status, body := v.answer(call, status, err)
	writeAnswer(w, status, body)
	return true
}

// tokenDetails are the package's texts for a refused token.
var tokenDetails = map[hallpass.Refusal]string{
	hallpass.RefusalExpired:           "Signature has expired.",
	hallpass.RefusalWrongType:         "Invalid token type.",
	hallpass.RefusalMissingClaim:      "Missing token claims.",
	hallpass.RefusalUnknownPass:       "Token is no longer accepted.",
	hallpass.RefusalRevoked:           "Token is no longer accepted.",
	hallpass.RefusalSpent:             "Token is no longer accepted.",
	hallpass.RefusalUnknownSubject:    "Token is no longer accepted.",
	hallpass.RefusalMalformed:         "Error decoding signature.",
	hallpass.RefusalUnknownKey:        "Error decoding signature.",
	hallpass.RefusalBadSignature:      "Error decoding signature.",
	hallpass.RefusalNeedsConfirmation: "The request came from another site.",
}

// answer is what the package answers to the same.
func (v EmailAuthViews) answer(call viewCall, status int, err error) (int, any) {
	if field, ok := errors.AsType[*hallpass.FieldError](err); ok {
		switch {
		case call.name == viewUpdate && field.Field == "data":
			return http.StatusPreconditionFailed, detail("Not allowed to update these claims.")
		case call.name == viewLogin && field.Field == "flow": // this browser asked for no code
			return loginAnswer(hallpass.RefusalMissing)
		}
		return http.StatusBadRequest, map[string][]string{field.Field: {field.Reason}}
	}
	reason, refused := hallpass.RefusalOf(err)
	switch {
	case status == http.StatusTooManyRequests && call.name == viewAuthenticate:
		return http.StatusPreconditionFailed, detail("This user is not allowed to send another login code yet.")
	case status == http.StatusTooManyRequests:
		return http.StatusPreconditionFailed, detail("Maximum number of attempts reached. Try again later.")
	case !refused || status >= http.StatusInternalServerError:
		return status, detail(http.StatusText(status) + ".")
	case reason == hallpass.RefusalNeedsConfirmation:
		return http.StatusForbidden, detail(tokenDetails[reason])
	case call.name == viewLogin:
		return loginAnswer(reason)
	case call.name == viewClaims && reason == hallpass.RefusalMissing:
		return http.StatusUnauthorized, detail("Authentication credentials were not provided.")
	case call.name == viewClaims:
		return http.StatusUnauthorized, detail("Incorrect authentication credentials.")
	case reason == hallpass.RefusalMissing:
		return http.StatusBadRequest, map[string][]string{"token": {"This field is required."}}
	case !v.isToken(call.token):
		return http.StatusBadRequest, map[string][]string{"token": {"Invalid JWT format."}}
	}
	text, known := tokenDetails[reason]
	if !known {
		text = "Invalid token."
	}
	return http.StatusForbidden, detail(text)
}

// loginAnswer speaks of the code that this browser waits for, never of an
// address: it is the same whether anybody has it.
func loginAnswer(reason hallpass.Refusal) (int, any) {
	switch reason {
	case hallpass.RefusalBadSignature:
		return http.StatusForbidden, detail("Incorrect login code.")
	case hallpass.RefusalMissingClaim:
		return http.StatusGone, detail("Data was corrupted. Try to send another login code.")
	case hallpass.RefusalUnknownSubject, hallpass.RefusalWrongSubject:
		return http.StatusForbidden, detail("This user may not log in.")
	}
	return http.StatusNotFound, detail("No login code found.")
}

var tokenShape = regexp.MustCompile(`^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$`)

// isToken reports whether a text has the form of a token; one from a cookie, which
// is not seen here, has.
func (v EmailAuthViews) isToken(text string) bool {
	if text == "" {
		return true
	}
	if v.Tokens != nil && v.Tokens.cipher != nil {
		plain, err := laxDecrypt(v.Tokens.cipher, text)
		if err != nil {
			return false
		}
		text = plain
	}
	return tokenShape.MatchString(text)
}

func detail(text string) map[string]string { return map[string]string{"detail": text} }

func writeDetail(w http.ResponseWriter, status int, text string) {
	writeAnswer(w, status, detail(text))
}

func writeAnswer(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n'))
}
