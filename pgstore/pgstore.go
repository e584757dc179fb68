// Package pgstore keeps passes, uses and cells in PostgreSQL, for several machines.
//
// Redemptions that arrive at the same time in a process share a transaction of two
// round trips, so a busy process pays one disk flush for hundreds of them; rows are
// locked only within it, never while a handler runs. Every write is as durable as
// the server makes a commit. What can be tried again without counting twice is:
// deadlocks, lost connections before the commit was sent, and, after finding out
// that it was not done, a commit that got no answer.
package pgstore

import (
	"cmp"
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hallpass-go/hallpass"
)

// Options is how to open a store. Nil and the zero value open an existing one of
// the current schema.
type Options struct {
	// Create makes the tables, and the schema the DSN names, where there are none.
	// Without it a database without them is an error that wraps hallpass.ErrNotFound.
	// The database itself must exist.
	Create bool
	// Migrate brings the tables of an older hallpass up to date. Without it such
	// tables are an error.
	Migrate bool
	// MaxConns is how many connections the process opens at most, at least 2; one
	// more for each Wake. It beats pool_max_conns of the DSN. Defaults to 12: six for
	// writes, which share transactions, and six for reads.
	MaxConns int
	// QueueLimit is how many calls may wait for the server at most. One more is an
	// error that wraps hallpass.ErrUnavailable, at once. Defaults to 5,000.
	QueueLimit int
	// Timeout is how long the server may take over one statement, and a call over
	// trying again. Then the call fails with an error that wraps
	// hallpass.ErrUnavailable. Defaults to 5 seconds.
	Timeout time.Duration
	// Indexes makes passes quick to find by "subject", "recipient" and "expires_at", where the
	// tables do not have these yet, while others go on writing; later opens keep
	// them. Each costs every issued pass one more write.
	Indexes []string
	// AllowNoSync opens a server that runs with fsync off. Such a server forgets
	// uses in a power cut, which makes used passes good again: for throwaway tests.
	AllowNoSync bool
	// Observe, when set, is told about every transaction: how many writes shared
	// it, and how long it took. It must not wait for anything.
	Observe func(groupSize int, took time.Duration)
}

func (o *Options) withDefaults() Options {
	var opts Options
	if o != nil {
		opts = *o
	}
	opts.QueueLimit = cmp.Or(opts.QueueLimit, 5000)
	opts.Timeout = cmp.Or(opts.Timeout, 5*time.Second)
	return opts
}

func (o Options) validate() error {
	switch {
	case slices.ContainsFunc(o.Indexes, func(name string) bool { return indexes[name] == "" }):
		return &hallpass.FieldError{Field: "index", Reason: "must be subject, recipient or expires_at"}
	case o.MaxConns < 0 || o.MaxConns == 1:
		return &hallpass.FieldError{Field: "MaxConns", Reason: "must be at least 2; 0 means 12"}
	case o.QueueLimit < 1:
		return &hallpass.FieldError{Field: "QueueLimit", Reason: "must not be negative; 0 means 5,000"}
	case o.Timeout < 10*time.Millisecond:
		return &hallpass.FieldError{Field: "Timeout", Reason: "must be at least 10 ms; 0 means 5 seconds"}
	}
	return nil
}

// Store is a hallpass.Store in a PostgreSQL database. Its methods may be called
// from any number of goroutines.
type Store struct {
	opts    Options
	dsn     target
	pool    *pgxpool.Pool
	created bool
	// channel is what this store's processes listen to.
	channel string

	seed    maphash.Seed
	redeems [2]*lane[redeemItem, redeemed]
	cells   [2]*lane[cellItem, cellDone]
	records *lane[[]hallpass.Entry, struct{}]
	changes *lane[change, hallpass.Entry]

	// reads holds a token for each connection that reads may use, so that they
	// never take the writers' ones.
	reads    chan struct{}
	waiting  atomic.Int64
	breaker  breaker
	notices  notices
	families sync.Map // the groups of cells that are known to have their row
}

