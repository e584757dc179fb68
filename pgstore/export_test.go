package pgstore

import (
	"io"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Setting reads a setting as the store's own connections have it.
func Setting(t *testing.T, s *Store, name string) (value string) {
	t.Helper()
	if err := s.query(t.Context(), func(conn *pgxpool.Conn) error {
		return conn.QueryRow(t.Context(), `SELECT current_setting($1)`, name).Scan(&value)
	}); err != nil {
		t.Fatal(err)
	}
	return value
}

// PartitionOf names the table of a moment's uses.
func PartitionOf(at time.Time) string { return partitionName(weekOf(at)) }

// PartitionSpan is how long the uses of one table are.
const PartitionSpan = partitionSpan

// Backends is the server's processes of the connections that are idle in the pool.
func Backends(t *testing.T, s *Store) map[uint32]bool {
	t.Helper()
	pids := map[uint32]bool{}
	for _, conn := range s.pool.AcquireAllIdle(t.Context()) {
		pids[conn.Conn().PgConn().PID()] = true
		conn.Release()
	}
	return pids
}

// ErrorOfAConnection is what became of a connection, and what is made of it.
type ErrorOfAConnection struct {
	Err            error
	Lost, WantLost bool
}

// ErrorsOfAConnection makes errors of the driver and the server as they really are.
func ErrorsOfAConnection(t *testing.T, dsn string) map[string]ErrorOfAConnection {
	t.Helper()
	s, err := Open(t.Context(), dsn, &Options{Create: true, MaxConns: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	made := map[string]ErrorOfAConnection{"the end of a stream": {io.ErrUnexpectedEOF, isLost(io.ErrUnexpectedEOF), true}}
	for name, tt := range map[string]struct {
		lost bool
		make func(conn *pgx.Conn) error
	}{
		"a value that does not fit": {false, func(conn *pgx.Conn) error {
			var n int8
			return conn.QueryRow(t.Context(), `SELECT 1000`).Scan(&n)
		}},
		"an argument that cannot be sent": {false, func(conn *pgx.Conn) error {
			return conn.QueryRow(t.Context(), `SELECT $1::bigint`, struct{}{}).Scan(new(int64))
		}},
		"an argument that cannot be sent, after a statement that can": {false, func(conn *pgx.Conn) error {
			var b pgx.Batch
			b.Queue(`SELECT 1`)
			b.Queue(`SELECT $1::bigint`, struct{}{})
			return conn.SendBatch(t.Context(), &b).Close()
		}},
		"an answer of the server": {false, func(conn *pgx.Conn) error {
			_, err := conn.Exec(t.Context(), `SELECT 1/0`)
			return err
		}},
		"a socket that is closed": {true, func(conn *pgx.Conn) error {
			conn.PgConn().Conn().Close()
			_, err := conn.Exec(t.Context(), `SELECT 1`)
			return err
		}},
		"a backend that was ended": {true, func(conn *pgx.Conn) error {
			_, err := conn.Exec(t.Context(), `SELECT pg_terminate_backend(pg_backend_pid())`)
			return err
		}},
		"a commit that became something else": {true, func(*pgx.Conn) error { return errNoCommit }},
		"an outcome that could not be read": {true, func(conn *pgx.Conn) error {
			var b pgx.Batch
			b.Queue(`SELECT 1000`).QueryRow(func(r pgx.Row) error { return r.Scan(new(int8)) })
			tx := transaction{ctx: t.Context(), conn: conn}
			if err := tx.read(&pgx.Batch{}); err != nil {
				return nil
			}
			return tx.commit(&b)
		}},
	} {
		err := s.use(t.Context(), func(conn *pgxpool.Conn) error { return tt.make(conn.Conn()) })
		made[name] = ErrorOfAConnection{err, isLost(err), tt.lost}
	}
	s.pool.Close()
	err = s.use(t.Context(), func(*pgxpool.Conn) error { return nil })
	made["no connection"] = ErrorOfAConnection{err, isLost(err), true}
	return made
}
