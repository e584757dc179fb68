package keytext_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/hallpass-go/hallpass/internal/keytext"
)

// publicTestKey is an entry of testdata/public-test-keys.json.
type publicTestKey struct {
	OneLine string `json:"signing_key_env"` // OpenSSH PEM with | for line breaks
	Public  string `json:"public_hex"`
	SSHLine string `json:"public_openssh"`
}

func publicTestKeys(t testing.TB) map[string]publicTestKey {
	t.Helper()
	text, err := os.ReadFile("testdata/public-test-keys.json")
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		t.Fatal(err)
	}
	delete(members, "note")
	keys := map[string]publicTestKey{}
	for name, raw := range members {
		var key publicTestKey
		if err := json.Unmarshal(raw, &key); err != nil {
			t.Fatal(err)
		}
		keys[name] = key
	}
	return keys
}

func generate(t testing.TB, algorithm string) keytext.Material {
	t.Helper()
	m, err := keytext.Generate(algorithm)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func parse(t testing.TB, text string) keytext.Material {
	t.Helper()
	m, err := keytext.Parse(text)
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	return m
}

func jwk(t testing.TB, m keytext.Material, private bool) string {
	t.Helper()
	text, err := keytext.MarshalJWK(m, private)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func pkix(t testing.TB, m keytext.Material) string {
	t.Helper()
	text, err := keytext.MarshalPEM(m, false)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func pkcs8(t testing.TB, m keytext.Material) string {
	t.Helper()
	text, err := keytext.MarshalPEM(m, true)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func sec1(t testing.TB, m keytext.Material) string {
	t.Helper()
	der, err := x509.MarshalECPrivateKey(m.Private.(*ecdsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	return block("EC PRIVATE KEY", der)
}

func openSSH(t testing.TB, key crypto.PrivateKey, passphrase string) string {
	t.Helper()
	made, err := ssh.MarshalPrivateKey(key, "a comment")
	if passphrase != "" {
		made, err = ssh.MarshalPrivateKeyWithPassphrase(key, "a comment", []byte(passphrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(made))
}

// sshLine ends with a line break, as ssh-keygen writes it.
func sshLine(t testing.TB, public crypto.PublicKey) string {
	t.Helper()
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return string(ssh.MarshalAuthorizedKey(key))
}

func block(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func anyPKCS8(t testing.TB, key crypto.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return block("PRIVATE KEY", der)
}

func anyPKIX(t testing.TB, key crypto.PublicKey) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return block("PUBLIC KEY", der)
}

func p384(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func rsaKey(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// same fails the test unless both hold the same key, private half included.
func same(t testing.TB, got, want keytext.Material) {
	t.Helper()
	if got.Algorithm != want.Algorithm || string(got.Secret) != string(want.Secret) || got.ID != want.ID {
		t.Fatalf("got %v, want %v", got, want)
	}
	type private interface{ Equal(crypto.PrivateKey) bool }
	if (got.Private == nil) != (want.Private == nil) ||
		got.Private != nil && !got.Private.(private).Equal(want.Private) {
		t.Fatalf("the private half of %v differs from that of %v", got, want)
	}
	type public interface{ Equal(crypto.PublicKey) bool }
	if (got.Public == nil) != (want.Public == nil) ||
		got.Public != nil && !got.Public.(public).Equal(want.Public) {
		t.Fatalf("the public half of %v differs from that of %v", got, want)
	}
}

// publicOnly is m without its private half.
func publicOnly(m keytext.Material) keytext.Material {
	m.Private = nil
	return m
}
