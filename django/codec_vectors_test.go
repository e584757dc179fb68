package django_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/django"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

func floatTime(s *float64) time.Time {
	if s == nil {
		return time.Time{}
	}
	return time.UnixMicro(int64(*s * 1e6)).UTC()
}

// floatDuration is as long as a Duration can be where it would be longer.
func floatDuration(s float64) time.Duration {
	switch longest := float64(math.MaxInt64) / float64(time.Second); {
	case s >= longest:
		return math.MaxInt64
	case s <= -longest:
		return math.MinInt64
	}
	return time.Duration(s * float64(time.Second))
}

// verdictOf names an exact decoder's answer as the vectors do.
func verdictOf(t testing.TB, v vector, err error) string {
	t.Helper()
	_, refused := hallpass.RefusalOf(err)
	switch {
	case err == nil:
		return "valid"
	case !refused:
		t.Errorf("%s: %v is no verdict", v.ID, err)
	}
	return "refused" // also where the package is thought to fail: here that is a refusal
}

// A crash that is foreseen was no refusal, so a vector that says "refused" differed.
func TestAForeseenCrashIsARefusal(t *testing.T) {
	t.Parallel()
	err := errors.Join(hallpass.RefusalMalformed, django.ErrCrash)
	for verdict, want := range map[string]int{"refused": 0, "server_error": 1, "valid": 1} {
		if d := compareDecode(t, vector{Expect: vectorExpect{Verdict: verdict}}, nil, err); len(d) != want {
			t.Errorf("%s: %v", verdict, d)
		}
	}
}

func compareDecode(t testing.TB, v vector, claims json.RawMessage, err error) (d differences) {
	t.Helper()
	d.want("verdict", verdictOf(t, v, err), v.Expect.Verdict)
	if v.Expect.Verdict == "valid" && err == nil {
		d.wantJSON("claims", claims, v.Expect.Claims)
	}
	return d
}

func runRequestTokenDecode(t *trial, v vector) differences {
	claims, err := django.Judge{Key: v.key(t), Now: v.now(t)}.RequestToken(v.Token)
	d := compareDecode(t, v, claims, err)
	return append(d, viewDifferences(t, v)...)
}

func runRequestTokenEncode(t *trial, v vector) (d differences) {
	db := v.db(t)
	row := db.Tokens[0]
	releases := map[string]django.Release{"0.14.1": django.Release0_14, "2.3.1": django.Release2_3, "2.4.0": django.Release2_4}
	r := django.RequestTokenRow{
		ID: row.ID, Scope: row.Scope, Mode: modeOf(row.Mode), MaxUses: row.MaxUses, User: userID(db, row.User),
		Expires: floatTime(row.Exp), NotUntil: floatTime(row.NBF), Issued: floatTime(row.IAT),
	}
	got, err := django.EncodeRequestToken(v.key(t), r, releases[v.Version])
	d.want("error", err, nil)
	d.want("token", got, v.Expect.Token)
	return d
}

func modeOf(letter string) hallpass.Mode {
	return map[string]hallpass.Mode{"n": hallpass.ModePublic, "r": hallpass.ModeRequest, "s": hallpass.ModeSession}[letter]
}

func userID(db vectorDB, name *string) string {
	if name != nil {
		for _, u := range db.Users {
			if u.Username == *name {
				return itoa(u.ID)
			}
		}
	}
	return ""
}

func runTokenise(t *trial, v vector) (d differences) {
	var in struct{ URL, Param string }
	unmarshal(t, v.Input, &in)
	got, err := hallpass.Link(in.URL, hallpass.NewToken(v.Token), in.Param)
	d.want("error", err, nil)
	d.want("url", got, v.Expect.URL)
	return d
}

func unmarshal(t testing.TB, text json.RawMessage, to any) {
	t.Helper()
	if err := json.Unmarshal(text, to); err != nil {
		t.Fatal(err)
	}
}

func runSigningLoads(t *trial, v vector) differences {
	var in struct {
		Salt   string
		MaxAge *float64 `json:"max_age"`
	}
	unmarshal(t, v.Input, &in)
	var maxAge *time.Duration
	if in.MaxAge != nil {
		d := floatDuration(*in.MaxAge)
		maxAge = &d
	}
	claims, err := django.Judge{Key: v.key(t), Now: v.now(t)}.Signed(v.Token, in.Salt, maxAge)
	return compareDecode(t, v, claims, err)
}

