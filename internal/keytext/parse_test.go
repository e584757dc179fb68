package keytext_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/hallpass-go/hallpass/internal/keytext"
)

func TestParseRecognisesKeysByShape(t *testing.T) {
	t.Parallel()
	ed, ec, hs := generate(t, keytext.EdDSA), generate(t, keytext.ES256), generate(t, keytext.HS256)
	named := ed
	named.ID = "key-1"
	oneLine := strings.ReplaceAll(strings.TrimSpace(openSSH(t, ed.Private, "")), "\n", "|")
	// The curve block that openssl ecparam -genkey writes first: prime256v1.
	curve := block("EC PARAMETERS", []byte{0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07})
	x := base64.RawURLEncoding.EncodeToString(ed.Public.(ed25519.PublicKey))

	tests := []struct {
		name string
		text string
		want keytext.Material
	}{
		{"a PKCS#8 Ed25519 key", pkcs8(t, ed), ed},
		{"a PKCS#8 P-256 key", pkcs8(t, ec), ec},
		{"a PKIX Ed25519 key", pkix(t, ed), publicOnly(ed)},
		{"a PKIX P-256 key", pkix(t, ec), publicOnly(ec)},
		{"a SEC 1 P-256 key", sec1(t, ec), ec},
		{"a SEC 1 key after its curve block", curve + sec1(t, ec), ec},
		{"PEM without its last line break", strings.TrimSpace(pkcs8(t, ed)), ed},
		{"PEM with Windows line breaks", strings.ReplaceAll(pkcs8(t, ed), "\n", "\r\n"), ed},
		{"PEM with white space around it", "\n  " + pkcs8(t, ed) + "\n\n", ed},
		{"PEM after a byte order mark", "\ufeff" + pkcs8(t, ed), ed},
		{"PEM on one line", strings.ReplaceAll(pkcs8(t, ed), "\n", "|"), ed},
		{"an OpenSSH private key", openSSH(t, ed.Private, ""), ed},
		{"an OpenSSH private key without its last line break", strings.TrimSpace(openSSH(t, ed.Private, "")), ed},
		{"an OpenSSH private key on one line", oneLine, ed},
		{"an OpenSSH private key on one line with a line break after it", oneLine + "\n", ed},
		{"an OpenSSH private key on one line with a bar at its end", oneLine + "|", ed},
		{"an OpenSSH P-256 private key", openSSH(t, ec.Private, ""), ec},
		{"an OpenSSH public key", sshLine(t, ed.Public), publicOnly(ed)},
		{"an OpenSSH public key with a comment of several words", strings.TrimSpace(sshLine(t, ed.Public)) + " alice at work", publicOnly(ed)},
		{"an OpenSSH P-256 public key", sshLine(t, ec.Public), publicOnly(ec)},
		{"a private OKP JWK", jwk(t, ed, true), ed},
		{"a public OKP JWK", jwk(t, ed, false), publicOnly(ed)},
		{"a private EC JWK", jwk(t, ec, true), ec},
		{"a public EC JWK", jwk(t, ec, false), publicOnly(ec)},
		{"an oct JWK", jwk(t, hs, true), hs},
		{"a JWK with a kid", jwk(t, named, true), named},
		{"a JWK that states neither alg nor use", `{"kty":"OKP","crv":"Ed25519","x":"` + x + `"}`, publicOnly(ed)},
		{"a JWK with the alg of RFC 9864", `{"kty":"OKP","crv":"Ed25519","alg":"Ed25519","x":"` + x + `"}`, publicOnly(ed)},
		{"a JWK as Web Crypto exports it", `{"kty":"OKP","crv":"Ed25519","key_ops":["verify"],"ext":true,"x":"` + x + `"}`, publicOnly(ed)},
		{"a JWK with unknown members", ` {"kty":"OKP","crv":"Ed25519","x5u":"https://example.com","more":{"a":[1,null]},"x":"` + x + `"} `, publicOnly(ed)},
		{"a shared secret", "a shared secret", keytext.Material{Algorithm: keytext.HS256, Secret: []byte("a shared secret")}},
		{"a shared secret with white space, kept", " s \n", keytext.Material{Algorithm: keytext.HS256, Secret: []byte(" s \n")}},
		{"a shared secret with a bar, kept", "a|b", keytext.Material{Algorithm: keytext.HS256, Secret: []byte("a|b")}},
		{"a shared secret beyond ASCII", "clé-Ω", keytext.Material{Algorithm: keytext.HS256, Secret: []byte("clé-Ω")}},
		{"a base64: prefix means nothing", "base64:c2VjcmV0", keytext.Material{Algorithm: keytext.HS256, Secret: []byte("base64:c2VjcmV0")}},
		{"a hex: prefix means nothing", "hex:00ff", keytext.Material{Algorithm: keytext.HS256, Secret: []byte("hex:00ff")}},
		{"a secret that begins with a bracket", "[x]{y}", keytext.Material{Algorithm: keytext.HS256, Secret: []byte("[x]{y}")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			same(t, parse(t, tt.text), tt.want)
		})
	}
}

