package sqlitestore

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/hallpass-go/hallpass"
)

// SchemaVersion is the number of the newest migration in this program.
const SchemaVersion = 2

// applicationID marks a file as hallpass's; the first migration sets it.
const applicationID = 0x68616c6c

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the file to SchemaVersion, as far as opts allow it.
//
// Several processes may do this at once. An empty file is taken over by one of
// them until all its tables are there, so that none of the others sees a file
// that is half made and takes it for an old one. An old file stays readable: goose
// takes no lock on SQLite, but each migration is one transaction that records its
// number, and a number can be recorded once. Whoever comes second fails, changes
// nothing, and looks again.
func migrate(ctx context.Context, path string, opts Options) error {
	db, err := sql.Open("sqlite", dsn(path, opts, false))
	if err != nil {
		return unavailable(ctx, "open", err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)

	deadline := time.Now().Add(opts.BusyTimeout)
	alone := false
	for {
		version, err := schemaVersion(ctx, db)
		switch {
		case err != nil:
		case version == SchemaVersion:
			return nil
		case version > SchemaVersion:
			return fmt.Errorf("%w: %s has schema %d, made by a newer hallpass; this one knows up to %d",
				hallpass.ErrUnavailable, path, version, SchemaVersion)
		case version < 0:
			return fmt.Errorf("%w: %s is the database of another program", hallpass.ErrUnavailable, path)
		case version == 0 && !opts.Create:
			return fmt.Errorf("%w: %s is empty, not a store", hallpass.ErrNotFound, path)
		case version > 0 && !opts.Migrate:
			return fmt.Errorf("%w: %s has schema %d and needs %d; run hallpass migrate",
				hallpass.ErrUnavailable, path, version, SchemaVersion)
		case version == 0 && !alone:
			err = takeOver(ctx, db)
			alone = err == nil
		default:
			err = up(ctx, db)
		}
		if err == nil {
			continue
		}
		if ctx.Err() != nil || time.Now().After(deadline) || !(isBusy(err) || isOneItemsFault(err)) {
			return unavailable(ctx, "migrate "+path, err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// schemaVersion reads the number of the newest migration that was run: 0 in an
// empty file, -1 in a file of another program.
func schemaVersion(ctx context.Context, db *sql.DB) (version int64, err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	// One reading transaction, so that another process's migration is seen whole or
	// not at all. BeginTx would take the write lock.
	if _, err := conn.ExecContext(ctx, `BEGIN DEFERRED`); err != nil {
		return 0, err
	}
	defer conn.ExecContext(context.WithoutCancel(ctx), `ROLLBACK`)
	var id, tables int64
	if err := conn.QueryRowContext(ctx, `PRAGMA application_id`).Scan(&id); err != nil {
		return 0, err
	}
	if id == applicationID {
		err = conn.QueryRowContext(ctx, `SELECT max(version_id) FROM goose_db_version WHERE is_applied`).Scan(&version)
		return version, err
	}
	// goose makes its own table before it runs the first migration.
	err = conn.QueryRowContext(ctx,
		`SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE 'sqlite!_%' ESCAPE '!' AND name <> 'goose_db_version'`).Scan(&tables)
	if err == nil && (tables > 0 || id != 0) {
		version = -1
	}
	return version, err
}

// takeOver shuts everybody else out of an empty file until db, which has one
// connection, is closed; they wait as for any other writer.
func takeOver(ctx context.Context, db *sql.DB) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, `BEGIN EXCLUSIVE`); err != nil {
		return err
	}
	// Only a connection that has the lock may decide to keep it: two that kept what
	// they need for reading would wait for each other.
	if _, err := conn.ExecContext(ctx, `PRAGMA locking_mode = EXCLUSIVE`); err != nil {
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), `ROLLBACK`)
		return err
	}
	_, err = conn.ExecContext(context.WithoutCancel(ctx), `COMMIT`)
	return err
}

func up(ctx context.Context, db *sql.DB) error {
	// The one step that ignores the busy timeout: SQLite answers at once when
	// another process is changing the mode too.
	if _, err := db.ExecContext(ctx, `PRAGMA journal_mode = WAL`); err != nil {
		return err
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true))
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
