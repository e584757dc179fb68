package hallpass

import (
	"context"
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

// readStats calls each for every counter of the groups between since and until,
// each of which holds width. Counters that cannot be read are none of ours.
func readStats(ctx context.Context, store CellStore, now, since, until time.Time, width time.Duration,
	group func(time.Time) string, each func(at time.Time, kind, label string, n int64)) error {
	unit := time.Minute
	if width == 24*time.Hour {
		unit = time.Hour
	}
	for at := floorTo(since, width); at.Before(until); at = at.Add(width) {
		err := readCounters(ctx, store, group(at), now, func(key string, n int64) {
			parts := strings.SplitN(key, "|", 3)
			if place, err := strconv.Atoi(parts[0]); err == nil && len(parts) == 3 {
				each(at.Add(time.Duration(place)*unit), parts[1], parts[2], n)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// readCounters calls each for the counters of a group.
func readCounters(ctx context.Context, store CellStore, group string, now time.Time, each func(key string, n int64)) error {
	cells, err := store.Cells(ctx, group, 0, now)
	if err != nil {
		return storeError(ctx, "the counters could not be read", err)
	}
	for _, c := range cells {
		if n, err := strconv.ParseInt(string(c.Value), 10, 64); err == nil {
			each(c.Key, n)
		}
	}
	return nil
}

func floorTo(t time.Time, step time.Duration) time.Time {
	seconds := int64(step / time.Second)
	at := t.Unix()
	return time.Unix(at-((at%seconds)+seconds)%seconds, 0).UTC()
}
