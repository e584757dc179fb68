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

// outageRead bounds the reading of a row while the store is in trouble: whoever has
// another row to go by need not wait for one that hangs.
const outageRead = time.Second

// outlast decides from what this process read of the revocations, no longer ago than
// Config.Outage, and from the pass's row; cause is the answer where it cannot.
func (i *Issuer) outlast(ctx context.Context, v Verified, p Presentation, cause error) (*Redemption, error) {
	refused := &Redemption{Entry: Entry{Pass: v.Pass}}
	if i.rules.age() > i.cfg.Outage {
		return refused, cause
	}
	entry, err := i.outlastingRow(ctx, v, cause)
	if err != nil {
		return refused, err
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

// outlastingRow reads the row, which may well be there when the feed is not. Only
// where it does not come either is it the one that was read before. That a recorded
// pass had no row then decides nothing: it may have been written since.
func (i *Issuer) outlastingRow(ctx context.Context, v Verified, cause error) (Entry, error) {
	limited, cancel := context.WithTimeout(ctx, outageRead)
	defer cancel()
	row, err := i.recentRow(limited, v.Pass.ID)
	switch {
	case err == nil:
		return v.merge(row), nil
	case errors.Is(err, ErrNotFound) && v.Pass.Recorded:
		return Entry{}, RefusalUnknownPass
	case errors.Is(err, ErrNotFound):
		return Entry{Pass: v.Pass}, nil
	case !isAway(ctx, err):
		return Entry{}, err
	}
	hit, known, _ := i.entries.find(v.Pass.ID, i.cfg.Outage)
	switch {
	case !known, hit.absent && v.Pass.Recorded:
		return Entry{}, cause
	case hit.absent:
		return Entry{Pass: v.Pass}, nil
	}
	return v.merge(hit.entry), nil
}

// isAway reports whether an error is the store's silence rather than the caller's
// impatience.
func isAway(ctx context.Context, err error) bool {
	return errors.Is(err, ErrUnavailable) && ctx.Err() == nil
}

// failing reports whether the feed was asked and did not answer, so that whoever can
// do without it need not wait for it. Without Run that is forgotten after a second,
// because somebody has to try.
func (r *rules) failing() bool {
	at := r.failedAt.Load()
	return at != 0 && (r.polled.Load() || time.Now().UnixNano()-at < int64(2*pollEvery))
}
