package hallpass

import (
	"math"
	"time"
)

// What stores do to a row within their atomic step. Whatever a database has to do
// around it, the rule is here, once.

// Apply changes a row as PassStore.Amend says, and reports whether it has to be
// written. It is for stores: to change a pass, call Issuer.Amend.
func (a Amendment) Apply(row *Entry) (changed bool) {
	if row.MaxUses > 0 && a.AddUses > 0 {
		row.MaxUses += min(a.AddUses, math.MaxInt64-row.MaxUses)
		changed = true
	}
	end := atMicro(a.ExpiresAt)
	if a.ExpiresAt.IsZero() || row.ExpiresAt.IsZero() || end.Before(row.ExpiresAt) {
		return changed
	}
	row.ExpiresAt = end
	if a.KeepUntil.IsZero() || !row.KeepUntil.IsZero() && !a.KeepUntil.Before(row.KeepUntil) {
		row.KeepUntil = atMicro(a.KeepUntil)
	}
	return true
}

// Apply settles a use as PassStore.Settle says, and lowers the count of its row, nil
// where that is gone, when the use is given back. A use that is no longer pending
// stays as it is. It reports whether the use has to be written; the row has to be
// where the use is UseRefunded then. It is for stores: to settle a use, call
// Redemption.Settle.
func (s Settlement) Apply(use *Use, row *Entry) (changed bool) {
	if use.State != UsePending {
		return false
	}
	use.State, use.Status = s.State, s.Status
	switch {
	case s.State != UseRefunded:
	case row == nil || row.Refunds >= s.MaxRefunds:
		use.State = UseSettled
	default:
		row.Used--
		row.Refunds++
		use.Key = ""
	}
	return true
}

// MarkRevoked sets RevokedAt as PassStore.RevokePass says: the first time stays. It
// reports whether the row has to be written. It is for stores: to take a pass back,
// call Issuer.RevokePass.
func (e *Entry) MarkRevoked(now time.Time) (changed bool) {
	if !e.RevokedAt.IsZero() {
		return false
	}
	e.RevokedAt = atMicro(now)
	return true
}

// CapUses takes MaxUses down to maxUses as History.LowerQuota says: to 1 at least,
// never up, and an unlimited row stays so. It reports whether the row has to be
// written.
func (e *Entry) CapUses(maxUses int64) (changed bool) {
	limit := max(1, maxUses)
	if e.MaxUses <= limit { // without limit it is 0
		return false
	}
	e.MaxUses = limit
	return true
}

// atMicro is a time as stores keep it.
func atMicro(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
