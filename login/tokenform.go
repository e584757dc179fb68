package login

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/mail"
)

// TokenCodec makes and opens access and refresh tokens in a form that is not
// hallpass's own. *django.EmailAuth is one.
type TokenCodec interface {
	// Access and Refresh sign claims, a JSON object, at a moment. Its members take the
	// place of what the form itself says under their name, such as `exp`. The two
	// kinds must never stand in for each other.
	Access(claims json.RawMessage, now time.Time) (string, error)
	Refresh(claims json.RawMessage, now time.Time) (string, error)
	// OpenAccess and OpenRefresh return the claims, as they were signed to the byte, of
	// a token that is authentic, of that kind, and good at a moment. `exp` and `iat` are
	// among them. Errors are hallpass.Refusal; any other means that it could not tell.
	OpenAccess(token string, now time.Time) (json.RawMessage, error)
	OpenRefresh(token string, now time.Time) (json.RawMessage, error)
}

// TokenForm is a form of tokens with what a login must know about it.
type TokenForm struct {
	// Codec is required.
	Codec TokenCodec
	// Identify says whose a token is, by all of its claims: Subject, required, and
	// Address, where they say it. Claims, if not nil, take the place of the token's as
	// the session's. It must always say the same of the same claims. Required;
	// IdentifyByClaim is the usual one. Its refusal is a token without a user.
	Identify func(claims Claims) (Identity, error)
	// Current says, by all of its claims, whether a refresh token that names a chain
	// (`sub`) and its place in it (`jti`), but none of hallpass's, is the one its maker
	// would still take. It is asked when such a token is taken over. Nil refuses them
	// all, because what was logged out before would come back to life.
	Current func(ctx context.Context, claims Claims) (bool, error)
}

// IdentifyByClaim returns a TokenForm.Identify: the subject is what one claim says,
// a text or a number.
func IdentifyByClaim(name string) func(Claims) (Identity, error) {
	return func(claims Claims) (Identity, error) {
		subject := subjectText(claims[name])
		if subject == "" {
			return Identity{}, hallpass.RefusalMissingClaim
		}
		return Identity{Subject: subject}, nil
	}
}

// subjectText is a subject as text; empty for what is none. Numbers are as JSON has
// them: a large one is no 1e+06.
func subjectText(claim any) string {
	switch claim := claim.(type) {
	case string:
		return claim
	case json.Number:
		return claim.String()
	}
	return ""
}

// formReserved are the claims that a foreign form says itself.
var formReserved = []string{"iss", "exp", "aud", "iat", "nbf", "jti", "type"}

// reserved are the claims that the application cannot say.
func (c Config) reserved() []string {
	if c.Tokens != nil {
		return formReserved
	}
	return reserved
}

func (c Config) validateForms() error {
	for i, form := range c.forms() {
		field := "former"
		if c.Tokens != nil && i == 0 {
			field = "tokens"
		}
		switch {
		case form.Codec == nil:
			return wrong(field+".codec", "is required")
		case form.Identify == nil:
			return wrong(field+".identify", "is required: say whose a token is; see IdentifyByClaim")
		}
	}
	return nil
}

// forms are all foreign ones, that of Tokens first.
func (c Config) forms() []TokenForm {
	if c.Tokens == nil {
		return c.Former
	}
	return append([]TokenForm{*c.Tokens}, c.Former...)
}

// maxForeign bounds what a codec is asked to look at: encryption and base64 make a
// token longer.
const maxForeign = 2 * hallpass.MaxTokenLength

// identify asks the application whose claims these are.
func (f *TokenForm) identify(claims Claims) (Identity, error) {
	id, err := f.Identify(maps.Clone(claims))
	if err == nil && id.Subject == "" {
		err = hallpass.RefusalMissingClaim
	}
	if _, refused := hallpass.RefusalOf(err); err != nil && !refused {
		err = fmt.Errorf("login: Identify: %w", err)
	}
	return id, err
}

// openAccess also returns all that the token says.
func (f *TokenForm) openAccess(token string, now time.Time) (a Access, said Claims, err error) {
	if len(token) > maxForeign {
		return Access{}, nil, hallpass.RefusalMalformed
	}
	raw, err := f.Codec.OpenAccess(token, now)
	if err != nil {
		return Access{}, nil, unavailableForm(err)
	}
	if said, err = parseClaims(raw); err != nil || said == nil {
		return Access{}, nil, hallpass.RefusalMalformed
	}
	issued, ends, err := said.times()
	if err != nil {
		return Access{}, nil, err
	}
	id, err := f.identify(said)
	if err != nil {
		return Access{}, nil, err
	}
	a = Access{Subject: id.Subject, Address: id.Address, Claims: said.application(formReserved), IssuedAt: issued, ExpiresAt: ends}
	if id.Claims != nil {
		a.Claims = id.Claims
	}
	return a, said, nil
}

