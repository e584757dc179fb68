package mail

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/hallpass-go/hallpass"
)

// OutboxConfig is what an Outbox is made of. Cells, Keys and Deliver are
// required.
type OutboxConfig struct {
	// Cells keeps the jobs, in the groups Name + "/0" to "/f". Every process with the
	// same cells, keys and name shares the work.
	Cells hallpass.CellStore
	// Name keeps apart what several Outboxes with different Delivers have in one
	// store. Defaults to "outbox".
	Name string
	// Keys seal the jobs. A job sealed under a key that is retired or removed before
	// the job is delivered cannot be delivered.
	Keys *hallpass.Keyring
	// Deliver sends one job: nil means that it was sent, and any error that it is
	// tried again, after ErrUnsure once only. It may be called for a job that was already sent (see Outbox). It
	// must return when its context ends, which is at the latest half of Lease after
	// the call: one that goes on can be overtaken by another process that sends the
	// same job. Its errors are logged, so they may hold neither the content of a
	// mail nor a secret. A panic counts as an error.
	Deliver func(ctx context.Context, job []byte) error
	// Rejected reports whether an error of Deliver is final, so that a retry would
	// not help. Defaults to asking for ErrRejected.
	Rejected func(error) bool

	// Workers is how many deliveries run at the same time. Defaults to 4.
	Workers int
	// Queue is how many jobs put in this process may wait for its workers without a
	// look into the store; further ones wait in the store alone. Defaults to 256.
	Queue int
	// Attempts is how often a job is tried; 0 means until its deadline. An attempt
	// that a crash or the end of Run cut short is not counted.
	Attempts int
	// MinBackoff is the wait after the first failure; it doubles with each further
	// one. Up to a quarter of a wait is cut off at random, so that what failed
	// together is not tried again together. Defaults to 1 second.
	MinBackoff time.Duration
	// MaxBackoff is the longest such wait. Defaults to 10 minutes.
	MaxBackoff time.Duration
	// Lease is how long a job stays with the process that took it before others
	// believe that process dead. The clocks of the processes must agree to within a
	// quarter of it. At least a second; defaults to 60 seconds.
	Lease time.Duration
	// Grace is how long deliveries may go on after Run's context ended, before their
	// own context ends. Defaults to 10 seconds; negative means none.
	Grace time.Duration

	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
	// Logger gets what nobody else can be told. Defaults to slog.Default.
	Logger *slog.Logger
	// Observe, when set, is told what becomes of jobs, for counters. It is called
	// from several goroutines and must not wait for anything.
	Observe func(OutboxEvent)
}

// OutboxEventKind says what an OutboxEvent is about.
type OutboxEventKind string

const (
	// OutboxSent means that Deliver succeeded.
	OutboxSent OutboxEventKind = "sent"
	// OutboxRetried means that Deliver failed and will be called again.
	OutboxRetried OutboxEventKind = "retried"
	// OutboxGivenUp means that the job will not be delivered: its deadline passed,
	// its attempts are used up, it was rejected, or it cannot be opened.
	OutboxGivenUp OutboxEventKind = "given_up"
	// OutboxTakenOver means that this process took a job whose holder had let its
	// lease run out: it crashed or was cut off.
	OutboxTakenOver OutboxEventKind = "taken_over"
)

// OutboxEvent is one step in the life of a job.
type OutboxEvent struct {
	Kind OutboxEventKind
	// Job is the job's name in the store and in the log: a hash of its id.
	Job string
	// Failures is how often Deliver has failed for it so far.
	Failures int
	// Age is the time since it was put; 0 where the job could not be read.
	Age time.Duration
}

