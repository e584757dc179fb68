package djangoimport

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver "pgx"
	_ "modernc.org/sqlite"             // registers the driver "sqlite"

	"github.com/hallpass-go/hallpass"
)

// source is a Django database, read in one transaction: what is read belongs
// together, however long the import takes and whatever Django writes meanwhile.
// Every column comes as text, because SQLite lets any column hold anything.
type source struct {
	db   *sql.DB
	conn *sql.Conn
	dialect
	// users is the table that the tokens' users stand in, empty where nobody knows;
	// active says that it tells who is active.
	users, userID string
	active        bool
}

// dialect is what the databases say differently.
type dialect struct {
	text     string // casts a column to text
	whole    string // says that a column holds a whole number
	begin    string
	wanted   string // makes rows w.value of a list of pairs, each itself a list
	pair     [2]string
	address  string // a column of addresses as text
	postgres bool
}

var (
	sqliteDialect = dialect{
		text: "CAST(%s AS TEXT)", whole: "typeof(%s) = 'integer'", begin: "BEGIN", wanted: "json_each(?1) AS w",
		pair: [2]string{"w.value ->> 0", "w.value ->> 1"}, address: "CAST(%s AS TEXT)",
	}
	postgresDialect = dialect{
		// Its columns have a type, which checkColumns looks at.
		text: "CAST(%s AS TEXT)", whole: "%s IS NOT NULL", begin: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
		wanted: "json_array_elements(CAST(?1 AS json)) AS w(value)",
		pair:   [2]string{"CAST(w.value ->> 0 AS bigint)", "CAST(w.value ->> 1 AS bigint)"},
		// An inet may show its prefix length.
		address: "split_part(CAST(%s AS TEXT), '/', 1)", postgres: true,
	}
)

