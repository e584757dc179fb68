package redisstore

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/hallpass-go/hallpass"
)

// errGo is a script's wish for index entries before it writes.
var errGo = errors.New("redisstore: the indexes come first")

// markLife is how long a call that is no repeat of itself by nature is known by
// its mark. It is far longer than a call is asked again.
const markLife = 2 * time.Minute

func markMillis() string { return strconv.FormatInt(markLife.Milliseconds(), 10) }

// RevokePass implements hallpass.PassStore.
func (s *Store) RevokePass(ctx context.Context, tombstone hallpass.Entry, now time.Time) (hallpass.Entry, error) {
	const create, asked = 1, 2 // places in args
	p := s.keys.pass(tombstone.ID)
	members := s.keys.members(&tombstone)
	c := call{
		script: revokeScript, keys: []string{p.row, p.staged},
		args: append([]string{position(now), flag(!s.cluster), "0"}, fields(&tombstone)...),
	}
	if !s.cluster {
		ks, vs := split(members)
		c.keys, c.args = append(c.keys, ks...), append(c.args, vs...)
	}
	for {
		answer, err := s.run(ctx, "revoke", c)
		if err != nil {
			return hallpass.Entry{}, err
		}
		switch {
		case len(answer) > 1 && answer[0] == "staged":
			if err := s.resolve(ctx, tombstone.ID, answer[1:]); err != nil {
				return hallpass.Entry{}, err
			}
			c.args[asked] = "1"
		case len(answer) > 0 && answer[0] == "go":
			if err := s.enter(ctx, members); err != nil {
				return hallpass.Entry{}, err
			}
			c.args[create] = "1"
		default:
			return changed("revoke", tombstone.ID, answer)
		}
	}
}

// Amend implements hallpass.PassStore.
func (s *Store) Amend(ctx context.Context, a hallpass.Amendment) (hallpass.Entry, error) {
	// What the index needs of the row never changes.
	e, err := s.Entry(ctx, a.Pass)
	if err != nil {
		return e, err
	}
	a.ExpiresAt, a.KeepUntil = micro(a.ExpiresAt), micro(a.KeepUntil)
	p := s.keys.pass(a.Pass)
	c := call{script: amendScript, keys: []string{p.row, p.mark + nonce()}, args: []string{
		strconv.FormatInt(max(0, a.AddUses), 10), stamp(a.ExpiresAt), stamp(a.KeepUntil), markMillis(),
	}}
	if !a.ExpiresAt.IsZero() && !a.KeepUntil.IsZero() {
		e.KeepUntil = a.KeepUntil
		m := s.keys.keepMember(&e)
		if s.cluster {
			err = s.enter(ctx, []member{m})
		} else {
			c.keys, c.args = append(c.keys, m.key), append(c.args, m.value)
		}
		if err != nil {
			return hallpass.Entry{}, err
		}
	}
	answer, err := s.run(ctx, "amend", c)
	if err != nil {
		return hallpass.Entry{}, err
	}
	return changed("amend", a.Pass, answer)
}

// changed reads the row after a change.
func changed(what, id string, answer []string) (hallpass.Entry, error) {
	if len(answer) == 1 && answer[0] == "not_found" {
		return hallpass.Entry{}, hallpass.ErrNotFound
	}
	if len(answer) != fieldCount+1 || answer[0] != "ok" {
		return hallpass.Entry{}, unavailable(what, errDamaged)
	}
	e, err := entryOf(id, answer[1:])
	if err != nil {
		return hallpass.Entry{}, unavailable(what, err)
	}
	return e, nil
}
