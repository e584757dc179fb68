package hallpass

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// Revocation takes passes back by what they have in common. The set fields must
// all hold. Passes issued after Before are untouched.
type Revocation struct {
	Scope   Scope
	Subject string
	Batch   string
	// Before revokes the passes issued before it; zero means now.
	Before time.Time
}

// RevokePass takes one pass back. By a token it also reaches an unrecorded pass
// that nobody has used: pass the Pass that Verify returned. It takes effect at
// once in every process, but for uses of unlimited passes that are not written
// durably (AuditBehind, AuditOff): those elsewhere see it within MaxStale. The row
// is returned; RevokedAt is the first revocation's.
func (i *Issuer) RevokePass(ctx context.Context, p Pass) (Entry, error) {
	store, err := i.store()
	if err != nil {
		return Entry{}, err
	}
	entry, err := store.RevokePass(ctx, Entry{Pass: p, KeepUntil: i.keepUntil(p.ExpiresAt)}, i.Now())
	if err != nil {
		return entry, unavailable("the pass was not revoked", err)
	}
	i.entries.forget(p.ID)
	return entry, nil
}

// Revoked reports whether a pass was taken back, alone or with a group, from what
// this process knows, at most MaxStale old. It is for what a pass has begun, such
// as a session. A pass whose row is gone is revoked if it was recorded.
func (i *Issuer) Revoked(ctx context.Context, p Pass) (bool, error) {
	entry := Entry{Pass: p}
	row, err := i.recentRow(ctx, p.ID)
	switch {
	case err == nil:
		entry.RevokedAt, entry.Data = row.RevokedAt, row.Data
	case !errors.Is(err, ErrNotFound):
		return false, err
	case p.Recorded:
		return true, nil
	}
	if err := i.overlay(ctx, &entry); err != nil {
		return false, err
	}
	return !entry.RevokedAt.IsZero(), nil
}

// RevokeID takes back the pass with an id. ErrNotFound means that no such pass
// can exist. An id that we may have given to an unrecorded pass, but have no row
// for, is revoked all the same, and known is false.
func (i *Issuer) RevokeID(ctx context.Context, id string) (entry Entry, known bool, err error) {
	row, err := i.row(ctx, id)
	if err == nil {
		entry, err = i.RevokePass(ctx, row.Pass)
		return entry, true, err
	}
	if !errors.Is(err, ErrNotFound) {
		return Entry{}, false, err
	}
	made, ok := uuidTime(id)
	if !ok || made.After(i.Now().Add(clockSkew)) {
		return Entry{}, false, ErrNotFound
	}
	entry, err = i.RevokePass(ctx, Pass{ID: id, IssuedAt: made})
	return entry, false, err
}

// RevokeGroup takes passes back by scope, subject, batch or time of issue, those
// not yet used and those nobody has a row for included. It holds here at once
// and in other processes within MaxStale. A Revocation without any field is a
// *FieldError.
func (i *Issuer) RevokeGroup(ctx context.Context, r Revocation) error {
	store, err := i.store()
	if err != nil {
		return err
	}
	if r == (Revocation{}) {
		return fieldErrorf("revocation", "name a scope, a subject, a batch or a time; everything at once is issued_before alone")
	}
	now := i.Now()
	switch {
	case r.Before.IsZero():
		r.Before = now
	case r.Before.After(now.Add(clockSkew)):
		return fieldErrorf("issued_before", "lies in the future; passes that do not exist yet cannot be taken back")
	}
	key := group{r.Scope, r.Subject, r.Batch}
	for {
		cell, err := store.Cell(ctx, rulesGroup, key.cellKey(), now)
		rule := rule{Scope: r.Scope, Subject: r.Subject, Batch: r.Batch, Before: r.Before.UnixMicro(), At: now.UnixMicro()}
		switch {
		case errors.Is(err, ErrNotFound):
			cell = Cell{Group: rulesGroup, Key: key.cellKey()}
		case err != nil:
			return unavailable("the revocation was not written", err)
		default:
			var old ruleJSON
			if json.Unmarshal(cell.Value, &old) == nil && old.Before >= rule.Before {
				return i.rules.refresh(ctx, store, now)
			}
		}
		cell.Value, _ = json.Marshal(ruleJSON(rule))
		_, err = store.Swap(ctx, cell, now)
		if errors.Is(err, ErrConflict) {
			continue // somebody revoked the same group: look again
		}
		if err != nil {
			return unavailable("the revocation was not written", err)
		}
		return i.rules.refresh(ctx, store, now)
	}
}

// rulesGroup is the feed of group revocations.
const rulesGroup = "revocations"

// group is what passes can be revoked by together; empty fields match all.
type group struct {
	Scope   Scope
	Subject string
	Batch   string
}

func (g group) cellKey() string {
	text, _ := json.Marshal(g)
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:15])
}

