package login

import (
	"time"

	"github.com/hallpass-go/hallpass"
)

// Step is what an Event is about.
type Step string

// The steps of a login.
const (
	StepBegin   Step = "begin"
	StepCode    Step = "code"
	StepLink    Step = "link"
	StepRefresh Step = "refresh"
)

// Event is one step that somebody took or tried to take.
type Event struct {
	Step Step
	// Err is what the caller was told: nil, a refusal, *Throttled, or another error of
	// that step. It names nobody.
	Err error
}

// observe is deferred; err is the step's named result.
func (l *Login) observe(step Step, err *error) {
	if l.cfg.Observe != nil {
		l.cfg.Observe(Event{step, *err})
	}
}

// Queue returns how many mails wait to be sent, in all processes, and how long the
// oldest of them has waited, as the process that Run works in sees them. Both are 0
// where it does not.
func (l *Login) Queue() (depth int, oldest time.Duration) {
	return l.outbox.Depth(), l.outbox.Oldest()
}

// note counts a login and has it written down among the Issuer's events.
func (l *Login) note(id Identity, c Client, how string) {
	where := c.where()
	l.cfg.Issuer.Note(hallpass.Event{
		Kind: hallpass.EventLogin, Scope: l.cfg.Scope, Subject: id.Subject, Detail: how + ", as " + string(id.Address),
		ClientIP: where.ClientIP, UserAgent: where.UserAgent,
	})
}
