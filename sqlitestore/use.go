package sqlitestore

import (
	"context"
	"database/sql"
	"strings"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/group"
)

const useColumns = `u.id, u.pass, u.subject, u.at, u.client_ip, u.user_agent, u.method, u.path, u.status, u.state, coalesce(u.key, '')`

func scanUse(rows *sql.Rows) (use hallpass.Use, err error) {
	err = rows.Scan(&use.ID, &use.Pass, &use.Subject, micros{&use.At}, &use.ClientIP, &use.UserAgent,
		&use.Method, &use.Path, &use.Status, &use.State, &use.Key)
	return use, err
}

// Settle implements hallpass.PassStore.
func (s *Store) Settle(ctx context.Context, end hallpass.Settlement) (hallpass.Use, error) {
	out, err := s.do(ctx, "settle", write{settle: &end})
	return out.use, err
}

// settleAll judges settlements in order and then writes what changed.
func (tx *writeTx) settleAll(items []write, results []group.Result[outcome]) error {
	var ids, refunding textList
	for _, item := range items {
		if item.settle == nil {
			continue
		}
		ids = append(ids, item.settle.Use)
		if item.settle.State == hallpass.UseRefunded {
			refunding = append(refunding, item.settle.Pass)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	rows, err := tx.query(`SELECT `+useColumns+`
		FROM json_each(?1) AS wanted CROSS JOIN uses AS u ON u.id = wanted.value`, ids.json())
	found, err := collect(rows, err, scanUse)
	if err != nil {
		return err
	}
	uses := make(map[string]*hallpass.Use, len(found))
	for i := range found {
		uses[found[i].ID] = &found[i]
	}
	var passes map[string]*row
	if len(refunding) > 0 {
		if passes, err = tx.passes(refunding); err != nil {
			return err
		}
	}

	var changed []*row
	for i, item := range items {
		if item.settle == nil {
			continue
		}
		use := uses[item.settle.Use]
		if use == nil || use.Pass != item.settle.Pass {
			results[i].Err = hallpass.ErrNotFound
			continue
		}
		p := passes[use.Pass]
		if item.settle.Apply(use, p.entry()) {
			if err := tx.exec(`UPDATE uses SET state = ?2, status = ?3, key = ?4 WHERE id = ?1`, use.ID,
				string(use.State), use.Status, sql.NullString{String: use.Key, Valid: use.Key != ""}); err != nil {
				return err
			}
			if use.State == hallpass.UseRefunded && !p.changed {
				p.changed = true
				changed = append(changed, p)
			}
		}
		results[i].Value.use = *use
	}
	for _, p := range changed {
		if err := tx.save(p); err != nil {
			return err
		}
	}
	return nil
}

// Uses implements hallpass.PassStore.
func (s *Store) Uses(ctx context.Context, q hallpass.UseQuery) ([]hallpass.Use, error) {
	after, args := "", []any{q.Limit}
	if q.After != "" {
		after, args = "AND id < ?2", append(args, q.After)
	} else {
		args = append(args, nil)
	}
	from := `SELECT id FROM uses WHERE true ` + after + ` ORDER BY id DESC LIMIT ?1`
	if q.Pass != "" {
		// Uses without a key stand in the index in the order of their ids.
		from = strings.ReplaceAll(`
			SELECT id FROM (SELECT id FROM uses WHERE pass = ?3 AND key IS NULL AFTER ORDER BY id DESC LIMIT ?1)
			UNION ALL
			SELECT id FROM (SELECT id FROM uses WHERE pass = ?3 AND key > '' AFTER ORDER BY id DESC LIMIT ?1)`,
			"AFTER", after)
		args = append(args, q.Pass)
	}
	rows, err := s.reads.QueryContext(ctx, `SELECT `+useColumns+` FROM (`+from+`) AS wanted
		CROSS JOIN uses AS u ON u.id = wanted.id ORDER BY u.id DESC LIMIT ?1`, args...)
	found, err := collect(rows, err, scanUse)
	return found, unavailable(ctx, "list uses", err)
}