var (
	_ hallpass.Store       = (*Store)(nil)
	_ hallpass.Waker       = (*Store)(nil)
	_ hallpass.History     = (*Store)(nil)
	_ hallpass.NewestCells = (*Store)(nil)
)

const (
	// writers is how many transactions this process may have under way at once: the
	// number of its lanes.
	writers      = 6
	defaultConns = 12
	// groupLimit is how many writes share one transaction at most.
	groupLimit = 1000
	// recordLimit is the same for Record, of whose calls each may have many rows.
	recordLimit = 100
)

// Open opens the store a DSN names: a PostgreSQL URL or key=value text, with what
// docs/postgres.md lists besides. A schema that a newer hallpass wrote is refused,
// and so is a server that does not synchronise its disk. No error repeats the
// DSN, which may hold a password.
func Open(ctx context.Context, dsn string, options *Options) (*Store, error) {
	opts := options.withDefaults()
	if err := opts.validate(); err != nil {
		return nil, err
	}
	to, err := parse(dsn)
	if err != nil {
		return nil, err
	}
	if opts.MaxConns > 0 {
		to.pool.MaxConns = int32(opts.MaxConns)
	}
	s := &Store{opts: opts, dsn: to, seed: maphash.MakeSeed()}
	to.pool.AfterConnect = s.prepareSession
	to.pool.ConnConfig.OnNotice = noticeUnreplicated
	if s.created, err = s.migrate(ctx); err != nil {
		return nil, err
	}
	if s.pool, err = pgxpool.NewWithConfig(context.WithoutCancel(ctx), to.pool); err != nil {
		return nil, unavailable(ctx, "open", err)
	}
	s.reads = make(chan struct{}, max(1, int(to.pool.MaxConns)-writers))
	s.breaker.probe = s.ping
	s.startLanes()
	var schema string
	err = s.query(ctx, func(conn *pgxpool.Conn) error {
		return conn.QueryRow(ctx, `SELECT current_schema()`).Scan(&schema)
	})
	if err != nil {
		_ = s.Close()
		return nil, unavailable(ctx, "open", err)
	}
	s.channel = channelOf(schema)
	if err := s.makeIndexes(ctx, opts.Indexes); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Store) startLanes() {
	for i := range s.redeems {
		s.redeems[i] = newLane(s, groupLimit, newRedemption)
	}
	for i := range s.cells {
		s.cells[i] = newLane(s, groupLimit, newCellTurn)
	}
	s.records = newLane(s, recordLimit, newRecording)
	s.changes = newLane(s, groupLimit, newChanging)
}

// Created says that Open made the tables.
func (s *Store) Created() bool { return s.created }

// Name is what to call the store in a sentence: host and database, no user and no
// password.
func (s *Store) Name() string { return s.dsn.name() }

// CheckSchema says whether the database still has a schema this program can use: a
// newer hallpass may have migrated it meanwhile. Its error wraps
// hallpass.ErrUnavailable.
func (s *Store) CheckSchema(ctx context.Context) error {
	var version int64
	err := s.query(ctx, func(conn *pgxpool.Conn) (err error) {
		version, err = schemaVersion(ctx, conn.Conn())
		return err
	})
	if err != nil {
		return unavailable(ctx, "schema", err)
	}
	if version != SchemaVersion {
		return fmt.Errorf("%w: the store has schema %d, this program writes %d", hallpass.ErrUnavailable, version, SchemaVersion)
	}
	return nil
}

// Close finishes the writes that were begun and closes the connections. Later
// calls fail with an error that wraps hallpass.ErrUnavailable.
func (s *Store) Close() error {
	for _, l := range s.redeems {
		l.group.Close()
	}
	for _, l := range s.cells {
		l.group.Close()
	}
	s.records.group.Close()
	s.changes.group.Close()
	s.notices.close()
	s.breaker.close()
	s.pool.Close()
	return nil
}
