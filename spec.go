package hallpass

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hallpass-go/hallpass/internal/strictjson"
)

const (
	// Unlimited, in Spec.MaxUses, asks for a pass without a limit on its uses.
	Unlimited = -1
	// NoExpiry, in Spec.TTL, asks for a pass without an end.
	NoExpiry time.Duration = -1
)

// Limits of what a pass may carry. They keep tokens within a header and rows
// within a page.
const (
	maxScopeRunes = 100
	maxTextRunes  = 255
	maxGrants     = 64
	maxData       = 64 << 10 // recorded: it stays in the store
	maxTravelData = 4 << 10  // unrecorded: it travels in the token
	maxPath       = 2 << 10  // of a grant or a target
	maxMaxUses    = 1<<31 - 1
	maxTTL        = 100 * 365 * 24 * time.Hour
)

// Spec is what to issue. Its zero values mean "the default", unlike those of
// Pass, which mean "no limit".
type Spec struct {
	// Scope is the purpose; required, at most 100 runes.
	Scope Scope
	// Mode defaults to ModePublic.
	Mode Mode
	// Subject is the user's id; required unless the mode is public.
	Subject string
	// Data is any JSON, at most 64 KiB, or 4 KiB for an unrecorded pass; at most 31
	// levels deep, and no object has more than 256 names or one of them twice.
	Data json.RawMessage
	// Grants narrow the pass to methods and paths. A pass with grants always
	// expires, after one hour by default, and is unlimited by default.
	Grants []Grant
	// Recipient is a note on who the pass is meant for.
	Recipient string
	// Batch is a campaign label.
	Batch string
	// Target binds the pass to the path and query of this URL, the same that is
	// given to Link. Parameters that mailing tools add are ignored. Empty binds
	// to nothing.
	Target string
	// NotBefore is the start; zero means at once. It is rounded up to a second.
	NotBefore time.Time
	// ExpiresAt is the end, rounded up to a second; zero leaves it to TTL.
	ExpiresAt time.Time
	// TTL is the life from now, at most 100 years. Zero means the default for the
	// mode: 10 minutes for session, 1 hour with grants, else no end. NoExpiry
	// means no end.
	TTL time.Duration
	// MaxUses is how often the pass is honoured. Zero means the default: 1 for
	// session, unlimited with grants or for ScopeAPI, else 10. Unlimited means no
	// limit.
	MaxUses int64
	// Format defaults to FormatSigned.
	Format Format
	// Unrecorded issues without writing a row. Session and short passes are
	// always recorded.
	Unrecorded bool
	// Browser is the value of a cookie of the browser that asked for the pass. A
	// hash of it is kept; that browser needs no confirmation page.
	Browser string
}

// passOf turns a spec into a pass, or says which field is wrong.
func (i *Issuer) passOf(s Spec, now time.Time) (Pass, error) {
	if s.Mode == "" {
		s.Mode = ModePublic
	}
	if s.Format == "" {
		s.Format = FormatSigned
	}
	if err := i.checkSpec(s); err != nil {
		return Pass{}, err
	}
	p := Pass{
		Scope: s.Scope, Mode: s.Mode, Subject: s.Subject, Grants: slices.Clone(s.Grants),
		Recipient: s.Recipient, Batch: s.Batch, IssuedAt: now, NotBefore: ceilSecond(s.NotBefore),
		Recorded: !s.Unrecorded,
	}
	if len(s.Data) > 0 {
		p.Data = json.RawMessage(strictjson.Compact(string(s.Data)))
	}
	if s.Target != "" {
		target, ok := canonicalTarget(s.Target, DefaultParam)
		if !ok || len(target) > maxPath {
			return Pass{}, fieldErrorf("target", "is no URL, is too long, or its path can be read in two ways")
		}
		p.Target = target
	}
	p.MaxUses = i.maxUsesOf(s)
	var err error
	p.ExpiresAt, err = i.endOf(s, now)
	return p, err
}

func (i *Issuer) maxUsesOf(s Spec) int64 {
	switch {
	case s.MaxUses == Unlimited:
		return 0
	case s.MaxUses != 0:
		return s.MaxUses
	case s.Mode == ModeSession:
		return 1
	case len(s.Grants) > 0, s.Scope == ScopeAPI:
		return 0
	}
	return i.cfg.DefaultMaxUses
}

func (i *Issuer) endOf(s Spec, now time.Time) (time.Time, error) {
	end := ceilSecond(s.ExpiresAt)
	if end.IsZero() {
		ttl, start := s.TTL, now
		if ttl == 0 {
			if s.NotBefore.After(now) {
				start = s.NotBefore
			}
			switch {
			case s.Mode == ModeSession:
				ttl = i.cfg.SessionTTL
			case len(s.Grants) > 0:
				ttl = i.cfg.GrantTTL
			default:
				ttl = NoExpiry
			}
		}
		if ttl != NoExpiry {
			end = ceilSecond(start.Add(ttl))
		}
	}
	field := "ttl"
	if !s.ExpiresAt.IsZero() {
		field = "expires_at"
	}
	switch {
	case end.IsZero() && s.Mode == ModeSession:
		return end, fieldErrorf(field, "a session pass must expire, within %s", i.cfg.SessionCap)
	case end.IsZero() && len(s.Grants) > 0:
		return end, fieldErrorf(field, "a pass with grants must expire")
	case end.IsZero():
		return end, nil
	case !now.Before(end):
		return end, fieldErrorf(field, "ends the pass at %s, which is already past", end.Format(time.RFC3339))
	case end.After(ceilSecond(now.Add(maxTTL))):
		return end, fieldErrorf(field, "is more than 100 years away; leave the end out instead")
	case !s.NotBefore.IsZero() && !ceilSecond(s.NotBefore).Before(end):
		return end, fieldErrorf("not_before", "must lie before the end of the pass, %s", end.Format(time.RFC3339))
	case s.Mode == ModeSession && end.After(ceilSecond(now.Add(i.cfg.SessionCap))):
		return end, fieldErrorf(field, "a session pass may live %s at most", i.cfg.SessionCap)
	}
	return end, nil
}

