package hallpass

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass/internal/passjwt"
)

// Presentation is a token as it is presented, with what the caller asks of it.
type Presentation struct {
	// Token is what was presented; the zero Token is RefusalMissing.
	Token Token
	// Scope is what the handler honours. Redeem needs it; elsewhere empty is not
	// checked.
	Scope Scope
	// Modes are those that are honoured; a pass of another mode is
	// RefusalWrongScope. Empty honours all.
	Modes []Mode
	// Method and Path are the request's, the path as it was sent (escaped).
	// Redeem refuses a pass with grants without them; elsewhere what is empty is
	// not checked.
	Method, Path string
	// Overridden says that the request asks to be taken for another method, by a
	// header such as X-HTTP-Method-Override: no grant covers that.
	Overridden bool
	// Target is the request's path and query as sent, for passes bound to one.
	Target string
	// Subject, when set, is who the pass must be for, in any mode.
	Subject string
	// SignedIn is the user the request already has; empty means nobody. In request
	// mode a pass for somebody else is RefusalWrongSubject. A session pass replaces
	// the user, and a public pass has none.
	SignedIn string
	// Confirmed says that a person pressed the button. Only session passes need it.
	Confirmed bool

	// ClientIP and UserAgent go to the audit.
	ClientIP, UserAgent string
	// UseKey is the caller's idempotency key, at most 128 bytes: the same key
	// again for the same pass counts once. Empty means none.
	UseKey string
	// Audit says how the use is written down.
	Audit Audit
}

// Verified is an authentic token's content.
type Verified struct {
	// Pass is what the token says it permits. For a recorded pass the data and
	// the recipient are in the store.
	Pass Pass
	// Claims are the token's claims as signed; nil for a short token.
	Claims json.RawMessage

	// row is that of a pass whose token does not say what it permits, and which had
	// to be read to know anything: a short one, and a foreign one that names a row.
	row     *Entry
	foreign *foreignMember // the key of a foreign token
	rowTime bool           // see ForeignToken
}

// clockSkew is how far ahead an `iat` of ours may lie: several machines sign.
const clockSkew = 60 * time.Second

// Verify judges a signed token by itself, without I/O: signature, instance, time,
// and what the presentation asks. It does not know about revocations or uses.
//
// A refusal after the signature was proven comes with the pass it speaks of. A
// short token says nothing by itself, and a foreign one that names a row only its
// time: ErrUnavailable; use Check.
func (i *Issuer) Verify(p Presentation) (Verified, error) {
	v, err := i.open(p.Token)
	if err != nil {
		return v, err
	}
	if v.foreign != nil && v.Pass.Recorded {
		if err := i.judgeTime(v.Pass); err != nil {
			return v, err
		}
		return v, fmt.Errorf("%w: this token can only be judged by the store", ErrUnavailable)
	}
	if err := i.judge(v, p, false); err != nil {
		return v, err
	}
	if !rightSubject(v.Pass, p) {
		return v, RefusalWrongSubject
	}
	return v, nil
}

// open authenticates a signed token and reads it.
func (i *Issuer) open(t Token) (Verified, error) {
	if t.text == "" {
		return Verified{}, RefusalMissing
	}
	switch t.form() {
	case FormatShort:
		return Verified{}, fmt.Errorf("%w: a short token can only be judged by the store", ErrUnavailable)
	case FormatCompact:
		return i.openCompact(t.text)
	case FormatSigned:
		v, foreign, err := i.openJWT(t.text)
		if foreign {
			return i.openForeign(t.text, RefusalUnknownKey)
		}
		return v, err
	case formForeign:
		return i.openForeign(t.text, RefusalMalformed)
	}
	return Verified{}, RefusalMalformed
}

// openJWT opens a JWT of ours. foreign says that it is well-formed, names no key of
// ours and does not claim to be a pass: that of another system, if anybody's.
func (i *Issuer) openJWT(text string) (v Verified, foreign bool, err error) {
	parts, err := passjwt.Split(text)
	if err != nil {
		return Verified{}, false, RefusalMalformed
	}
	key, header, keyErr := i.cfg.Keys.find(parts.Header)
	if errors.Is(keyErr, RefusalMalformed) {
		return Verified{}, false, RefusalMalformed
	}
	payload, err := passjwt.DecodeSegment(make([]byte, 0, passjwt.DecodedLen(parts.Payload)), parts.Payload)
	if err != nil {
		return Verified{}, false, RefusalMalformed
	}
	var room [64]byte // of the longest signature
	signature, err := passjwt.DecodeSegment(room[:0], parts.Signature)
	if err != nil {
		return Verified{}, false, RefusalMalformed
	}
	claims, err := passjwt.ParseClaims(string(payload), header.Type == passjwt.Type)
	if err != nil {
		return Verified{}, false, RefusalMalformed
	}
	var pass Pass
	if header.Type == passjwt.Type {
		if pass, err = readPass(&claims); err != nil {
			return Verified{}, false, err
		}
	}
	// From here on the text is well-formed; only now does the key matter, and
	// nothing but the algorithm of that key will do.
	switch {
	case keyErr != nil:
		return Verified{}, header.Type != passjwt.Type, keyErr
	case header.Algorithm != string(key.algorithm) || !key.verify(parts.Signed, signature):
		return Verified{}, false, RefusalBadSignature
	case header.Type != passjwt.Type:
		return Verified{}, false, RefusalWrongType
	}
	pass.Key = key.id
	v, err = i.readClaims(Verified{Pass: pass, Claims: payload}, &claims)
	return v, false, err
}

