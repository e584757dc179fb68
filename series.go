package hallpass

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"iter"
	"time"
)

// seriesLife is how long a request may be repeated.
const seriesLife = 24 * time.Hour

// maxSeriesKey is in bytes.
const maxSeriesKey = 128

// Series issues passes for a request that may be sent twice, because its answer
// was lost: for 24 hours the same caller, key, line and Spec give the same pass,
// id and token alike, and nothing is recorded again. A line whose Spec is another
// one gives another pass.
type Series struct {
	issuer *Issuer
	begun  seriesJSON
	caller string
	key    string
	sign   Key
	secret []byte
}

// seriesJSON is the cell of a series.
type seriesJSON struct {
	At   int64  `json:"at"` // microseconds; every pass of the series was issued then
	Key  string `json:"key"`
	Seed []byte `json:"seed"`
}

// Series begins a series, or goes on with the one that the caller began with this
// idempotency key. Its errors are *FieldError with field "idempotency_key", and
// ErrUnavailable.
func (i *Issuer) Series(ctx context.Context, caller, key string) (*Series, error) {
	if key == "" || len(key) > maxSeriesKey {
		return nil, fieldErrorf("idempotency_key", "must be 1 to %d bytes", maxSeriesKey)
	}
	if err := checkText("idempotency_key", key, maxSeriesKey); err != nil {
		return nil, err
	}
	s := &Series{issuer: i, caller: caller, key: key}
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	active, _ := i.cfg.Keys.Active()
	s.sign = active
	source := active
	for k, state := range i.cfg.Keys.Keys {
		if k.id != s.begun.Key || !k.CanSign() {
			continue
		}
		// A retired key still makes the same short tokens, but signs no more.
		if source = k; state != KeyRetired {
			s.sign = k
		}
	}
	var err error
	if s.secret, err = source.derive("series"); err != nil {
		return nil, unavailable("the keys make no series", err)
	}
	return s, nil
}

// begin finds the cell of the series, or makes it.
func (s *Series) begin(ctx context.Context) error {
	i := s.issuer
	store, err := i.store()
	if err != nil {
		return err
	}
	active, ok := i.cfg.Keys.Active()
	if !ok {
		return errNoActiveKey
	}
	name := sha256.New()
	writePart(name, s.caller)
	writePart(name, s.key)
	cell := Cell{Group: "series", Key: base64.RawURLEncoding.EncodeToString(name.Sum(nil))}
	for {
		now := i.Now()
		found, err := store.Cell(ctx, cell.Group, cell.Key, now)
		if err == nil {
			if err := json.Unmarshal(found.Value, &s.begun); err != nil {
				return unavailable("the idempotency key could not be read", err)
			}
			return nil
		}
		if !errors.Is(err, ErrNotFound) {
			return storeError(ctx, "the idempotency key could not be read", err)
		}
		s.begun = seriesJSON{At: now.UnixMicro(), Key: active.id, Seed: make([]byte, 32)}
		rand.Read(s.begun.Seed) // never fails since Go 1.24
		cell.Value, _ = json.Marshal(s.begun)
		cell.ExpiresAt = now.Add(seriesLife)
		_, err = store.Swap(ctx, cell, now)
		if err == nil {
			return nil
		}
		if !errors.Is(err, ErrConflict) {
			return storeError(ctx, "the idempotency key was not kept", err)
		}
	}
}

// Now is when the series began, which is when its passes are issued.
func (s *Series) Now() time.Time { return time.UnixMicro(s.begun.At).UTC() }

// Draft returns the pass that Issue would make of a line, with its id, and makes
// nothing: for writing down what is about to be done. Its errors are *FieldError, and
// ErrUnavailable when there is no key.
func (s *Series) Draft(line int, spec Spec) (Pass, error) {
	issued, err := s.prepare(line, spec)
	return issued.Pass, err
}

// Issue makes the pass of a line.
func (s *Series) Issue(ctx context.Context, line int, spec Spec) (Issued, error) {
	issued, err := s.prepare(line, spec)
	if err != nil {
		return issued, err
	}
	if issued.Recorded {
		if err := s.issuer.record(ctx, []Entry{issued.Entry}); err != nil {
			return Issued{}, err
		}
	}
	s.issuer.count(statIssued, "", issued.Scope, issued.Batch, 1)
	return issued, nil
}

// IssueAll makes a pass for each line, as Issuer.IssueAll does.
func (s *Series) IssueAll(ctx context.Context, lines iter.Seq2[int, Spec]) iter.Seq2[Issued, error] {
	return s.issuer.issueAll(ctx, func(yield func(Issued, error) bool) {
		for line, spec := range lines {
			if !yield(s.prepare(line, spec)) {
				return
			}
		}
	})
}

func (s *Series) prepare(line int, spec Spec) (Issued, error) {
	draw := func(secret []byte) func(Spec) io.Reader {
		return func(spec Spec) io.Reader { return s.stream(secret, line, spec) }
	}
	// An id may be known to all; a short token is a secret, and comes from the keys.
	return s.issuer.mint(spec, minting{s.Now(), s.sign, draw(s.begun.Seed), draw(s.secret)})
}

// stream is randomness that comes out the same when the line comes again.
func (s *Series) stream(secret []byte, line int, spec Spec) io.Reader {
	text, _ := json.Marshal(spec) // mint has found nothing wrong with it
	m := hmac.New(sha256.New, secret)
	for _, part := range []string{s.caller, s.key, string(s.begun.Seed), string(text)} {
		writePart(m, part)
	}
	_ = binary.Write(m, binary.BigEndian, int64(line))
	return &counterStream{mac: hmac.New(sha256.New, m.Sum(nil))}
}

// writePart writes a text with its length, so that no two lists of texts read the
// same.
func writePart(h hash.Hash, text string) {
	_ = binary.Write(h, binary.BigEndian, int64(len(text)))
	h.Write([]byte(text))
}

// counterStream is a MAC in counter mode.
type counterStream struct {
	mac   hash.Hash
	block []byte
	count uint64
}

func (c *counterStream) Read(p []byte) (int, error) {
	for n := range p {
		if len(c.block) == 0 {
			c.mac.Reset()
			_ = binary.Write(c.mac, binary.BigEndian, c.count)
			c.block = c.mac.Sum(nil)
			c.count++
		}
		p[n], c.block = c.block[0], c.block[1:]
	}
	return len(p), nil
}
