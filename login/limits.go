package login

import "time"

// Limits bound what strangers can do. They hold over all processes on one store,
// and are the same for addresses that have an account and those that have none.
// The zero value of each field is its default; where a number of mails or failures
// per hour, or Resend, is negative, there is no such limit.
type Limits struct {
	// Tries is how many codes may be entered for one mail. Defaults to 5.
	Tries int
	// Resend is how long a network waits between two mails to one address. Asking
	// earlier is answered as ever, and sends nothing. Defaults to 60 seconds.
	Resend time.Duration
	// AccountSends is how many mails one mailbox gets per hour. One network can cause
	// half of them, and as many of its own where it logged in within 90 days, so a
	// stranger cannot use them all up. Addresses that differ in a tag alone are one
	// mailbox. Defaults to 10.
	AccountSends int
	// NetworkSends is how many mails one network may cause per hour. Defaults to 60.
	NetworkSends int
	// GlobalSends is how many mails everybody together may cause per hour. Defaults
	// to no limit.
	GlobalSends int

	// FreeFailures is how many wrong codes in a row an account may see before it
	// makes the next one wait: Delay at first, then twice as long each time, up to
	// MaxDelay. A new code does not reset the count; time does, one failure per
	// Forgive, and success halves it. They default to 5, a second, 5 minutes and 15
	// minutes.
	FreeFailures             int
	Delay, MaxDelay, Forgive time.Duration
	// Stop is the number of failures in a row at which codes stop for an account,
	// for StopFor or until a link is used. Links always work, so nobody can be
	// locked out by a stranger. They default to 100 (NIST SP 800-63B-4, 3.2.2) and
	// a day.
	Stop    int
	StopFor time.Duration
	// NetworkFailures is how many wrong codes one network may enter per hour, for
	// whatever addresses. Correct ones do not count. Defaults to 60.
	NetworkFailures int
	// GlobalFailures is the same for everybody together: a fuse against many
	// networks that guess at many addresses. Defaults to 10,000.
	GlobalFailures int
}

func (l Limits) withDefaults() Limits {
	def(&l.Tries, 5)
	def(&l.Resend, time.Minute)
	def(&l.AccountSends, 10)
	def(&l.NetworkSends, 60)
	def(&l.GlobalSends, -1)
	def(&l.FreeFailures, 5)
	def(&l.Delay, time.Second)
	def(&l.MaxDelay, 5*time.Minute)
	def(&l.Forgive, 15*time.Minute)
	def(&l.Stop, 100)
	def(&l.StopFor, 24*time.Hour)
	def(&l.NetworkFailures, 60)
	def(&l.GlobalFailures, 10_000)
	return l
}

func (l Limits) validate() error {
	switch {
	case l.Tries < 1 || l.Tries > 20:
		return wrong("limits.tries", "must be 1 to 20")
	case l.FreeFailures < 1:
		return wrong("limits.free_failures", "must be at least 1")
	case l.Stop < l.FreeFailures || l.Stop > 100:
		return wrong("limits.stop", "must lie between free_failures and 100")
	case l.Delay < 0 || l.MaxDelay < l.Delay:
		return wrong("limits.max_delay", "must be at least limits.delay")
	case l.Forgive < time.Second || l.StopFor < time.Minute:
		return wrong("limits.forgive", "must be a second or more, and stop_for a minute or more")
	}
	return nil
}

// Blocked says who was turned away, for Config.OnBlocked.
type Blocked struct {
	// What is "account", "network" or "global", for wrong codes, and "network_sends",
	// "global_sends" or "account_sends" for mails. The last is told here alone: whoever
	// asks for the mail gets the same answer as ever.
	What string
	// Address and Network say who, where What says that it is about them.
	Address string
	Network string
	// RetryAfter is how long it lasts.
	RetryAfter time.Duration
}

// Throttled is an error: the attempt came too early and was not looked at.
type Throttled struct {
	// RetryAfter is when to come back, in whole seconds.
	RetryAfter time.Duration
	// What is that of Blocked.
	What string
}

func (t *Throttled) Error() string {
	return "login: too many attempts; try again in " + t.RetryAfter.String()
}
