package login

import (
	"context"
	"crypto/subtle"
	"errors"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/mail"
)

// Pending is a login whose link somebody opened. Nothing is used up by looking.
type Pending struct {
	Address mail.Address
	// Here says that this browser began it: its flow token is the flow's.
	Here  bool
	Began time.Time
	Ends  time.Time
	Where Where
}

// Look says what a link would do, for the page that asks. flow is this browser's
// flow token, if it has one. Its refusals are those of ByLink.
func (l *Login) Look(ctx context.Context, link, flowToken string) (Pending, error) {
	f, err := l.flowOf(ctx, linkLetter, link)
	if err == nil {
		err = l.usable(ctx, &f)
	}
	if err != nil {
		return Pending{}, err
	}
	return Pending{Address: f.Address, Here: f.isHeldBy(flowToken), Began: f.Began, Ends: f.Ends, Where: f.Where}, nil
}

func (f *flow) isHeldBy(token string) bool {
	id, secret, ok := splitToken(flowLetter, token)
	return ok && id == f.ID && subtle.ConstantTimeCompare(f.Secret, secretHash(flowLetter, id, secret)) == 1
}

// ByLink proves an address by the link that was mailed to it, once, for the
// browser that sends it: where the login began, or where somebody said "continue
// here". It works whatever was guessed, and lifts what guesses have brought about.
//
// It refuses like ByCode, but never with *Throttled.
func (l *Login) ByLink(ctx context.Context, link string, c Client) (_ Identity, err error) {
	defer l.observe(StepLink, &err)
	f, err := l.flowOf(ctx, linkLetter, link)
	if err == nil {
		err = l.usable(ctx, &f)
	}
	if err != nil {
		return Identity{}, err
	}
	id, err := l.finish(ctx, f, c, func(*flow) error { return nil })
	if err != nil {
		return Identity{}, err
	}
	if err := l.absolve(ctx, l.accountPlace(f.Address)); err != nil {
		l.cfg.Logger.Warn("a link was used, but the account's failures still count", "error", err)
	}
	l.note(id, c, "by link")
	return id, nil
}

// HandOver returns a code for the device where the login began, to be shown on the
// page of a link that was opened elsewhere, and typed there by hand. It is shown
// once and works for Config.HandOverTTL. So nothing is ever approved from afar: who
// types it, reads it. The link still works until one of them was used.
func (l *Login) HandOver(ctx context.Context, link string) (code string, ends time.Time, err error) {
	if l.cfg.NoHandOver {
		return "", time.Time{}, hallpass.RefusalNotGranted
	}
	f, err := l.flowOf(ctx, linkLetter, link)
	if err == nil {
		err = l.usable(ctx, &f)
	}
	if err != nil {
		return "", time.Time{}, err
	}
	peppers, err := l.secrets(pepperPurpose)
	if err != nil {
		return "", time.Time{}, err
	}
	code = newCode(l.cfg.CodeDigits)
	err = edit(ctx, l.cells, l.place("flows", f.ID), func(now *flow, exists bool) (time.Time, error) {
		if !exists {
			return time.Time{}, hallpass.RefusalExpired
		}
		if err := l.usable(ctx, now); err != nil {
			return time.Time{}, err
		}
		if now.HandedOver {
			return time.Time{}, hallpass.RefusalSpent
		}
		ends = l.now().Add(l.cfg.HandOverTTL)
		now.HandedOver, now.HandOver, now.HandOverEnds = true, codeMAC(peppers[0], "hand-over", now, code), ends
		now.Tries = max(now.Tries-1, 0) // at least one try for it
		if now.Ends.Before(ends) {
			now.Ends = ends
		}
		return now.Ends.Add(flowKept), nil
	})
	if err != nil {
		return "", time.Time{}, err
	}
	if err := l.absolve(ctx, l.accountPlace(f.Address)); err != nil && !errors.Is(err, hallpass.ErrNotFound) {
		l.cfg.Logger.Warn("a link was used, but the account's failures still count", "error", err)
	}
	return code, ends, nil
}
