package hallpass

import (
	"context"
	"time"
)

// Store is what an Issuer needs to remember things. It is dumb and atomic:
// policy, signing, hashing and clocks live above it, once. Package storetest is
// this contract as tests.
//
// Common to all methods: times are UTC, kept to the microsecond, and enter as
// values, never read from the machine's clock. A zero time means "none". Entries
// given and returned are copies. A method whose ctx has ended before it did
// anything returns ctx's error and writes nothing. A
// method that returns an error that is neither a Refusal nor one of this
// package's sentinels could not decide; callers treat it as ErrUnavailable.
type Store interface {
	PassStore
	CellStore
}

// PassStore keeps passes, their counters and their uses.
type PassStore interface {
	// Record writes rows for new passes, all or none. A pass whose ID already has
	// a row keeps that row, so repeating a call is a no-op.
	Record(ctx context.Context, entries []Entry) error

	// Entry returns the row of a pass, or ErrNotFound.
	Entry(ctx context.Context, id string) (Entry, error)

	// Entries returns rows newest first (by IssuedAt, then by ID, both falling),
	// strictly after the cursor, at most Limit. Rows that arrive while somebody
	// pages are never returned twice and never hide another.
	Entries(ctx context.Context, q EntryQuery) ([]Entry, error)

	// Reserve counts one use, or refuses, in one atomic and durable step: when it
	// returns without error the count and the use survive a power cut. Of all
	// callers, in any goroutine, process or machine, exactly MaxUses win.
	//
	// It is judged on the row. An unrecorded pass without a row gets one from
	// Reservation.Pass; a recorded pass without a row is RefusalUnknownPass. Then
	// in this order: a revoked row is RefusalRevoked; a Key that the pass has
	// already seen returns the earlier use with Duplicate set, and counts nothing;
	// a used-up row is RefusalSpent. A refused reservation changes nothing, and
	// creates no row. Use.Pass is set from Pass.ID. A use id that is already there
	// is ErrConflict.
	//
	// When ctx ends, either nothing is written and ctx's error is returned, or
	// the true outcome is.
	Reserve(ctx context.Context, r Reservation) (Reserved, error)

	// Settle records how a use ended. The first settlement of a use wins: it is
	// applied only while the use is pending, and a later one changes nothing. The
	// use is returned as it then stands. UseRefunded also lowers the pass's
	// count by one, gives the use's Key back and counts a refund, unless the pass
	// has had MaxRefunds of them, or its row is gone: then the use becomes
	// UseSettled instead. A use that does not exist is ErrNotFound.
	Settle(ctx context.Context, s Settlement) (Use, error)

	// RevokePass takes a pass back: every Reserve that starts after it returns is
	// refused. The first revocation's time stays. A pass without a row gets one
	// from the entry, as a tombstone, so an unrecorded pass can be revoked before
	// its first use. The row is returned.
	RevokePass(ctx context.Context, tombstone Entry, now time.Time) (Entry, error)

	// Amend adds uses to a limited pass (an unlimited one stays so) and moves its
	// end, and with it KeepUntil, later, never earlier. ErrNotFound without a row.
	Amend(ctx context.Context, a Amendment) (Entry, error)

	// Uses returns uses newest first (by ID, falling), strictly after the
	// cursor, at most Limit.
	Uses(ctx context.Context, q UseQuery) ([]Use, error)

	// Prune removes old uses, expired cells, and rows whose KeepUntil has come.
	// It never lowers a counter and never removes a row before its KeepUntil, so
	// nothing comes back to life. A use that goes takes its Key along.
	Prune(ctx context.Context, p PruneRule) (Pruned, error)
}

// EntryQuery selects rows. Empty fields select all.
type EntryQuery struct {
	Scope   Scope
	Subject string
	Batch   string
	Mode    Mode
	// Recipient is a wish: a store without an index on it may return other rows too.
	Recipient string
	// After is the position of the last row already seen; zero is the start.
	After EntryPosition
	// Limit is at least 1.
	Limit int
}

// EntryPosition is where a row stands in the order of Entries.
type EntryPosition struct {
	IssuedAt time.Time
	ID       string
}

