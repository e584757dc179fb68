package keytext_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/hallpass-go/hallpass/internal/keytext"
)

func TestMaterialShowsItselfRedactedEverywhere(t *testing.T) {
	t.Parallel()
	secret := "sesame-sesame-0123456789-open-now"
	m := parse(t, secret)
	m.ID = "key-1"
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("a key", "key", m)
	slog.New(slog.NewTextHandler(&log, nil)).Info("a key", "key", &m)
	text, err := json.Marshal(map[string]any{"key": m, "keys": []*keytext.Material{&m}})
	if err != nil {
		t.Fatal(err)
	}
	shown := log.String() + string(text) + m.String()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T %o"} {
		shown += fmt.Sprintf(verb, m) + fmt.Sprintf(verb, &m) + fmt.Sprintf(verb, []keytext.Material{m})
	}
	bytesOf := func(format, between string) string {
		var parts []string
		for _, b := range []byte(secret[:6]) {
			parts = append(parts, fmt.Sprintf(format, b))
		}
		return strings.Join(parts, between)
	}
	for _, trace := range []string{secret[:6], hex.EncodeToString([]byte(secret[:6])), bytesOf("%d", " "), bytesOf("%#x", ", "), bytesOf("%o", " ")} {
		if strings.Contains(strings.ToLower(shown), trace) {
			t.Errorf("the secret shows as %q in %s", trace, shown)
		}
	}
	if got, want := fmt.Sprint(m), `HS256 secret "key-1"`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestStringNamesTheKindOfKey(t *testing.T) {
	t.Parallel()
	ed := generate(t, keytext.EdDSA)
	for want, m := range map[string]keytext.Material{
		"EdDSA private key": ed,
		"EdDSA public key":  publicOnly(ed),
		"HS256 secret":      generate(t, keytext.HS256),
		"no key":            {},
	} {
		if got := m.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestGenerateMakesKeysThatRoundTripAndPassTheCheck(t *testing.T) {
	t.Parallel()
	for _, algorithm := range []string{keytext.HS256, keytext.EdDSA, keytext.ES256} {
		t.Run(algorithm, func(t *testing.T) {
			t.Parallel()
			// Random bytes must not look like the beginning of some key text:
			// one in 256 secrets begins with a brace.
			for range 1024 {
				m := generate(t, algorithm)
				if m.Algorithm != algorithm {
					t.Fatalf("got %v", m)
				}
				if err := keytext.Check(m); err != nil {
					t.Fatal(err)
				}
				if algorithm != keytext.HS256 {
					break
				}
			}
			m := generate(t, algorithm)
			m.ID = "key-1"
			same(t, parse(t, jwk(t, m, true)), m)
			if algorithm == keytext.HS256 {
				return
			}
			same(t, parse(t, jwk(t, m, false)), publicOnly(m))
			m.ID = ""
			same(t, parse(t, pkcs8(t, m)), m)
		})
	}
	if m, err := keytext.Generate("none"); err == nil {
		t.Errorf("Generate(none) gave %v", m)
	}
}

func TestFingerprint(t *testing.T) {
	t.Parallel()
	// RFC 8037 appendix A.3 states this thumbprint for the key of A.1 and A.2.
	rfc := parse(t, `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`)
	if got, want := keytext.Fingerprint(rfc), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"; got != want {
		t.Errorf("RFC 8037 A.3: got %s, want %s", got, want)
	}
	// Pinned: stored keys are found again by it.
	secret := keytext.Material{Algorithm: keytext.HS256, Secret: []byte("a secret of at least thirty-two bytes")}
	if got, want := keytext.Fingerprint(secret), "y-fXRgxR1iNfDdiY"; got != want {
		t.Errorf("secret: got %s, want %s", got, want)
	}
	for _, algorithm := range []string{keytext.EdDSA, keytext.ES256} {
		m := generate(t, algorithm)
		if keytext.Fingerprint(m) != keytext.Fingerprint(publicOnly(m)) {
			t.Errorf("the halves of an %s key differ in their fingerprint", algorithm)
		}
		named := m
		named.ID = "another"
		if keytext.Fingerprint(m) != keytext.Fingerprint(named) {
			t.Error("the fingerprint depends on the kid")
		}
	}
	if a, b := generate(t, keytext.HS256), generate(t, keytext.HS256); keytext.Fingerprint(a) == keytext.Fingerprint(b) {
		t.Error("two secrets have the same fingerprint")
	}
	if got := keytext.Fingerprint(keytext.Material{}); got != "" {
		t.Errorf("no key has the fingerprint %q", got)
	}
}
