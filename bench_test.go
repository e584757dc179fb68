package hallpass_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/hallpass-go/hallpass"
)

// benchSpec is the pass of the measurements: ten claims.
var benchSpec = hallpass.Spec{
	Scope: "newsletter:unsubscribe", Mode: hallpass.ModeRequest, Subject: "1234567", TTL: 24 * time.Hour, NotBefore: t0,
	Batch: "2026-03", Unrecorded: true, MaxUses: 1,
}

// floor is the least any verifier does: decode the three segments and compute
// the MAC.
func floor(secret []byte, text string) bool {
	dot := strings.LastIndexByte(text, '.')
	m := hmac.New(sha256.New, secret)
	m.Write([]byte(text[:dot]))
	parts := strings.Split(text, ".")
	var signature []byte
	for _, p := range parts {
		var err error
		if signature, err = base64.RawURLEncoding.DecodeString(p); err != nil {
			return false
		}
	}
	return hmac.Equal(m.Sum(nil), signature)
}

func golangJWT(s *site) func(string) bool {
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"HS256"}), jwt.WithStrictDecoding(), jwt.WithExpirationRequired(),
		jwt.WithTimeFunc(s.Clock.Now), jwt.WithIssuer("hallpass"))
	return func(text string) bool {
		_, err := parser.ParseWithClaims(text, jwt.MapClaims{}, func(*jwt.Token) (any, error) { return s.Sign.secret, nil })
		return err == nil
	}
}

func BenchmarkVerify(b *testing.B) {
	run := func(name, text string, verify func(string) bool) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !verify(text) {
					b.Fatal("refused")
				}
			}
		})
	}
	for _, alg := range []hallpass.Algorithm{hallpass.HS256, hallpass.EdDSA, hallpass.ES256} {
		s := newSiteWith(b, newSigner(b, alg))
		ours := func(text string) bool {
			_, err := s.Verify(hallpass.Presentation{Token: hallpass.NewToken(text), Scope: benchSpec.Scope})
			return err == nil
		}
		text := s.issue(b, benchSpec).Token.Reveal()
		run(string(alg), text, ours)
		if alg == hallpass.HS256 {
			run("floor", text, func(text string) bool { return floor(s.Sign.secret, text) })
			run("golang-jwt", text, golangJWT(s))
			compact := benchSpec
			compact.Format = hallpass.FormatCompact
			run("compact", s.issue(b, compact).Token.Reveal(), ours)
		}
	}
}

func BenchmarkSign(b *testing.B) {
	for _, alg := range []hallpass.Algorithm{hallpass.HS256, hallpass.EdDSA, hallpass.ES256} {
		for _, format := range []hallpass.Format{hallpass.FormatSigned, hallpass.FormatCompact} {
			b.Run(string(alg)+" "+string(format), func(b *testing.B) {
				s := newSiteWith(b, newSigner(b, alg))
				spec := benchSpec
				spec.Format = format
				b.ReportAllocs()
				for b.Loop() {
					if _, err := s.Issue(b.Context(), spec); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkIssueAll is a newsletter: passes that write nothing.
func BenchmarkIssueAll(b *testing.B) {
	for name, recorded := range map[string]bool{"unrecorded": false, "recorded in memory": true} {
		b.Run(name, func(b *testing.B) {
			s := newSite(b)
			spec := benchSpec
			spec.Unrecorded = !recorded
			b.ReportAllocs()
			n := 0
			specs := func(yield func(hallpass.Spec) bool) {
				for b.Loop() && yield(spec) {
				}
			}
			for _, err := range s.IssueAll(b.Context(), specs) {
				if n++; err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "passes/s")
		})
	}
}

// Not parallel: it counts what the process allocates. The limits leave room for
// the race detector, under which pools forget.
func TestVerifyingAllocatesLittle(t *testing.T) {
	s := newSite(t)
	for format, limit := range map[hallpass.Format]float64{hallpass.FormatSigned: 8, hallpass.FormatCompact: 12} {
		spec := benchSpec
		spec.Format = format
		p := hallpass.Presentation{Token: s.issue(t, spec).Token, Scope: spec.Scope}
		got := testing.AllocsPerRun(100, func() {
			if _, err := s.Verify(p); err != nil {
				t.Fatal(err)
			}
		})
		if got > limit {
			t.Errorf("%s: %v allocations, want at most %v", format, got, limit)
		}
	}
	big := benchSpec
	big.Data = json.RawMessage(`{"a":[` + strings.Repeat(`"x",`, 500) + `1]}`)
	p := hallpass.Presentation{Token: s.issue(t, big).Token}
	if got := testing.AllocsPerRun(100, func() { _, _ = s.Verify(p) }); got > 12 {
		t.Errorf("with data: %v allocations", got)
	}
}
