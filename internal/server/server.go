// Package server is `hallpass serve`: it puts the API, the gate and what operators
// need behind listeners, and takes them down again without losing a request.
package server

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/adminui"
	"github.com/hallpass-go/hallpass/internal/api"
	"github.com/hallpass-go/hallpass/internal/clientip"
	"github.com/hallpass-go/hallpass/internal/gate"
	"github.com/hallpass-go/hallpass/keystore"
	"github.com/hallpass-go/hallpass/login"
)

// Config is what a Server needs. Store, Ring, Public, BaseURL, Metrics and Logger
// are required.
type Config struct {
	// Store is opened and closed by the caller.
	Store hallpass.Store
	// CheckSchema says whether the store has this program's schema. Nil: it has none.
	CheckSchema func(context.Context) error
	// Ring is the keys of the store.
	Ring *keystore.Ring
	// FileKeys sign passes in place of the store's, which then only verify. Nil:
	// there are none.
	FileKeys *hallpass.Keyring
	// ForeignKeys let tokens of other systems be honoured.
	ForeignKeys []hallpass.ForeignKey
	// Instance is the issuer's id. Defaults to that of the Ring, or to the issuer's
	// own default where that has none.
	Instance string

	// Public is where everybody comes. Run closes it.
	Public net.Listener
	// Certificate makes Public speak TLS. Nil: it does not.
	Certificate *Certificate
	// Ops is where health and metrics are. Nil: they are on Public.
	Ops net.Listener

	// BaseURL is the origin of Public as browsers know it.
	BaseURL string
	// Upstream is the application behind Public. Nil: there is none.
	Upstream *url.URL
	// Prefix is the path on every protected host that is hallpass's. Defaults to
	// "/.hallpass".
	Prefix string
	// APIPrefix stands before the paths of the API on Public. Defaults to nothing,
	// or to Prefix where there is an Upstream, whose paths are its own.
	APIPrefix string

	// Rules, Identity, SessionIdle, SessionLife, Site, Templates and Texts are the
	// gate's.
	Rules                    gate.Rules
	Identity                 gate.IdentityHeaders
	SessionIdle, SessionLife time.Duration
	Site                     string
	Templates                fs.FS
	Texts                    map[string]string
	// TrustedProxies may speak for a client. Defaults to nobody.
	TrustedProxies []netip.Prefix
	// ClientIPHeader is where they name it. Defaults to X-Forwarded-For.
	ClientIPHeader string

	// Admin says where the admin is.
	Admin Admin
	// Login lets people log in by e-mail. Nil: nobody can.
	Login *LoginConfig

	// DrainDelay is how long readiness is refused before the listeners close, for
	// load balancers to notice. 0 means no delay.
	DrainDelay time.Duration
	// DrainTimeout is how long open requests may take after that. Defaults to 30 s.
	DrainTimeout time.Duration
	// Reload reads the configuration again. Nil: it cannot be.
	Reload func(context.Context) (Reloaded, error)
	// Tracing sends traces where the OTEL_ variables say.
	Tracing bool

	// Version is told by the API's document.
	Version string
	Metrics *Metrics
	Logger  *slog.Logger
}

// Reloaded is what changes without a restart.
type Reloaded struct {
	Rules       gate.Rules
	FileKeys    *hallpass.Keyring
	ForeignKeys []hallpass.ForeignKey
}

func (c Config) withDefaults() Config {
	if c.Prefix == "" {
		c.Prefix = "/.hallpass"
	}
	if c.APIPrefix == "" && c.Upstream != nil {
		c.APIPrefix = c.Prefix
	}
	if c.DrainTimeout == 0 {
		c.DrainTimeout = 30 * time.Second
	}
	if c.Instance == "" && c.Ring != nil {
		c.Instance = c.Ring.Instance()
	}
	return c
}

// Server serves. New makes it, Run runs it once.
type Server struct {
	cfg     Config
	keys    *keys
	issuer  *hallpass.Issuer
	gate    *gate.Gate
	login   *logins // nil: nobody can log in
	api     http.Handler
	admin   *adminui.UI // nil where there is none
	adminAt adminPlace
	// adminLogin proves operators' addresses. Nil: nobody is listed.
	adminLogin *login.Login
	clients    *clientip.Resolver
	metrics    *Metrics

	draining atomic.Bool
	open     sync.WaitGroup // requests being served, hijacked ones too
	tracing  *tracing

	pruneEvery time.Duration // of the store of logins, where it is another
}

