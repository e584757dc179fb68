package pgstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// errNoSync refuses a server that forgets what it acknowledged.
var errNoSync = errors.New("the server runs with fsync=off: after a power cut used passes would be good again")

// prepareSession makes a connection what this package needs, whatever the server's
// or the user's defaults are. Settings that the server does not know (CockroachDB
// lacks some) are passed over.
func (s *Store) prepareSession(ctx context.Context, conn *pgx.Conn) error {
	var fsync, encoding *string
	err := conn.QueryRow(ctx, `SELECT (SELECT setting FROM pg_settings WHERE name = 'fsync'),
		(SELECT setting FROM pg_settings WHERE name = 'server_encoding')`).Scan(&fsync, &encoding)
	switch {
	case err != nil:
		return err
	case fsync != nil && *fsync == "off" && !s.opts.AllowNoSync:
		return errNoSync
	case encoding != nil && *encoding != "UTF8":
		return fmt.Errorf("the database has the encoding %s, and must have UTF8", *encoding)
	}
	milliseconds := strconv.FormatInt(s.opts.Timeout.Milliseconds(), 10)
	settings := map[string]string{
		"statement_timeout": milliseconds,
		"lock_timeout":      milliseconds,
		// A process that vanished in the middle of a transaction must not keep rows
		// locked until TCP notices.
		"idle_in_transaction_session_timeout": milliseconds,
		"client_encoding":                     "UTF8",
		// Every statement here finds few rows by key. Plans made while the tables
		// were empty would read them whole when they no longer are.
		"enable_seqscan":   "off",
		"enable_hashjoin":  "off",
		"enable_mergejoin": "off",
		"jit":              "off",
		// One plan serves all of them, and making one takes longer than running it.
		"plan_cache_mode": "force_generic_plan",
	}
	var names, values []string
	for name, value := range settings {
		names, values = append(names, name), append(values, value)
	}
	// synchronous_commit stays as the server has it, except off: that can be
	// corrected for ourselves alone.
	_, err = conn.Exec(ctx, `SELECT set_config(v.name, v.value, false)
		FROM unnest($1::text[], $2::text[]) AS v (name, value) JOIN pg_settings AS p ON p.name = v.name
		UNION ALL SELECT set_config(name, 'on', false) FROM pg_settings WHERE name = 'synchronous_commit' AND setting = 'off'`,
		names, values)
	return err
}

// unreplicated is where a connection keeps that its commit was not waited for.
const unreplicated = "hallpass.unreplicated"

// noticeUnreplicated sees the server give up waiting for a synchronous standby. The
// commit then succeeds with a warning, although a failover would lose it.
func noticeUnreplicated(conn *pgconn.PgConn, n *pgconn.Notice) {
	if n.Routine == "SyncRepWaitForLSN" {
		conn.CustomData()[unreplicated] = true
	}
}

// query runs a read on a connection, again on another one where the first had been
// lost meanwhile: a read may run twice.
func (s *Store) query(ctx context.Context, f func(conn *pgxpool.Conn) error) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.leave()
	select {
	case s.reads <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.reads }()
	deadline := time.Now().Add(s.opts.Timeout)
	for try := 0; ; try++ {
		err := s.use(ctx, f)
		if !isLost(err) || isClosed(err) || ctx.Err() != nil {
			return err
		}
		if isCrowded(err) && time.Now().Before(deadline) {
			pause(try)
			continue
		}
		s.pool.Reset() // the others will be dead too
		if isConnectFailure(err) || time.Now().After(deadline) {
			s.breaker.open()
			return err
		}
	}
}

// use lends f a connection.
func (s *Store) use(ctx context.Context, f func(conn *pgxpool.Conn) error) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return &connectFailure{err}
	}
	defer conn.Release()
	return f(conn)
}

// enter admits a call unless the server is known to be away, or too many wait.
func (s *Store) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.breaker.check(); err != nil {
		return err
	}
	if s.waiting.Add(1) > int64(s.opts.QueueLimit) {
		s.waiting.Add(-1)
		return errFull
	}
	return nil
}

func (s *Store) leave() { s.waiting.Add(-1) }

// ping is the breaker's probe.
func (s *Store) ping(ctx context.Context) error {
	return s.use(ctx, func(conn *pgxpool.Conn) error { return conn.Ping(ctx) })
}

// collect scans all rows.
func collect[T any](ctx context.Context, s *Store, scan func(pgx.CollectableRow) (T, error), text string, args ...any) (all []T, err error) {
	caller := ctx
	ctx, cancel := context.WithTimeout(caller, s.opts.Timeout+time.Second)
	defer cancel()
	err = s.query(ctx, func(conn *pgxpool.Conn) error {
		rows, err := conn.Query(ctx, text, args...)
		if err != nil {
			return err
		}
		all, err = pgx.AppendRows(all[:0], rows, scan)
		return err
	})
	if err != nil && pgconn.Timeout(err) && caller.Err() == nil {
		// The server's own timeout comes before this one, unless it does not answer.
		s.breaker.open()
	}
	return all, err
}
