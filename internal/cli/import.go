package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass/internal/djangoimport"
	"github.com/hallpass-go/hallpass/internal/openstore"
	"github.com/hallpass-go/hallpass/keystore"
)

type importCmd struct {
	Django importDjangoCmd `cmd:"" help:"Carry a django-request-token database over; mailed links go on working."`
}

type importDjangoCmd struct {
	From        string  `placeholder:"DSN" help:"The Django database, which is only read: sqlite:PATH or postgres://USER@HOST/DATABASE."`
	Key         *string `placeholder:"ID" help:"The id of the foreign key that verifies its tokens. Defaults to django."`
	Revoke      bool    `name:"revoke-missing" help:"Go on although most of the tokens known from earlier imports are gone from the database, and revoke them. Without it such a database is refused as the wrong one."`
	ExpiredRows *string `placeholder:"WHAT" values:"keep,revoke" help:"What becomes of tokens whose row has ended: keep (the JWT decides, as in Django; the default) or revoke."`
	DryRun      bool    `help:"Write nothing, and say what would happen."`
}

func (c *importDjangoCmd) Run(ctx context.Context, a *app) error {
	key, err := givenText("key", c.Key)
	if err != nil {
		return err
	}
	rows, err := givenText("expired_rows", c.ExpiredRows)
	if err != nil {
		return err
	}
	if c.From == "" {
		return fieldError("from", "is missing; name the Django database, sqlite:PATH or postgres://USER@HOST/DATABASE")
	}
	if err := djangoimport.Check(ctx, djangoimport.Config{From: c.From, Key: key, ExpiredRows: djangoimport.ExpiredRows(rows)}); err != nil {
		return err // before a store is made
	}
	store, err := c.store(ctx, a)
	if err != nil {
		return err
	}
	defer store.Close()
	p := importProgress{app: a, began: time.Now()}
	report, err := djangoimport.Run(ctx, djangoimport.Config{
		From: c.From, Store: store.Store, Key: key, ExpiredRows: djangoimport.ExpiredRows(rows), RevokeMissing: c.Revoke, DryRun: c.DryRun,
		Progress: p.report, Problem: p.problem,
	})
	p.end()
	if err != nil {
		if report.Tokens > 0 && !c.DryRun {
			a.notice("%d tokens were looked at; the same command goes on from there", report.Tokens)
		}
		return err
	}
	if err := c.print(a, report); err != nil {
		return err
	}
	switch {
	case report.ProblemCount > 0 && c.DryRun:
		return fieldError("from", "%d rows could not be carried over as they are; all the others would be", report.ProblemCount)
	case report.ProblemCount > 0:
		return fieldError("from", "%d rows could not be carried over as they are; all the others were", report.ProblemCount)
	}
	return nil
}

// store opens the store, and makes it where it is missing, a file with its first
// key. A dry run that finds none looks at an empty one.
func (c *importDjangoCmd) store(ctx context.Context, a *app) (*openstore.Store, error) {
	if !c.DryRun {
		return c.made(ctx, a)
	}
	if path, isFile := strings.CutPrefix(a.grammar.Store, "sqlite:"); isFile && path != "" {
		if info, err := os.Stat(path); errors.Is(err, os.ErrNotExist) || err == nil && info.Size() == 0 {
			return openstore.Open(ctx, "memory:", &openstore.Options{Memory: true})
		}
	}
	return openstore.Open(ctx, a.grammar.Store, nil)
}

func (c *importDjangoCmd) made(ctx context.Context, a *app) (*openstore.Store, error) {
	if _, err := a.master(); err != nil {
		return nil, err // before anything is made
	}
	store, err := openstore.Open(ctx, a.grammar.Store, &openstore.Options{Create: true})
	if err != nil || !store.Created {
		return store, err
	}
	if store.Kind != openstore.SQLite {
		a.notice("made the store %s", store.Name)
		return store, nil
	}
	opts, err := a.keyOptions(store)
	if err != nil {
		return nil, closing(store, err)
	}
	ring, _, err := keystore.Bootstrap(ctx, store, opts)
	if err != nil {
		return nil, closing(store, err)
	}
	if key, ok := ring.Keyring().Active(); ok {
		a.notice("made the store %s and its first key, %s", store.Name, key)
	}
	return store, nil
}

func (c *importDjangoCmd) print(a *app, r djangoimport.Report) error {
	if a.grammar.JSON {
		return a.print(r)
	}
	done := func(did, would string) string {
		if r.DryRun {
			return would
		}
		return did
	}
	lines := []struct {
		n    int64
		text string
	}{
		{r.Tokens, "tokens read"},
		{r.Imported, done("imported", "would be imported")},
		{r.AlreadyThere, "were imported before"},
		{r.UsesAdded, done("uses added", "uses would be added")},
		{r.Logs, done("log rows carried over", "log rows would be carried over")},
		{r.Spent, "of the tokens are spent in Django"},
		{r.QuotaRaised, "had their quota raised since"},
		{r.QuotaLowered, "had their quota lowered since"},
		{r.ExpiredKept, "have an expired row; their links last as long as they say themselves (--expired-rows revoke takes them back)"},
		{r.ExpiredRevoked, done("have an expired row and were revoked", "have an expired row and would be revoked")},
		{r.Deleted, done("were deleted in Django and are revoked now", "were deleted in Django and would be revoked")},
		{r.Revoked, done("are not what they were, and were revoked", "are not what they were, and would be revoked")},
		{r.WithoutUser, "have no user"},
		{r.InactiveUser, "have a deactivated user, and work as they do in Django"},
		{r.ProblemCount, "rows with problems"},
	}
	for i, l := range lines {
		if i > 1 && l.n == 0 {
			continue
		}
		if err := a.line("%8d  %s", l.n, l.text); err != nil {
			return err
		}
	}
	if r.DryRun {
		return a.line("This was a dry run: nothing was written.")
	}
	return nil
}

// importProgress tells on stderr how far it is: to a person always, into a log now
// and then.
type importProgress struct {
	app   *app
	began time.Time
	told  int64
	shown bool
	held  int
}

func (p *importProgress) report(r djangoimport.Report) {
	const everyInLogs = 100_000
	switch {
	case p.app.watched:
		p.shown = true
		_, _ = fmt.Fprintf(p.app.stderr, "\r\x1b[K%d tokens, %d log rows", r.Tokens, r.Logs)
	case r.Tokens/everyInLogs > p.told:
		p.told = r.Tokens / everyInLogs
		p.app.notice("%d tokens, %d log rows in %s", r.Tokens, r.Logs, time.Since(p.began).Round(time.Second))
	}
}

// problem tells of each row; with --json only of those that the report has no room
// for.
func (p *importProgress) problem(row djangoimport.Problem) {
	p.held++
	if p.app.grammar.JSON && p.held <= djangoimport.MaxProblems {
		return
	}
	p.end()
	place := row.Table
	if row.Row != nil {
		place += " " + strconv.FormatInt(*row.Row, 10)
	}
	p.app.notice("%s: %s", place, row.Problem)
}

// end clears the line that moves.
func (p *importProgress) end() {
	if p.shown {
		p.shown = false
		_, _ = fmt.Fprint(p.app.stderr, "\r\x1b[K")
	}
}
