package hallpass

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"
)

// SealFaultKind says what is wrong with a sealed minute, or with its seal.
type SealFaultKind string

const (
	// FaultAltered: as many rows as were sealed, under the same ids, but not the same.
	FaultAltered SealFaultKind = "altered"
	// FaultMissing: rows that were sealed are gone and were not pruned.
	FaultMissing SealFaultKind = "missing"
	// FaultInserted: rows that were not there when the minute was sealed.
	FaultInserted SealFaultKind = "inserted"
	// FaultReplaced: rows are gone and others stand in their place.
	FaultReplaced SealFaultKind = "replaced"
	// FaultSealMissing: seals that must have been there are gone.
	FaultSealMissing SealFaultKind = "seal_missing"
	// FaultSealAltered: a seal's signature is not that of its content.
	FaultSealAltered SealFaultKind = "seal_altered"
	// FaultSealReplaced: a seal is signed, but not the one its successor names.
	FaultSealReplaced SealFaultKind = "seal_replaced"
)

// SealFault is one thing that is not as it was sealed.
type SealFault struct {
	Kind SealFaultKind
	// Minute is the beginning of the minute it is about; zero where the fault is about
	// the chain as a whole.
	Minute time.Time
	// Rows is "uses" or "events"; empty where it is about a seal.
	Rows string
	// Sealed and Found count the rows, or the seals.
	Sealed, Found int64
}

// SealReport is what VerifySeals found.
type SealReport struct {
	// Sealed says that there are seals at all.
	Sealed bool
	// Since is the first moment that was looked at, and Until the first that is not
	// sealed yet: what was written down from then on is not protected.
	Since, Until time.Time
	// UsesPruned and EventsPruned are the moments before which rows may be gone, as a
	// signed link of the chain says; zero when nothing was pruned.
	UsesPruned, EventsPruned time.Time
	// Head is the hash of the newest link. Kept elsewhere and given back as
	// SealCheck.Head, it tells whether the end of the chain was cut off.
	Head string
	// Seals, Uses and Events count what was looked at.
	Seals, Uses, Events int64
	// Faults are in the order of time, at most MaxSealFaults of FaultCount.
	Faults     []SealFault
	FaultCount int64
}

// MaxSealFaults is how many faults a report tells one by one.
const MaxSealFaults = 1000

// Whole reports whether there are seals and everything is as it was sealed.
func (r SealReport) Whole() bool { return r.Sealed && r.FaultCount == 0 }

// SealCheck says what to verify.
type SealCheck struct {
	// Since is where to begin with the rows, rounded down to the minute; zero is where
	// sealing began. The chain of seals is always checked whole.
	Since time.Time
	// Head, when set, is the Head of an earlier report: the chain must hold it.
	Head string
}

// VerifySeals compares uses and events with their seals. It needs the keys that
// signed them; retired ones do. A key that was removed is vouched for by the links
// after its own.
func (i *Issuer) VerifySeals(ctx context.Context, check SealCheck) (SealReport, error) {
	store, err := i.store()
	if err != nil {
		return SealReport{}, err
	}
	for range 5 {
		v := &sealVerifier{issuer: i, store: store, check: check, seals: map[int64]*seal{}}
		if err := v.run(ctx); err != nil || v.report.Whole() {
			return v.report, err
		}
		// Rows that were pruned while they were read have not been tampered with.
		end, _, err := i.sealEndNow(ctx, store)
		if err != nil && !errors.Is(err, ErrNotFound) || end.Number == v.end.Number {
			return v.report, unlessNotFound(err)
		}
	}
	return SealReport{}, unavailable("the seals could not be verified", errors.New("they changed all the time"))
}

