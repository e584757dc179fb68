package hallpass

import "errors"

// Refusal says why a token was not honoured. The sentinel and the stable code
// are one: it is an error, compared with errors.Is, and its text is the code
// that JSON, pages, logs and the command line show.
//
// The set is closed and judged in the order in which it stands here, so that a
// token with several faults always gets the same answer.
type Refusal string

// The refusals, in the order in which they are judged.
const (
	// RefusalMissing: no token was presented where one is needed.
	RefusalMissing Refusal = "missing"
	// RefusalMalformed: the text is no token: wrong shape, lax base64,
	// duplicate claims, trailing data, a critical header, too long.
	RefusalMalformed Refusal = "malformed"
	// RefusalUnknownKey: the header names no key of ours.
	RefusalUnknownKey Refusal = "unknown_key"
	// RefusalBadSignature: the signature, or the algorithm for the key, is wrong.
	RefusalBadSignature Refusal = "bad_signature"
	// RefusalWrongType: properly signed, but another kind of token.
	RefusalWrongType Refusal = "wrong_type"
	// RefusalMissingClaim: a claim every pass carries is absent.
	RefusalMissingClaim Refusal = "missing_claim"
	// RefusalWrongAudience: made by, or for, another deployment.
	RefusalWrongAudience Refusal = "wrong_audience"
	// RefusalNotYetValid: before the pass's start.
	RefusalNotYetValid Refusal = "not_yet_valid"
	// RefusalExpired: at or after the pass's end.
	RefusalExpired Refusal = "expired"
	// RefusalWrongScope: made for another purpose.
	RefusalWrongScope Refusal = "wrong_scope"
	// RefusalNotGranted: the method or path is not among the pass's grants, or
	// could be read in two ways.
	RefusalNotGranted Refusal = "not_granted"
	// RefusalUnknownPass: a recorded pass whose row does not exist.
	RefusalUnknownPass Refusal = "unknown_pass"
	// RefusalRevoked: taken back, alone or as part of a group.
	RefusalRevoked Refusal = "revoked"
	// RefusalUnknownSubject: the application no longer knows the subject.
	RefusalUnknownSubject Refusal = "unknown_subject"
	// RefusalWrongSubject: somebody else is signed in.
	RefusalWrongSubject Refusal = "wrong_subject"
	// RefusalSpent: every use the pass promised has been made.
	RefusalSpent Refusal = "spent"
	// RefusalNeedsConfirmation: honoured only after a person pressed the button.
	RefusalNeedsConfirmation Refusal = "needs_confirmation"
)

// Refusals lists every refusal in the order in which they are judged.
func Refusals() []Refusal {
	return []Refusal{
		RefusalMissing, RefusalMalformed, RefusalUnknownKey, RefusalBadSignature,
		RefusalWrongType, RefusalMissingClaim, RefusalWrongAudience,
		RefusalNotYetValid, RefusalExpired, RefusalWrongScope, RefusalNotGranted,
		RefusalUnknownPass, RefusalRevoked, RefusalUnknownSubject,
		RefusalWrongSubject, RefusalSpent, RefusalNeedsConfirmation,
	}
}

// Error returns the code, so that a Refusal reads the same everywhere.
func (r Refusal) Error() string { return string(r) }

// Public returns the refusal as strangers may see it. Until the signature (or a
// short token's row) is proven, one code stands for all: nobody learns which
// ids or keys exist.
func (r Refusal) Public() Refusal {
	switch r {
	case RefusalMissing, RefusalMalformed, RefusalUnknownKey, RefusalBadSignature,
		RefusalWrongType, RefusalMissingClaim, RefusalUnknownPass:
		return RefusalBadSignature
	}
	return r
}

// RefusalOf returns the refusal in err's chain, if there is one.
func RefusalOf(err error) (Refusal, bool) {
	var r Refusal
	ok := errors.As(err, &r)
	return r, ok
}
