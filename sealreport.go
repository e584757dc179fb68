package hallpass

import "time"

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
	// FaultUnvouched: some rows of a minute that was pruned are there, and not all that
	// were sealed. What a prune that broke off left looks like that, until the next one.
	FaultUnvouched SealFaultKind = "unvouched"
	// FaultMisplaced: rows whose id is none of ours, does not fit their time, or lies
	// ahead. They may stand in any minute, also in one that is not sealed.
	FaultMisplaced SealFaultKind = "misplaced"
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
	// the chain as a whole, or about rows with ids that tell no time.
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
	// Seals, Uses and Events count what was compared.
	Seals, Uses, Events int64
	// UsesBefore and EventsBefore count rows from before sealing began, for which
	// nothing vouches. With SealCheck.Since they are not looked at.
	UsesBefore, EventsBefore int64
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
