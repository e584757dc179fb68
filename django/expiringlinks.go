package django

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/passjwt"
)

// ExpiringLinks is the format of django-jwt-expiringlinks 0.1, from which
// django-request-token came: a JWT with HS256 under SECRET_KEY that names a row. The
// row decides user, quota and, as grants, the one path it is for; its times hold as
// well as the token's, because that package looked at the row's alone. The zero value
// takes tokens of any site.
type ExpiringLinks struct {
	// Site is the domain in `iss`; empty is not checked, as in the package.
	Site string
}

// Prefix implements hallpass.ForeignFormat.
func (ExpiringLinks) Prefix() string { return "djx" }

// Reader implements hallpass.ForeignFormat.
func (f ExpiringLinks) Reader(m hallpass.ForeignMaterial) (hallpass.ForeignReader, error) {
	secret, err := secretOf(m)
	return expiringLinks{hs256(secret), f.Site}, err
}

// ExpiringLinkID is the id of the pass that stands for a row of that package's table.
func ExpiringLinkID(keyID string, row int64) string {
	return hallpass.ForeignID(ExpiringLinks{}, keyID, strconv.FormatInt(row, 10))
}

// ExpiringLinkGrants bind a pass to the path of a target_url, exactly and for any
// method, as that package compares it; an empty one binds to nothing. A path that can
// be read in two ways is a *hallpass.FieldError: no link can be honoured there.
func ExpiringLinkGrants(targetURL string) ([]hallpass.Grant, error) {
	if targetURL == "" {
		return nil, nil
	}
	var grants []hallpass.Grant
	for _, method := range methods {
		g, ok := decodedGrant(method, targetURL, true)
		if !ok {
			return nil, &hallpass.FieldError{Field: "target_url", Reason: "must be a path that can be read in one way"}
		}
		grants = append(grants, g)
	}
	return grants, nil
}

type expiringLinks struct {
	secret hs256
	site   string
}

func (r expiringLinks) Recognises(text string) bool { return passjwt.LooksLike(text) }

func (r expiringLinks) Open(text string) (hallpass.ForeignToken, error) {
	claims, raw, err := r.secret.open(text)
	out := hallpass.ForeignToken{Claims: raw, RowTime: true}
	if err != nil {
		return out, err
	}
	// A token of django-request-token under the same key is not one of these.
	if _, other := claims.member("mod"); other {
		return out, hallpass.RefusalWrongType
	}
	jti, hasID := claims.member("jti")
	site, hasSite := claims.member("iss")
	id, ok := jti.name()
	switch {
	case !hasID || !hasSite || jti.kind == pyNone:
		return out, hallpass.RefusalMissingClaim
	case !ok || site.kind != pyStr:
		return out, hallpass.RefusalMalformed
	case r.site != "" && site.text != r.site:
		return out, hallpass.RefusalWrongAudience
	}
	p := hallpass.Pass{ID: id, Recorded: true, Mode: hallpass.ModePublic}
	if user, there := claims.member("aud"); there && user.kind == pyStr {
		p.Mode, p.Subject = hallpass.ModeRequest, user.text
	}
	if err := claims.times(&p); err != nil {
		return out, hallpass.RefusalMalformed
	}
	out.Pass = p
	return out, nil
}

// ExpiringLinkRow is what a row of django-jwt-expiringlinks puts into its JWT. Zero
// times are NULL.
type ExpiringLinkRow struct {
	ID       int64
	Site     string // the domain
	User     string // the user's name, empty for none
	Expires  time.Time
	NotUntil time.Time
	Issued   time.Time
	// Data is an object that is merged into the claims, and may replace them.
	Data json.RawMessage
}

// EncodeExpiringLink makes the text that the package makes of a row. Errors are
// *hallpass.FieldError.
func EncodeExpiringLink(key Key, row ExpiringLinkRow) (string, error) {
	secret, err := key.secret()
	if err != nil {
		return "", err
	}
	claims := pyValue{kind: pyDict, members: []pyMember{{"iss", pyValue{kind: pyStr, text: row.Site}}}}
	if row.User != "" {
		claims.members = append(claims.members, pyMember{"aud", pyValue{kind: pyStr, text: row.User}})
	}
	claims.addTimes([]timeClaim{{"exp", row.Expires}, {"nbf", row.NotUntil}, {"iat", row.Issued}})
	claims.members = append(claims.members, pyMember{"jti", pyValue{kind: pyInt, text: strconv.FormatInt(row.ID, 10)}})
	if err := claims.merge(row.Data, "data"); err != nil {
		return "", err
	}
	return signHS256(secret, jwtHeader, string(claims.append(nil, true))), nil
}
