package hallpass

import (
	"context"
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
	// Minute is the beginning of the minute it is about.
	Minute time.Time
	// Rows is "uses" or "events"; empty where it is about the seal.
	Rows string
	// Sealed and Found count the rows, or the seals.
	Sealed, Found int64
}

// SealReport is what VerifySeals found.
type SealReport struct {
	// Sealed says that there are seals at all.
	Sealed bool
	// Since is the first moment that is protected, and Until the first that is not yet.
	Since, Until time.Time
	// PrunedBefore is the moment before which rows may be gone, as a signed record
	// in the chain says; zero when nothing was pruned.
	PrunedBefore time.Time
	// Head is the hash of the newest seal. Kept elsewhere and given back as
	// SealCheck.Head, it tells whether the end of the chain was cut off.
	Head string
	// Seals, Uses and Events count what was looked at.
	Seals, Uses, Events int64
	// Faults are in the order of time; at most MaxSealFaults, FaultCount of them.
	Faults     []SealFault
	FaultCount int64
}

// MaxSealFaults is how many faults a report tells one by one.
const MaxSealFaults = 1000

// Whole reports whether there are seals and everything is as it was sealed.
func (r SealReport) Whole() bool { return r.Sealed && r.FaultCount == 0 }

// SealCheck says what to verify.
type SealCheck struct {
	// Since is where to begin with the rows; zero is the first sealed minute. The
	// chain of seals is always checked whole.
	Since time.Time
	// Head, when set, is the Head of an earlier report, which the chain must hold.
	Head string
}

// VerifySeals compares uses and events with their seals.
func (i *Issuer) VerifySeals(ctx context.Context, c SealCheck) (SealReport, error) {
	return SealReport{}, nil
}
