package django

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/passjwt"
)

// RequestToken is the format of django-request-token, releases 0.14.1 to 2.4.0: a
// JWT with HS256 under SECRET_KEY that names a row. The row, imported or made by
// RequestTokenID, decides scope, user, mode and quota; the JWT decides time. Without
// its row a token is unknown_pass. The zero value is ready.
type RequestToken struct{}

// Prefix implements hallpass.ForeignFormat.
func (RequestToken) Prefix() string { return "drt" }

// Reader implements hallpass.ForeignFormat.
func (RequestToken) Reader(m hallpass.ForeignMaterial) (hallpass.ForeignReader, error) {
	secret, err := secretOf(m)
	return requestTokens{hs256(secret)}, err
}

// RequestTokenID is the id of the pass that stands for a row of the table
// request_token_requesttoken of an installation, by the id of its ForeignKey.
func RequestTokenID(keyID string, row int64) string {
	return hallpass.ForeignID(RequestToken{}, keyID, strconv.FormatInt(row, 10))
}

// hs256 is a secret that checks JWTs.
type hs256 []byte

func (s hs256) open(text string) (pyValue, []byte, error) {
	key := Key{}
	key.material.Secret = s
	return strictJWT(text, "HS256", func(signed string, signature []byte) bool {
		return verifySignature(key.material, signed, signature)
	})
}

type requestTokens struct{ secret hs256 }

func (r requestTokens) Recognises(text string) bool { return passjwt.LooksLike(text) }

func (r requestTokens) Open(text string) (hallpass.ForeignToken, error) {
	claims, raw, err := r.secret.open(text)
	out := hallpass.ForeignToken{Claims: raw}
	if err != nil {
		return out, err
	}
	jti, hasID := claims.member("jti")
	scope, hasScope := claims.member("sub")
	mode, hasMode := claims.member("mod")
	if !hasID || !hasScope || !hasMode || jti.kind == pyNone {
		return out, hallpass.RefusalMissingClaim
	}
	id, ok := jti.name()
	if !ok {
		return out, hallpass.RefusalMalformed
	}
	p := hallpass.Pass{ID: id, Recorded: true, Mode: hallpass.ModePublic}
	// What the row decides is stated here for refusals that come before it is read.
	if scope.kind == pyStr {
		p.Scope = hallpass.Scope(scope.text)
	}
	if m, ok := modes[mode.text]; ok && mode.kind == pyStr {
		p.Mode = m
	}
	if user, _ := claims.member("aud"); user.kind == pyStr || user.kind == pyInt {
		p.Subject = user.text
	}
	if err := claims.times(&p); err != nil {
		return out, hallpass.RefusalMalformed
	}
	out.Pass = p
	return out, nil
}

var modes = map[string]hallpass.Mode{"n": hallpass.ModePublic, "r": hallpass.ModeRequest, "s": hallpass.ModeSession}

// Release is a release of django-request-token by how it writes ids.
type Release int

const (
	// Release2_3 writes `jti` as a number and `aud` as text, as 2.3.1 does.
	Release2_3 Release = iota
	// Release0_14 writes both as numbers, as 0.14.1 does.
	Release0_14
	// Release2_4 writes both as text, as 2.4.0 does.
	Release2_4
)

// RequestTokenRow is what a row of django-request-token puts into its JWT. Zero
// times are NULL.
type RequestTokenRow struct {
	ID       int64
	Scope    string
	Mode     hallpass.Mode
	User     string // the id of the user, empty for none
	MaxUses  int64
	Expires  time.Time
	NotUntil time.Time
	Issued   time.Time
}

// EncodeRequestToken makes the exact text that RequestToken.jwt() of a release
// makes. Errors are *hallpass.FieldError.
func EncodeRequestToken(key Key, row RequestTokenRow, r Release) (string, error) {
	secret, err := key.secret()
	if err != nil {
		return "", err
	}
	letter := ""
	for l, m := range modes {
		if m == row.Mode {
			letter = l
		}
	}
	if letter == "" {
		return "", &hallpass.FieldError{Field: "mode", Reason: "must be public, request or session"}
	}
	number := func(n int64) pyValue { return pyValue{kind: pyInt, text: strconv.FormatInt(n, 10)} }
	text := func(s string) pyValue { return pyValue{kind: pyStr, text: s} }
	id := number(row.ID)
	if r == Release2_4 {
		id = text(id.text)
	}
	claims := pyValue{kind: pyDict, members: []pyMember{
		{"max", number(row.MaxUses)}, {"sub", text(row.Scope)}, {"mod", text(letter)}, {"jti", id},
	}}
	if row.User != "" {
		user := text(row.User)
		if n, err := strconv.ParseInt(row.User, 10, 64); err == nil && r == Release0_14 {
			user = number(n)
		}
		claims.members = append(claims.members, pyMember{"aud", user})
	}
	claims.addTimes([]timeClaim{{"exp", row.Expires}, {"iat", row.Issued}, {"nbf", row.NotUntil}})
	return signHS256(secret, jwtHeader, string(claims.append(nil, true))), nil
}

type timeClaim struct {
	name string
	at   time.Time
}

// addTimes adds the claims of the times that are set, cut to seconds.
func (v *pyValue) addTimes(claims []timeClaim) {
	for _, c := range claims {
		if !c.at.IsZero() {
			v.members = append(v.members, pyMember{c.name, pyValue{kind: pyInt, text: strconv.FormatInt(c.at.Unix(), 10)}})
		}
	}
}

// merge adds the members of an object, each in the place of one that has its name,
// as Python's dict.update does.
func (v *pyValue) merge(object json.RawMessage, field string) error {
	if len(object) == 0 {
		return nil
	}
	more, err := strictValue(string(object))
	if err != nil || more.kind != pyDict {
		return &hallpass.FieldError{Field: field, Reason: "must be a JSON object"}
	}
next:
	for _, m := range more.members {
		for i := range v.members {
			if v.members[i].name == m.name {
				v.members[i].value = m.value
				continue next
			}
		}
		v.members = append(v.members, m)
	}
	return nil
}
