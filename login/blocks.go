package login

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/mail"
)

// Block is an account or a network that is turned away now, for operators.
type Block struct {
	// What is "account" or "network", for wrong codes, or "network_sends", for mails.
	What string
	// Name is the whole address, or the network.
	Name string
	// Failures is how many wrong codes in a row count against an account; 0 for
	// networks.
	Failures int
	// Since is when somebody was first turned away, Until when the block ends.
	Since, Until time.Time
}

// blockCell is a block as it was first met. What is counted is under hashes of
// names, so without it nobody could tell whom a count is about; it ends with the
// block.
type blockCell struct {
	What  string    `json:"what"`
	Name  string    `json:"name"`
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
}

const (
	// blocksPerHour bounds what strangers can make this keep, in all processes.
	blocksPerHour = 500
	// blocksListed is how many of them are looked at for a list.
	blocksListed = 200
)

// blocksGroup is one group and not spread, because it is read as a whole.
func (l *Login) blocksGroup() string { return l.realm + "-blocked" }

func (l *Login) blockPlace(what, name string) place {
	return place{l.blocksGroup(), hashed(what, name)}
}

// held is where what turns somebody away is counted, by what it is.
func (l *Login) held(what, name string) (at place, isAccount, known bool) {
	switch what {
	case "account":
		return l.accountPlace(mail.Address(name)), true, true
	case "network":
		return l.place("network", hashed(name)), false, true
	case "network_sends":
		return l.place("network_sends", hashed(name)), false, true
	}
	return place{}, false, false
}

// remember keeps a block for operators. It is no part of the limit: when it fails,
// or there are too many, nobody is let in for it.
func (l *Login) remember(ctx context.Context, b Blocked) {
	name := b.Address
	if name == "" {
		name = b.Network
	}
	if _, _, known := l.held(b.What, name); !known || name == "" {
		return
	}
	at, now := l.blockPlace(b.What, name), l.now()
	until := now.Add(b.RetryAfter)
	// Whoever is turned away comes again and again; what stands there is good enough
	// while it does not end much too early.
	if cell, seen := l.cells.seen.find(at); seen {
		if old, err := decode[blockCell](cell); err == nil && until.Sub(old.Until) < time.Second+until.Sub(now)/10 && old.Until.After(now) {
			return
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	err := l.keepBlock(ctx, at, blockCell{What: b.What, Name: name, Since: now, Until: until})
	if err != nil {
		l.cfg.Logger.Warn("a block is not in the list of blocks", "what", b.What, "error", err)
	}
}

// keepBlock writes a block, or moves the end of one that is there.
func (l *Login) keepBlock(ctx context.Context, at place, fresh blockCell) error {
	_, _, err := read[blockCell](ctx, l.cells, at)
	if errors.Is(err, hallpass.ErrNotFound) {
		var wait time.Duration
		if wait, err = l.cells.take(ctx, l.place("blocked-count", ""), rate{blocksPerHour, time.Hour}); wait > 0 {
			return err
		}
	}
	if err != nil {
		return err
	}
	return edit(ctx, l.cells, at, func(kept *blockCell, exists bool) (time.Time, error) {
		if !exists {
			*kept = fresh
		}
		kept.Until = fresh.Until
		return fresh.Until, nil
	})
}

// Blocks returns the accounts and networks that are turned away now, the newest
// first. It knows those of which an attempt was turned away, up to 500 new ones an
// hour; what it does not know is turned away all the same.
func (l *Login) Blocks(ctx context.Context) ([]Block, error) {
	found, err := l.cells.store.Cells(ctx, l.blocksGroup(), 0, l.now())
	if err != nil {
		return nil, unavailable("the blocks could not be read", err)
	}
	var kept []blockCell
	for _, cell := range found {
		var b blockCell
		if json.Unmarshal(cell.Value, &b) == nil && b.Until.After(l.now()) {
			kept = append(kept, b)
		}
	}
	slices.SortFunc(kept, func(a, b blockCell) int { return b.Since.Compare(a.Since) })
	var all []Block
	for _, b := range kept[:min(len(kept), blocksListed)] {
		// What counts may say by now that it is over: a link was used, or time passed.
		failures, until, err := l.blockNow(ctx, b.What, b.Name)
		if err != nil {
			return nil, err
		}
		if until.After(l.now()) {
			all = append(all, Block{What: b.What, Name: b.Name, Failures: failures, Since: b.Since, Until: until})
		}
	}
	return all, nil
}

// blockNow is until when somebody is turned away; in the past when nobody is.
func (l *Login) blockNow(ctx context.Context, what, name string) (count int, until time.Time, err error) {
	at, isAccount, known := l.held(what, name)
	switch {
	case !known:
	case isAccount:
		f, _, err := read[failures](ctx, l.cells, at)
		if err != nil && !errors.Is(err, hallpass.ErrNotFound) {
			return 0, until, err
		}
		return f.forgiven(l.cfg.Limits, l.now()).Count, time.UnixMicro(f.Until), nil
	default:
		r := rate{l.cfg.Limits.NetworkFailures, time.Hour}
		if what == "network_sends" {
			r.burst = l.cfg.Limits.NetworkSends
		}
		b, _, err := read[bucket](ctx, l.cells, at)
		if err != nil && !errors.Is(err, hallpass.ErrNotFound) {
			return 0, until, err
		}
		if !r.unlimited() {
			until = time.UnixMicro(b.TAT).Add(r.step() - r.per) // when the next one can be taken
		}
	}
	return 0, until, nil
}

// Unblock lets an account or a network try again at once, as if nothing had been
// counted. It is hallpass.ErrNotFound when it is not turned away now, and a
// *hallpass.FieldError for what there is no such block of.
func (l *Login) Unblock(ctx context.Context, what, name string) error {
	at, isAccount, known := l.held(what, name)
	if !known {
		return wrong("what", "must be account, network or network_sends")
	}
	_, until, err := l.blockNow(ctx, what, name)
	if err != nil {
		return err
	}
	if !until.After(l.now()) {
		return hallpass.ErrNotFound
	}
	if isAccount {
		return l.absolve(ctx, at)
	}
	return edit(ctx, l.cells, at, func(b *bucket, exists bool) (time.Time, error) {
		if !exists {
			return time.Time{}, errUnchanged
		}
		*b = bucket{}
		return l.now().Add(time.Second), nil
	})
}
