package django

import (
	"crypto/ed25519"
	"encoding/json"
	"strconv"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/keytext"
)

// EmailAuthConfig are the settings of jwt-email-auth, under the names of that
// package in the comments. SigningKey is required.
type EmailAuthConfig struct {
	// SigningKey is SIGNING_KEY: an Ed25519 private key, also as OpenSSH in one line
	// with | for breaks, or a shared secret for HS256. The package's published default
	// is refused, and so is a weak secret.
	SigningKey string
	// CipherKey is CIPHER_KEY: an AES key of 16, 24 or 32 bytes as base64. Empty leaves
	// tokens plain.
	CipherKey string
	// Issuer and Audience are ISSUER and AUDIENCE; empty are neither written nor asked
	// for.
	Issuer, Audience string
	// AccessTTL and RefreshTTL are ACCESS_TOKEN_LIFETIME and REFRESH_TOKEN_LIFETIME.
	// Default to 5 minutes and 14 days.
	AccessTTL, RefreshTTL time.Duration
	// NotBefore is NOT_BEFORE_TIME: tokens start that much later. Zero writes no `nbf`.
	NotBefore time.Duration
	// Leeway is LEEWAY. Defaults to 0.
	Leeway time.Duration
	// ExpectedClaims is EXPECTED_CLAIMS.
	ExpectedClaims []string
	// Headers is EXTRA_HEADERS.
	Headers map[string]string
}

func (c EmailAuthConfig) withDefaults() EmailAuthConfig {
	if c.AccessTTL == 0 {
		c.AccessTTL = 5 * time.Minute
	}
	if c.RefreshTTL == 0 {
		c.RefreshTTL = 14 * 24 * time.Hour
	}
	return c
}

// EmailAuth makes and opens the access and refresh tokens of jwt-email-auth. It is
// safe for concurrent use.
//
// Its methods speak of JSON and time alone, so that a login can take it behind an
// interface of its own.
type EmailAuth struct {
	cfg    EmailAuthConfig
	key    keytext.Material
	cipher []byte
}

// NewEmailAuth returns a codec. Its errors are *hallpass.FieldError.
func NewEmailAuth(cfg EmailAuthConfig) (*EmailAuth, error) {
	cfg = cfg.withDefaults()
	key, err := ParseKey(cfg.SigningKey)
	if err == nil {
		err = keytext.Check(key.material)
	}
	if err != nil {
		return nil, &hallpass.FieldError{Field: "signing_key", Reason: reasonOf(err)}
	}
	for _, d := range []struct {
		field string
		value time.Duration
	}{{"access_ttl", cfg.AccessTTL}, {"refresh_ttl", cfg.RefreshTTL}, {"not_before", cfg.NotBefore}, {"leeway", cfg.Leeway}} {
		if d.value < 0 {
			return nil, &hallpass.FieldError{Field: d.field, Reason: "must not be negative"}
		}
	}
	for name := range cfg.Headers {
		if name == "alg" || name == "crit" || name == "b64" {
			return nil, &hallpass.FieldError{Field: "headers", Reason: strconv.Quote(name) + " is not a header to choose"}
		}
	}
	e := &EmailAuth{cfg: cfg, key: key.material}
	if cfg.CipherKey != "" {
		if e.cipher, err = ParseCipherKey(cfg.CipherKey); err != nil {
			return nil, err
		}
	}
	return e, nil
}

func reasonOf(err error) string {
	if field, ok := err.(*hallpass.FieldError); ok {
		return field.Reason
	}
	return err.Error()
}

// Access makes the text of str(AccessToken()) with more claims, an object whose
// members replace what has their name. Errors are *hallpass.FieldError.
func (e *EmailAuth) Access(claims json.RawMessage, now time.Time) (string, error) {
	return e.issue("access", e.cfg.AccessTTL, claims, now)
}

// Refresh makes the text of str(RefreshToken()) in the same way.
func (e *EmailAuth) Refresh(claims json.RawMessage, now time.Time) (string, error) {
	return e.issue("refresh", e.cfg.RefreshTTL, claims, now)
}

