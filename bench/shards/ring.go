package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
)

// ring is consistent hashing: each shard has many points on a circle, and a pass
// belongs to the shard of the next point. A shard that is added takes its share
// from all others alike, and nothing else moves.
type ring struct{ points []point }

type point struct {
	at    uint64
	shard int
}

// pointsEach makes the shares of shards differ by a few per cent.
const pointsEach = 512

func newRing(shards int) *ring {
	r := &ring{}
	for shard := range shards {
		for n := range pointsEach {
			r.points = append(r.points, point{place(fmt.Sprintf("shard %d, point %d", shard, n)), shard})
		}
	}
	slices.SortFunc(r.points, func(a, b point) int { return cmp.Compare(a.at, b.at) })
	return r
}

// of is the shard of a pass.
func (r *ring) of(pass string) int {
	i, _ := slices.BinarySearchFunc(r.points, place(pass), func(p point, at uint64) int { return cmp.Compare(p.at, at) })
	return r.points[i%len(r.points)].shard
}

func place(text string) uint64 {
	sum := sha256.Sum256([]byte(text))
	return binary.BigEndian.Uint64(sum[:])
}
