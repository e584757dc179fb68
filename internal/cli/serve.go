package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/openstore"
	"github.com/hallpass-go/hallpass/internal/server"
	"github.com/hallpass-go/hallpass/keystore"
	"github.com/hallpass-go/hallpass/mail"
)

type serveCmd struct {
	serveSettings
}

func (c *serveCmd) Run(ctx context.Context, a *app) error {
	// From here on SIGHUP means reload, while the start takes its time too.
	reload, stop := reloads()
	defer stop()
	p, problems := c.plan(a)
	if len(problems) > 0 {
		return problems[0].err()
	}
	metrics := server.NewMetrics(buildOf())
	store, err := openstore.Open(ctx, a.grammar.Store, &openstore.Options{Create: true, Migrate: true, Memory: true, Observe: metrics.Group})
	if err != nil {
		return err
	}
	defer store.Close()
	ring, err := a.serveKeys(ctx, store, p)
	if err != nil {
		return err
	}
	closeLogin, err := a.openLogin(ctx, p, store, ring, metrics)
	if err != nil {
		return err
	}
	defer closeLogin()
	public, ops, err := p.listen()
	if err != nil {
		return err
	}
	defer public.Close()
	if ops != nil {
		defer ops.Close()
	}
	cfg := p.Config
	cfg.Store, cfg.CheckSchema, cfg.Ring, cfg.Metrics = store, store.CheckSchema, ring, metrics
	cfg.Public, cfg.Ops = public, ops
	if p.login != nil {
		cfg.Login = &p.login.LoginConfig
	}
	cfg.Version, cfg.Logger = versionOf().Version, p.logger(a)
	cfg.Tracing = server.TracingWanted(a.env)
	cfg.Reload = func(ctx context.Context) (server.Reloaded, error) { return a.reload(ctx, p) }
	url := p.scheme() + "://" + reachable(p.addr, public)
	if cfg.BaseURL == "" {
		cfg.BaseURL = url
	}
	cfg.Admin.Settings, cfg.Admin.Store = p.settings.effective(a, cfg), plainDSN(a.grammar.Store)
	if ops != nil && cfg.Admin.URL == "" && cfg.Upstream != nil && cfg.Admin.Host == "" {
		cfg.Admin.URL = "http://" + reachable(p.opsAddr, ops)
	}
	s, err := server.New(ctx, cfg)
	if err != nil {
		return err
	}
	// While open requests finish, a second Ctrl+C ends the program at once.
	defer context.AfterFunc(ctx, func() { signal.Reset(os.Interrupt) })()
	if err := announce(a, url, cfg.BaseURL, p.opsAddr, ops); err != nil {
		return err
	}
	return s.Run(ctx, reload)
}

// serveKeys opens the store's keys, and makes the first one unless a file has it.
func (a *app) serveKeys(ctx context.Context, store *openstore.Store, p *servePlan) (*keystore.Ring, error) {
	opts, err := a.keyOptions(store)
	if err != nil {
		return nil, err
	}
	if p.FileKeys != nil {
		ring, err := keystore.Edit(ctx, store, opts)
		if err == nil && p.Instance == "" {
			err = ring.EnsureInstance(ctx)
		}
		return ring, err
	}
	ring, created, err := keystore.Bootstrap(ctx, store, opts)
	if err == nil && created && store.Kind != openstore.Memory {
		a.notice("made the first key, in %s", store.Name)
	}
	return ring, err
}

// openLogin opens what logins need: their store, the way mails leave, and the key
// for access tokens.
func (a *app) openLogin(ctx context.Context, p *servePlan, store *openstore.Store, ring *keystore.Ring, metrics *server.Metrics) (closeAll func(), err error) {
	l := p.login
	if l == nil {
		return func() {}, nil
	}
	if _, signs := ring.KeyringFor(hallpass.PurposeAccess).Active(); !signs && store.NoSoleKey {
		return nil, fieldError("store", `is %s:, which is never the only place of a signing key; make one for access tokens elsewhere, keep it, and add it with "hallpass keys add --purpose access --activate --key @FILE"`, store.Kind)
	}
	var ends []func() error
	closeAll = func() {
		for _, end := range slices.Backward(ends) {
			_ = end()
		}
	}
	if l.store != "" {
		store, err := openstore.Open(ctx, l.store, &openstore.Options{Create: true, Migrate: true, Memory: true, Observe: metrics.Group})
		if err != nil {
			return nil, renamed(err, "store", "login.store")
		}
		l.LoginStore, l.CheckLoginSchema, ends = store, store.CheckSchema, append(ends, store.Close)
	}
	sender, end, err := mail.Open(l.mail, &mail.OpenOptions{WebhookSecret: l.mailSecret, Log: a.stderr})
	if err != nil {
		closeAll()
		return nil, err
	}
	l.Sender, ends = sender, append(ends, end)
	created, err := ring.Ensure(ctx, hallpass.PurposeAccess, hallpass.EdDSA)
	if err != nil {
		closeAll()
		return nil, err
	}
	if created && !strings.HasPrefix(a.grammar.Store, "memory:") {
		a.notice("made the first key for access tokens")
	}
	return closeAll, nil
}

