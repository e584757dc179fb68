package cli

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/wire"
)

type revokeCmd struct {
	What         *string `arg:"" optional:"" name:"id|token|link" help:"A pass's id, its token, or a link; - reads it from standard input."`
	Batch        *string `placeholder:"NAME" help:"All passes with this label."`
	Scope        *string `placeholder:"NAME" help:"All passes for this purpose."`
	Subject      *string `placeholder:"USER" help:"All passes of this user."`
	IssuedBefore *string `placeholder:"TIME" help:"All passes issued before this time (RFC 3339)."`
	DryRun       bool    `help:"Only count the recorded passes that would stop working."`
}

// revoked is the answer to a revocation by group, or to a dry run of either kind.
type revoked struct {
	Scope        string `json:"scope,omitempty"`
	Subject      string `json:"subject,omitempty"`
	Batch        string `json:"batch,omitempty"`
	IssuedBefore string `json:"issued_before,omitempty"`
	DryRun       bool   `json:"dry_run"`
	// Passes is what a dry run counted.
	Passes *int `json:"passes,omitempty"`
}

func (c *revokeCmd) Run(ctx context.Context, a *app) error {
	group, err := c.group()
	if err != nil {
		return err
	}
	isGroup := group != (hallpass.Revocation{})
	switch {
	case c.What != nil && isGroup:
		return fieldError("pass", "name one pass, or what passes have in common, not both")
	case c.What == nil && !isGroup:
		return fieldError("pass", "name a pass by its id, token or link, or use --batch, --scope, --subject or --issued-before")
	case isGroup:
		return c.revokeGroup(ctx, a, group)
	}
	return c.revokeOne(ctx, a)
}

// group reads the flags that say what passes have in common.
func (c *revokeCmd) group() (r hallpass.Revocation, err error) {
	var before string
	for _, f := range []struct {
		name string
		from *string
		to   *string
	}{
		{"batch", c.Batch, &r.Batch}, {"scope", c.Scope, (*string)(&r.Scope)},
		{"subject", c.Subject, &r.Subject}, {"issued_before", c.IssuedBefore, &before},
	} {
		if *f.to, err = givenText(f.name, f.from); err != nil {
			return r, err
		}
	}
	if before != "" {
		r.Before, err = wire.ParseTime("issued_before", before)
	}
	return r, err
}

func (c *revokeCmd) revokeOne(ctx context.Context, a *app) error {
	s, err := a.service(ctx, func(cfg *hallpass.Config) { cfg.Leeway = anyTime })
	if err != nil {
		return err
	}
	defer s.Close()
	entry, err := a.find(ctx, s, *c.What)
	reason, refused := hallpass.RefusalOf(err)
	switch {
	case refused && entry.ID != "" && !c.DryRun:
		return c.revokeUnknown(ctx, a, s, entry.ID)
	case refused:
		return a.notFound(reason)
	case err != nil:
		return err
	case c.DryRun:
		n := 0
		if wouldStop(entry, s.Now()) {
			n = 1
		}
		return c.answer(a, revoked{DryRun: true, Passes: &n})
	}
	// The keep-until of the row must be the ordinary one, not that of a search.
	plain, err := a.serve(s.store, s.ring, nil)
	if err != nil {
		return err
	}
	row, err := plain.RevokePass(ctx, entry.Pass)
	if err != nil {
		return err
	}
	return c.done(a, row, s.Now())
}

// revokeUnknown takes back an id without a row: it may be an unrecorded pass that
// nobody has used yet.
func (c *revokeCmd) revokeUnknown(ctx context.Context, a *app, s *service, id string) error {
	row, _, err := s.RevokeID(ctx, id)
	if errors.Is(err, hallpass.ErrNotFound) {
		return a.notFound(hallpass.RefusalUnknownPass)
	}
	if err != nil {
		return err
	}
	a.notice("no pass with this id is recorded; it is taken back all the same, should it be an unrecorded one")
	return c.done(a, row, s.Now())
}

func (c *revokeCmd) done(a *app, row hallpass.Entry, now time.Time) error {
	if a.grammar.JSON {
		return a.print(wire.PassOf(row, now))
	}
	return a.card(row, now)
}

func (c *revokeCmd) revokeGroup(ctx context.Context, a *app, r hallpass.Revocation) error {
	s, err := a.reader(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	if r.Before.IsZero() {
		r.Before = s.Now()
	}
	answer := revoked{
		Scope: string(r.Scope), Subject: r.Subject, Batch: r.Batch,
		IssuedBefore: wire.Time(r.Before), DryRun: c.DryRun,
	}
	if !c.DryRun {
		// Counting first would let them work meanwhile.
		if err := s.RevokeGroup(ctx, r); err != nil {
			return err
		}
		return c.answer(a, answer)
	}
	n, err := s.countRevocable(ctx, r)
	if err != nil {
		return err
	}
	answer.Passes = &n
	return c.answer(a, answer)
}

func (c *revokeCmd) answer(a *app, r revoked) error {
	switch {
	case a.grammar.JSON:
		return a.print(r)
	case r.Passes != nil && *r.Passes == 1:
		return a.line("1 recorded pass would stop working. Nothing was changed.")
	case r.Passes != nil:
		return a.line("%d recorded passes would stop working. Nothing was changed.", *r.Passes)
	}
	var of []string
	for _, f := range [][2]string{{"scope", r.Scope}, {"subject", r.Subject}, {"batch", r.Batch}} {
		if f[1] != "" {
			of = append(of, f[0]+" "+clean(f[1]))
		}
	}
	of = append(of, "issued before "+r.IssuedBefore)
	if err := a.line("Taken back, recorded or not: every pass with %s. Later ones go on working.", strings.Join(of, ", ")); err != nil {
		return err
	}
	if r.Batch == "" && (r.Scope == "" || r.Scope == "login") {
		return a.line("Logins by e-mail that began before end too, with their codes and links on the way.")
	}
	return nil
}

// countRevocable counts the recorded passes that a revocation would stop.
func (s *service) countRevocable(ctx context.Context, r hallpass.Revocation) (n int, err error) {
	f := hallpass.EntryFilter{Scope: r.Scope, Subject: r.Subject, Batch: r.Batch, Limit: hallpass.MaxPage}
	for {
		page, err := s.Entries(ctx, f)
		if err != nil {
			return 0, err
		}
		for _, e := range page.Entries {
			if e.IssuedAt.Before(r.Before) && wouldStop(e, s.Now()) {
				n++
			}
		}
		if f.After = page.Next; f.After == "" {
			return n, nil
		}
	}
}

// wouldStop reports whether a pass works, now or later.
func wouldStop(e hallpass.Entry, now time.Time) bool {
	state := e.State(now)
	return state == hallpass.StateActive || state == hallpass.StateNotYetValid
}
