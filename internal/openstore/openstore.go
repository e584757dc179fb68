// Package openstore opens the store that a DSN names. It is the one place that
// links the database drivers.
package openstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/memstore"
	"github.com/hallpass-go/hallpass/pgstore"
	"github.com/hallpass-go/hallpass/redisstore"
	"github.com/hallpass-go/hallpass/sqlitestore"
)

// Default is the store of whoever names none.
const Default = "sqlite:hallpass.db"

// Kind says what a store is.
type Kind string

// The kinds of stores.
const (
	SQLite   Kind = "sqlite"
	Memory   Kind = "memory"
	Postgres Kind = "postgres"
	Redis    Kind = "redis"
)

// Options is how to open a store; nil opens an existing one.
type Options struct {
	// Create makes what is not there yet.
	Create bool
	// Migrate brings the tables of an older hallpass up to date.
	Migrate bool
	// Indexes names what passes are to be found by quickly besides; see
	// sqlitestore.Options.
	Indexes []string
	// Memory allows "memory:", for commands that live as long as what they store.
	Memory bool
	// Observe, when set, is told about every transaction that several writes may
	// share; see sqlitestore.Options.
	Observe func(groupSize int, took time.Duration)
}

// Store is an open store. Close it.
type Store struct {
	hallpass.Store
	// Kind says what it is.
	Kind Kind
	// Name is what to call it in a sentence: the path of a file, or host and database.
	// It has no password in it.
	Name string
	// Created says that it was not there before.
	Created bool
	// NeedsMaster says that private keys may only be kept in it wrapped.
	NeedsMaster bool
	// NoSoleKey says that no private key may be kept in it that is nowhere else: it
	// can lose what it was given last.
	NoSoleKey bool

	close       func() error
	checkSchema func(context.Context) error
}

// Unwrap returns the store as its driver made it, with what it can do besides.
func (s *Store) Unwrap() hallpass.Store { return s.Store }

// CheckSchema says whether the store still has the schema this program writes;
// its error is an ErrUnavailable. A store without a schema always has it.
func (s *Store) CheckSchema(ctx context.Context) error {
	if s.checkSchema == nil {
		return nil
	}
	return s.checkSchema(ctx)
}

// Wake implements hallpass.Waker as far as the store does.
func (s *Store) Wake(ctx context.Context, groups []string, woken func(group string)) error {
	return hallpass.Wake(ctx, s.Store, groups, woken)
}

// Close finishes what was begun.
func (s *Store) Close() error {
	if s.close == nil {
		return nil
	}
	return s.close()
}

// Check says what is wrong with a DSN, without opening anything: a
// *hallpass.FieldError with field "store", or nil. It never repeats the DSN,
// which may hold a password.
func Check(dsn string, opts *Options) error {
	_, _, err := parse(dsn, opts)
	return err
}

// KindOf says what kind of store a DSN names, empty for one that names none.
func KindOf(dsn string) Kind {
	kind, _, err := parse(dsn, &Options{Memory: true})
	if err != nil {
		return ""
	}
	return kind
}

// Open opens the store a DSN names. A store that is not there, without Create, is
// an ErrUnavailable that says how to make one.
func Open(ctx context.Context, dsn string, opts *Options) (*Store, error) {
	kind, rest, err := parse(dsn, opts)
	if err != nil {
		return nil, err
	}
	if opts == nil {
		opts = &Options{}
	}
	if kind == Memory {
		return &Store{Store: memstore.New(), Kind: Memory, Name: "memory", Created: true}, nil
	}
	if kind == Postgres {
		return openPostgres(ctx, rest, opts)
	}
	if kind == Redis {
		return openRedis(ctx, rest, opts)
	}
	return openSQLite(ctx, rest, opts)
}

func openSQLite(ctx context.Context, path string, opts *Options) (*Store, error) {
	info, err := os.Stat(path)
	missing := errors.Is(err, os.ErrNotExist) || (err == nil && info.Size() == 0)
	store, err := sqlitestore.Open(ctx, path, &sqlitestore.Options{Create: opts.Create, Migrate: opts.Migrate, Indexes: opts.Indexes, Observe: opts.Observe})
	if errors.Is(err, hallpass.ErrNotFound) {
		return nil, fmt.Errorf(`%w: there is no store at %s; "hallpass issue" and "hallpass migrate" make one`, hallpass.ErrUnavailable, path)
	}
	if err != nil {
		return nil, err
	}
	return &Store{Store: store, Kind: SQLite, Name: path, Created: missing, close: store.Close, checkSchema: store.CheckSchema}, nil
}

func openPostgres(ctx context.Context, dsn string, opts *Options) (*Store, error) {
	store, err := pgstore.Open(ctx, dsn, &pgstore.Options{Create: opts.Create, Migrate: opts.Migrate, Indexes: opts.Indexes, Observe: opts.Observe})
	if errors.Is(err, hallpass.ErrNotFound) {
		return nil, fmt.Errorf(`%w: the database has no hallpass tables; "hallpass migrate" makes them`, hallpass.ErrUnavailable)
	}
	if err != nil {
		return nil, err
	}
	return &Store{
		Store: store, Kind: Postgres, Name: store.Name(), Created: store.Created(), NeedsMaster: true,
		close: store.Close, checkSchema: store.CheckSchema,
	}, nil
}

func openRedis(ctx context.Context, dsn string, opts *Options) (*Store, error) {
	store, err := redisstore.Open(ctx, dsn, &redisstore.Options{Create: opts.Create})
	if errors.Is(err, hallpass.ErrNotFound) {
		return nil, fmt.Errorf(`%w: redis holds no store under this prefix; "hallpass migrate" makes one`, hallpass.ErrUnavailable)
	}
	if err != nil {
		return nil, err
	}
	return &Store{
		Store: store, Kind: Redis, Name: store.Name(), Created: store.Created(), NeedsMaster: true, NoSoleKey: true,
		close: store.Close, checkSchema: store.CheckSchema,
	}, nil
}

func parse(dsn string, opts *Options) (kind Kind, rest string, err error) {
	scheme, rest, found := strings.Cut(dsn, ":")
	invalid := func(format string, args ...any) (Kind, string, error) {
		return "", "", &hallpass.FieldError{Field: "store", Reason: fmt.Sprintf(format, args...)}
	}
	switch {
	case found && scheme == "sqlite" && (rest == "" || rest == ":memory:"):
		return invalid("names no file; use sqlite:PATH, such as %s", Default)
	case found && scheme == "sqlite":
		return SQLite, rest, nil
	case dsn == "memory:" && (opts == nil || !opts.Memory):
		return invalid("memory: ends with this command; use sqlite:PATH, such as %s", Default)
	case dsn == "memory:":
		return Memory, "", nil
	case found && (scheme == "postgres" || scheme == "postgresql"):
		return Postgres, dsn, pgstore.Check(dsn)
	case found && (scheme == "redis" || scheme == "rediss"):
		return Redis, dsn, redisstore.Check(dsn)
	}
	return invalid("must be sqlite:PATH, such as %s", Default)
}
