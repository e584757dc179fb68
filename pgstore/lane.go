package pgstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hallpass-go/hallpass/internal/group"
)

// lane runs one transaction at a time, for everybody who waits for it. Writes of
// the same pass, or the same group of cells, always take the same lane, so the lanes
// of a process hardly ever wait for each other's locks.
type lane[In, Out any] struct {
	store *Store
	group *group.Group[In, Out]
	// id is this lane's row in hallpass_lanes, and turns counts its transactions. The
	// group runs one at a time, so they belong to whoever runs.
	id    string
	turns int64
	begin func(l *lane[In, Out], items []In) turn[Out]
}

// turn is one attempt at a group of writes: what to read and lock, and then what to
// write and to answer.
type turn[Out any] interface {
	// ask queues the reads, locks first, in the order of their ids, so that no two
	// transactions wait for each other. look says that an attempt before this one
	// failed: it is to be read what was written by whom.
	ask(b *pgx.Batch, look bool)
	// decide judges and queues the writes. commit says that what was read is to
	// be on all disks although nothing is written.
	decide(b *pgx.Batch) (results []group.Result[Out], commit bool, err error)
	// wrote reports whether an earlier attempt's writes are there. It is called after
	// the reads of ask with look, so under this attempt's locks: an earlier attempt
	// whose commit was still under way has ended by then, or will make this
	// attempt's own writes fail.
	wrote(earlier turn[Out]) bool
}

func newLane[In, Out any](s *Store, limit int, begin func(*lane[In, Out], []In) turn[Out]) *lane[In, Out] {
	l := &lane[In, Out]{store: s, id: rand.Text(), begin: begin}
	l.group = group.New(limit, l.run)
	return l
}

// do hands the item in. Its error is the contract's, or an ErrUnavailable.
func (l *lane[In, Out]) do(ctx context.Context, what string, item In) (Out, error) {
	var none Out
	if err := l.store.enter(ctx); err != nil {
		return none, err
	}
	defer l.store.leave()
	out, err := l.group.Do(ctx, item)
	switch {
	case err == nil:
		return out, nil
	case isAnswer(err), ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return none, err
	}
	// Not the caller's context: the write was tried and failed.
	return none, unavailable(context.WithoutCancel(ctx), what, err)
}

// doubtTimeout is how long the outcome of a commit that got no answer is asked for:
// long enough for a server to recover, or for a standby to take over.
const doubtTimeout = 30 * time.Second

// attempted is an attempt whose commit got no answer.
type attempted[Out any] struct {
	turn    turn[Out]
	results []group.Result[Out]
}

// run writes all items in one transaction, again where that cannot count twice.
// When one of them makes it fail, each half gets a transaction of its own, and so on
// until that one is alone: among many that takes few transactions more.
func (l *lane[In, Out]) run(items []In) []group.Result[Out] {
	began := time.Now()
	if l.store.opts.Observe != nil {
		defer func() { l.store.opts.Observe(len(items), time.Since(began)) }()
	}
	var doubtful []attempted[Out]
	for try := 0; ; try++ {
		t := l.begin(l, items)
		results, sent, err := l.attempt(t, try > 0, doubtful)
		switch {
		case err == nil:
			return results
		case isLost(err):
			if sent {
				doubtful = append(doubtful, attempted[Out]{t, results})
			}
			late := time.Since(began) > l.limit(doubtful)
			if isCrowded(err) && !late {
				break
			}
			l.store.pool.Reset() // the others will be dead too
			if !isClosed(err) && (late || isConnectFailure(err)) {
				l.store.breaker.open()
			}
			switch {
			case len(doubtful) > 0 && (late || isClosed(err)):
				return failAll[Out](len(items), fmt.Errorf("%w: %w", errDoubt, err))
			case len(doubtful) == 0 && (late || isClosed(err) || isConnectFailure(err)):
				return failAll[Out](len(items), err)
			}
		case (isPassing(err) || len(doubtful) > 0 && isCut(err)) && time.Since(began) < l.limit(doubtful):
		case len(doubtful) > 0:
			return failAll[Out](len(items), fmt.Errorf("%w: %w", errDoubt, err))
		case isOneItemsFault(err) && len(items) > 1:
			half := len(items) / 2
			return append(l.run(items[:half]), l.run(items[half:])...)
		default:
			return failAll[Out](len(items), err)
		}
		pause(try)
	}
}

func (l *lane[In, Out]) limit(doubtful []attempted[Out]) time.Duration {
	if len(doubtful) > 0 {
		return doubtTimeout
	}
	return l.store.opts.Timeout
}

