package django_test

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/django"
)

const fuzzSecret = "a secret of these tests, thirty-two bytes and more"

var fuzzNow = time.Unix(1772366400, 0).UTC()

func fuzzKey(f testing.TB) django.Key {
	f.Helper()
	key, err := django.ParseKey(fuzzSecret)
	if err != nil {
		f.Fatal(err)
	}
	return key
}

// seedTokens adds the tokens of all vectors.
func seedTokens(f *testing.F) {
	for _, v := range readVectors(f, "testdata/vectors.json").Vectors {
		f.Add(v.Token)
	}
}

// checkAnswer holds what every decoder promises: claims that are JSON, and an error
// that is a refusal.
func checkAnswer(t *testing.T, claims json.RawMessage, err error) {
	t.Helper()
	if err != nil {
		if _, refused := hallpass.RefusalOf(err); !refused {
			t.Fatalf("%v is no refusal", err)
		}
	}
	if len(claims) > 0 && !json.Valid(claims) {
		t.Fatalf("claims are no JSON: %q", claims)
	}
}

func FuzzJudge(f *testing.F) {
	seedTokens(f)
	key := fuzzKey(f)
	age := time.Minute
	cipherKey := bytes.Repeat([]byte{7}, 32)
	f.Fuzz(func(t *testing.T, token string) {
		j := django.Judge{Key: key, Now: fuzzNow}
		claims, err := j.RequestToken(token)
		checkAnswer(t, claims, err)
		claims, err = j.Signed(token, "", &age)
		checkAnswer(t, claims, err)
		claims, err = j.EmailAuth(token, django.EmailAuthRules{Issuer: "i", Audience: "a"})
		checkAnswer(t, claims, err)
		claims, err = j.EmailAuth(token, django.EmailAuthRules{CipherKey: cipherKey})
		checkAnswer(t, claims, err)
	})
}

// FuzzPayload signs what it is given, so that what lies behind the signature is read.
func FuzzPayload(f *testing.F) {
	for _, v := range readVectors(f, "testdata/vectors.json").Vectors {
		f.Add(string(v.Expect.Claims))
	}
	for _, text := range []string{`{"jti":1e999,"sub":"a","mod":"n"}`, `{"exp":NaN}`, `{"exp":"１２"}`, `{"a":"\ud800"}`, strings.Repeat("[", 2000), `{"exp":` + strings.Repeat("9", 5000) + `}`} {
		f.Add(text)
	}
	key := fuzzKey(f)
	issuer := formatsIssuer(f)
	f.Fuzz(func(t *testing.T, payload string) {
		jwt := signJWT(payload)
		claims, err := django.Judge{Key: key, Now: fuzzNow}.RequestToken(jwt)
		checkAnswer(t, claims, err)
		for _, token := range []string{jwt, signValue(t, payload, false), signValue(t, payload, true)} {
			claims, err := django.Judge{Key: key, Now: fuzzNow}.Signed(token, "", nil)
			checkAnswer(t, claims, err)
			// Whatever is honoured by itself must be in bounds.
			v, err := issuer.Verify(hallpass.Presentation{Token: hallpass.NewToken(token)})
			if err == nil && (v.Pass.Scope != "api" || v.Pass.Mode != hallpass.ModeRequest || len(v.Pass.Grants) == 0 || v.Pass.Subject == "" || v.Pass.ExpiresAt.IsZero()) {
				t.Fatalf("honoured: %+v", v.Pass)
			}
			if len(v.Claims) > 0 && !json.Valid(v.Claims) {
				t.Fatalf("claims are no JSON: %q", v.Claims)
			}
		}
	})
}

func FuzzOpen(f *testing.F) {
	seedTokens(f)
	codec, err := django.NewEmailAuth(django.EmailAuthConfig{SigningKey: fuzzSecret, CipherKey: base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))})
	if err != nil {
		f.Fatal(err)
	}
	issuer := formatsIssuer(f)
	f.Fuzz(func(t *testing.T, token string) {
		claims, err := codec.OpenAccess(token, fuzzNow)
		checkAnswer(t, claims, err)
		if _, err := issuer.Verify(hallpass.Presentation{Token: hallpass.NewToken(token)}); err == nil {
			t.Fatalf("honoured %q, which nobody signed", token)
		}
	})
}

// formatsIssuer honours all formats under one secret.
func formatsIssuer(t testing.TB) *hallpass.Issuer {
	t.Helper()
	ring, err := hallpass.NewKeyring()
	if err != nil {
		t.Fatal(err)
	}
	for id, form := range map[string]hallpass.ForeignFormat{"a": django.RequestToken{}, "b": django.ExpiringLinks{}, "c": django.ScopedToken{}} {
		key := hallpass.ForeignKey{ID: id, Key: fuzzSecret, Form: form, Scopes: []hallpass.Scope{"api"}, Modes: allModes}
		if err := ring.AddForeign(key); err != nil {
			t.Fatal(err)
		}
	}
	issuer, err := hallpass.New(hallpass.Config{Keys: ring, Now: func() time.Time { return fuzzNow }})
	if err != nil {
		t.Fatal(err)
	}
	return issuer
}

func TestBombsCostNoMoreThanTheirFuse(t *testing.T) {
	t.Parallel()
	key, issuer := fuzzKey(t), formatsIssuer(t)
	rows := map[string]string{
		"a compressed gigabyte of one letter": signBomb(t, 1<<30),
		"a megabyte of dots":                  strings.Repeat(".", 1<<20),
		"a megabyte of colons":                strings.Repeat(":", 1<<20),
		"deep JSON":                           signJWT(strings.Repeat(`{"a":`, 1<<16)),
		"a number of a million digits":        signJWT(`{"jti":1,"sub":"a","mod":"n","exp":` + strings.Repeat("9", 1<<20) + `}`),
		"a text of a million digits":          signJWT(`{"jti":1,"sub":"a","mod":"n","exp":"` + strings.Repeat("9", 1<<20) + `"}`),
		"a huge exponent":                     signJWT(`{"jti":1,"sub":"a","mod":"n","exp":1e999999999}`),
		"a timestamp of a million digits":     signStamp(strings.Repeat("z", 1<<20)),
		"a hundred thousand claims":           signJWT("{" + strings.TrimSuffix(strings.Repeat(`"a":0,`, 100_000), ",") + "}"),
	}
	for name, token := range rows {
		began := time.Now()
		age := time.Minute
		for _, err := range []error{
			second(django.Judge{Key: key, Now: fuzzNow}.RequestToken(token)), second(django.Judge{Key: key, Now: fuzzNow}.Signed(token, "", &age)),
			second(issuer.Verify(hallpass.Presentation{Token: hallpass.NewToken(token)})),
		} {
			if _, refused := hallpass.RefusalOf(err); !refused {
				t.Errorf("%s: %v", name, err)
			}
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s took %s", name, took)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestACompressedTokenKeepsItsBounds(t *testing.T) {
	t.Parallel()
	good := `{"user":1,"max_age":60,"endpoints":{"GET":["/a"]}}`
	issuer := formatsIssuer(t)
	for _, packed := range []bool{false, true} {
		if _, err := issuer.Verify(hallpass.Presentation{Token: hallpass.NewToken(signValue(t, good, packed))}); err != nil {
			t.Errorf("compressed %v: %v", packed, err)
		}
	}
}

func deflate(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
