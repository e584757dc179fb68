package hallpass

import (
	"cmp"
	"context"
	"errors"
	"slices"
)

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
	gaps []sealGap
	// partial are pruned minutes that are neither gone nor whole.
	partial                  []partialMinute
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
