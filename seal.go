package hallpass

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// A chain of signed seals makes tampering with uses and events show. Its links are
// cells that never end, sealsPerGroup to a group:
//
//	group seals/0, key 17   the 17th link
//	group seals, key first  the first link, so that a second chain cannot begin
//	group seals, key head   where the chain ends and up to when all is sealed
//	group seals, key lease  who seals now; it saves work and decides nothing
//
// Each link is written by compare-and-swap at version 0, so a number is given once.
// A link that is there but not yet in the head, because its writer died, is taken
// over by whoever comes next.
const (
	sealsGroup    = "seals"
	sealsPerGroup = 1000
	sealFirst     = "first"
	sealHead      = "head"
	sealLease     = "lease"

	// A minute is sealed this long after its end, and no row is written under an id
	// older than lateAfter: what lies between is room for clocks that disagree.
	sealGrace = 2 * time.Minute
	lateAfter = time.Minute

	// A text of these cannot be the signing input of a token, which has no space.
	sealDomain     = "hallpass seal 1\n"
	sealHeadDomain = "hallpass seal head 1\n"
)

var errSealsBroken = fmt.Errorf("%w: the seals are not whole; see hallpass uses verify", ErrUnavailable)

// seal is a link of the chain. It seals a minute, or says what may be gone.
type seal struct {
	Instance string `json:"iss"`
	Number   int64  `json:"n"`
	Previous string `json:"prev,omitempty"` // hash
	// Minute is the sealed one, in minutes since 1970; in the first link it is where
	// sealing began.
	Minute int64      `json:"minute"`
	Uses   sealedRows `json:"uses"`
	Events sealedRows `json:"events"`
	// UsesPruned and EventsPruned are minutes since 1970: rows made before may be gone.
	UsesPruned   int64 `json:"uses_pruned,omitempty"`
	EventsPruned int64 `json:"events_pruned,omitempty"`

	hash string
}

// sealEnd is what the head says.
type sealEnd struct {
	Instance string `json:"iss"`
	Number   int64  `json:"n"`
	Hash     string `json:"hash"`
	// Through is the first minute that is not sealed.
	Through int64 `json:"through"`
	First   int64 `json:"first"`
	// UsesPruned and EventsPruned are those of the last link that had any.
	UsesPruned   int64 `json:"uses_pruned,omitempty"`
	EventsPruned int64 `json:"events_pruned,omitempty"`

	version uint64
}

// signed is how both stand in a cell. The signature is over the body's own bytes.
type signed struct {
	Body      json.RawMessage `json:"body"`
	Key       string          `json:"key"`
	Algorithm Algorithm       `json:"alg"`
	Signature []byte          `json:"sig"`
}

// sealKey is the active key, or an asymmetric one where the active one is a shared
// secret: then others can verify the seals who could not make them.
func (i *Issuer) sealKey() (Key, error) {
	active, ok := i.cfg.Keys.Active()
	if ok && active.Algorithm() != HS256 {
		return active, nil
	}
	for k, state := range i.cfg.Keys.Keys {
		if state != KeyRetired && k.CanSign() && k.Algorithm() != HS256 {
			return k, nil
		}
	}
	if !ok {
		return Key{}, errNoActiveKey
	}
	return active, nil
}

func (i *Issuer) signSeal(domain string, body any) ([]byte, error) {
	key, err := i.sealKey()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	out := signed{Body: text, Key: key.id, Algorithm: key.algorithm}
	if out.Signature, err = sealSignature(key, domain+string(text)); err != nil {
		return nil, unavailable("the seal could not be signed", err)
	}
	return json.Marshal(out)
}

// sealSignature is a MAC under a derived key where there is only a shared secret, so
// that it is no signature of a token.
func sealSignature(key Key, message string) ([]byte, error) {
	if key.algorithm != HS256 {
		return key.sign(nil, []byte(message))
	}
	secret, err := key.derive("seals")
	if err != nil {
		return nil, err
	}
	m := hmac.New(sha256.New, secret)
	m.Write([]byte(message))
	return m.Sum(nil), nil
}

// sealTrust says what a signature is worth.
type sealTrust int

const (
	sealForged  sealTrust = iota
	sealUnknown           // signed by a key that is no longer in the ring
	sealGood
)

