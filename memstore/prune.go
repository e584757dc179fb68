package memstore

import (
	"context"
	"slices"
	"strings"

	"github.com/hallpass-go/hallpass"
)

// Prune implements hallpass.PassStore.
func (s *Store) Prune(ctx context.Context, p hallpass.PruneRule) (hallpass.Pruned, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return hallpass.Pruned{}, err
	}
	var done hallpass.Pruned
	for _, use := range s.uses {
		if use.At.Before(micro(p.UsesBefore)) {
			s.forget(use, &done)
		}
	}
	if p.KeepUses >= 0 && int64(len(s.uses)) > p.KeepUses {
		oldest := make([]*hallpass.Use, 0, len(s.uses))
		for _, use := range s.uses {
			oldest = append(oldest, use)
		}
		slices.SortFunc(oldest, func(a, b *hallpass.Use) int { return strings.Compare(a.ID, b.ID) })
		for _, use := range oldest[:int64(len(oldest))-p.KeepUses] {
			s.forget(use, &done)
		}
	}
	for id, e := range s.passes {
		if over(e.KeepUntil, p.Now) {
			delete(s.passes, id)
			done.Passes++
		}
	}
	s.pruneEvents(p, &done)
	for name, c := range s.cells {
		if over(c.ExpiresAt, p.Now) {
			delete(s.cells, name)
			done.Cells++
		}
	}
	return done, nil
}

// forget removes the audit row. The pass's counter is not its sum and stays.
func (s *Store) forget(use *hallpass.Use, done *hallpass.Pruned) {
	s.release(use)
	delete(s.uses, use.ID)
	done.Uses++
}
