package api

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/rights"
	"github.com/hallpass-go/hallpass/internal/strictjson"
	"github.com/hallpass-go/hallpass/internal/wire"
)

// issueBody is what `hallpass issue` takes as flags. The fields are for the
// document; what they mean is decided by wire.Request, once for the command line,
// files and this.
type issueBody struct {
	Scope      string          `json:"scope" maxLength:"100" doc:"What the pass is for."`
	Mode       string          `json:"mode,omitempty" enum:"public,request,session" doc:"Whose request it makes; public unless given."`
	Subject    string          `json:"subject,omitempty" doc:"The user's id; needed for request and session."`
	MaxUses    *int64          `json:"max_uses,omitempty" minimum:"0" doc:"How often it works; 0 means unlimited. Absent is the default for its kind."`
	TTL        string          `json:"ttl,omitempty" example:"7d" doc:"How long it lives: 90s, 12h, 7d, never."`
	NotBefore  string          `json:"not_before,omitempty" format:"date-time" doc:"When it starts."`
	Data       json.RawMessage `json:"data,omitempty" doc:"What it carries: any JSON."`
	Grants     []string        `json:"grants,omitempty" doc:"Methods and paths it is good for: \"GET /p\", \"GET =/p\"."`
	Recipient  string          `json:"recipient,omitempty" doc:"A note on who it is meant for."`
	Batch      string          `json:"batch,omitempty" doc:"A label to find and revoke many passes by."`
	URL        string          `json:"url,omitempty" doc:"Becomes the link."`
	Format     string          `json:"format,omitempty" enum:"signed,short,compact" doc:"The form of the token; signed unless given."`
	Unrecorded *bool           `json:"unrecorded,omitempty" doc:"Write nothing until its first use."`
	TypedCode  *bool           `json:"typed_code,omitempty" doc:"Answer with the code too that the page of the link wants typed, where a rule says confirm: code."`

	request wire.Request
}

func (b *issueBody) setMember(name string, v strictjson.Value) error {
	if !wire.IsRequestField(name) {
		return errUnknown(name)
	}
	return b.request.SetJSON(name, v)
}

type issueIn struct {
	IdempotencyKey string `header:"Idempotency-Key" doc:"The same key and body again, within 24 hours, give the same pass."`
	Body           issueBody
}

func (a *API) issue(ctx context.Context, in *issueIn) (wire.Issued, error) {
	r := in.Body.request
	if err := a.judgeSpec(ctx, &r.Spec); err != nil {
		return wire.Issued{}, err
	}
	issued, err := a.issueOne(ctx, in.IdempotencyKey, r.Spec)
	if err != nil {
		return wire.Issued{}, err
	}
	return r.Answer(a.issuer, issued)
}

func (a *API) issueOne(ctx context.Context, key string, spec hallpass.Spec) (hallpass.Issued, error) {
	if key == "" {
		return a.issuer.Issue(ctx, spec)
	}
	series, err := a.issuer.Series(ctx, callerOf(ctx).ID, key)
	if err != nil {
		return hallpass.Issued{}, err
	}
	return series.Issue(ctx, 0, spec)
}

// judgeSpec judges the fields first, then whether the caller may have this issued.
// What a pass for hallpass itself has of its caller is filled in.
func (a *API) judgeSpec(ctx context.Context, spec *hallpass.Spec) error {
	caller := callerOf(ctx)
	if rights.IsReserved(spec.Scope) {
		spec.Subject, spec.Batch = cmp.Or(spec.Subject, caller.Subject), cmp.Or(spec.Batch, caller.Batch)
	}
	p, err := a.issuer.Draft(*spec)
	if err == nil {
		err = mayIssue(caller, p)
	}
	if err == nil && rights.IsReserved(spec.Scope) {
		spec.Data, err = withParents(caller, p.Data)
	}
	return err
}

type listIn struct {
	Scope     string `query:"scope"`
	Subject   string `query:"subject"`
	Batch     string `query:"batch"`
	Mode      string `query:"mode" enum:"public,request,session"`
	State     string `query:"state" enum:"active,not_yet_valid,expired,spent,revoked"`
	Recipient string `query:"recipient"`
	Query     string `query:"query" doc:"The id, scope, batch, subject or recipient."`
	After     string `query:"after" doc:"The next of the page before."`
	Limit     int    `query:"limit" minimum:"1" maximum:"1000" doc:"How many at most; 50 unless given."`
}

func (a *API) list(ctx context.Context, in *listIn) (wire.Passes, error) {
	f := hallpass.EntryFilter{
		Scope: hallpass.Scope(in.Scope), Subject: in.Subject, Batch: in.Batch,
		Mode: hallpass.Mode(in.Mode), State: hallpass.State(in.State), Recipient: in.Recipient, Query: in.Query,
		After: in.After, Limit: in.Limit,
	}
	modes := []hallpass.Mode{"", hallpass.ModePublic, hallpass.ModeRequest, hallpass.ModeSession}
	states := []hallpass.State{
		"", hallpass.StateActive, hallpass.StateNotYetValid, hallpass.StateExpired, hallpass.StateSpent, hallpass.StateRevoked,
	}
	switch {
	case !slices.Contains(modes, f.Mode):
		return wire.Passes{}, invalid("mode", "must be public, request or session")
	case !slices.Contains(states, f.State):
		return wire.Passes{}, invalid("state", "must be active, not_yet_valid, expired, spent or revoked")
	}
	page, err := a.issuer.Entries(ctx, f)
	if err != nil {
		return wire.Passes{}, err
	}
	return wire.PassesOf(page, a.issuer.Now()), nil
}