// Outbox keeps jobs, such as mails to send, in a store until they are done. A
// job that Put has accepted survives crashes of any process at any point and is
// delivered at least once before its deadline, as long as some process runs and
// Deliver succeeds. After a delivery that succeeded the job is marked done by one
// write and is never delivered again.
//
// A job is delivered twice in one case only: a process delivered it, and before it
// could write that down it crashed or was cut off from the store for longer than
// the lease. Whether the mail was sent is then unknown, and one mail too many is
// better than none. Two processes never deliver the same job at the same time.
//
// What is in the store is sealed; beside it stand only times, a count and the
// random name of the process that holds the job. Its methods may be called from
// any number of goroutines.
type Outbox struct {
	cfg OutboxConfig
	// owner names this Outbox in the cells it has claimed. It is random, so a
	// restarted process does not take its predecessor's leases for its own.
	owner string
	// local is nil while Run is not at work.
	local   atomic.Pointer[outboxSet]
	running atomic.Bool
}

var errOutboxRunning = errors.New("mail: this outbox is already running")

// NewOutbox returns an Outbox. It starts nothing; Run does. Its errors wrap a
// *hallpass.FieldError that names the field.
func NewOutbox(cfg OutboxConfig) (*Outbox, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("mail: outbox: %w", err)
	}
	return &Outbox{cfg: cfg, owner: rand.Text()}, nil
}

func (c OutboxConfig) withDefaults() OutboxConfig {
	if c.Name == "" {
		c.Name = "outbox"
	}
	if c.Workers == 0 {
		c.Workers = 4
	}
	if c.Queue == 0 {
		c.Queue = 256
	}
	if c.MinBackoff == 0 {
		c.MinBackoff = time.Second
	}
	if c.MaxBackoff == 0 {
		c.MaxBackoff = max(10*time.Minute, c.MinBackoff)
	}
	if c.Lease == 0 {
		c.Lease = time.Minute
	}
	if c.Grace == 0 {
		c.Grace = 10 * time.Second
	}
	if c.Rejected == nil {
		c.Rejected = outboxRejected
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Observe == nil {
		c.Observe = func(OutboxEvent) {}
	}
	return c
}

func (c OutboxConfig) validate() error {
	switch {
	case c.Cells == nil:
		return &hallpass.FieldError{Field: "cells", Reason: "are required: the store that keeps the jobs"}
	case c.Keys == nil:
		return &hallpass.FieldError{Field: "keys", Reason: "are required: they seal the jobs"}
	case c.Deliver == nil:
		return &hallpass.FieldError{Field: "deliver", Reason: "is required: it sends a job"}
	case c.Workers < 0:
		return &hallpass.FieldError{Field: "workers", Reason: "must not be negative; 0 means 4"}
	case c.Queue < 0:
		return &hallpass.FieldError{Field: "queue", Reason: "must not be negative; 0 means 256"}
	case c.Attempts < 0:
		return &hallpass.FieldError{Field: "attempts", Reason: "must not be negative; 0 means until the deadline"}
	case c.MinBackoff < time.Millisecond:
		return &hallpass.FieldError{Field: "min_backoff", Reason: "must be at least a millisecond; 0 means a second"}
	case c.MaxBackoff < c.MinBackoff:
		return &hallpass.FieldError{Field: "max_backoff", Reason: "must not be shorter than the first backoff; 0 means 10 minutes"}
	case c.Lease < time.Second:
		return &hallpass.FieldError{Field: "lease", Reason: "must be at least a second; 0 means a minute"}
	}
	return nil
}

// now is the outbox's clock, as exact as a store's times.
// group is where a job's cell is.
func (o *Outbox) group(key string) string { return outboxGroup(o.cfg.Name, outboxShard(key)) }

func (o *Outbox) now() time.Time { return o.cfg.Now().UTC().Truncate(time.Microsecond) }

// Depth returns how many jobs are waiting or being delivered, in all processes,
// as this process saw the store at its last look (once a second). It is 0 while
// Run is not at work.
func (o *Outbox) Depth() int {
	depth, _ := o.local.Load().waiting()
	return depth
}

// Oldest returns how long ago the oldest of these jobs was put, and 0 when there
// is none. An age that goes on growing means that mail is not going out.
func (o *Outbox) Oldest() time.Duration {
	depth, at := o.local.Load().waiting()
	if depth == 0 {
		return 0
	}
	return max(0, o.now().Sub(at))
}
