package sqlitestore

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
)

// row is a pass as it stands in the file.
type row struct {
	hallpass.Entry
	// n is its number in passes and counters; 0 when it is not in the file yet.
	n int64
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

const rowColumns = `p.n, p.id, p.scope, p.mode, p.subject, p.data, p.grants, p.recipient, p.batch, p.target,
	p.issued_at, p.not_before, p.recorded, p.key, p.browser,
	c.max_uses, c.used, c.refunds, c.revoked_at, c.expires_at, c.keep_until`

func scanRow(rows *sql.Rows) (r row, err error) {
	var data, grants sql.RawBytes
	err = rows.Scan(&r.n, &r.ID, &r.Scope, &r.Mode, &r.Subject, &data, &grants, &r.Recipient, &r.Batch, &r.Target,
		micros{&r.IssuedAt}, micros{&r.NotBefore}, &r.Recorded, &r.Key, &r.Browser,
		&r.MaxUses, &r.Used, &r.Refunds, micros{&r.RevokedAt}, micros{&r.ExpiresAt}, micros{&r.KeepUntil})
	if err != nil {
		return row{}, err
	}
	r.Data = bytes.Clone(data)
	if len(grants) > 0 {
		err = json.Unmarshal(grants, &r.Grants)
	}
	return r, err
}

func scanEntry(rows *sql.Rows) (hallpass.Entry, error) {
	r, err := scanRow(rows)
	return r.Entry, err
}

// encodeGrants keeps grants as a list of their texts, which a person can read.
func encodeGrants(grants []hallpass.Grant) (any, error) {
	if len(grants) == 0 {
		return nil, nil
	}
	text, err := json.Marshal(grants)
	return string(text), err
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

// Entry implements hallpass.PassStore.
func (s *Store) Entry(ctx context.Context, id string) (hallpass.Entry, error) {
	rows, err := s.reads.QueryContext(ctx,
		`SELECT `+rowColumns+` FROM passes AS p JOIN counters AS c ON c.pass = p.n WHERE p.id = ?1`, id)
	found, err := collect(rows, err, scanRow)
	if err == nil && len(found) == 0 {
		err = hallpass.ErrNotFound
	}
	if err != nil {
		return hallpass.Entry{}, unavailable(ctx, "read a pass", err)
	}
	return found[0].Entry, nil
}

// EndingEntries implements hallpass.EndingStore. The order of the tables is said,
// because the file has no statistics to tell which is read first.
func (s *Store) EndingEntries(ctx context.Context, since, until time.Time, limit int) ([]hallpass.Entry, error) {
	rows, err := s.reads.QueryContext(ctx, `SELECT `+rowColumns+`
		FROM counters AS c CROSS JOIN passes AS p ON p.n = c.pass
		WHERE c.expires_at IS NOT NULL AND c.expires_at >= ?1 AND c.expires_at < ?2
		ORDER BY c.expires_at, c.pass LIMIT ?3`, since.UnixMicro(), until.UnixMicro(), limit)
	found, err := collect(rows, err, scanEntry)
	return found, unavailable(ctx, "list passes", err)
}

// Entries implements hallpass.PassStore.
func (s *Store) Entries(ctx context.Context, q hallpass.EntryQuery) ([]hallpass.Entry, error) {
	where := []string{"true"}
	var args []any
	for _, filter := range []struct{ condition, value string }{
		{"p.scope = ?", string(q.Scope)},
		{"p.batch = ? AND p.batch <> ''", q.Batch}, // so that the partial index is found
		{"p.subject = ? AND p.subject <> ''", q.Subject},
		{"p.recipient = ? AND p.recipient <> ''", q.Recipient},
		{"p.mode = ?", string(q.Mode)},
	} {
		if filter.value != "" {
			where = append(where, filter.condition)
			args = append(args, filter.value)
		}
	}
	if q.After != (hallpass.EntryPosition{}) {
		where = append(where, "(p.issued_at, p.id) < (?, ?)")
		args = append(args, q.After.IssuedAt.UnixMicro(), q.After.ID)
	}
	rows, err := s.reads.QueryContext(ctx, `SELECT `+rowColumns+`
		FROM passes AS p JOIN counters AS c ON c.pass = p.n
		WHERE `+strings.Join(where, " AND ")+`
		ORDER BY p.issued_at DESC, p.id DESC LIMIT ?`, append(args, q.Limit)...)
	found, err := collect(rows, err, scanEntry)
	return found, unavailable(ctx, "list passes", err)
}