// readPass reads what the claims permit. Its only refusal is RefusalMalformed,
// so it comes before the signature; nothing it returns is proven.
func readPass(c *passjwt.Claims) (Pass, error) {
	mode, _ := modeOfClaim(c.Mode) // an unknown letter is no claim to passjwt
	p := Pass{
		ID: c.ID, Scope: Scope(c.Scope), Mode: mode, Subject: c.Subject, Recipient: c.Recipient,
		Batch: c.Batch, Target: c.Target, MaxUses: c.MaxUses, Recorded: !c.Unrecorded,
	}
	if c.Data != "" {
		p.Data = json.RawMessage(c.Data)
	}
	for _, text := range c.Grants {
		g, err := ParseGrant(text)
		if err != nil {
			return Pass{}, RefusalMalformed
		}
		p.Grants = append(p.Grants, g)
	}
	if c.ExpiresAt != 0 {
		p.ExpiresAt = time.Unix(c.ExpiresAt, 0).UTC()
	}
	if c.NotBefore != 0 {
		p.NotBefore = time.Unix(c.NotBefore, 0).UTC()
	}
	if c.IssuedAt != 0 {
		p.IssuedAt = time.UnixMicro(c.IssuedAt).UTC()
	}
	return p, nil
}

// readClaims judges authentic claims: whether all that a pass needs is there, and
// whether it is one of ours.
func (i *Issuer) readClaims(v Verified, c *passjwt.Claims) (Verified, error) {
	anyInstance := i.cfg.Instance == "*"
	alwaysExpires := c.Mode == ModeSession.claim() || len(c.Grants) > 0
	switch {
	case !c.Has.ID, !c.Has.Scope, !c.Has.Mode, !c.Has.MaxUses,
		!anyInstance && !c.Has.Issuer,
		v.Pass.Mode != ModePublic && c.Subject == "",
		alwaysExpires && c.ExpiresAt == 0:
		return v, RefusalMissingClaim
	case !anyInstance && c.Issuer != i.cfg.Instance:
		return v, RefusalWrongAudience
	}
	return v, nil
}

// judge decides what needs no store, in the order of the refusals. strict is for
// redeeming, where nothing may be left unasked.
func (i *Issuer) judge(v Verified, p Presentation, strict bool) error {
	if err := i.judgeTime(v.Pass); err != nil {
		return err
	}
	return judgeRequest(v, p, strict)
}

func (i *Issuer) judgeTime(pass Pass) error {
	now := i.Now()
	switch {
	case now.Add(i.cfg.Leeway).Before(pass.NotBefore), pass.IssuedAt.After(now.Add(clockSkew)):
		return RefusalNotYetValid
	case !pass.ExpiresAt.IsZero() && !now.Before(pass.ExpiresAt.Add(i.cfg.Leeway)):
		return RefusalExpired
	}
	return nil
}

// judgeRequest decides whether a pass is for what is asked.
func judgeRequest(v Verified, p Presentation, strict bool) error {
	pass := v.Pass
	switch {
	case v.foreign != nil && !v.foreign.carries(pass):
		return RefusalWrongScope
	case (strict || p.Scope != "") && p.Scope != pass.Scope:
		return RefusalWrongScope
	case len(p.Modes) > 0 && !slices.Contains(p.Modes, pass.Mode):
		return RefusalWrongScope
	case len(pass.Grants) > 0 && (p.Overridden || strict && (p.Method == "" || p.Path == "")):
		return RefusalNotGranted
	case !granted(pass.Grants, p.Method, p.Path):
		return RefusalNotGranted
	case pass.Target != "" && (strict || p.Target != ""):
		if target, ok := canonicalTarget(p.Target, DefaultParam); !ok || p.Target == "" || target != pass.Target {
			return RefusalNotGranted
		}
	}
	return nil
}

// rightSubject reports whether the pass is for whom the caller asks for.
func rightSubject(pass Pass, p Presentation) bool {
	if p.Subject != "" && p.Subject != pass.Subject {
		return false
	}
	return pass.Mode != ModeRequest || p.SignedIn == "" || p.SignedIn == pass.Subject
}

// Check judges a token with the store: unknown, revoked, spent. It counts
// nothing and promises nothing: only Redeem does.
func (i *Issuer) Check(ctx context.Context, p Presentation) (Entry, Verified, error) {
	entry, v, err := i.check(ctx, p)
	i.observe(Decision{Scope: p.Scope, Err: err})
	return entry, v, err
}

