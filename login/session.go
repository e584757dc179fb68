package login

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
)

// family is a session as the store has it: which refresh token of the chain is
// the current one, and whether the chain has ended.
type family struct {
	Session
	// Generation is that of the current refresh token; each refresh raises it.
	Generation int64 `json:"generation"`
	// Over says why the session ended; empty while it goes on. It stays until its
	// tokens' end, so that an end is never forgotten.
	Over string `json:"over,omitempty"`
	// Former is the proof of the foreign token that the session was taken over from,
	// KeepUntil when nobody can present one any more.
	Former    string    `json:"former,omitempty"`
	KeepUntil time.Time `json:"keep_until,omitzero"`
}

// cellEnd is when nobody can ask for the session any more.
func (l *Login) cellEnd(f *family) time.Time { return maxTime(l.idleEnd(f), f.KeepUntil) }

// Why a session is over.
const (
	overLogout = "logout"
	overReuse  = "reuse"
	overEnded  = "ended"
)

// Tokens are what a login gives.
type Tokens struct {
	Session Session
	// Access is the access token, Refresh the refresh token.
	Access, Refresh hallpass.Token
	// AccessEnds and RefreshEnds are when they end.
	AccessEnds, RefreshEnds time.Time
}

// sessionPlace finds a session by its id, which begins with the shard of its
// subject: so a subject's sessions are together, and a token names its cell.
func (l *Login) sessionPlace(id string) place { return place{l.realm + "-sessions/" + id[:2], id} }

var sessionID = regexp.MustCompile(`^[0-9a-f]{2}[A-Z2-7]{26}$`)

func isSessionID(id string) bool { return sessionID.MatchString(id) }

func subjectShard(subject string) string { return strings.TrimPrefix(shard("", subject), "/") }

// Open begins a session for somebody whose address was proven.
func (l *Login) Open(ctx context.Context, id Identity, c Client) (Tokens, error) {
	now := l.now()
	w := c.where()
	f := family{Generation: 1, Session: Session{
		ID: subjectShard(id.Subject) + rand.Text(), Subject: id.Subject, Address: id.Address, Claims: id.Claims,
		Began: now, Refreshed: now, Ends: now.Add(l.cfg.RefreshLife), ClientIP: w.ClientIP, UserAgent: w.UserAgent,
	}}
	tokens, err := l.tokens(&f)
	if err != nil {
		return Tokens{}, err
	}
	return tokens, create(ctx, l.cells, l.sessionPlace(f.ID), f, f.IdleEnds)
}

// idleEnd is when a session ends that is not refreshed again.
func (l *Login) idleEnd(f *family) time.Time {
	end := f.Refreshed.Add(l.cfg.RefreshIdle)
	if end.After(f.Ends) {
		end = f.Ends
	}
	f.IdleEnds = end
	return end
}

// tokens signs what a session's current generation has. It reads nothing, so all
// who are owed the same successor get the same one.
func (l *Login) tokens(f *family) (Tokens, error) {
	l.idleEnd(f)
	access, ends, err := l.signAccess(&f.Session)
	if err != nil {
		return Tokens{}, err
	}
	refresh, err := l.signRefresh(f)
	if err != nil {
		return Tokens{}, err
	}
	return Tokens{Session: f.Session, Access: access, Refresh: refresh, AccessEnds: ends, RefreshEnds: f.IdleEnds}, nil
}

// Refresh exchanges a refresh token for new tokens. Each token works once, but for
// RefreshGrace its predecessor gets the same successor again, so that two tabs do
// not throw each other out. After that an old token means that somebody has a copy,
// and the session ends for both.
//
// It refuses with hallpass.RefusalMissing, RefusalMalformed or RefusalBadSignature
// for what is no refresh token, RefusalUnknownPass or RefusalExpired for a session
// that is over in time, RefusalRevoked for one that was ended, RefusalSpent for an
// old token, RefusalUnknownSubject where StillAllowed says so, and, with
// Config.Tokens, RefusalWrongSubject for claims that are another user's.
//
// A live refresh token of Config.Former is exchanged like one of ours.
func (l *Login) Refresh(ctx context.Context, token string) (Tokens, error) {
	return l.refresh(ctx, token, nil)
}

// Update is Refresh with changed claims: those in UpdatableClaims alone; any other
// is a *hallpass.FieldError of "data". Of two different updates at once one gets
// hallpass.ErrConflict: refresh and update again.
func (l *Login) Update(ctx context.Context, token string, data Claims) (Tokens, error) {
	for name := range data {
		if !slices.Contains(l.cfg.UpdatableClaims, name) {
			return Tokens{}, wrong("data", "the claim %q cannot be updated", name)
		}
	}
	if data == nil {
		data = Claims{}
	}
	return l.refresh(ctx, token, data)
}

