package pgstore

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/hallpass-go/hallpass"
)

var _ hallpass.EventStore = (*Store)(nil)

// Events have no partitions: they are bounded where they are noted, leave oldest
// first, and an hour of them is a few chunks.

const eventColumns = `id, at, kind, pass, scope, subject, batch, reason, actor, action, detail, client_ip, user_agent, method, path`

// texts are an event's columns but for its time, in their order.
func texts(e *hallpass.Event) []*string {
	return []*string{
		&e.ID, (*string)(&e.Kind), &e.Pass, (*string)(&e.Scope), &e.Subject, &e.Batch, (*string)(&e.Reason), &e.Actor,
		&e.Action, &e.Detail, &e.ClientIP, &e.UserAgent, &e.Method, &e.Path,
	}
}

func scanEvent(from pgx.CollectableRow) (e hallpass.Event, err error) {
	var at int64
	columns := texts(&e)
	to := []any{columns[0], &at}
	for _, column := range columns[1:] {
		to = append(to, column)
	}
	err = from.Scan(to...)
	decodeAll(columns...)
	e.At = time.UnixMicro(at).UTC()
	return e, err
}

// eventArgs are events as one array per column.
func eventArgs(events []hallpass.Event) []any {
	at := make([]int64, len(events))
	columns := make([][]string, len(texts(&hallpass.Event{})))
	for i := range events {
		at[i] = micro(events[i].At).UnixMicro()
		for n, text := range texts(&events[i]) {
			columns[n] = append(columns[n], encode(*text))
		}
	}
	args := []any{columns[0], at}
	for _, column := range columns[1:] {
		args = append(args, column)
	}
	return args
}

// RecordEvents implements hallpass.EventStore, in one transaction.
func (s *Store) RecordEvents(ctx context.Context, events []hallpass.Event) error {
	if len(events) == 0 {
		return ctx.Err()
	}
	// In the order of their ids, so that no two calls wait for each other in a ring.
	sorted := slices.Clone(events)
	slices.SortStableFunc(sorted, func(a, b hallpass.Event) int { return strings.Compare(encode(a.ID), encode(b.ID)) })
	return s.alone(ctx, "record events", func(step func(*pgx.Batch) error) error {
		for chunk := range slices.Chunk(sorted, recordChunk) {
			var b pgx.Batch
			b.Queue(`INSERT INTO hallpass_events (`+eventColumns+`)
				SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
					$9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[])
				ON CONFLICT (id) DO NOTHING`, eventArgs(chunk)...)
			if err := step(&b); err != nil {
				return err
			}
		}
		return nil
	})
}

// Events implements hallpass.EventStore.
func (s *Store) Events(ctx context.Context, q hallpass.EventQuery) ([]hallpass.Event, error) {
	where, args := "id >= $2", []any{q.Limit, encode(q.From)}
	for _, filter := range []struct{ condition, value string }{
		{" AND id < $%d", q.After},
		{" AND pass = $%d AND pass <> ''", q.Pass}, // so that the partial indexes are found
		{" AND actor = $%d AND actor <> ''", q.Actor},
		{" AND reason = $%d AND reason <> ''", string(q.Reason)},
		{" AND kind = $%d", string(q.Kind)},
	} {
		if filter.value != "" {
			args = append(args, encode(filter.value))
			where += fmt.Sprintf(filter.condition, len(args))
		}
	}
	found, err := collect(ctx, s, scanEvent,
		`SELECT `+eventColumns+` FROM hallpass_events WHERE `+where+` ORDER BY id DESC LIMIT $1`, args...)
	return found, unavailable(ctx, "list events", err)
}

// pruneEvents removes what a rule says. Rows are locked in the order of their ids,
// as everybody does.
func (s *Store) pruneEvents(ctx context.Context, done *int64, p hallpass.PruneRule) error {
	before := encode(p.EventsBefore)
	if p.KeepEvents > 0 {
		newest, err := collect(ctx, s, pgx.RowTo[string],
			`SELECT id FROM hallpass_events ORDER BY id DESC LIMIT 1 OFFSET $1`, p.KeepEvents-1)
		if err != nil {
			return err
		}
		if len(newest) > 0 {
			before = max(before, newest[0])
		}
	}
	if before == "" {
		return nil
	}
	return s.pruneChunks(ctx, done, `WITH due AS (SELECT id FROM hallpass_events WHERE id < $1 ORDER BY id LIMIT $2 FOR UPDATE),
		gone AS (DELETE FROM hallpass_events AS e USING due WHERE e.id = due.id RETURNING 1)
		SELECT count(*) FROM gone`, before, pruneChunk)
}