func runSigningDumps(t *trial, v vector) (d differences) {
	var in struct {
		User      json.RawMessage
		Endpoints json.RawMessage
		MaxAge    int64 `json:"max_age"`
		Recipient *string
		Algorithm string
		Salt      string
	}
	unmarshal(t, v.Input, &in)
	spec := django.ScopedTokenSpec{
		User: userOf(t, in.User), Endpoints: endpointsOf(t, in.Endpoints),
		MaxAge: floatDuration(float64(in.MaxAge)).Truncate(time.Second), Recipient: in.Recipient,
	}
	got, err := django.EncodeScopedToken(v.key(t), spec, v.now(t), &django.SigningOptions{Salt: in.Salt, SHA1: in.Algorithm == "sha1"})
	d.want("error", err, nil)
	d.want("token", got, v.Expect.Token)
	return d
}

// userOf is an id as text, whether it is a text or a number.
func userOf(t testing.TB, id json.RawMessage) (text string) {
	t.Helper()
	if json.Unmarshal(id, &text) == nil {
		return text
	}
	var number json.Number
	unmarshal(t, id, &number)
	return number.String()
}

// endpointsOf keeps the order of the text.
func endpointsOf(t testing.TB, text json.RawMessage) (out []django.Endpoint) {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(string(text)))
	if _, err := dec.Token(); err != nil {
		t.Fatal(err)
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			t.Fatal(err)
		}
		e := django.Endpoint{Method: fmt.Sprint(name)}
		if err := dec.Decode(&e.Paths); err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	return out
}

func runEmailAuthToken(t *trial, v vector) (d differences) {
	key, err := django.ParseKey(v.file.Keys[v.Key].text())
	if err != nil {
		return differences{"the key is refused: " + err.Error()}
	}
	rules := django.EmailAuthRules{
		Refresh: v.TokenClass == "RefreshToken", Issuer: v.Config.Issuer, Audience: v.Config.Audience,
		NotBefore: v.Config.NotBefore != nil, ExpectedClaims: v.Config.ExpectedClaims, Rotate: v.Config.Rotate,
	}
	if v.Config.CipherKey != "" {
		if rules.CipherKey, err = django.ParseCipherKey(v.Config.CipherKey); err != nil {
			return differences{"the key is refused: " + err.Error()}
		}
	}
	claims, err := django.Judge{Key: key, Now: v.now(t), Leeway: floatDuration(v.Config.Leeway)}.EmailAuth(v.Token, rules)
	return compareDecode(t, v, claims, err)
}

func runEmailAuthIssue(t *trial, v vector) (d differences) {
	cfg := django.EmailAuthConfig{
		SigningKey: v.file.Keys[v.Key].text(), AllowShort: true, CipherKey: v.Config.CipherKey, Issuer: v.Config.Issuer, Audience: v.Config.Audience,
		Headers: v.Config.Headers, AccessTTL: floatDuration(v.Config.AccessTTL), RefreshTTL: floatDuration(v.Config.RefreshTTL),
	}
	if v.Config.NotBefore != nil {
		cfg.NotBefore = floatDuration(*v.Config.NotBefore)
	}
	codec, err := django.NewEmailAuth(cfg)
	if err != nil {
		return differences{"the codec is refused: " + err.Error()}
	}
	var in struct{ Claims json.RawMessage }
	unmarshal(t, v.Input, &in)
	issue, open := codec.Access, codec.OpenAccess
	if v.TokenClass == "RefreshToken" {
		issue, open = codec.Refresh, codec.OpenRefresh
	}
	got, err := issue(in.Claims, v.now(t))
	d.want("error", err, nil)
	if v.Config.CipherKey == "" {
		d.want("token", got, v.Expect.Token)
	}
	// What it makes, it opens, once it has begun and unless it has ended by then.
	var times struct{ NBF, IAT, Exp int64 }
	unmarshal(t, v.Expect.Claims, &times)
	begins := max(times.NBF, times.IAT)
	claims, err := open(got, time.Unix(begins, 0))
	if begins >= times.Exp {
		d.want("error on opening", err, hallpass.RefusalExpired)
		return d
	}
	d.want("error on opening", err, nil)
	d.wantJSON("claims", claims, v.Expect.Claims)
	return d
}