// unavailableForm keeps a codec's no apart from its failure.
func unavailableForm(err error) error {
	if _, refused := hallpass.RefusalOf(err); refused {
		return err
	}
	return unavailable("a token could not be opened", err)
}

// times are those of a foreign token; both must be there.
func (c Claims) times() (issued, ends time.Time, err error) {
	for name, to := range map[string]*time.Time{"iat": &issued, "exp": &ends} {
		number, ok := c[name].(json.Number)
		if !ok {
			return issued, ends, hallpass.RefusalMissingClaim
		}
		seconds, err := strconv.ParseFloat(number.String(), 64)
		if err != nil || seconds < 0 || seconds > 1<<38 { // the year 10680
			return issued, ends, hallpass.RefusalMalformed
		}
		*to = time.UnixMicro(int64(seconds * 1e6)).UTC()
	}
	return issued, ends, nil
}

// application returns the claims without those that say what a token is.
func (c Claims) application(without []string) Claims {
	own := Claims{}
	for name, value := range c {
		if name != "sub" && !slices.Contains(without, name) {
			own[name] = value
		}
	}
	return own
}

// foreignAccess signs an access token in the foreign form. It says what the
// application says, and nothing more.
func (l *Login) foreignAccess(s *Session) (hallpass.Token, time.Time, error) {
	now := l.now()
	ends := now.Add(l.cfg.AccessTTL).Truncate(time.Second)
	claims, err := l.foreignClaims(s.Claims, `"exp":`+strconv.FormatInt(ends.Unix(), 10))
	if err != nil {
		return hallpass.Token{}, time.Time{}, err
	}
	text, err := l.cfg.Tokens.Codec.Access(claims, now)
	return hallpass.NewToken(text), ends, err
}

// foreignRefresh signs the refresh token of a session's current generation: `sub` is
// the session and `jti` the generation. All its times are the session's, so it can
// be signed again.
func (l *Login) foreignRefresh(f *family) (hallpass.Token, error) {
	claims, err := l.foreignClaims(f.Claims, fmt.Sprintf(`"exp":%d,"sub":%q,"jti":%d`, f.IdleEnds.Unix(), f.ID, f.Generation))
	if err != nil {
		return hallpass.Token{}, err
	}
	text, err := l.cfg.Tokens.Codec.Refresh(claims, f.Refreshed)
	return hallpass.NewToken(text), err
}

// foreignClaims writes an object: what the token is, then the application's claims,
// those that are expected first and in their order.
func (l *Login) foreignClaims(claims Claims, own string) (json.RawMessage, error) {
	claims = claims.application(formReserved)
	rank := func(name string) int {
		if i := slices.Index(l.cfg.ExpectedClaims, name); i >= 0 {
			return i
		}
		return len(l.cfg.ExpectedClaims)
	}
	names := slices.SortedFunc(maps.Keys(claims), func(a, b string) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b))
	})
	var text bytes.Buffer
	text.WriteString("{" + own)
	for _, name := range names {
		member, err := json.Marshal(map[string]any{name: claims[name]})
		if err != nil {
			return nil, err
		}
		text.WriteByte(',')
		text.Write(member[1 : len(member)-1])
	}
	text.WriteByte('}')
	return text.Bytes(), nil
}

// agree refuses claims that would make a token of the foreign form somebody
// else's: its readers know its owner by them alone.
func (l *Login) agree(subject string, address mail.Address, claims Claims) error {
	if l.cfg.Tokens == nil {
		return nil
	}
	id, err := l.cfg.Tokens.identify(claims)
	if err != nil {
		return err
	}
	if id.Subject != subject || id.Address != "" && id.Address != address {
		l.cfg.Logger.Warn("the claims of a session are another user's, says Tokens.Identify; no token was given")
		return fmt.Errorf("login: the claims are another user's: %w", hallpass.RefusalWrongSubject)
	}
	return nil
}

// moreTelling returns the refusal that says more, of several forms' about one
// token: one that proves that its key signed it, then one that found a token.
func moreTelling(a, b error) error {
	rank := func(err error) int {
		switch reason, refused := hallpass.RefusalOf(err); {
		case !refused:
			return 3
		case reason == hallpass.RefusalMalformed:
			return 0
		case reason == hallpass.RefusalUnknownKey || reason == hallpass.RefusalBadSignature:
			return 1
		}
		return 2
	}
	if rank(b) > rank(a) {
		return b
	}
	return a
}
