package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/mattn/go-isatty"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/openstore"
	"github.com/hallpass-go/hallpass/internal/wire"
	"github.com/hallpass-go/hallpass/keystore"
)

// app is what the commands share.
type app struct {
	grammar grammar
	stdin   io.Reader
	stdout  io.Writer
	stderr  io.Writer
	env     map[string]string
	// args is the command line, and settings what filled in the rest; both are read
	// again on a reload.
	args     []string
	settings *settings
	// serveLogger is serve's log.
	serveLogger *slog.Logger
	// terminal says that a person reads stdout, and colour that he sees colours.
	terminal, colour bool
	// saidBare says that the warning about unprotected keys was given.
	saidBare bool
	// watched says that a person reads stderr.
	watched bool
}

func newApp(stdin io.Reader, stdout, stderr io.Writer, environ []string) *app {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr, env: map[string]string{}}
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		a.env[name] = value
	}
	a.terminal, a.watched = isTerminal(stdout), isTerminal(stderr)
	a.colour = a.terminal && a.env["NO_COLOR"] == "" && a.env["TERM"] != "dumb"
	return a
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

// print writes a result as JSON.
func (a *app) print(v any) error { return wire.Write(a.stdout, v) }

// notice tells on stderr what happened besides the result.
func (a *app) notice(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if a.grammar.JSON {
		_ = wire.Write(a.stderr, map[string]string{"notice": text})
		return
	}
	_, _ = fmt.Fprintln(a.stderr, "hallpass: "+text)
}

// master returns the master key, or nil when none is set.
func (a *app) master() (*keystore.Master, error) {
	text, file := a.env["HALLPASS_MASTER_KEY"], a.grammar.MasterKeyFile
	switch {
	case text == "" && file == "":
		return nil, nil
	case text != "" && file != "":
		return nil, fieldError("master_key", "is given twice, as text and as a file")
	case text == "":
		content, err := readFile(file, 64<<10)
		if err != nil {
			return nil, fieldError("master_key_file", "%v", err)
		}
		text = strings.TrimSuffix(strings.TrimSuffix(content, "\n"), "\r")
	}
	return keystore.NewMaster(text)
}

// keyOptions says how keys are kept in a store.
func (a *app) keyOptions(store *openstore.Store) (*keystore.Options, error) {
	master, err := a.master()
	if err != nil {
		return nil, err
	}
	return &keystore.Options{
		Master: master, RequireMaster: store.NeedsMaster,
		Bare: func() {
			if store.Kind == openstore.SQLite && !a.saidBare {
				a.saidBare = true
				a.notice("warning: the key stands unprotected in %s (%s); set HALLPASS_MASTER_KEY to wrap it", store.Name, readers(store.Name))
			}
		},
	}, nil
}

// mayMakeKey refuses to make a key in a store that may lose it, and with it every
// token it signed.
func mayMakeKey(store *openstore.Store) error {
	if store.NoSoleKey {
		return fieldError("store", `is %s:, which is never the only place of a signing key; make one elsewhere, keep it, and add it with "hallpass keys add --activate --key @FILE"`, store.Kind)
	}
	return nil
}

// readers says who may read a file.
func readers(path string) string {
	if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o077 != 0 {
		return fmt.Sprintf("and mode %04o lets others read it; chmod it to 0600", info.Mode().Perm())
	}
	return "readable by its owner only"
}

// service is an open store with an issuer on it. Close it.
type service struct {
	*hallpass.Issuer
	store *openstore.Store
	ring  *keystore.Ring
}

// service opens the store and its keys. change, where not nil, adapts the issuer.
func (a *app) service(ctx context.Context, change func(*hallpass.Config)) (*service, error) {
	store, err := openstore.Open(ctx, a.grammar.Store, nil)
	if err != nil {
		return nil, err
	}
	opts, err := a.keyOptions(store)
	if err != nil {
		return nil, closing(store, err)
	}
	ring, err := keystore.Load(ctx, store, opts)
	if err != nil {
		return nil, closing(store, noKeys(err))
	}
	return a.serve(store, ring, change)
}

