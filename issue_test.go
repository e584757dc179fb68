package hallpass_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/memstore"
)

func TestAWrongSpecNamesItsField(t *testing.T) {
	t.Parallel()
	const year = 365 * 24 * time.Hour
	session := hallpass.Spec{Scope: "s", Mode: hallpass.ModeSession, Subject: "u"}
	withGrant := hallpass.Spec{Scope: "s", Grants: []hallpass.Grant{{Method: "GET", Path: "/a"}}}
	with := func(s hallpass.Spec, edit func(*hallpass.Spec)) hallpass.Spec { edit(&s); return s }
	public := func(edit func(*hallpass.Spec)) hallpass.Spec { return with(hallpass.Spec{Scope: "s"}, edit) }
	grant := func(method, path string) hallpass.Spec {
		return public(func(s *hallpass.Spec) { s.Grants = []hallpass.Grant{{Method: method, Path: path}} })
	}
	data := func(text string) hallpass.Spec {
		return public(func(s *hallpass.Spec) { s.Data = json.RawMessage(text) })
	}
	nest := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	unrecorded := func(s hallpass.Spec) hallpass.Spec { s.Unrecorded = true; return s }
	rows := []struct {
		name  string
		spec  hallpass.Spec
		field string // empty: accepted
	}{
		{"no scope", hallpass.Spec{}, "scope"},
		{"a scope of 100 characters", hallpass.Spec{Scope: hallpass.Scope(strings.Repeat("a", 100))}, ""},
		{"a scope of 101 characters", hallpass.Spec{Scope: hallpass.Scope(strings.Repeat("a", 101))}, "scope"},
		{"a scope of 100 four-byte characters", hallpass.Spec{Scope: hallpass.Scope(strings.Repeat("😀", 100))}, ""},
		{"a scope of 101 four-byte characters", hallpass.Spec{Scope: hallpass.Scope(strings.Repeat("😀", 101))}, "scope"},
		{"a scope with a newline", hallpass.Spec{Scope: "a\nb"}, "scope"},
		{"a scope with a NUL", hallpass.Spec{Scope: "a\x00"}, "scope"},
		{"a scope with a C1 control", hallpass.Spec{Scope: "a\u0085"}, "scope"},
		{"a scope that is not UTF-8", hallpass.Spec{Scope: "a\xff"}, "scope"},
		{"an unknown mode", public(func(s *hallpass.Spec) { s.Mode = "Session" }), "mode"},
		{"request mode without a subject", public(func(s *hallpass.Spec) { s.Mode = hallpass.ModeRequest }), "subject"},
		{"session mode without a subject", public(func(s *hallpass.Spec) { s.Mode = hallpass.ModeSession }), "subject"},
		{"a subject with a tab", with(session, func(s *hallpass.Spec) { s.Subject = "a\tb" }), "subject"},
		{"a subject of 256 characters", with(session, func(s *hallpass.Spec) { s.Subject = strings.Repeat("é", 256) }), "subject"},
		{"a subject of 255 characters", with(session, func(s *hallpass.Spec) { s.Subject = strings.Repeat("é", 255) }), ""},
		{"a recipient of 256 characters", public(func(s *hallpass.Spec) { s.Recipient = strings.Repeat("é", 256) }), "recipient"},
		{"a recipient with CR LF", public(func(s *hallpass.Spec) { s.Recipient = "a\r\nBcc: b" }), "recipient"},
		{"a batch of 256 characters", public(func(s *hallpass.Spec) { s.Batch = strings.Repeat("b", 256) }), "batch"},
		{"a batch with DEL", public(func(s *hallpass.Spec) { s.Batch = "\x7f" }), "batch"},
		{"uses below unlimited", public(func(s *hallpass.Spec) { s.MaxUses = -2 }), "max_uses"},
		{"the smallest number of uses", public(func(s *hallpass.Spec) { s.MaxUses = -1 << 63 }), "max_uses"},
		{"more uses than a row counts", public(func(s *hallpass.Spec) { s.MaxUses = 1 << 31 }), "max_uses"},
		{"as many uses as a row counts", public(func(s *hallpass.Spec) { s.MaxUses = 1<<31 - 1 }), ""},
		{"a negative life", public(func(s *hallpass.Spec) { s.TTL = -time.Second }), "ttl"},
		{"the longest negative life", public(func(s *hallpass.Spec) { s.TTL = -1 << 63 }), "ttl"},
		{"a life of 100 years", public(func(s *hallpass.Spec) { s.TTL = 100 * year }), ""},
		{"a life above 100 years", public(func(s *hallpass.Spec) { s.TTL = 100*year + 1 }), "ttl"},
		{"an end above 100 years", public(func(s *hallpass.Spec) { s.ExpiresAt = t0.Add(100*year + 1) }), "expires_at"},
		{"an end in the year 20000", public(func(s *hallpass.Spec) { s.ExpiresAt = time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC) }), "expires_at"},
		{"an end before 1970", public(func(s *hallpass.Spec) { s.ExpiresAt = time.Unix(-1, 0) }), "expires_at"},
		{"an end now", public(func(s *hallpass.Spec) { s.ExpiresAt = t0 }), "expires_at"},
		{"an end in the past", public(func(s *hallpass.Spec) { s.ExpiresAt = t0.Add(-time.Hour) }), "expires_at"},
		{"an end within this second", public(func(s *hallpass.Spec) { s.ExpiresAt = t0.Add(1) }), ""},
		{"a life and an end", public(func(s *hallpass.Spec) { s.TTL, s.ExpiresAt = time.Hour, t0.Add(time.Hour) }), "ttl"},
		{"no end and an end", public(func(s *hallpass.Spec) { s.TTL, s.ExpiresAt = hallpass.NoExpiry, t0.Add(time.Hour) }), "ttl"},
		{"a start at the end", public(func(s *hallpass.Spec) { s.NotBefore, s.ExpiresAt = t0.Add(time.Hour), t0.Add(time.Hour) }), "not_before"},
		{"a start after the end", public(func(s *hallpass.Spec) { s.NotBefore, s.ExpiresAt = t0.Add(2*time.Hour), t0.Add(time.Hour) }), "not_before"},
		{"a start after a life from now", public(func(s *hallpass.Spec) { s.NotBefore, s.TTL = t0.Add(2*time.Hour), time.Hour }), "not_before"},
		{"a start that rounds up to the end", public(func(s *hallpass.Spec) { s.NotBefore, s.ExpiresAt = t0.Add(time.Hour-1), t0.Add(time.Hour) }), "not_before"},
		{"a start in the year 20000", public(func(s *hallpass.Spec) { s.NotBefore = time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC) }), "not_before"},
		{"a start before 1970", public(func(s *hallpass.Spec) { s.NotBefore = time.Unix(-1, 0) }), "not_before"},
		{"a session as long as the cap", with(session, func(s *hallpass.Spec) { s.TTL = 24 * time.Hour }), ""},
		{"a session longer than the cap", with(session, func(s *hallpass.Spec) { s.TTL = 24*time.Hour + 1 }), "ttl"},
		{"a session ending a second after the cap", with(session, func(s *hallpass.Spec) { s.ExpiresAt = t0.Add(24*time.Hour + time.Second) }), "expires_at"},
		{"a session without end", with(session, func(s *hallpass.Spec) { s.TTL = hallpass.NoExpiry }), "ttl"},
		{"grants without end", with(withGrant, func(s *hallpass.Spec) { s.TTL = hallpass.NoExpiry }), "ttl"},
		{"an unrecorded session", unrecorded(session), "unrecorded"},
		{"an unrecorded short pass", with(unrecorded(hallpass.Spec{Scope: "s"}), func(s *hallpass.Spec) { s.Format = hallpass.FormatShort }), "unrecorded"},
		{"an unknown format", public(func(s *hallpass.Spec) { s.Format = "jwt" }), "format"},
		{"an unknown method", grant("TRACE", "/a"), "grants"},
		{"a method in lower case", grant("get", "/a"), "grants"},
		{"no method", grant("", "/a"), "grants"},
		{"a path without a slash", grant("GET", "a"), "grants"},
		{"no path", grant("GET", ""), "grants"},
		{"a path with a dot segment", grant("GET", "/a/../b"), "grants"},
		{"a path with an empty segment", grant("GET", "/a//b"), "grants"},
		{"a path with a query", grant("GET", "/a?b"), "grants"},
		{"a path still encoded", grant("GET", "/a%20b"), "grants"},
		{"a path with a percent sign", grant("GET", "/100%"), ""},
		{"a path of 10,000 bytes", grant("GET", "/"+strings.Repeat("a", 10_000)), "grants"},
		{"65 grants", public(func(s *hallpass.Spec) { s.Grants = slices.Repeat(withGrant.Grants, 65) }), "grants"},
		{"64 grants", public(func(s *hallpass.Spec) { s.Grants = slices.Repeat(withGrant.Grants, 64) }), ""},
		{"data that is no JSON", data(`{a:1}`), "data"},
		{"data of white space", data(`  `), "data"},
		{"data with two equal names", data(`{"a":1,"a":2}`), "data"},
		{"data with equal names behind escapes", data(`{"a":{"b":1,"\u0062":2}}`), "data"},
		{"data that is not UTF-8", data("\"\xff\""), "data"},
		{"two values as data", data(`1 2`), "data"},
		{"data that would close a bracket", data(`1],[2`), "data"},
		{"data 31 levels deep", unrecorded(data(nest(31))), ""},
		{"data 32 levels deep", unrecorded(data(nest(32))), "data"},
		{"64 KiB of data", data(`"` + strings.Repeat("x", 64<<10-2) + `"`), ""},
		{"a byte more", data(`"` + strings.Repeat("x", 64<<10-1) + `"`), "data"},
		{"4 KiB of data that travels", unrecorded(data(`"` + strings.Repeat("x", 4<<10-2) + `"`)), ""},
		{"a byte more that travels", unrecorded(data(`"` + strings.Repeat("x", 4<<10-1) + `"`)), "data"},
		{"a target that is no URL", public(func(s *hallpass.Spec) { s.Target = "http://[" }), "target"},
		{"a target of another scheme", public(func(s *hallpass.Spec) { s.Target = "mailto:a@b" }), "target"},
		{"a target with a dot segment", public(func(s *hallpass.Spec) { s.Target = "https://x/a/../b" }), "target"},
		{"a target of 10,000 bytes", public(func(s *hallpass.Spec) { s.Target = "/" + strings.Repeat("a", 10_000) }), "target"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			issued, err := s.Issue(t.Context(), row.spec)
			field, isField := errors.AsType[*hallpass.FieldError](err)
			switch {
			case row.field == "" && err != nil:
				t.Fatal(err)
			case row.field == "":
				if _, err := s.verify(issued.Token.Reveal()); err != nil && reason(err) != "not_yet_valid" {
					t.Errorf("issued, but %v", err)
				}
			case !isField || field.Field != row.field:
				t.Errorf("error is %v, want one of %s", err, row.field)
			case !issued.Token.IsZero():
				t.Error("a token came with the error")
			}
		})
	}
}

func TestATokenTooLongForARequestIsRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	spec := hallpass.Spec{Scope: "s"}
	for n := range 64 {
		spec.Grants = append(spec.Grants, hallpass.Grant{Method: "GET", Path: fmt.Sprintf("/%d/%s", n, strings.Repeat("a", 200))})
	}
	_, err := s.Issue(t.Context(), spec)
	if f, ok := errors.AsType[*hallpass.FieldError](err); !ok || f.Field != "grants" {
		t.Errorf("error is %v", err)
	}
	spec.Format = hallpass.FormatShort
	if _, err := s.Issue(t.Context(), spec); err != nil {
		t.Errorf("a short token carries nothing, but: %v", err)
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	grants := []hallpass.Grant{{Method: "GET", Path: "/a"}}
	rows := []struct {
		name string
		spec hallpass.Spec
		uses int64
		ends time.Duration // 0 for never
	}{
		{"public", hallpass.Spec{}, 10, 0},
		{"request", hallpass.Spec{Mode: hallpass.ModeRequest, Subject: "u"}, 10, 0},
		{"session", hallpass.Spec{Mode: hallpass.ModeSession, Subject: "u"}, 1, 10 * time.Minute},
		{"grants", hallpass.Spec{Grants: grants}, 0, time.Hour},
		{"a session with grants", hallpass.Spec{Mode: hallpass.ModeSession, Subject: "u", Grants: grants}, 1, 10 * time.Minute},
		{"unlimited", hallpass.Spec{MaxUses: hallpass.Unlimited}, 0, 0},
		{"a given quota with grants", hallpass.Spec{Grants: grants, MaxUses: 3}, 3, time.Hour},
		{"a start later", hallpass.Spec{Grants: grants, NotBefore: t0.Add(time.Hour)}, 0, 2 * time.Hour},
		{"short", hallpass.Spec{Format: hallpass.FormatShort}, 10, 0},
		{"unrecorded", hallpass.Spec{Unrecorded: true}, 10, 0},
		{"no end in words", hallpass.Spec{TTL: hallpass.NoExpiry}, 10, 0},
	}
	for _, row := range rows {
		s := newSite(t)
		p := s.issue(t, row.spec)
		var want time.Time
		if row.ends > 0 {
			want = t0.Add(row.ends)
		}
		if p.MaxUses != row.uses || !p.ExpiresAt.Equal(want) || !p.IssuedAt.Equal(t0) {
			t.Errorf("%s: %d uses until %v, want %d until %v", row.name, p.MaxUses, p.ExpiresAt, row.uses, want)
		}
		if row.spec.Mode == "" && p.Mode != hallpass.ModePublic {
			t.Errorf("%s: mode %s", row.name, p.Mode)
		}
	}
}