func (i *Issuer) check(ctx context.Context, p Presentation) (Entry, Verified, error) {
	v, err := i.authenticate(ctx, p.Token)
	if err != nil {
		return Entry{Pass: v.Pass}, v, err
	}
	if err := i.judge(v, p, false); err != nil {
		return Entry{Pass: v.Pass}, v, err
	}
	entry, err := i.standing(ctx, v)
	if err != nil {
		return entry, v, err
	}
	if err := i.judgeSubject(ctx, entry.Pass, p); err != nil {
		return entry, v, err
	}
	if v.spent(entry) {
		return entry, v, RefusalSpent
	}
	return entry, v, nil
}

// Lapsed reports whether a pass would be honoured but for its end or its quota,
// which are over: whether a fresh one may be offered in its place. A pass that is
// refused for any other reason is that Refusal; one that still works has not lapsed.
func (i *Issuer) Lapsed(ctx context.Context, p Presentation) (Entry, bool, error) {
	v, err := i.authenticate(ctx, p.Token)
	if err != nil {
		return Entry{Pass: v.Pass}, false, err
	}
	timeErr := i.judgeTime(v.Pass)
	if timeErr != nil && !errors.Is(timeErr, RefusalExpired) {
		return Entry{Pass: v.Pass}, false, timeErr
	}
	if err := judgeRequest(v, p, true); err != nil {
		return Entry{Pass: v.Pass}, false, err
	}
	entry, err := i.standing(ctx, v)
	if err == nil {
		err = i.judgeSubject(ctx, entry.Pass, p)
	}
	if err != nil {
		return entry, false, err
	}
	return entry, timeErr != nil || v.spent(entry), nil
}

// spent reports whether every use has been made. The row of a foreign pass has a
// limit: other systems know no pass without one, so none means that nothing is left.
func (v Verified) spent(entry Entry) bool {
	left, limited := entry.UsesLeft()
	return limited && left == 0 || !limited && v.foreign != nil && v.Pass.Recorded
}

// authenticate opens a token of any form.
func (i *Issuer) authenticate(ctx context.Context, t Token) (Verified, error) {
	if t.form() != FormatShort {
		v, err := i.open(t)
		if err == nil && v.foreign != nil && v.Pass.Recorded {
			return i.readForeignRow(ctx, v)
		}
		return v, err
	}
	entry, err := i.row(ctx, shortID(t))
	if errors.Is(err, ErrNotFound) {
		return Verified{}, RefusalUnknownPass
	}
	if err != nil {
		return Verified{}, err
	}
	return Verified{Pass: entry.Pass, row: &entry}, nil
}

// standing returns a pass's row with what group revocations do to it, and
// refuses what is unknown or revoked.
func (i *Issuer) standing(ctx context.Context, v Verified) (Entry, error) {
	entry := Entry{Pass: v.Pass}
	if v.row != nil {
		entry = *v.row
	} else {
		row, err := i.row(ctx, v.Pass.ID)
		switch {
		case err == nil:
			entry = v.merge(row)
		case !errors.Is(err, ErrNotFound):
			return entry, err
		case v.Pass.Recorded:
			return entry, RefusalUnknownPass
		}
	}
	return i.withRules(ctx, entry)
}

// withRules refuses an entry that is revoked, alone or by a rule.
func (i *Issuer) withRules(ctx context.Context, entry Entry) (Entry, error) {
	if err := i.overlay(ctx, &entry); err != nil {
		return entry, err
	}
	if !entry.RevokedAt.IsZero() {
		return entry, RefusalRevoked
	}
	return entry, nil
}

// mergeRow joins a token with its row. The row decides what is permitted; time
// is the token's own, so that an old token of an extended pass still ends when it
// said. A tombstone made from an id alone knows nothing else.
func mergeRow(token Pass, row Entry) Entry {
	merged := row
	merged.NotBefore, merged.ExpiresAt = token.NotBefore, token.ExpiresAt
	if row.Scope == "" {
		merged.Pass = token
	}
	return merged
}

// judgeSubject decides about people: whether the application still knows the
// subject, and whether somebody else is signed in.
func (i *Issuer) judgeSubject(ctx context.Context, pass Pass, p Presentation) error {
	if i.cfg.Active != nil && pass.Mode != ModePublic {
		active, err := i.cfg.Active(ctx, pass.Subject)
		if err != nil {
			return unavailable("the subject could not be checked", err)
		}
		if !active {
			return RefusalUnknownSubject
		}
	}
	if !rightSubject(pass, p) {
		return RefusalWrongSubject
	}
	return nil
}

// row reads a row and tells "not there" from "not known".
func (i *Issuer) row(ctx context.Context, id string) (Entry, error) {
	store, err := i.store()
	if err != nil {
		return Entry{}, err
	}
	entry, err := store.Entry(ctx, id)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return entry, unavailable("the pass could not be read", err)
	}
	return entry, err
}

// cutText cuts a client's text to what an audit row keeps.
func cutText(text string, limit int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "")
}
