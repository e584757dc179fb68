package django_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/django"
	"github.com/hallpass-go/hallpass/memstore"
)

// judgeJWT says what django-request-token and jwt-email-auth say to a payload.
func judgeJWT(t *testing.T, payload string, now time.Time, leeway time.Duration) (requestToken, emailAuth error) {
	t.Helper()
	key, err := django.ParseKey(fuzzSecret)
	if err != nil {
		t.Fatal(err)
	}
	j := django.Judge{Key: key, Now: now, Leeway: leeway}
	_, requestToken = j.RequestToken(signJWT(payload))
	_, emailAuth = j.EmailAuth(signJWT(payload), django.EmailAuthRules{})
	return requestToken, emailAuth
}

// TestIssueTimesAreComparedAsPyJWTDoes: `iat` was cut to whole seconds, and the clock
// was not.
func TestIssueTimesAreComparedAsPyJWTDoes(t *testing.T) {
	t.Parallel()
	const began = 1772366400
	at := func(micros int64) time.Time { return time.UnixMicro(began*1e6 + micros) }
	rows := []struct {
		name, claim  string
		now          time.Time
		leeway       time.Duration
		want, wantEA error
	}{
		{"half a second ahead", `"iat":1772366400.5`, at(0), 0, hallpass.RefusalNotYetValid, hallpass.RefusalNotYetValid},
		{"within the second of the clock", `"iat":1772366400.5`, at(900_000), 0, hallpass.RefusalNotYetValid, hallpass.RefusalNotYetValid},
		{"within the leeway", `"iat":1772366400.5`, at(0), 500 * time.Millisecond, nil, nil},
		{"the next second, within a leeway and a fraction of the clock", `"iat":1772366401`, at(900_000), 500 * time.Millisecond, hallpass.RefusalNotYetValid, hallpass.RefusalNotYetValid},
		{"past", `"iat":1772366399.5`, at(0), 0, nil, nil},
		{"a text", `"iat":"1772366395"`, at(0), 0, django.ErrCrash, hallpass.RefusalMalformed},
		{"no number at all", `"iat":"soon"`, at(0), 0, hallpass.RefusalMalformed, hallpass.RefusalMalformed},
		{"true", `"iat":true`, at(0), 0, nil, nil},
		{"infinite", `"iat":Infinity`, at(0), 0, django.ErrCrash, hallpass.RefusalMalformed},
		{"a text in nbf", `"nbf":"1772366395"`, at(0), 0, nil, nil},
	}
	for _, row := range rows {
		got, gotEA := judgeJWT(t, `{"jti":1,"sub":"foo","mod":"n","type":"access",`+row.claim+`}`, row.now, row.leeway)
		if !errors.Is(got, row.want) {
			t.Errorf("%s: %v, want %v", row.name, got, row.want)
		}
		if !errors.Is(gotEA, row.wantEA) || errors.Is(gotEA, django.ErrCrash) {
			t.Errorf("%s, jwt-email-auth: %v, want %v", row.name, gotEA, row.wantEA)
		}
	}
}

