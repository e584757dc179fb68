package login

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/hallpass-go/hallpass"
)

// presented is what a refresh token says: its session and its place in the chain.
type presented struct {
	id         string
	generation int64
	// former is set for a token that hallpass did not make. It stands before the
	// first place of its session's chain, and works once like any other.
	former *former
}

// former is an authentic refresh token of a foreign form whose chain did not begin
// here.
type former struct {
	form   *TokenForm
	claims Claims // all
	who    Identity
	// proof is the hash of what was signed. The token's text would not do: encrypted
	// again, the same token has another.
	proof string
	// chained says that its maker rotated: other tokens of its chain may be about.
	chained      bool
	issued, ends time.Time
}

// openRefresh judges a refresh token in every form that is taken, without the
// store.
func (l *Login) openRefresh(token string) (presented, error) {
	id, generation, err := l.openOwnRefresh(token)
	if err == nil {
		return presented{id: id, generation: generation}, nil
	}
	if token == "" {
		return presented{}, err
	}
	for i := range l.forms {
		p, formErr := l.forms[i].openRefresh(token, l.now())
		if formErr == nil {
			return p, nil
		}
		err = moreTelling(err, formErr)
	}
	return presented{}, err
}

func (f *TokenForm) openRefresh(token string, now time.Time) (presented, error) {
	if len(token) > maxForeign {
		return presented{}, hallpass.RefusalMalformed
	}
	raw, err := f.Codec.OpenRefresh(token, now)
	if err != nil {
		return presented{}, unavailableForm(err)
	}
	claims, err := parseClaims(raw)
	if err != nil || claims == nil {
		return presented{}, hallpass.RefusalMalformed
	}
	issued, ends, err := claims.times()
	if err != nil {
		return presented{}, err
	}
	chain, hasChain := claims["sub"]
	place, hasPlace := claims["jti"]
	if id, ok := chain.(string); ok && isSessionID(id) {
		number, _ := place.(json.Number)
		if generation, err := number.Int64(); err == nil && generation >= 1 {
			return presented{id: id, generation: generation}, nil
		}
	}
	p := former{form: f, claims: claims, proof: hashed("refresh", string(raw)), issued: issued, ends: ends}
	if p.who, err = f.identify(claims); err != nil {
		return presented{}, err
	}
	name := p.proof
	if p.chained = hasChain && hasPlace; p.chained {
		// All tokens of one chain make one session: of an old one and the current one
		// at most one gets in.
		name = hashed("chain", fmt.Sprint(chain))
	}
	sum := sha256.Sum256([]byte("hallpass former session\x00" + name))
	id := subjectShard(p.who.Subject) + base32.StdEncoding.EncodeToString(sum[:])[:secretLength]
	return presented{id: id, former: &p}, nil
}

// formerKept is how much longer than its token the session of a former token stays:
// a day beyond whatever leeway its form allows, so that the token never finds its
// end forgotten.
const formerKept = 48 * time.Hour

// formerFamily is the session of a former token before anything was done with it. Its
// times count from the token's own: an absolute end and a revocation reach back.
func (l *Login) formerFamily(p presented) family {
	who := p.former.who
	return family{
		Former: p.former.proof, KeepUntil: p.former.ends.Add(formerKept),
		Session: Session{
			ID: p.id, Subject: who.Subject, Address: who.Address,
			Began: p.former.issued, Refreshed: l.now(), Ends: p.former.issued.Add(l.cfg.RefreshLife),
		},
	}
}

// takeOver returns the session that a former token would begin. Nothing is written.
func (l *Login) takeOver(ctx context.Context, p presented) (*family, error) {
	if p.former.chained {
		if p.former.form.Current == nil {
			l.cfg.Logger.Warn("a former refresh token of a chain was refused: set Current of its TokenForm, which says whether its maker would still take it")
			return nil, hallpass.RefusalUnknownPass
		}
		current, err := p.former.form.Current(ctx, p.former.claims)
		if err != nil {
			return nil, unavailable("the application could not say whether a former token is current", err)
		}
		if !current {
			return nil, hallpass.RefusalRevoked
		}
	}
	f := l.formerFamily(p)
	claims := p.former.who.Claims
	if claims == nil {
		claims = p.former.claims.application(slices.Concat(formReserved, l.cfg.reserved()))
	}
	var err error
	if f.Claims, err = l.checkClaims(claims); err != nil {
		return nil, err
	}
	return &f, nil
}
