package api

import (
	"context"
	"net/netip"
	"strings"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/wire"
)

type verifyIn struct {
	Body struct {
		Token   *string `json:"token" doc:"A token, or a link with one."`
		Scope   string  `json:"scope,omitempty" doc:"The purpose it must be for."`
		Method  string  `json:"method,omitempty" doc:"The method it must be good for."`
		Path    string  `json:"path,omitempty" doc:"The path it must be good for, as it was sent; with its query for passes bound to one."`
		Subject string  `json:"subject,omitempty" doc:"The user it must be for."`
	}
}

// verify judges without counting. What is not given is not checked.
func (a *API) verify(ctx context.Context, in *verifyIn) (wire.Verdict, error) {
	b := &in.Body
	p, err := present(b.Token, b.Path)
	if err != nil {
		return wire.Verdict{}, err
	}
	p.Scope, p.Method, p.Subject = hallpass.Scope(b.Scope), b.Method, b.Subject
	entry, v, err := a.issuer.Check(ctx, p)
	if reason, refused := hallpass.RefusalOf(err); refused {
		return wire.Refused(reason, v.Claims), nil
	}
	if err != nil {
		return wire.Verdict{}, err
	}
	return wire.Honoured(entry, v.Claims, a.issuer.Now()), nil
}

// present reads the token and the request it came with.
func present(token *string, path string) (p hallpass.Presentation, err error) {
	if token == nil {
		return p, invalid("token", "is required: what was presented")
	}
	text := strings.TrimSpace(*token)
	p.Token = hallpass.NewToken(text)
	p.Path, _, _ = strings.Cut(path, "?")
	p.Target = path
	if found, ok := hallpass.FindToken(text, ""); ok && found != p.Token {
		p.Token = found
		if p.Target == "" {
			p.Target = text // the link says where it leads
		}
	}
	return p, nil
}

type redeemIn struct {
	Body struct {
		Token     *string `json:"token" doc:"A token, or a link with one."`
		Scope     string  `json:"scope" doc:"What is honoured here."`
		Method    string  `json:"method,omitempty" doc:"The method of the request."`
		Path      string  `json:"path,omitempty" doc:"The path of the request, as it was sent."`
		Subject   string  `json:"subject,omitempty" doc:"The user it must be for."`
		ClientIP  string  `json:"client_ip,omitempty" doc:"Who made the request, for the audit."`
		UserAgent string  `json:"user_agent,omitempty" doc:"What made the request, for the audit."`
		UseID     string  `json:"use_id,omitempty" doc:"The caller's own id of the request, up to 128 bytes: the same again counts once."`
		Confirmed bool    `json:"confirmed,omitempty" doc:"A person pressed the button. Session passes need it."`
		Hold      bool    `json:"hold,omitempty" doc:"The outcome follows by /v1/settle."`
	}
}

// redeemedUse is a verdict; the rest is there when the use was counted.
type redeemedUse struct {
	wire.Verdict
	*Counted
}

// Counted is the rest; exported, so that the document shows its fields.
type Counted struct {
	Use       string `json:"use" required:"false"`
	Subject   string `json:"subject,omitempty"`
	Data      any    `json:"data,omitempty"`
	UsesLeft  *int64 `json:"uses_left" required:"false"`
	Duplicate bool   `json:"duplicate" required:"false"`
}

