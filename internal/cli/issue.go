package cli

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/openstore"
	"github.com/hallpass-go/hallpass/internal/wire"
	"github.com/hallpass-go/hallpass/keystore"
)

type issueCmd struct {
	Scope      string   `placeholder:"NAME" help:"What the pass is for."`
	Mode       string   `placeholder:"MODE" values:"public,request,session" help:"public, request (the subject is the user for one request) or session (signs the subject in)."`
	Subject    string   `placeholder:"USER" help:"The user's id; needed for request and session."`
	MaxUses    string   `placeholder:"N" help:"How often it works; 0 means unlimited."`
	TTL        string   `name:"ttl" placeholder:"D" help:"How long it lives: 90s, 12h, 7d, never."`
	NotBefore  string   `placeholder:"TIME" help:"When it starts (RFC 3339)."`
	Data       string   `placeholder:"JSON" help:"What it carries."`
	Grant      []string `sep:"none" placeholder:"'GET /p'" help:"A method and path it is good for, =/p for that path alone. Can be given again."`
	Recipient  string   `placeholder:"NAME" help:"A note on who it is meant for."`
	Batch      string   `placeholder:"NAME" help:"A label to find and revoke many passes by."`
	URL        string   `name:"url" placeholder:"URL" help:"Print a link to this URL."`
	Format     string   `placeholder:"FORMAT" values:"signed,short,compact" help:"signed, short (22 characters) or compact."`
	Unrecorded bool     `help:"Write nothing until its first use."`
	TypedCode  bool     `help:"Print the code too that the page of the link wants typed, where a rule says confirm: code."`
	From       string   `placeholder:"FILE" help:"Issue one pass per line of a CSV or JSON Lines file, - for standard input."`
	Create     bool     `help:"Make the store where it is missing, whatever its kind."`
}

// request returns what the flags ask for; for --from, the defaults of each line.
func (c *issueCmd) request() (wire.Request, error) {
	var r wire.Request
	for _, f := range []struct{ name, text string }{
		{"scope", c.Scope}, {"mode", c.Mode}, {"subject", c.Subject}, {"max_uses", c.MaxUses},
		{"ttl", c.TTL}, {"not_before", c.NotBefore}, {"data", c.Data}, {"recipient", c.Recipient},
		{"batch", c.Batch}, {"url", c.URL}, {"format", c.Format},
	} {
		if err := r.SetText(f.name, f.text); err != nil {
			return r, err
		}
	}
	r.Spec.Unrecorded, r.TypedCode = c.Unrecorded, c.TypedCode
	if len(c.Grant) == 0 {
		return r, nil
	}
	return r, r.SetGrants(c.Grant)
}

func (c *issueCmd) Run(ctx context.Context, a *app) error {
	r, err := c.request()
	if err != nil {
		return err
	}
	if c.From != "" {
		return c.bulk(ctx, a, r)
	}
	if err := checkSpec(ctx, r.Spec); err != nil {
		return err
	}
	s, err := c.open(ctx, a)
	if err != nil {
		return err
	}
	defer s.Close()
	issued, err := s.Issue(ctx, r.Spec)
	if err != nil {
		return err
	}
	out, err := r.Answer(s.Issuer, issued)
	switch {
	case err != nil:
		return err
	case a.grammar.JSON:
		return a.print(out)
	}
	// Scripts get the one line they want; a person gets the card too.
	if a.terminal {
		if err := a.card(issued.Entry, s.Now()); err != nil {
			return err
		}
		if err := a.line(""); err != nil {
			return err
		}
	}
	err = a.line("%s", orText(out.URL, out.Token))
	if err == nil && out.Code != "" {
		err = a.line("%s", out.Code)
	}
	return err
}

// checkSpec judges a spec before a store is opened, or made, for it: an issuer
// without keys and store finds what is wrong with the spec first.
func checkSpec(ctx context.Context, spec hallpass.Spec) error {
	keys, err := hallpass.NewKeyring()
	if err != nil {
		return err
	}
	issuer, err := hallpass.New(hallpass.Config{Keys: keys, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	_, err = issuer.Issue(ctx, spec)
	var field *hallpass.FieldError
	if errors.As(err, &field) {
		return field
	}
	return nil
}

// open opens the store for issuing, and makes its first key. A missing SQLite file
// is made; other kinds of stores are made only by --create.
func (c *issueCmd) open(ctx context.Context, a *app) (*service, error) {
	create := c.Create || strings.HasPrefix(a.grammar.Store, "sqlite:")
	if _, err := a.master(); err != nil {
		return nil, err // before anything is made
	}
	store, err := openstore.Open(ctx, a.grammar.Store, &openstore.Options{Create: create})
	if err != nil {
		return nil, err
	}
	opts, err := a.keyOptions(store)
	if err != nil {
		return nil, closing(store, err)
	}
	var ring *keystore.Ring
	made := false
	if !store.NoSoleKey {
		ring, made, err = keystore.Bootstrap(ctx, store, opts)
	} else {
		ring, err = keystore.Load(ctx, store, opts)
	}
	if errors.Is(err, keystore.ErrNoKeys) && store.NoSoleKey {
		return nil, closing(store, mayMakeKey(store))
	}
	if err != nil {
		return nil, closing(store, noKeys(err))
	}
	if key, ok := ring.Keyring().Active(); made && ok {
		if store.Created {
			a.notice("made the store %s and its first key, %s", store.Name, key)
		} else {
			a.notice("made the first key of %s, %s", store.Name, key)
		}
	}
	return a.serve(store, ring, nil)
}