// rule is a group revocation as the feed has it. Times are in microseconds. A
// rule never ends: it must outlive the longest pass it covers, and a pass may
// have no end.
type rule struct {
	Scope   Scope
	Subject string
	Batch   string
	Before  int64
	At      int64
}

type ruleJSON struct {
	Scope   Scope  `json:"scope,omitempty"`
	Subject string `json:"subject,omitempty"`
	Batch   string `json:"batch,omitempty"`
	Before  int64  `json:"before"`
	At      int64  `json:"at"`
}

// rules is this process's picture of the feed.
type rules struct {
	mu      sync.RWMutex
	byGroup map[group]rule
	version uint64
	freshAt time.Time // of the machine's monotonic clock, zero before the first read
	// fetching is held by the one who reads the feed: a lock that can be given up
	// when the waiting caller's context ends.
	fetching chan struct{}
	// failedAt is when the last reading failed, in nanoseconds, and 0 after one that
	// did not.
	failedAt atomic.Int64
}

// fetchTimeout bounds how long one reading of the feed may take.
const fetchTimeout = 5 * time.Second

func (r *rules) lock(ctx context.Context) error {
	select {
	case r.fetching <- struct{}{}:
		return nil
	case <-ctx.Done():
		return unavailable("the revocations could not be read in time", ctx.Err())
	}
}

func (r *rules) unlock() { <-r.fetching }

// refreshIfOlder reads the feed unless somebody else did while this caller waited.
func (r *rules) refreshIfOlder(ctx context.Context, maxAge time.Duration, store CellStore, now time.Time) error {
	if r.age() <= maxAge {
		return nil
	}
	if err := r.lock(ctx); err != nil {
		return err
	}
	defer r.unlock()
	if r.age() <= maxAge {
		return nil
	}
	return r.fetch(ctx, store, now)
}

// refresh reads what is new in the feed. Staleness is measured on the machine's
// clock, because the Issuer's may be set by a test, or step.
func (r *rules) refresh(ctx context.Context, store CellStore, now time.Time) error {
	if err := r.lock(ctx); err != nil {
		return err
	}
	defer r.unlock()
	return r.fetch(ctx, store, now)
}

// fetch needs the lock fetching.
func (r *rules) fetch(ctx context.Context, store CellStore, now time.Time) error {
	limited, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	began := time.Now()
	cells, err := store.Cells(limited, rulesGroup, r.version, now)
	if err != nil {
		if ctx.Err() == nil { // else the caller gave up, which says nothing about the store
			r.failedAt.Store(time.Now().UnixNano())
		}
		return unavailable("the revocations could not be read", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byGroup == nil {
		r.byGroup = map[group]rule{}
	}
	for _, c := range cells {
		var j ruleJSON
		if err := json.Unmarshal(c.Value, &j); err != nil {
			return unavailable("a revocation could not be read", err)
		}
		r.byGroup[group{j.Scope, j.Subject, j.Batch}] = rule(j)
		r.version = c.Version
	}
	r.freshAt = began
	r.failedAt.Store(0)
	return nil
}

// match returns when a pass was revoked by a rule, or the zero time.
func (r *rules) match(p Pass) time.Time {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if len(r.byGroup) == 0 {
		return time.Time{}
	}
	var issued int64 // a pass that does not say when it was issued is older than all rules
	if !p.IssuedAt.IsZero() {
		issued = p.IssuedAt.UnixMicro()
	}
	var at int64
	for bits := range 8 {
		var g group
		if bits&1 != 0 {
			g.Scope = p.Scope
		}
		if bits&2 != 0 {
			g.Subject = p.Subject
		}
		if bits&4 != 0 {
			g.Batch = p.Batch
		}
		if hit, ok := r.byGroup[g]; ok && issued < hit.Before && (at == 0 || hit.At < at) {
			at = hit.At
		}
	}
	if at == 0 {
		return time.Time{}
	}
	return time.UnixMicro(at).UTC()
}

func (r *rules) age() time.Duration {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.freshAt.IsZero() {
		return 1<<63 - 1
	}
	return time.Since(r.freshAt)
}

// overlay puts group revocations, and those of its ancestors, onto an entry. A
// picture older than MaxStale is refreshed first, and if that fails nothing is
// decided.
func (i *Issuer) overlay(ctx context.Context, entry *Entry) error {
	store, err := i.store()
	if err != nil {
		return err
	}
	if err := i.rules.refreshIfOlder(ctx, i.cfg.MaxStale, store, i.Now()); err != nil {
		return err
	}
	if !entry.RevokedAt.IsZero() {
		return nil
	}
	if entry.RevokedAt = i.rules.match(entry.Pass); !entry.RevokedAt.IsZero() {
		return nil
	}
	return i.overlayParents(ctx, entry)
}