func TestParseReadsTheKeysOfJWTEmailAuth(t *testing.T) {
	t.Parallel()
	for name, key := range publicTestKeys(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := parse(t, key.OneLine)
			if m.Algorithm != keytext.EdDSA || m.Private == nil {
				t.Fatalf("got %v", m)
			}
			if got := hex.EncodeToString(m.Public.(ed25519.PublicKey)); got != key.Public {
				t.Errorf("public half %s, want %s", got, key.Public)
			}
			if key.SSHLine != "" {
				same(t, parse(t, key.SSHLine), publicOnly(m))
			}
		})
	}
}

func TestParseRefusesWhatIsNoUsableKeyAndNeverMakesASecretOfIt(t *testing.T) {
	t.Parallel()
	ed, ec, other := generate(t, keytext.EdDSA), generate(t, keytext.ES256), generate(t, keytext.EdDSA)
	rsaPair, wide := rsaKey(t), p384(t)
	public := pkix(t, ed)
	bare := strings.TrimSpace(strings.NewReplacer("-----BEGIN PUBLIC KEY-----", "", "-----END PUBLIC KEY-----", "").Replace(public))
	der, _ := pem.Decode([]byte(pkcs8(t, ed)))
	edLine := strings.TrimSpace(sshLine(t, ed.Public))
	mixed := append(ed25519.PrivateKey(nil), ed.Private.(ed25519.PrivateKey)...)
	copy(mixed[32:], other.Public.(ed25519.PublicKey))
	var utf16 strings.Builder
	for _, r := range public {
		utf16.WriteByte(byte(r))
		utf16.WriteByte(0)
	}

	tests := []struct {
		name string
		text string
		says string // part of the sentence
	}{
		{"no text", "", "empty"},
		{"only white space", " \n\t", "empty"},
		{"too much text", strings.Repeat("k", keytext.MaxSize+1), "64 KiB"},
		{"bytes that are no text", "\xff\xfe secret", "UTF-8"},
		{"a PEM file in UTF-16", utf16.String(), "UTF-8"},

		{"PKCS#8 RSA", anyPKCS8(t, rsaPair), "RSA"},
		{"PKIX RSA", anyPKIX(t, &rsaPair.PublicKey), "RSA"},
		{"PKCS#1 RSA", block("RSA PRIVATE KEY", []byte("x")), "RSA"},
		{"PKCS#8 P-384", anyPKCS8(t, wide), "curve"},
		{"PKIX P-384", anyPKIX(t, &wide.PublicKey), "curve"},
		{"an encrypted PKCS#8 key", block("ENCRYPTED PRIVATE KEY", []byte("x")), "passphrase"},
		{"a key encrypted the old way", "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\neA==\n-----END EC PRIVATE KEY-----\n", "passphrase"},
		{"a certificate", block("CERTIFICATE", []byte("x")), "certificate"},
		{"another kind of PEM", block("PGP PUBLIC KEY BLOCK", []byte("x")), "not supported"},
		{"PEM that is cut off", public[:len(public)/2], "PEM"},
		{"only the first line of PEM", "-----BEGIN", "PEM"},
		{"PEM whose body is not base64", strings.Replace(public, "M", "!", 1), "PEM"},
		{"PEM whose body is no key", block("PUBLIC KEY", []byte("x")), "PEM"},
		{"a private key with bytes after it", block("PRIVATE KEY", append(der.Bytes, 0)), "PEM"},
		{"two PEM keys", public + public, "after"},
		{"a good PEM key after a broken one", "-----BEGIN BROKEN\n" + public, "PEM"},
		{"PEM with text before it", "my key:\n" + public, "alone"},

		{"OpenSSH with a passphrase", openSSH(t, ed.Private, "pass"), "passphrase"},
		{"OpenSSH RSA", openSSH(t, rsaPair, ""), "RSA"},
		{"OpenSSH P-384", openSSH(t, wide, ""), "curve"},
		{"a broken OpenSSH key", block("OPENSSH PRIVATE KEY", []byte("x")), "OpenSSH"},
		{"an OpenSSH key of two halves", openSSH(t, mixed, ""), "belong"},
		{"an OpenSSH RSA public key", sshLine(t, &rsaPair.PublicKey), "RSA"},
		{"an OpenSSH P-384 public key", sshLine(t, &wide.PublicKey), "not supported"},
		{"an OpenSSH public key without its key", "ssh-ed25519", "OpenSSH"},
		{"an OpenSSH public key that is cut off", edLine[:40], "OpenSSH"},
		{"an OpenSSH public key of another type than stated", strings.Replace(edLine, "ssh-ed25519", "ecdsa-sha2-nistp256", 1), "OpenSSH"},
		{"an OpenSSH public key with base64 that has a second spelling", edLine[:len(edLine)-1] + "=", "OpenSSH"},
		{"two OpenSSH public keys", edLine + "\n" + edLine, "OpenSSH"},
		{"anything that begins with ssh-", "ssh-hunter2 and more", "not supported"},
		{"a line of authorized_keys with options", "no-pty " + edLine, "alone"},
		{"a line of known_hosts", "example.com " + edLine, "alone"},
		{"a commented file of public keys", "# keys\n" + edLine, "alone"},
		{"an SSH2 public key", "---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----", "alone"},
		{"a PuTTY key", "PuTTY-User-Key-File-3: ssh-ed25519", "alone"},
		{"a PKIX key without its PEM lines", bare, "alone"},
		{"a PKIX P-256 key without its PEM lines, in base64url", strings.NewReplacer("+", "-", "/", "_", "\n", "").Replace(strings.Join(strings.Split(pkix(t, ec), "\n")[1:3], "")), "alone"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			refused(t, tt.text, tt.says)
		})
	}
}

