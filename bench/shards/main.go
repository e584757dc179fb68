// Command shards simulates hallpass over several independent stores, passes spread
// by consistent hashing of their ids, and prints what callers see: when all is well,
// when a shard is added, when one pass is hot, and when a shard is down.
//
//	go run ./bench/shards -shards 8 -passes 100000 -uses 400000 -dir /var/tmp
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/hallpass-go/hallpass"
)

// plan is what to simulate.
type plan struct {
	shards, passes, uses, callers int
	quota                         int64
	dir                           string
}

func main() {
	var p plan
	flag.IntVar(&p.shards, "shards", 8, "independent stores")
	flag.IntVar(&p.passes, "passes", 100_000, "passes, unrecorded: a row comes to life at the first use")
	flag.IntVar(&p.uses, "uses", 400_000, "uses of each phase")
	flag.IntVar(&p.callers, "callers", 256, "callers at once")
	flag.Int64Var(&p.quota, "quota", 6, "uses that each pass permits")
	flag.StringVar(&p.dir, "dir", "", "folder for a new folder with SQLite files; memory unless given")
	flag.Parse()
	if err := p.simulate(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "shards:", err)
		os.Exit(1)
	}
}

// simulate runs the phases and prints a line for each. It is an error when a pass
// was honoured more often than it permits.
func (p plan) simulate(ctx context.Context, out io.Writer) (err error) {
	if p.dir != "" {
		if p.dir, err = os.MkdirTemp(p.dir, "hallpass-shards-"); err != nil {
			return err
		}
		defer os.RemoveAll(p.dir)
	}
	f, err := newFleet(ctx, p.shards, p.dir)
	if err != nil {
		return err
	}
	defer func() { f.close() }()
	passes := p.issue()
	spread := func(i int) hallpass.Pass { return passes[i%len(passes)] }
	hot := passes[0]

	phases := []phase{f.run(ctx, "as it should be", p.callers, p.uses, spread)}
	moved, err := f.grow(ctx, p.dir, passes)
	if err != nil {
		return err
	}
	grown := f.run(ctx, "a shard more", p.callers, p.uses, spread)
	grown.note = fmt.Sprintf("%.1f%% of the passes moved", 100*float64(moved)/float64(len(passes)))
	hotter := f.run(ctx, "a hot pass", p.callers, p.uses, func(i int) hallpass.Pass {
		if i%2 == 0 {
			return hot
		}
		return hallpass.Pass{ID: fmt.Sprintf("fresh-%d", i), Scope: "s", MaxUses: 1}
	})
	hotter.note = "half of all clicks are on one spent pass"
	f.shards[1].down.Store(true)
	down := f.run(ctx, "a shard down", p.callers, p.uses, func(i int) hallpass.Pass {
		return hallpass.Pass{ID: fmt.Sprintf("late-%d", i), Scope: "s", MaxUses: 1}
	})
	down.note = fmt.Sprintf("%.1f%% of the passes wait", 100*float64(down.unav)/float64(p.uses))
	phases = append(phases, grown, hotter, down)

	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "phase\tuses/s\thonoured\trefused\tunavailable\tbusiest\tidlest\t")
	for _, ph := range phases {
		fmt.Fprintf(w, "%s\t%.0f\t%d\t%d\t%d\t%.1f%%\t%.1f%%\t  %s\n", ph.name, float64(p.uses)/ph.took.Seconds(),
			ph.honoured, ph.refused, ph.unav, 100*ph.busiest, 100*ph.idlest, ph.note)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return p.check(phases, len(passes))
}

func (p plan) issue() []hallpass.Pass {
	now := time.Now()
	passes := make([]hallpass.Pass, p.passes)
	for i := range passes {
		passes[i] = hallpass.Pass{ID: fmt.Sprintf("pass-%d", i), Scope: "s", MaxUses: p.quota, IssuedAt: now}
	}
	return passes
}

// check says whether the first two phases together honoured as much as the passes
// permit, and no more: a pass that moved took along what was counted.
func (p plan) check(phases []phase, passes int) error {
	asked := int64(2 * p.uses / passes)
	got, want := phases[0].honoured+phases[1].honoured, int64(passes)*min(p.quota, asked)
	if got != want {
		return fmt.Errorf("%d uses were honoured where the passes permit %d", got, want)
	}
	return nil
}
