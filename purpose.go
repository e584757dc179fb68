package hallpass

// Purpose is what a key signs. A key has one for life, whatever its algorithm, so
// that a token of one kind never stands in for another (RFC 8725 section 3.12).
type Purpose string

// The purposes. The empty Purpose means PurposePass wherever one is asked for.
const (
	// PurposePass signs passes. Others find its public keys at
	// /.well-known/hallpass-jwks.json.
	PurposePass Purpose = "pass"
	// PurposeAccess signs the access tokens of a login (RFC 9068) and what else
	// Keyring.SignJWT is asked for. Others find its public keys at
	// /.well-known/jwks.json.
	PurposeAccess Purpose = "access"
)

// Purposes lists every purpose.
func Purposes() []Purpose { return []Purpose{PurposePass, PurposeAccess} }

// check returns the purpose that is meant, or a *FieldError.
func (p Purpose) check() (Purpose, error) {
	switch p {
	case "":
		return PurposePass, nil
	case PurposePass, PurposeAccess:
		return p, nil
	}
	return p, fieldErrorf("purpose", "must be pass or access, not %q", string(p))
}
