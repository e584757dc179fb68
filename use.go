package hallpass

import "time"

// UseState says how a use ended.
type UseState string

const (
	// UsePending: reserved, the handler has not answered yet.
	UsePending UseState = "pending"
	// UseSettled: the handler answered; Status is its status.
	UseSettled UseState = "settled"
	// UseRefunded: given back; it does not count.
	UseRefunded UseState = "refunded"
	// UseForwarded: let through to an upstream whose answer hallpass never sees.
	UseForwarded UseState = "forwarded"
	// UseUnknown: still pending long after it began. The process died, or the
	// outcome could not be written. It counts.
	UseUnknown UseState = "unknown"
)

// Use is one redemption: the audit row.
type Use struct {
	// ID is a UUIDv7 of ours.
	ID string
	// Pass is the id of the pass that was used.
	Pass string
	// Subject is the pass's subject at the time.
	Subject string
	// At is when it was reserved, in microseconds. A use of an unlimited pass that is
	// written behind (AuditBehind), more than a minute after, stands under the moment
	// at which it was written, and under an id of that moment.
	At time.Time
	// ClientIP is the caller's address, empty when unknown.
	ClientIP string
	// UserAgent is cut to 512 bytes.
	UserAgent string
	// Method and Path are the request's; the path has no query, so no token.
	Method string
	Path   string
	// Status is the HTTP status the handler answered, 0 when there was none.
	Status int
	// State says how it ended.
	State UseState
	// Key is the caller's idempotency key, at most 128 bytes, unique per pass;
	// empty when there was none. A refunded use gives its key back.
	Key string
}
