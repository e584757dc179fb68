package hallpass

import (
	"context"
	"errors"
	"time"
)

// partialPause is how long a prune that is under way may take to remove any of the
// rows in question.
const partialPause = 2 * time.Second

// partialMinute is a minute that may be gone, of which some rows are there.
type partialMinute struct {
	rows          string
	minute        int64
	sealed, found int64
}

// judgePartial tells minutes that are being pruned from those in which rows stay: a
// prune removes whole minutes, but not in one step.
func (v *sealVerifier) judgePartial(ctx context.Context) error {
	for range 5 {
		if len(v.partial) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return storeError(ctx, "the seals could not be verified", ctx.Err())
		case <-time.After(partialPause):
		}
		changed, err := v.countPartial(ctx)
		if err != nil {
			return err
		}
		if !changed {
			for _, p := range v.partial {
				v.fault(FaultUnvouched, p.minute, p.rows, p.sealed, p.found)
			}
			return nil
		}
	}
	return unavailable("the seals could not be verified", errors.New("rows are being pruned; try again when that is done"))
}

// countPartial counts the rows of the partial minutes again, and forgets those of
// which none is left.
func (v *sealVerifier) countPartial(ctx context.Context) (changed bool, err error) {
	lowest, highest := v.partial[0].minute, v.partial[0].minute
	for _, p := range v.partial {
		lowest, highest = min(lowest, p.minute), max(highest, p.minute)
	}
	counts := map[string]map[int64]int64{"uses": {}, "events": {}}
	count := func(rows string) func(string) bool {
		minute := int64(-1)
		return func(id string) bool {
			if of, ok := minuteOf(id); ok {
				minute = of
			} // else it counts as one of the minute above it
			counts[rows][minute]++
			return true
		}
	}
	err = eachID(ctx, v.store, firstID(minuteTime(lowest)), firstID(minuteTime(highest+1)), count("uses"), count("events"))
	if err != nil {
		return false, err
	}
	var left []partialMinute
	for _, p := range v.partial {
		found := counts[p.rows][p.minute]
		changed = changed || found != p.found
		if p.found = found; found > 0 {
			left = append(left, p)
		}
	}
	v.partial = left
	return changed, nil
}
