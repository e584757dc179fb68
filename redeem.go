package hallpass

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// maxRefunds is how many uses a pass may get back in all: a handler that fails
// for ever must not make a single-use link endless.
const maxRefunds = 3

// settleTimeout bounds how long the outcome of a use may take to be written.
const settleTimeout = 10 * time.Second

// Redemption is an honoured pass: one use, counted and durable. Whoever redeems
// says afterwards how it went, by Settle, Refund or Forward; the first wins. A
// use nobody settles stays counted and becomes UseUnknown.
type Redemption struct {
	// Entry is the pass as its row has it, after counting.
	Entry Entry
	// Use is the audit row.
	Use Use
	// Duplicate says that this UseKey was honoured before: nothing was counted, and
	// the caller should repeat its earlier answer rather than its work.
	Duplicate bool

	issuer  *Issuer
	behind  *Reservation // written when settled; nil when already durable
	silent  bool         // nothing is written at all
	settled atomic.Bool
}

// Decision is what Config.Observe is told: no token, no pass, nobody's name.
type Decision struct {
	// Scope is what the token was presented for; empty for a Check of any scope.
	Scope Scope
	// Redeem says that a use was asked for; otherwise it was a Check.
	Redeem bool
	// Duplicate says that the use had been counted before.
	Duplicate bool
	// Err is nil for a pass that was honoured, or found good.
	Err error
}

func (i *Issuer) observe(d Decision) {
	if i.cfg.Observe != nil {
		i.cfg.Observe(d)
	}
}

// Redeem honours a pass once, or refuses. Refusals are Refusal; a store or a
// revocation feed that does not answer is ErrUnavailable, and then nothing is
// honoured. A refusal after the signature was proven comes with a Redemption
// whose Entry names the pass, for the refusal page and the log; only its Entry
// is set.
func (i *Issuer) Redeem(ctx context.Context, p Presentation) (*Redemption, error) {
	r, err := i.redeem(ctx, p)
	i.observe(Decision{Scope: p.Scope, Redeem: true, Duplicate: err == nil && r.Duplicate, Err: err})
	i.noteRedeem(p, r, err)
	return r, err
}

func (i *Issuer) redeem(ctx context.Context, p Presentation) (*Redemption, error) {
	if p.Scope == "" {
		return nil, fieldErrorf("scope", "is required: the name of what is honoured here")
	}
	if len(p.UseKey) > 128 {
		return nil, fieldErrorf("use_id", "must be at most 128 bytes")
	}
	v, err := i.authenticate(ctx, p.Token)
	refused := &Redemption{Entry: Entry{Pass: v.Pass}}
	if err != nil {
		return refused, err
	}
	if err := i.judge(v, p, true); err != nil {
		return refused, err
	}
	if !i.outlasts(v, p) {
		return i.ask(ctx, v, p)
	}
	if i.rules.failing() {
		if r, err := i.outlast(ctx, v, p, errAway); !isAway(ctx, err) {
			return r, err
		}
	}
	r, err := i.ask(ctx, v, p)
	if isAway(ctx, err) {
		return i.outlast(ctx, v, p, err)
	}
	return r, err
}

// ask decides about a token that is authentic and in time, with the store.
func (i *Issuer) ask(ctx context.Context, v Verified, p Presentation) (*Redemption, error) {
	refused := &Redemption{Entry: Entry{Pass: v.Pass}}
	known := refused.Entry
	if err := i.addParents(ctx, &known); err != nil {
		return refused, err
	}
	ruled, err := i.withRules(ctx, known)
	switch {
	case errors.Is(err, RefusalRevoked):
		refused.Entry.RevokedAt = ruled.RevokedAt
		return refused, i.refuseUncounted(ctx, v, err)
	case err != nil:
		return refused, err
	}
	subjectErr := i.judgeSubject(ctx, v.Pass, p)
	if subjectErr != nil || (v.Pass.Mode == ModeSession && !p.Confirmed) {
		return refused, i.refuseUncounted(ctx, v, subjectErr)
	}
	return i.reserve(ctx, v, p)
}

// refuseUncounted is for refusals that come after the store's own in the order:
// the row is read, so that the first reason is the one given.
func (i *Issuer) refuseUncounted(ctx context.Context, v Verified, reason error) error {
	entry, err := i.standing(ctx, v)
	if err != nil {
		return err
	}
	if reason != nil {
		return reason
	}
	if v.spent(entry) {
		return RefusalSpent
	}
	return RefusalNeedsConfirmation
}

