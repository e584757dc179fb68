package pgstore

import (
	"errors"
	"io/fs"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hallpass-go/hallpass"
)

// target is what a DSN names.
type target struct {
	pool *pgxpool.Config
	// schema is the one that schema= names, empty for the user's usual one.
	schema string
}

// connectTimeout bounds one attempt to connect where the DSN does not.
const connectTimeout = 5 * time.Second

// Check says what is wrong with a DSN without opening anything: a
// *hallpass.FieldError with field "store", or nil. It never repeats the DSN.
func Check(dsn string) error {
	_, err := parse(dsn)
	return err
}

// parse reads a DSN. What pgx says about a bad one is left out: it quotes the text,
// and finds a password in it only where it can be parsed.
func parse(dsn string) (target, error) {
	bad := func(reason string) (target, error) {
		return target{}, &hallpass.FieldError{Field: "store", Reason: reason}
	}
	if strings.HasPrefix(dsn, "postgres:") || strings.HasPrefix(dsn, "postgresql:") {
		if u, err := url.Parse(dsn); err != nil || u.Opaque != "" {
			return bad("cannot be read as a PostgreSQL URL; use postgres://USER:PASSWORD@HOST:PORT/DATABASE, with %-escapes in the password")
		}
		// What is left of a password that was not escaped would be taken for a host or
		// a database, and those are printed.
		_, rest, _ := strings.Cut(dsn, "//")
		authority := rest
		if end := strings.IndexAny(rest, "/?#"); end >= 0 {
			authority = rest[:end]
		}
		if strings.Count(authority, "@") > 1 || strings.Contains(rest[len(authority):], "@") {
			return bad("has an @ where none can be; @, :, /, ?, # and % in a password, and @ in a parameter, are escaped as %40, %3A, %2F, %3F, %23 and %25")
		}
	}
	config, err := pgxpool.ParseConfig(dsn)
	var missing *fs.PathError
	if errors.As(err, &missing) {
		return bad("names a file that cannot be read: " + missing.Error())
	}
	if err != nil {
		return bad("cannot be read as a PostgreSQL URL; use postgres://USER:PASSWORD@HOST:PORT/DATABASE, with the parameters of docs/postgres.md")
	}
	to := target{pool: config}
	params := config.ConnConfig.RuntimeParams
	if schema, given := params["schema"]; given {
		delete(params, "schema")
		if schema == "" || strings.ContainsAny(schema, "\"\x00,") || params["search_path"] != "" {
			return bad("schema must be the name of one schema, and search_path is its other name")
		}
		to.schema = schema
		params["search_path"] = `"` + schema + `"`
	}
	if params["application_name"] == "" {
		params["application_name"] = "hallpass"
	}
	if config.ConnConfig.ConnectTimeout == 0 || config.ConnConfig.ConnectTimeout > time.Minute {
		config.ConnConfig.ConnectTimeout = connectTimeout
	}
	if config.ConnConfig.ValidateConnect == nil {
		// Of several hosts the one that takes writes; a standby is no store.
		config.ConnConfig.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	if !strings.Contains(dsn, "pool_max_conns") {
		config.MaxConns = defaultConns
	}
	if config.MaxConns < 2 {
		return bad("pool_max_conns must be at least 2")
	}
	return to, nil
}

// name is host and database.
func (t target) name() string {
	c := t.pool.ConnConfig
	name := "PostgreSQL at " + placeOf(&c.Config) + ", database " + c.Database
	if t.schema != "" {
		name += ", schema " + t.schema
	}
	return name
}
