package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/memstore"
	"github.com/hallpass-go/hallpass/sqlitestore"
)

// fleet is several stores that know nothing of each other. A pass is in the store
// of its id alone, so counting is as exact as that store is.
type fleet struct {
	ring   *ring
	shards []*shard
}

type shard struct {
	hallpass.Store
	down atomic.Bool
	uses atomic.Int64
}

// newFleet opens n stores: files in dir, or memory where there is none.
func newFleet(ctx context.Context, n int, dir string) (*fleet, error) {
	f := &fleet{ring: newRing(n)}
	for i := range n {
		s, err := openShard(ctx, i, dir)
		if err != nil {
			return nil, err
		}
		f.shards = append(f.shards, s)
	}
	return f, nil
}

func openShard(ctx context.Context, i int, dir string) (*shard, error) {
	if dir == "" {
		return &shard{Store: memstore.New()}, nil
	}
	store, err := sqlitestore.Open(ctx, filepath.Join(dir, fmt.Sprintf("shard-%d.db", i)), &sqlitestore.Options{Create: true})
	if err != nil {
		return nil, err
	}
	return &shard{Store: store}, nil
}

func (f *fleet) close() {
	for _, s := range f.shards {
		if c, ok := s.Store.(interface{ Close() error }); ok {
			_ = c.Close()
		}
	}
}

// reserve counts a use where the pass belongs.
func (f *fleet) reserve(ctx context.Context, r hallpass.Reservation) error {
	s := f.shards[f.ring.of(r.Pass.ID)]
	if s.down.Load() {
		return hallpass.ErrUnavailable
	}
	_, err := s.Reserve(ctx, r)
	if err == nil {
		s.uses.Add(1)
	}
	return err
}

// grow adds a shard. Passes that move have their rows taken along before the ring
// changes; the old shard keeps each revoked, so that a caller with the old ring is
// refused and never counted twice. Nobody uses unrecorded passes here meanwhile: one
// whose first use came now would have to be revoked at its old shard as well.
func (f *fleet) grow(ctx context.Context, dir string, passes []hallpass.Pass) (moved int, err error) {
	s, err := openShard(ctx, len(f.shards), dir)
	if err != nil {
		return 0, err
	}
	wider := newRing(len(f.shards) + 1)
	leaving := make([][]hallpass.Pass, len(f.shards))
	for _, p := range passes {
		if from := f.ring.of(p.ID); wider.of(p.ID) != from {
			leaving[from] = append(leaving[from], p)
			moved++
		}
	}
	for from, list := range leaving {
		rows := make([]hallpass.Entry, 0, len(list))
		for _, p := range list {
			row, err := f.shards[from].Entry(ctx, p.ID)
			if errors.Is(err, hallpass.ErrNotFound) {
				continue // unrecorded and never used: its row comes to life where it belongs
			}
			if err != nil {
				return moved, err
			}
			if _, err := f.shards[from].RevokePass(ctx, row, time.Now()); err != nil {
				return moved, err
			}
			if row, err = f.counted(ctx, from, row); err != nil {
				return moved, err
			}
			rows = append(rows, row)
		}
		if err := s.Record(ctx, rows); err != nil {
			return moved, err
		}
	}
	f.shards, f.ring = append(f.shards, s), wider
	return moved, nil
}

// counted is the row with what was counted until it was revoked.
func (f *fleet) counted(ctx context.Context, from int, row hallpass.Entry) (hallpass.Entry, error) {
	last, err := f.shards[from].Entry(ctx, row.ID)
	if err != nil {
		return row, err
	}
	last.RevokedAt = row.RevokedAt
	return last, nil
}

// phase is what callers saw in one span of the simulation.
type phase struct {
	name                    string
	took                    time.Duration
	honoured, refused, unav int64
	busiest, idlest         float64 // shares of the honoured uses
	note                    string
}

// run lets callers use passes, as pick names them, n times.
func (f *fleet) run(ctx context.Context, name string, callers, n int, pick func(i int) hallpass.Pass) phase {
	for _, s := range f.shards {
		s.uses.Store(0)
	}
	var next, honoured, refused, unavailable atomic.Int64
	var all sync.WaitGroup
	began := time.Now()
	for range callers {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				p := pick(i)
				err := f.reserve(ctx, hallpass.Reservation{Pass: p, Use: hallpass.Use{
					ID: fmt.Sprintf("%s-%s-%d", p.ID, name, i), At: time.Now(), State: hallpass.UsePending,
				}})
				switch {
				case err == nil:
					honoured.Add(1)
				case errors.Is(err, hallpass.ErrUnavailable):
					unavailable.Add(1)
				default:
					refused.Add(1)
				}
			}
		})
	}
	all.Wait()
	p := phase{name: name, took: time.Since(began), honoured: honoured.Load(), refused: refused.Load(), unav: unavailable.Load(), idlest: 1}
	for _, s := range f.shards {
		share := float64(s.uses.Load()) / float64(max(1, p.honoured))
		p.busiest, p.idlest = max(p.busiest, share), min(p.idlest, share)
	}
	return p
}
