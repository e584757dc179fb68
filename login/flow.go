package login

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/look"
	"github.com/hallpass-go/hallpass/mail"
)

// flow is one login from the request for a mail to its end, as the store has it.
// The code, the link and what binds it to a browser stand in it only as hashes.
type flow struct {
	ID      string       `json:"id"`
	Address mail.Address `json:"email"`
	// Secret is the hash of what the browser or app that began it holds.
	Secret []byte `json:"secret"`
	Code   []byte `json:"code"`
	Link   []byte `json:"link"`
	// Sealed is flowSecrets, for sending the same mail again.
	Sealed []byte `json:"sealed"`
	// HandOver is the code shown by the link's page on another device.
	HandOver     []byte    `json:"hand_over,omitempty"`
	HandOverEnds time.Time `json:"hand_over_ends,omitzero"`
	// Tries counts the codes entered, right or wrong.
	Tries int `json:"tries"`
	// Done says that code and link have been used.
	Done bool `json:"done,omitempty"`
	// HandedOver says that the link was used for another device.
	HandedOver bool      `json:"handed_over,omitempty"`
	Began      time.Time `json:"began"`
	// Asked is when its mail was last asked for and could be sent.
	Asked time.Time `json:"asked"`
	Ends  time.Time `json:"ends"`
	Where Where     `json:"where"`
	Next  string    `json:"next,omitempty"`
}

// Where is the place a request came from, as mails, pages and lists show it.
type Where struct {
	ClientIP  string `json:"client_ip,omitempty"`
	UserAgent string `json:"user_agent,omitempty"`
}

// A flow token is what the browser or app that began a login holds, a link token
// what the mail carries: the flow's id and a secret of 128 bits. Their first
// letter keeps them apart, also from every token of a pass.
const (
	flowLetter = "f"
	linkLetter = "l"
)

// secretLength is that of rand.Text: 26 characters of base32, 130 bits.
const secretLength = 26

func joinToken(letter, id, secret string) string { return letter + "-" + id + "-" + secret }

func splitToken(letter, token string) (id, secret string, ok bool) {
	parts := strings.Split(token, "-")
	if len(parts) != 3 || parts[0] != letter || len(parts[1]) != secretLength || len(parts[2]) != secretLength {
		return "", "", false
	}
	for _, c := range []byte(parts[1] + parts[2]) {
		if (c < 'A' || c > 'Z') && (c < '2' || c > '7') {
			return "", "", false
		}
	}
	return parts[1], parts[2], true
}

func secretHash(kind, id, secret string) []byte {
	sum := sha256.Sum256([]byte(kind + "-" + id + "-" + secret))
	return sum[:]
}

// flowOf returns the flow that a token of that kind names, if its secret is right.
func (l *Login) flowOf(ctx context.Context, letter, token string) (flow, error) {
	if token == "" {
		return flow{}, hallpass.RefusalMissing
	}
	id, secret, ok := splitToken(letter, token)
	if !ok {
		return flow{}, hallpass.RefusalMalformed
	}
	f, _, err := read[flow](ctx, l.cells, l.place("flows", id))
	if errors.Is(err, hallpass.ErrNotFound) {
		return flow{}, hallpass.RefusalUnknownPass
	}
	if err != nil {
		return flow{}, err
	}
	want := f.Secret
	if letter == linkLetter {
		want = f.Link
	}
	if subtle.ConstantTimeCompare(want, secretHash(letter, id, secret)) != 1 {
		return flow{}, hallpass.RefusalBadSignature
	}
	if letter == linkLetter && !l.fresh(&f) {
		return flow{}, hallpass.RefusalExpired
	}
	return f, nil
}

// usable says why a flow is over, if it is. Its holder has proven to hold it, so
// the exact reason tells nobody anything new.
func (l *Login) usable(ctx context.Context, f *flow) error {
	if !l.now().Before(f.Ends) {
		return hallpass.RefusalExpired
	}
	if f.Done {
		return hallpass.RefusalSpent
	}
	return l.notRevoked(ctx, string(f.Address), f.Began)
}

// fresh reports whether what the mail carries still works: a code that was handed
// over may outlive it, and must not take it along.
func (l *Login) fresh(f *flow) bool { return l.now().Before(f.Began.Add(l.cfg.CodeTTL)) }

// notRevoked applies the group revocations to something that began at a time.
func (l *Login) notRevoked(ctx context.Context, subject string, began time.Time) error {
	revoked, err := l.cfg.Issuer.Revoked(ctx, hallpass.Pass{
		ID: "login", Scope: l.cfg.Scope, Mode: hallpass.ModeSession, Subject: subject, IssuedAt: began,
	})
	if err != nil {
		return unavailable("the revocations could not be read", err)
	}
	if revoked {
		return hallpass.RefusalRevoked
	}
	return nil
}

// pepperPurpose and the other purposes keep the derived secrets apart.
const pepperPurpose = "login-code"

// codeMAC is the keyed hash of a code: without the pepper, which is not in the
// login store, a million guesses would find it.
func codeMAC(pepper []byte, kind string, f *flow, code string) []byte {
	mac := hmac.New(sha256.New, pepper)
	fmt.Fprintf(mac, "%s\x00%s\x00%s\x00%s", kind, f.Address, f.ID, code)
	return mac.Sum(nil)
}

// rightCode reports whether a code is a flow's, by any key that still verifies.
func (l *Login) rightCode(f *flow, code string) (right, handedOver bool, err error) {
	peppers, err := l.secrets(pepperPurpose)
	if err != nil {
		return false, false, err
	}
	for _, pepper := range peppers {
		if hmac.Equal(f.Code, codeMAC(pepper, "code", f, code)) && l.fresh(f) {
			right = true
		}
		if hmac.Equal(f.HandOver, codeMAC(pepper, "hand-over", f, code)) && l.now().Before(f.HandOverEnds) {
			right, handedOver = true, true
		}
	}
	if fixed, ok := l.cfg.ReviewAccounts[f.Address]; ok && subtle.ConstantTimeCompare([]byte(fixed), []byte(code)) == 1 {
		l.cfg.Logger.Warn("a review account logged in with its fixed code", "email", look.Mask(string(f.Address)))
		right = true
	}
	return right, handedOver, nil
}

// newCode draws a code, each as likely as any other.
func newCode(digits int) string {
	limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil)
	n, err := rand.Int(rand.Reader, limit)
	if err != nil {
		panic(err) // crypto/rand never fails since Go 1.24
	}
	return fmt.Sprintf("%0*d", digits, n)
}

// plainCode is a code as it was drawn, from how people type and paste it: with
// spaces or hyphens, or in full-width digits.
func plainCode(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '０' && r <= '９':
			return r - '０' + '0'
		case r == ' ' || r == '-' || r == '\u00a0' || r == '\u2009' || r == '\t' || r == '\r' || r == '\n':
			return -1
		}
		return r
	}, text)
}
