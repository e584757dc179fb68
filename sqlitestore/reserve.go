package sqlitestore

import (
	"context"
	"database/sql"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/group"
)

// Reserve implements hallpass.PassStore.
func (s *Store) Reserve(ctx context.Context, r hallpass.Reservation) (hallpass.Reserved, error) {
	out, err := s.do(ctx, "reserve", write{reserve: &r})
	return out.reserved, err
}

type useKey struct{ pass, key string }

// reserveAll judges reservations in order, each on what those before it left,
// and then writes every changed counter once.
func (tx *writeTx) reserveAll(items []write, results []group.Result[outcome]) error {
	var ids textList
	var keyed []useKey
	wanted := make(map[string]bool)
	for _, item := range items {
		if item.reserve == nil {
			continue
		}
		id := item.reserve.Pass.ID
		if !wanted[id] {
			wanted[id] = true
			ids = append(ids, id)
		}
		if item.reserve.Use.Key != "" {
			keyed = append(keyed, useKey{id, item.reserve.Use.Key})
		}
	}
	if len(ids) == 0 {
		return nil
	}
	passes, err := tx.passes(ids)
	if err != nil {
		return err
	}
	keys, err := tx.keys(keyed)
	if err != nil {
		return err
	}

	var changed []*row
	var uses []hallpass.Use
	for i, item := range items {
		if item.reserve == nil {
			continue
		}
		r := item.reserve
		p := passes[r.Pass.ID]
		if p == nil {
			if r.Pass.Recorded {
				results[i].Err = hallpass.RefusalUnknownPass
				continue
			}
			p = newRow(hallpass.Entry{Pass: r.Pass, KeepUntil: r.KeepUntil})
		}
		if !p.RevokedAt.IsZero() {
			results[i].Err = hallpass.RefusalRevoked
			continue
		}
		if earlier, seen := keys[useKey{p.ID, r.Use.Key}]; seen {
			results[i].Value.reserved = hallpass.Reserved{Entry: p.own(), Use: earlier, Duplicate: true}
			continue
		}
		if left, limited := p.UsesLeft(); limited && left == 0 {
			results[i].Err = hallpass.RefusalSpent
			continue
		}

		use := r.Use
		use.Pass = p.ID
		use.At = micro(use.At)
		uses = append(uses, use)
		if use.Key != "" {
			keys[useKey{p.ID, use.Key}] = use
		}
		passes[p.ID] = p
		p.Used++
		if !p.changed {
			p.changed = true
			changed = append(changed, p)
		}
		results[i].Value.reserved = hallpass.Reserved{Entry: p.own(), Use: use}
	}

	for _, p := range changed {
		if err := tx.save(p); err != nil {
			return err
		}
	}
	for _, use := range uses {
		if err := tx.insertUse(use); err != nil {
			return err
		}
	}
	return nil
}

// passes reads the rows there are.
func (tx *writeTx) passes(ids textList) (map[string]*row, error) {
	rows, err := tx.query(`SELECT `+rowColumns+`
		FROM json_each(?1) AS wanted
		CROSS JOIN passes AS p ON p.id = wanted.value
		CROSS JOIN counters AS c ON c.pass = p.n`, ids.json())
	found, err := collect(rows, err, scanRow)
	if err != nil {
		return nil, err
	}
	byID := make(map[string]*row, len(ids))
	for i := range found {
		byID[found[i].ID] = &found[i]
	}
	return byID, nil
}

// keys finds the uses that hold the keys.
func (tx *writeTx) keys(wanted []useKey) (map[useKey]hallpass.Use, error) {
	seen := make(map[useKey]hallpass.Use)
	if len(wanted) == 0 {
		return seen, nil
	}
	pairs := []byte{'['}
	for i, k := range wanted {
		if i > 0 {
			pairs = append(pairs, ',')
		}
		pairs = append(pairs, textList{k.pass, k.key}.json()...)
	}
	rows, err := tx.query(`SELECT `+useColumns+` FROM json_each(?1) AS wanted
		CROSS JOIN uses AS u ON u.pass = wanted.value ->> 0 AND u.key = wanted.value ->> 1`, string(append(pairs, ']')))
	found, err := collect(rows, err, scanUse)
	for _, use := range found {
		seen[useKey{use.Pass, use.Key}] = use
	}
	return seen, err
}

// save writes a row that changed: whole when it is new, else its counters.
func (tx *writeTx) save(p *row) error {
	if p.n == 0 {
		_, err := tx.insertPass(&p.Entry)
		return err
	}
	return tx.exec(`UPDATE counters
		SET max_uses = ?2, used = ?3, refunds = ?4, revoked_at = ?5, expires_at = ?6, keep_until = ?7
		WHERE pass = ?1`,
		p.n, p.MaxUses, p.Used, p.Refunds, nullMicros(p.RevokedAt), nullMicros(p.ExpiresAt), nullMicros(p.KeepUntil))
}

func (tx *writeTx) insertUse(use hallpass.Use) error {
	return tx.exec(`INSERT INTO uses
		(id, pass, subject, at, client_ip, user_agent, method, path, status, state, key)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		use.ID, use.Pass, use.Subject, use.At.UnixMicro(), use.ClientIP, use.UserAgent, use.Method, use.Path,
		use.Status, string(use.State), sql.NullString{String: use.Key, Valid: use.Key != ""})
}
