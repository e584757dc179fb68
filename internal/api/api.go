// Package api is hallpass over HTTP, for programs in any language: issue, look
// up, amend, take back, verify and redeem passes, and find out who may call all
// this. Handlers are plain typed functions; the OpenAPI document is made from the
// same types.
package api

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/hallpass-go/hallpass"
)

// Config is what an API needs. Issuer is required.
type Config struct {
	// Issuer issues passes, decides about them, and about the API's own callers.
	// Required.
	Issuer *hallpass.Issuer
	// Keys are published at /.well-known/hallpass-jwks.json, but for shared secrets.
	// Defaults to the Issuer's.
	Keys *hallpass.Keyring
	// AccessKeys are published at /.well-known/jwks.json in the same way. Nil
	// publishes none.
	AccessKeys *hallpass.Keyring
	// Prefix stands before every path but those below /.well-known, such as
	// "/hallpass". Defaults to none.
	Prefix string
	// Sessions are those that session passes and logins began. Nil means that there are none.
	Sessions Sessions
	// Version is told by the OpenAPI document. Defaults to "0".
	Version string
	// Logger gets what callers are not told: why something failed inside. Defaults
	// to slog.Default.
	Logger *slog.Logger
}

// API answers requests. It is safe for concurrent use.
type API struct {
	cfg      Config
	issuer   *hallpass.Issuer
	mux      *http.ServeMux
	document []byte
}

// New returns an API. Its errors name the Config field.
func New(cfg Config) (*API, error) {
	switch {
	case cfg.Issuer == nil:
		return nil, fmt.Errorf("api: config: issuer is required")
	case cfg.Prefix != "" && (!strings.HasPrefix(cfg.Prefix, "/") || strings.HasSuffix(cfg.Prefix, "/")):
		return nil, fmt.Errorf("api: config: prefix: %q must start with a slash and not end with one", cfg.Prefix)
	case strings.ContainsAny(cfg.Prefix, "{}? "):
		return nil, fmt.Errorf("api: config: prefix: %q must be a plain path", cfg.Prefix)
	case cfg.Keys != nil && cfg.Keys.Purpose() == hallpass.PurposeAccess:
		return nil, fmt.Errorf("api: config: keys: are for access tokens, not for passes")
	case cfg.AccessKeys != nil && cfg.AccessKeys.Purpose() == hallpass.PurposePass:
		return nil, fmt.Errorf("api: config: access_keys: are for passes, not for access tokens")
	}
	if cfg.Keys == nil {
		cfg.Keys = cfg.Issuer.Keys()
	}
	if cfg.Version == "" {
		cfg.Version = "0"
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	a := &API{cfg: cfg, issuer: cfg.Issuer, mux: http.NewServeMux()}
	doc := newDocument(cfg.Prefix, cfg.Version)
	a.routes(doc)
	var err error
	if a.document, err = doc.marshal(); err != nil {
		return nil, fmt.Errorf("api: the OpenAPI document cannot be made: %w", err)
	}
	return a, nil
}

// Handler returns the API as a handler for the whole of a server, or to be
// mounted at "/.well-known/" and Prefix.
func (a *API) Handler() http.Handler { return http.HandlerFunc(a.serve) }

// Document returns the OpenAPI 3.1 document.
func (a *API) Document() []byte { return a.document }
