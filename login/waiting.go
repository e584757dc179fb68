package login

import (
	"context"
	"time"

	"github.com/hallpass-go/hallpass/mail"
)

// Waiting is a login as the browser or app that began it sees it.
type Waiting struct {
	Address mail.Address
	// Ends is when code and link end, Resend when asking again sends again.
	Ends, Resend time.Time
	// Next is that of Start.
	Next string
}

// Waiting says what the holder of a flow waits for. Its refusals are those of
// ByCode for a flow.
func (l *Login) Waiting(ctx context.Context, flowToken string) (Waiting, error) {
	f, err := l.flowOf(ctx, flowLetter, flowToken)
	if err == nil {
		err = l.usable(ctx, &f)
	}
	if err != nil {
		return Waiting{}, err
	}
	return Waiting{Address: f.Address, Ends: f.Ends, Resend: l.resend(&f), Next: f.Next}, nil
}

// resend is when asking again sends again. It is told by what this browser did
// alone: what the address had from others is not its business.
func (l *Login) resend(f *flow) time.Time {
	return f.Asked.Add(max(l.cfg.Limits.Resend, 0))
}
