package login

import (
	"context"
	"strconv"
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
		claimed.undo(ctx)
		return Identity{}, err
	}
	if !right {
		return Identity{}, hallpass.RefusalBadSignature
	}
	id, err := l.finish(ctx, f, e.Client, func(now *flow) error {
		if handedOver && !l.now().Before(now.HandOverEnds) {
			return hallpass.RefusalExpired
		}
		return nil
	})
	if err != nil {
		claimed.undo(ctx)
		return Identity{}, err
	}
	claimed.succeeded(ctx)
	id.HandedOver = handedOver
	l.note(id, e.Client, "by code")
	return id, nil
}

// finish asks the application, and then uses the flow up: of several who are right
// at once, one gets in.
func (l *Login) finish(ctx context.Context, f flow, c Client, check func(*flow) error) (Identity, error) {
	id, err := l.identify(ctx, f.Address)
	if err != nil {
		return Identity{}, err
	}
	id.Next = f.Next
	if err := l.notRevoked(ctx, id.Subject, f.Began); err != nil { // the subject need not be the address
		return Identity{}, err
	}
	err = edit(ctx, l.cells, l.place("flows", f.ID), func(now *flow, exists bool) (time.Time, error) {
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
	if err := l.know(ctx, f.Address, c); err != nil {
		l.cfg.Logger.Warn("a login succeeded, but its network is not remembered", "error", err)
	}
	return id, nil
}

func (l *Login) accountPlace(address mail.Address) place {
	return l.place("failures", hashed(string(address)))
}

func (l *Login) networkPlace(c Client) place { return l.place("network", hashed(c.network())) }

// claims is what an attempt was counted in, step by step.
type claims struct {
	l       *Login
	flow    *flow
	account place
	buckets []bucketClaim
	// What was counted, and goes back for an attempt that nobody looked at.
	tried, failed bool
}

// bucketClaim is one of the networks' or everybody's.
type bucketClaim struct {
	what  string
	at    place
	rate  rate
	taken bool
}

// claimAll counts an attempt before it is looked at. The flow comes first: who
// holds no flow that can still be used moves no other counter. The account comes
// last, so that a network that is turned away makes nobody wait.
func (l *Login) claimAll(ctx context.Context, f *flow, client Client) (*claims, error) {
	c := &claims{l: l, flow: f, account: l.accountPlace(f.Address), buckets: []bucketClaim{
		{what: "network", at: l.networkPlace(client), rate: rate{l.cfg.Limits.NetworkFailures, time.Hour}},
		l.everybody(f),
	}}
	err := l.try(ctx, f, 1)
	c.tried = err == nil
	if err == nil {
		err = c.takeBuckets(ctx, client)
	}
	if err == nil {
		var wait time.Duration
		wait, err = l.claim(ctx, c.account)
		c.failed = err == nil && wait <= 0
		if err == nil && wait > 0 {
			err = l.blocked(ctx, Blocked{What: "account", Address: string(f.Address), RetryAfter: wait})
		}
	}
	if err != nil {
		c.undo(ctx)
	}
	return c, err
}

func (c *claims) takeBuckets(ctx context.Context, client Client) error {
	waits := make([]time.Duration, len(c.buckets))
	var steps []func() error
	for i := range c.buckets {
		b := &c.buckets[i]
		steps = append(steps, func() (err error) {
			waits[i], err = c.l.cells.take(ctx, b.at, b.rate)
			b.taken = err == nil && waits[i] <= 0
			return err
		})
	}
	if err := together(steps...); err != nil {
		return err
	}
	for i, wait := range waits {
		if wait > 0 {
			return c.l.blocked(ctx, Blocked{What: c.buckets[i].what, Network: client.network(), RetryAfter: wait})
		}
	}
	return nil
}

// undo takes back what was counted for an attempt that nobody looked at, whether
// or not its client is still there.
func (c *claims) undo(ctx context.Context) {
	c.giveBack(ctx, false)
}

// succeeded takes back what a correct code was counted as, but for its try.
func (c *claims) succeeded(ctx context.Context) {
	c.tried = false
	c.giveBack(ctx, true)
}

func (c *claims) giveBack(ctx context.Context, success bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	steps := []func() error{func() error { return nil }}
	if c.tried {
		steps = append(steps, func() error { return c.l.try(ctx, c.flow, -1) })
	}
	if c.failed {
		steps = append(steps, func() error { return c.l.unclaim(ctx, c.account, success) })
	}
	for _, b := range c.buckets {
		if b.taken {
			steps = append(steps, func() error { return c.l.cells.giveBack(ctx, b.at, b.rate) })
		}
	}
	if err := together(steps...); err != nil {
		if _, refused := hallpass.RefusalOf(err); !refused { // the flow has ended since
			c.l.cfg.Logger.Warn("an attempt to log in still counts although it should not", "error", err)
		}
	}
}

// try counts a try of a flow, or takes one back that nobody looked at.
func (l *Login) try(ctx context.Context, f *flow, n int) error {
	return edit(ctx, l.cells, l.place("flows", f.ID), func(now *flow, exists bool) (time.Time, error) {
		switch {
		case !exists:
			return time.Time{}, hallpass.RefusalExpired
		case now.Done || n > 0 && now.Tries >= l.cfg.Limits.Tries:
			return time.Time{}, hallpass.RefusalSpent
		}
		now.Tries = max(now.Tries+n, 0)
		*f = *now
		return now.Ends.Add(flowKept), nil
	})
}

// everybody is the fuse for wrong codes from all networks together. It stands in
// several cells, or every login would wait for the same one.
func (l *Login) everybody(f *flow) bucketClaim {
	limit := l.cfg.Limits.GlobalFailures
	parts := min(max(limit/500, 1), 16)
	part := int(f.ID[0]) % parts
	return bucketClaim{what: "global", at: l.place("everybody", strconv.Itoa(part)), rate: rate{limit / parts, time.Hour}}
}