func TestTimesAreRoundedUpInThePassToo(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.Clock.Set(t0.Add(123456 * time.Microsecond))
	zone := time.FixedZone("east", 3600)
	p := s.issue(t, hallpass.Spec{
		NotBefore: t0.Add(time.Minute + time.Nanosecond).In(zone), ExpiresAt: t0.Add(time.Hour + 999*time.Millisecond).In(zone), Unrecorded: true,
	})
	v, err := s.verify(p.Token.Reveal())
	if reason(err) != "not_yet_valid" {
		t.Fatal(err)
	}
	for name, got := range map[string]hallpass.Pass{"issued": p.Pass, "verified": v.Pass} {
		if want := t0.Add(time.Minute + time.Second); !got.NotBefore.Equal(want) || got.NotBefore.Location() != time.UTC {
			t.Errorf("%s: starts %v, want %v", name, got.NotBefore, want)
		}
		if want := t0.Add(time.Hour + time.Second); !got.ExpiresAt.Equal(want) || got.ExpiresAt.Location() != time.UTC {
			t.Errorf("%s: ends %v, want %v", name, got.ExpiresAt, want)
		}
		if want := t0.Add(123456 * time.Microsecond); !got.IssuedAt.Equal(want) {
			t.Errorf("%s: issued %v, want %v", name, got.IssuedAt, want)
		}
	}
	if want := p.ExpiresAt.Add(24 * time.Hour); p.KeepUntil.Before(want) {
		t.Errorf("the row may go at %v, before %v", p.KeepUntil, want)
	}
	var c struct {
		IAT json.Number
		EXP json.Number
	}
	if err := json.Unmarshal(v.Claims, &c); err != nil || c.IAT != "1772366400.123456" || c.EXP != "1772370001" {
		t.Errorf("claims %s (%v)", v.Claims, err)
	}
}

