package login

import (
	"context"
	"crypto/rand"
	"errors"
	"net/netip"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/clientip"
	"github.com/hallpass-go/hallpass/mail"
)

// Client is who sends a request.
type Client struct {
	// Addr is the client's address, from a source that can be trusted. Limits count
	// an IPv6 client by its /64.
	Addr netip.Addr
	// UserAgent is shown in the mail and the list of sessions.
	UserAgent string
}

func (c Client) network() string { return clientip.Network(c.Addr).String() }

func (c Client) where() Where {
	w := Where{UserAgent: c.UserAgent}
	if c.Addr.IsValid() {
		w.ClientIP = c.Addr.String()
	}
	return w
}

// Start asks for a mail.
type Start struct {
	// Email is as somebody typed it.
	Email string
	// Flow is the flow token that this browser or app holds from before, if any.
	Flow string
	// Next is where to go afterwards; whoever redirects there has checked it.
	Next string
	// Origin is where the login page is, if it is another than Config.BaseURL: one
	// of Config.Origins. The mailed link leads there.
	Origin string
	// Language is what the reader prefers, as an Accept-Language header has it.
	Language string
	Client   Client
}

// Begun is a login that waits for its code or link.
type Begun struct {
	// Flow is for the browser or app that asked: without it a code opens nothing.
	Flow string
	// Address is the canonical form that the mail goes to.
	Address mail.Address
	// Ends is when code and link end.
	Ends time.Time
	// Resend is when asking again sends again.
	Resend time.Time
}

// Begin asks for the mail with a link and a code. What it answers, what it writes
// and how long it takes are the same for every address that has the form of one:
// whether it has an account is asked by the worker that sends the mail. It is
// *hallpass.FieldError for what is no address, *Throttled for a network that asks
// too often, and hallpass.ErrUnavailable where the store does not answer.
func (l *Login) Begin(ctx context.Context, s Start) (_ Begun, err error) {
	defer l.observe(StepBegin, &err)
	address, err := mail.ParseAddress(s.Email)
	if err != nil {
		return Begun{}, err
	}
	origin, err := l.originOf(s.Origin)
	if err != nil {
		return Begun{}, err
	}
	if err := l.mayCause(ctx, s.Client); err != nil {
		return Begun{}, err
	}
	send, err := l.mayReceive(ctx, address, s.Client)
	if err != nil {
		return Begun{}, err
	}
	f, held, err := l.heldFlow(ctx, s.Flow, address)
	if err != nil {
		return Begun{}, err
	}
	begun := Begun{Flow: s.Flow, Address: address}
	var secrets flowSecrets
	if held {
		secrets, err = l.unseal(&f)
		held = err == nil // the key that sealed it may be retired: then it begins anew
		l.askAgain(&f, s)
	}
	if !held {
		f, secrets, begun.Flow, err = l.newFlow(address, s)
	}
	if err != nil {
		return Begun{}, err
	}
	begun.Ends, begun.Resend = f.Ends, l.resend(&f)
	j := job{
		Flow: f.ID, Address: address, Code: secrets.Code, Link: l.linkURL(origin, joinToken(linkLetter, f.ID, secrets.Link)),
		Began: f.Began, Ends: f.Ends, Where: f.Where, Language: s.Language, Silent: !send,
	}
	err = together(
		func() error {
			at, end := l.place("flows", f.ID), f.Ends.Add(flowKept)
			if !held {
				return create(ctx, l.cells, at, f, end)
			}
			return edit(ctx, l.cells, at, func(now *flow, exists bool) (time.Time, error) {
				if !exists {
					return time.Time{}, errUnchanged
				}
				l.askAgain(now, s) // its tries stay as they are
				return end, nil
			})
		},
		func() error { return l.post(ctx, j) },
	)
	return begun, err
}

// flowKept is how long a flow that is over stays, so that its holder hears that it
// expired rather than that it never was.
const flowKept = 10 * time.Minute

// newFlow draws a flow's secrets. Nothing is written.
func (l *Login) newFlow(address mail.Address, s Start) (f flow, secrets flowSecrets, token string, err error) {
	now, secret := l.now(), rand.Text()
	secrets = flowSecrets{Code: newCode(l.cfg.CodeDigits), Link: rand.Text()}
	f = flow{ID: rand.Text(), Address: address, Began: now, Asked: now, Ends: now.Add(l.cfg.CodeTTL), Where: s.Client.where(), Next: s.Next}
	f.Secret, f.Link = secretHash(flowLetter, f.ID, secret), secretHash(linkLetter, f.ID, secrets.Link)
	peppers, err := l.secrets(pepperPurpose)
	if err != nil {
		return flow{}, flowSecrets{}, "", err
	}
	f.Code = codeMAC(peppers[0], "code", &f, secrets.Code)
	f.Sealed, err = l.seal(&f, secrets)
	return f, secrets, joinToken(flowLetter, f.ID, secret), err
}

