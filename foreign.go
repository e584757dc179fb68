package hallpass

import (
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"slices"
	"strings"

	"github.com/hallpass-go/hallpass/internal/keytext"
)

// ForeignKey lets tokens of another system be honoured, within bounds that are
// set here and not by the token. Such a key only verifies. It is no member of the
// ring that signs, and nothing is derived from it.
type ForeignKey struct {
	// ID names the other installation, 1 to 32 of a-z 0-9 and underscore. It is part
	// of its passes' ids and must stay the same while those are stored. Required.
	ID string
	// Key is the key as text, in the forms that ParseKey reads. Required. Keys that
	// stand in public documents are refused.
	Key string
	// AllowShort takes a shared secret that is shorter than 32 bytes or hardly
	// varies, because the other system signed with it. Whoever guesses it makes
	// tokens of this key.
	AllowShort bool
	// Form is how its tokens are made; package django has some. Required.
	Form ForeignFormat
	// Scopes are those that its passes may have, at least one and none of hallpass's
	// own; any other is RefusalWrongScope. A token whose format names no scope gets
	// the first. Required.
	Scopes []Scope
	// Modes are those that its passes may have. Required.
	Modes []Mode
}

// String names the key and never shows it.
func (k ForeignKey) String() string { return "foreign key " + k.ID }

// Format writes String for every verb: one that takes no text, such as %d, would
// otherwise print the fields.
func (k ForeignKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// LogValue keeps the secret out of structured logs.
func (k ForeignKey) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalJSON keeps the secret out of JSON.
func (k ForeignKey) MarshalJSON() ([]byte, error) { return json.Marshal(k.String()) }

// ForeignFormat is the form that another system gives to its tokens. It says what
// a token states; whether that is honoured is decided by the Issuer, with the same
// clock, store and order of refusals as for its own.
type ForeignFormat interface {
	// Prefix begins the ids of the format's passes: 2 to 8 small letters, one of
	// which is no hexadecimal digit, so that no such id is ever one of ours.
	Prefix() string
	// Reader returns what reads tokens made with one key, safe for concurrent use.
	// A key that the format cannot use is a *FieldError with field "key".
	Reader(key ForeignMaterial) (ForeignReader, error)
}

// ForeignReader reads the tokens of one key.
type ForeignReader interface {
	// Recognises reports by shape alone whether a text could be such a token.
	Recognises(text string) bool
	// Open authenticates a token and reads it, in time and memory that the length of
	// the text bounds. Its errors are refusals, at most RefusalWrongAudience in their
	// order; for those after RefusalBadSignature the signature is proven.
	Open(text string) (ForeignToken, error)
}

// ForeignToken is what an authentic token states.
type ForeignToken struct {
	// Pass has the id as the other system knows it, 1 to 128 of a-z 0-9 . _ -;
	// the Issuer makes it its own with Prefix and the key's id. Times may have
	// fractions of a second. Key is set by the Issuer.
	//
	// With Recorded the token names a row, which decides everything but time.
	Pass Pass
	// RowTime says that the row's times hold as well as the token's.
	RowTime bool
	// Claims are the token's content as it was signed.
	Claims json.RawMessage
}

// ForeignMaterial is a key as a ForeignFormat gets it. It shows itself only by
// its methods.
type ForeignMaterial struct{ material keytext.Material }

// Secret returns a shared secret; nil for a public or private key.
func (m ForeignMaterial) Secret() []byte { return slices.Clone(m.material.Secret) }

// Public returns an ed25519.PublicKey or *ecdsa.PublicKey; nil for a shared secret.
func (m ForeignMaterial) Public() crypto.PublicKey { return m.material.Public }

// String never shows the key.
func (m ForeignMaterial) String() string { return m.material.String() }

// Format writes String for every verb.
func (m ForeignMaterial) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, m.String()) }

// LogValue keeps the key out of structured logs.
func (m ForeignMaterial) LogValue() slog.Value { return slog.StringValue(m.String()) }

