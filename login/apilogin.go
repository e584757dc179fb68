package login

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/hallpass-go/hallpass"
)

// start is the Start of a request.
func (l *Login) start(r *http.Request, email, next string) (Start, error) {
	flow, err := l.jar(r).flowOfRequest()
	return Start{
		Email: email, Flow: flow, Next: next, Origin: l.originFor(r), Client: l.client(r),
		Language: bounded(r.Header.Get("Accept-Language"), 200),
	}, err
}

// apiCode answers POST /code. Nothing in it knows whether the address is anybody's.
func (l *Login) apiCode(w http.ResponseWriter, r *http.Request) error {
	var email, next string
	if err := readJSON(r, map[string]*string{"email": &email, "next": &next}, nil); err != nil {
		return err
	}
	if next != "" && l.allowedNext(next) == "" {
		return wrong("next", "must be a path, or a URL of an origin that is allowed")
	}
	start, err := l.start(r, email, next)
	if err != nil {
		return err
	}
	begun, err := l.Begin(r.Context(), start)
	if err != nil {
		return err
	}
	l.jar(r).setFlow(w, begun)
	w.Header().Set(FlowHeader, begun.Flow)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// apiLogin answers POST on the path itself: a code for tokens.
func (l *Login) apiLogin(w http.ResponseWriter, r *http.Request) error {
	var email, code string
	if err := readJSON(r, map[string]*string{"email": &email, "code": &code}, nil); err != nil {
		return err
	}
	if email == "" {
		return wrong("email", "is required")
	}
	j := l.jar(r)
	flow, err := j.flowOfRequest()
	if err != nil {
		return err
	}
	if flow == "" {
		return wrong("flow", "is required: send back the header %s", FlowHeader)
	}
	id, err := l.ByCode(r.Context(), Entry{Email: email, Code: code, Flow: flow, Client: l.client(r)})
	if err != nil {
		return err
	}
	return l.openAPI(w, r, id)
}

// apiLink answers POST /link from an app: it opened the link, and its user said
// "continue here".
func (l *Login) apiLink(w http.ResponseWriter, r *http.Request) error {
	var token string
	if err := readJSON(r, map[string]*string{"token": &token}, nil); err != nil {
		return err
	}
	id, err := l.ByLink(r.Context(), linkToken(token), l.client(r))
	if err != nil {
		return err
	}
	return l.openAPI(w, r, id)
}

// linkToken takes the token out of a mailed link that is given whole; any other text
// is left as it is.
func linkToken(text string) string {
	if _, query, found := strings.Cut(text, "?"); found {
		if values, err := url.ParseQuery(query); err == nil && len(values[LinkParam]) == 1 {
			return values.Get(LinkParam)
		}
	}
	return text
}

func (l *Login) openAPI(w http.ResponseWriter, r *http.Request, id Identity) error {
	tokens, err := l.Open(r.Context(), id, l.client(r))
	if err != nil {
		return err
	}
	l.jar(r).clearFlow(w)
	return l.answerTokens(w, r, tokens, false)
}

// refreshToken is the refresh token of a request: from its body, or from the
// cookie. Two that differ are refused.
func (l *Login) refreshToken(r *http.Request, body string) (token string, fromCookie bool, err error) {
	j := l.jar(r)
	cookie, err := j.value(j.refresh())
	switch {
	case err != nil:
		return "", false, err
	case body != "" && cookie != "" && body != cookie:
		return "", false, hallpass.RefusalMalformed
	case cookie != "":
		return cookie, true, nil
	}
	return body, false, nil
}
