package login

import "time"

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