// foreignMember is a foreign key ready for use.
type foreignMember struct {
	id     string
	prefix string
	reader ForeignReader
	scopes []Scope
	modes  []Mode
}

var (
	foreignIDPattern     = regexp.MustCompile(`^[a-z0-9_]{1,32}$`)
	foreignPrefixPattern = regexp.MustCompile(`^[a-z]{2,8}$`)
	foreignNamePattern   = regexp.MustCompile(`^[a-z0-9._-]{1,128}$`)
)

// ForeignID is the id of the pass that another system knows under a name: unique
// among all installations, because neither prefix nor key id can hold the hyphen
// that ends it. Imports use it for their rows.
func ForeignID(f ForeignFormat, keyID, name string) string {
	return f.Prefix() + "-" + keyID + "-" + name
}

// AddForeign lets tokens of another system be honoured from now on. What is wrong
// with the key is a *FieldError, and so is an id that is there already.
func (r *Keyring) AddForeign(k ForeignKey) error {
	m, err := k.prepare()
	if err != nil {
		return err
	}
	return r.changeForeign(func(members []foreignMember) ([]foreignMember, error) {
		if slices.ContainsFunc(members, func(other foreignMember) bool { return other.id == m.id }) {
			return nil, fieldErrorf("id", "there is already a foreign key %q", m.id)
		}
		return append(members, m), nil
	})
}

// SetForeign makes the ring honour these foreign keys and no others, in one step,
// for those who keep them elsewhere and reload them. Its errors are AddForeign's,
// and then nothing has changed.
func (r *Keyring) SetForeign(keys ...ForeignKey) error {
	fresh, err := NewKeyring()
	if err != nil {
		return err
	}
	for _, k := range keys {
		if err := fresh.AddForeign(k); err != nil {
			return err
		}
	}
	return r.changeForeign(func([]foreignMember) ([]foreignMember, error) { return fresh.snap.Load().foreign, nil })
}

func (r *Keyring) changeForeign(edit func([]foreignMember) ([]foreignMember, error)) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.snap.Load()
	if now.purpose == PurposeAccess {
		return fieldErrorf("purpose", "foreign keys stand beside keys for passes; this ring is for %s", now.purpose)
	}
	members, err := edit(slices.Clone(now.foreign))
	if err != nil {
		return err
	}
	next := *now
	next.foreign = members
	r.snap.Store(&next)
	return nil
}

func (k ForeignKey) prepare() (foreignMember, error) {
	none := foreignMember{}
	switch {
	case !foreignIDPattern.MatchString(k.ID):
		return none, fieldErrorf("id", "the id of a foreign key is 1 to 32 of a-z 0-9 _")
	case k.Form == nil:
		return none, fieldErrorf("form", "is required")
	case len(k.Scopes) == 0:
		return none, fieldErrorf("scopes", "are required: a foreign key carries what is named here and nothing else")
	case len(k.Modes) == 0:
		return none, fieldErrorf("modes", "are required: some of public, request and session")
	}
	prefix := k.Form.Prefix()
	if !foreignPrefixPattern.MatchString(prefix) || strings.Trim(prefix, "abcdef") == "" {
		return none, fieldErrorf("form", "its prefix must be 2 to 8 small letters, not all hexadecimal digits")
	}
	for _, s := range k.Scopes {
		if err := checkForeignScope(s); err != nil {
			return none, err
		}
	}
	for _, m := range k.Modes {
		if m.claim() == "" {
			return none, fieldErrorf("modes", "%q is not one of public, request, session", string(m))
		}
	}
	material, err := keytext.Parse(k.Key)
	if err == nil {
		err = keytext.CheckKnown(material)
	}
	if err != nil {
		return none, fieldErrorf("key", "%v", err)
	}
	if !k.AllowShort && keytext.Check(material) != nil {
		return none, fieldErrorf("key", "is shorter than 32 bytes or hardly varies, so that it can be guessed; allow_short takes it all the same")
	}
	reader, err := k.Form.Reader(ForeignMaterial{material})
	return foreignMember{k.ID, prefix, reader, slices.Clone(k.Scopes), slices.Clone(k.Modes)}, err
}