// readSigned reads a cell's value into body. Retired keys still vouch for seals.
func (i *Issuer) readSigned(domain string, value []byte, body any) (text string, trust sealTrust) {
	var s signed
	if json.Unmarshal(value, &s) != nil || json.Unmarshal(s.Body, body) != nil {
		return "", sealForged
	}
	text = domain + string(s.Body)
	for k := range i.cfg.Keys.Keys {
		if k.id != s.Key {
			continue
		}
		good := k.algorithm == s.Algorithm && k.algorithm != HS256 && k.verify(text, s.Signature)
		if k.algorithm == HS256 && s.Algorithm == HS256 {
			want, err := sealSignature(k, text)
			good = err == nil && hmac.Equal(want, s.Signature)
		}
		if good {
			return text, sealGood
		}
		return text, sealForged
	}
	return text, sealUnknown
}

func sealHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// readSeal reads a link. Its hash is that of what was signed.
func (i *Issuer) readSeal(c Cell, number int64) (seal, sealTrust) {
	var s seal
	text, trust := i.readSigned(sealDomain, c.Value, &s)
	s.hash = sealHash(text)
	if s.Number != number || s.Instance != i.cfg.Instance {
		trust = sealForged
	}
	return s, trust
}

// sealEndNow reads the head; ErrNotFound where nothing was ever sealed.
func (i *Issuer) sealEndNow(ctx context.Context, store CellStore) (sealEnd, sealTrust, error) {
	var end sealEnd
	c, err := store.Cell(ctx, sealsGroup, sealHead, i.Now())
	if err != nil {
		if !errors.Is(err, ErrNotFound) {
			err = storeError(ctx, "the seals could not be read", err)
		}
		return end, sealForged, err
	}
	_, trust := i.readSigned(sealHeadDomain, c.Value, &end)
	if end.Instance != i.cfg.Instance {
		trust = sealForged
	}
	end.version = c.Version
	return end, trust, nil
}

func sealCell(number int64) Cell {
	return Cell{Group: sealsGroup + "/" + strconv.FormatInt(number/sealsPerGroup, 10), Key: strconv.FormatInt(number, 10)}
}

// sealGroup returns the links of the group that holds number.
func (i *Issuer) sealGroup(ctx context.Context, store CellStore, number int64) (map[int64]Cell, error) {
	cells, err := store.Cells(ctx, sealCell(number).Group, 0, i.Now())
	if err != nil {
		return nil, storeError(ctx, "the seals could not be read", err)
	}
	links := make(map[int64]Cell, len(cells))
	for _, c := range cells {
		if n, err := strconv.ParseInt(c.Key, 10, 64); err == nil {
			links[n] = c
		}
	}
	return links, nil
}

// sealChain is the end of the chain as one writer sees it.
type sealChain struct {
	issuer *Issuer
	store  Store
	end    sealEnd
	// saved is the head as it stands in the store; zero where it must be written anew.
	saved sealEnd
}

// openChain reads the end of the chain, takes over links that the head does not name
// yet, and begins the chain where there is none and begin says so; else that is
// ErrNotFound.
func (i *Issuer) openChain(ctx context.Context, store Store, begin bool) (*sealChain, error) {
	end, trust, err := i.sealEndNow(ctx, store)
	c := &sealChain{issuer: i, store: store, end: end}
	if trust == sealGood {
		c.saved = end // else its key has left the ring, and it is signed anew
	}
	switch {
	case errors.Is(err, ErrNotFound) && begin:
		return c, c.begin(ctx)
	case err != nil:
		return nil, err
	case trust == sealForged:
		return nil, errSealsBroken
	}
	for {
		cell := sealCell(c.end.Number + 1)
		found, err := store.Cell(ctx, cell.Group, cell.Key, i.Now())
		if errors.Is(err, ErrNotFound) {
			return c, nil
		}
		if err != nil {
			return nil, storeError(ctx, "the seals could not be read", err)
		}
		if err := c.follow(found); err != nil {
			return nil, err
		}
	}
}

// follow makes a link that is in the store the end.
func (c *sealChain) follow(cell Cell) error {
	s, trust := c.issuer.readSeal(cell, c.end.Number+1)
	if trust != sealGood || s.Previous != c.end.Hash {
		return errSealsBroken
	}
	c.advance(s)
	return nil
}