// UseQuery selects uses. Empty fields select all.
type UseQuery struct {
	Pass string
	// After is the ID of the last use already seen, or any other: what is returned
	// is lower. Empty is the start.
	After string
	// Limit is at least 1.
	Limit int

	// The rest is for Issuer.Uses, which judges it by itself: stores do not look at it.

	// Subject and State select by reading on.
	Subject string
	State   UseState
	// Since is the first moment and Until the first one that is too late.
	Since, Until time.Time
}

// Reservation asks the store to count one use.
type Reservation struct {
	// Pass is the pass as its token states it. Only an unrecorded pass's row is
	// made from it.
	Pass Pass
	// KeepUntil is for a row that comes to life here.
	KeepUntil time.Time
	// Use is the row to write, with ID, Key and State set by the caller: pending,
	// or already settled where no settlement will follow.
	Use Use
}

// Reserved is a reservation that won.
type Reserved struct {
	// Entry is the row after counting.
	Entry Entry
	// Use is the row that was written, or the earlier one of the same Key.
	Use Use
	// Duplicate says that the Key had been used before and nothing was counted.
	Duplicate bool
}

// Settlement says how a use ended.
type Settlement struct {
	Pass string
	Use  string
	// State is UseSettled, UseRefunded or UseForwarded.
	State  UseState
	Status int
	// MaxRefunds is how many uses the pass may get back in all.
	MaxRefunds int64
}

// Amendment changes a row.
type Amendment struct {
	Pass string
	// AddUses is added to MaxUses where that is limited; 0 adds none.
	AddUses int64
	// ExpiresAt is the new end; zero keeps the old one.
	ExpiresAt time.Time
	// KeepUntil goes with ExpiresAt.
	KeepUntil time.Time
}

// PruneRule says what may go.
type PruneRule struct {
	// Now decides which rows and cells are over.
	Now time.Time
	// UsesBefore removes the uses made before it; zero removes none by age.
	UsesBefore time.Time
	// KeepUses keeps that many of the newest uses; negative keeps all.
	KeepUses int64
	// EventsBefore removes the events with a lower ID; empty removes none so.
	EventsBefore string
	// KeepEvents keeps that many of the newest events; 0 keeps all.
	KeepEvents int64
}

// Pruned counts what Prune removed.
type Pruned struct {
	Uses   int64 `json:"uses"`
	Passes int64 `json:"passes"`
	Cells  int64 `json:"cells"`
	Events int64 `json:"events"`
}

// CellStore keeps everything small: keys, revocation rules, login codes,
// counters. A cell lives in a group and is known by its key there. There is no
// delete: a value that means "gone" is written with an end, so that readers of
// the feed see it go.
type CellStore interface {
	// Cell returns one cell; ErrNotFound when it is absent or over at now.
	Cell(ctx context.Context, group, key string, now time.Time) (Cell, error)

	// Swap writes the cell if its Version is still the stored one; 0 means that
	// there must be none (or one that is over at now). It returns the cell with
	// its new Version; ErrConflict when somebody else was first.
	Swap(ctx context.Context, c Cell, now time.Time) (Cell, error)

	// Add adds to a counter atomically and returns its new value. A counter is a
	// cell whose Value is a decimal number; adding to any other is ErrConflict. One
	// that is absent or over starts at zero and lives for Window. When the sum
	// would pass Limit, or the range of int64, nothing is added, and the old value
	// comes back with false.
	Add(ctx context.Context, a Addition, now time.Time) (value int64, added bool, err error)

	// Cells returns the group's cells that are not over at now and have a Version
	// above since, in rising order of Version. Versions rise within a group in
	// the order in which writes become visible, so a reader that remembers the
	// last Version it saw misses nothing.
	Cells(ctx context.Context, group string, since uint64, now time.Time) ([]Cell, error)
}

// Cell is a small named value.
type Cell struct {
	Group, Key string
	Value      []byte
	// Version is the store's; each write of a group gets a higher one.
	Version uint64
	// ExpiresAt is when the cell is over; zero means never.
	ExpiresAt time.Time
}

// Addition is a step of a counter.
type Addition struct {
	Group, Key string
	// Delta is what to add, at least 1.
	Delta int64
	// Limit is the highest value the counter may reach; 0 means no limit.
	Limit int64
	// Window is how long a counter that starts here lives; 0 means for ever.
	Window time.Duration
}
