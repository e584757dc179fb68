package redisstore

import (
	"context"
	"strconv"
	"time"

	"github.com/hallpass-go/hallpass"
)

// pruneChunk is how many things one script of Prune looks at or removes, so that
// no redemption waits for more than that.
const pruneChunk = 500

// inFlight is how old an index entry without its use must be before it counts as
// one that leads nowhere, rather than one whose use is just being written.
const inFlight = time.Hour

// Prune implements hallpass.PassStore. It removes in small steps; when it fails
// half-way it reports what it had removed until then. What is over is first
// removed itself and then from the indexes, so that what a crash leaves is found
// again by the next Prune.
func (s *Store) Prune(ctx context.Context, p hallpass.PruneRule) (done hallpass.Pruned, err error) {
	if err := ctx.Err(); err != nil {
		return done, err
	}
	if !p.UsesBefore.IsZero() {
		err = s.pruneOld(ctx, p, &done)
	}
	if err == nil && p.KeepUses >= 0 {
		err = s.pruneBeyond(ctx, p, &done)
	}
	if err == nil {
		err = s.pruneEvents(ctx, p, &done)
	}
	if err == nil {
		err = s.pruneRows(ctx, p.Now, &done)
	}
	if err == nil {
		err = s.pruneCells(ctx, p.Now, &done)
	}
	return done, err
}

// pruneOld looks at all uses: their ids follow the clocks of several machines.
func (s *Store) pruneOld(ctx context.Context, p hallpass.PruneRule, done *hallpass.Pruned) error {
	for shard := range shards {
		key, bound := s.keys.index(shard, useIndex, ""), "-"
		for {
			answer, err := s.run(ctx, "prune", call{
				script: oldUsesScript, keys: []string{key}, read: true,
				args: []string{bound, position(micro(p.UsesBefore)), strconv.Itoa(pruneChunk)},
			})
			if err != nil {
				return err
			}
			if len(answer) == 0 || answer[0] == "" {
				break
			}
			members := make([]member, 0, len(answer)-1)
			for _, m := range answer[1:] {
				members = append(members, member{key, m})
			}
			if err := s.removeUses(ctx, p.Now, members, done); err != nil {
				return err
			}
			bound = "(" + answer[0]
		}
	}
	return nil
}

// pruneBeyond removes the oldest uses beyond the newest KeepUses.
func (s *Store) pruneBeyond(ctx context.Context, p hallpass.PruneRule, done *hallpass.Pruned) error {
	calls := make([]call, shards)
	for shard := range calls {
		calls[shard] = call{word: "ZCARD", keys: []string{s.keys.index(shard, useIndex, "")}, read: true}
	}
	answers, err := s.runAll(ctx, "prune", calls)
	if err != nil {
		return err
	}
	excess := -p.KeepUses
	for _, answer := range answers {
		if len(answer) == 1 {
			n, _ := strconv.ParseInt(answer[0], 10, 64)
			excess += n
		}
	}
	w := s.walk(useIndex, "", "", false, int(min(max(excess, 0), shards*pruneChunk)))
	for excess > 0 {
		members, err := w.next(ctx, int(min(excess, pruneChunk)))
		if err != nil || len(members) == 0 {
			return err
		}
		if err := s.removeUses(ctx, p.Now, members, done); err != nil {
			return err
		}
		excess -= int64(len(members))
	}
	return nil
}

// removeUses removes uses, each pass's in one step, and then their entries.
func (s *Store) removeUses(ctx context.Context, now time.Time, members []member, done *hallpass.Pruned) error {
	ofPass := make(map[string][]int)
	ids := make([]string, len(members))
	ended := make([]bool, len(members)) // so old that its use is not under way
	var order []string
	for i, m := range members {
		pass, id, at, err := parseUseMember(m.value)
		if err != nil {
			ended[i] = true // no use of ours
			continue
		}
		ids[i], ended[i] = id, !s.cluster || now.Sub(at) > inFlight
		if ofPass[pass] == nil {
			order = append(order, pass)
		}
		ofPass[pass] = append(ofPass[pass], i)
	}
	calls := make([]call, len(order))
	for n, pass := range order {
		p := s.keys.pass(pass)
		calls[n] = call{script: pruneUsesScript, keys: []string{p.uses, p.order}}
		for _, i := range ofPass[pass] {
			calls[n].args = append(calls[n].args, ids[i])
		}
	}
	answers, err := s.runAll(ctx, "prune", calls)
	if err != nil {
		return err
	}
	for n, pass := range order {
		for k, i := range ofPass[pass] {
			if k < len(answers[n]) && answers[n][k] == "1" {
				ended[i] = true
				done.Uses++
			}
		}
	}
	gone := make(map[string][]string)
	for i, m := range members {
		if ended[i] {
			gone[m.key] = append(gone[m.key], m.value)
		}
	}
	var forget []call
	for key, values := range gone {
		forget = append(forget, call{word: "ZREM", keys: []string{key}, args: values})
	}
	_, err = s.runAll(ctx, "prune", forget)
	return err
}

