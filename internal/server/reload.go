package server

import (
	"context"
	"time"
)

// reload reads certificate, keys and rules again. What is wrong is logged and
// the former stays; each of them is taken over whole or not at all.
func (s *Server) reload(ctx context.Context) {
	failed := map[string]error{}
	check := func(what string, err error) {
		if err != nil {
			failed[what] = err
		}
	}
	if s.cfg.Certificate != nil {
		check("certificate", s.cfg.Certificate.reload())
	}
	_, err := s.keys.refresh(ctx)
	check("keys of the store", err)
	if s.cfg.Reload != nil {
		fresh, err := s.cfg.Reload(ctx)
		check("configuration", err)
		if err == nil {
			check("keys", s.keys.setFile(fresh.FileKeys))
			check("foreign keys", s.keys.live.SetForeign(fresh.ForeignKeys...))
			check("rules", s.setRules(fresh.Rules))
		}
	}
	s.metrics.reloaded(time.Now(), len(failed) == 0)
	for what, err := range failed {
		s.cfg.Logger.Error("not reloaded; the former stays in use", "what", what, "error", err)
	}
	if len(failed) == 0 {
		s.cfg.Logger.Info("reloaded certificate, keys and rules")
	}
}
