package hallpass

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Change says how to amend a pass. A pass only ever gets more: what takes away is
// revoking.
type Change struct {
	// AddUses is how many more uses the pass gets. It needs a recorded pass with a
	// limit.
	AddUses int64
	// ExpiresAt is the new end, rounded up to a second. It must lie behind the old
	// one.
	ExpiresAt time.Time
	// TTL is the new life, from now; the other way to say ExpiresAt.
	TTL time.Duration
	// From, when set, is the pass as the caller knows it: ErrConflict when its
	// limit or its end has changed meanwhile.
	From *Entry
}

// Amend gives a pass more uses or a later end. A short token lives longer by its
// row alone. A signed one says its end itself, so extending it returns a new
// token (FormatSigned) for the same pass; the old one ends when it said. Where no
// new token is needed, Issued has none.
//
// Its errors are *FieldError for what this pass cannot get, ErrNotFound without a
// row, ErrConflict for a revoked pass or a From that is no longer true, and
// ErrUnavailable.
func (i *Issuer) Amend(ctx context.Context, id string, c Change) (Issued, error) {
	entry, err := i.Entry(ctx, id)
	if err != nil {
		return Issued{}, err
	}
	if !entry.RevokedAt.IsZero() {
		return Issued{}, fmt.Errorf("%w: the pass was taken back, and stays so", ErrConflict)
	}
	a, err := i.amendmentOf(entry, c)
	if err != nil {
		return Issued{}, err
	}
	key, canSign := i.cfg.Keys.Active()
	newToken := !a.ExpiresAt.IsZero() && entry.Key != ""
	if newToken {
		if !canSign || i.cfg.Instance == "*" {
			return Issued{}, errNoActiveKey
		}
		extended := entry.Pass
		extended.ExpiresAt = a.ExpiresAt
		if _, err := i.signToken(key, extended, FormatSigned); err != nil {
			return Issued{}, err // before anything is written
		}
	}
	if c.From != nil {
		if err := i.claimChange(ctx, entry, *c.From); err != nil {
			return Issued{}, err
		}
	}
	store, err := i.store()
	if err != nil {
		return Issued{}, err
	}
	amended, err := store.Amend(ctx, a)
	if err != nil {
		return Issued{}, storeError(ctx, "the pass was not amended", err)
	}
	i.entries.forget(id)
	issued := Issued{Entry: amended}
	if newToken {
		// The time of issue stays: a group revocation that reaches the old token
		// reaches this one too.
		issued.Key = key.id
		issued.Token, err = i.signToken(key, issued.Pass, FormatSigned)
	}
	return issued, err
}

// Amended returns the pass as a change would leave it, and writes nothing. Its
// errors are those of Amend.
func (i *Issuer) Amended(entry Entry, c Change) (Pass, error) {
	a, err := i.amendmentOf(entry, c)
	p := entry.Pass
	p.MaxUses += a.AddUses
	if !a.ExpiresAt.IsZero() {
		p.ExpiresAt = a.ExpiresAt
	}
	return p, err
}

