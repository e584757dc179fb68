package server

import (
	"net/http"
	"strings"

	"github.com/hallpass-go/hallpass"
)

// mount is a part of a listener's paths.
type mount struct {
	// host is the only one under which it is; empty means any.
	host string
	// path is exact, or all below it when it ends with a slash.
	path    string
	handler http.Handler
	bounds  bounds
	// quiet requests are logged for debugging only: somebody asks every second.
	quiet bool
}

func (m mount) matches(r *http.Request, path string) bool {
	if m.host != "" && !isHost(r, m.host) {
		return false
	}
	if strings.HasSuffix(m.path, "/") {
		return strings.HasPrefix(path, m.path)
	}
	return path == m.path
}

// publicMounts is what everybody can reach; the first that matches is taken. With
// an upstream every path is the application's but those below the two prefixes and
// one whose name is ours; with logins also the one where whoever verifies access
// tokens looks for keys.
func (s *Server) publicMounts() []mount {
	a, g := s.cfg.APIPrefix, s.cfg.Prefix
	// The admin's own host comes first: on it the paths are the admin's.
	list := append(s.adminMounts(adminPublic), []mount{
		{path: a + "/v1/passes/bulk", handler: s.api, bounds: streamed},
		{path: a + "/v1/", handler: s.api, bounds: small},
		{path: a + "/openapi.json", handler: s.api, bounds: small},
		{path: "/.well-known/hallpass-jwks.json", handler: s.api, bounds: small},
	}...)
	if s.cfg.Upstream == nil {
		list = append(list,
			mount{path: "/.well-known/", handler: s.api, bounds: small},
			mount{path: a + "/auth/", handler: stripPrefix(a, s.gate.Auth()), bounds: small})
	}
	if s.login != nil {
		list = append(list, s.loginMounts(a)...)
	}
	if s.cfg.Ops == nil {
		list = append(list, s.healthMounts(a)...)
	}
	list = append(list, mount{path: g + "/", handler: s.gate.Steps(), bounds: small})
	if s.cfg.Upstream != nil {
		return append(list, mount{path: "/", handler: withRequestID(s.gate.Proxy(s.cfg.Upstream)), bounds: streamed})
	}
	return append(list, mount{path: "/", handler: http.HandlerFunc(s.notFound), bounds: small})
}

// opsMounts is what operators reach where they have a listener.
func (s *Server) opsMounts() []mount {
	return append(append(s.healthMounts(""), s.adminMounts(adminOps)...), mount{path: "/", handler: http.HandlerFunc(s.notFound), bounds: small})
}

func (s *Server) healthMounts(prefix string) []mount {
	list := []mount{
		{path: prefix + "/healthz", handler: http.HandlerFunc(s.healthz), bounds: small, quiet: true},
		{path: prefix + "/readyz", handler: http.HandlerFunc(s.readyz), bounds: small, quiet: true},
	}
	// How much an application is used is not for its public.
	if s.cfg.Ops != nil || s.cfg.Upstream == nil {
		list = append(list, mount{path: prefix + "/metrics", handler: s.metrics.handler(s.cfg.Logger), bounds: small, quiet: true})
	}
	return list
}

// stripPrefix is http.StripPrefix for handlers that read RequestURI too.
func stripPrefix(prefix string, h http.Handler) http.Handler {
	if prefix == "" {
		return h
	}
	stripped := http.StripPrefix(prefix, h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.RequestURI = strings.TrimPrefix(r.RequestURI, prefix)
		stripped.ServeHTTP(w, r)
	})
}

// withRequestID tells the application behind us how the log calls its request.
func withRequestID(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if id, ok := r.Context().Value(requestIDKey{}).(string); ok {
			r.Header.Set(requestIDHeader, id)
		}
		h.ServeHTTP(w, r)
	})
}

func (s *Server) publicHandler() http.Handler { return s.around(s.publicMounts()) }

func (s *Server) opsHandler() http.Handler { return s.around(s.opsMounts()) }

// around is every listener's handler: trace, observe, bound, dispatch.
func (s *Server) around(mounts []mount) http.Handler {
	h := s.observed(mounts)
	if s.tracing != nil {
		h = s.tracing.around(h)
	}
	return h
}

// find returns the mount of a request. A path that two programs could read
// differently has none: what stands behind a mount may read it in another way than
// the choice of the mount did.
func (s *Server) find(mounts []mount, r *http.Request) mount {
	path, ok := hallpass.CleanPath(r.URL.EscapedPath())
	if !ok {
		return mount{path: "/", handler: http.HandlerFunc(s.unclear), bounds: small}
	}
	for _, m := range mounts {
		if m.matches(r, path) {
			return m
		}
	}
	return mounts[len(mounts)-1] // the one for "/", which every clean path matches
}

func (s *Server) unclear(w http.ResponseWriter, r *http.Request) {
	s.problem(w, r, http.StatusForbidden, string(hallpass.RefusalNotGranted), "The path is not clear",
		"the path could be read in two ways: it has dot segments, empty segments, or characters that are better not encoded, or better are")
}

func (s *Server) notFound(w http.ResponseWriter, r *http.Request) {
	s.problem(w, r, http.StatusNotFound, "not_found", "There is no such thing", "nothing of hallpass is at this address")
}
