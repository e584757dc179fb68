package api

import (
	"context"
	"net/http"
	"path"
	"strings"

	"github.com/hallpass-go/hallpass/internal/wire"
)

// serve answers every request, those for no endpoint at all included, so that
// each gets an answer in the one form.
func (a *API) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	// The mux would redirect a path that it can write more simply; a program that
	// is sent somewhere else is better told that it was wrong.
	escaped := r.URL.EscapedPath()
	if clean := path.Clean("/" + escaped); clean != escaped {
		a.fail(w, r, errNoEndpoint)
		return
	}
	if _, pattern := a.mux.Handler(r); pattern == "" {
		a.noEndpoint(w, r)
		return
	}
	a.mux.ServeHTTP(w, r)
}

// noEndpoint tells a wrong path from a wrong method.
func (a *API) noEndpoint(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, method := range []string{"GET", "POST", "PATCH"} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := a.mux.Handler(other); pattern != "" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		a.fail(w, r, errNoEndpoint)
		return
	}
	if allowed[0] == "GET" {
		allowed = append(allowed, "HEAD")
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	a.fail(w, r, &failure{status: http.StatusMethodNotAllowed, code: wire.CodeInvalid, detail: "this path takes " + strings.Join(allowed, ", ")})
}

// add makes an endpoint of a typed function: it finds out who calls, reads the
// request into an I, and writes the O or the error.
func add[I, O any](a *API, doc *document, rt route, handle func(context.Context, *I) (O, error)) {
	if rt.status == 0 {
		rt.status = http.StatusOK
	}
	describe[I, O](doc, rt)
	a.mux.HandleFunc(rt.method+" "+a.cfg.Prefix+rt.path, func(w http.ResponseWriter, r *http.Request) {
		caller, err := a.authenticate(r)
		if err != nil {
			a.refuseCaller(w, r, err)
			return
		}
		in := new(I)
		if err := bind(w, r, in, rt.form); err != nil {
			a.fail(w, r, err)
			return
		}
		out, err := handle(withCaller(r.Context(), caller), in)
		if err != nil {
			a.fail(w, r, err)
			return
		}
		a.answer(w, r, rt.status, out)
	})
}

// tagged is an answer with an ETag.
type tagged interface{ etag() string }

// answer writes a success.
func (a *API) answer(w http.ResponseWriter, r *http.Request, status int, out any) {
	if t, ok := out.(tagged); ok {
		w.Header().Set("ETag", t.etag())
	}
	if status == http.StatusNoContent {
		w.WriteHeader(status)
		return
	}
	body, err := wire.Marshal(out)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}