// listen opens the listeners, so that a line may be printed that is true.
func (p *servePlan) listen() (public, ops net.Listener, err error) {
	if public, err = net.Listen("tcp", p.addr); err != nil {
		return nil, nil, fmt.Errorf("%w: cannot listen on %s: %w", hallpass.ErrUnavailable, p.addr, cause(err))
	}
	if p.opsAddr != "" {
		if ops, err = net.Listen("tcp", p.opsAddr); err != nil {
			public.Close()
			return nil, nil, fmt.Errorf("%w: cannot listen on %s: %w", hallpass.ErrUnavailable, p.opsAddr, cause(err))
		}
	}
	return public, ops, nil
}

// cause is a listener's error without the address, which its message has already.
func cause(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err
	}
	return err
}

// reachable is an address with the port that was found, and a host that leads to
// it from this machine.
func reachable(addr string, l net.Listener) string {
	host, _, _ := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	port := l.Addr().(*net.TCPAddr).Port
	return net.JoinHostPort(host, strconv.Itoa(port))
}

// announce says where the server is, once it listens.
func announce(a *app, url, base, opsAddr string, ops net.Listener) error {
	opsURL := ""
	if ops != nil {
		opsURL = "http://" + reachable(opsAddr, ops)
	}
	if a.grammar.JSON {
		return a.print(struct {
			URL    string `json:"url"`
			OpsURL string `json:"ops_url,omitempty"`
		}{url, opsURL})
	}
	line := "hallpass listens on " + url
	if base != url {
		line += ", which is " + base
	}
	if opsURL != "" {
		line += "; operations on " + opsURL
	}
	return a.line("%s", line)
}

// reloads turns SIGHUP into a channel.
func reloads() (reload <-chan struct{}, stop func()) {
	signals, out, done := make(chan os.Signal, 1), make(chan struct{}, 1), make(chan struct{})
	signal.Notify(signals, syscall.SIGHUP)
	go func() {
		for {
			select {
			case <-signals:
				select {
				case out <- struct{}{}:
				default: // one is waiting already, and will read what is there by then
				}
			case <-done:
				return
			}
		}
	}()
	return out, func() {
		signal.Stop(signals)
		close(done)
	}
}

// reload reads arguments, environment and file again. Only keys (foreign ones too) and
// rules can change while the server runs; of anything else it says that it did not.
func (a *app) reload(ctx context.Context, running *servePlan) (server.Reloaded, error) {
	again := newApp(a.stdin, a.stdout, a.stderr, nil)
	again.env, again.args = a.env, a.args
	if _, err := again.parse(ctx); err != nil {
		return server.Reloaded{}, usageError(err, again.args)
	}
	p, problems := again.grammar.Serve.plan(again)
	if len(problems) > 0 {
		return server.Reloaded{}, problems[0].err()
	}
	names := running.settings.changed(p.settings)
	if running.claims != p.claims {
		names = append(names, "login.claims")
	}
	if len(names) > 0 {
		a.serveLogger.Warn("settings changed that take a restart", "settings", strings.Join(names, ", "))
	}
	return server.Reloaded{Rules: p.Rules, FileKeys: p.FileKeys, ForeignKeys: p.ForeignKeys}, nil
}

// logger writes to stderr, where no result stands.
func (p *servePlan) logger(a *app) *slog.Logger {
	opts := &slog.HandlerOptions{Level: p.logLevel}
	if p.logJSON {
		a.serveLogger = slog.New(slog.NewJSONHandler(a.stderr, opts))
	} else {
		a.serveLogger = slog.New(slog.NewTextHandler(a.stderr, opts))
	}
	return a.serveLogger
}

// originOf reads an origin.
func originOf(field, text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || u.User != nil ||
		strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || u.ForceQuery {
		return nil, fieldError(field, "must be http:// or https:// and a host, such as https://app.example.com")
	}
	u.Path = ""
	return u, nil
}
