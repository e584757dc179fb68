package hallpass

import "fmt"

// TokenAgain makes the token of a pass anew from its row, for an operator who must
// send it once more. It permits what the first one did, no more: id, uses, end and
// revocation are the pass's. A short token cannot be made again, for only its hash
// is kept; nor can that of a pass whose key is not honoured any more. Both are
// *FieldError with field "pass".
func (i *Issuer) TokenAgain(e Entry) (Token, error) {
	if e.Key == "" || e.ID == "" || e.Scope == "" {
		return Token{}, fieldErrorf("pass", "has a token that cannot be made again: of a short one only the hash is kept")
	}
	honoured := false
	for key, state := range i.cfg.Keys.Keys {
		honoured = honoured || key.ID() == e.Key && state != KeyRetired
	}
	if !honoured {
		return Token{}, fieldErrorf("pass", "was signed by a key that is not honoured any more; issue another pass")
	}
	if !e.RevokedAt.IsZero() {
		return Token{}, fmt.Errorf("%w: the pass was taken back, and stays so", ErrConflict)
	}
	key, ok := i.cfg.Keys.Active()
	if !ok || i.cfg.Instance == "*" {
		return Token{}, errNoActiveKey
	}
	return i.signToken(key, e.Pass, FormatSigned)
}