func (i *Issuer) amendmentOf(entry Entry, c Change) (Amendment, error) {
	a := Amendment{Pass: entry.ID, AddUses: c.AddUses}
	end, field, err := i.newEnd(c)
	if err != nil {
		return a, err
	}
	now := i.Now()
	switch {
	case c.AddUses < 0:
		return a, fieldErrorf("add_uses", "must not be negative")
	case c.AddUses == 0 && end.IsZero():
		return a, fieldErrorf("add_uses", "is missing, and so is a later end: there is nothing to change")
	case c.AddUses > 0 && !entry.Recorded:
		return a, fieldErrorf("add_uses", "needs a recorded pass; what this one permits stands in its token")
	case c.AddUses > 0 && entry.MaxUses == 0:
		return a, fieldErrorf("add_uses", "needs a pass with a limit; this one has none")
	case c.AddUses > maxMaxUses-entry.MaxUses:
		return a, fieldErrorf("add_uses", "would make more than %d uses in all", maxMaxUses)
	case end.IsZero():
		return a, nil
	case isForeignID(entry.ID):
		return a, fieldErrorf(field, "cannot be given to a pass of another system, whose token says its end")
	case entry.ExpiresAt.IsZero():
		return a, fieldErrorf(field, "needs a pass with an end; this one has none")
	case !end.After(entry.ExpiresAt):
		return a, fieldErrorf(field, "must give a later end than %s; revoke a pass to end it", entry.ExpiresAt.Format(time.RFC3339))
	case !now.Before(end):
		return a, fieldErrorf(field, "ends the pass at %s, which is already past", end.Format(time.RFC3339))
	case end.After(ceilSecond(now.Add(maxTTL))):
		return a, fieldErrorf(field, "is more than 100 years away")
	case entry.Mode == ModeSession && end.After(ceilSecond(now.Add(i.cfg.SessionCap))):
		return a, fieldErrorf(field, "a session pass may live %s at most", i.cfg.SessionCap)
	}
	a.ExpiresAt, a.KeepUntil = end, i.keepUntil(end)
	return a, nil
}

// newEnd reads the end that a change asks for, and under which name it did.
func (i *Issuer) newEnd(c Change) (end time.Time, field string, err error) {
	switch {
	case c.TTL != 0 && !c.ExpiresAt.IsZero():
		return end, "ttl", fieldErrorf("ttl", "and expires_at say the same thing; give one of them")
	case c.TTL < 0:
		return end, "ttl", fieldErrorf("ttl", "must be positive")
	case c.TTL > maxTTL:
		return end, "ttl", fieldErrorf("ttl", "must be at most 100 years")
	case c.TTL > 0:
		return ceilSecond(i.Now().Add(c.TTL)), "ttl", nil
	case outsideCalendar(c.ExpiresAt):
		return end, "expires_at", fieldErrorf("expires_at", "must lie between the years 1970 and 9999")
	}
	return ceilSecond(c.ExpiresAt), "expires_at", nil
}

// changeLease is how long a conditional change keeps others with the same
// condition out. Afterwards the row itself tells them.
const changeLease = 10 * time.Second

// claimChange lets one caller make the change that begins at from. Reading the row
// and amending it are two steps, and two callers could otherwise both find it as
// they knew it.
func (i *Issuer) claimChange(ctx context.Context, entry, from Entry) error {
	conflict := fmt.Errorf("%w: the pass was amended meanwhile", ErrConflict)
	if entry.MaxUses != from.MaxUses || !entry.ExpiresAt.Equal(from.ExpiresAt) {
		return conflict
	}
	store, err := i.store()
	if err != nil {
		return err
	}
	now := i.Now()
	state := entry.ID + " " + strconv.FormatInt(entry.MaxUses, 10) + " " + strconv.FormatInt(entry.ExpiresAt.Unix(), 10)
	_, err = store.Swap(ctx, Cell{Group: "amendments", Key: state, ExpiresAt: now.Add(changeLease)}, now)
	if errors.Is(err, ErrConflict) {
		return conflict
	}
	if err != nil {
		return storeError(ctx, "the pass was not amended", err)
	}
	return nil
}

// SettleUse settles a use by its id, for a caller that reserved it in an earlier
// request and has no Redemption: the first settlement wins, and the use is
// returned as it then stands. refund gives it back, at most three times a pass;
// then it counts as settled. ErrNotFound means that this pass has no such use.
func (i *Issuer) SettleUse(ctx context.Context, passID, useID string, status int, refund bool) (Use, error) {
	store, err := i.store()
	if err != nil {
		return Use{}, err
	}
	if status < 0 || status > 999 {
		return Use{}, fieldErrorf("status", "must be an HTTP status, or 0 where there was none")
	}
	s := Settlement{Pass: passID, Use: useID, State: UseSettled, Status: status, MaxRefunds: maxRefunds}
	if refund {
		s.State = UseRefunded
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	use, err := store.Settle(ctx, s)
	if err != nil {
		return use, storeError(ctx, "the outcome of a use was not written", err)
	}
	return use, nil
}