func (c *sealChain) advance(s seal) {
	c.end.Number, c.end.Hash = s.Number, s.hash
	if s.UsesPruned != 0 || s.EventsPruned != 0 {
		c.end.UsesPruned, c.end.EventsPruned = max(c.end.UsesPruned, s.UsesPruned), max(c.end.EventsPruned, s.EventsPruned)
		return
	}
	c.end.Through = max(c.end.Through, s.Minute+1)
}

// begin makes the first link: nothing before this minute is protected.
func (c *sealChain) begin(ctx context.Context) error {
	i := c.issuer
	s := seal{Instance: i.cfg.Instance, Number: 1, Minute: i.Now().Add(-sealGrace).Unix() / 60}
	value, err := i.signSeal(sealDomain, s)
	if err != nil {
		return err
	}
	first := Cell{Group: sealsGroup, Key: sealFirst, Value: value}
	if _, err := c.store.Swap(ctx, first, i.Now()); errors.Is(err, ErrConflict) {
		// Sealing began before: somebody else is beginning it just now, or died at it, or
		// the head is gone.
		if first, err = c.store.Cell(ctx, sealsGroup, sealFirst, i.Now()); err != nil {
			return storeError(ctx, "the seals could not be read", err)
		}
		second := sealCell(2)
		if _, err := c.store.Cell(ctx, second.Group, second.Key, i.Now()); !errors.Is(err, ErrNotFound) {
			return errSealsBroken
		}
	} else if err != nil {
		return storeError(ctx, "the seal was not written", err)
	}
	s, trust := i.readSeal(first, 1)
	if trust != sealGood {
		return errSealsBroken
	}
	i.cfg.Logger.Info("sealing of uses and events begins; earlier ones are not protected", "from", minuteTime(s.Minute))
	c.end = sealEnd{Instance: i.cfg.Instance, Number: 1, Hash: s.hash, First: s.Minute, Through: s.Minute}
	return c.save(ctx)
}

// append adds a link. ErrConflict means that somebody else did.
func (c *sealChain) append(ctx context.Context, s seal) error {
	i := c.issuer
	s.Instance, s.Number, s.Previous = i.cfg.Instance, c.end.Number+1, c.end.Hash
	value, err := i.signSeal(sealDomain, s)
	if err != nil {
		return err
	}
	cell := sealCell(s.Number)
	cell.Value = value
	if _, err := c.store.Swap(ctx, cell, i.Now()); err != nil {
		return storeError(ctx, "the seal was not written", err)
	}
	return c.follow(cell)
}

// save writes the head. ErrConflict means that somebody else did.
func (c *sealChain) save(ctx context.Context) error {
	if c.end == c.saved {
		return nil
	}
	value, err := c.issuer.signSeal(sealHeadDomain, c.end)
	if err != nil {
		return err
	}
	written, err := c.store.Swap(ctx, Cell{Group: sealsGroup, Key: sealHead, Value: value, Version: c.end.version}, c.issuer.Now())
	if err != nil {
		return storeError(ctx, "the head of the seals was not written", err)
	}
	c.end.version = written.Version
	c.saved = c.end
	return nil
}

func minuteTime(minute int64) time.Time { return time.Unix(minute*60, 0).UTC() }

func minuteOf(id string) (int64, bool) {
	at, ok := uuidTime(id)
	return at.Unix() / 60, ok
}

// sealedRows is what a seal says of the rows of its minute.
type sealedRows struct {
	Count int64 `json:"count"`
	// IDs is the hash of the ids alone, Rows that of all that is sealed.
	IDs  []byte `json:"ids,omitempty"`
	Rows []byte `json:"rows,omitempty"`
	// Open are the places of the uses that had not ended yet, as steps from one to the
	// next: how they ended is not sealed.
	Open []int64 `json:"open,omitempty"`
}

func (r sealedRows) equal(o sealedRows) bool {
	return r.Count == o.Count && hmac.Equal(r.IDs, o.IDs) && hmac.Equal(r.Rows, o.Rows) && slices.Equal(r.Open, o.Open)
}
