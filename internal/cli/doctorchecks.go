package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/openstore"
	"github.com/hallpass-go/hallpass/internal/wire"
	"github.com/hallpass-go/hallpass/keystore"
	"github.com/hallpass-go/hallpass/mail"
)

// reasonOf is an error as a finding's words.
func reasonOf(err error) string {
	return strings.TrimPrefix(wire.ProblemOf(err).Line(), "unavailable: ")
}

// settings are the findings of config check.
func (d *doctor) settings(problems []problem) {
	for _, problem := range problems {
		d.add("settings", findingFault, problem.String(), `put it right; "hallpass config check" says whether it is`)
	}
	notes := d.app.settings.file.shadows(d.plan, problems)
	for _, note := range notes {
		d.add("settings", findingWarning, note, "look whether it does what was hoped for")
	}
	if len(problems)+len(notes) == 0 {
		d.add("settings", findingOK, fmt.Sprintf("rules: %d", len(d.plan.Rules)), "")
	}
}

func (d *doctor) examine(ctx context.Context) {
	if store := d.store(ctx, "store", d.app.grammar.Store); store != nil {
		if ring := d.keys(ctx, store); ring != nil {
			d.seals(ctx, store, ring)
		} else {
			d.unknown("there are no keys", "seals")
		}
	} else {
		d.undecided = true
		d.unknown("the store cannot be read", "keys", "seals")
	}
	if l := d.plan.login; l != nil {
		if l.store != "" && d.store(ctx, "login.store", l.store) == nil {
			d.undecided = true
		}
		d.mail(ctx, l)
	}
	d.upstream(ctx)
	d.listener(ctx, "addr", d.plan.addr, d.plan.scheme())
	if d.plan.opsAddr != "" {
		d.listener(ctx, "ops_addr", d.plan.opsAddr, "http")
	}
}

// store opens a store that is there; nil where it cannot.
func (d *doctor) store(ctx context.Context, name, dsn string) (store *openstore.Store) {
	if strings.HasPrefix(dsn, "memory:") {
		d.add(name, findingWarning, "memory forgets everything when the server stops", "name a store with --store")
		return nil
	}
	err := within(ctx, func(ctx context.Context) (err error) {
		if store, err = openstore.Open(ctx, dsn, nil); err != nil {
			return err
		}
		d.ends = append(d.ends, store.Close)
		_, err = store.Cell(ctx, "readyz", "probe", time.Now())
		if err == nil || errors.Is(err, hallpass.ErrNotFound) {
			err = store.CheckSchema(ctx)
		}
		return err
	})
	if err != nil {
		d.add(name, findingFault, reasonOf(err), "see that it is there and answers; \"hallpass migrate\" makes a store, or brings it up to date")
		return nil
	}
	if info, err := os.Stat(store.Name); err == nil && store.Kind == openstore.SQLite && info.Mode().Perm()&0o077 != 0 {
		d.add(name, findingWarning, fmt.Sprintf("%s can be read by others (mode %04o)", store.Name, info.Mode().Perm()), "chmod 600 "+filepath.Base(store.Name)+"* in its folder")
		return store
	}
	d.add(name, findingOK, string(store.Kind)+" "+store.Name, "")
	return store
}

func (d *doctor) keys(ctx context.Context, store *openstore.Store) (ring *keystore.Ring) {
	err := within(ctx, func(ctx context.Context) error {
		opts, err := d.app.keyOptions(store)
		if err == nil {
			ring, err = keystore.Load(ctx, store, opts)
		}
		return err
	})
	switch {
	case d.plan.FileKeys != nil && errors.Is(err, keystore.ErrNoKeys):
		d.add("keys", findingOK, "in the file that keys names", "")
		return nil
	case errors.Is(err, keystore.ErrNoKeys):
		d.add("keys", findingWarning, "there are none yet", `"hallpass serve" makes the first; set HALLPASS_MASTER_KEY before`)
		return nil
	case err != nil:
		d.undecided = true
		d.add("keys", findingFault, reasonOf(err), "give the HALLPASS_MASTER_KEY that the keys were wrapped with")
		return nil
	}
	keys := ring.Keyring()
	if d.plan.FileKeys != nil {
		keys = d.plan.FileKeys
	}
	active, signs := keys.Active()
	master, _ := d.app.master()
	switch _, access := ring.KeyringFor(hallpass.PurposeAccess).Active(); {
	case !signs:
		d.add("keys", findingFault, "none is active, so nothing can be issued", `"hallpass keys rotate" makes one`)
	case d.plan.login != nil && !access && store.NoSoleKey:
		d.add("keys", findingFault, "there is none for access tokens", `"hallpass keys add --purpose access --activate --key @FILE"`)
	case master == nil && d.plan.FileKeys == nil:
		d.add("keys", findingWarning, active.ID()+" signs; whoever reads the store can sign too", `set HALLPASS_MASTER_KEY, and run "hallpass keys wrap"`)
	default:
		d.add("keys", findingOK, active.ID()+" signs", "")
	}
	return ring
}

