// Package redisstore keeps passes, uses and cells in Redis 6.2 or newer, or in
// Valkey: one server, or a Redis Cluster.
//
// Each step is one script on one hash slot, so of all callers in all processes
// exactly MaxUses win. How durable a step is when its method returns is the
// server's doing: Open refuses a server that does not write each command to its
// disk (appendfsync always) unless it is told otherwise, and what a failover to a
// replica can lose is written in docs/redis.md.
//
// No server's clock decides anything, and nothing that the contract keeps has a
// time to live: what is over is removed by Prune, by the caller's clock.
package redisstore

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"github.com/hallpass-go/hallpass"
)

// Options is how to open a store. Nil and the zero value open an existing one.
type Options struct {
	// Create makes the store where there is none. Without it an empty server is an
	// error that wraps hallpass.ErrNotFound.
	Create bool
	// Logger is told when a server is not as durable as it should be. Defaults to
	// slog.Default.
	Logger *slog.Logger
}

// Store is a hallpass.Store in Redis. Its methods may be called from any number of
// goroutines.
type Store struct {
	client   rueidis.Client
	cfg      config
	keys     keys
	logger   *slog.Logger
	cluster  bool
	sharded  bool // the cluster can call out to those who follow a slot
	admitted chan struct{}
	breakers [breakerCount]breaker
	groups   groupNames
	created  bool
	// maxEvents is how many events may be kept; a test has fewer.
	maxEvents int
	closing   atomic.Bool
	// done ends what Wake waits for.
	done chan struct{}
	once sync.Once
}

var (
	_ hallpass.Store       = (*Store)(nil)
	_ hallpass.Waker       = (*Store)(nil)
	_ hallpass.History     = (*Store)(nil)
	_ hallpass.NewestCells = (*Store)(nil)
)

// maxCallers is how many calls may wait for the server at a time. The next ones
// wait for a place, in memory that is theirs already.
const maxCallers = 10_000

// Open opens the store that a DSN names:
//
//	redis://[user:password@]host[:port][,host[:port]…][/db][?setting=value&…]
//
// rediss:// is the same over TLS. The settings are
//
//	cluster     yes, no, or auto (the default): ask the server
//	prefix      before every key, "hallpass:" by default
//	timeout     after which a call is an ErrUnavailable, "3s" by default
//	durability  always (the default): refuse a server that does not write each
//	            command to its disk; relaxed: warn
//	replicas    how many replicas must have a write before it counts, 0 by default
//	tls_ca, tls_cert, tls_key   files in PEM
//	tls_name    the name in the server's certificate
//
// A server older than 6.2, or one that may throw keys away (maxmemory-policy), is
// refused. An error is a *hallpass.FieldError with field "store", or wraps
// hallpass.ErrNotFound or hallpass.ErrUnavailable. None repeats the DSN.
func Open(ctx context.Context, dsn string, options *Options) (*Store, error) {
	cfg, err := parseDSN(dsn)
	if err != nil {
		return nil, err
	}
	opts := Options{}
	if options != nil {
		opts = *options
	}
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	client, err := cfg.connect(ctx)
	if err != nil {
		return nil, err
	}
	s := &Store{
		client: client, cfg: cfg, keys: keys{cfg.prefix}, logger: opts.Logger,
		cluster:   client.Mode() == rueidis.ClientModeCluster,
		maxEvents: maxEvents,
		admitted:  make(chan struct{}, maxCallers), done: make(chan struct{}),
	}
	if err := s.start(ctx, opts); err != nil {
		client.Close()
		return nil, err
	}
	return s, nil
}

// start checks the servers and the layout of what is in them.
func (s *Store) start(ctx context.Context, opts Options) error {
	ctx, cancel := context.WithTimeout(ctx, max(s.cfg.timeout, time.Second))
	defer cancel()
	servers, err := s.inspect(ctx)
	if err != nil {
		return err
	}
	if err := s.judge(servers); err != nil {
		return err
	}
	s.sharded = s.cluster
	for _, server := range servers {
		s.sharded = s.sharded && server.major >= 7
	}
	return s.checkLayout(ctx, opts.Create)
}

// Name says where the store is, for people: "Redis at HOST:PORT". It has no password
// in it.
func (s *Store) Name() string {
	kind := "Redis"
	if s.cluster {
		kind = "the Redis Cluster"
	}
	return kind + " at " + strings.Join(s.cfg.addrs, ", ")
}

// Created reports whether Open made the store.
func (s *Store) Created() bool { return s.created }

// Close ends the connections. Calls that have not ended by then, and later ones,
// fail with an error that wraps hallpass.ErrUnavailable.
func (s *Store) Close() error {
	s.once.Do(func() {
		s.closing.Store(true)
		close(s.done)
		s.client.Close()
	})
	return nil
}
