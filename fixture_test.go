package hallpass_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"math/big"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/memstore"
)

var t0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// clock is set by hand.
type clock struct{ nanos atomic.Int64 }

func newClock(at time.Time) *clock {
	c := &clock{}
	c.Set(at)
	return c
}

func (c *clock) Now() time.Time          { return time.Unix(0, c.nanos.Load()).UTC() }
func (c *clock) Set(at time.Time)        { c.nanos.Store(at.UnixNano()) }
func (c *clock) Advance(d time.Duration) { c.nanos.Add(int64(d)) }

// site is an issuer with its clock at t0, one HS256 key and an empty store.
type site struct {
	*hallpass.Issuer
	Store hallpass.Store
	Clock *clock
	Sign  signer
}

func newSite(t testing.TB, edit ...func(*hallpass.Config)) *site {
	t.Helper()
	return newSiteWith(t, newSigner(t, hallpass.HS256), edit...)
}

func newSiteWith(t testing.TB, s signer, edit ...func(*hallpass.Config)) *site {
	t.Helper()
	ring, err := hallpass.NewKeyring(s.key)
	if err != nil {
		t.Fatal(err)
	}
	c := newClock(t0)
	cfg := hallpass.Config{Keys: ring, Store: memstore.New(), Now: c.Now}
	for _, e := range edit {
		e(&cfg)
	}
	issuer, err := hallpass.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return &site{issuer, cfg.Store, c, s}
}

func (s *site) issue(t testing.TB, spec hallpass.Spec) hallpass.Issued {
	t.Helper()
	if spec.Scope == "" {
		spec.Scope = "report"
	}
	issued, err := s.Issue(t.Context(), spec)
	if err != nil {
		t.Fatalf("Issue(%+v): %v", spec, err)
	}
	return issued
}

// redeem presents the token for the scope "report".
func (s *site) redeem(t testing.TB, token hallpass.Token, edit ...func(*hallpass.Presentation)) (*hallpass.Redemption, error) {
	t.Helper()
	p := hallpass.Presentation{Token: token, Scope: "report"}
	for _, e := range edit {
		e(&p)
	}
	return s.Redeem(t.Context(), p)
}

func (s *site) verify(text string) (hallpass.Verified, error) {
	return s.Verify(hallpass.Presentation{Token: hallpass.NewToken(text)})
}

// reason is the refusal's code, "valid" for none, or the text of another error.
func reason(err error) string {
	if err == nil {
		return "valid"
	}
	if r, ok := hallpass.RefusalOf(err); ok {
		return string(r)
	}
	if errors.Is(err, hallpass.ErrUnavailable) {
		return "unavailable"
	}
	return err.Error()
}

// signer holds a key both as hallpass knows it and bare, to sign what hallpass
// would never write.
type signer struct {
	key    hallpass.Key
	secret []byte
	ed     ed25519.PrivateKey
	ec     *ecdsa.PrivateKey
}

func newSigner(t testing.TB, alg hallpass.Algorithm) signer {
	t.Helper()
	return newSignerFor(t, hallpass.PurposePass, alg)
}

func newSignerFor(t testing.TB, purpose hallpass.Purpose, alg hallpass.Algorithm) signer {
	t.Helper()
	key, err := hallpass.GenerateKeyFor(purpose, alg)
	if err != nil {
		t.Fatal(err)
	}
	text, err := key.Reveal()
	if err != nil {
		t.Fatal(err)
	}
	var jwk struct{ K, D, X, Y string }
	if err := json.Unmarshal([]byte(text), &jwk); err != nil {
		t.Fatal(err)
	}
	s := signer{key: key}
	switch alg {
	case hallpass.HS256:
		s.secret = unb64(t, jwk.K)
	case hallpass.EdDSA:
		s.ed = ed25519.NewKeyFromSeed(unb64(t, jwk.D))
	case hallpass.ES256:
		if s.ec, err = ecdsa.ParseRawPrivateKey(elliptic.P256(), unb64(t, jwk.D)); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// sign makes the signature that the key's own algorithm makes.
func (s signer) sign(message []byte) []byte {
	switch {
	case s.ed != nil:
		return ed25519.Sign(s.ed, message)
	case s.ec != nil:
		digest := sha256.Sum256(message)
		r, n, err := ecdsa.Sign(rand.Reader, s.ec, digest[:])
		if err != nil {
			panic(err)
		}
		order := elliptic.P256().Params().N
		if n.Cmp(new(big.Int).Rsh(order, 1)) > 0 {
			n.Sub(order, n)
		}
		return append(r.FillBytes(make([]byte, 32)), n.FillBytes(make([]byte, 32))...)
	}
	return hs256(s.secret, message)
}

func hs256(secret, message []byte) []byte {
	m := hmac.New(sha256.New, secret)
	m.Write(message)
	return m.Sum(nil)
}

// header is the header that hallpass writes for the key, with other members.
func (s signer) header(edits map[string]any) string {
	return object(map[string]any{"alg": string(s.key.Algorithm()), "kid": s.key.ID(), "typ": "pass+jwt"}, edits)
}

// jwt signs a header and a payload as they are.
func (s signer) jwt(header, payload string) string {
	signed := b64(header) + "." + b64(payload)
	return signed + "." + b64(string(s.sign([]byte(signed))))
}

// pass signs a proper pass whose payload has the edits.
func (s signer) pass(edits map[string]any) string { return s.jwt(s.header(nil), claims(edits)) }

const passID = "0195512f-7c00-7000-8000-000000000001"

// claims is the payload of an unrecorded request pass, with edits; nil removes.
func claims(edits map[string]any) string {
	return object(map[string]any{
		"jti": passID, "sub": "report", "mod": "r", "aud": "ada", "max": 10,
		"exp": t0.Add(time.Hour).Unix(), "iat": t0.Unix(), "iss": "hallpass", "unr": true,
	}, edits)
}

func object(members, edits map[string]any) string {
	members = maps.Clone(members)
	for name, value := range edits {
		if members[name] = value; value == nil {
			delete(members, name)
		}
	}
	text, err := json.Marshal(members)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func unb64(t testing.TB, s string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
