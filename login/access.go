package login

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/mail"
)

// accessType is the type of access tokens (RFC 9068 section 2.1).
const accessType = "at+jwt"

// Access is what an access token says. It was true when it was signed: a session
// that ended since is seen at the next refresh.
type Access struct {
	// ID is the token's own, Session that of the session. Both are empty for a token
	// of a foreign form (Config.Tokens, Former), which says neither; Address and
	// AuthTime too, where it does not say them.
	ID, Session string
	Subject     string
	Address     mail.Address
	// Claims are the application's.
	Claims Claims
	// AuthTime is when the address was proven.
	AuthTime, IssuedAt, ExpiresAt time.Time
}

// accessClaims is the payload. Application claims stand beside them.
type accessClaims struct {
	Issuer   string       `json:"iss"`
	Subject  string       `json:"sub"`
	Audience string       `json:"aud"`
	ClientID string       `json:"client_id"`
	ID       string       `json:"jti"`
	Session  string       `json:"sid"`
	Email    mail.Address `json:"email"`
	IssuedAt int64        `json:"iat"`
	Expires  int64        `json:"exp"`
	AuthTime int64        `json:"auth_time"`
}

func (l *Login) signAccess(s *Session) (hallpass.Token, time.Time, error) {
	if l.cfg.Tokens != nil {
		return l.foreignAccess(s)
	}
	now := l.now()
	ends := now.Add(l.cfg.AccessTTL).Truncate(time.Second)
	own, err := json.Marshal(accessClaims{
		Issuer: l.cfg.IssuerURL, Subject: s.Subject, Audience: l.cfg.Audience, ClientID: l.cfg.ClientID,
		ID: rand.Text(), Session: s.ID, Email: s.Address, IssuedAt: now.Unix(), Expires: ends.Unix(), AuthTime: s.Began.Unix(),
	})
	if err != nil {
		return hallpass.Token{}, time.Time{}, err
	}
	// A session that began under another form may have claims that are ours now.
	if claims := s.Claims.application(reserved); len(claims) > 0 {
		theirs, err := json.Marshal(claims)
		if err != nil {
			return hallpass.Token{}, time.Time{}, err
		}
		own = append(append(own[:len(own)-1], ','), theirs[1:]...)
	}
	token, err := l.cfg.AccessKeys.SignJWT(accessType, own)
	if err == nil && l.encrypter != nil {
		token, err = l.encrypt(token)
	}
	return token, ends, err
}

// OpenAccess judges an access token: its signature, its type, for whom it is and
// its time. It asks no store. Its refusals are hallpass.RefusalMissing,
// RefusalMalformed, RefusalUnknownKey, RefusalBadSignature, RefusalWrongType,
// RefusalMissingClaim, RefusalWrongAudience, RefusalNotYetValid and
// RefusalExpired.
func (l *Login) OpenAccess(token string) (Access, error) {
	a, _, err := l.openAccess(token)
	return a, err
}

// openAccess also returns all that the token says, flat as it stands there.
func (l *Login) openAccess(token string) (a Access, said Claims, err error) {
	if token == "" {
		return Access{}, nil, hallpass.RefusalMissing
	}
	if a, err = l.openOwnAccess(token); err == nil {
		return a, a.all(), nil
	}
	for i := range l.forms {
		foreign, said, formErr := l.forms[i].openAccess(token, l.now())
		if formErr == nil {
			return foreign, said, nil
		}
		err = moreTelling(err, formErr)
	}
	return Access{}, nil, err
}

