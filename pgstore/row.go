package pgstore

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hallpass-go/hallpass"
)

type (
	tagOf  = pgconn.CommandTag
	pooled = *pgxpool.Conn
)

func hash(s *Store, key string) uint64 { return maphash.String(s.seed, key) }

// row is a pass as it stands in the database.
type row struct {
	hallpass.Entry
	// exists says that it is in the database; else it is to be inserted.
	exists bool
	// changed says that it is to be saved.
	changed bool
}

// newRow is a row for a pass that has none yet.
func newRow(e hallpass.Entry) *row {
	r := &row{Entry: e}
	for _, t := range []*time.Time{&r.IssuedAt, &r.NotBefore, &r.ExpiresAt, &r.RevokedAt, &r.KeepUntil} {
		*t = micro(*t)
	}
	return r
}

// entry is the row's entry, nil where there is no row.
func (r *row) entry() *hallpass.Entry {
	if r == nil {
		return nil
	}
	return &r.Entry
}

// own returns the entry for a caller to keep, sharing no memory.
func (r *row) own() hallpass.Entry {
	e := r.Entry
	e.Data = bytes.Clone(e.Data)
	e.Grants = slices.Clone(e.Grants)
	return e
}

const rowColumns = `p.id, p.scope, p.mode, p.subject, p.data, p.grants, p.recipient, p.batch, p.target,
	p.issued_at, p.not_before, p.recorded, p.key, p.browser,
	c.max_uses, c.used, c.refunds, c.revoked_at, c.expires_at, c.keep_until`

func scanRow(from pgx.CollectableRow) (r row, err error) {
	var data, grants *string
	var issued int64
	var notBefore, revoked, expires, keep *int64
	err = from.Scan(&r.ID, &r.Scope, &r.Mode, &r.Subject, &data, &grants, &r.Recipient, &r.Batch, &r.Target,
		&issued, &notBefore, &r.Recorded, &r.Key, &r.Browser,
		&r.MaxUses, &r.Used, &r.Refunds, &revoked, &expires, &keep)
	if err != nil {
		return row{}, err
	}
	r.exists = true
	decodeAll(&r.ID, (*string)(&r.Scope), (*string)(&r.Mode), &r.Subject, &r.Recipient, &r.Batch, &r.Target, &r.Key, &r.Browser)
	r.IssuedAt, r.NotBefore = time.UnixMicro(issued).UTC(), timeOf(notBefore)
	r.RevokedAt, r.ExpiresAt, r.KeepUntil = timeOf(revoked), timeOf(expires), timeOf(keep)
	if data != nil {
		r.Data = json.RawMessage(decode(*data))
	}
	if grants != nil {
		if err := json.Unmarshal([]byte(decode(*grants)), &r.Grants); err != nil {
			// Not wrapped: a *hallpass.FieldError in it would blame the caller.
			return row{}, fmt.Errorf("the grants of pass %q cannot be read by this version: %v", r.ID, err)
		}
	}
	return r, nil
}

// lockRows queues the reading of rows, which stay locked until the transaction
// ends, in the order of their ids.
func lockRows(b *pgx.Batch, ids []string, into map[string]*row) {
	if len(ids) == 0 {
		return
	}
	b.Queue(`SELECT `+rowColumns+` FROM hallpass_counters AS c JOIN hallpass_passes AS p ON p.id = c.pass
		WHERE c.pass = ANY($1) ORDER BY c.pass FOR UPDATE OF c`, ids).Query(func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, scanRow)
		for i := range found {
			into[found[i].ID] = &found[i]
		}
		return err
	})
}

// passColumns are rows as one array per column.
type passColumns struct {
	ids, scopes, modes, subjects    []string
	data, grants                    []*string
	recipients, batches, targets    []string
	issued                          []int64
	notBefore                       []*int64
	recorded                        []bool
	keys, browsers                  []string
	maxUses, used, refunds          []int64
	revokedAt, expiresAt, keepUntil []*int64
}

