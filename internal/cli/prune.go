package cli

import (
	"context"
	"strconv"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/openstore"
	"github.com/hallpass-go/hallpass/internal/wire"
)

type pruneCmd struct {
	sessionStore
	MaxAge   string `placeholder:"D" help:"Remove uses and events older than this."`
	MaxCount string `placeholder:"N" help:"Keep this many of the newest uses, and of the newest events."`
}

func (c *pruneCmd) Run(ctx context.Context, a *app) error {
	var o hallpass.PruneOptions
	var err error
	if c.MaxAge != "" {
		if o.MaxAge, err = wire.ParseDuration("max_age", c.MaxAge); err != nil {
			return err
		}
		if o.MaxAge <= 0 {
			return fieldError("max_age", "must be positive")
		}
	}
	if c.MaxCount != "" {
		if o.MaxCount, err = strconv.ParseInt(c.MaxCount, 10, 64); err != nil || o.MaxCount < 1 {
			return fieldError("max_count", "must be a whole number, at least 1")
		}
	}
	// Where uses are sealed, what goes is told in the chain, and signed.
	s, err := a.service(ctx, nil)
	if err != nil {
		s, err = a.reader(ctx)
	}
	if err != nil {
		return err
	}
	defer s.Close()
	pruned, err := s.Prune(ctx, o)
	if err != nil {
		return err
	}
	if c.LoginStore != "" {
		cells, err := c.pruneLogins(ctx, s.Now())
		if err != nil {
			return err
		}
		pruned.Cells += cells
	}
	if a.grammar.JSON {
		return a.print(pruned)
	}
	return a.line("Removed %d uses, %d events, %d passes that ended, %d small records that were over. Counters stay as they are.",
		pruned.Uses, pruned.Events, pruned.Passes, pruned.Cells)
}

// pruneLogins removes what is over where logins are kept. There are no uses there.
func (c *sessionStore) pruneLogins(ctx context.Context, now time.Time) (cells int64, err error) {
	elsewhere, err := openstore.Open(ctx, c.LoginStore, nil)
	if err != nil {
		return 0, renamed(err, "store", "login.store")
	}
	defer elsewhere.Close()
	pruned, err := elsewhere.Prune(ctx, hallpass.PruneRule{Now: now, KeepUses: -1})
	return pruned.Cells, err
}
