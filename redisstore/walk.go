package redisstore

import (
	"context"
	"strconv"
)

// walker reads the shards of one index as if they were one, in order.
type walker struct {
	s       *Store
	falling bool
	chunk   int
	parts   []walked
}

// walked is one shard: what was read of it and not taken yet.
type walked struct {
	key   string
	ready []string
	// bound is where reading goes on.
	bound string
	ended bool
}

// walk starts behind after; "" is the start. about is how many will be wanted.
func (s *Store) walk(kind, value, after string, falling bool, about int) *walker {
	bound := map[bool]string{true: "+", false: "-"}[falling]
	if after != "" {
		bound = "(" + after
	}
	w := &walker{s: s, falling: falling, chunk: min(max(about/shards*3/2+8, 16), 1000)}
	for shard := range shards {
		w.parts = append(w.parts, walked{key: s.keys.index(shard, kind, value), bound: bound})
	}
	return w
}

// next takes up to n entries; fewer than one means that there are no more.
func (w *walker) next(ctx context.Context, n int) ([]member, error) {
	var taken []member
	for len(taken) < n {
		if err := w.fill(ctx); err != nil {
			return nil, err
		}
		best := -1
		for i := range w.parts {
			if p := &w.parts[i]; len(p.ready) > 0 && (best < 0 || w.before(p.ready[0], w.parts[best].ready[0])) {
				best = i
			}
		}
		if best < 0 {
			break
		}
		p := &w.parts[best]
		taken = append(taken, member{p.key, p.ready[0]})
		p.ready = p.ready[1:]
	}
	return taken, nil
}

func (w *walker) before(a, b string) bool { return (a < b) != w.falling }

// fill reads on where nothing is left, so that the next entry is known for sure.
func (w *walker) fill(ctx context.Context) error {
	var calls []call
	var at []int
	for i := range w.parts {
		p := &w.parts[i]
		if len(p.ready) > 0 || p.ended {
			continue
		}
		c := call{word: "ZRANGEBYLEX", keys: []string{p.key}, args: []string{p.bound, "+"}, read: true}
		if w.falling {
			c.word, c.args[1] = "ZREVRANGEBYLEX", "-"
		}
		c.args = append(c.args, "LIMIT", "0", strconv.Itoa(w.chunk))
		calls, at = append(calls, c), append(at, i)
	}
	if len(calls) == 0 {
		return nil
	}
	answers, err := w.s.runAll(ctx, "read an index", calls)
	if err != nil {
		return err
	}
	for n, i := range at {
		p := &w.parts[i]
		p.ready, p.ended = answers[n], len(answers[n]) < w.chunk
		if len(p.ready) > 0 {
			p.bound = "(" + p.ready[len(p.ready)-1]
		}
	}
	return nil
}
