package hallpass

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxStatPoints bounds how many steps one call of Stats returns.
const maxStatPoints = 5000

// StatPoint is what happened in one step of time.
type StatPoint struct {
	// At is the beginning of the step.
	At                                    time.Time
	Issued, Used, Scanned, Opened, Logins int64
	// Refused is the sum of Reasons.
	Refused int64
	Reasons map[Refusal]int64
}

// ScopeStat is what happened to the passes of a scope.
type ScopeStat struct {
	Scope                 Scope
	Issued, Used, Refused int64
}

// BatchStat is what happened to the passes of a batch since it was first heard
// of. Scanned and Opened count requests, not readers.
type BatchStat struct {
	Batch                                  string
	Issued, Scanned, Opened, Used, Refused int64
}

// Stats returns what happened from since to until, without gaps, in steps of whole
// minutes (of the last two days) or whole hours (of the last 31). Steps begin at
// multiples of step since 1970; the first holds since. The last five seconds may not
// be in it yet. Its errors are *FieldError and ErrUnavailable.
func (i *Issuer) Stats(ctx context.Context, since, until time.Time, step time.Duration) ([]StatPoint, error) {
	store, err := i.store()
	switch {
	case err != nil:
		return nil, err
	case step < time.Minute || step%time.Minute != 0:
		return nil, fieldErrorf("step", "must be whole minutes")
	case !since.Before(until):
		return nil, fieldErrorf("until", "must lie after since")
	case until.Sub(since)/step >= maxStatPoints:
		return nil, fieldErrorf("step", "makes more than %d points", maxStatPoints)
	}
	since = floorTo(since, step)
	points := make([]StatPoint, 0, until.Sub(since)/step+1)
	for at := since; at.Before(until); at = at.Add(step) {
		points = append(points, StatPoint{At: at, Reasons: map[Refusal]int64{}})
	}
	width, group := time.Hour, minuteGroup
	if step%time.Hour == 0 {
		width, group = 24*time.Hour, hourGroup
	}
	err = readStats(ctx, store, i.Now(), since, until, width, group, func(at time.Time, kind, label string, n int64) {
		if at.Before(since) || !at.Before(until) {
			return
		}
		points[at.Sub(since)/step].add(kind, Refusal(label), n)
	})
	return points, err
}

func (p *StatPoint) add(kind string, reason Refusal, n int64) {
	switch kind {
	case statIssued.String():
		p.Issued += n
	case statUsed.String():
		p.Used += n
	case statRefused.String():
		p.Refused += n
		p.Reasons[reason] += n
	case statScanned.String():
		p.Scanned += n
	case statOpened.String():
		p.Opened += n
	case statLogins.String():
		p.Logins += n
	}
}

// TopScopes returns the n scopes to which most happened from since to until,
// rounded out to whole hours.
func (i *Issuer) TopScopes(ctx context.Context, since, until time.Time, n int) ([]ScopeStat, error) {
	store, err := i.store()
	if err != nil {
		return nil, err
	}
	scopes := map[Scope]*ScopeStat{}
	since = floorTo(since, time.Hour)
	err = readStats(ctx, store, i.Now(), since, until, 24*time.Hour, hourGroup, func(at time.Time, kind, label string, n int64) {
		kind, ofScope := strings.CutPrefix(kind, "scope.")
		if !ofScope || at.Before(since) || !at.Before(until) {
			return
		}
		s := scopes[Scope(label)]
		if s == nil {
			s = &ScopeStat{Scope: Scope(label)}
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
	top := make([]ScopeStat, 0, len(scopes))
	for _, s := range scopes {
		top = append(top, *s)
	}
	slices.SortFunc(top, func(a, b ScopeStat) int {
		return cmp.Or(cmp.Compare(b.Issued+b.Used+b.Refused, a.Issued+a.Used+a.Refused), cmp.Compare(a.Scope, b.Scope))
	})
	return top[:min(n, len(top))], nil
}

// readStats calls each for every counter of the groups between since and until,
// each of which holds width. Counters that cannot be read are none of ours.
func readStats(ctx context.Context, store CellStore, now, since, until time.Time, width time.Duration,
	group func(time.Time) string, each func(at time.Time, kind, label string, n int64)) error {
	for at := floorTo(since, width); at.Before(until); at = at.Add(width) {
		cells, err := store.Cells(ctx, group(at), 0, now)
		if err != nil {
			return storeError(ctx, "the counters could not be read", err)
		}
		for _, c := range cells {
			parts := strings.SplitN(c.Key, "|", 3)
			n, err := strconv.ParseInt(string(c.Value), 10, 64)
			if err != nil || len(parts) != 3 {
				continue
			}
			place, err := strconv.Atoi(parts[0])
			if err != nil {
				continue
			}
			unit := time.Minute
			if width == 24*time.Hour {
				unit = time.Hour
			}
			each(at.Add(time.Duration(place)*unit), parts[1], parts[2], n)
		}
	}
	return nil
}

// BatchStat returns the counts of one batch; zeros for one nobody has heard of.
func (i *Issuer) BatchStat(ctx context.Context, batch string) (BatchStat, error) {
	b := BatchStat{Batch: batch}
	store, err := i.store()
	if err != nil {
		return b, err
	}
	cells, err := store.Cells(ctx, batchGroup(batch), 0, i.Now())
	if err != nil {
		return b, storeError(ctx, "the counters could not be read", err)
	}
	for _, c := range cells {
		n, err := strconv.ParseInt(string(c.Value), 10, 64)
		if err != nil {
			continue
		}
		switch c.Key {
		case statIssued.String():
			b.Issued = n
		case statScanned.String():
			b.Scanned = n
		case statOpened.String():
			b.Opened = n
		case statUsed.String():
			b.Used = n
		case statRefused.String():
			b.Refused = n
		}
	}
	return b, nil
}

// Batches returns the n batches to which something happened last, the latest
// first.
func (i *Issuer) Batches(ctx context.Context, n int) ([]BatchStat, error) {
	store, err := i.store()
	if err != nil {
		return nil, err
	}
	if n < 1 || n > MaxPage {
		return nil, fieldErrorf("limit", "must be 1 to %d", MaxPage)
	}
	cells, err := store.Cells(ctx, batchesGroup, 0, i.Now())
	if err != nil {
		return nil, storeError(ctx, "the counters could not be read", err)
	}
	slices.Reverse(cells) // versions rise with the order of the writes
	var batches []BatchStat
	for _, c := range cells[:min(n, len(cells))] {
		b, err := i.BatchStat(ctx, c.Key)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return nil, err
		}
		batches = append(batches, b)
	}
	return batches, nil
}

func floorTo(t time.Time, step time.Duration) time.Time {
	seconds := int64(step / time.Second)
	at := t.Unix()
	return time.Unix(at-((at%seconds)+seconds)%seconds, 0).UTC()
}
