package hallpass

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// Config is what an Issuer needs. Keys and Store are required; the zero value of
// any other field is a good default.
type Config struct {
	// Keys sign and verify; keys for passes alone. Required.
	Keys *Keyring
	// Store remembers passes, uses and revocations. Required, except for an Issuer
	// that only verifies.
	Store Store
	// Instance is the id of this deployment: the `iss` of its tokens, and the only
	// one it accepts. "*" accepts any and cannot issue. Defaults to "hallpass".
	Instance string
	// Leeway widens the time in which a pass is valid, at both ends, for clocks
	// that disagree. Defaults to 0.
	Leeway time.Duration
	// SessionTTL is the default life of a session pass. Defaults to 10 minutes.
	SessionTTL time.Duration
	// SessionCap is the longest life a session pass may be given. Defaults to 24 h.
	SessionCap time.Duration
	// GrantTTL is the default life of a pass with grants. Defaults to 1 hour.
	GrantTTL time.Duration
	// DefaultMaxUses is for passes that are neither session passes nor have
	// grants. Defaults to 10.
	DefaultMaxUses int64
	// MaxStale is how old this process's picture of group revocations, and of the
	// rows of unlimited passes, may be. When it cannot be refreshed in time,
	// nothing is honoured. Defaults to 1 second.
	MaxStale time.Duration
	// Outage is how old, in place of MaxStale, that picture may become where the
	// store does not answer, for uses that need nothing else of it: of signed
	// unlimited passes, with AuditOff and without a UseKey, that this process has
	// asked the store about within that time. So a revocation made elsewhere can be
	// missed for as long as this, while an outage lasts. Defaults to 0: nothing is
	// honoured.
	Outage time.Duration
	// Retention is what Run prunes of the uses, once an hour. The zero value keeps
	// them all. Passes whose tokens ended leave by themselves either way.
	Retention PruneOptions
	// Seal makes Run seal what was written down: the uses and events of each minute are
	// hashed, chained to those before and signed with a key of the ring. See
	// VerifySeals and docs/audit.md. Defaults to false.
	Seal bool
	// Active, when set, is asked whether a subject may still act. False refuses
	// with RefusalUnknownSubject; an error is ErrUnavailable.
	Active func(ctx context.Context, subject string) (bool, error)
	// Observe, when set, is told about every Redeem and Check as it ends, for
	// counters. It runs within the call, so it must not wait for anything.
	Observe func(Decision)
	// Now is the clock that decides about expiry. Defaults to time.Now.
	Now func() time.Time
	// Logger gets what nobody else can be told. Defaults to slog.Default.
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.Instance == "" {
		c.Instance = "hallpass"
	}
	if c.SessionTTL == 0 {
		c.SessionTTL = 10 * time.Minute
	}
	if c.SessionCap == 0 {
		c.SessionCap = 24 * time.Hour
	}
	if c.GrantTTL == 0 {
		c.GrantTTL = time.Hour
	}
	if c.DefaultMaxUses == 0 {
		c.DefaultMaxUses = 10
	}
	if c.MaxStale == 0 {
		c.MaxStale = time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

func (c Config) validate() error {
	switch {
	case c.Keys == nil:
		return fieldErrorf("keys", "are required; make some with NewKeyring")
	case c.Leeway < 0:
		return fieldErrorf("leeway", "must not be negative")
	case c.SessionTTL < 0 || c.SessionTTL > c.SessionCap:
		return fieldErrorf("session_ttl", "must lie between 0 and the session cap, %s", c.SessionCap)
	case c.GrantTTL < 0:
		return fieldErrorf("grant_ttl", "must not be negative")
	case c.DefaultMaxUses < 0:
		return fieldErrorf("default_max_uses", "must not be negative")
	case c.Retention.MaxAge < 0 || c.Retention.MaxCount < 0:
		return fieldErrorf("retention", "must not be negative")
	case c.MaxStale < 0:
		return fieldErrorf("max_stale", "must not be negative")
	case c.Outage < 0:
		return fieldErrorf("outage", "must not be negative")
	}
	return checkText("instance", c.Instance, maxTextRunes)
}

// Issuer issues passes and decides about them. It is safe for concurrent use.
// New starts nothing in the background; Run does, for those who want it.
type Issuer struct {
	cfg     Config
	rules   rules
	entries entryCache
	behind  behindQueue
	notes   noteQueue
	stats   statCounts
	sealer  sealer
}

// New returns an Issuer. Its errors are *FieldError and name the Config field.
func New(cfg Config) (*Issuer, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("hallpass: config: %w", err)
	}
	if !cfg.Keys.claim(PurposePass) {
		return nil, fmt.Errorf("hallpass: config: %w", fieldErrorf("keys", "are for %s, not for passes", cfg.Keys.Purpose()))
	}
	i := &Issuer{cfg: cfg}
	i.behind.queue = make(chan Reservation, behindLength)
	i.rules.fetching = make(chan struct{}, 1)
	return i, nil
}

// Keys returns the ring the Issuer was made with.
func (i *Issuer) Keys() *Keyring { return i.cfg.Keys }

// Instance returns the id of the deployment: the `iss` of its tokens.
func (i *Issuer) Instance() string { return i.cfg.Instance }

// Now returns the Issuer's clock, in UTC and whole microseconds.
func (i *Issuer) Now() time.Time { return atMicro(i.cfg.Now()) }

// store returns the store, or why nothing can be decided without one.
func (i *Issuer) store() (Store, error) {
	if i.cfg.Store == nil {
		return nil, fmt.Errorf("%w: this issuer has no store", ErrUnavailable)
	}
	return i.cfg.Store, nil
}

// keepUntil is when a pass's row may go: a day after its token's last moment, so
// that no clock that is a little slow finds the row gone and the token good.
func (i *Issuer) keepUntil(expiresAt time.Time) time.Time {
	if expiresAt.IsZero() {
		return time.Time{}
	}
	return expiresAt.Add(i.cfg.Leeway + 24*time.Hour)
}
