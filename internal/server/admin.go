package server

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/hallpass-go/hallpass/internal/adminui"
	"github.com/hallpass-go/hallpass/internal/sessions"
	"github.com/hallpass-go/hallpass/keystore"
)

// Admin says where the admin is. The zero value is the usual place: beside an
// upstream, whose paths are its own, on the operations listener, and nowhere where
// there is none; else on the public one, behind APIPrefix.
type Admin struct {
	// Off leaves it out.
	Off bool
	// Host puts it on Public, under this host name alone.
	Host string
	// URL is the origin under which browsers reach it. Defaults to BaseURL on Public,
	// with Host in it where there is one, and to the address of Ops.
	URL string
	// Allow says who may sign in by e-mail, and as what. It needs Config.Login. Nil:
	// nobody may, and links of admin-link alone open the admin.
	Allow adminui.Listed
	// Settings are shown. Store is how the store is called.
	Settings []adminui.Setting
	Store    string
}

// adminPlace is where the admin is found.
type adminPlace int

const (
	adminNowhere adminPlace = iota
	adminPublic
	adminOps
)

func (c Config) adminPlace(ops bool) adminPlace {
	switch {
	case c.Admin.Off:
		return adminNowhere
	case c.Admin.Host != "", c.Upstream == nil:
		return adminPublic
	case ops:
		return adminOps
	}
	return adminNowhere
}

// AdminURL is where the admin begins, for a server whose operations listener is at
// the origin ops, or that has none. Empty: there is no admin.
func (c Config) AdminURL(ops string) string {
	c = c.withDefaults()
	place := c.adminPlace(ops != "")
	if place == adminNowhere {
		return ""
	}
	return c.adminOrigin(place, ops) + c.adminPrefix(place) + "/"
}

// adminPrefix is the path of the admin: an origin of its own needs none before it.
func (c Config) adminPrefix(place adminPlace) string {
	if c.Admin.Host != "" || place == adminOps {
		return adminui.DefaultPrefix
	}
	return c.APIPrefix + adminui.DefaultPrefix
}

func (c Config) adminOrigin(place adminPlace, ops string) string {
	switch {
	case c.Admin.URL != "":
		return c.Admin.URL
	case place == adminOps:
		return ops
	case c.Admin.Host == "":
		return c.BaseURL
	}
	base, err := url.Parse(c.BaseURL)
	if err != nil {
		return ""
	}
	host := c.Admin.Host
	if port := base.Port(); port != "" {
		host += ":" + port
	}
	return base.Scheme + "://" + host
}

func (s *Server) newAdmin() (*adminui.UI, error) {
	ops := ""
	if s.cfg.Ops != nil {
		ops = "http://" + s.cfg.Ops.Addr().String()
	}
	if s.adminAt = s.cfg.adminPlace(ops != ""); s.adminAt == adminNowhere {
		return nil, nil
	}
	// Keys of a file are changed in the file.
	var ring *keystore.Ring
	if s.cfg.FileKeys == nil {
		ring = s.cfg.Ring
	}
	linkURL := ""
	if s.cfg.Upstream != nil {
		linkURL = s.cfg.BaseURL
	}
	cfg := adminui.Config{
		Issuer: s.issuer, Cells: s.cfg.Store, Ring: ring, BaseURL: s.cfg.adminOrigin(s.adminAt, ops), Prefix: s.cfg.adminPrefix(s.adminAt),
		LinkURL: linkURL, JWKS: s.cfg.BaseURL + "/.well-known/hallpass-jwks.json", Sessions: adminSessions{s.sessions()},
		Settings: func() []adminui.Setting { return slices.Clone(s.cfg.Admin.Settings) }, Health: s.adminHealth,
		Store: s.cfg.Admin.Store, Version: s.cfg.Version, Site: s.cfg.Site,
		TrustedProxies: s.cfg.TrustedProxies, ClientIPHeader: s.cfg.ClientIPHeader, Logger: s.cfg.Logger,
	}
	if cfg.AccessKeys = s.keys.access(); s.login != nil || s.cfg.Upstream == nil {
		cfg.AccessJWKS = s.cfg.BaseURL + "/.well-known/jwks.json"
	}
	if s.login != nil {
		cfg.Blocked = adminBlocked{s}
		if s.cfg.Admin.Allow != nil {
			cfg.Listed, cfg.EmailPage = s.cfg.Admin.Allow, cfg.Prefix+adminLoginPath
		}
	}
	return adminui.New(cfg)
}

// adminHealth tells what readyz tells.
func (s *Server) adminHealth(ctx context.Context) (list []adminui.Health) {
	checks := s.readiness(ctx).Checks
	for _, name := range []string{"serving", "store", "schema", "revocations"} {
		list = append(list, adminui.Health{Name: name, OK: checks[name].OK, Detail: checks[name].Detail})
	}
	return list
}

// adminMounts is the admin's part of a listener's paths.
func (s *Server) adminMounts(place adminPlace) (list []mount) {
	if s.admin == nil || s.adminAt != place {
		return nil
	}
	prefix, handler := s.cfg.adminPrefix(place), s.admin.Handler()
	if s.adminLogin != nil {
		at := prefix + adminLoginPath
		pages := onlyPages(at, s.adminLogin.Handler(), handler)
		list = append(list, mount{host: s.cfg.Admin.Host, path: at, handler: pages, bounds: small},
			mount{host: s.cfg.Admin.Host, path: at + "/", handler: pages, bounds: small})
	}
	for _, path := range adminui.Streamed() {
		list = append(list, mount{host: s.cfg.Admin.Host, path: prefix + path, handler: handler, bounds: streamed})
	}
	return append(list,
		mount{host: s.cfg.Admin.Host, path: prefix + "/", handler: handler, bounds: small},
		mount{host: s.cfg.Admin.Host, path: prefix, handler: http.RedirectHandler(prefix+"/", http.StatusMovedPermanently), bounds: small})
}

// isHost reports whether a request came under a host name.
func isHost(r *http.Request, name string) bool {
	host, ok := sessions.CanonicalHost(r.Host)
	return ok && host == name
}