// New puts the parts together. It starts nothing.
func New(ctx context.Context, cfg Config) (*Server, error) {
	cfg = cfg.withDefaults()
	cfg.Logger = slog.New(logHandler{cfg.Logger.Handler()})
	s := &Server{cfg: cfg, metrics: cfg.Metrics, pruneEvery: time.Hour}
	var err error
	if s.keys, err = newKeys(cfg.Ring, cfg.FileKeys); err != nil {
		return nil, err
	}
	if err := s.keys.live.SetForeign(cfg.ForeignKeys...); err != nil {
		return nil, fmt.Errorf("foreign keys: %w", err)
	}
	store := &timedStore{cfg.Store, s.metrics}
	s.issuer, err = hallpass.New(hallpass.Config{
		Keys: s.keys.live, Store: store, Instance: cfg.Instance, Logger: cfg.Logger, Observe: s.metrics.decided, Seal: true,
	})
	if err != nil {
		return nil, err
	}
	if s.clients, err = clientip.New(cfg.TrustedProxies, cfg.ClientIPHeader, nil); err != nil {
		return nil, &hallpass.FieldError{Field: "client_ip_header", Reason: err.Error()}
	}
	s.gate, err = gate.New(gate.Config{
		Issuer: s.issuer, Cells: store, BaseURL: cfg.BaseURL, Rules: cfg.Rules, Prefix: cfg.Prefix,
		TrustedProxies: cfg.TrustedProxies, ClientIPHeader: cfg.ClientIPHeader, Identity: cfg.Identity, LoginAllow: cfg.Login.allow(), OwnCookies: cfg.Login.cookies(),
		SessionIdle: cfg.SessionIdle, SessionLife: cfg.SessionLife, Site: cfg.Site, Templates: cfg.Templates, Texts: cfg.Texts,
		Logger: cfg.Logger,
	})
	if err != nil {
		return nil, err
	}
	if cfg.Login != nil {
		if s.login, err = s.newLogins(store); err != nil {
			return nil, err
		}
	}
	if s.api, err = s.newAPI(); err != nil {
		return nil, err
	}
	if s.admin, err = s.newAdmin(); err != nil {
		return nil, err
	}
	if err := s.newAdminLogin(); err != nil {
		return nil, err
	}
	s.metrics.watch(s)
	if cfg.Tracing {
		if s.tracing, err = newTracing(ctx, s); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *Server) newAPI() (http.Handler, error) {
	a, err := api.New(api.Config{
		Issuer: s.issuer, Keys: s.keys.live, AccessKeys: s.keys.access(), Prefix: s.cfg.APIPrefix,
		Sessions: s.sessions(), Version: s.cfg.Version, Logger: s.cfg.Logger,
	})
	if err != nil {
		return nil, err
	}
	return a.Handler(), nil
}

// pollEvery is how often changes of the keys by other processes are looked for.
const pollEvery = 500 * time.Millisecond

// Run serves until ctx ends, then drains: readiness is refused, the listeners
// close, open requests finish, what is queued is written. reload makes it read
// certificate, keys and rules again.
func (s *Server) Run(ctx context.Context, reload <-chan struct{}) error {
	// What requests stand on ends after them.
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var running sync.WaitGroup
	running.Go(func() {
		if err := s.issuer.Run(background); err != nil {
			s.cfg.Logger.Error("the issuer stopped", "error", err)
		}
	})
	running.Go(func() { s.pollKeys(background) })
	if s.login != nil {
		running.Go(func() {
			if err := s.login.api.Run(background); err != nil {
				s.cfg.Logger.Error("mails are no longer sent", "error", err)
			}
		})
		running.Go(func() { s.pruneLogins(background) })
	}
	if s.adminLogin != nil {
		running.Go(func() {
			if err := s.adminLogin.Run(background); err != nil {
				s.cfg.Logger.Error("mails to operators are no longer sent", "error", err)
			}
		})
	}
	s.cfg.Logger.Info("starting", "version", s.cfg.Version, "base_url", s.cfg.BaseURL, "rules", len(s.cfg.Rules), "traces", s.tracing != nil)
	if s.cfg.Upstream != nil && len(s.cfg.Rules) == 0 {
		s.cfg.Logger.Warn("there are no rules, so nobody is let in to the application")
	}

	requests, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	failed := make(chan error, 2)
	public := s.serve(requests, s.cfg.Public, s.publicHandler(), s.cfg.Certificate, failed)
	var ops *listener
	if s.cfg.Ops != nil {
		ops = s.serve(requests, s.cfg.Ops, s.opsHandler(), nil, failed)
	}
	err := s.wait(ctx, reload, failed)

	s.draining.Store(true)
	if err == nil {
		s.cfg.Logger.Info("draining", "delay", s.cfg.DrainDelay, "timeout", s.cfg.DrainTimeout)
		time.Sleep(s.cfg.DrainDelay)
	}
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.DrainTimeout)
	defer cancel()
	late := public.drain(deadline)
	cut() // of hijacked connections, which Shutdown does not know, and of what is late
	if late != nil {
		s.cfg.Logger.Warn("requests were still open when the time to drain was over", "timeout", s.cfg.DrainTimeout)
		_ = public.Server.Close()
	}
	s.waitOpen()
	if ops != nil {
		_ = ops.Server.Close()
	}
	stop()
	running.Wait()
	if s.tracing != nil {
		s.tracing.close()
	}
	s.cfg.Logger.Info("stopped")
	return err
}

// wait returns when ctx ends, or a listener fails.
func (s *Server) wait(ctx context.Context, reload <-chan struct{}, failed <-chan error) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-failed:
			return fmt.Errorf("%w: %w", hallpass.ErrUnavailable, err)
		case <-reload:
			s.reload(ctx)
		}
	}
}

// endTime is what requests that were cut get to settle their uses.
const endTime = 10 * time.Second

func (s *Server) waitOpen() {
	done := make(chan struct{})
	go func() {
		s.open.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(endTime):
		s.cfg.Logger.Error("requests did not end; the outcome of their uses is unknown")
	}
}
