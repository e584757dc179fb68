package django

import (
	"encoding/json"
	"time"

	"github.com/hallpass-go/hallpass"
)

// Judge says what a package's own decoder says to a token, at a moment. It is as
// lax as that decoder and must guard nothing; what guards is a ForeignFormat.
//
// All its methods return the claims as they were signed (numbers unchanged; NaN
// and Infinity, which JSON has not, as null), also beside a refusal that came after
// a good signature. Errors are hallpass.Refusal; where the package itself fails,
// ErrCrash is among them; and *hallpass.FieldError for a key of the wrong kind.
type Judge struct {
	// Key is the one the token must be made with. Required.
	Key Key
	// Now is the moment. Required.
	Now time.Time
	// Leeway widens the time in which a JWT is valid, at both ends.
	Leeway time.Duration
}

// RequestToken judges as request_token.utils.decode of django-request-token does,
// releases 0.14.1 to 2.4.0. Whether the row still exists, and what it permits, is
// decided elsewhere.
func (j Judge) RequestToken(token string) (json.RawMessage, error) {
	if _, err := j.Key.secret(); err != nil {
		return nil, err
	}
	d := pyjwt{key: j.Key.material, now: j.Now, leeway: j.Leeway, verifyNotBefore: true}
	claims, err := d.decode(token)
	if err == nil {
		for _, name := range []string{"jti", "sub", "mod"} {
			if _, there := claims.member(name); !there {
				err = hallpass.RefusalMissingClaim
			}
		}
	}
	return claimsJSON(claims), err
}

// EmailAuthRules are the settings of jwt-email-auth that decide about a token. The
// zero value is that package's default.
type EmailAuthRules struct {
	// Refresh asks for a refresh token; otherwise for an access token.
	Refresh bool
	// CipherKey is CIPHER_KEY, decoded; nil is none.
	CipherKey []byte
	// Issuer and Audience are ISSUER and AUDIENCE.
	Issuer, Audience string
	// NotBefore says that NOT_BEFORE_TIME is set: only then `nbf` is looked at.
	NotBefore bool
	// ExpectedClaims is EXPECTED_CLAIMS.
	ExpectedClaims []string
	// Rotate is ROTATE_REFRESH_TOKENS.
	Rotate bool
}

// EmailAuth judges as AccessToken(token=…) or RefreshToken(token=…) of
// jwt-email-auth 0.11.5 does.
func (j Judge) EmailAuth(token string, r EmailAuthRules) (json.RawMessage, error) {
	if j.Key.material.Secret == nil && j.Key.material.Public == nil {
		return nil, &hallpass.FieldError{Field: "key", Reason: "is required"}
	}
	if r.CipherKey != nil {
		var err error
		if token, err = laxDecrypt(r.CipherKey, token); err != nil {
			return nil, err
		}
	}
	d := pyjwt{
		key: j.Key.material, now: j.Now, leeway: j.Leeway, verifyNotBefore: r.NotBefore,
		issuer: r.Issuer, audience: r.Audience,
	}
	if r.Refresh && r.Rotate {
		d.require = []string{"jti", "sub"}
	}
	claims, err := d.decode(token)
	if reason, refused := hallpass.RefusalOf(err); refused {
		return claimsJSON(claims), reason // it catches every error of PyJWT
	}
	return claimsJSON(claims), r.checkClaims(claims)
}

// checkClaims is what the package asks of an authentic token that is in time.
func (r EmailAuthRules) checkClaims(claims pyValue) error {
	kind := "access"
	if r.Refresh {
		kind = "refresh"
	}
	if v, _ := claims.member("type"); v.kind != pyStr || v.text != kind {
		return hallpass.RefusalWrongType
	}
	for _, name := range r.ExpectedClaims {
		if _, there := claims.member(name); !there {
			return hallpass.RefusalMissingClaim
		}
	}
	return nil
}

func claimsJSON(v pyValue) json.RawMessage {
	if v.kind == pyNone && v.text == "" {
		return nil
	}
	return v.json()
}
