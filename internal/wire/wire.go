// Package wire is the JSON of hallpass, the same on the command line and over
// HTTP. Names are snake_case. What is empty text, an empty list or an empty
// object may be absent; numbers, booleans and uses_left are always there.
package wire

import (
	"bytes"
	"encoding/json"
	"io"
	"time"

	"github.com/hallpass-go/hallpass"
)

// Pass is a pass with what the store remembers of it.
type Pass struct {
	ID        string          `json:"id"`
	Scope     string          `json:"scope,omitempty"`
	Mode      string          `json:"mode,omitempty"`
	Subject   string          `json:"subject,omitempty"`
	Data      json.RawMessage `json:"data,omitempty"`
	Grants    []string        `json:"grants,omitempty"`
	Recipient string          `json:"recipient,omitempty"`
	Batch     string          `json:"batch,omitempty"`
	IssuedAt  string          `json:"issued_at,omitempty"`
	NotBefore string          `json:"not_before,omitempty"`
	ExpiresAt string          `json:"expires_at,omitempty"`
	MaxUses   int64           `json:"max_uses"`
	Recorded  bool            `json:"recorded"`
	Used      int64           `json:"used"`
	UsesLeft  *int64          `json:"uses_left"` // null means without limit
	State     hallpass.State  `json:"state"`
	RevokedAt string          `json:"revoked_at,omitempty"`
	Key       string          `json:"key,omitempty"`
}

// PassOf returns an entry as it stands at now.
func PassOf(e hallpass.Entry, now time.Time) Pass {
	p := Pass{
		ID: e.ID, Scope: string(e.Scope), Mode: string(e.Mode), Subject: e.Subject, Data: e.Data,
		Recipient: e.Recipient, Batch: e.Batch, IssuedAt: Time(e.IssuedAt), NotBefore: Time(e.NotBefore),
		ExpiresAt: Time(e.ExpiresAt), MaxUses: e.MaxUses, Recorded: e.Recorded, Used: e.Used,
		UsesLeft: usesLeft(e), State: e.State(now), RevokedAt: Time(e.RevokedAt), Key: e.Key,
	}
	for _, g := range e.Grants {
		p.Grants = append(p.Grants, g.String())
	}
	return p
}

// Issued is a new pass with its token, and the link where a URL was given.
type Issued struct {
	Pass
	Token string `json:"token"`
	URL   string `json:"url,omitempty"`
	// Code is what the page of the link wants typed; only where it was asked for.
	Code string `json:"code,omitempty"`
}

// Answer returns what came of a request.
func (r Request) Answer(by *hallpass.Issuer, i hallpass.Issued) (Issued, error) {
	out, err := IssuedOf(i, r.URL, by.Now())
	if err == nil && r.TypedCode {
		out.Code, err = by.TypedCode(i.Pass)
	}
	return out, err
}

// IssuedOf returns what Issue made; rawURL, where it is not empty, becomes the
// link. A URL that cannot carry a token is a *hallpass.FieldError.
func IssuedOf(i hallpass.Issued, rawURL string, now time.Time) (Issued, error) {
	out := Issued{Pass: PassOf(i.Entry, now), Token: i.Token.Reveal()}
	if rawURL == "" {
		return out, nil
	}
	var err error
	out.URL, err = hallpass.Link(rawURL, i.Token, "")
	return out, err
}

// Verdict is the answer to a token. Claims are there only after a good
// signature, as they were signed.
type Verdict struct {
	Valid  bool             `json:"valid"`
	Reason hallpass.Refusal `json:"reason,omitempty"`
	Claims json.RawMessage  `json:"claims,omitempty"`
	Pass   *Pass            `json:"pass,omitempty"`
}

// Honoured returns the verdict on a good token.
func Honoured(e hallpass.Entry, claims json.RawMessage, now time.Time) Verdict {
	p := PassOf(e, now)
	return Verdict{Valid: true, Claims: claims, Pass: &p}
}

// Refused returns the verdict on any other.
func Refused(reason hallpass.Refusal, claims json.RawMessage) Verdict {
	return Verdict{Reason: reason, Claims: claims}
}