func (l *Login) refresh(ctx context.Context, token string, data Claims) (_ Tokens, err error) {
	defer l.observe(StepRefresh, &err)
	p, err := l.openRefresh(token)
	if err != nil {
		return Tokens{}, err
	}
	f, _, err := read[family](ctx, l.cells, l.sessionPlace(p.id))
	var taken *family // what the store has not, of a former token
	if errors.Is(err, hallpass.ErrNotFound) {
		if p.former == nil {
			return Tokens{}, hallpass.RefusalUnknownPass
		}
		if taken, err = l.takeOver(ctx, p); err == nil {
			f = *taken
		}
	}
	if err != nil {
		return Tokens{}, err
	}
	if err := l.goesOn(ctx, &f); err != nil {
		return Tokens{}, err
	}
	claims, err := l.stillAllowed(ctx, &f, data)
	if err != nil {
		return Tokens{}, err
	}
	var late bool
	var tokens Tokens
	err = edit(ctx, l.cells, l.sessionPlace(p.id), func(now *family, exists bool) (time.Time, error) {
		if !exists && taken == nil {
			return time.Time{}, hallpass.RefusalExpired
		}
		if !exists {
			*now = *taken
		}
		if err := l.goesOn(ctx, now); err != nil {
			return time.Time{}, err
		}
		late = false
		at := l.now()
		since := at.Sub(now.Refreshed) // may be negative where clocks differ
		switch {
		case p.former != nil && p.former.proof != now.Former:
			late = true // of one former chain two tokens are in use: one of them is a copy
			now.Over = overReuse
		case p.generation == now.Generation:
			now.Generation++
			now.Refreshed = at
			now.Claims = claims
			// Signed before it is written: what cannot be signed uses nothing up.
			tokens, err = l.tokens(now)
		case p.generation == now.Generation-1 && since < l.cfg.RefreshGrace && since > -clockSkew:
			if !now.Claims.include(data) {
				return time.Time{}, hallpass.ErrConflict // the successor is another update's
			}
			if tokens, err = l.tokens(now); err == nil {
				err = errUnchanged
			}
		default:
			// An old token; or one that is newer than the store, which was restored or
			// failed over: then the store's own may be in anybody's hands.
			late = true
			now.Over = overReuse
		}
		return l.cellEnd(now), err
	})
	if err != nil {
		return Tokens{}, err
	}
	if late {
		l.cfg.Logger.Warn("an old refresh token was used again; its session was ended, as somebody has a copy", "session", p.id)
		return Tokens{}, hallpass.RefusalSpent
	}
	return tokens, nil
}

// goesOn says why a session is over, if it is.
func (l *Login) goesOn(ctx context.Context, f *family) error {
	if f.Over != "" {
		return hallpass.RefusalRevoked
	}
	if now := l.now(); !now.Before(f.Ends) || !now.Before(l.idleEnd(f)) {
		return hallpass.RefusalExpired
	}
	if err := l.notRevoked(ctx, f.Subject, f.Began); err != nil || f.Address == "" || f.Subject == string(f.Address) {
		return err
	}
	return l.notRevoked(ctx, string(f.Address), f.Began)
}

// stillAllowed asks the application, and returns the claims from now on.
func (l *Login) stillAllowed(ctx context.Context, f *family, data Claims) (Claims, error) {
	claims, err := l.askAllowed(ctx, f)
	if errors.Is(err, hallpass.RefusalUnknownSubject) {
		return nil, errors.Join(hallpass.RefusalUnknownSubject, l.end(ctx, f.ID, overEnded, f))
	}
	if err != nil {
		return nil, l.notAllowed(err)
	}
	switch _, sub := claims["sub"]; {
	case claims == nil:
		claims = f.Claims.application(l.cfg.reserved()) // it may have begun under another form
	case sub:
		return nil, fmt.Errorf("login: StillAllowed cannot change the claim sub")
	default:
		if claims, err = l.checkClaims(claims); err != nil {
			// No refusal: the session did nothing wrong.
			return nil, fmt.Errorf("login: StillAllowed: %v", err)
		}
	}
	if len(data) == 0 {
		return claims, l.agree(f.Subject, f.Address, claims)
	}
	changed := Claims{}
	for name, value := range claims {
		changed[name] = value
	}
	for name, value := range data {
		changed[name] = value
	}
	if changed, err = l.checkClaims(changed); err != nil {
		return nil, wrong("data", "%v", err)
	}
	if l.agree(f.Subject, f.Address, changed) != nil {
		return nil, wrong("data", "would make this another user's session")
	}
	return changed, nil
}

