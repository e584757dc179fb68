package server_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/hallpass-go/hallpass/internal/server"
)

func TestTheAdminIsWhereItBelongs(t *testing.T) {
	t.Parallel()
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	t.Cleanup(app.Close)
	upstream, err := url.Parse(app.URL)
	if err != nil {
		t.Fatal(err)
	}
	const in, application, nothing = http.StatusUnauthorized, http.StatusTeapot, http.StatusNotFound
	for name, tt := range map[string]struct {
		change      func(*server.Config)
		path, host  string
		public, ops int
	}{
		"without an upstream":          {func(*server.Config) {}, "/admin/", "", in, nothing},
		"behind the API prefix":        {func(c *server.Config) { c.APIPrefix = "/hp" }, "/hp/admin/", "", in, nothing},
		"beside an upstream":           {func(c *server.Config) { c.Upstream = upstream }, "/admin/", "", application, in},
		"on a host of its own":         {func(c *server.Config) { c.Upstream, c.Admin.Host = upstream, "ops.example.com" }, "/admin/", "ops.example.com", in, nothing},
		"another host than its own":    {func(c *server.Config) { c.Upstream, c.Admin.Host = upstream, "ops.example.com" }, "/admin/", "", application, nothing},
		"its name with something more": {func(c *server.Config) { c.Upstream, c.Admin.Host = upstream, "ops.example.com" }, "/admin/", "ops.example.com.evil.example", http.StatusForbidden, nothing},
		"off":                          {func(c *server.Config) { c.Admin.Off = true }, "/admin/", "", nothing, nothing},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, cfg, _ := newServer(t, tt.change)
			run(t, s)
			for where, want := range map[string]struct {
				listener net.Listener
				status   int
			}{"public": {cfg.Public, tt.public}, "operations": {cfg.Ops, tt.ops}} {
				r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+want.listener.Addr().String()+tt.path, nil)
				if err != nil {
					t.Fatal(err)
				}
				if tt.host != "" {
					r.Host = tt.host
				}
				answer, err := http.DefaultClient.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				answer.Body.Close()
				if answer.StatusCode != want.status {
					t.Errorf("%s listener: %d, want %d", where, answer.StatusCode, want.status)
				}
			}
		})
	}
}