// serve puts an issuer on an open store.
func (a *app) serve(store *openstore.Store, ring *keystore.Ring, change func(*hallpass.Config)) (*service, error) {
	cfg := hallpass.Config{
		Keys: ring.Keyring(), Store: store, Instance: a.instance(ring),
		Logger: slog.New(slog.DiscardHandler), // whatever matters here is an error
	}
	foreign, err := a.foreignKeys()
	if err == nil {
		err = cfg.Keys.SetForeign(foreign...)
	}
	if err != nil {
		return nil, closing(store, err)
	}
	if change != nil {
		change(&cfg)
	}
	issuer, err := hallpass.New(cfg)
	if err != nil {
		return nil, closing(store, err)
	}
	return &service{Issuer: issuer, store: store, ring: ring}, nil
}

// instance is the issuer's id in tokens: what serve is told, so that passes of the
// command line are honoured by it, or the store's.
func (a *app) instance(ring *keystore.Ring) string {
	for _, name := range []string{"instance", "serve.instance"} {
		if text := a.env[envName(name)]; text != "" {
			return text
		}
	}
	if text, ok := a.settings.file.values["instance"].(string); ok && text != "" {
		return text
	}
	return ring.Instance()
}

// Close writes down what was counted, for the charts; that it could not be is no
// reason to fail what was done.
func (s *service) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = s.FlushStats(ctx)
	return s.store.Close()
}

// reader opens the store for commands that only look at rows and need no key.
func (a *app) reader(ctx context.Context) (*service, error) {
	store, err := openstore.Open(ctx, a.grammar.Store, nil)
	if err != nil {
		return nil, err
	}
	keys, err := hallpass.NewKeyring()
	if err != nil {
		return nil, closing(store, err)
	}
	issuer, err := hallpass.New(hallpass.Config{Keys: keys, Store: store, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, closing(store, err)
	}
	return &service{Issuer: issuer, store: store}, nil
}

// closing closes the store on the way out with an error.
func closing(store *openstore.Store, err error) error {
	_ = store.Close()
	return err
}

// noKeys says how to make the first key.
func noKeys(err error) error {
	if errors.Is(err, keystore.ErrNoKeys) {
		return fmt.Errorf(`%w; "hallpass issue" or "hallpass keys add" makes one`, err)
	}
	return err
}

// readToken finds the token in an argument: a token, a link, or "-" for standard
// input, which is read as far as a token can reach. A text without a token comes
// back as a token that is malformed. target is the link, where it is one.
func (a *app) readToken(arg string) (token hallpass.Token, target string, err error) {
	const most = 64 << 10
	if arg == "-" {
		text, err := io.ReadAll(io.LimitReader(a.stdin, most+1))
		if err != nil {
			return token, "", fmt.Errorf("%w: standard input: %w", hallpass.ErrUnavailable, err)
		}
		arg = string(text)
	}
	arg = strings.TrimSpace(arg)
	if len(arg) > most {
		return hallpass.NewToken(arg), "", nil
	}
	token, found := hallpass.FindToken(arg, "")
	if !found {
		return hallpass.NewToken(arg), "", nil
	}
	if !strings.Contains(arg, "?") || hallpass.WithoutToken(arg, hallpass.DefaultParam) == arg {
		return token, "", nil
	}
	return token, arg, nil
}

func readFile(name string, most int64) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", fmt.Errorf("cannot be read: %w", err)
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, most+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("cannot be read: %w", err)
	case int64(len(content)) > most:
		return "", fmt.Errorf("%s is longer than %d bytes", name, most)
	}
	return string(content), nil
}

// givenText refuses a flag that was given without content: a script's empty
// variable must not widen what a command does. nil is a flag that was not given.
func givenText(field string, text *string) (string, error) {
	switch {
	case text == nil:
		return "", nil
	case *text == "":
		return "", fieldError(field, "is empty; leave it out instead")
	}
	return *text, nil
}

func fieldError(field, format string, args ...any) error {
	return &hallpass.FieldError{Field: field, Reason: fmt.Sprintf(format, args...)}
}