func checkForeignScope(s Scope) error {
	if s == "" {
		return fieldErrorf("scopes", "must not hold an empty name")
	}
	if strings.HasPrefix(strings.ToLower(string(s)), ScopeReserved) {
		return fieldErrorf("scopes", "%q is hallpass's own, which no foreign key carries", string(s))
	}
	return checkText("scopes", string(s), maxScopeRunes)
}

// openForeign tries the foreign keys; the first that honours the token decides.
// none is the refusal where the text is nobody's.
func (i *Issuer) openForeign(text string, none Refusal) (Verified, error) {
	best, reason := Verified{}, error(none)
	for _, m := range i.cfg.Keys.snap.Load().foreign {
		if !m.reader.Recognises(text) {
			continue
		}
		token, err := m.reader.Open(text)
		if err == nil {
			return m.verified(token)
		}
		// The reason of the one that came furthest is the most telling.
		if rank(err) > rank(reason) {
			best, reason = Verified{Claims: token.Claims}, err
		}
	}
	return best, reason
}

func rank(err error) int {
	r, ok := RefusalOf(err)
	if !ok {
		return -1
	}
	return slices.Index(Refusals(), r)
}

// verified makes an authentic foreign token one of ours.
func (m foreignMember) verified(t ForeignToken) (Verified, error) {
	v := Verified{Pass: t.Pass, Claims: t.Claims, foreign: &m, rowTime: t.RowTime}
	if !foreignNamePattern.MatchString(t.Pass.ID) {
		return Verified{Claims: t.Claims}, RefusalMalformed
	}
	v.Pass.ID = m.prefix + "-" + m.id + "-" + t.Pass.ID
	v.Pass.Key = m.id
	if v.Pass.Recorded {
		return v, nil // the row says what it is for
	}
	if v.Pass.Scope == "" {
		v.Pass.Scope = m.scopes[0]
	}
	return v, nil
}

// carries reports whether the key may carry a pass.
func (m foreignMember) carries(p Pass) bool {
	return slices.Contains(m.scopes, p.Scope) && slices.Contains(m.modes, p.Mode) && !p.isReserved() &&
		(p.Mode == ModePublic || p.Subject != "")
}

// readForeignRow puts the row of a foreign token in the place of what the token
// says. A token that is refused for its time is refused for that first, as any
// other is.
func (i *Issuer) readForeignRow(ctx context.Context, v Verified) (Verified, error) {
	if err := i.judgeTime(v.Pass); err != nil {
		return v, err
	}
	row, err := i.row(ctx, v.Pass.ID)
	switch {
	case errors.Is(err, ErrNotFound):
		return v, RefusalUnknownPass
	case err != nil:
		return v, err
	}
	entry := v.merge(row)
	v.Pass, v.row = entry.Pass, &entry
	return v, nil
}

// merge joins a token with its row.
func (v Verified) merge(row Entry) Entry {
	entry := mergeRow(v.Pass, row)
	if v.foreign == nil {
		return entry
	}
	entry.Key = v.foreign.id
	if v.rowTime && row.Scope != "" {
		if row.NotBefore.After(entry.NotBefore) {
			entry.NotBefore = row.NotBefore
		}
		if end := row.ExpiresAt; !end.IsZero() && (entry.ExpiresAt.IsZero() || end.Before(entry.ExpiresAt)) {
			entry.ExpiresAt = end
		}
	}
	return entry
}

// isForeignID reports whether an id is that of a foreign pass: ours are UUIDs.
func isForeignID(id string) bool {
	_, ours := parseUUID(id)
	return !ours
}
