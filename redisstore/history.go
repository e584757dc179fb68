package redisstore

import (
	"context"
	"fmt"
	"slices"

	"github.com/hallpass-go/hallpass"
)

// RecordUses implements hallpass.History. On one server it is one script for up to
// 20,000 uses, all or none; more of them are a *hallpass.FieldError. In a cluster a
// call that fails may have written some of them: repeated, it writes the others.
func (s *Store) RecordUses(ctx context.Context, uses []hallpass.Use) error {
	if err := ctx.Err(); err != nil || len(uses) == 0 {
		return err
	}
	all := make([]pastUse, len(uses))
	for i, use := range uses {
		if letters[use.State] == "" {
			return &hallpass.FieldError{Field: "State", Reason: fmt.Sprintf("%q is no state of a use", use.State)}
		}
		use.At, use.Key = micro(use.At), ""
		head, tail := useParts(&use, "")
		all[i] = pastUse{
			pass: use.Pass, id: use.ID, text: head + "0" + tail,
			index: member{s.keys.index(shardOf(use.ID), useIndex, ""), useMember(use.Pass, &use)},
		}
	}
	if s.cluster {
		return s.recordUsesApart(ctx, all)
	}
	if len(all) > maxRecord {
		return &hallpass.FieldError{Field: "uses", Reason: fmt.Sprintf("are more than %d; record them in several calls", maxRecord)}
	}
	c := call{script: historyScript, args: []string{"3"}}
	for _, use := range all {
		p := s.keys.pass(use.pass)
		c.keys = append(c.keys, p.uses, p.order, use.index.key)
		c.args = append(c.args, use.id, use.text, use.index.value)
	}
	_, err := s.run(ctx, "record uses", c)
	return err
}

// pastUse is a use as it is written.
type pastUse struct {
	pass, id, text string
	index          member
}

// recordUsesApart writes uses whose indexes are in other slots: first the entries,
// which claim their ids, then the uses, then the entries again, for Prune may have
// taken one for what an abandoned reservation left.
func (s *Store) recordUsesApart(ctx context.Context, uses []pastUse) error {
	enter := func() ([][]string, error) {
		calls := make([]call, len(uses))
		for i, use := range uses {
			calls[i] = call{script: indexScript, keys: []string{use.index.key}, args: []string{use.id, useClaim(use.pass, use.id), use.index.value}}
		}
		return s.runAll(ctx, "record uses", calls)
	}
	claimed, err := enter()
	if err != nil {
		return err
	}
	for i := len(uses) - 1; i >= 0; i-- {
		if len(claimed[i]) > 0 && claimed[i][0] == "conflict" {
			uses = slices.Delete(uses, i, i+1)
		}
	}
	calls := make([]call, len(uses))
	for i, use := range uses {
		p := s.keys.pass(use.pass)
		calls[i] = call{script: historyScript, keys: []string{p.uses, p.order}, args: []string{"2", use.id, use.text, ""}}
	}
	if _, err := s.runAll(ctx, "record uses", calls); err != nil {
		return err
	}
	_, err = enter()
	return err
}
