package cli

import (
	"context"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/wire"
)

type showCmd struct {
	What string `arg:"" name:"id|token|link" help:"A pass's id, its token, or a link; - reads it from standard input."`
}

// shownUses is how many of the last uses are shown.
const shownUses = 20

func (c *showCmd) Run(ctx context.Context, a *app) error {
	s, err := a.service(ctx, func(cfg *hallpass.Config) { cfg.Leeway = anyTime })
	if err != nil {
		return err
	}
	defer s.Close()
	entry, err := a.find(ctx, s, c.What)
	if reason, refused := hallpass.RefusalOf(err); refused {
		return a.notFound(reason)
	}
	if err != nil {
		return err
	}
	page, err := s.Uses(ctx, hallpass.UseQuery{Pass: entry.ID, Limit: shownUses})
	if err != nil {
		return err
	}
	if a.grammar.JSON {
		return a.print(wire.Shown{Pass: wire.PassOf(entry, s.Now()), Uses: wire.UsesOf(page.Uses)})
	}
	if err := a.card(entry, s.Now()); err != nil || len(page.Uses) == 0 {
		return err
	}
	if err := a.line(""); err != nil {
		return err
	}
	if err := a.useTable(page.Uses, false); err != nil || page.Next == "" {
		return err
	}
	return a.line("There are more: hallpass uses --pass %s", entry.ID)
}
