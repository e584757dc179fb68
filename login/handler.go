package login

import (
	"mime"
	"net/http"
	"strings"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/clientip"
	"github.com/hallpass-go/hallpass/internal/look"
)

// Handler serves everything below Config.Path. Mount it with the whole path, once
// with and once without a slash at the end, because http.ServeMux would redirect
// the one to the other:
//
//	mux.Handle("/login", l.Handler())
//	mux.Handle("/login/", l.Handler())
//
// Every URL in an answer is built from the configuration.
func (l *Login) Handler() http.Handler { return http.HandlerFunc(l.serve) }

// endpoint is what one path takes. post takes JSON, form what pages send.
type endpoint struct {
	get, post, form func(w http.ResponseWriter, r *http.Request) error
}

// endpoints is the whole of it, by what follows Config.Path. Every POST comes from
// our own origin or from no browser at all, whatever it does.
func (l *Login) endpoints() map[string]endpoint {
	return map[string]endpoint{
		"":         {get: l.showLogin, post: l.apiLogin, form: l.formLogin},
		"/code":    {post: l.apiCode, form: l.formCode},
		"/link":    {get: l.showLink, post: l.apiLink, form: l.formLink},
		"/refresh": {post: l.apiRefresh, form: l.formRefresh},
		"/logout":  {post: l.apiLogout, form: l.formLogout},
		"/claims":  {get: l.apiReadClaims, post: l.apiUpdateClaims},
	}
}

// newHTTP makes what the handlers need.
func (l *Login) newHTTP() (err error) {
	h := l.cfg.HTTP
	if l.clients, err = clientip.New(h.TrustedProxies, h.ClientIPHeader, nil); err != nil {
		return wrong("http.client_ip_header", "%v", err)
	}
	if l.protections, err = newProtections(l.cfg.origins()); err != nil {
		return err
	}
	l.routes = l.endpoints()
	l.pages, err = newPages(l.cfg.Words, l.words)
	return err
}

func (l *Login) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	rest, ours := strings.CutPrefix(r.URL.Path, l.cfg.Path)
	e, known := l.routes[strings.TrimSuffix(rest, "/")]
	if !ours || !known || strings.HasSuffix(rest, "//") {
		l.failAPI(w, r, hallpass.ErrNotFound)
		return
	}
	handle, fail := l.choose(e, r)
	if handle == nil {
		l.noMethod(w, r, e)
		return
	}
	if r.Method == http.MethodPost {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		if err := l.sameOrigin(r); err != nil {
			fail(w, r, err)
			return
		}
	}
	if err := handle(w, r); err != nil {
		fail(w, r, err)
	}
}

// maxBody is above every request that is one.
const maxBody = 8 << 10

func (l *Login) choose(e endpoint, r *http.Request) (handle func(http.ResponseWriter, *http.Request) error, fail func(http.ResponseWriter, *http.Request, error)) {
	switch {
	case r.Method == http.MethodPost && isForm(r) && e.form != nil:
		return e.form, l.failPage
	case r.Method == http.MethodPost:
		return e.post, l.failAPI
	case (r.Method == http.MethodGet || r.Method == http.MethodHead) && e.get != nil && look.WantsPage(r):
		return e.get, l.failPage
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		return e.get, l.failAPI
	}
	return nil, nil
}

func (l *Login) noMethod(w http.ResponseWriter, r *http.Request, e endpoint) {
	var allowed []string
	if e.get != nil {
		allowed = append(allowed, "GET", "HEAD")
	}
	if e.post != nil {
		allowed = append(allowed, "POST")
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	l.failAPI(w, r, &failure{http.StatusMethodNotAllowed, "this path takes " + strings.Join(allowed, ", ")})
}

func contentType(r *http.Request) string {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return kind
}

func isForm(r *http.Request) bool { return contentType(r) == "application/x-www-form-urlencoded" }

func isJSON(kind string) bool {
	return kind == "application/json" || kind == "text/json" || strings.HasSuffix(kind, "+json")
}

// onlyLooks reports whether a request comes from a machine that looks ahead, not
// from a reader.
func onlyLooks(r *http.Request) bool { return r.Method == http.MethodHead || look.IsPrefetch(r) }
