package pgstore

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/hallpass-go/hallpass"
)

const useColumns = `u.id, u.pass, u.subject, u.at, u.client_ip, u.user_agent, u.method, u.path, u.status, u.state, u.key`

func scanUse(from pgx.CollectableRow) (use hallpass.Use, err error) {
	var at int64
	err = from.Scan(&use.ID, &use.Pass, &use.Subject, &at, &use.ClientIP, &use.UserAgent,
		&use.Method, &use.Path, &use.Status, &use.State, &use.Key)
	decodeAll(&use.ID, &use.Pass, &use.Subject, &use.ClientIP, &use.UserAgent, &use.Method, &use.Path, &use.Key)
	use.At = time.UnixMicro(at).UTC()
	return use, err
}

func eachUse(rows pgx.Rows, f func(*hallpass.Use)) error {
	found, err := pgx.CollectRows(rows, scanUse)
	for i := range found {
		f(&found[i])
	}
	return err
}

// useColumnsOf is uses as one array per column.
type useColumnsOf struct {
	ids, passes, subjects []string
	at                    []int64
	clientIPs, agents     []string
	methods, paths        []string
	statuses              []int64
	states, keys          []string
}

func (c *useColumnsOf) add(use hallpass.Use) {
	c.ids, c.passes = append(c.ids, encode(use.ID)), append(c.passes, encode(use.Pass))
	c.subjects, c.at = append(c.subjects, encode(use.Subject)), append(c.at, use.At.UnixMicro())
	c.clientIPs, c.agents = append(c.clientIPs, encode(use.ClientIP)), append(c.agents, encode(use.UserAgent))
	c.methods, c.paths = append(c.methods, encode(use.Method)), append(c.paths, encode(use.Path))
	c.statuses = append(c.statuses, int64(use.Status))
	c.states, c.keys = append(c.states, string(use.State)), append(c.keys, encode(use.Key))
}

const insertUsesText = `INSERT INTO hallpass_uses (id, pass, subject, at, client_ip, user_agent, method, path, status, state, key)
	SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[],
		$9::bigint[], $10::text[], $11::text[])`

func (c *useColumnsOf) args() []any {
	return []any{
		c.ids, c.passes, c.subjects, c.at, c.clientIPs, c.agents, c.methods, c.paths, c.statuses, c.states, c.keys,
	}
}

// insertUses queues the uses and their keys. A use id that is there already makes
// the transaction fail: only the next one looks for it. A key that is there holds a
// use that has gone: the lock of the pass lets nobody else take it.
func insertUses(b *pgx.Batch, uses []hallpass.Use) {
	if len(uses) == 0 {
		return
	}
	var all, keyed useColumnsOf
	for _, use := range uses {
		all.add(use)
		if use.Key != "" {
			keyed.add(use)
		}
	}
	b.Queue(insertUsesText, all.args()...)
	if len(keyed.ids) > 0 {
		b.Queue(`INSERT INTO hallpass_use_keys (pass, key, use) SELECT * FROM unnest($1::text[], $2::text[], $3::text[])
			ON CONFLICT (pass, key) DO UPDATE SET use = excluded.use`, keyed.passes, keyed.keys, keyed.ids)
	}
}

// Uses implements hallpass.PassStore.
func (s *Store) Uses(ctx context.Context, q hallpass.UseQuery) ([]hallpass.Use, error) {
	where, args := "true", []any{q.Limit}
	for _, filter := range []struct{ condition, value string }{
		{" AND u.pass = $%d", q.Pass},
		{" AND u.id < $%d", q.After},
	} {
		if filter.value != "" {
			args = append(args, encode(filter.value))
			where += fmt.Sprintf(filter.condition, len(args))
		}
	}
	found, err := collect(ctx, s, scanUse,
		`SELECT `+useColumns+` FROM hallpass_uses AS u WHERE `+where+` ORDER BY u.id DESC LIMIT $1`, args...)
	return found, unavailable(ctx, "list uses", err)
}