func (a *API) redeem(ctx context.Context, in *redeemIn) (redeemedUse, error) {
	b := &in.Body
	p, err := present(b.Token, b.Path)
	if err != nil {
		return redeemedUse{}, err
	}
	if b.ClientIP != "" {
		if _, err := netip.ParseAddr(b.ClientIP); err != nil {
			return redeemedUse{}, invalid("client_ip", "must be an IP address")
		}
	}
	p.Scope, p.Method, p.Subject = hallpass.Scope(b.Scope), b.Method, b.Subject
	p.ClientIP, p.UserAgent, p.UseKey, p.Confirmed = b.ClientIP, b.UserAgent, b.UseID, b.Confirmed
	p.Audit = hallpass.AuditDurable
	// The claims are for the answer; what they are worth, Redeem decides.
	v, _ := a.issuer.Verify(hallpass.Presentation{Token: p.Token})
	done, err := a.issuer.Redeem(ctx, p)
	if reason, refused := hallpass.RefusalOf(err); refused {
		return redeemedUse{Verdict: wire.Refused(reason, v.Claims)}, nil
	}
	if err != nil {
		return redeemedUse{}, err
	}
	if !b.Hold {
		if err := done.Settle(ctx, 0); err != nil {
			// The use is counted and durable: to say otherwise would make the caller
			// try again. It becomes unknown by itself.
			a.cfg.Logger.ErrorContext(ctx, "the outcome of a use was not written", "use", done.Use.ID, "error", err)
		}
	}
	r := wire.RedeemedOf(done, v.Claims, a.issuer.Now())
	out := redeemedUse{r.Verdict, &Counted{Use: r.Use, Subject: r.Subject, UsesLeft: r.UsesLeft, Duplicate: r.Duplicate}}
	if len(r.Data) > 0 {
		out.Data = r.Data
	}
	return out, nil
}

type settleIn struct {
	Body struct {
		Pass   string `json:"pass" doc:"The pass's id."`
		Use    string `json:"use" doc:"The use's id, as redeem gave it."`
		Status *int   `json:"status,omitempty" minimum:"0" maximum:"999" doc:"The HTTP status the request was answered with, 0 when there was none."`
		Refund bool   `json:"refund,omitempty" doc:"Give the use back, at most 3 times a pass."`
	}
}

func (a *API) settle(ctx context.Context, in *settleIn) (wire.Use, error) {
	b := &in.Body
	status := 0
	switch {
	case b.Pass == "":
		return wire.Use{}, invalid("pass", "is required: the pass's id")
	case b.Use == "":
		return wire.Use{}, invalid("use", "is required: the use's id, as redeem gave it")
	case b.Status != nil:
		status = *b.Status
	}
	use, err := a.issuer.SettleUse(ctx, b.Pass, b.Use, status, b.Refund)
	return wire.UsesOf([]hallpass.Use{use})[0], err
}

type introspectIn struct {
	Body struct {
		Token string `json:"token" doc:"The token."`
		Hint  string `json:"token_type_hint,omitempty" doc:"Ignored: a token says itself what it is."`
	}
}

// introspection is RFC 7662 section 2.2: about a token that is not good, nothing
// else is said.
type introspection struct {
	Active    bool   `json:"active"`
	Scope     string `json:"scope,omitempty"`
	Subject   string `json:"sub,omitempty"`
	Issuer    string `json:"iss,omitempty"`
	ID        string `json:"jti,omitempty"`
	TokenType string `json:"token_type,omitempty"`
	ExpiresAt int64  `json:"exp,omitempty"`
	IssuedAt  int64  `json:"iat,omitempty"`
	NotBefore int64  `json:"nbf,omitempty"`
}

func (a *API) introspect(ctx context.Context, in *introspectIn) (introspection, error) {
	if in.Body.Token == "" {
		return introspection{}, invalid("token", "is required")
	}
	entry, _, err := a.issuer.Check(ctx, hallpass.Presentation{Token: hallpass.NewToken(in.Body.Token)})
	if _, refused := hallpass.RefusalOf(err); refused {
		return introspection{}, nil
	}
	if err != nil {
		return introspection{}, err
	}
	out := introspection{
		Active: true, Scope: string(entry.Scope), Subject: entry.Subject, Issuer: a.issuer.Instance(),
		ID: entry.ID, TokenType: "Bearer",
	}
	if !entry.IssuedAt.IsZero() {
		out.IssuedAt = entry.IssuedAt.Unix()
	}
	if !entry.ExpiresAt.IsZero() {
		out.ExpiresAt = entry.ExpiresAt.Unix()
	}
	if !entry.NotBefore.IsZero() {
		out.NotBefore = entry.NotBefore.Unix()
	}
	return out, nil
}
