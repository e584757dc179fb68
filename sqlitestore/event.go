package sqlitestore

import (
	"context"
	"database/sql"
	"strings"

	"github.com/hallpass-go/hallpass"
)

var _ hallpass.EventStore = (*Store)(nil)

const eventColumns = `id, at, kind, pass, scope, subject, batch, reason, actor, action, detail, client_ip, user_agent, method, path`

func scanEvent(rows *sql.Rows) (e hallpass.Event, err error) {
	err = rows.Scan(&e.ID, micros{&e.At}, &e.Kind, &e.Pass, &e.Scope, &e.Subject, &e.Batch, &e.Reason, &e.Actor,
		&e.Action, &e.Detail, &e.ClientIP, &e.UserAgent, &e.Method, &e.Path)
	return e, err
}

// RecordEvents implements hallpass.EventStore.
func (s *Store) RecordEvents(ctx context.Context, events []hallpass.Event) error {
	if len(events) == 0 {
		return ctx.Err()
	}
	_, err := s.do(ctx, "record events", write{step: func(tx *writeTx) error {
		for i := range events {
			e := &events[i]
			if err := tx.exec(`INSERT INTO events (`+eventColumns+`)
				VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
				e.ID, e.At.UnixMicro(), string(e.Kind), e.Pass, string(e.Scope), e.Subject, e.Batch, string(e.Reason), e.Actor,
				e.Action, e.Detail, e.ClientIP, e.UserAgent, e.Method, e.Path); err != nil {
				return err
			}
		}
		return nil
	}})
	return err
}

// Events implements hallpass.EventStore.
func (s *Store) Events(ctx context.Context, q hallpass.EventQuery) ([]hallpass.Event, error) {
	where := []string{"id >= ?"}
	args := []any{q.From}
	for _, filter := range []struct{ condition, value string }{
		{"id < ?", q.After},
		{"pass = ? AND pass <> ''", q.Pass}, // so that the partial indexes are found
		{"actor = ? AND actor <> ''", q.Actor},
		{"reason = ? AND reason <> ''", string(q.Reason)},
		{"kind = ?", string(q.Kind)},
	} {
		if filter.value != "" {
			where = append(where, filter.condition)
			args = append(args, filter.value)
		}
	}
	rows, err := s.reads.QueryContext(ctx, `SELECT `+eventColumns+` FROM events
		WHERE `+strings.Join(where, " AND ")+` ORDER BY id DESC LIMIT ?`, append(args, q.Limit)...)
	found, err := collect(rows, err, scanEvent)
	return found, unavailable(ctx, "list events", err)
}

// pruneEvents removes what a rule says.
func (s *Store) pruneEvents(ctx context.Context, done *int64, p hallpass.PruneRule) error {
	if p.EventsBefore != "" {
		if err := s.pruneChunks(ctx, done,
			`DELETE FROM events WHERE id IN (SELECT id FROM events WHERE id < ?1 ORDER BY id LIMIT ?2)`, p.EventsBefore, pruneChunk); err != nil {
			return err
		}
	}
	if p.KeepEvents <= 0 {
		return nil
	}
	return s.pruneBeyond(ctx, done, "events", p.KeepEvents)
}
