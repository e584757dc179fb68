package hallpass

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// outlasts reports whether a use may go on while the store does not answer: there is
// nothing to count, nothing to write down and nothing to read but revocations.
// Session passes begin something, and hallpass's own passes lead to the store.
func (i *Issuer) outlasts(v Verified, p Presentation) bool {
	return i.cfg.Outage > 0 && p.Audit == AuditOff && p.UseKey == "" && v.row == nil && v.foreign == nil &&
		v.Pass.MaxUses == 0 && v.Pass.Mode != ModeSession && !v.Pass.isReserved()
}

var errAway = fmt.Errorf("%w: the store did not answer just now", ErrUnavailable)

// outlast decides from what this process read of the revocations and of the pass's
// row, neither of it older than Config.Outage; cause is the answer where it did not.
func (i *Issuer) outlast(ctx context.Context, v Verified, p Presentation, cause error) (*Redemption, error) {
	entry := Entry{Pass: v.Pass}
	hit, known, _ := i.entries.find(v.Pass.ID, i.cfg.Outage)
	switch {
	case !known || i.rules.age() > i.cfg.Outage:
		return &Redemption{Entry: entry}, cause
	case !hit.absent:
		entry = v.merge(hit.entry)
	case v.Pass.Recorded:
		return &Redemption{Entry: entry}, RefusalUnknownPass
	}
	if entry.RevokedAt.IsZero() {
		entry.RevokedAt = i.rules.match(entry.Pass)
	}
	if !entry.RevokedAt.IsZero() {
		return &Redemption{Entry: entry}, RefusalRevoked
	}
	if err := i.judgeSubject(ctx, v.Pass, p); err != nil {
		return &Redemption{Entry: entry}, err
	}
	r := Reservation{Pass: v.Pass, Use: i.useOf(v.Pass, p)}
	return &Redemption{Entry: entry, Use: r.Use, issuer: i, behind: &r, silent: true}, nil
}

// isAway reports whether an error is the store's silence rather than the caller's
// impatience.
func isAway(ctx context.Context, err error) bool {
	return errors.Is(err, ErrUnavailable) && ctx.Err() == nil
}

// failing reports whether the feed was asked a moment ago and did not answer, so
// that whoever can do without it need not wait for it.
func (r *rules) failing() bool {
	at := r.failedAt.Load()
	return at != 0 && time.Now().UnixNano()-at < int64(failingFor)
}

// failingFor is longer than Run pauses between its attempts.
const failingFor = 2 * pollEvery
