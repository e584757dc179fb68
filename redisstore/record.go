package redisstore

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/hallpass-go/hallpass"
)

// maxRecord is how many passes one script may write: it stops everybody else for
// about a tenth of a second.
const maxRecord = 20_000

// Record implements hallpass.PassStore. On one server it is one script, for which
// more than 20,000 passes are a *hallpass.FieldError, and in a cluster a
// transaction; see recordStaged.
func (s *Store) Record(ctx context.Context, entries []hallpass.Entry) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	seen := make(map[string]bool, len(entries))
	fresh := make([]*hallpass.Entry, 0, len(entries))
	for i := range entries {
		if id := entries[i].ID; !seen[id] {
			seen[id] = true
			fresh = append(fresh, &entries[i])
		}
	}
	switch {
	case len(fresh) == 0:
		return nil
	case s.cluster && len(fresh) > 1:
		return s.recordStaged(ctx, fresh)
	case s.cluster:
		e := fresh[0]
		if err := s.enter(ctx, s.keys.members(e)); err != nil {
			return err
		}
		return s.lay(ctx, "", fresh)
	}
	if len(fresh) > maxRecord {
		return &hallpass.FieldError{Field: "entries", Reason: fmt.Sprintf("are more than %d; record them in several calls", maxRecord)}
	}
	c := call{script: putScript}
	for _, e := range fresh {
		ks, vs := split(s.keys.members(e))
		c.keys = append(append(c.keys, s.keys.pass(e.ID).row), ks...)
		c.args = append(append(append(c.args, strconv.Itoa(len(ks))), fields(e)...), vs...)
	}
	_, err := s.run(ctx, "record", c)
	return err
}

// recordStaged writes rows that are in several slots, all or none:
//
//  1. their index entries, which lead nowhere yet;
//  2. beside each row's place the row itself, staged under the transaction's name,
//     where no reader counts it;
//  3. the word that the transaction has committed, one write in one slot: from
//     here on all rows are there, before it none;
//  4. each row is put into its place, and the word removed.
//
// Whoever finds no row but a staged one asks for the word and, if it is there,
// puts the row into place himself. So a writer that dies before 3 leaves nothing
// that anybody sees, and one that dies after it leaves all of its rows. Two
// transactions that stage the same pass do not wait for each other: the first to
// put it into place has written it, and the other keeps that row.
func (s *Store) recordStaged(ctx context.Context, entries []*hallpass.Entry) error {
	name, err := s.stage(ctx, entries)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		if name != "" {
			s.unstage(ctx, name, entries, false)
		}
		return err
	}
	word := []string{s.keys.transaction(name)}
	if _, err := s.run(ctx, "record", call{word: "SET", keys: word, args: []string{"committed"}}); err != nil {
		return err // it may have committed: the staged rows stay for whoever asks
	}
	if s.unstage(ctx, name, entries, true) {
		_, _ = s.run(context.WithoutCancel(ctx), "record", call{word: "DEL", keys: word})
	}
	return nil
}

// stage does what comes before the commitment.
func (s *Store) stage(ctx context.Context, entries []*hallpass.Entry) (name string, err error) {
	var index []call
	for _, members := range byShard(s.keys, entries) {
		for chunk := range slices.Chunk(members, together) {
			ks, vs := split(chunk)
			index = append(index, call{script: indexScript, keys: ks, args: append([]string{"", ""}, vs...)})
		}
	}
	if _, err := s.runAll(ctx, "record", index); err != nil {
		return "", err
	}
	name = nonce() + nonce()
	return name, s.lay(ctx, name, entries)
}

// lay lays rows down under a transaction's name, or without one into their places.
// Where earlier transactions have laid one down, it asks first what became of them.
func (s *Store) lay(ctx context.Context, name string, entries []*hallpass.Entry) error {
	calls := make([]call, len(entries))
	for i, e := range entries {
		p := s.keys.pass(e.ID)
		calls[i] = call{script: stageScript, keys: []string{p.row, p.staged}, args: append([]string{name, "0"}, fields(e)...)}
	}
	answers, err := s.runAll(ctx, "record", calls)
	if err != nil {
		return err
	}
	for i, answer := range answers {
		if len(answer) < 2 || answer[0] != "staged" {
			continue
		}
		if err := s.resolve(ctx, entries[i].ID, answer[1:]); err != nil {
			return err
		}
		calls[i].args[1] = "1"
		if _, err := s.run(ctx, "record", calls[i]); err != nil {
			return err
		}
	}
	return nil
}

// unstage ends a transaction at all its rows. It reports whether it is done; if
// not, each row's next reader does the rest.
func (s *Store) unstage(ctx context.Context, name string, entries []*hallpass.Entry, committed bool) bool {
	calls := make([]call, len(entries))
	for i, e := range entries {
		p := s.keys.pass(e.ID)
		calls[i] = call{script: unstageScript, keys: []string{p.row, p.staged}, args: []string{name, flag(committed)}}
	}
	_, err := s.runAll(context.WithoutCancel(ctx), "record", calls)
	return err == nil
}

// resolve asks which of the transactions that staged a pass have committed, and
// puts the row of one that has into its place.
func (s *Store) resolve(ctx context.Context, id string, transactions []string) error {
	p := s.keys.pass(id)
	for _, name := range transactions {
		word, err := s.run(ctx, "ask for a transaction", call{word: "GET", keys: []string{s.keys.transaction(name)}, read: true})
		if err != nil {
			return err
		}
		if len(word) == 0 {
			continue
		}
		if _, err := s.run(ctx, "finish a transaction", call{
			script: unstageScript, keys: []string{p.row, p.staged}, args: []string{name, "1"},
		}); err != nil {
			return err
		}
	}
	return nil
}

// byShard are the index entries of rows, by the slot they are in.
func byShard(k keys, entries []*hallpass.Entry) map[int][]member {
	all := make(map[int][]member)
	for _, e := range entries {
		shard := shardOf(e.ID)
		all[shard] = append(all[shard], k.members(e)...)
	}
	return all
}
