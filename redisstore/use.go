package redisstore

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/hallpass-go/hallpass"
)

// Settle implements hallpass.PassStore.
func (s *Store) Settle(ctx context.Context, end hallpass.Settlement) (hallpass.Use, error) {
	if letters[end.State] == "" {
		return hallpass.Use{}, &hallpass.FieldError{Field: "State", Reason: fmt.Sprintf("%q is no state of a use", end.State)}
	}
	p := s.keys.pass(end.Pass)
	answer, err := s.run(ctx, "settle", call{script: settleScript, keys: []string{p.row, p.uses}, args: []string{
		end.Use, letters[end.State], strconv.Itoa(end.Status), strconv.FormatInt(max(0, end.MaxRefunds), 10),
	}})
	switch {
	case err != nil:
		return hallpass.Use{}, err
	case len(answer) == 1:
		return hallpass.Use{}, hallpass.ErrNotFound
	case len(answer) != 2:
		return hallpass.Use{}, unavailable("settle", errDamaged)
	}
	use, err := useOf(end.Pass, end.Use, answer[1])
	if err != nil {
		return hallpass.Use{}, unavailable("settle", err)
	}
	return use, nil
}

// Uses implements hallpass.PassStore.
func (s *Store) Uses(ctx context.Context, q hallpass.UseQuery) ([]hallpass.Use, error) {
	if q.Pass == "" {
		return s.allUses(ctx, q)
	}
	bound := "+"
	if q.After != "" {
		bound = "(" + q.After
	}
	p := s.keys.pass(q.Pass)
	answer, err := s.run(ctx, "list uses", call{
		script: usesScript, keys: []string{p.uses, p.order}, args: []string{bound, strconv.Itoa(q.Limit)}, read: true,
	})
	if err != nil {
		return nil, err
	}
	found := make([]hallpass.Use, 0, len(answer)/2)
	for pair := range slices.Chunk(answer, 2) {
		if len(pair) < 2 || pair[1] == "" {
			continue
		}
		use, err := useOf(q.Pass, pair[0], pair[1])
		if err != nil {
			return nil, unavailable("list uses", err)
		}
		found = append(found, use)
	}
	return found, nil
}

// allUses reads the index of all uses and then each use. An entry whose use is not
// there is one that did not come about, or not yet.
func (s *Store) allUses(ctx context.Context, q hallpass.UseQuery) ([]hallpass.Use, error) {
	after := ""
	if q.After != "" {
		after = q.After + "\x00"
	}
	w := s.walk(useIndex, "", after, true, q.Limit)
	var found []hallpass.Use
	for len(found) < q.Limit {
		members, err := w.next(ctx, q.Limit-len(found))
		if err != nil {
			return nil, err
		}
		if len(members) == 0 {
			break
		}
		calls := make([]call, len(members))
		for i, m := range members {
			pass, id, _, err := parseUseMember(m.value)
			if err != nil {
				return nil, unavailable("list uses", err)
			}
			calls[i] = call{word: "HGET", keys: []string{s.keys.pass(pass).uses}, args: []string{"u" + id}, read: true}
		}
		answers, err := s.runAll(ctx, "list uses", calls)
		if err != nil {
			return nil, err
		}
		for i, m := range members {
			if len(answers[i]) == 0 {
				continue
			}
			pass, id, _, _ := parseUseMember(m.value)
			use, err := useOf(pass, id, answers[i][0])
			if err != nil {
				return nil, unavailable("list uses", err)
			}
			found = append(found, use)
		}
	}
	return found, nil
}