// Every microsecond of issue survives the token, which a float64 would not do.
func TestTheTimeOfIssueIsExact(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	rapid.Check(t, func(r *rapid.T) {
		micros := rapid.Int64Range(0, 4_000_000_000_000_000).Draw(r, "micros")
		s.Clock.Set(time.UnixMicro(micros))
		format := rapid.SampledFrom([]hallpass.Format{hallpass.FormatSigned, hallpass.FormatCompact}).Draw(r, "format")
		p := s.issue(t, hallpass.Spec{Unrecorded: true, Format: format})
		v, err := s.verify(p.Token.Reveal())
		if err != nil || !v.Pass.IssuedAt.Equal(p.IssuedAt) && micros != 0 {
			r.Fatalf("issued %v, verified %v, %v", p.IssuedAt, v.Pass.IssuedAt, err)
		}
	})
}

func TestWhatTravels(t *testing.T) {
	t.Parallel()
	spec := hallpass.Spec{
		Scope: "report", Mode: hallpass.ModeRequest, Subject: "ada", Data: json.RawMessage(`{ "diagnosis": "secret" }`),
		Grants: []hallpass.Grant{{Method: "GET", Path: "/a"}, {Method: "POST", Path: "/b", Exact: true}}, Recipient: "ada@example.com", Batch: "march",
		MaxUses: hallpass.Unlimited, TTL: time.Hour, NotBefore: t0, Target: "/a?b=1", Browser: "cookie",
	}
	common := map[string]any{
		"sub": "report", "mod": "r", "aud": "ada", "max": 0.0, "exp": float64(t0.Add(time.Hour).Unix()), "nbf": float64(t0.Unix()),
		"iat": float64(t0.Unix()), "iss": "hallpass", "grt": []any{"GET /a", "POST =/b"}, "bat": "march", "tgt": "/a?b=1",
	}
	for _, format := range []hallpass.Format{hallpass.FormatSigned, hallpass.FormatCompact} {
		for _, unrecorded := range []bool{false, true} {
			spec.Unrecorded, spec.Format = unrecorded, format
			s := newSite(t)
			p := s.issue(t, spec)
			v, err := s.verify(p.Token.Reveal())
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]any{"jti": p.ID}
			for name, value := range common {
				want[name] = value
			}
			if unrecorded {
				want["unr"], want["rcp"], want["dat"] = true, "ada@example.com", map[string]any{"diagnosis": "secret"}
			}
			var got map[string]any
			if err := json.Unmarshal(v.Claims, &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, unrecorded %v: claims (-want +got):\n%s", format, unrecorded, diff)
			}
			if !unrecorded {
				row, err := s.Entry(t.Context(), p.ID)
				if err != nil || string(row.Data) != `{"diagnosis":"secret"}` || row.Recipient != "ada@example.com" || row.Browser != hallpass.HashBrowser("cookie") {
					t.Errorf("the row is %+v, %v", row, err)
				}
			} else if _, err := s.Entry(t.Context(), p.ID); !errors.Is(err, hallpass.ErrNotFound) {
				t.Errorf("an unrecorded pass has a row: %v", err)
			}
		}
	}
}