func (i *Issuer) reserve(ctx context.Context, v Verified, p Presentation) (*Redemption, error) {
	store, err := i.store()
	if err != nil {
		return nil, err
	}
	if v.foreign != nil && v.row != nil && v.row.RevokedAt.IsZero() && v.spent(*v.row) {
		return &Redemption{Entry: *v.row}, RefusalSpent
	}
	r := Reservation{Pass: v.Pass, KeepUntil: i.keepUntil(v.Pass.ExpiresAt), Use: i.useOf(v.Pass, p)}
	// A limit can be in the token or, after Amend, only in the row; a pass that
	// was issued without limit never gets one.
	if v.Pass.MaxUses == 0 && p.UseKey == "" && p.Audit != AuditDurable {
		if p.Audit == AuditOff || i.behind.isOpen() {
			return i.reserveBehind(ctx, v, r, p.Audit == AuditOff)
		}
	}
	counting := ctx
	if i.cfg.Seal {
		// A row that comes later than this could come after its minute was sealed.
		var cancel context.CancelFunc
		counting, cancel = context.WithTimeout(ctx, lateAfter)
		defer cancel()
	}
	got, err := store.Reserve(counting, r)
	if err != nil {
		return &Redemption{Entry: Entry{Pass: v.Pass}}, storeError(ctx, "the use was not counted", err)
	}
	if v.row == nil || v.foreign != nil {
		got.Entry = v.merge(got.Entry)
	}
	return &Redemption{Entry: got.Entry, Use: got.Use, Duplicate: got.Duplicate, issuer: i}, nil
}

// reserveBehind honours an unlimited pass from what this process knows of its
// row, at most MaxStale old, and writes the use when it is settled.
func (i *Issuer) reserveBehind(ctx context.Context, v Verified, r Reservation, silent bool) (*Redemption, error) {
	refused := &Redemption{Entry: Entry{Pass: v.Pass}}
	entry := refused.Entry
	if v.row != nil {
		entry = *v.row
	} else {
		row, err := i.recentRow(ctx, v.Pass.ID)
		switch {
		case err == nil:
			entry = v.merge(row)
		case !errors.Is(err, ErrNotFound):
			return refused, err
		case v.Pass.Recorded:
			return refused, RefusalUnknownPass
		}
	}
	if !entry.RevokedAt.IsZero() {
		return refused, RefusalRevoked
	}
	return &Redemption{Entry: entry, Use: r.Use, issuer: i, behind: &r, silent: silent}, nil
}

func (i *Issuer) useOf(pass Pass, p Presentation) Use {
	now := i.Now()
	u := Use{ID: newUUID(now), Pass: pass.ID, At: now, State: UsePending, Key: p.UseKey}
	if p.Audit != AuditOff {
		u.Subject, u.ClientIP = pass.Subject, cutText(p.ClientIP, 64)
		u.UserAgent, u.Method, u.Path = cutText(p.UserAgent, 512), cutText(p.Method, 16), cutText(p.Path, 1024)
	}
	return u
}

// Settle records the handler's status. It runs to its end even when ctx is
// cancelled: a client that hangs up must not leave the outcome unknown.
func (r *Redemption) Settle(ctx context.Context, status int) error {
	return r.settle(ctx, Settlement{State: UseSettled, Status: status})
}

// Refund gives the use back, unless it was settled before or the pass has had
// its three refunds; then it counts as settled.
func (r *Redemption) Refund(ctx context.Context, status int) error {
	return r.settle(ctx, Settlement{State: UseRefunded, Status: status})
}

// Forward records that the request was let through to somebody whose answer will
// never be known here.
func (r *Redemption) Forward(ctx context.Context) error {
	return r.settle(ctx, Settlement{State: UseForwarded})
}

func (r *Redemption) settle(ctx context.Context, s Settlement) error {
	if r.issuer == nil || r.Duplicate || r.settled.Swap(true) || r.silent {
		return nil
	}
	if r.behind != nil {
		if s.State != UseRefunded { // an unlimited use that is given back leaves nothing
			r.behind.Use.State, r.behind.Use.Status = s.State, s.Status
			r.issuer.writeBehind(*r.behind)
		}
		return nil
	}
	s.Pass, s.Use, s.MaxRefunds = r.Use.Pass, r.Use.ID, maxRefunds
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	use, err := r.issuer.cfg.Store.Settle(ctx, s)
	if err != nil {
		r.settled.Store(false) // nothing is settled: the caller may try again
		return unavailable("the outcome of a use was not written", err)
	}
	r.Use = use
	return nil
}

// RedeemOnce redeems and settles at once, for callers that have no outcome to
// wait for: a command line, an API that only asks.
func (i *Issuer) RedeemOnce(ctx context.Context, p Presentation, status int) (*Redemption, error) {
	p.Audit = AuditDurable
	r, err := i.Redeem(ctx, p)
	if err != nil {
		return r, err
	}
	return r, r.Settle(ctx, status)
}

// storeError passes on refusals and the end of the caller's context, and marks
// anything else as undecided.
func storeError(ctx context.Context, what string, err error) error {
	var refusal Refusal
	if errors.As(err, &refusal) || errors.Is(err, ErrNotFound) || errors.Is(err, ErrConflict) {
		return err
	}
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return fmt.Errorf("hallpass: %s: %w", what, err)
	}
	return unavailable(what, err)
}