func (c *passColumns) add(e *hallpass.Entry) error {
	var data, grants *string
	if len(e.Data) > 0 {
		text := encode(string(e.Data))
		data = &text
	}
	if len(e.Grants) > 0 {
		// A list of their texts, which a person can read.
		list, err := json.Marshal(e.Grants)
		if err != nil {
			return err
		}
		text := encode(string(list))
		grants = &text
	}
	c.ids = append(c.ids, encode(e.ID))
	c.scopes = append(c.scopes, encode(string(e.Scope)))
	c.modes = append(c.modes, encode(string(e.Mode)))
	c.subjects = append(c.subjects, encode(e.Subject))
	c.data, c.grants = append(c.data, data), append(c.grants, grants)
	c.recipients = append(c.recipients, encode(e.Recipient))
	c.batches = append(c.batches, encode(e.Batch))
	c.targets = append(c.targets, encode(e.Target))
	c.issued = append(c.issued, e.IssuedAt.UnixMicro())
	c.notBefore = append(c.notBefore, nullMicros(e.NotBefore))
	c.recorded = append(c.recorded, e.Recorded)
	c.keys, c.browsers = append(c.keys, encode(e.Key)), append(c.browsers, encode(e.Browser))
	c.maxUses, c.used, c.refunds = append(c.maxUses, e.MaxUses), append(c.used, e.Used), append(c.refunds, e.Refunds)
	c.revokedAt = append(c.revokedAt, nullMicros(e.RevokedAt))
	c.expiresAt = append(c.expiresAt, nullMicros(e.ExpiresAt))
	c.keepUntil = append(c.keepUntil, nullMicros(e.KeepUntil))
	return nil
}

const insertPassesText = `INSERT INTO hallpass_passes (id, scope, mode, subject, data, grants, recipient, batch, target,
		issued_at, not_before, recorded, key, browser)
	SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
		$8::text[], $9::text[], $10::bigint[], $11::bigint[], $12::boolean[], $13::text[], $14::text[])`

func (c *passColumns) passArgs() []any {
	return []any{
		c.ids, c.scopes, c.modes, c.subjects, c.data, c.grants, c.recipients, c.batches, c.targets,
		c.issued, c.notBefore, c.recorded, c.keys, c.browsers,
	}
}

func (c *passColumns) counterArgs() []any {
	return []any{c.ids, c.maxUses, c.used, c.refunds, c.revokedAt, c.expiresAt, c.keepUntil}
}

// insert queues new rows. An id that has a row by now makes the transaction fail;
// the next one sees it.
func (c *passColumns) insert(b *pgx.Batch) {
	if len(c.ids) > 0 {
		b.Queue(insertPassesText, c.passArgs()...)
		c.insertCounters(b)
	}
}

// insertMissing queues the passes that have no row, whose ids go to made. Their
// counters follow by a statement of their own: the two tables are joined nowhere
// in it, and whoever has inserted a pass is alone with its counter.
func (c *passColumns) insertMissing(b *pgx.Batch, made map[string]bool) {
	if len(c.ids) > 0 {
		b.Queue(insertPassesText+` ON CONFLICT (id) DO NOTHING RETURNING id`, c.passArgs()...).Query(func(rows pgx.Rows) error {
			var id string
			_, err := pgx.ForEachRow(rows, []any{&id}, func() error {
				made[id] = true
				return nil
			})
			return err
		})
	}
}

func (c *passColumns) insertCounters(b *pgx.Batch) {
	if len(c.ids) > 0 {
		b.Queue(`INSERT INTO hallpass_counters (pass, max_uses, used, refunds, revoked_at, expires_at, keep_until)
			SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])`,
			c.counterArgs()...)
	}
}

// saveRows queues the rows that changed: whole where they are new, else their
// counters.
func saveRows(b *pgx.Batch, changed []*row) error {
	slices.SortFunc(changed, func(a, b *row) int { return strings.Compare(encode(a.ID), encode(b.ID)) })
	var fresh, old passColumns
	for _, r := range changed {
		to := &fresh
		if r.exists {
			to = &old
		}
		if err := to.add(&r.Entry); err != nil {
			return err
		}
	}
	fresh.insert(b)
	if len(old.ids) > 0 {
		b.Queue(`UPDATE hallpass_counters AS c SET max_uses = v.max_uses, used = v.used, refunds = v.refunds,
				revoked_at = v.revoked_at, expires_at = v.expires_at, keep_until = v.keep_until
			FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
				AS v (pass, max_uses, used, refunds, revoked_at, expires_at, keep_until)
			WHERE c.pass = v.pass`, old.counterArgs()...)
	}
	return nil
}