func unlessNotFound(err error) error {
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

func (v *sealVerifier) run(ctx context.Context) error {
	if err := v.readChain(ctx); err != nil || !v.report.Sealed {
		return err
	}
	err := v.readRows(ctx)
	slices.SortStableFunc(v.report.Faults, func(a, b SealFault) int { return cmp.Or(a.Minute.Compare(b.Minute), cmp.Compare(a.Rows, b.Rows)) })
	return err
}

type sealVerifier struct {
	issuer *Issuer
	store  Store
	check  SealCheck
	report SealReport
	end    sealEnd
	first  int64 // minute at which sealing began
	// seals are those of the minutes that are looked at; nil where one is worth nothing.
	seals map[int64]*seal
	// gaps are minutes whose seals are gone: whether there were rows nobody can tell.
	gaps                     []sealGap
	usesPruned, eventsPruned int64
}

type sealGap struct{ from, until int64 }

func (v *sealVerifier) fault(kind SealFaultKind, minute int64, rows string, sealed, found int64) {
	v.report.FaultCount++
	if len(v.report.Faults) == MaxSealFaults {
		return
	}
	f := SealFault{Kind: kind, Rows: rows, Sealed: sealed, Found: found}
	if minute != 0 {
		f.Minute = minuteTime(minute)
	}
	v.report.Faults = append(v.report.Faults, f)
}

// readChain checks the links and keeps those whose rows will be looked at.
func (v *sealVerifier) readChain(ctx context.Context) error {
	i := v.issuer
	end, trust, err := i.sealEndNow(ctx, v.store)
	headGone := errors.Is(err, ErrNotFound)
	if err != nil && !headGone {
		return err
	}
	v.end = end
	firstCell, err := v.store.Cell(ctx, sealsGroup, sealFirst, i.Now())
	firstGone := errors.Is(err, ErrNotFound)
	if err != nil && !firstGone {
		return storeError(ctx, "the seals could not be read", err)
	}
	if headGone && firstGone {
		return nil
	}
	v.report.Sealed = true
	var last seal
	var lastGood bool              // the last link says what it was signed to say
	var unproven []int64           // minutes of links, at the end, that only a removed key signed
	var sealed, gap, missing int64 // the last sealed minute; where a gap began, or 0; links that are gone
	var held bool
	take := func(s seal, trust sealTrust) {
		if trust == sealForged {
			v.fault(FaultSealAltered, max(s.Minute, sealed+1), "", 1, 1)
			gap = cmp.Or(gap, sealed+1)
			lastGood = false
			return
		}
		if missing > 0 {
			v.fault(FaultSealMissing, gap, "", missing, 0)
			missing = 0
		} else if lastGood && s.Previous != last.hash {
			v.fault(FaultSealReplaced, sealed, "", 1, 1)
			v.seals[sealed] = nil
		}
		if gap != 0 && s.Minute > gap {
			v.gaps = append(v.gaps, sealGap{gap, s.Minute})
			gap = 0
		}
		if unproven = append(unproven, s.Minute); trust == sealGood {
			unproven = unproven[:0]
		}
		held = held || s.hash == v.check.Head
		last, lastGood = s, true
		switch {
		case s.Number == 1:
			v.first, sealed = s.Minute, s.Minute-1
		case s.UsesPruned != 0 || s.EventsPruned != 0:
			v.usesPruned, v.eventsPruned = max(v.usesPruned, s.UsesPruned), max(v.eventsPruned, s.EventsPruned)
		default:
			if sealed = s.Minute; v.wants(s.Minute) {
				v.seals[s.Minute] = &s
			}
			gap = 0
		}
	}
	if firstGone {
		missing, gap = 1, end.First
		v.first, sealed = end.First, end.First-1
	} else {
		take(i.readSeal(firstCell, 1))
	}
	for number := int64(2); ; {
		cells, err := i.sealGroup(ctx, v.store, number)
		if err != nil {
			return err
		}
		until := (number/sealsPerGroup + 1) * sealsPerGroup
		any := false
		for ; number < until; number++ {
			c, there := cells[number]
			switch {
			case there:
				any = true
				v.report.Seals++
				take(i.readSeal(c, number))
			case number <= end.Number:
				gap = cmp.Or(gap, sealed+1)
				missing++
				lastGood = false
			}
		}
		if number > end.Number && !any {
			break
		}
	}
	switch {
	case headGone:
		v.fault(FaultSealMissing, sealed, "", 1, 0)
		v.end = sealEnd{Through: sealed + 1}
	case trust != sealGood:
		v.fault(FaultSealAltered, sealed, "", 1, 1)
		v.end.Through = max(v.end.Through, sealed+1)
	case missing > 0:
		v.fault(FaultSealMissing, gap, "", missing, 0)
	case lastGood && last.Number == end.Number && last.hash != end.Hash:
		v.fault(FaultSealReplaced, sealed, "", 1, 1)
		v.seals[sealed] = nil
	}
	if lastGood && last.Number > v.end.Number { // its writer died before the head
		v.end.Through = max(v.end.Through, sealed+1)
	}
	if gap != 0 {
		v.gaps = append(v.gaps, sealGap{gap, max(v.end.Through, sealed+1)})
	}
	for _, minute := range unproven {
		v.fault(FaultSealAltered, minute, "", 1, 1)
		v.seals[minute] = nil
	}
	if v.check.Head != "" && !held {
		v.fault(FaultSealMissing, 0, "", 1, 0)
	}
	v.report.Head = last.hash
	return nil
}

func (v *sealVerifier) wants(minute int64) bool { return minute >= v.check.Since.Unix()/60 }

// readRows reads all rows that are sealed, newest first, and compares minute by
// minute.
func (v *sealVerifier) readRows(ctx context.Context) error {
	from := v.first
	if !v.check.Since.IsZero() {
		from = max(from, v.check.Since.Unix()/60)
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
	uses := v.comparer("uses", v.usesPruned, &v.report.Uses, func(s *seal) *sealedRows { return &s.Uses })
	if err := eachUse(ctx, v.store, from, v.end.Through, func(u Use) { uses.row(u.ID).use(u) }); err != nil {
		return err
	}
	uses.finish()
	events := v.comparer("events", v.eventsPruned, &v.report.Events, func(s *seal) *sealedRows { return &s.Events })
	if err := eachEvent(ctx, v.store, from, v.end.Through, func(e Event) { events.row(e.ID).event(e) }); err != nil {
		return err
	}
	events.finish()
	return nil
}

// comparer compares the rows of one kind with their seals.
type comparer struct {
	v      *sealVerifier
	rows   string
	pruned int64
	count  *int64
	of     func(*seal) *sealedRows
	minute int64
	hasher *rowHasher
	found  map[int64]bool
}

func (v *sealVerifier) comparer(rows string, pruned int64, count *int64, of func(*seal) *sealedRows) *comparer {
	return &comparer{v: v, rows: rows, pruned: pruned, count: count, of: of, minute: -1, found: map[int64]bool{}}
}

// row returns the hasher for a row. One whose id is no time of ours stands in the
// minute of its neighbour.
func (c *comparer) row(id string) *rowHasher {
	*c.count++
	minute, ok := minuteOf(id)
	if !ok {
		minute = max(c.minute, c.v.first)
	}
	if minute != c.minute || c.hasher == nil {
		c.closeMinute()
		c.minute = minute
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
