package login

import (
	"context"
	"errors"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/mail"
)

// Entry is a code that somebody entered.
type Entry struct {
	// Email must be the address the code was asked for; empty takes the flow's.
	Email string
	Code  string
	// Flow is the flow token of Begun.
	Flow   string
	Client Client
}

// ByCode proves an address by the code that was mailed to it, once. A code is
// looked at only after it was counted: as a try of its flow, and as a failure of
// its account and of its network, which a correct one takes back.
//
// It refuses with hallpass.RefusalMissing, RefusalMalformed, RefusalUnknownPass or
// RefusalBadSignature for a flow that is none; with RefusalExpired, RefusalSpent
// or RefusalRevoked for one that is over; with RefusalBadSignature for a wrong code
// and RefusalUnknownSubject for an address that may not log in; with *Throttled
// where too much was guessed; and it is hallpass.ErrUnavailable where that cannot
// be told.
func (l *Login) ByCode(ctx context.Context, e Entry) (_ Identity, err error) {
	defer l.observe(StepCode, &err)
	code := plainCode(e.Code)
	if code == "" || len(code) > 64 {
		return Identity{}, wrong("code", "is required: it stands in the mail")
	}
	f, err := l.flowOf(ctx, flowLetter, e.Flow)
	if err == nil {
		err = l.usable(ctx, &f)
	}
	if err != nil {
		return Identity{}, err
	}
	if e.Email != "" {
		address, err := mail.ParseAddress(e.Email)
		if err != nil {
			return Identity{}, err
		}
		if address != f.Address {
			return Identity{}, hallpass.RefusalUnknownPass
		}
	}
	claimed, err := l.claimAll(ctx, &f, e.Client)
	if err != nil {
		return Identity{}, err
	}
	right, handedOver, err := l.rightCode(&f, code)
	if err != nil {
		return Identity{}, errors.Join(err, claimed.release(ctx, false))
	}
	if !right {
		l.countGlobally(ctx)
		return Identity{}, hallpass.RefusalBadSignature
	}
	id, err := l.finish(ctx, f, func(now *flow) error {
		if handedOver && !l.now().Before(now.HandOverEnds) {
			return hallpass.RefusalExpired
		}
		return nil
	})
	if releaseErr := claimed.release(ctx, err == nil); releaseErr != nil {
		l.cfg.Logger.Warn("a login succeeded, but its attempt still counts as a failure", "error", releaseErr)
	}
	id.HandedOver = handedOver
	return id, err
}

// finish asks the application, and then uses the flow up: of several who are right
// at once, one gets in.
func (l *Login) finish(ctx context.Context, f flow, check func(*flow) error) (Identity, error) {
	id, err := l.identify(ctx, f.Address)
	if err != nil {
		return Identity{}, err
	}
	id.Next = f.Next
	if err := l.notRevoked(ctx, id.Subject, f.Began); err != nil { // the subject need not be the address
		return Identity{}, err
	}
	err = edit(ctx, l.cells, placeOf(flowKind, f.ID), func(now *flow, exists bool) (time.Time, error) {
		if !exists {
			return time.Time{}, hallpass.RefusalExpired
		}
		if err := l.usable(ctx, now); err != nil {
			return time.Time{}, err
		}
		if err := check(now); err != nil {
			return time.Time{}, err
		}
		now.Done, now.Sealed = true, nil
		return now.Ends.Add(flowKept), nil
	})
	if err != nil {
		return Identity{}, err
	}
	return id, nil
}

// claims is what an attempt was counted in.
type claims struct {
	l                *Login
	account, network place
}

func (c claims) release(ctx context.Context, success bool) error {
	return together(
		func() error { return c.l.unclaim(ctx, c.account, success) },
		func() error { return c.l.cells.giveBack(ctx, c.network, c.l.networkFailures()) },
	)
}

func (l *Login) networkFailures() rate { return rate{l.cfg.Limits.NetworkFailures, time.Hour} }

func accountPlace(address mail.Address) place {
	return placeOf("login-failures", hashed(string(address)))
}

func networkPlace(c Client) place { return placeOf("login-network", hashed(c.network())) }

// claimAll counts an attempt before it is looked at. The flow comes first: who
// holds no flow that can still be used moves no other counter.
func (l *Login) claimAll(ctx context.Context, f *flow, client Client) (claims, error) {
	c := claims{l, accountPlace(f.Address), networkPlace(client)}
	if err := l.globallyBlocked(ctx); err != nil {
		return c, err
	}
	if err := l.try(ctx, f, 1); err != nil {
		return c, err
	}
	var account, network time.Duration
	err := together(
		func() (err error) { account, err = l.claim(ctx, c.account); return err },
		func() (err error) { network, err = l.cells.take(ctx, c.network, l.networkFailures()); return err },
	)
	if err == nil && account <= 0 && network <= 0 {
		return c, nil
	}
	// Not looked at: what was counted goes back.
	back := []func() error{func() error { return l.try(ctx, f, -1) }}
	if account <= 0 {
		back = append(back, func() error { return l.unclaim(ctx, c.account, false) })
	}
	if network <= 0 {
		back = append(back, func() error { return l.cells.giveBack(ctx, c.network, l.networkFailures()) })
	}
	switch {
	case err != nil:
		return c, err
	case account >= network:
		err = l.blocked(Blocked{What: "account", Address: string(f.Address), RetryAfter: account})
	default:
		err = l.blocked(Blocked{What: "network", Network: client.network(), RetryAfter: network})
	}
	return c, errors.Join(err, together(back...))
}

// try counts a try of a flow, or takes one back that nobody looked at.
func (l *Login) try(ctx context.Context, f *flow, n int) error {
	return edit(ctx, l.cells, placeOf(flowKind, f.ID), func(now *flow, exists bool) (time.Time, error) {
		switch {
		case !exists:
			return time.Time{}, hallpass.RefusalExpired
		case now.Done || n > 0 && now.Tries >= l.cfg.Limits.Tries:
			return time.Time{}, hallpass.RefusalSpent
		}
		now.Tries += n
		*f = *now
		return now.Ends.Add(flowKept), nil
	})
}

// The global fuse counts wrong codes by the hour, after the fact: it is there for
// the thousands, and one cell that every login must write would slow all down.
func globalPlace(now time.Time) place {
	return place{"login-global", now.Truncate(time.Hour).Format(time.RFC3339)}
}

func (l *Login) globallyBlocked(ctx context.Context) error {
	limit := l.cfg.Limits.GlobalFailures
	if limit < 0 {
		return nil
	}
	now := l.now()
	count, _, err := read[int](ctx, l.cells, globalPlace(now))
	if errors.Is(err, hallpass.ErrNotFound) || err == nil && count < limit {
		return nil
	}
	if err != nil {
		return err
	}
	return l.blocked(Blocked{What: "global", RetryAfter: now.Truncate(time.Hour).Add(time.Hour).Sub(now)})
}

func (l *Login) countGlobally(ctx context.Context) {
	if l.cfg.Limits.GlobalFailures < 0 {
		return
	}
	at := globalPlace(l.now())
	_, _, err := l.cells.store.Add(ctx, hallpass.Addition{Group: at.group, Key: at.key, Delta: 1, Window: 2 * time.Hour}, l.now())
	if err != nil {
		l.cfg.Logger.Warn("a wrong code was not counted globally", "error", err)
	}
}
