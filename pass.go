package hallpass

import (
	"encoding/json"
	"time"
)

// Scope names what a pass is for. A guarded handler asks for one scope and
// honours no other. At most 100 runes; scopes starting with "hallpass:" are
// hallpass's own.
type Scope string

// ScopeAPI is the scope of the passes that may call hallpass's own HTTP API.
const ScopeAPI Scope = "hallpass:api"

// Mode says whose request an honoured pass makes it.
type Mode string

const (
	// ModePublic carries data and no user.
	ModePublic Mode = "public"
	// ModeRequest makes the subject the user for one request and no longer.
	ModeRequest Mode = "request"
	// ModeSession signs the subject in.
	ModeSession Mode = "session"
)

// claim is the mode's letter in a token, as the Django packages write it.
func (m Mode) claim() string {
	switch m {
	case ModePublic:
		return "n"
	case ModeRequest:
		return "r"
	case ModeSession:
		return "s"
	}
	return ""
}

func modeOfClaim(letter string) (Mode, bool) {
	switch letter {
	case "n":
		return ModePublic, true
	case "r":
		return ModeRequest, true
	case "s":
		return ModeSession, true
	}
	return "", false
}

// Pass is what is permitted: by whom, for what, from when until when, how often.
// Here 0 and the zero time mean "no limit"; defaults exist only in Spec.
type Pass struct {
	// ID is a UUID as text: version 7 (time-ordered), or version 8 derived from
	// the token's hash for a short pass. A foreign pass's is made by ForeignID.
	ID string
	// Scope is the purpose.
	Scope Scope
	// Mode says whose request it becomes.
	Mode Mode
	// Subject is the user's id, in the application's own terms. Empty only in
	// public mode.
	Subject string
	// Data is the payload, any JSON; nil when there is none. A recorded pass
	// keeps it in the store and does not carry it in the token.
	Data json.RawMessage
	// Grants narrow the pass to methods and paths. Empty means any.
	Grants []Grant
	// Recipient notes who the pass was meant for, for the operator's eyes.
	Recipient string
	// Batch labels a campaign, so that its passes can be found and revoked together.
	Batch string
	// Target binds the pass to one path and query; empty means any. See Spec.Target.
	Target string
	// IssuedAt is in microseconds. Zero, from foreign tokens only, means unknown
	// and counts as older than any revocation.
	IssuedAt time.Time
	// NotBefore is in whole seconds, from foreign tokens also in fractions. Zero
	// means from the start.
	NotBefore time.Time
	// ExpiresAt is likewise, and exclusive. Zero means never.
	ExpiresAt time.Time
	// MaxUses is how often the pass is honoured. 0 means without limit.
	MaxUses int64
	// Recorded passes have a row from issue on and are nothing without it. The
	// row of an unrecorded pass comes to life at its first use.
	Recorded bool
	// Key is the id of the signing key, or of the ForeignKey; empty for a short pass.
	Key string
}

// Covers reports whether the pass's grants cover a request; path is as it was
// sent. A pass without grants covers all.
func (p Pass) Covers(method, path string) bool {
	return len(p.Grants) == 0 || method != "" && path != "" && granted(p.Grants, method, path)
}

// State is what a pass is worth at a moment.
type State string

// The states a pass can be in, in the order in which they are looked for: a
// revoked pass that has also expired is revoked.
const (
	StateRevoked     State = "revoked"
	StateSpent       State = "spent"
	StateExpired     State = "expired"
	StateNotYetValid State = "not_yet_valid"
	StateActive      State = "active"
)

// Entry is a pass together with what the store remembers of it.
type Entry struct {
	Pass
	// Used counts the uses that were not given back. It never falls by pruning.
	Used int64
	// Refunds counts the uses that were given back.
	Refunds int64
	// RevokedAt is when the pass was taken back; zero when it was not.
	RevokedAt time.Time
	// Browser is the hash of the cookie of the browser that asked for this pass,
	// empty when none did. That browser needs no confirmation page.
	Browser string
	// KeepUntil is when the row may be removed at the earliest; zero means never.
	KeepUntil time.Time
}

// UsesLeft returns how often the pass can still be honoured; limited is false
// when there is no limit.
func (e Entry) UsesLeft() (left int64, limited bool) {
	if e.MaxUses <= 0 {
		return 0, false
	}
	return max(0, e.MaxUses-e.Used), true
}

// State returns what the pass is worth at now.
func (e Entry) State(now time.Time) State {
	left, limited := e.UsesLeft()
	switch {
	case !e.RevokedAt.IsZero():
		return StateRevoked
	case limited && left == 0:
		return StateSpent
	case !e.ExpiresAt.IsZero() && !now.Before(e.ExpiresAt):
		return StateExpired
	case now.Before(e.NotBefore):
		return StateNotYetValid
	}
	return StateActive
}
