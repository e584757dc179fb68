package pgstore

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

// alone writes what is too much to share a transaction: write hands its statements
// to step, batch by batch, each within the timeout. It gives up when ctx ends before
// the commit, and then nothing was written. It may be tried again whatever happened:
// what is there stays.
func (s *Store) alone(ctx context.Context, what string, write func(step func(*pgx.Batch) error) error) error {
	for try := 0; ; try++ {
		err := s.query(ctx, func(conn pooled) error { return s.writeAlone(ctx, conn, write) })
		switch {
		case isPassing(err) && try < 10:
			pause(try)
		case err != nil && errors.Is(err, ctx.Err()):
			return ctx.Err()
		default:
			return unavailable(context.WithoutCancel(ctx), what, err)
		}
	}
}

// writeAlone is one attempt. After the commit was sent, ctx is not looked at, so
// that its error means that nothing was written.
func (s *Store) writeAlone(ctx context.Context, conn pooled, write func(step func(*pgx.Batch) error) error) error {
	tx := transaction{conn: conn.Conn()}
	within := func(f func() error) error {
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.opts.Timeout+time.Second)
		defer cancel()
		tx.ctx = limited
		return f()
	}
	step := func(f func() error) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return within(f)
	}
	defer within(func() error { tx.end(); return nil })
	if err := step(func() error { return tx.read(&pgx.Batch{}) }); err != nil {
		return err
	}
	err := write(func(b *pgx.Batch) error {
		return step(func() error { return tx.conn.SendBatch(tx.ctx, b).Close() })
	})
	if err != nil {
		return err
	}
	return step(func() error { return tx.commit(&pgx.Batch{}) })
}
