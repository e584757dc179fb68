package hallpassclient

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/wire"
)

// presentation is what the API takes of a Presentation.
type presentation struct {
	Token     string `json:"token"`
	Scope     string `json:"scope,omitempty"`
	Method    string `json:"method,omitempty"`
	Path      string `json:"path,omitempty"`
	Subject   string `json:"subject,omitempty"`
	ClientIP  string `json:"client_ip,omitempty"`
	UserAgent string `json:"user_agent,omitempty"`
	UseID     string `json:"use_id,omitempty"`
	Confirmed bool   `json:"confirmed,omitempty"`
	Hold      bool   `json:"hold,omitempty"`
}

func presentationOf(p hallpass.Presentation) (presentation, error) {
	out := presentation{
		Token: p.Token.Reveal(), Scope: string(p.Scope), Method: p.Method, Path: p.Path, Subject: p.Subject,
	}
	if p.Target != "" {
		out.Path = p.Target // the path with its query
	}
	if len(p.Modes) > 0 || p.SignedIn != "" {
		return out, &hallpass.FieldError{Field: "modes", Reason: "and signed_in cannot be asked over HTTP; look at the pass that comes back"}
	}
	return out, nil
}

// Verify judges a token with the server's store and counts nothing. A token that
// is not good is a Refusal. Claims are the token's as signed; nil for a short one.
// Modes and SignedIn of a Presentation cannot be asked over HTTP.
func (c *Client) Verify(ctx context.Context, p hallpass.Presentation) (entry hallpass.Entry, claims json.RawMessage, err error) {
	body, err := presentationOf(p)
	if err != nil {
		return entry, nil, err
	}
	var out wire.Verdict
	if err := c.do(ctx, call{method: http.MethodPost, path: "/v1/verify", body: body, out: &out, repeatable: true}); err != nil {
		return entry, nil, err
	}
	if !out.Valid || out.Pass == nil {
		return entry, out.Claims, refusalOf(out)
	}
	entry, err = entryOf(*out.Pass)
	return entry, out.Claims, err
}

// Redemption is an honoured pass: one use, counted and durable on the server.
// Whoever redeemed says how it went, by Settle or Refund; the first wins.
type Redemption struct {
	// Entry is the pass after counting.
	Entry hallpass.Entry
	// Use is the use's id.
	Use string
	// Duplicate says that the caller's UseKey was honoured before and nothing was
	// counted.
	Duplicate bool

	client *Client
}

// Redeem honours a pass once and waits for Settle or Refund. A token that is not
// honoured is a Refusal. It is counted once even when an answer is lost on its
// way.
func (c *Client) Redeem(ctx context.Context, p hallpass.Presentation) (*Redemption, error) {
	return c.redeem(ctx, p, true)
}

// RedeemOnce is Redeem for those who have no outcome to tell.
func (c *Client) RedeemOnce(ctx context.Context, p hallpass.Presentation) (*Redemption, error) {
	return c.redeem(ctx, p, false)
}

func (c *Client) redeem(ctx context.Context, p hallpass.Presentation, hold bool) (*Redemption, error) {
	body, err := presentationOf(p)
	if err != nil {
		return nil, err
	}
	body.ClientIP, body.UserAgent, body.Confirmed, body.Hold = p.ClientIP, p.UserAgent, p.Confirmed, hold
	// With a key of our own a second try finds the first one's use.
	if body.UseID = p.UseKey; body.UseID == "" {
		body.UseID = "client:" + rand.Text()
	}
	var out wire.Redeemed
	if err := c.do(ctx, call{method: http.MethodPost, path: "/v1/redeem", body: body, out: &out, repeatable: true}); err != nil {
		return nil, err
	}
	if !out.Valid || out.Pass == nil {
		return nil, refusalOf(out.Verdict)
	}
	entry, err := entryOf(*out.Pass)
	if err != nil {
		return nil, err
	}
	return &Redemption{Entry: entry, Use: out.Use, Duplicate: out.Duplicate && p.UseKey != "", client: c}, nil
}

// Settle tells the status that the request was answered with.
func (r *Redemption) Settle(ctx context.Context, status int) error {
	return r.settle(ctx, status, false)
}

// Refund gives the use back, unless it was settled before or the pass has had its
// three refunds.
func (r *Redemption) Refund(ctx context.Context, status int) error {
	return r.settle(ctx, status, true)
}

func (r *Redemption) settle(ctx context.Context, status int, refund bool) error {
	if r.Duplicate {
		return nil // its first redemption is settled by whoever made it
	}
	// Its outcome is told even when whoever asked has gone.
	return r.client.do(context.WithoutCancel(ctx), call{
		method: http.MethodPost, path: "/v1/settle", repeatable: true, body: struct {
			Pass   string `json:"pass"`
			Use    string `json:"use"`
			Status int    `json:"status"`
			Refund bool   `json:"refund,omitempty"`
		}{r.Entry.ID, r.Use, status, refund},
	})
}

// Introspection is what RFC 7662 tells about a token. Of one that is not good,
// only Active is set, to false.
type Introspection struct {
	Active    bool
	Scope     hallpass.Scope
	Subject   string
	ID        string
	ExpiresAt time.Time // zero means never
	IssuedAt  time.Time // in seconds
}

// Introspect asks whether a token is good now, and counts nothing.
func (c *Client) Introspect(ctx context.Context, token hallpass.Token) (Introspection, error) {
	var out struct {
		Active bool   `json:"active"`
		Scope  string `json:"scope"`
		Sub    string `json:"sub"`
		JTI    string `json:"jti"`
		Exp    int64  `json:"exp"`
		Iat    int64  `json:"iat"`
	}
	err := c.do(ctx, call{
		method: http.MethodPost, path: "/v1/introspect", form: url.Values{"token": {token.Reveal()}}, out: &out, repeatable: true,
	})
	if err != nil {
		return Introspection{}, err
	}
	i := Introspection{Active: out.Active, Scope: hallpass.Scope(out.Scope), Subject: out.Sub, ID: out.JTI}
	if out.Exp != 0 {
		i.ExpiresAt = time.Unix(out.Exp, 0).UTC()
	}
	if out.Iat != 0 {
		i.IssuedAt = time.Unix(out.Iat, 0).UTC()
	}
	return i, nil
}