// pruneRows removes the rows whose KeepUntil has come. An entry whose row is kept
// longer is of before the row was extended.
func (s *Store) pruneRows(ctx context.Context, now time.Time, done *hallpass.Pruned) error {
	bound := "(" + positionOf(now.UnixMicro()+1)
	for shard := range shards {
		key := s.keys.index(shard, keepIndex, "")
		for {
			due, err := s.run(ctx, "prune", call{
				word: "ZRANGEBYLEX", keys: []string{key}, args: []string{"-", bound, "LIMIT", "0", strconv.Itoa(together)}, read: true,
			})
			if err != nil {
				return err
			}
			if len(due) == 0 {
				break
			}
			if err := s.removeRows(ctx, now, key, due, done); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Store) removeRows(ctx context.Context, now time.Time, key string, due []string, done *hallpass.Pruned) error {
	rows := make([]hallpass.Entry, len(due))
	var calls []call
	var forget []call
	var asked []int
	for i, m := range due {
		forget = append(forget, call{script: unindexScript, keys: []string{key}, args: []string{m}})
		e, err := parseKeepMember(m)
		if err != nil {
			continue // no entry of ours
		}
		rows[i] = e
		p := s.keys.pass(e.ID)
		calls = append(calls, call{script: pruneRowScript, keys: []string{p.row, p.staged}, args: []string{position(now)}})
		asked = append(asked, i)
	}
	answers, err := s.runAll(ctx, "prune", calls)
	if err != nil {
		return err
	}
	for n, i := range asked {
		if len(answers[n]) == 0 || answers[n][0] == "kept" {
			continue
		}
		if answers[n][0] == "gone" {
			done.Passes++
		}
		forget[i].keys, forget[i].args = split(s.keys.members(&rows[i]))
		// The entry that was found goes in any case, last.
		forget[i].keys, forget[i].args = append(forget[i].keys, key), append(forget[i].args, due[i])
	}
	_, err = s.runAll(ctx, "prune", forget)
	return err
}

// parseKeepMember reads what keepMember writes, as far as the indexes need it.
func parseKeepMember(m string) (e hallpass.Entry, err error) {
	if len(m) < stampLength {
		return e, errDamaged
	}
	if e.KeepUntil, err = parseStamp(m[:stampLength]); err != nil {
		return e, err
	}
	d := decoder{rest: m[stampLength:]}
	e.IssuedAt = d.time()
	e.ID, e.Scope, e.Batch, e.Subject = d.text(), hallpass.Scope(d.text()), d.text(), d.text()
	return e, d.err
}

// pruneCells goes through the groups that ever had a cell.
func (s *Store) pruneCells(ctx context.Context, now time.Time, done *hallpass.Pruned) error {
	groups, err := s.run(ctx, "prune", call{word: "SMEMBERS", keys: []string{s.keys.groups()}, read: true})
	if err != nil {
		return err
	}
	for _, group := range groups {
		g := s.keys.group(group)
		for {
			answer, err := s.run(ctx, "prune", call{
				script: pruneCellsScript, keys: []string{g.cells, g.feed, g.ends},
				args: []string{"(" + positionOf(now.UnixMicro()+1), strconv.Itoa(pruneChunk)},
			})
			if err != nil {
				return err
			}
			n := 0
			if len(answer) == 1 {
				n, _ = strconv.Atoi(answer[0])
			}
			done.Cells += int64(n)
			if n < pruneChunk {
				break
			}
		}
	}
	return nil
}
