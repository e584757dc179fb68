package cli

import (
	"context"
	"fmt"
	"log/slog"
	"net"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/demo"
	"github.com/hallpass-go/hallpass/internal/openstore"
	"github.com/hallpass-go/hallpass/keystore"
)

// demoStore is where the demo keeps its passes unless told otherwise.
const demoStore = "memory:"

type demoCmd struct {
	Addr  string `placeholder:"HOST:PORT" help:"Where to listen; localhost:8080 by default, or a free port where that is taken."`
	Check bool   `help:"Start it on a free port, walk every flow, say which promises were kept."`
}

func (c *demoCmd) Run(ctx context.Context, a *app) error {
	if c.Addr == "" && c.Check {
		c.Addr = "localhost:0"
	}
	store, err := openstore.Open(ctx, a.grammar.Store, &openstore.Options{Create: true, Migrate: true, Memory: true})
	if err != nil {
		return err
	}
	defer store.Close()
	listener, busy, err := demo.Listen(c.Addr)
	if err != nil {
		return fmt.Errorf("%w: cannot listen on %s; choose another address with --addr (%v)", hallpass.ErrUnavailable, c.Addr, err)
	}
	defer listener.Close()
	site, err := c.site(ctx, a, store, demo.BaseURL(listener), demo.IsLocal(listener))
	if err != nil {
		return err
	}
	if busy {
		a.notice("%s is taken; listening elsewhere", demo.DefaultAddr)
	}
	if c.Check {
		return c.check(ctx, a, site, listener)
	}
	if err := c.announce(ctx, a, site, demo.BaseURL(listener)); err != nil {
		return err
	}
	return site.Serve(ctx, listener)
}

func (c *demoCmd) site(ctx context.Context, a *app, store *openstore.Store, url string, local bool) (*demo.Site, error) {
	opts, err := a.keyOptions(store)
	if err != nil {
		return nil, err
	}
	if err := mayMakeKey(store); err != nil {
		return nil, err
	}
	ring, _, err := keystore.Bootstrap(ctx, store, opts)
	if err != nil {
		return nil, noKeys(err)
	}
	if _, err := ring.Ensure(ctx, hallpass.PurposeAccess, hallpass.EdDSA); err != nil {
		return nil, err
	}
	cfg := demo.Config{
		AccessKeys: ring.KeyringFor(hallpass.PurposeAccess), Keys: ring.Keyring(), Store: store, Ring: ring,
		Instance: ring.Instance(), BaseURL: url, Local: local,
		Logger: slog.New(slog.NewTextHandler(a.stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	switch store.Kind {
	case openstore.Memory:
	case openstore.SQLite:
		cfg.StoreName = a.grammar.Store
	default:
		cfg.StoreName = string(store.Kind) + "://…" // the rest may hold a password, and the pages are anybody's
	}
	return demo.New(cfg)
}

// announce says where the demo is, once it listens.
func (c *demoCmd) announce(ctx context.Context, a *app, site *demo.Site, url string) error {
	admin, err := site.AdminLink(ctx)
	if err != nil {
		return err
	}
	if !a.grammar.JSON {
		return a.line("hallpass demo on %s\n\n  the site    %s/\n  its inbox   %s/inbox\n  the trail   %s/audit\n  the admin   %s\n\nPress Ctrl+C to stop.", url, url, url, url, admin)
	}
	links, err := site.Links(ctx)
	if err != nil {
		return err
	}
	return a.print(struct {
		URL      string            `json:"url"`
		AdminURL string            `json:"admin_url"`
		InboxURL string            `json:"inbox_url"`
		Links    map[string]string `json:"links"`
	}{url, admin, url + "/inbox", links})
}

func (c *demoCmd) check(ctx context.Context, a *app, site *demo.Site, listener net.Listener) error {
	serving, stop := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- site.Serve(serving, listener) }()
	var promises []demo.Promise
	kept := demo.Check(ctx, demo.BaseURL(listener), func(p demo.Promise) {
		promises = append(promises, p)
		if a.grammar.JSON {
			return
		}
		word := a.paint(green, "kept")
		if !p.Kept {
			word = a.paint(red, "BROKEN")
		}
		_ = a.line("%s  %s", word, p.Text)
		if p.Why != "" {
			_ = a.line("        %s", p.Why)
		}
	})
	stop()
	if err := <-served; err != nil {
		return err
	}
	if a.grammar.JSON {
		if err := a.print(struct {
			Kept     bool           `json:"kept"`
			Promises []demo.Promise `json:"promises"`
		}{kept, promises}); err != nil {
			return err
		}
	}
	if !kept {
		return exitStatus(1)
	}
	return nil
}
