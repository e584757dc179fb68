package pgstore

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/hallpass-go/hallpass"
)

// SchemaVersion is the number of the newest migration in this program.
const SchemaVersion = 2

//go:embed migrations/*.sql
var migrations embed.FS

// versionTable is where the migrations that were run are written down.
const versionTable = "hallpass_schema"

// lockNumber is of the advisory lock under which tables are made: "hall".
const lockNumber = 0x68616c6c

// migrateTimeout bounds the waiting for another process that migrates.
const migrateTimeout = 5 * time.Minute

// migrate brings the schema to SchemaVersion, as far as the options allow it, and
// reports whether it made the tables. An advisory lock lets one process at a time do
// this; the others find the work done.
func (s *Store) migrate(ctx context.Context) (created bool, err error) {
	config := s.dsn.pool.ConnConfig.Copy()
	config.OnNotice = nil
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return false, unavailable(ctx, "open", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	version, err := schemaVersion(ctx, conn)
	if err == nil && version == SchemaVersion {
		return false, nil // the usual case takes no lock
	}
	if err != nil {
		return false, unavailable(ctx, "read the schema's version", err)
	}
	switch {
	case version > SchemaVersion:
		return false, fmt.Errorf("%w: the tables have schema %d, made by a newer hallpass; this one knows up to %d",
			hallpass.ErrUnavailable, version, SchemaVersion)
	case version == 0 && !s.opts.Create:
		return false, fmt.Errorf("%w: there are no hallpass tables in %s", hallpass.ErrNotFound, s.dsn.name())
	case version > 0 && !s.opts.Migrate:
		return false, fmt.Errorf("%w: the tables have schema %d and need %d; run hallpass migrate",
			hallpass.ErrUnavailable, version, SchemaVersion)
	}
	limited, cancel := context.WithTimeout(ctx, migrateTimeout)
	defer cancel()
	created, err = s.migrateLocked(limited, conn)
	return created, unavailable(ctx, "migrate", err)
}

func (s *Store) migrateLocked(ctx context.Context, conn *pgx.Conn) (created bool, err error) {
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock($1, hashtext($2))`, lockNumber, s.dsn.schema); err != nil {
		return false, err
	}
	if s.dsn.schema != "" && s.opts.Create {
		if _, err := conn.Exec(ctx, `CREATE SCHEMA IF NOT EXISTS `+pgx.Identifier{s.dsn.schema}.Sanitize()); err != nil {
			return false, err
		}
	}
	version, err := schemaVersion(ctx, conn)
	if err != nil || version >= SchemaVersion {
		return false, err
	}
	if err := s.up(ctx); err != nil {
		return false, err
	}
	return version == 0, ensurePartitions(ctx, conn, time.Now())
}

// schemaVersion reads the number of the newest migration that was run, 0 where
// there are no tables.
func schemaVersion(ctx context.Context, conn *pgx.Conn) (version int64, err error) {
	var there bool
	err = conn.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM pg_tables
		WHERE schemaname = current_schema() AND tablename = $1)`, versionTable).Scan(&there)
	if err != nil || !there {
		return 0, err
	}
	err = conn.QueryRow(ctx, `SELECT coalesce(max(version_id), 0) FROM `+versionTable+` WHERE is_applied`).Scan(&version)
	return version, err
}

// up runs the migrations, each in a transaction of its own.
func (s *Store) up(ctx context.Context) error {
	config := s.dsn.pool.ConnConfig.Copy()
	config.OnNotice = nil
	db := stdlib.OpenDB(*config)
	defer db.Close()
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files,
		goose.WithTableName(versionTable), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	var partial *goose.PartialError
	if errors.As(err, &partial) {
		return partial.Err
	}
	return err
}
