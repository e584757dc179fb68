package cli

import (
	"context"
	"slices"
	"strconv"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/wire"
)

type usesCmd struct {
	List   usesListCmd   `cmd:"" default:"withargs" help:"List uses, or with --events what happened besides, newest first."`
	Verify usesVerifyCmd `cmd:"" help:"Compare uses and events with their seals: exit 0 whole, 1 not."`
}

type usesListCmd struct {
	Pass    string `placeholder:"ID" help:"Uses of this pass."`
	Subject string `placeholder:"USER" help:"Uses of this user's passes."`
	State   string `placeholder:"STATE" values:"pending,settled,refunded,forwarded,unknown" help:"Uses that ended so."`
	Since   string `placeholder:"T" help:"From this time on, or this long ago (24h, 7d)."`
	Until   string `placeholder:"T" help:"Before this time, or this long ago."`
	Events  bool   `help:"List events: refusals, scans, openings, logins, what operators did."`
	Kind    string `placeholder:"KIND" values:"refused,scanned,opened,login,admin" help:"With --events: events of this kind."`
	Limit   string `placeholder:"N" help:"How many at most, up to 1000; 50 unless given."`
	After   string `placeholder:"CURSOR" help:"Go on behind this page's end."`
}

func (c *usesListCmd) Run(ctx context.Context, a *app) error {
	if err := c.check(); err != nil {
		return err
	}
	limit, err := pageLimit(c.Limit)
	if err != nil {
		return err
	}
	s, err := a.reader(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	now := s.Now()
	since, err := wire.ParseMoment("since", c.Since, now)
	if err != nil {
		return err
	}
	until, err := wire.ParseMoment("until", c.Until, now)
	if err != nil {
		return err
	}
	if c.Events {
		return a.listEvents(ctx, s, hallpass.EventFilter{
			Kind: hallpass.EventKind(c.Kind), Pass: c.Pass, Since: since, Until: until, Limit: limit, After: c.After,
		})
	}
	q := hallpass.UseQuery{
		Pass: c.Pass, Subject: c.Subject, State: hallpass.UseState(c.State), Since: since, Until: until, Limit: limit, After: c.After,
	}
	page, err := s.Uses(ctx, q)
	// A short page that goes on is where the reading stopped, not the end.
	for err == nil && page.Next != "" && len(page.Uses) < pageSize(limit) {
		var more hallpass.UsePage
		q.After, q.Limit = page.Next, pageSize(limit)-len(page.Uses)
		more, err = s.Uses(ctx, q)
		page = hallpass.UsePage{Uses: append(page.Uses, more.Uses...), Next: more.Next}
	}
	switch {
	case err != nil:
		return err
	case a.grammar.JSON:
		return a.print(wire.UsePageOf(page))
	case len(page.Uses) == 0:
		return a.line("No uses.")
	}
	if err := a.useTable(page.Uses, c.Pass == ""); err != nil {
		return err
	}
	return a.more(page.Next)
}

func (c *usesListCmd) check() error {
	states := []hallpass.UseState{
		"", hallpass.UsePending, hallpass.UseSettled, hallpass.UseRefunded, hallpass.UseForwarded, hallpass.UseUnknown,
	}
	switch {
	case !slices.Contains(states, hallpass.UseState(c.State)):
		return fieldError("state", "must be pending, settled, refunded, forwarded or unknown, not %q", c.State)
	case c.Kind != "" && !slices.Contains(hallpass.EventKinds(), hallpass.EventKind(c.Kind)):
		return fieldError("kind", "must be refused, scanned, opened, login or admin, not %q", c.Kind)
	case c.Kind != "" && !c.Events:
		return fieldError("kind", "is of events; give --events too")
	case c.Events && c.Subject != "":
		return fieldError("subject", "is of uses; leave --events out")
	case c.Events && c.State != "":
		return fieldError("state", "is of uses; leave --events out")
	}
	return nil
}

// pageSize is the size that a limit of 0 stands for.
func pageSize(limit int) int {
	if limit == 0 {
		return 50
	}
	return limit
}

func (a *app) listEvents(ctx context.Context, s *service, f hallpass.EventFilter) error {
	page, err := s.Events(ctx, f)
	switch {
	case err != nil:
		return err
	case a.grammar.JSON:
		return a.print(wire.EventPageOf(page))
	case len(page.Events) == 0:
		return a.line("No events.")
	}
	var rows [][]string
	for _, e := range page.Events {
		what := string(e.Reason)
		if e.Kind == hallpass.EventAdmin {
			what = e.Action
		}
		who := e.Subject
		if e.Actor != "" {
			who = e.Actor
		}
		rows = append(rows, []string{
			moment(e.At), string(e.Kind), orDash(what), orDash(who), orDash(e.ClientIP), orDash(e.Scope), orDash(e.Pass), orDash(e.Detail),
		})
	}
	if err := a.table(a.stdout, 1, []string{"AT (UTC)", "KIND", "WHAT", "WHO", "CLIENT", "SCOPE", "PASS", "DETAIL"}, rows); err != nil {
		return err
	}
	return a.more(page.Next)
}

// useTable prints uses, with the pass of each where they are of several.
func (a *app) useTable(uses []hallpass.Use, withPass bool) error {
	head := []string{"AT (UTC)", "STATE", "STATUS", "SUBJECT", "CLIENT", "REQUEST"}
	if withPass {
		head = append(head, "PASS")
	}
	var rows [][]string
	for _, u := range uses {
		status := "-"
		if u.Status != 0 {
			status = strconv.Itoa(u.Status)
		}
		request := u.Method
		if u.Path != "" {
			request += " " + u.Path
		}
		row := []string{moment(u.At), string(u.State), status, orDash(u.Subject), orDash(u.ClientIP), orDash(request)}
		if withPass {
			row = append(row, u.Pass)
		}
		rows = append(rows, row)
	}
	return a.table(a.stdout, 1, head, rows)
}
