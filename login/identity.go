package login

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/mail"
)

// Claims is what an application says of a user: the private claims of the access
// token. Numbers are kept as they are written.
type Claims map[string]any

// Identity is somebody whose mailbox was proven.
type Identity struct {
	// Subject is the claim "sub" of Allow, or, with Config.Tokens, what its Identify
	// says of the claims, or the address.
	Subject string
	// Address is the canonical address that the mail went to.
	Address mail.Address
	// Claims are those of Allow, without "sub".
	Claims Claims
	// Next is where the browser wanted to go when the login began; empty for home.
	Next string
	// HandedOver says that it was proven on another device, and typed here.
	HandedOver bool
}

// Session is a login that goes on: a family of refresh tokens. In the store its
// tokens are nowhere.
type Session struct {
	ID      string       `json:"id"`
	Subject string       `json:"subject"`
	Address mail.Address `json:"email"`
	Claims  Claims       `json:"claims,omitempty"`
	// Began is the login, Refreshed the latest refresh, Ends the absolute end.
	Began     time.Time `json:"began"`
	Refreshed time.Time `json:"refreshed"`
	Ends      time.Time `json:"ends"`
	// IdleEnds is when it ends unless it is refreshed.
	IdleEnds time.Time `json:"idle_ends"`
	// ClientIP and UserAgent are those of the login.
	ClientIP  string `json:"client_ip,omitempty"`
	UserAgent string `json:"user_agent,omitempty"`
}

// reserved are the claims that hallpass itself says (RFC 9068 section 2.2): Allow
// and Update cannot, but for the "sub" of Allow.
var reserved = []string{
	"iss", "sub", "exp", "aud", "iat", "nbf", "jti", "client_id", "sid", "auth_time", "email", "typ", "scope", "acr", "amr", "azp", "cnf",
}

// isReserved reports whether the application cannot say or change a claim. It
// compares without regard to case, as many decoders do: what "SUB" says must not be
// taken for "sub" anywhere.
func (c Config) isReserved(name string) bool {
	return strings.EqualFold(name, "sub") ||
		slices.ContainsFunc(c.reserved(), func(own string) bool { return strings.EqualFold(own, name) })
}

// ReservedClaim reports whether hallpass itself says a claim of this name, in any
// spelling: Config.Allow cannot. "sub" is not among them: Allow may say it.
func ReservedClaim(name string) bool {
	return name != "sub" && Config{}.isReserved(name)
}

// identify asks the application who an address is.
func (l *Login) identify(ctx context.Context, address mail.Address) (Identity, error) {
	asking, cancel := context.WithTimeout(ctx, hookTimeout)
	defer cancel()
	claims, err := l.cfg.Allow(asking, address)
	if err != nil {
		return Identity{}, l.notAllowed(err)
	}
	id := Identity{Subject: string(address), Address: address}
	if id.Claims, err = l.checkClaims(claims); err != nil {
		return Identity{}, err
	}
	if sub, ok := id.Claims["sub"]; ok {
		if id.Subject = subjectText(sub); id.Subject == "" {
			return Identity{}, fmt.Errorf("login: Allow gave a claim sub that is no text and no number, or is empty")
		}
		delete(id.Claims, "sub")
	} else if l.cfg.Tokens != nil {
		said, err := l.cfg.Tokens.identify(id.Claims)
		if err != nil {
			return Identity{}, fmt.Errorf("login: Allow gave claims that say no user to Tokens.Identify: %w", err)
		}
		id.Subject = said.Subject
	}
	return id, l.agree(id.Subject, address, id.Claims)
}

// hookTimeout bounds how long the application may take to say who somebody is.
const hookTimeout = 10 * time.Second

// notAllowed keeps the application's no apart from its failure to say.
func (l *Login) notAllowed(err error) error {
	if _, refused := hallpass.RefusalOf(err); refused {
		return err
	}
	return unavailable("the application could not say who may log in", err)
}

// checkClaims returns a copy as it will be after a journey through JSON.
func (l *Login) checkClaims(claims Claims) (Claims, error) {
	for name := range claims {
		if l.cfg.isReserved(name) && name != "sub" {
			return nil, fmt.Errorf("login: the claim %q is hallpass's own, in any spelling", name)
		}
	}
	for _, name := range l.cfg.ExpectedClaims {
		if _, ok := claims[name]; !ok {
			return nil, fmt.Errorf("login: the expected claim %q is missing: %w", name, hallpass.RefusalMissingClaim)
		}
	}
	text, err := json.Marshal(claims)
	if err != nil {
		return nil, fmt.Errorf("login: the claims are no JSON: %w", err)
	}
	most := maxClaims
	if l.encrypter != nil || l.cfg.Tokens != nil { // which may encrypt, and repeats them in the refresh token
		most = maxSealedClaims
	}
	if len(text) > most {
		return nil, fmt.Errorf("login: the claims have %d bytes of JSON; at most %d fit a token", len(text), most)
	}
	return parseClaims(text)
}

// Claims leave room in a cookie of 4 KiB for the rest of a token, which base64
// makes longer by a third, and encryption by another.
const (
	maxClaims       = 2048
	maxSealedClaims = 1300
)

// UnmarshalJSON keeps numbers as they are written.
func (c *Claims) UnmarshalJSON(text []byte) error {
	parsed, err := parseClaims(text)
	*c = parsed
	return err
}

// include reports whether all of some claims are among these, as JSON.
func (c Claims) include(some Claims) bool {
	for name, value := range some {
		have, err := json.Marshal(c[name])
		want, wantErr := json.Marshal(value)
		if _, ok := c[name]; !ok || err != nil || wantErr != nil || !bytes.Equal(have, want) {
			return false
		}
	}
	return true
}