// siteWithRow is an issuer with a foreign key and its row 1.
func siteWithRow(t *testing.T, now time.Time, secret string) *hallpass.Issuer {
	t.Helper()
	ring, err := hallpass.NewKeyring()
	if err != nil {
		t.Fatal(err)
	}
	err = ring.AddForeign(hallpass.ForeignKey{
		ID: "site", Key: secret, Form: django.RequestToken{}, Scopes: []hallpass.Scope{"foo"}, Modes: allModes,
	})
	if err != nil {
		t.Fatal(err)
	}
	store := memstore.New()
	row := hallpass.Pass{ID: django.RequestTokenID("site", 1), Scope: "foo", Mode: hallpass.ModePublic, MaxUses: 5, Recorded: true, Key: "site"}
	if err := store.Record(context.Background(), []hallpass.Entry{{Pass: row}}); err != nil {
		t.Fatal(err)
	}
	issuer, err := hallpass.New(hallpass.Config{Keys: ring, Store: store, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	return issuer
}

// TestWhatTheGuardTakesOfAnOddToken: some spellings that Django takes were refused
// for nothing, and a token was good in the second before its fractional `iat`.
func TestWhatTheGuardTakesOfAnOddToken(t *testing.T) {
	t.Parallel()
	issuer := siteWithRow(t, time.Unix(1772366400, 900_000_000), fuzzSecret)
	for payload, want := range map[string]error{
		`{"jti":1,"sub":"foo","mod":"n"}`:                               nil,
		`{"jti":" 1 ","sub":"foo","mod":"n"}`:                           nil,
		`{"jti":"01","sub":"foo","mod":"n"}`:                            nil,
		`{"jti":true,"sub":"foo","mod":"n"}`:                            nil,
		`{"jti":1.5,"sub":"foo","mod":"n"}`:                             hallpass.RefusalMalformed,
		`{"jti":1,"sub":"foo","mod":"n","iat":1772366400.5}`:            hallpass.RefusalNotYetValid,
		`{"jti":1,"sub":"foo","mod":"n","iat":1772366399.5}`:            nil,
		`{"jti":1,"sub":"foo","mod":"n","nbf":"1772366395"}`:            hallpass.RefusalMalformed,
		`{"jti":"` + strings.Repeat("1", 200) + `","sub":"","mod":"n"}`: hallpass.RefusalMalformed,
	} {
		_, _, err := issuer.Check(t.Context(), hallpass.Presentation{Token: hallpass.NewToken(signJWT(payload)), Scope: "foo"})
		// What is malformed may be said to be nobody's.
		if !errors.Is(err, want) && !(want == hallpass.RefusalMalformed && errors.Is(err, hallpass.RefusalUnknownKey)) {
			t.Errorf("%s: %v, want %v", payload, err, want)
		}
	}
	for typ, want := range map[string]error{
		"jwt": nil, "JWT": nil, "at+jwt": hallpass.RefusalWrongType, "pass+jwt": hallpass.RefusalWrongType,
	} {
		signed := urlText([]byte(`{"alg":"HS256","typ":"`+typ+`"}`)) + "." + urlText([]byte(`{"jti":1,"sub":"foo","mod":"n"}`))
		token := signed + "." + macText([]byte(fuzzSecret), signed)
		_, _, err := issuer.Check(t.Context(), hallpass.Presentation{Token: hallpass.NewToken(token), Scope: "foo"})
		if _, refused := hallpass.RefusalOf(err); refused != (want != nil) {
			t.Errorf("typ %s: %v, want %v", typ, err, want)
		}
	}
}

// TestASecretKeyOfStartprojectIsTaken: each key that begins with django-insecure-
// was refused, so that no such site could be left.
func TestASecretKeyOfStartprojectIsTaken(t *testing.T) {
	t.Parallel()
	const secret = "django-insecure-3n0!k9z@x2r5w8q1v4t7y0u6p3s_a+b#c$d%e^f"
	key, err := django.ParseKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	token, err := django.EncodeRequestToken(key, django.RequestTokenRow{ID: 1, Scope: "foo", Mode: hallpass.ModePublic, MaxUses: 5}, django.Release2_3)
	if err != nil {
		t.Fatal(err)
	}
	issuer := siteWithRow(t, time.Unix(1772366400, 0), secret)
	if _, _, err := issuer.Check(t.Context(), hallpass.Presentation{Token: hallpass.NewToken(token), Scope: "foo"}); err != nil {
		t.Error(err)
	}
	if _, err := hallpass.ParseKey(secret, "own"); err == nil {
		t.Error("hallpass itself would sign with it")
	}
}

// TestDELIsEscapedAsPythonDoes: json.dumps with ensure_ascii writes it as \\u007f.
func TestDELIsEscapedAsPythonDoes(t *testing.T) {
	t.Parallel()
	key, err := django.ParseKey(fuzzSecret)
	if err != nil {
		t.Fatal(err)
	}
	token, err := django.DumpSigned(key, json.RawMessage("\"a\x7f\""), time.Unix(1, 0), nil)
	if err != nil {
		t.Fatal(err)
	}
	payload, _, _ := strings.Cut(token, ":")
	if text, err := base64.RawURLEncoding.DecodeString(payload); err != nil || string(text) != `"a\u007f"` {
		t.Errorf("%s, %v", text, err)
	}
}

// TestAVectorsLongAgeIsNotNegative: a large max_age of a vector became a
// negative one.
func TestAVectorsLongAgeIsNotNegative(t *testing.T) {
	t.Parallel()
	if d := floatDuration(1e12); d <= 0 {
		t.Errorf("%v", d)
	}
}