// askAllowed asks StillAllowed, or Allow, whose claims are those of the login and
// change nothing later. Who came with a former token that names no address can be
// asked about by StillAllowed alone.
func (l *Login) askAllowed(ctx context.Context, f *family) (Claims, error) {
	ctx, cancel := context.WithTimeout(ctx, hookTimeout)
	defer cancel()
	if l.cfg.StillAllowed != nil {
		return l.cfg.StillAllowed(ctx, f.Session)
	}
	if f.Address == "" {
		return nil, nil
	}
	_, err := l.cfg.Allow(ctx, f.Address)
	return nil, err
}

// Logout ends the session of a refresh token. Any token of the session does, an
// old one too, but it must be one that was signed here: the refusals are those
// for what is no refresh token. A session that is over already is no error.
func (l *Login) Logout(ctx context.Context, token string) error {
	p, err := l.openRefresh(token)
	if err != nil {
		return err
	}
	var former *family
	if p.former != nil {
		f := l.formerFamily(p)
		former = &f
	}
	err = l.end(ctx, p.id, overLogout, former)
	if errors.Is(err, hallpass.ErrNotFound) {
		return nil
	}
	return err
}

// End ends a session by its id; hallpass.ErrNotFound when there is none.
func (l *Login) End(ctx context.Context, id string) error { return l.end(ctx, id, overEnded, nil) }

// end also ends a former session that the store has not yet: that it is over is
// then all that the store knows of it.
func (l *Login) end(ctx context.Context, id, why string, former *family) error {
	if !isSessionID(id) {
		return hallpass.ErrNotFound
	}
	return edit(ctx, l.cells, l.sessionPlace(id), func(f *family, exists bool) (time.Time, error) {
		if !exists && former != nil && former.Former != "" {
			*f = *former
		} else if !exists || f.Over != "" {
			return time.Time{}, hallpass.ErrNotFound
		}
		f.Over = why
		return l.cellEnd(f), nil
	})
}

// Sessions returns the sessions that go on: of one subject, newest first, or, where
// that is empty, of all, in no order that means anything, strictly after a cursor
// and at most limit, at least 1. next is empty when there are no more.
func (l *Login) Sessions(ctx context.Context, subject, after string, limit int) (page []Session, next string, err error) {
	if limit < 1 {
		return nil, "", wrong("limit", "must be at least 1")
	}
	shards := []string{subjectShard(subject)}
	if subject == "" {
		shards = shards[:0]
		for n := range 256 {
			shards = append(shards, hex.EncodeToString([]byte{byte(n)}))
		}
	}
	for _, s := range shards {
		if after != "" && s < after[:min(2, len(after))] {
			continue
		}
		found, err := l.sessionsOf(ctx, s, subject)
		if err != nil {
			return nil, "", err
		}
		for _, session := range found {
			if after != "" && session.position() <= after {
				continue
			}
			if len(page) == limit {
				return page, page[limit-1].position(), nil
			}
			page = append(page, session)
		}
	}
	return page, "", nil
}

// position orders sessions within their shard, newest first.
func (s *Session) position() string {
	return fmt.Sprintf("%s%016x%s", s.ID[:2], uint64(1<<62-s.Began.UnixMicro()), s.ID)
}

func (l *Login) sessionsOf(ctx context.Context, shard, subject string) (found []Session, err error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	cells, err := l.cells.store.Cells(ctx, l.realm+"-sessions/"+shard, 0, l.now())
	if err != nil {
		return nil, unavailable("the sessions could not be read", err)
	}
	for _, cell := range cells {
		f, err := decode[family](cell)
		if err != nil {
			return nil, err
		}
		if subject != "" && f.Subject != subject {
			continue
		}
		err = l.goesOn(ctx, &f)
		if _, over := hallpass.RefusalOf(err); over {
			continue
		}
		if err != nil {
			return nil, err
		}
		found = append(found, f.Session)
	}
	slices.SortFunc(found, func(a, b Session) int { return strings.Compare(a.position(), b.position()) })
	return found, nil
}

// EndAll ends a subject's sessions and returns how many.
func (l *Login) EndAll(ctx context.Context, subject string) (int, error) {
	if subject == "" {
		return 0, wrong("subject", "is required")
	}
	found, err := l.sessionsOf(ctx, subjectShard(subject), subject)
	if err != nil {
		return 0, err
	}
	ended := 0
	for _, s := range found {
		err := l.End(ctx, s.ID)
		if err == nil {
			ended++
		} else if !errors.Is(err, hallpass.ErrNotFound) {
			return ended, err
		}
	}
	return ended, nil
}
