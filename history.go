package hallpass

import "context"

// History is what a store may offer beyond Store: taking over an audit trail and
// quotas from another system. Without it, uses can only be brought in by Reserve, one
// at a time and only as far as the quota goes, and no quota falls.
type History interface {
	// RecordUses writes uses that were counted elsewhere, all or none; only a store
	// that spreads passes over servers without transactions may have written some of
	// them when it fails. No counter changes, and the pass needs no row. A use whose
	// ID is already there stays as it is, so repeating a call is a no-op, and finishes
	// one that failed. Their Key must be empty.
	RecordUses(ctx context.Context, uses []Use) error
	// LowerQuota takes the limit of a pass down to maxUses, which is at least 1, in one
	// step with respect to every Reserve, Settle and Amend, and durably. Nothing else
	// of the row changes, the count least of all: a pass that was used as often as the
	// new limit, or more often, is spent, and a refund that comes later gives its use
	// back. A limit that is that low already stays, so repeating a call is a no-op, and
	// so does a pass without limit, which never gets one. It returns the row as it then
	// is, and ErrNotFound where there is none.
	LowerQuota(ctx context.Context, pass string, maxUses int64) (Entry, error)
}
