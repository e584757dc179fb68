package server

import (
	"context"
	"time"

	"github.com/hallpass-go/hallpass"
)

// pruneLogins removes what is over from the store of logins, where it is not that of
// the passes, which the issuer prunes. Every step of a login leaves a small record.
func (s *Server) pruneLogins(ctx context.Context) {
	store := s.cfg.Login.LoginStore
	if store == nil {
		return
	}
	tick := time.NewTicker(s.pruneEvery)
	defer tick.Stop()
	for {
		began, clock := time.Now(), s.issuer.Now()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		// By a clock that has jumped ahead, sessions and counters would go that are not
		// over.
		now := s.issuer.Now()
		if jump := now.Sub(clock) - time.Since(began); jump.Abs() > time.Hour {
			s.cfg.Logger.Error("the clock jumped; logins are not pruned this time", "jump", jump)
			continue
		}
		if _, err := store.Prune(ctx, hallpass.PruneRule{Now: now, KeepUses: -1}); err != nil && ctx.Err() == nil {
			s.cfg.Logger.Error("pruning logins stopped; it is tried again", "in", s.pruneEvery, "error", err)
		}
	}
}
