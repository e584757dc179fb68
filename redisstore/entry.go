package redisstore

import (
	"context"

	"github.com/hallpass-go/hallpass"
)

// Entry implements hallpass.PassStore.
func (s *Store) Entry(ctx context.Context, id string) (hallpass.Entry, error) {
	found, err := s.rows(ctx, "read a pass", []string{id})
	if err != nil {
		return hallpass.Entry{}, err
	}
	if found[0] == nil {
		return hallpass.Entry{}, hallpass.ErrNotFound
	}
	return *found[0], nil
}

// rows reads rows; nil stands for one that is not there.
func (s *Store) rows(ctx context.Context, what string, ids []string) ([]*hallpass.Entry, error) {
	calls := make([]call, len(ids))
	for i, id := range ids {
		calls[i] = call{word: "HMGET", keys: []string{s.keys.pass(id).row}, args: fieldNames, read: true}
	}
	answers, err := s.runAll(ctx, what, calls)
	if err != nil {
		return nil, err
	}
	found := make([]*hallpass.Entry, len(ids))
	var missing []int
	for i, answer := range answers {
		if len(answer) == fieldCount && answer[0] != "" {
			e, err := entryOf(ids[i], answer)
			if err != nil {
				return nil, unavailable(what, err)
			}
			found[i] = &e
		} else if s.cluster {
			missing = append(missing, i)
		}
	}
	return found, s.lookStaged(ctx, what, ids, missing, found)
}

// lookStaged finds rows of transactions that committed and whose writer has not
// put them into place, or died before it could.
func (s *Store) lookStaged(ctx context.Context, what string, ids []string, missing []int, found []*hallpass.Entry) error {
	calls := make([]call, len(missing))
	for n, i := range missing {
		calls[n] = s.look(ids[i], "0")
	}
	answers, err := s.runAll(ctx, what, calls)
	if err != nil {
		return err
	}
	for n, i := range missing {
		answer := answers[n]
		if len(answer) > 1 && answer[0] == "staged" {
			if err := s.resolve(ctx, ids[i], answer[1:]); err != nil {
				return err
			}
			if answer, err = s.run(ctx, what, s.look(ids[i], "1")); err != nil {
				return err
			}
		}
		e, err := changed(what, ids[i], answer)
		switch {
		case err == nil:
			found[i] = &e
		case err != hallpass.ErrNotFound:
			return err
		}
	}
	return nil
}

func (s *Store) look(id, asked string) call {
	p := s.keys.pass(id)
	return call{script: lookScript, keys: []string{p.row, p.staged}, args: []string{asked}, read: true}
}

// Entries implements hallpass.PassStore. The narrowest index is read, and the rows
// say the rest: an entry counts only where the row stands at that very place.
func (s *Store) Entries(ctx context.Context, q hallpass.EntryQuery) ([]hallpass.Entry, error) {
	kind, value := allIndex, ""
	switch {
	case q.Subject != "":
		kind, value = subjectIndex, q.Subject
	case q.Batch != "":
		kind, value = batchIndex, q.Batch
	case q.Scope != "":
		kind, value = scopeIndex, string(q.Scope)
	}
	after := ""
	if q.After != (hallpass.EntryPosition{}) {
		after = place(q.After.IssuedAt, q.After.ID)
	}
	w := s.walk(kind, value, after, true, q.Limit)
	var found []hallpass.Entry
	for len(found) < q.Limit {
		// Where most rows are filtered out, pages grow no smaller than a chunk.
		members, err := w.next(ctx, max(q.Limit-len(found), min(q.Limit, together)))
		if err != nil {
			return nil, err
		}
		if len(members) == 0 {
			break
		}
		ids := make([]string, len(members))
		for i, m := range members {
			ids[i] = m.value[min(stampLength, len(m.value)):]
		}
		rows, err := s.rows(ctx, "list passes", ids)
		if err != nil {
			return nil, err
		}
		for i, e := range rows {
			if e == nil || place(e.IssuedAt, e.ID) != members[i].value ||
				(q.Scope != "" && e.Scope != q.Scope) || (q.Subject != "" && e.Subject != q.Subject) ||
				(q.Batch != "" && e.Batch != q.Batch) || (q.Mode != "" && e.Mode != q.Mode) {
				continue
			}
			if found = append(found, *e); len(found) == q.Limit {
				break
			}
		}
	}
	return found, nil
}