type passIn struct {
	ID string `path:"id" doc:"The pass's id."`
}

// shownPass is a pass whose ETag is that of the very text that is sent.
type shownPass struct{ wire.Pass }

func (p shownPass) etag() string { return etagOf(p.Pass) }

func etagOf(p wire.Pass) string {
	text, _ := wire.Marshal(p) // cannot fail: its one raw value was valid when it was stored
	sum := sha256.Sum256(text)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:15]) + `"`
}

func (a *API) show(ctx context.Context, in *passIn) (shownPass, error) {
	entry, err := a.issuer.Entry(ctx, in.ID)
	return shownPass{wire.PassOf(entry, a.issuer.Now())}, err
}

type amendBody struct {
	AddUses   *int64  `json:"add_uses,omitempty" minimum:"1" doc:"How many more uses; needs a recorded pass with a limit."`
	TTL       *string `json:"ttl,omitempty" doc:"A new life, from now."`
	ExpiresAt *string `json:"expires_at,omitempty" format:"date-time" doc:"A new end, later than the old one."`
	URL       *string `json:"url,omitempty" doc:"Becomes the link, where there is a new token."`
}

type amendIn struct {
	ID      string `path:"id" doc:"The pass's id."`
	IfMatch string `header:"If-Match" doc:"The ETag of the pass as the caller knows it."`
	Body    amendBody
}

// amendedPass is a pass with the new token, where it has got one.
type amendedPass struct {
	wire.Pass
	Token string `json:"token,omitempty"`
	URL   string `json:"url,omitempty"`
}

func (p amendedPass) etag() string { return etagOf(p.Pass) }

func (a *API) amend(ctx context.Context, in *amendIn) (amendedPass, error) {
	change, link, err := in.Body.change()
	if err != nil {
		return amendedPass{}, err
	}
	entry, err := a.issuer.Entry(ctx, in.ID)
	if err != nil {
		return amendedPass{}, err
	}
	if in.IfMatch != "" && in.IfMatch != "*" {
		if in.IfMatch != etagOf(wire.PassOf(entry, a.issuer.Now())) {
			return amendedPass{}, errPrecondition
		}
		change.From = &entry
	}
	after, err := a.issuer.Amended(entry, change)
	if err != nil {
		return amendedPass{}, err
	}
	if err := mayAmend(callerOf(ctx), after); err != nil {
		return amendedPass{}, err
	}
	amended, err := a.issuer.Amend(ctx, in.ID, change)
	if err != nil {
		return amendedPass{}, err
	}
	now := a.issuer.Now()
	if amended.Token.IsZero() {
		return amendedPass{Pass: wire.PassOf(amended.Entry, now)}, nil
	}
	out, err := wire.IssuedOf(amended, link, now)
	// The row keeps the key of the first token; the ETag is that of the row.
	out.Pass.Key = entry.Key
	return amendedPass{out.Pass, out.Token, out.URL}, err
}

var errPrecondition = &failure{
	status: http.StatusPreconditionFailed, code: wire.CodeConflict, field: "if_match",
	detail: "the pass is no longer as If-Match says; look at it again", cause: hallpass.ErrConflict,
}

func (b amendBody) change() (c hallpass.Change, link string, err error) {
	var r wire.Request
	if b.URL != nil {
		if err := r.SetText("url", *b.URL); err != nil {
			return c, "", err
		}
	}
	if b.AddUses != nil {
		if *b.AddUses < 1 {
			return c, "", invalid("add_uses", "must be at least 1")
		}
		c.AddUses = *b.AddUses
	}
	if b.TTL != nil {
		if c.TTL, err = positive(*b.TTL); err != nil {
			return c, "", err
		}
	}
	if b.ExpiresAt != nil {
		c.ExpiresAt, err = wire.ParseTime("expires_at", *b.ExpiresAt)
	}
	return c, r.URL, err
}

func positive(text string) (time.Duration, error) {
	d, err := wire.ParseDuration("ttl", text)
	if err == nil && d <= 0 {
		err = invalid("ttl", "must be positive")
	}
	return d, err
}

func (a *API) revoke(ctx context.Context, in *passIn) (wire.Pass, error) {
	entry, _, err := a.issuer.RevokeID(ctx, in.ID)
	return wire.PassOf(entry, a.issuer.Now()), err
}

type passUsesIn struct {
	ID    string `path:"id" doc:"The pass's id."`
	After string `query:"after" doc:"The next of the page before."`
	Limit int    `query:"limit" minimum:"1" maximum:"1000" doc:"How many at most; 50 unless given."`
}

func (a *API) passUses(ctx context.Context, in *passUsesIn) (wire.Uses, error) {
	if _, err := a.issuer.Entry(ctx, in.ID); err != nil {
		return wire.Uses{}, err
	}
	return a.listUses(ctx, hallpass.UseQuery{Pass: in.ID, After: in.After, Limit: in.Limit})
}
