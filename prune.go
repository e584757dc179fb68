package hallpass

import (
	"context"
	"errors"
	"time"
)

// PruneOptions say what Prune removes beyond what is over by itself.
type PruneOptions struct {
	// MaxAge removes uses and events older than it; zero removes none by age.
	MaxAge time.Duration
	// MaxCount keeps that many of the newest uses, and of the newest events; zero keeps
	// all.
	MaxCount int64
}

// Prune removes old uses and events, and passes whose tokens ended over a day ago.
// Counters stay as they are, so nothing comes back to life. A pruned use forgets its
// idempotency key.
//
// Where minutes are sealed, whole ones go, so a little more is kept than was asked
// for; and a signed link of the chain says what may be gone, which takes a key.
func (i *Issuer) Prune(ctx context.Context, o PruneOptions) (Pruned, error) {
	store, err := i.store()
	switch {
	case err != nil:
		return Pruned{}, err
	case o.MaxAge < 0:
		return Pruned{}, fieldErrorf("max_age", "must not be negative")
	case o.MaxCount < 0:
		return Pruned{}, fieldErrorf("max_count", "must not be negative")
	}
	rule := PruneRule{Now: i.Now(), KeepUses: -1}
	if o.MaxAge > 0 {
		rule.UsesBefore = rule.Now.Add(-o.MaxAge)
		rule.EventsBefore = firstID(rule.UsesBefore)
	}
	if o.MaxCount > 0 {
		rule.KeepUses, rule.KeepEvents = o.MaxCount, o.MaxCount
	}
	if o != (PruneOptions{}) {
		if rule, err = i.pruneSealed(ctx, store, rule); err != nil {
			return Pruned{}, err
		}
	}
	pruned, err := store.Prune(ctx, rule)
	if err != nil {
		return pruned, storeError(ctx, "pruning stopped", err)
	}
	return pruned, nil
}

// pruneSealed makes a rule fit the seals, and writes into the chain what will be
// gone, before it is: a crash in between leaves more than it says, not less.
func (i *Issuer) pruneSealed(ctx context.Context, store Store, rule PruneRule) (PruneRule, error) {
	for range 20 {
		chain, err := i.openChain(ctx, store, false)
		if errors.Is(err, ErrNotFound) {
			return rule, nil // nothing was ever sealed
		}
		if err != nil {
			return rule, err
		}
		fitted, mark, err := chain.fit(ctx, rule)
		if err != nil {
			return rule, err
		}
		if mark.UsesPruned <= chain.end.UsesPruned && mark.EventsPruned <= chain.end.EventsPruned {
			return fitted, nil
		}
		if err = chain.append(ctx, mark); err == nil {
			err = chain.save(ctx)
		}
		if err == nil || !errors.Is(err, ErrConflict) {
			return fitted, err
		}
		// Somebody else added a link: look again.
	}
	return rule, unavailable("pruning stopped", errors.New("others write seals all the time"))
}

// fit rounds a rule to whole minutes, and says in a link what may be gone. What an
// earlier link says may be gone goes too: a prune that broke off left it.
func (c *sealChain) fit(ctx context.Context, rule PruneRule) (PruneRule, seal, error) {
	mark := seal{UsesPruned: c.end.UsesPruned, EventsPruned: c.end.EventsPruned}
	if !rule.UsesBefore.IsZero() {
		before := rule.UsesBefore.Unix() / 60
		mark.UsesPruned, mark.EventsPruned = max(mark.UsesPruned, before), max(mark.EventsPruned, before)
	}
	fitted := PruneRule{Now: rule.Now, KeepUses: -1}
	if keep := rule.KeepUses; keep >= 0 {
		uses, events, err := c.countOpen(ctx, rule)
		if err != nil {
			return rule, mark, err
		}
		usesFrom, eventsFrom, err := c.countBack(ctx, keep-uses, keep-events)
		if err != nil {
			return rule, mark, err
		}
		// Where more than that many are not sealed yet, the store counts them, and all
		// that is sealed may go.
		if uses >= keep {
			fitted.KeepUses, usesFrom = keep, c.end.Through
		}
		if events >= keep {
			fitted.KeepEvents, eventsFrom = keep, c.end.Through
		}
		mark.UsesPruned, mark.EventsPruned = max(mark.UsesPruned, usesFrom), max(mark.EventsPruned, eventsFrom)
	}
	if mark.UsesPruned > 0 {
		fitted.UsesBefore = minuteTime(mark.UsesPruned)
	}
	if mark.EventsPruned > 0 {
		fitted.EventsBefore = firstID(minuteTime(mark.EventsPruned))
	}
	return fitted, mark, nil
}

// countOpen counts the uses and events behind the last sealed minute, each up to how
// many are to be kept, where nobody has sealed for an hour. Else they are few, and are
// kept besides.
func (c *sealChain) countOpen(ctx context.Context, rule PruneRule) (uses, events int64, err error) {
	through := minuteTime(c.end.Through)
	if rule.Now.Sub(through) <= time.Hour {
		return 0, 0, nil
	}
	up := func(n *int64) func(string) bool {
		return func(string) bool { *n++; return *n < rule.KeepUses }
	}
	err = eachID(ctx, c.store, firstID(through), "", up(&uses), up(&events))
	return uses, events, err
}

// countBack returns the minutes in which the newest so many sealed uses and events
// begin; 0 where there are no more than that.
func (c *sealChain) countBack(ctx context.Context, keepUses, keepEvents int64) (usesFrom, eventsFrom int64, err error) {
	var uses, events int64
	var links map[int64]Cell
	for number := c.end.Number; number > 1 && (usesFrom == 0 || eventsFrom == 0); number-- {
		if links == nil || number%sealsPerGroup == sealsPerGroup-1 {
			if links, err = c.issuer.sealGroup(ctx, c.store, number); err != nil {
				return 0, 0, err
			}
		}
		s, trust := c.issuer.readSeal(links[number], number)
		if trust == sealForged { // or gone
			return 0, 0, errSealsBroken
		}
		if uses += s.Uses.Count; usesFrom == 0 && uses >= keepUses {
			usesFrom = s.Minute
		}
		if events += s.Events.Count; eventsFrom == 0 && events >= keepEvents {
			eventsFrom = s.Minute
		}
	}
	return usesFrom, eventsFrom, nil
}