// askAgain is what asking once more changes in a flow: where it leads, and when the
// next mail can be had.
func (l *Login) askAgain(f *flow, s Start) {
	if s.Next != "" {
		f.Next = s.Next
	}
	if now := l.now(); !now.Before(l.resend(f)) {
		f.Asked = now
	}
}

// heldFlow returns the flow of a browser that asks for its mail again, while most
// of its life is ahead: the mail then carries the same code, so that of two mails
// that overtake each other neither disappoints, and no try comes back.
func (l *Login) heldFlow(ctx context.Context, token string, address mail.Address) (f flow, held bool, err error) {
	f, err = l.flowOf(ctx, flowLetter, token)
	if err == nil {
		err = l.usable(ctx, &f)
	}
	if _, refused := hallpass.RefusalOf(err); refused {
		return flow{}, false, nil
	}
	held = err == nil && f.Address == address && f.Tries < l.cfg.Limits.Tries && !f.HandedOver &&
		f.Ends.Sub(l.now()) >= l.cfg.CodeTTL/2
	return f, held, err
}

// mayCause refuses a network, or everybody, that asks for too many mails.
func (l *Login) mayCause(ctx context.Context, c Client) error {
	for _, limit := range []struct {
		what, key string
		rate      rate
	}{
		{"network_sends", c.network(), rate{l.cfg.Limits.NetworkSends, time.Hour}},
		{"global_sends", "", rate{l.cfg.Limits.GlobalSends, time.Hour}},
	} {
		wait, err := l.cells.take(ctx, l.place(limit.what, hashed(limit.key)), limit.rate)
		if err != nil {
			return err
		}
		if wait > 0 {
			return l.blocked(ctx, Blocked{What: limit.what, Network: limit.key, RetryAfter: wait})
		}
	}
	return nil
}

// mayReceive says whether an address gets another mail. Only this silence tells,
// so that nobody learns who else is logging in.
func (l *Login) mayReceive(ctx context.Context, address mail.Address, c Client) (bool, error) {
	box := mailbox(address)
	again := rate{1, l.cfg.Limits.Resend}
	if l.cfg.Limits.Resend < 0 {
		again.burst = -1
	}
	pair := l.place("resend", hashed(box, c.network()))
	wait, err := l.cells.take(ctx, pair, again)
	if err != nil || wait > 0 {
		return false, err
	}
	sent, wait, err := l.takeMail(ctx, address, c)
	if err != nil || sent {
		return sent, err
	}
	_ = l.blocked(ctx, Blocked{What: "account_sends", Address: string(address), RetryAfter: wait})
	return false, l.cells.giveBack(ctx, pair, again) // nothing was sent: asking again need not wait
}

// takeMail takes one of the mails that an address may have, of which one network
// has no more than half; where it logged in before, it has as many of its own. So
// a stranger can use up what strangers have, and no more.
func (l *Login) takeMail(ctx context.Context, address mail.Address, c Client) (sent bool, wait time.Duration, err error) {
	box, often := mailbox(address), rate{l.cfg.Limits.AccountSends, time.Hour}
	half := rate{often.burst, often.per}
	if half.burst > 1 {
		half.burst = (half.burst + 1) / 2
	}
	all, share := l.place("sends", hashed(box)), l.place("share-sends", hashed(box, c.network()))
	if wait, err = l.cells.take(ctx, share, half); err != nil {
		return false, 0, err
	}
	if wait <= 0 {
		if wait, err = l.cells.take(ctx, all, often); err != nil || wait <= 0 {
			return err == nil, 0, err
		}
		if err = l.cells.giveBack(ctx, share, half); err != nil {
			return false, 0, err
		}
	}
	known, err := l.isKnown(ctx, address, c)
	if err != nil || !known {
		return false, wait, err
	}
	wait, err = l.cells.take(ctx, l.place("known-sends", hashed(box, c.network())), often)
	return err == nil && wait <= 0, wait, err
}

// mailbox is what mails to an address are counted by: tags lead to the same box.
func mailbox(address mail.Address) string {
	local, _, _ := strings.Cut(address.Local(), "+")
	return local + "@" + address.Domain()
}

// knownFor is how long a network is known after a login.
const knownFor = 90 * 24 * time.Hour

func (l *Login) knownPlace(address mail.Address, c Client) place {
	return l.place("known", hashed(string(address), c.network()))
}

func (l *Login) isKnown(ctx context.Context, address mail.Address, c Client) (bool, error) {
	_, _, err := read[int64](ctx, l.cells, l.knownPlace(address, c))
	if errors.Is(err, hallpass.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// know remembers, at most once a day, that an address logged in from a network.
func (l *Login) know(ctx context.Context, address mail.Address, c Client) error {
	return edit(ctx, l.cells, l.knownPlace(address, c), func(at *int64, _ bool) (time.Time, error) {
		now := l.now()
		if age := now.Sub(time.UnixMicro(*at)); age >= 0 && age < 24*time.Hour {
			return time.Time{}, errUnchanged
		}
		*at = now.UnixMicro()
		return now.Add(knownFor), nil
	})
}
