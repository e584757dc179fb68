package hallpass

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/hallpass-go/hallpass/internal/passjwt"
)

// Issued is a new pass and its token. The token is nowhere else.
type Issued struct {
	Entry
	Token Token
}

// Issue makes a pass. Its errors are *FieldError for a wrong Spec, and
// ErrUnavailable when there is no key or the store did not take the row.
func (i *Issuer) Issue(ctx context.Context, s Spec) (Issued, error) {
	issued, err := i.prepare(s, i.Now())
	if err != nil {
		return issued, err
	}
	if issued.Recorded {
		if err := i.record(ctx, []Entry{issued.Entry}); err != nil {
			return Issued{}, err
		}
	}
	i.count(statIssued, "", issued.Scope, issued.Batch, 1)
	return issued, nil
}

// Draft returns the pass that Issue would make now, without its id and key, and
// makes nothing. Its errors are *FieldError.
func (i *Issuer) Draft(s Spec) (Pass, error) { return i.passOf(s, i.Now()) }

// issueBatch is how many rows IssueAll writes at once.
const issueBatch = 1000

// IssueAll makes a pass for each spec and yields them in order. Rows are written
// in batches, before their passes are yielded. A wrong spec yields its error and
// the rest goes on; a store that fails yields the error for each pass of the
// batch. Stopping early leaves no pass half made: at most its row, without a
// token anybody has.
func (i *Issuer) IssueAll(ctx context.Context, specs iter.Seq[Spec]) iter.Seq2[Issued, error] {
	return i.issueAll(ctx, func(yield func(Issued, error) bool) {
		for s := range specs {
			if !yield(i.prepare(s, i.Now())) {
				return
			}
		}
	})
}

// issueAll writes what was prepared, and yields it.
func (i *Issuer) issueAll(ctx context.Context, prepared iter.Seq2[Issued, error]) iter.Seq2[Issued, error] {
	return func(yield func(Issued, error) bool) {
		type made struct {
			issued Issued
			err    error
		}
		var batch []made
		var rows []Entry
		flush := func() bool {
			err := i.record(ctx, rows)
			for _, m := range batch {
				if m.err == nil && m.issued.Recorded && err != nil {
					m = made{err: err}
				}
				if m.err == nil {
					i.count(statIssued, "", m.issued.Scope, m.issued.Batch, 1)
				}
				if !yield(m.issued, m.err) {
					return false
				}
			}
			batch, rows = batch[:0], rows[:0]
			return true
		}
		for issued, err := range prepared {
			batch = append(batch, made{issued, err})
			if err == nil && issued.Recorded {
				rows = append(rows, issued.Entry)
			}
			if len(batch) == issueBatch && !flush() {
				return
			}
		}
		flush()
	}
}

func (i *Issuer) record(ctx context.Context, rows []Entry) error {
	if len(rows) == 0 {
		return nil
	}
	store, err := i.store()
	if err != nil {
		return err
	}
	if err := store.Record(ctx, rows); err != nil {
		return unavailable("the pass was not recorded", err)
	}
	return nil
}

// minting is what a new pass is made of beside its Spec.
type minting struct {
	now time.Time
	key Key // the zero Key where there is none to sign with
	// id and short give the bytes of a new id and of a short token.
	id, short func(Spec) io.Reader
}

// prepare makes the pass and its token and writes nothing.
func (i *Issuer) prepare(s Spec, now time.Time) (Issued, error) {
	key, _ := i.cfg.Keys.Active()
	random := func(Spec) io.Reader { return rand.Reader }
	return i.mint(s, minting{now, key, random, random})
}

func (i *Issuer) mint(s Spec, m minting) (Issued, error) {
	p, err := i.passOf(s, m.now)
	if err != nil {
		return Issued{}, err
	}
	issued := Issued{Entry: Entry{Pass: p, KeepUntil: i.keepUntil(p.ExpiresAt)}}
	if s.Browser != "" {
		issued.Browser = HashBrowser(s.Browser)
	}
	if s.Format == FormatShort {
		issued.Token = newShortToken(m.short(s))
		issued.ID = shortID(issued.Token)
		return issued, nil
	}
	if m.key.id == "" || i.cfg.Instance == "*" {
		return Issued{}, errNoActiveKey
	}
	issued.ID, issued.Key = drawUUID(m.now, m.id(s)), m.key.id
	issued.Token, err = i.signToken(m.key, issued.Pass, s.Format)
	return issued, err
}

var errNoActiveKey = fmt.Errorf("%w: there is no active key to sign with", ErrUnavailable)

func (i *Issuer) signToken(key Key, p Pass, format Format) (Token, error) {
	claims := i.claimsOf(p)
	sign := signJWT
	if format == FormatCompact {
		sign = signCompact
	}
	text, err := sign(key, &claims)
	if err != nil {
		return Token{}, unavailable("signing failed", err)
	}
	if len(text) > MaxTokenLength {
		field := "data"
		if len(claims.Data) == 0 {
			field = "grants"
		}
		return Token{}, fieldErrorf(field, "and the other fields make a token of %d bytes; at most %d fit a request", len(text), MaxTokenLength)
	}
	return Token{text}, nil
}

func signJWT(key Key, claims *passjwt.Claims) (string, error) {
	return signSegments(key, key.header, passjwt.AppendPayload(make([]byte, 0, 512), claims))
}

// signSegments makes the token of an encoded header and a payload.
func signSegments(key Key, header string, payload []byte) (string, error) {
	token := make([]byte, 0, len(header)+len(payload)*4/3+100)
	token = append(append(token, header...), '.')
	token = passjwt.AppendSegment(token, payload)
	var room [64]byte
	signature, err := key.sign(room[:0], token)
	if err != nil {
		return "", err
	}
	return string(passjwt.AppendSegment(append(token, '.'), signature)), nil
}

// claimsOf says what travels. The payload and the recipient of a recorded pass
// stay in its row; its batch travels, because group revocations are judged
// before the row is read.
func (i *Issuer) claimsOf(p Pass) passjwt.Claims {
	c := passjwt.Claims{
		ID: p.ID, Scope: string(p.Scope), Mode: p.Mode.claim(), Subject: p.Subject,
		Issuer: i.cfg.Instance, MaxUses: p.MaxUses, IssuedAt: p.IssuedAt.UnixMicro(),
		Batch: p.Batch, Target: p.Target, Unrecorded: !p.Recorded,
	}
	if !p.ExpiresAt.IsZero() {
		c.ExpiresAt = p.ExpiresAt.Unix()
	}
	if !p.NotBefore.IsZero() {
		c.NotBefore = p.NotBefore.Unix()
	}
	for _, g := range p.Grants {
		c.Grants = append(c.Grants, g.String())
	}
	if !p.Recorded {
		c.Data, c.Recipient = string(p.Data), p.Recipient
	}
	return c
}

// HashBrowser is the form in which a browser's cookie is kept with a pass.
func HashBrowser(cookie string) string {
	sum := sha256.Sum256([]byte(cookie))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
