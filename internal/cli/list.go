package cli

import (
	"context"
	"slices"
	"strconv"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/wire"
)

type listCmd struct {
	Scope     string `placeholder:"NAME" help:"Passes for this purpose."`
	Subject   string `placeholder:"USER" help:"Passes of this user."`
	Batch     string `placeholder:"NAME" help:"Passes with this label."`
	Mode      string `placeholder:"MODE" values:"public,request,session" help:"Passes of this mode."`
	State     string `placeholder:"STATE" values:"active,not_yet_valid,expired,spent,revoked" help:"Passes in this state."`
	Recipient string `placeholder:"TEXT" help:"Passes meant for this recipient."`
	Query     string `placeholder:"TEXT" help:"Passes whose id, scope, batch, subject or recipient is this."`
	Limit     string `placeholder:"N" help:"How many at most, up to 1000; 50 unless given."`
	After     string `placeholder:"CURSOR" help:"Go on behind this page's end."`
}

func (c *listCmd) Run(ctx context.Context, a *app) error {
	f, err := c.filter()
	if err != nil {
		return err
	}
	s, err := a.reader(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	page, err := s.Entries(ctx, f)
	// A short page that goes on is where the reading stopped, not the end.
	for err == nil && page.Next != "" && len(page.Entries) < pageSize(f.Limit) {
		var more hallpass.EntryPage
		rest := f
		rest.After, rest.Limit = page.Next, pageSize(f.Limit)-len(page.Entries)
		more, err = s.Entries(ctx, rest)
		page = hallpass.EntryPage{Entries: append(page.Entries, more.Entries...), Next: more.Next}
	}
	if err != nil {
		return err
	}
	now := s.Now()
	if a.grammar.JSON {
		return a.print(wire.PassesOf(page, now))
	}
	if len(page.Entries) == 0 {
		if f == (hallpass.EntryFilter{Limit: f.Limit}) {
			return a.line(`No passes yet. "hallpass issue --scope NAME" makes one.`)
		}
		return a.line("No pass is like that.")
	}
	var rows [][]string
	for _, e := range page.Entries {
		rows = append(rows, []string{
			e.ID, orDash(e.Scope), orDash(e.Mode), string(e.State(now)), count(e), orDash(e.Subject),
			moment(e.IssuedAt), moment(e.ExpiresAt), orDash(e.Batch),
		})
	}
	head := []string{"PASS", "SCOPE", "MODE", "STATE", "USED", "SUBJECT", "ISSUED (UTC)", "UNTIL (UTC)", "BATCH"}
	if err := a.table(a.stdout, 3, head, rows); err != nil {
		return err
	}
	return a.more(page.Next)
}

func (c *listCmd) filter() (hallpass.EntryFilter, error) {
	f := hallpass.EntryFilter{
		Scope: hallpass.Scope(c.Scope), Subject: c.Subject, Batch: c.Batch,
		Mode: hallpass.Mode(c.Mode), State: hallpass.State(c.State), After: c.After, Recipient: c.Recipient, Query: c.Query,
	}
	modes := []hallpass.Mode{"", hallpass.ModePublic, hallpass.ModeRequest, hallpass.ModeSession}
	states := []hallpass.State{
		"", hallpass.StateActive, hallpass.StateNotYetValid, hallpass.StateExpired, hallpass.StateSpent, hallpass.StateRevoked,
	}
	switch {
	case !slices.Contains(modes, f.Mode):
		return f, fieldError("mode", "must be public, request or session, not %q", c.Mode)
	case !slices.Contains(states, f.State):
		return f, fieldError("state", "must be active, not_yet_valid, expired, spent or revoked, not %q", c.State)
	}
	var err error
	f.Limit, err = pageLimit(c.Limit)
	return f, err
}

// pageLimit reads --limit; 0 is the default.
func pageLimit(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > hallpass.MaxPage {
		return 0, fieldError("limit", "must be 1 to %d", hallpass.MaxPage)
	}
	return n, nil
}

// more says how to see the next page.
func (a *app) more(next string) error {
	if next == "" {
		return nil
	}
	return a.line("There are more: --after %s", next)
}