func (d *doctor) seals(ctx context.Context, store *openstore.Store, ring *keystore.Ring) {
	keys := ring.Keyring()
	if d.plan.FileKeys != nil {
		keys = d.plan.FileKeys
	}
	var state hallpass.SealState
	err := within(ctx, func(ctx context.Context) error {
		issuer, err := hallpass.New(hallpass.Config{
			Keys: keys, Store: store, Instance: orText(d.plan.Instance, ring.Instance()), Logger: slog.New(slog.DiscardHandler),
		})
		if err == nil {
			state, err = issuer.SealState(ctx)
		}
		return err
	})
	switch {
	case err != nil:
		d.add("seals", findingFault, reasonOf(err), `"hallpass uses verify" says what is not whole`)
	case state.Links == 0:
		d.add("seals", findingOK, "nothing is sealed yet", "")
	case state.Late:
		d.add("seals", findingWarning, "uses and events since "+moment(state.Through)+" should have been sealed by now", "see that a server runs, and what its log says")
	default:
		d.add("seals", findingOK, "sealed until "+moment(state.Through), "")
	}
}

func (d *doctor) mail(ctx context.Context, l *loginPlan) {
	err := within(ctx, func(ctx context.Context) error {
		return mail.Probe(ctx, l.mail, &mail.OpenOptions{WebhookSecret: l.mailSecret})
	})
	if err != nil {
		d.add("mail", findingFault, err.Error(), "nobody can log in until mails leave; look at the mail server, its certificate and the account")
		return
	}
	d.add("mail", findingOK, "would be taken; none was sent", "")
}

func (d *doctor) upstream(ctx context.Context) {
	if d.plan.Upstream == nil {
		return
	}
	host := d.plan.Upstream.Host
	if d.plan.Upstream.Port() == "" {
		host = net.JoinHostPort(d.plan.Upstream.Hostname(), d.plan.Upstream.Scheme)
	}
	err := within(ctx, func(ctx context.Context) error {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", host)
		if err == nil {
			err = conn.Close()
		}
		return err
	})
	if err != nil {
		d.add("upstream", findingFault, cause(err).Error(), "start the application at "+d.plan.Upstream.String()+", or put upstream right")
		return
	}
	d.add("upstream", findingOK, "takes connections", "")
}

// listener looks whether an address is free, or hallpass has it already.
func (d *doctor) listener(ctx context.Context, name, addr, scheme string) {
	l, err := net.Listen("tcp", addr)
	if err == nil {
		_ = l.Close()
		d.add(name, findingOK, addr+" is free; no server runs there", "")
		return
	}
	if !errors.Is(err, syscall.EADDRINUSE) {
		d.add(name, findingFault, addr+": "+cause(err).Error(), "choose an address of this machine that this user may listen on")
		return
	}
	err = within(ctx, func(ctx context.Context) error {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+addr+"/healthz", nil)
		if err != nil {
			return err
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return errors.New(answer.Status)
		}
		return nil
	})
	if err != nil {
		d.add(name, findingWarning, addr+" is taken, and /healthz does not answer there", "if it is not hallpass behind a certificate or ops_addr, end what listens there")
		return
	}
	d.add(name, findingOK, "a server runs at "+addr, "")
}
