package djangoimport

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/hallpass-go/hallpass"
)

// A lease keeps a second import out while one runs. It is short and renewed, so
// that one that was killed delays the next by seconds. Nothing but the raising of
// quotas depends on it; all else may be done twice.
const (
	leaseTime  = 5 * time.Second
	leaseRenew = time.Second
	leasePoll  = 200 * time.Millisecond
)

// lease waits for its turn. The context that it returns ends with errOther when
// the lease is lost.
func (l ledger) lease(ctx context.Context) (leased context.Context, release func(), err error) {
	cell := hallpass.Cell{Group: l.group, Key: "lease", Value: []byte(rand.Text())}
	swap := func(ctx context.Context, life time.Duration) error {
		now := l.now()
		cell.ExpiresAt = now.Add(life)
		written, err := l.store.Swap(ctx, cell, now)
		if err == nil {
			cell = written
		}
		return err
	}
	var other uint64
	for {
		err := swap(ctx, leaseTime)
		if err == nil {
			break
		}
		if !errors.Is(err, hallpass.ErrConflict) {
			return nil, nil, failed(ctx, "the import cannot begin", err)
		}
		holder, err := l.store.Cell(ctx, cell.Group, cell.Key, l.now())
		switch {
		case errors.Is(err, hallpass.ErrNotFound):
			continue
		case err != nil:
			return nil, nil, failed(ctx, "the import cannot begin", err)
		case other != 0 && holder.Version != other:
			return nil, nil, errOther // it was renewed: its holder lives
		}
		other = holder.Version
		select {
		case <-time.After(leasePoll):
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		}
	}

	leased, cancel := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(leaseRenew)
		defer tick.Stop()
		for {
			select {
			case <-leased.Done():
				return
			case <-tick.C:
			}
			if err := swap(leased, leaseTime); err != nil && leased.Err() == nil {
				lost := errOther
				if !errors.Is(err, hallpass.ErrConflict) {
					lost = failed(leased, "the import lost its turn", err)
				}
				cancel(lost)
				return
			}
		}
	}()
	return leased, func() {
		cancel(nil)
		<-ended
		// Over at once, for whoever comes next.
		ctx, done := context.WithTimeout(context.WithoutCancel(ctx), leaseTime)
		defer done()
		_ = swap(ctx, 0)
	}, nil
}
