package keytext_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/hallpass-go/hallpass/internal/keytext"
)

// All keys in this file are published elsewhere; that is what it tests.

func TestCheckRefusesPublishedKeys(t *testing.T) {
	t.Parallel()
	hmac := "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
	tests := []struct {
		name string
		text string
	}{
		{"the default key of jwt-email-auth", publicTestKeys(t)["jea_example"].OneLine},
		{"RFC 7515 A.1", `{"kty":"oct","k":"` + hmac + `"}`},
		{"RFC 7515 A.1 as text", hmac},
		{"RFC 7515 A.3", `{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}`},
		{"RFC 7517 A.1, the public half", `{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}`},
		{"RFC 7517 A.3", `{"kty":"oct","k":"GawgguFyGrWKav7AX4VKUg"}`},
		{"RFC 7520 3.5", `{"kty":"oct","k":"hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg"}`},
		{"RFC 8037 A.1", `{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`},
		{"the P-256 key 1", `{"kty":"EC","crv":"P-256","x":"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY","y":"T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU"}`},
		{"the ES256 key of jwt.io", "-----BEGIN PUBLIC KEY-----|MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEVs/o5+uQbTjL3chynL4wXgUg2R9|q9UU8I5mEovUf86QZ7kOBIjJwqnzD1omageEHWwHdBO6B+dFabmdT9POxg==|-----END PUBLIC KEY-----"},
		{"the old secret of jwt.io", "your-256-bit-secret"},
		{"the new secret of jwt.io", "a-string-secret-at-least-256-bits-long"},
		{"the new secret of jwt.io with a line break", "a-string-secret-at-least-256-bits-long\n"},
		{"the new secret of jwt.io in capitals", "A-STRING-SECRET-AT-LEAST-256-BITS-LONG"},
		{"the secret of jwt.io for HS384", "a-valid-string-secret-that-is-at-least-384-bits-long"},
		{"the secret of jwt.io for HS512", "a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long"},
		{"the secret of the FastAPI tutorial", "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7"},
		{"the secret of many Spring Boot tutorials", "404E635266556A586E3272357538782F413F4428472B4B6250645367566B5970"},
		{"the secret of Supabase", "your-super-secret-jwt-token-with-at-least-32-characters-long"},
		{"a Django placeholder", "django-insecure-3n0!k9z@x2r5w8q1v4t7y0u6p3s_a+b#c$d%e^f"},
		{"secret", "secret"},
		{"changeme", "changeme"},
		{"a long change-me", "CHANGE_ME-before-you-go-to-production-please"},
		{"a long change this", "change this before you go to production"},
		{"the digits", "12345678901234567890123456789012"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := parse(t, tt.text)
			for name, check := range map[string]func(keytext.Material) error{"Check": keytext.Check, "CheckKnown": keytext.CheckKnown} {
				if err := check(m); err == nil || !strings.Contains(err.Error(), "published") {
					t.Errorf("%s: got %v", name, err)
				}
			}
		})
	}
}

// TestCheckForeignTakesTheKeysThatStartprojectGenerates: each site whose SECRET_KEY
// begins with django-insecure- was refused as if that key were published.
func TestCheckForeignTakesTheKeysThatStartprojectGenerates(t *testing.T) {
	t.Parallel()
	const generated = "django-insecure-3n0!k9z@x2r5w8q1v4t7y0u6p3s_a+b#c$d%e^f"
	for _, short := range []bool{false, true} {
		if err := keytext.CheckForeign(parse(t, generated), short); err != nil {
			t.Errorf("short %v: %v", short, err)
		}
		for name, text := range map[string]string{
			"the prefix alone":                "django-insecure-",
			"too little behind it":            "django-insecure-3n0!k9z@x2r5w8q1v4t7y0u6p3s_a+b",
			"what hardly varies behind it":    "django-insecure-" + strings.Repeat("x1", 30),
			"a published secret behind it":    "django-insecure-a-string-secret-at-least-256-bits-long",
			"change-me behind it":             "django-insecure-change-me-before-you-go-to-production-please",
			"another spelling of the prefix":  "Django_Insecure_3n0!k9z@x2r5w8q1v4t7y0u6p3s_a+b#c$d%e^f",
			"a published secret":              "a-string-secret-at-least-256-bits-long",
			"the default key of another site": publicTestKeys(t)["jea_example"].OneLine,
		} {
			if err := keytext.CheckForeign(parse(t, text), short); err == nil || !strings.Contains(err.Error(), "published") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	weak := parse(t, "weak and short")
	if err := keytext.CheckForeign(weak, true); err != nil {
		t.Error(err)
	}
	if err := keytext.CheckForeign(weak, false); err == nil {
		t.Error("a short secret was taken without being asked to")
	}
}

func TestCheckRefusesWeakSecrets(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		text string
		says string
	}{
		{"31 bytes", "abcdefghijklmnopqrstuvwxyz-0123", "needs at least 32 bytes; this one has 31; make one with `openssl rand -base64 32`"},
		{"one character, repeated", strings.Repeat("k", 64), "different bytes"},
		{"seven characters, repeated", strings.Repeat("abcdefg", 9), "different bytes"},
		{"a short word, repeated", strings.Repeat("secret", 8), "different bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := parse(t, tt.text)
			if err := keytext.Check(m); err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want a sentence with %q", err, tt.says)
			}
			// A foreign format may carry it by an explicit flag.
			if err := keytext.CheckKnown(m); err != nil {
				t.Errorf("CheckKnown: %v", err)
			}
		})
	}
}

func TestCheckRefusesASecretThatIsThePublicKeyOfAnother(t *testing.T) {
	t.Parallel()
	for _, algorithm := range []string{keytext.EdDSA, keytext.ES256} {
		m := generate(t, algorithm)
		lines := strings.Split(strings.TrimSpace(pkix(t, m)), "\n")
		bare := strings.Join(lines[1:len(lines)-1], "")
		der, err := base64.StdEncoding.DecodeString(bare)
		if err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{
			"PEM": pkix(t, m), "SSH": sshLine(t, m.Public), "JWK": jwk(t, m, false),
			"PEM without its lines": bare, "DER": string(der),
		} {
			// Parse takes none of these for a secret, an oct JWK may hold one.
			hidden := parse(t, jwk(t, keytext.Material{Algorithm: keytext.HS256, Secret: []byte(text)}, true))
			if err := keytext.Check(hidden); err == nil || !strings.Contains(err.Error(), "public") {
				t.Errorf("%s of an %s key as a secret: got %v", name, algorithm, err)
			}
		}
	}
}

func TestCheckAcceptsGoodKeys(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"64 hexadecimal digits":     "a770a672aff02deb28839ea47123940105ca8f379500351bc4cdef334decff2e",
		"a sentence of 32 bytes":    "correct horse battery staple, 32",
		"text beyond ASCII":         "clé-sécrète-Ω-partagée-0123456789",
		"a test key":                publicTestKeys(t)["jea_ed"].OneLine,
		"a key that only verifies":  pkix(t, generate(t, keytext.ES256)),
		"32 bytes with 8 different": strings.Repeat("abcdefgh", 4),
	} {
		if err := keytext.Check(parse(t, text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := keytext.Check(keytext.Material{}); err == nil {
		t.Error("no key passes")
	}
}