func TestACompactTokenIsShorter(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	spec := hallpass.Spec{Mode: hallpass.ModeRequest, Subject: "1234", TTL: time.Hour}
	long := s.issue(t, spec).Token.Reveal()
	spec.Format = hallpass.FormatCompact
	if short := s.issue(t, spec).Token.Reveal(); len(short)*3 > len(long)*2 {
		t.Errorf("%d bytes against %d", len(short), len(long))
	}
}

func TestShortTokens(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const n = 2000
	count := map[rune]int{}
	seen := map[string]bool{}
	for range n {
		p := s.issue(t, hallpass.Spec{Format: hallpass.FormatShort})
		text := p.Token.Reveal()
		if len(text) != 22 || seen[text] || strings.Contains(p.ID, text) || p.Key != "" {
			t.Fatalf("%q of %+v", text, p.Pass)
		}
		seen[text] = true
		for _, c := range text {
			count[c]++
		}
	}
	// 44,000 characters: 710 of each, with a standard deviation of 26.
	for _, c := range "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" {
		if count[c] < 710-160 || count[c] > 710+160 {
			t.Errorf("%q occurs %d times", c, count[c])
		}
	}
	if len(count) != 62 {
		t.Errorf("%d different characters", len(count))
	}
	unknown := hallpass.Presentation{Token: hallpass.NewToken("0123456789abcdefghijkl"), Scope: "report"}
	if _, err := s.Redeem(t.Context(), unknown); reason(err) != "unknown_pass" {
		t.Errorf("an unknown one: %v", err)
	}
	if _, _, err := s.Check(t.Context(), unknown); reason(err) != "unknown_pass" || hallpass.RefusalUnknownPass.Public() != hallpass.RefusalBadSignature {
		t.Errorf("an unknown one, checked: %v", err)
	}
	if _, err := s.Verify(unknown); !errors.Is(err, hallpass.ErrUnavailable) {
		t.Errorf("an unknown one, verified without the store: %v", err)
	}
	p := s.issue(t, hallpass.Spec{Format: hallpass.FormatShort})
	if _, err := s.Redeem(t.Context(), hallpass.Presentation{Token: p.Token, Scope: "report"}); err != nil {
		t.Errorf("a short pass: %v", err)
	}
	for name, text := range map[string]string{"21": "0123456789abcdefghijk", "23": "0123456789abcdefghijklm", "a dash": "0123456789-bcdefghijkl"} {
		if _, err := s.verify(text); reason(err) != "malformed" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestIssueAllStreamsInBatches(t *testing.T) {
	t.Parallel()
	store := &brokenStore{Store: memstore.New()}
	s := newSite(t, func(c *hallpass.Config) { c.Store = store })
	drawn, got, wrong := 0, 0, 0
	specs := func(yield func(hallpass.Spec) bool) {
		for drawn < 2500 {
			spec := hallpass.Spec{Scope: "report", Data: json.RawMessage(fmt.Sprint(drawn))}
			if drawn == 1234 {
				spec.Scope = ""
			}
			drawn++
			if !yield(spec) {
				return
			}
		}
	}
	for issued, err := range s.IssueAll(t.Context(), specs) {
		if drawn > got+1000 {
			t.Fatalf("%d specs were drawn for %d passes", drawn, got)
		}
		if err != nil {
			f, ok := errors.AsType[*hallpass.FieldError](err)
			if !ok || f.Field != "scope" || got != 1234 {
				t.Fatalf("pass %d: %v", got, err)
			}
			wrong++
		} else if string(issued.Data) != fmt.Sprint(got) {
			t.Fatalf("pass %d carries %s", got, issued.Data)
		} else if _, err := s.Store.Entry(t.Context(), issued.ID); err != nil {
			t.Fatalf("pass %d was yielded before its row: %v", got, err)
		}
		got++
	}
	if got != 2500 || wrong != 1 || store.records.Load() != 3 {
		t.Errorf("%d passes, %d wrong, %d writes", got, wrong, store.records.Load())
	}
}

func TestIssueAllStopsWhenTheReaderStops(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	drawn := 0
	var endless iter.Seq[hallpass.Spec] = func(yield func(hallpass.Spec) bool) {
		for yield(hallpass.Spec{Scope: "report", Unrecorded: true}) {
			drawn++
		}
	}
	for range s.IssueAll(t.Context(), endless) {
		break
	}
	if drawn > 1000 {
		t.Errorf("%d specs were drawn", drawn)
	}
}

func TestIssueAllGivesNoTokenWithoutARow(t *testing.T) {
	t.Parallel()
	store := &brokenStore{Store: memstore.New()}
	store.failRecord.Store(true)
	s := newSite(t, func(c *hallpass.Config) { c.Store = store })
	specs := slices.Values([]hallpass.Spec{{Scope: "a"}, {Scope: "b", Unrecorded: true}, {}, {Scope: "c"}})
	var got []string
	for issued, err := range s.IssueAll(t.Context(), specs) {
		if (err == nil) == issued.Token.IsZero() {
			t.Errorf("a token is there: %v, error %v", !issued.Token.IsZero(), err)
		}
		got = append(got, strings.Split(reason(err), ":")[0])
	}
	if diff := cmp.Diff([]string{"unavailable", "valid", "scope", "unavailable"}, got); diff != "" {
		t.Error(diff)
	}
	if issued, err := s.Issue(t.Context(), hallpass.Spec{Scope: "a"}); !errors.Is(err, hallpass.ErrUnavailable) || !issued.Token.IsZero() {
		t.Errorf("one alone: %v", err)
	}
}

func TestIssueNeedsAKeyAndAStore(t *testing.T) {
	t.Parallel()
	empty, err := hallpass.NewKeyring()
	if err != nil {
		t.Fatal(err)
	}
	noKey := newSite(t, func(c *hallpass.Config) { c.Keys = empty })
	noStore := newSite(t, func(c *hallpass.Config) { c.Store = nil })
	for name, row := range map[string]struct {
		site *site
		spec hallpass.Spec
		want string
	}{
		"no key":                           {noKey, hallpass.Spec{Scope: "s"}, "unavailable"},
		"no key, but a short token":        {noKey, hallpass.Spec{Scope: "s", Format: hallpass.FormatShort}, "valid"},
		"no store":                         {noStore, hallpass.Spec{Scope: "s"}, "unavailable"},
		"no store, but an unrecorded pass": {noStore, hallpass.Spec{Scope: "s", Unrecorded: true}, "valid"},
	} {
		if _, err := row.site.Issue(context.Background(), row.spec); reason(err) != row.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestIdsRiseWithTime(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	last := ""
	for range 50 {
		s.Clock.Advance(time.Microsecond)
		id := s.issue(t, hallpass.Spec{Unrecorded: true}).ID
		if id <= last || id[14] != '7' {
			t.Fatalf("%s after %s", id, last)
		}
		last = id
	}
}
