package main

import (
	"fmt"
	"strings"
	"testing"
)

func TestAFleetCountsExactlyWhileItGrowsAndAShardIsDown(t *testing.T) {
	t.Parallel()
	for name, dir := range map[string]string{"memory": "", "sqlite": t.TempDir()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			p := plan{shards: 4, passes: 1000, uses: 2000, callers: 64, quota: 3, dir: dir}
			if err := p.simulate(t.Context(), &out); err != nil {
				t.Error(err)
			}
			t.Logf("\n%s", &out)
			if lines := strings.Count(out.String(), "\n"); lines != 5 {
				t.Errorf("%d lines", lines)
			}
		})
	}
}

func TestOnlyTheNewShardsShareMoves(t *testing.T) {
	t.Parallel()
	const passes = 20_000
	before, after := newRing(8), newRing(9)
	held := make([]int, 9)
	moved := 0
	for i := range passes {
		pass := fmt.Sprintf("pass-%d", i)
		from, to := before.of(pass), after.of(pass)
		held[to]++
		if from != to {
			moved++
			if to != 8 {
				t.Fatalf("%s moved from %d to %d", pass, from, to)
			}
		}
	}
	if share := float64(moved) / passes; share < 0.08 || share > 0.15 {
		t.Errorf("%.3f of the passes moved, want about a ninth", share)
	}
	for shard, n := range held {
		if share := float64(n) / passes * 9; share < 0.8 || share > 1.2 {
			t.Errorf("shard %d has %.2f of its share", shard, share)
		}
	}
}
