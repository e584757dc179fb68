package hallpass

import (
	"context"
	"slices"
	"time"
)

// readRows reads all rows, newest first, and compares those that are sealed, minute by
// minute. The others, before and behind, must only be where they belong.
func (v *sealVerifier) readRows(ctx context.Context) error {
	from, lowest := v.first, ""
	if !v.check.Since.IsZero() {
		since := v.check.Since.Unix() / 60
		from, lowest = max(from, since), firstID(minuteTime(since))
	}
	v.report.Since, v.report.Until = minuteTime(from), minuteTime(v.end.Through)
	for _, p := range []struct {
		minute int64
		at     *time.Time
	}{{v.usesPruned, &v.report.UsesPruned}, {v.eventsPruned, &v.report.EventsPruned}} {
		if p.minute != 0 {
			*p.at = minuteTime(p.minute)
		}
	}
	ahead := v.issuer.Now().Add(sealGrace)
	uses := v.comparer("uses", from, v.usesPruned, func(s *seal) *sealedRows { return &s.Uses })
	err := eachUse(ctx, v.store, lowest, "", func(u Use) bool {
		// Both come from one reading of the clock.
		made, ok := uuidTime(u.ID)
		uses.place(u.ID, ok && made.Before(ahead) && u.At.Truncate(time.Millisecond).Equal(made))
		if h := uses.hasherOf(u.ID); h != nil {
			h.use(u)
		}
		return true
	})
	if err != nil {
		return err
	}
	uses.finish()
	v.report.Uses, v.report.UsesBefore = uses.count, uses.before
	events := v.comparer("events", from, v.eventsPruned, func(s *seal) *sealedRows { return &s.Events })
	err = eachEvent(ctx, v.store, lowest, "", func(e Event) bool {
		// They are written behind: what happened long before is no fault.
		made, ok := uuidTime(e.ID)
		events.place(e.ID, ok && made.Before(ahead) && !e.At.After(made.Add(lateAfter)))
		if h := events.hasherOf(e.ID); h != nil {
			h.event(e)
		}
		return true
	})
	if err != nil {
		return err
	}
	events.finish()
	v.report.Events, v.report.EventsBefore = events.count, events.before
	return v.judgePartial(ctx)
}

// comparer compares the rows of one kind with their seals.
type comparer struct {
	v            *sealVerifier
	rows         string
	from, pruned int64
	of           func(*seal) *sealedRows
	// count is of the rows that are compared, before of those from before sealing.
	count, before int64
	minute        int64 // of the row before; -1 at first
	hasher        *rowHasher
	found         map[int64]bool
	// lost counts rows in the wrong place, one after the other, of one minute.
	lost       int64
	lostMinute int64
}

func (v *sealVerifier) comparer(rows string, from, pruned int64, of func(*seal) *sealedRows) *comparer {
	return &comparer{v: v, rows: rows, from: from, pruned: pruned, of: of, minute: -1, found: map[int64]bool{}}
}

// place notes a row that is not where it belongs.
func (c *comparer) place(id string, right bool) {
	if right {
		return
	}
	minute, _ := minuteOf(id)
	if made := minuteTime(minute); made.Year() > 9999 {
		minute = 0 // which cannot be written as a time
	}
	if minute != c.lostMinute {
		c.closeLost()
	}
	c.lost, c.lostMinute = c.lost+1, minute
}

func (c *comparer) closeLost() {
	if c.lost > 0 {
		c.v.fault(FaultMisplaced, c.lostMinute, c.rows, 0, c.lost)
	}
	c.lost = 0
}

// hasherOf returns the hasher for a row; nil where it is not of a sealed minute.
func (c *comparer) hasherOf(id string) *rowHasher {
	minute, ok := minuteOf(id)
	if !ok {
		// It may have been sealed with the rows around it.
		if minute = c.minute; minute < 0 || id < firstID(minuteTime(minute)) {
			return nil
		}
	}
	if minute != c.minute {
		c.closeMinute()
		c.minute = minute
	}
	switch {
	case minute >= c.v.end.Through:
		return nil
	case minute < c.from:
		c.before++
		return nil
	}
	c.count++
	if c.hasher == nil {
		var sealed *sealedRows
		if s := c.v.seals[minute]; s != nil {
			sealed = c.of(s)
		}
		c.hasher = newRowHasher(sealed)
	}
	return c.hasher
}

// closeMinute judges the minute that was read.
func (c *comparer) closeMinute() {
	if c.hasher == nil {
		return
	}
	s, known := c.v.seals[c.minute]
	got := c.hasher.sum()
	c.hasher = nil
	c.found[c.minute] = true
	switch {
	case known && s == nil, !known && c.v.inGap(c.minute):
		return // its seal is the fault
	case !known:
		c.v.fault(FaultInserted, c.minute, c.rows, 0, got.Count)
		return
	}
	sealed := c.of(s)
	switch {
	case got.equal(*sealed):
	case got.Count < sealed.Count && c.minute < c.pruned:
		c.v.partial = append(c.v.partial, partialMinute{c.rows, c.minute, sealed.Count, got.Count})
	case got.Count < sealed.Count:
		c.v.fault(FaultMissing, c.minute, c.rows, sealed.Count, got.Count)
	case got.Count > sealed.Count:
		c.v.fault(FaultInserted, c.minute, c.rows, sealed.Count, got.Count)
	case slices.Equal(got.IDs, sealed.IDs):
		c.v.fault(FaultAltered, c.minute, c.rows, sealed.Count, got.Count)
	default:
		c.v.fault(FaultReplaced, c.minute, c.rows, sealed.Count, got.Count)
	}
}

// finish judges the last minute, and those of which nothing is left.
func (c *comparer) finish() {
	c.closeLost()
	c.closeMinute()
	for minute, s := range c.v.seals {
		if s == nil || c.found[minute] || minute < c.pruned {
			continue
		}
		if sealed := c.of(s); sealed.Count > 0 {
			c.v.fault(FaultMissing, minute, c.rows, sealed.Count, 0)
		}
	}
}

func (v *sealVerifier) inGap(minute int64) bool {
	return slices.ContainsFunc(v.gaps, func(g sealGap) bool { return g.from <= minute && minute < g.until })
}
