package redisstore

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"

	"github.com/hallpass-go/hallpass"
)

// nonce names one call, so that it knows itself when it is sent again.
func nonce() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// Reserve implements hallpass.PassStore.
//
// On one server it is one script. In a cluster the indexes are in other slots and
// are written before the pass: first the pass is asked, so that a refusal, however
// often somebody asks for it, writes nothing; then the indexes; then the pass
// decides.
func (s *Store) Reserve(ctx context.Context, r hallpass.Reservation) (hallpass.Reserved, error) {
	use := r.Use
	use.Pass, use.At = r.Pass.ID, micro(use.At)
	if letters[use.State] == "" {
		return hallpass.Reserved{}, &hallpass.FieldError{Field: "State", Reason: fmt.Sprintf("%q is no state of a use", use.State)}
	}
	first := hallpass.Entry{Pass: r.Pass, KeepUntil: r.KeepUntil}
	rowIndex := s.keys.members(&first)
	useIndex := member{s.keys.index(shardOf(use.ID), useIndex, ""), useMember(r.Pass.ID, &use)}

	p := s.keys.pass(r.Pass.ID)
	head, tail := useParts(&use, nonce())
	f := fields(&first)
	c := call{script: reserveScript, keys: []string{p.row, p.uses, p.order, p.staged}, again: 4, args: []string{
		use.ID, use.Key, head[len(head)-17 : len(head)-1], "0", head, tail, "whole", "0", "0",
		flag(r.Pass.Recorded), f[0], f[1], f[5], f[6],
	}}
	const mode, indexed, asked = 6, 7, 8 // places in args
	if s.cluster {
		c.args[mode] = "judge"
	} else {
		ks, vs := split(append([]member{useIndex}, rowIndex...))
		c.keys, c.args = append(c.keys, ks...), append(c.args, vs...)
	}

	for {
		answer, err := s.run(ctx, "reserve", c)
		if err != nil {
			return hallpass.Reserved{}, err
		}
		outcome, staged, err := reserved(use, answer)
		switch {
		case err == nil && staged == nil:
			if c.args[mode] == "write" && outcome.Duplicate {
				s.forgetUse(ctx, useIndex)
			}
			return outcome, nil
		case err == nil:
			if err := s.resolve(ctx, r.Pass.ID, staged); err != nil {
				return hallpass.Reserved{}, err
			}
			c.args[asked] = "1"
		case err != errGo:
			if c.args[mode] == "write" && !isUnavailable(err) {
				s.forgetUse(ctx, useIndex)
			}
			return hallpass.Reserved{}, err
		default:
			if err := s.enterUse(ctx, r.Pass.ID, use.ID, useIndex); err != nil {
				return hallpass.Reserved{}, err
			}
			if answer[1] == "1" {
				if err := s.enter(ctx, rowIndex); err != nil {
					return hallpass.Reserved{}, err
				}
				c.args[indexed] = "1"
			}
			c.args[mode], c.args[asked] = "write", "0"
		}
	}
}

// reserved reads the script's answer to a caller who wants to write the use. errGo
// asks for the indexes.
func reserved(use hallpass.Use, answer []string) (out hallpass.Reserved, staged []string, err error) {
	if len(answer) == 0 {
		return out, nil, unavailable("reserve", errDamaged)
	}
	switch answer[0] {
	case "staged":
		return out, answer[1:], nil
	case "go":
		return out, nil, errGo
	case "unknown_pass":
		return out, nil, hallpass.RefusalUnknownPass
	case "revoked":
		return out, nil, hallpass.RefusalRevoked
	case "spent":
		return out, nil, hallpass.RefusalSpent
	case "conflict":
		return out, nil, hallpass.ErrConflict
	case "won", "duplicate":
		out.Duplicate = answer[0] == "duplicate"
		out.Entry, err = entryOf(use.Pass, answer[1:])
		switch {
		case err == nil && !out.Duplicate:
			out.Use = use
		case err == nil && len(answer) == fieldCount+3:
			out.Use, err = useOf(use.Pass, answer[fieldCount+1], answer[fieldCount+2])
		case err == nil:
			err = errDamaged
		}
		if err != nil {
			return hallpass.Reserved{}, nil, unavailable("reserve", err)
		}
		return out, nil, nil
	}
	return out, nil, unavailable("reserve", errDamaged)
}

// enter writes the index entries of a row, all of which are in one slot.
func (s *Store) enter(ctx context.Context, members []member) error {
	ks, vs := split(members)
	_, err := s.run(ctx, "index", call{script: indexScript, keys: ks, args: append([]string{"", ""}, vs...)})
	return err
}

// enterUse writes a use's index entry, which is also the claim to its id.
func (s *Store) enterUse(ctx context.Context, pass, id string, m member) error {
	answer, err := s.run(ctx, "index", call{
		script: indexScript, keys: []string{m.key}, args: []string{id, useClaim(pass, id), m.value},
	})
	if err == nil && len(answer) > 0 && answer[0] == "conflict" {
		err = hallpass.ErrConflict
	}
	return err
}

// forgetUse removes the entry of a use that did not come about. If that fails the
// entry leads nowhere, and Prune removes it.
func (s *Store) forgetUse(ctx context.Context, m member) {
	_, _ = s.run(context.WithoutCancel(ctx), "index", call{script: unindexScript, keys: []string{m.key}, args: []string{m.value}})
}
