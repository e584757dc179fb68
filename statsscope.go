package hallpass

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
)

// ScopeStat is what happened to the passes of a scope.
type ScopeStat struct {
	Scope                 Scope
	Issued, Used, Refused int64
}

// TopScopes returns the n scopes to which most happened from since to until. What lies
// in the last two days is rounded out to whole hours, and what goes back further, up to
// 31 days, to whole days.
func (i *Issuer) TopScopes(ctx context.Context, since, until time.Time, n int) ([]ScopeStat, error) {
	store, err := i.store()
	if err != nil {
		return nil, err
	}
	now, width, group := i.Now(), time.Hour, scopeHourGroup
	if now.Sub(since) > 48*time.Hour {
		width, group = 24*time.Hour, scopeDayGroup
	}
	scopes := map[Scope]*ScopeStat{}
	for at := floorTo(since, width); at.Before(until); at = at.Add(width) {
		err := readCounters(ctx, store, group(at), now, func(key string, n int64) {
			kind, scope, _ := strings.Cut(key, "|")
			s := scopes[Scope(scope)]
			if s == nil {
				s = &ScopeStat{Scope: Scope(scope)}
				scopes[s.Scope] = s
			}
			switch kind {
			case statIssued.String():
				s.Issued += n
			case statUsed.String():
				s.Used += n
			case statRefused.String():
				s.Refused += n
			}
		})
		if err != nil {
			return nil, err
		}
	}
	top := make([]ScopeStat, 0, len(scopes))
	for _, s := range scopes {
		top = append(top, *s)
	}
	slices.SortFunc(top, func(a, b ScopeStat) int {
		return cmp.Or(cmp.Compare(b.Issued+b.Used+b.Refused, a.Issued+a.Used+a.Refused), cmp.Compare(a.Scope, b.Scope))
	})
	return top[:min(n, len(top))], nil
}
