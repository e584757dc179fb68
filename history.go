package hallpass

import "context"

// History is what a store may offer beyond Store: taking over an audit trail from
// another system. Without it, uses can only be brought in by Reserve, one at a
// time and only as far as the quota goes.
type History interface {
	// RecordUses writes uses that were counted elsewhere, all or none; only a store
	// that spreads passes over servers without transactions may have written some of
	// them when it fails. No counter changes, and the pass needs no row. A use whose
	// ID is already there stays as it is, so repeating a call is a no-op, and finishes
	// one that failed. Their Key must be empty.
	RecordUses(ctx context.Context, uses []Use) error
}
