package hallpass

import (
	"context"
	"time"
)

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

// Stats returns what happened from since to until, in steps of whole minutes (for
// the last two days) or whole hours (for the last 31), without gaps. Steps begin at
// multiples of step since 1970.
func (i *Issuer) Stats(ctx context.Context, since, until time.Time, step time.Duration) ([]StatPoint, error) {
	return nil, nil
}

// TopScopes returns the n scopes of which most passes were issued and used from
// since to until, rounded out to whole hours.
func (i *Issuer) TopScopes(ctx context.Context, since, until time.Time, n int) ([]ScopeStat, error) {
	return nil, nil
}

// BatchStat returns the counts of one batch; zeros for one nobody has heard of.
func (i *Issuer) BatchStat(ctx context.Context, batch string) (BatchStat, error) {
	return BatchStat{Batch: batch}, nil
}

// Batches returns the n batches to which something happened last, the latest
// first.
func (i *Issuer) Batches(ctx context.Context, n int) ([]BatchStat, error) { return nil, nil }

// FlushStats writes down what was counted, for programs that end without Run.
func (i *Issuer) FlushStats(ctx context.Context) error { return nil }
