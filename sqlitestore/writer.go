package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

var errClosed = errors.New("the store is closed")

// writer is the one connection of this process that writes.
type writer struct {
	db   *sql.DB
	conn *sql.Conn
	// turn holds one token; whoever has it owns conn and statements.
	turn       chan struct{}
	statements map[string]*sql.Stmt
	closed     chan struct{}
	close      func() error
}

func newWriter(ctx context.Context, dsn string) (*writer, error) {
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		db.Close()
		return nil, err
	}
	w := &writer{
		db: db, conn: conn, turn: make(chan struct{}, 1),
		statements: make(map[string]*sql.Stmt), closed: make(chan struct{}),
	}
	w.turn <- struct{}{}
	w.close = sync.OnceValue(func() error {
		close(w.closed)
		<-w.turn // of the last transaction; it is never given back
		for _, s := range w.statements {
			s.Close()
		}
		w.conn.Close()
		return w.db.Close()
	})
	return w, nil
}

// transact runs f in a transaction that holds SQLite's write lock from the
// start, so what f reads cannot change before it is committed. It commits if f
// returns nil and ctx has not ended by then; after that ctx is not looked at, so
// an error means that nothing was written.
func (w *writer) transact(ctx context.Context, f func(tx *writeTx) error) (err error) {
	select {
	case <-w.turn:
	case <-w.closed:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { w.turn <- struct{}{} }()
	tx := &writeTx{ctx: ctx, w: w}
	committed := false
	defer func() {
		if !committed {
			// Also when f panics, and when BEGIN itself fails: a context that ends
			// while it runs makes it report an error although the transaction is open,
			// and an open one would stop every writer. SQLite may have rolled back by
			// itself.
			w.conn.ExecContext(context.WithoutCancel(ctx), `ROLLBACK`)
		}
	}()
	if err := tx.exec(`BEGIN IMMEDIATE`); err != nil {
		return err
	}
	if err := f(tx); err != nil {
		return err
	}
	if tx.versionMoved {
		if err := tx.exec(`UPDATE cell_version SET version = ?`, tx.version); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	tx.ctx = context.WithoutCancel(ctx)
	if err := tx.exec(`COMMIT`); err != nil {
		return err
	}
	committed = true
	return nil
}

// writeTx is an open transaction. It belongs to one goroutine.
type writeTx struct {
	ctx context.Context
	w   *writer
	// version is the newest cell's, read when a cell is first written and kept back
	// until all of them are: it is one row that every cell's write would touch.
	version      int64
	versionMoved bool
}

// statement returns the text prepared. Texts are constants, so there are few.
func (tx *writeTx) statement(text string) (*sql.Stmt, error) {
	if s, ok := tx.w.statements[text]; ok {
		return s, nil
	}
	s, err := tx.w.conn.PrepareContext(tx.ctx, text)
	if err == nil {
		tx.w.statements[text] = s
	}
	return s, err
}

func (tx *writeTx) exec(text string, args ...any) error {
	s, err := tx.statement(text)
	if err == nil {
		_, err = s.ExecContext(tx.ctx, args...)
	}
	return err
}

// count is exec for those who want to know how many rows changed.
func (tx *writeTx) count(text string, args ...any) (int64, error) {
	s, err := tx.statement(text)
	if err != nil {
		return 0, err
	}
	result, err := s.ExecContext(tx.ctx, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (tx *writeTx) query(text string, args ...any) (*sql.Rows, error) {
	s, err := tx.statement(text)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(tx.ctx, args...)
}

// collect scans all rows and closes them.
func collect[T any](rows *sql.Rows, err error, scan func(*sql.Rows) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}