// openSource opens the database that a DSN names, for reading alone. Its errors
// never repeat the DSN, which may hold a password.
func openSource(ctx context.Context, dsn string) (*source, error) {
	driver, name, d, err := parseSource(dsn)
	if err != nil {
		return nil, err
	}
	db, err := sql.Open(driver, name)
	if err != nil {
		return nil, fromError("is no address of a database")
	}
	s := &source{db: db, dialect: d}
	if s.conn, err = db.Conn(ctx); err == nil {
		err = s.begin(ctx)
	}
	if err != nil {
		s.close()
		if no, ok := errors.AsType[*pgconn.PgError](err); ok && no.Code == "3D000" {
			return nil, fromError("names a database that the server does not have")
		}
		return nil, unreadable(ctx, "the Django database cannot be opened", err)
	}
	if err := s.check(ctx); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func parseSource(dsn string) (driver, name string, d dialect, err error) {
	scheme, path, _ := strings.Cut(dsn, ":")
	switch {
	case strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://"):
		// What the parser says may repeat what it was given.
		if _, err := pgx.ParseConfig(dsn); err != nil {
			return "", "", d, fromError("is no address of the form postgres://USER@HOST/DATABASE")
		}
		return "pgx", dsn, postgresDialect, nil
	case scheme != "sqlite" || path == "" || path == ":memory:":
		return "", "", d, fromError("must be sqlite:PATH or postgres://USER@HOST/DATABASE")
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", "", d, fromError("there is no file %s", path)
	case err == nil && info.IsDir():
		return "", "", d, fromError("%s is a folder", path)
	case !isSQLite(path):
		return "", "", d, fromError("%s is no SQLite database", path)
	}
	if path, err = filepath.Abs(path); err != nil {
		return "", "", d, fromError("%v", err)
	}
	path = filepath.ToSlash(path)
	if path[0] != '/' {
		path = "/" + path
	}
	return "sqlite", "file:" + (&url.URL{Path: path}).EscapedPath() + "?mode=ro&_query_only=1&_busy_timeout=5000", sqliteDialect, nil
}

// isSQLite reports whether a file begins as a database does, or cannot be read, which
// is for the driver to say.
func isSQLite(path string) bool {
	file, err := os.Open(path)
	if err != nil {
		return true
	}
	defer file.Close()
	magic := make([]byte, 16)
	n, err := io.ReadFull(file, magic)
	return n == 0 && err == io.EOF || string(magic[:n]) == "SQLite format 3\x00"
}

func (s *source) begin(ctx context.Context) error {
	if s.postgres {
		// Times as text are read by parseTime. A large import waits longer for its own
		// store than a site's settings may allow a transaction.
		if _, err := s.conn.ExecContext(ctx, `SET TimeZone = 'UTC'; SET DateStyle = 'ISO';
			SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0`); err != nil {
			return err
		}
	}
	_, err := s.conn.ExecContext(ctx, s.dialect.begin)
	return err
}

func (s *source) close() {
	if s.conn != nil {
		_ = s.conn.Close()
	}
	_ = s.db.Close()
}

// check says whether this is such a database at all, and finds its users.
func (s *source) check(ctx context.Context) error {
	tables := `SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN (?1, ?2)`
	users := `SELECT "table", coalesce("to", 'id') FROM pragma_foreign_key_list('` + tokenTable + `') WHERE "from" = 'user_id'`
	active := `SELECT count(*) FROM pragma_table_info(?1) WHERE name = 'is_active'`
	if s.postgres {
		tables = `SELECT count(*) FROM (VALUES (CAST(?1 AS text)), (CAST(?2 AS text))) AS t(name) WHERE to_regclass(t.name) IS NOT NULL`
		users = `SELECT CAST(c.confrelid::regclass AS text), quote_ident(a.attname) FROM pg_constraint AS c
			JOIN pg_attribute AS a ON a.attrelid = c.confrelid AND a.attnum = c.confkey[1]
			JOIN pg_attribute AS f ON f.attrelid = c.conrelid AND f.attnum = c.conkey[1]
			WHERE c.contype = 'f' AND c.conrelid = to_regclass('` + tokenTable + `') AND f.attname = 'user_id'`
		active = `SELECT count(*) FROM pg_attribute WHERE attrelid = to_regclass(CAST(?1 AS text)) AND attname = 'is_active' AND NOT attisdropped`
	}
	var found int
	if err := s.row(ctx, tables, tokenTable, logTable).Scan(&found); err != nil {
		return unreadable(ctx, "the Django database cannot be read", err)
	}
	if found != 2 {
		return fromError("is no database of django-request-token: it has no tables %s and %s", tokenTable, logTable)
	}
	if err := s.checkColumns(ctx); err != nil {
		return err
	}
	err := s.row(ctx, users).Scan(&s.users, &s.userID)
	if err == nil {
		err = s.row(ctx, active, s.users).Scan(&found)
		s.active = found > 0
	}
	if errors.Is(err, sql.ErrNoRows) {
		err = nil // nothing says whose tokens they are
	}
	if err == nil && s.users != "" && !s.postgres {
		if err = s.row(ctx, `SELECT count(*) FROM sqlite_schema WHERE type IN ('table', 'view') AND lower(name) = lower(?1)`, s.users).Scan(&found); err == nil && found == 0 {
			return fromError("has no table %s, in which the tokens' users are", s.users)
		}
	}
	if err != nil {
		return unreadable(ctx, "the Django database cannot be read", err)
	}
	if !s.postgres && s.users != "" {
		s.users, s.userID = quote(s.users), quote(s.userID)
	}
	return nil
}

// tableColumns are those that are read.
var tableColumns = map[string][]string{
	tokenTable: {"id", "scope", "login_mode", "user_id", "data", "issued_at", "not_before_time", "expiration_time", "max_uses", "used_to_date"},
	logTable:   {"id", "token_id", "user_id", "user_agent", "status_code", "timestamp", "client_ip"},
}

func (s *source) checkColumns(ctx context.Context) error {
	text := `SELECT count(*) FROM pragma_table_info(?1) WHERE lower(name) = ?2`
	if s.postgres {
		text = `SELECT count(*) FROM pg_attribute WHERE attrelid = to_regclass(CAST(?1 AS text)) AND attname = CAST(?2 AS text) AND NOT attisdropped`
	}
	for _, table := range []string{tokenTable, logTable} {
		for _, column := range tableColumns[table] {
			var found int
			if err := s.row(ctx, text, table, column).Scan(&found); err != nil {
				return unreadable(ctx, "the Django database cannot be read", err)
			}
			if found == 0 {
				return fromError("its table %s has no column %s: no release of django-request-token that is known made it", table, column)
			}
		}
	}
	if !s.postgres {
		return nil // any column holds anything
	}
	for table, columns := range map[string][]string{tokenTable: {"id"}, logTable: {"id", "token_id"}} {
		for _, column := range columns {
			var kind string
			if err := s.row(ctx, `SELECT format_type(atttypid, NULL) FROM pg_attribute
				WHERE attrelid = to_regclass(CAST(?1 AS text)) AND attname = CAST(?2 AS text)`, table, column).Scan(&kind); err != nil {
				return unreadable(ctx, "the Django database cannot be read", err)
			}
			if kind != "smallint" && kind != "integer" && kind != "bigint" {
				return fromError("the column %s of its table %s is of the type %s, and ids are whole numbers", column, table, kind)
			}
		}
	}
	return nil
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

const (
	tokenTable = "request_token_requesttoken"
	logTable   = "request_token_requesttokenlog"
)

// nextID returns the lowest id from one on.
func (s *source) nextID(ctx context.Context, from int64) (id int64, found bool, err error) {
	var least sql.NullInt64
	err = s.row(ctx, `SELECT min(id) FROM `+tokenTable+` WHERE `+s.isWhole("id")+` AND id >= CAST(?1 AS bigint)`, from).Scan(&least)
	return least.Int64, least.Valid, unreadable(ctx, "the tokens cannot be read", err)
}

func (s *source) isWhole(column string) string { return fmt.Sprintf(s.whole, column) }

// unnamed calls yield with the id, as text, of each token whose id is no whole number.
// Tables that were copied by hand may have lost their primary key.
func (s *source) unnamed(ctx context.Context, yield func(id sql.NullString)) error {
	rows, err := s.query(ctx, `SELECT `+fmt.Sprintf("substr("+s.text+", 1, 40)", "id")+` FROM `+tokenTable+` WHERE NOT (`+s.isWhole("id")+`)`)
	if err != nil {
		return unreadable(ctx, "the tokens cannot be read", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id sql.NullString
		if err := rows.Scan(&id); err != nil {
			return unreadable(ctx, "the tokens cannot be read", err)
		}
		yield(id)
	}
	return unreadable(ctx, "the tokens cannot be read", rows.Err())
}

// tokens reads the rows with ids from first to last, one for each id.
func (s *source) tokens(ctx context.Context, first, last int64) ([]tokenRow, error) {
	join, active, gone := "", "NULL", "0"
	if s.users != "" {
		join = " LEFT JOIN " + s.users + " AS u ON u." + s.userID + " = t.user_id"
		gone = "CASE WHEN t.user_id IS NOT NULL AND u." + s.userID + " IS NULL THEN 1 ELSE 0 END"
	}
	if s.active {
		active = "u.is_active"
	}
	// Enough of the data shows that they are too many.
	data := "substr(CAST(t.data AS TEXT), 1, " + strconv.Itoa(maxData+1) + ")"
	columns := s.cast("t.id", "t.scope", "t.login_mode", "t.user_id", data, "t.issued_at", "t.not_before_time",
		"t.expiration_time", "t.max_uses", "t.used_to_date", active,
		"(SELECT count(*) FROM "+logTable+" AS l WHERE l.token_id = t.id)",
		"(SELECT max(l.id) FROM "+logTable+" AS l WHERE l.token_id = t.id)", gone)
	rows, err := s.query(ctx, `SELECT `+columns+` FROM `+tokenTable+` AS t`+join+`
		WHERE `+s.isWhole("t.id")+` AND t.id >= CAST(?1 AS bigint) AND t.id <= CAST(?2 AS bigint) ORDER BY t.id`, first, last)
	if err != nil {
		return nil, unreadable(ctx, "the tokens cannot be read", err)
	}
	defer rows.Close()
	var all []tokenRow
	for rows.Next() {
		var t [14]sql.NullString
		if err := scan(rows, t[:]); err != nil {
			return nil, unreadable(ctx, "the tokens cannot be read", err)
		}
		row := newTokenRow(t)
		if last := len(all) - 1; last >= 0 && all[last].id == row.id {
			all[last].wrong, all[last].uncounted = "several rows have this id", true
			continue
		}
		all = append(all, row)
	}
	return all, unreadable(ctx, "the tokens cannot be read", rows.Err())
}

// issued reads when the tokens with ids from first to last were issued, as the ledger
// keeps it.
func (s *source) issued(ctx context.Context, first, last int64) (map[int64]int64, error) {
	rows, err := s.query(ctx, `SELECT `+s.cast("id", "issued_at")+` FROM `+tokenTable+`
		WHERE `+s.isWhole("id")+` AND id >= CAST(?1 AS bigint) AND id <= CAST(?2 AS bigint)`, first, last)
	if err != nil {
		return nil, unreadable(ctx, "the tokens cannot be read", err)
	}
	defer rows.Close()
	all := map[int64]int64{}
	for rows.Next() {
		var t [2]sql.NullString
		if err := scan(rows, t[:]); err != nil {
			return nil, unreadable(ctx, "the tokens cannot be read", err)
		}
		r := columns{}
		all[r.number("id", t[0])] = micros(r.time("issued_at", t[1]))
	}
	return all, unreadable(ctx, "the tokens cannot be read", rows.Err())
}

// wantedLogs asks for a token's log rows above an id.
type wantedLogs struct{ token, after int64 }

// logs calls yield for the wanted log rows, token by token, in the order of their
// ids.
func (s *source) logs(ctx context.Context, wanted []wantedLogs, yield func(logRow) error) error {
	pairs := make([][2]int64, len(wanted))
	for i, w := range wanted {
		pairs[i] = [2]int64{w.token, w.after}
	}
	list, err := json.Marshal(pairs)
	if err != nil {
		return err
	}
	columns := s.cast("l.token_id", "l.id", "l.user_id", "l.user_agent", "l.status_code", "l.timestamp") + ", " +
		fmt.Sprintf(s.address, "l.client_ip")
	rows, err := s.query(ctx, `SELECT `+columns+` FROM `+s.wanted+`
		CROSS JOIN `+logTable+` AS l WHERE l.token_id = `+s.pair[0]+` AND l.id > `+s.pair[1]+`
		ORDER BY l.token_id, l.id`, string(list))
	if err != nil {
		return unreadable(ctx, "the log cannot be read", err)
	}
	defer rows.Close()
	for rows.Next() {
		var l [7]sql.NullString
		if err := scan(rows, l[:]); err != nil {
			return unreadable(ctx, "the log cannot be read", err)
		}
		if err := yield(newLogRow(l)); err != nil {
			return err
		}
	}
	return unreadable(ctx, "the log cannot be read", rows.Err())
}

func (s *source) cast(columns ...string) string {
	for i, c := range columns {
		columns[i] = fmt.Sprintf(s.text, c)
	}
	return strings.Join(columns, ", ")
}

func (s *source) query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	return s.conn.QueryContext(ctx, s.placed(text), args...)
}

func (s *source) row(ctx context.Context, text string, args ...any) *sql.Row {
	return s.conn.QueryRowContext(ctx, s.placed(text), args...)
}

// placed writes the placeholders as the database wants them.
func (s *source) placed(text string) string {
	if s.postgres {
		return strings.ReplaceAll(text, "?", "$")
	}
	return text
}

func scan(rows *sql.Rows, into []sql.NullString) error {
	at := make([]any, len(into))
	for i := range into {
		at[i] = &into[i]
	}
	return rows.Scan(at...)
}

func fromError(format string, args ...any) error {
	return &hallpass.FieldError{Field: "from", Reason: fmt.Sprintf(format, args...)}
}

// unreadable marks what went wrong with the Django database as undecided.
func unreadable(ctx context.Context, what string, err error) error {
	if err == nil || ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return err
	}
	return fmt.Errorf("%w: %s: %w", hallpass.ErrUnavailable, what, err)
}