func (i *Issuer) checkSpec(s Spec) error {
	switch {
	case s.Scope == "":
		return fieldErrorf("scope", "is required: the name of what the pass is for")
	case s.Mode.claim() == "":
		return fieldErrorf("mode", "must be public, request or session, not %q", string(s.Mode))
	case s.Mode != ModePublic && s.Subject == "":
		return fieldErrorf("subject", "is required in %s mode: the user's id", s.Mode)
	case s.MaxUses < Unlimited:
		return fieldErrorf("max_uses", "must not be negative")
	case s.MaxUses > maxMaxUses:
		return fieldErrorf("max_uses", "must be at most %d; ask for an unlimited pass instead", maxMaxUses)
	case s.TTL < NoExpiry:
		return fieldErrorf("ttl", "must be positive")
	case s.TTL > maxTTL:
		return fieldErrorf("ttl", "must be at most 100 years; ask for a pass without an end instead")
	case s.TTL != 0 && !s.ExpiresAt.IsZero():
		return fieldErrorf("ttl", "and expires_at say the same thing; give one of them")
	case s.Format != FormatSigned && s.Format != FormatShort && s.Format != FormatCompact:
		return fieldErrorf("format", "must be signed, short or compact, not %q", string(s.Format))
	case s.Unrecorded && s.Mode == ModeSession:
		return fieldErrorf("unrecorded", "a session pass is always recorded")
	case s.Unrecorded && s.Format == FormatShort:
		return fieldErrorf("unrecorded", "a short pass is always recorded: its token says nothing by itself")
	case outsideCalendar(s.NotBefore):
		return fieldErrorf("not_before", "must lie between the years 1970 and 9999")
	case outsideCalendar(s.ExpiresAt):
		return fieldErrorf("expires_at", "must lie between the years 1970 and 9999")
	}
	for _, text := range []struct {
		field, value string
		limit        int
	}{
		{"scope", string(s.Scope), maxScopeRunes},
		{"subject", s.Subject, maxTextRunes},
		{"recipient", s.Recipient, maxTextRunes},
		{"batch", s.Batch, maxTextRunes},
	} {
		if err := checkText(text.field, text.value, text.limit); err != nil {
			return err
		}
	}
	if err := checkGrants(s.Grants); err != nil {
		return err
	}
	return checkData(s)
}

func outsideCalendar(t time.Time) bool {
	return !t.IsZero() && (t.Unix() < 0 || t.UTC().Year() > 9998)
}

func checkText(field, value string, limit int) error {
	switch {
	case !utf8.ValidString(value):
		return fieldErrorf(field, "must be valid UTF-8")
	case utf8.RuneCountInString(value) > limit:
		return fieldErrorf(field, "must be at most %d characters", limit)
	case strings.ContainsFunc(value, unicode.IsControl):
		return fieldErrorf(field, "must not contain control characters")
	}
	return nil
}

func checkGrants(grants []Grant) error {
	if len(grants) > maxGrants {
		return fieldErrorf("grants", "at most %d of them", maxGrants)
	}
	for _, g := range grants {
		if len(g.Path) > maxPath {
			return fieldErrorf("grants", "a path may have %d bytes at most", maxPath)
		}
		// A Grant can be made without ParseGrant; what it would not read back is wrong.
		if back, err := ParseGrant(g.String()); err != nil {
			return err
		} else if back != g {
			return fieldErrorf("grants", "%q must be written decoded, as ParseGrant gives it", g.String())
		}
	}
	return nil
}

func checkData(s Spec) error {
	switch {
	case len(s.Data) == 0:
		return nil
	case len(s.Data) > maxData:
		return fieldErrorf("data", "must be at most %d bytes", maxData)
	case s.Unrecorded && len(s.Data) > maxTravelData:
		return fieldErrorf("data", "must be at most %d bytes in an unrecorded pass, because it travels in the token", maxTravelData)
	// It must also be readable inside the token's own object, one level down.
	case !strictjson.Valid(string(s.Data)) || !strictjson.Valid("["+string(s.Data)+"]"):
		return fieldErrorf("data", "must be JSON without duplicate names, at most 31 levels deep and 256 names an object")
	}
	return nil
}

// ceilSecond rounds up: a pass is never valid before its start or shorter than
// it was asked to be.
func ceilSecond(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	t = t.UTC()
	if floor := t.Truncate(time.Second); !floor.Equal(t) {
		return floor.Add(time.Second)
	}
	return t.Round(0)
}