// pause is short at first: most conflicts are over when the other has committed.
func pause(try int) {
	if try == 0 {
		return
	}
	most := min(time.Millisecond<<min(try, 8), 200*time.Millisecond)
	time.Sleep(most/2 + mathrand.N(most/2))
}

func failAll[Out any](n int, err error) []group.Result[Out] {
	results := make([]group.Result[Out], n)
	for i := range results {
		results[i].Err = err
	}
	return results
}

const (
	beginText    = `BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE`
	commitText   = `COMMIT`
	rollbackText = `ROLLBACK`
	// A statement that is cut off while it waits for a synchronous standby commits
	// without it.
	patientText = `SET LOCAL statement_timeout = 0`
)

// errNoCommit is a commit that the server turned into something else.
var errNoCommit = errors.New("the server did not commit")

// attempt is one transaction of two round trips. sent says that the commit was on
// its way, so that after a loss nobody knows whether it was done.
func (l *lane[In, Out]) attempt(t turn[Out], look bool, doubtful []attempted[Out]) (results []group.Result[Out], sent bool, err error) {
	// No caller's context: one who leaves must not take the others' writes along. The
	// server's own timeouts come first, unless it is not there.
	ctx, cancel := context.WithTimeout(context.Background(), l.store.opts.Timeout+time.Second)
	defer cancel()
	err = l.store.use(ctx, func(conn *pgxpool.Conn) error {
		tx := transaction{ctx: ctx, conn: conn.Conn()}
		defer tx.end()
		var reads, writes pgx.Batch
		t.ask(&reads, look)
		if err := tx.read(&reads); err != nil {
			return err
		}
		for _, earlier := range doubtful {
			if !t.wrote(earlier.turn) {
				continue
			}
			// This commit is of row locks alone. It returns when everything before it is
			// where the server promises it to be, which the earlier one need not be.
			if err := tx.commit(&writes); err != nil {
				return err
			}
			results = earlier.results
			return nil
		}
		var commit bool
		if results, commit, err = t.decide(&writes); err != nil {
			return err
		}
		if writes.Len() == 0 && !commit {
			return nil
		}
		sent = true
		return tx.commit(&writes)
	})
	return results, sent, err
}

// transaction is an open one on a connection that this goroutine has.
type transaction struct {
	ctx  context.Context
	conn *pgx.Conn
}

// read begins the transaction and runs the reads, in one round trip.
func (tx transaction) read(b *pgx.Batch) error {
	begin := &pgx.Batch{}
	begin.Queue(beginText)
	begin.QueuedQueries = append(begin.QueuedQueries, b.QueuedQueries...)
	return tx.conn.SendBatch(tx.ctx, begin).Close()
}

// commit runs the writes and commits, in one round trip. An error of the server, or
// one that left the transaction open, means that nothing was written; any other one
// means that nobody knows.
func (tx transaction) commit(b *pgx.Batch) error {
	state := tx.conn.PgConn().CustomData()
	delete(state, unreplicated)
	b.Queue(patientText)
	done := false
	b.Queue(commitText).Exec(func(tag tagOf) error {
		done = tag.String() == commitText
		return nil
	})
	err := tx.conn.SendBatch(tx.ctx, b).Close()
	switch {
	case err != nil:
		if code, _ := sqlState(err); code == "" && !tx.conn.IsClosed() && tx.conn.PgConn().TxStatus() == 'I' {
			return &brokenConnection{err}
		}
		return err
	case !done:
		return errNoCommit
	case state[unreplicated] != nil:
		return fmt.Errorf("%w: no standby confirmed it", errNoCommit)
	}
	return nil
}

// end undoes what was not committed. Where even that fails, the pool throws the
// connection away, and the server undoes it then.
func (tx transaction) end() {
	if !tx.conn.IsClosed() && tx.conn.PgConn().TxStatus() != 'I' {
		_, _ = tx.conn.Exec(tx.ctx, rollbackText)
	}
}

// lane of a pass or of a group of cells: always the same one in a process.
func laneOf[In, Out any](s *Store, lanes [2]*lane[In, Out], key string) *lane[In, Out] {
	return lanes[hash(s, key)%uint64(len(lanes))]
}

// simple runs one statement in a transaction of its own, for what may run twice.
func (s *Store) simple(ctx context.Context, text string, args ...any) (n int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout+time.Second)
	defer cancel()
	for try := 0; ; try++ {
		err = s.query(ctx, func(conn *pgxpool.Conn) error {
			return conn.QueryRow(ctx, text, args...).Scan(&n)
		})
		if !isPassing(err) || try > 10 {
			return n, err
		}
		pause(try)
	}
}