// Redeemed is a use that was counted. A refused redemption is a Verdict.
type Redeemed struct {
	Verdict
	Use       string          `json:"use"`
	Subject   string          `json:"subject,omitempty"`
	Data      json.RawMessage `json:"data,omitempty"`
	UsesLeft  *int64          `json:"uses_left"`
	Duplicate bool            `json:"duplicate"`
}

// RedeemedOf returns the answer to a redemption.
func RedeemedOf(r *hallpass.Redemption, claims json.RawMessage, now time.Time) Redeemed {
	return Redeemed{
		Verdict: Honoured(r.Entry, claims, now), Use: r.Use.ID, Subject: r.Entry.Subject,
		Data: r.Entry.Data, UsesLeft: usesLeft(r.Entry), Duplicate: r.Duplicate,
	}
}

// Use is an audit row.
type Use struct {
	ID        string            `json:"id"`
	Pass      string            `json:"pass"`
	Subject   string            `json:"subject,omitempty"`
	At        string            `json:"at"`
	ClientIP  string            `json:"client_ip,omitempty"`
	UserAgent string            `json:"user_agent,omitempty"`
	Method    string            `json:"method,omitempty"`
	Path      string            `json:"path,omitempty"`
	Status    int               `json:"status"`
	State     hallpass.UseState `json:"state"`
}

// UsesOf returns audit rows; none is an empty list, not null.
func UsesOf(uses []hallpass.Use) []Use {
	out := make([]Use, 0, len(uses))
	for _, u := range uses {
		out = append(out, Use{
			ID: u.ID, Pass: u.Pass, Subject: u.Subject, At: Time(u.At), ClientIP: u.ClientIP,
			UserAgent: u.UserAgent, Method: u.Method, Path: u.Path, Status: u.Status, State: u.State,
		})
	}
	return out
}

// Passes is a page of passes.
type Passes struct {
	Passes []Pass  `json:"passes"`
	Next   *string `json:"next"` // null means that there is no more
}

// PassesOf returns a page as it stands at now.
func PassesOf(page hallpass.EntryPage, now time.Time) Passes {
	out := Passes{Passes: make([]Pass, 0, len(page.Entries)), Next: cursor(page.Next)}
	for _, e := range page.Entries {
		out.Passes = append(out.Passes, PassOf(e, now))
	}
	return out
}

// Uses is a page of audit rows.
type Uses struct {
	Uses []Use   `json:"uses"`
	Next *string `json:"next"`
}

// UsePageOf returns a page.
func UsePageOf(page hallpass.UsePage) Uses {
	return Uses{Uses: UsesOf(page.Uses), Next: cursor(page.Next)}
}

// Shown is a pass with its last uses.
type Shown struct {
	Pass
	Uses []Use `json:"uses"`
}

// NotFound is the answer to a search for what is not ours.
type NotFound struct {
	Found  bool             `json:"found"` // always false
	Reason hallpass.Refusal `json:"reason"`
}

// NotFoundOf reduces a refusal to what a search says: malformed, bad_signature
// or unknown_pass.
func NotFoundOf(r hallpass.Refusal) NotFound {
	switch r {
	case hallpass.RefusalMissing, hallpass.RefusalMalformed:
		return NotFound{Reason: hallpass.RefusalMalformed}
	case hallpass.RefusalUnknownPass:
		return NotFound{Reason: hallpass.RefusalUnknownPass}
	}
	return NotFound{Reason: hallpass.RefusalBadSignature}
}

// Time writes a time as RFC 3339 in UTC, with the fraction of a second where
// there is one, to the microsecond. The zero time is empty.
func Time(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.999999Z07:00")
}

// Write writes v as one line of JSON. Text stays as it is: nothing is escaped
// for HTML, so that signed claims come out as they were signed.
func Write(w io.Writer, v any) error {
	line, err := Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// Marshal is Write without the line break.
func Marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func usesLeft(e hallpass.Entry) *int64 {
	left, limited := e.UsesLeft()
	if !limited {
		return nil
	}
	return &left
}

func cursor(next string) *string {
	if next == "" {
		return nil
	}
	return &next
}