func (e *EmailAuth) issue(kind string, ttl time.Duration, more json.RawMessage, now time.Time) (string, error) {
	if e.key.Secret == nil && e.key.Private == nil {
		return "", &hallpass.FieldError{Field: "signing_key", Reason: "is a public key and cannot sign"}
	}
	claims := pyValue{kind: pyDict, members: []pyMember{{"type", pyValue{kind: pyStr, text: kind}}}}
	times := []timeClaim{{"exp", now.Add(ttl)}, {"iat", now}}
	if e.cfg.NotBefore != 0 {
		times = append(times, timeClaim{"nbf", now.Add(e.cfg.NotBefore)})
	}
	claims.addTimes(times)
	for _, c := range []pyMember{{"aud", pyValue{kind: pyStr, text: e.cfg.Audience}}, {"iss", pyValue{kind: pyStr, text: e.cfg.Issuer}}} {
		if c.value.text != "" {
			claims.members = append(claims.members, c)
		}
	}
	if err := claims.merge(more, "claims"); err != nil {
		return "", err
	}
	signed := encodeURL([]byte(e.header())) + "." + encodeURL(claims.append(nil, true))
	signature := e.sign(signed)
	return e.encrypt(signed + "." + encodeURL(signature))
}

func (e *EmailAuth) sign(signed string) []byte {
	if private, ok := e.key.Private.(ed25519.PrivateKey); ok {
		return ed25519.Sign(private, []byte(signed))
	}
	return sumHMAC(e.key.Secret, signed)
}

// header is the JOSE header, its names sorted as PyJWT 2.6 writes them.
func (e *EmailAuth) header() string {
	headers := map[string]string{"typ": "JWT"}
	for name, value := range e.cfg.Headers {
		headers[name] = value
	}
	headers["alg"] = e.key.Algorithm
	v := pyValue{kind: pyDict}
	for _, name := range sortedNames(headers) {
		v.members = append(v.members, pyMember{name, pyValue{kind: pyStr, text: headers[name]}})
	}
	return string(v.append(nil, true))
}

// OpenAccess returns the claims of an access token that is good at a moment. It is
// stricter than the package: one spelling of a token, no duplicate claims, an end,
// and `nbf` holds wherever it stands. Errors are hallpass.Refusal.
func (e *EmailAuth) OpenAccess(token string, now time.Time) (json.RawMessage, error) {
	return e.open(token, now, EmailAuthRules{ExpectedClaims: e.cfg.ExpectedClaims})
}

// OpenRefresh returns the claims of a refresh token in the same way.
func (e *EmailAuth) OpenRefresh(token string, now time.Time) (json.RawMessage, error) {
	return e.open(token, now, EmailAuthRules{Refresh: true, ExpectedClaims: e.cfg.ExpectedClaims})
}

func (e *EmailAuth) open(token string, now time.Time, rules EmailAuthRules) (json.RawMessage, error) {
	token, err := e.decrypt(token)
	if err != nil {
		return nil, err
	}
	claims, raw, err := strictJWT(token, e.key.Algorithm, func(signed string, signature []byte) bool {
		return verifySignature(e.key, signed, signature)
	})
	if err != nil {
		return nil, err
	}
	if err := claims.times(&hallpass.Pass{}); err != nil {
		return nil, hallpass.RefusalMalformed
	}
	if _, ends := claims.member("exp"); !ends {
		return nil, hallpass.RefusalMissingClaim
	}
	// The kind comes before time: an expired refresh token is no access token either.
	if err := rules.checkClaims(claims); err != nil {
		return nil, err
	}
	d := pyjwt{now: now, leeway: e.cfg.Leeway, verifyNotBefore: true, issuer: e.cfg.Issuer, audience: e.cfg.Audience}
	if err := d.checkClaims(claims); err != nil {
		return nil, err
	}
	return raw, nil
}