// refused fails the test unless Parse refuses with a sentence that holds says
// and nothing of the text.
func refused(t *testing.T, text, says string) {
	t.Helper()
	m, err := keytext.Parse(text)
	if err == nil {
		t.Fatalf("got %v, want a refusal", m)
	}
	if m.Algorithm != "" || m.Secret != nil || m.Private != nil || m.Public != nil {
		t.Errorf("got %v beside the error", m)
	}
	if !strings.Contains(err.Error(), says) {
		t.Errorf("the error %q does not say %q", err, says)
	}
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \n|\"", r) }) {
		if len(word) >= 20 && strings.Contains(err.Error(), word) {
			t.Errorf("the error %q holds key text", err)
		}
	}
}

// A verifier computes R = S*B - h*A. With S = 0 and A of small order that is
// the identity for at least every eighth message, so nobody has to know a
// private key. The test shows it for each point and that Parse refuses it.
func TestParseRefusesPointsForWhichAnybodyCanSign(t *testing.T) {
	t.Parallel()
	forged := make([]byte, ed25519.SignatureSize)
	forged[0] = 1 // R is the identity, S is 0
	for _, y := range []string{
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	} {
		for _, sign := range []byte{0x00, 0x80} {
			point, err := hex.DecodeString(y)
			if err != nil {
				t.Fatal(err)
			}
			point[31] |= sign
			accepted := false
			for i := range 256 {
				accepted = accepted || ed25519.Verify(point, []byte{byte(i)}, forged)
			}
			if !accepted {
				t.Errorf("%x takes no forged signature, so it is no point of small order", point)
			}
			refused(t, anyPKIX(t, ed25519.PublicKey(point)), "small order")
			refused(t, sshLine(t, ed25519.PublicKey(point)), "small order")
			refused(t, `{"kty":"OKP","crv":"Ed25519","x":"`+base64.RawURLEncoding.EncodeToString(point)+`"}`, "JWK")
		}
	}
}
