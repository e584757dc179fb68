// Package sqlitestore keeps passes, uses and cells in one SQLite file, in pure Go.
//
// Every write is durable when its method returns (WAL, synchronous FULL).
// Writes that arrive at the same time share a transaction, so a busy process pays
// one disk flush for hundreds of redemptions. Any number of processes may have
// the file open; SQLite's lock makes them exact.
package sqlitestore

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	_ "modernc.org/sqlite" // registers the driver "sqlite"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/group"
)

// Options is how to open a file. Nil and the zero value open an existing file of
// the current schema.
type Options struct {
	// Create makes the file, readable and writable by its owner alone, and its
	// tables where there are none. Without it a missing or empty file is an error
	// that wraps hallpass.ErrNotFound.
	Create bool
	// Migrate brings the tables of an older hallpass up to date. Without it such a
	// file is an error.
	Migrate bool
	// Indexes makes passes quick to find by "subject", "recipient" and "expires_at", where the file
	// has no such index yet. Each makes recording passes two to five times slower, and
	// making one takes minutes where there are millions. They stay, and cannot be
	// taken away here. Defaults to none.
	Indexes []string
	// BusyTimeout is how long a write waits for another process that is writing.
	// Then it fails with an error that wraps hallpass.ErrUnavailable. Defaults to 5
	// seconds.
	BusyTimeout time.Duration
	// Readers is how many connections answer reads. Defaults to 4.
	Readers int
	// Observe, when set, is told about every transaction: how many writes shared
	// it, and how long it took. It must not wait for anything.
	Observe func(groupSize int, took time.Duration)
}

func (o *Options) withDefaults() Options {
	var opts Options
	if o != nil {
		opts = *o
	}
	opts.BusyTimeout = cmp.Or(opts.BusyTimeout, 5*time.Second)
	opts.Readers = cmp.Or(opts.Readers, 4)
	return opts
}

func (o Options) validate() error {
	switch {
	case o.BusyTimeout < time.Millisecond:
		return &hallpass.FieldError{Field: "BusyTimeout", Reason: "must be at least a millisecond; 0 means 5 seconds"}
	case o.Readers < 1:
		return &hallpass.FieldError{Field: "Readers", Reason: "must not be negative; 0 means 4"}
	}
	for _, name := range o.Indexes {
		if indexes[name] == "" {
			return &hallpass.FieldError{Field: "index", Reason: fmt.Sprintf("must be subject, recipient or expires_at, not %q", name)}
		}
	}
	return nil
}

// Store is a hallpass.Store in an SQLite file. Its methods may be called from any
// number of goroutines.
type Store struct {
	reads  *sql.DB
	writes *writer
	group  *group.Group[write, outcome]

	observe func(int, time.Duration)
}

var _ hallpass.Store = (*Store)(nil)

// groupLimit is how many writes share one transaction at most.
const groupLimit = 1000

// Open opens the file at path. A file that is not hallpass's, or that a newer
// hallpass wrote, is refused.
func Open(ctx context.Context, path string, options *Options) (*Store, error) {
	opts := options.withDefaults()
	if err := opts.validate(); err != nil {
		return nil, err
	}
	if path == "" {
		return nil, &hallpass.FieldError{Field: "path", Reason: "must name a file"}
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, unavailable(ctx, "open", err)
	}
	if opts.Create {
		err = create(path)
	} else {
		_, err = os.Stat(path)
	}
	switch {
	case os.IsNotExist(err):
		return nil, fmt.Errorf("%w: no store at %s", hallpass.ErrNotFound, path)
	case err != nil:
		return nil, unavailable(ctx, "open", err)
	}
	if err := migrate(ctx, path, opts); err != nil {
		return nil, err
	}

	s := &Store{observe: opts.Observe}
	if s.writes, err = newWriter(ctx, dsn(path, opts, false)); err != nil {
		return nil, unavailable(ctx, "open", err)
	}
	s.group = group.New(groupLimit, s.runGroup)
	if s.reads, err = sql.Open("sqlite", dsn(path, opts, true)); err != nil {
		s.writes.close()
		return nil, unavailable(ctx, "open", err)
	}
	s.reads.SetMaxOpenConns(opts.Readers)
	s.reads.SetMaxIdleConns(opts.Readers)
	if err := s.makeIndexes(ctx, opts.Indexes); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// create makes an empty file unless there is one. SQLite gives the files it puts
// beside it the same mode, so nobody else can read any of them.
func create(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	switch {
	case os.IsExist(err):
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Size() == 0 {
			return os.Chmod(path, 0o600) // touched by somebody, ours from now on
		}
		return nil
	case os.IsNotExist(err):
		return &fs.PathError{Op: "create", Path: path, Err: fmt.Errorf("no such folder")}
	case err != nil:
		return err
	}
	return f.Close()
}

// dsn names the file and everything that must hold on each connection to it.
// The journal mode is the file's own and set when it is migrated.
func dsn(path string, opts Options, readOnly bool) string {
	slashed := filepath.ToSlash(path)
	if slashed[0] != '/' {
		slashed = "/" + slashed // C:/store.db
	}
	v := url.Values{
		"mode":          {"rw"}, // a file that has gone is not made anew
		"_txlock":       {"immediate"},
		"_busy_timeout": {strconv.FormatInt(opts.BusyTimeout.Milliseconds(), 10)},
		"_synchronous":  {"FULL"},
		"_defensive":    {"1"},
		"_dqs":          {"0"},
	}
	if readOnly {
		v.Set("_query_only", "1")
	} else {
		v.Set("_pragma", "cache_size(-16384)")
	}
	return "file:" + (&url.URL{Path: slashed}).EscapedPath() + "?" + v.Encode()
}

// CheckSchema says whether the file still has the schema this program writes: a
// newer hallpass may have migrated it meanwhile. Its error wraps
// hallpass.ErrUnavailable.
func (s *Store) CheckSchema(ctx context.Context) error {
	version, err := schemaVersion(ctx, s.reads)
	if err != nil {
		return unavailable(ctx, "schema", err)
	}
	if version != SchemaVersion {
		return fmt.Errorf("%w: the store has schema %d, this program writes %d", hallpass.ErrUnavailable, version, SchemaVersion)
	}
	return nil
}

// Close finishes the writes that were begun and closes the file. Later calls
// fail with an error that wraps hallpass.ErrUnavailable.
func (s *Store) Close() error {
	s.group.Close()
	err := s.reads.Close()
	if closing := s.writes.close(); closing != nil {
		err = closing
	}
	return err
}
