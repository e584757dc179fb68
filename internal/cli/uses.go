package cli

import (
	"context"
	"strconv"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/wire"
)

type usesCmd struct {
	Pass  string `placeholder:"ID" help:"Uses of this pass."`
	Limit string `placeholder:"N" help:"How many at most, up to 1000; 50 unless given."`
	After string `placeholder:"CURSOR" help:"Go on behind this page's end."`
}

func (c *usesCmd) Run(ctx context.Context, a *app) error {
	q := hallpass.UseQuery{Pass: c.Pass, After: c.After}
	var err error
	if q.Limit, err = pageLimit(c.Limit); err != nil {
		return err
	}
	s, err := a.reader(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	page, err := s.Uses(ctx, q)
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
