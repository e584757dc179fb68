package login

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/mail"
)

// job is a mail to be sent, if the address may log in. The outbox seals it: the
// store has nothing of it in clear, and nobody sees by it who has an account.
type job struct {
	ID      string       `json:"id"` // also the message's, so a repeat is known as one
	Flow    string       `json:"flow"`
	Address mail.Address `json:"email"`
	Code    string       `json:"code"`
	// Link is the whole URL.
	Link     string    `json:"link"`
	Began    time.Time `json:"began"`
	Ends     time.Time `json:"ends"`
	Where    Where     `json:"where"`
	Language string    `json:"language,omitempty"`
	// Silent jobs send nothing: the address had a mail just now. They are written all
	// the same, so that asking looks and lasts the same.
	Silent bool `json:"silent,omitempty"`
}

func (l *Login) newOutbox() (*mail.Outbox, error) {
	return mail.NewOutbox(mail.OutboxConfig{
		Name:  l.realm + "-outbox",
		Cells: l.cfg.Cells, Keys: l.cfg.Issuer.Keys(), Deliver: l.deliver, Now: l.now, Logger: l.cfg.Logger, Observe: l.cfg.ObserveMail,
	})
}

// post puts a job into the outbox. It is sent until the code's end: later it would
// be of no use.
func (l *Login) post(ctx context.Context, j job) error {
	j.ID = j.Flow + "-" + rand.Text()
	text, err := json.Marshal(j)
	if err != nil {
		return err
	}
	return unavailable("the mail was not written", l.outbox.Put(ctx, j.ID, text, j.Ends))
}

// deliver is the outbox's: it asks the application and sends.
func (l *Login) deliver(ctx context.Context, text []byte) error {
	var j job
	if err := json.Unmarshal(text, &j); err != nil {
		return fmt.Errorf("%w: the job is no JSON: %w", mail.ErrRejected, err)
	}
	if j.Silent {
		return nil
	}
	_, err := l.identify(ctx, j.Address)
	if err == nil {
		err = l.notRevoked(ctx, string(j.Address), j.Began)
	}
	if errors.Is(err, hallpass.RefusalMissingClaim) { // allowed, but without a claim: whoever types the code hears it
		l.cfg.Logger.Error("nobody like this can log in: Allow leaves out a claim that is expected", "error", err)
		err = nil
	}
	if _, refused := hallpass.RefusalOf(err); refused {
		l.cfg.Logger.Debug("a login was asked for, for an address that may not log in")
		return nil
	}
	if err != nil && !errors.Is(err, hallpass.ErrUnavailable) { // asking again would bring the same claims
		return fmt.Errorf("%w: nobody like this can log in: %w", mail.ErrRejected, err)
	}
	if err != nil {
		return err
	}
	m, err := l.letter(j)
	if err != nil {
		return fmt.Errorf("%w: %w", mail.ErrRejected, err)
	}
	return l.cfg.Sender.Send(ctx, m)
}
