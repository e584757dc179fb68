package guard

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/strictjson"
)

// presented is a token and where it stood.
type presented struct {
	token     hallpass.Token
	transport Transport
	pass      *hallpass.Pass // what it says, once its signature was proven
}

// errBodyTooLarge is answered with 413.
var errBodyTooLarge = errors.New("guard: the body is too large to look for a token in it")

// extract finds the token. Two tokens, or one place filled twice, are malformed:
// two programs could pick different ones. An error comes with where it was found.
func (rt *route) extract(r *http.Request) (presented, error) {
	var found presented
	for _, look := range []struct {
		transport Transport
		find      func(*http.Request) ([]string, error)
	}{
		{Query, rt.inQuery}, {Header, rt.inHeader}, {Cookie, rt.inCookie}, {Form | JSON, rt.inBody},
	} {
		if rt.opts.Transports&look.transport == 0 {
			continue
		}
		texts, err := look.find(r)
		if err != nil {
			return presented{transport: look.transport}, err
		}
		for _, text := range texts {
			if text == "" {
				continue
			}
			if !found.token.IsZero() {
				return presented{transport: found.transport | look.transport}, hallpass.RefusalMalformed
			}
			found = presented{token: hallpass.NewToken(text), transport: look.transport}
		}
	}
	return found, nil
}

// inQuery reads the query as it stands: net/url drops pairs it cannot read, and
// a token in one of them must not be overlooked.
func (rt *route) inQuery(r *http.Request) ([]string, error) {
	if !strings.Contains(r.URL.RawQuery, "=") {
		return nil, nil
	}
	var texts []string
	for pair := range strings.SplitSeq(r.URL.RawQuery, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if name, err := url.QueryUnescape(name); err != nil || name != rt.guard.cfg.Param {
			continue
		}
		value, err := url.QueryUnescape(value)
		if err != nil {
			return nil, hallpass.RefusalMalformed
		}
		texts = append(texts, value)
	}
	if len(texts) > 1 {
		return nil, hallpass.RefusalMalformed
	}
	return texts, nil
}

func (rt *route) inHeader(r *http.Request) ([]string, error) {
	var texts []string
	for _, line := range r.Header.Values("Authorization") {
		scheme, text := strings.TrimSpace(line), ""
		if end := strings.IndexAny(scheme, " \t"); end >= 0 {
			scheme, text = scheme[:end], strings.TrimSpace(scheme[end:])
		}
		if !strings.EqualFold(scheme, rt.opts.Keyword) {
			continue
		}
		if text == "" {
			return nil, hallpass.RefusalMalformed
		}
		texts = append(texts, text)
	}
	return texts, nil
}

// inCookie counts a cookie on unsafe methods only where the browser says that
// our own page made the request: cookies travel by themselves.
func (rt *route) inCookie(r *http.Request) ([]string, error) {
	var texts []string
	for _, c := range r.CookiesNamed(rt.opts.CookieName) {
		texts = append(texts, c.Value)
	}
	if len(texts) > 0 && http.NewCrossOriginProtection().Check(r) != nil {
		return nil, nil
	}
	return texts, nil
}

// inBody reads a body of an enabled type, and puts it back unread.
func (rt *route) inBody(r *http.Request) ([]string, error) {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	var find func([]byte) ([]string, error)
	switch {
	case rt.opts.Transports&Form != 0 && kind == "application/x-www-form-urlencoded":
		find = rt.inForm
	case rt.opts.Transports&Form != 0 && kind == "multipart/form-data":
		find = func(body []byte) ([]string, error) { return rt.inMultipart(body, params["boundary"]) }
	case rt.opts.Transports&JSON != 0 && isJSON(kind):
		find = rt.inJSON
	default:
		return nil, nil
	}
	body, err := peekBody(r, rt.opts.MaxBody)
	if err != nil {
		return nil, err
	}
	return find(body)
}

func isJSON(kind string) bool {
	return kind == "application/json" || kind == "text/json" || strings.HasSuffix(kind, "+json")
}

// peekBody reads the body and gives the request one that starts anew.
func peekBody(r *http.Request, limit int64) ([]byte, error) {
	original := r.Body
	body, err := io.ReadAll(io.LimitReader(original, limit+1))
	if err != nil {
		return nil, hallpass.RefusalMalformed // the client broke off
	}
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(body), original), original}
	if int64(len(body)) > limit {
		return nil, errBodyTooLarge
	}
	return body, nil
}

func (rt *route) inForm(body []byte) ([]string, error) {
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, hallpass.RefusalMalformed
	}
	return values[rt.guard.cfg.Param], nil
}

func (rt *route) inMultipart(body []byte, boundary string) ([]string, error) {
	fields, ok := multipartFields(body, boundary)
	if !ok {
		return nil, hallpass.RefusalMalformed
	}
	return fields[rt.guard.cfg.Param], nil
}

// multipartFields reads the fields of a multipart form that are no files.
func multipartFields(body []byte, boundary string) (url.Values, bool) {
	fields := url.Values{}
	for parts := multipart.NewReader(bytes.NewReader(body), boundary); ; {
		part, err := parts.NextPart()
		if err == io.EOF {
			return fields, true
		}
		if err != nil {
			return nil, false
		}
		if part.FileName() != "" {
			continue
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return nil, false
		}
		fields.Add(part.FormName(), string(value))
	}
}

func (rt *route) inJSON(body []byte) ([]string, error) {
	text := strings.TrimSpace(string(body))
	if !strings.HasPrefix(text, "{") {
		return nil, nil
	}
	var texts []string
	err := strictjson.Members(text, func(name string, v strictjson.Value) error {
		if name == rt.guard.cfg.Param {
			if s, ok := v.Text(); ok {
				texts = append(texts, s)
			} else if v.Kind != strictjson.Null {
				return hallpass.RefusalMalformed
			}
		}
		return nil
	})
	if err == nil {
		return texts, nil
	}
	// The application may take JSON that we find too loose or too large. That is
	// its business, as long as nobody could read a token out of it.
	if strings.Contains(text, rt.guard.cfg.Param) || strings.Contains(text, `\u`) {
		return nil, hallpass.RefusalMalformed
	}
	return nil, nil
}