func (l *Login) openOwnAccess(token string) (Access, error) {
	token, err := l.decrypt(token)
	if err != nil {
		return Access{}, err
	}
	payload, _, err := l.cfg.AccessKeys.OpenJWT(accessType, token)
	if err != nil {
		return Access{}, err
	}
	all, err := parseClaims(payload)
	if err != nil {
		return Access{}, hallpass.RefusalMalformed
	}
	own := ownClaims(all)
	now, leeway := l.now(), l.cfg.Leeway
	a := Access{
		ID: own.ID, Session: own.Session, Subject: own.Subject, Address: own.Email, Claims: all,
		AuthTime: time.Unix(own.AuthTime, 0).UTC(), IssuedAt: time.Unix(own.IssuedAt, 0).UTC(), ExpiresAt: time.Unix(own.Expires, 0).UTC(),
	}
	switch {
	case own.Subject == "" || own.ID == "" || own.Session == "" || own.Expires == 0 || own.IssuedAt == 0:
		return Access{}, hallpass.RefusalMissingClaim
	case own.Issuer != l.cfg.IssuerURL || own.Audience != l.cfg.Audience:
		return Access{}, hallpass.RefusalWrongAudience
	case a.IssuedAt.After(now.Add(clockSkew)):
		return Access{}, hallpass.RefusalNotYetValid
	case !now.Before(a.ExpiresAt.Add(leeway)):
		return Access{}, hallpass.RefusalExpired
	}
	for _, name := range reserved {
		delete(a.Claims, name)
	}
	return a, nil
}

// ownClaims takes our claims by their exact names: encoding/json would let "SUB"
// stand in for "sub". One of another type counts as absent.
func ownClaims(all Claims) accessClaims {
	text := func(name string) string {
		value, _ := all[name].(string)
		return value
	}
	number := func(name string) int64 {
		value, _ := all[name].(json.Number)
		n, _ := value.Int64()
		return n
	}
	return accessClaims{
		Issuer: text("iss"), Subject: text("sub"), Audience: text("aud"), ClientID: text("client_id"), ID: text("jti"),
		Session: text("sid"), Email: mail.Address(text("email")), IssuedAt: number("iat"), Expires: number("exp"), AuthTime: number("auth_time"),
	}
}

// clockSkew is how far ahead our own clocks may be of each other, as for passes.
const clockSkew = time.Minute

func parseClaims(text []byte) (Claims, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var claims map[string]any
	err := d.Decode(&claims)
	return claims, err
}

// encryptedHeader is the one header of our encrypted tokens; any other spelling,
// compression or algorithm is refused unread.
var encryptedHeader = refreshEncoding.EncodeToString([]byte(`{"alg":"dir","cty":"JWT","enc":"A256GCM"}`))

func newEncrypter(key []byte) (jose.Encrypter, error) {
	if key == nil {
		return nil, nil
	}
	return jose.NewEncrypter(jose.A256GCM, jose.Recipient{Algorithm: jose.DIRECT, Key: key},
		(&jose.EncrypterOptions{}).WithContentType("JWT"))
}

func (l *Login) encrypt(token hallpass.Token) (hallpass.Token, error) {
	sealed, err := l.encrypter.Encrypt([]byte(token.Reveal()))
	if err != nil {
		return hallpass.Token{}, err
	}
	text, err := sealed.CompactSerialize()
	if err == nil && !strings.HasPrefix(text, encryptedHeader+".") {
		err = errors.New("the header of an encrypted token is not the expected one")
	}
	if err != nil {
		return hallpass.Token{}, fmt.Errorf("login: %w", err)
	}
	return hallpass.NewToken(text), nil
}

// decrypt returns the signed token inside, or, without a CipherKey, the token. A
// plain token is refused where tokens are encrypted.
func (l *Login) decrypt(token string) (string, error) {
	if l.encrypter == nil {
		return token, nil
	}
	// With dir there is no wrapped key, so the second part is empty.
	if len(token) > hallpass.MaxTokenLength || !strings.HasPrefix(token, encryptedHeader+"..") {
		return "", hallpass.RefusalMalformed
	}
	sealed, err := jose.ParseEncryptedCompact(token, []jose.KeyAlgorithm{jose.DIRECT}, []jose.ContentEncryption{jose.A256GCM})
	if err != nil {
		return "", hallpass.RefusalMalformed
	}
	if again, err := sealed.CompactSerialize(); err != nil || again != token {
		return "", hallpass.RefusalMalformed // another spelling of the same token
	}
	inside, err := sealed.Decrypt(l.cfg.CipherKey)
	if err != nil {
		return "", hallpass.RefusalBadSignature
	}
	return string(inside), nil
}
