package wire_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/strictjson"
	"github.com/hallpass-go/hallpass/internal/wire"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.FixedZone("", 3600))

func entry() hallpass.Entry {
	return hallpass.Entry{
		Pass: hallpass.Pass{
			ID: "i", Scope: "s", Mode: hallpass.ModeRequest, Subject: "u", Data: json.RawMessage(`{"n":1.0,"t":"<&>"}`),
			Grants:    []hallpass.Grant{{Method: "GET", Path: "/a"}, {Method: "PUT", Path: "/b", Exact: true}},
			Recipient: "r", Batch: "b", IssuedAt: now, NotBefore: now.Truncate(time.Second),
			ExpiresAt: now.Add(time.Hour).Truncate(time.Second), MaxUses: 3, Recorded: true, Key: "k",
		},
		Used: 1, RevokedAt: now,
	}
}

func TestTheJSONOfEachAnswer(t *testing.T) {
	t.Parallel()
	left := int64(0)
	use := hallpass.Use{
		ID: "x", Pass: "i", Subject: "u", At: now, ClientIP: "192.0.2.1", UserAgent: "a", Method: "GET", Path: "/a",
		Status: 204, State: hallpass.UseSettled, Key: "secret",
	}
	const pass = `{"id":"i","scope":"s","mode":"request","subject":"u","data":{"n":1.0,"t":"<&>"},"grants":["GET /a","PUT =/b"],` +
		`"recipient":"r","batch":"b","issued_at":"2026-03-01T11:00:00.123456Z","not_before":"2026-03-01T11:00:00Z",` +
		`"expires_at":"2026-03-01T12:00:00Z","max_uses":3,"recorded":true,"used":1,"uses_left":2,"state":"revoked",` +
		`"revoked_at":"2026-03-01T11:00:00.123456Z","key":"k"`
	const bare = `{"id":"","max_uses":0,"recorded":false,"used":0,"uses_left":null,"state":"active"`
	const fullUse = `{"id":"x","pass":"i","subject":"u","at":"2026-03-01T11:00:00.123456Z","client_ip":"192.0.2.1","user_agent":"a",` +
		`"method":"GET","path":"/a","status":204,"state":"settled"}`
	for _, row := range []struct {
		name string
		v    any
		want string
	}{
		{"a pass with everything", wire.PassOf(entry(), now), pass + "}"},
		{"a pass with nothing", wire.PassOf(hallpass.Entry{}, now), bare + "}"},
		{"issued", wire.Issued{Token: "t", URL: "/?rt=t"}, `{"id":"","max_uses":0,"recorded":false,"used":0,"uses_left":null,"state":"","token":"t","url":"/?rt=t"}`},
		{"honoured", wire.Honoured(hallpass.Entry{}, json.RawMessage(`{"iat":1.250}`), now), `{"valid":true,"claims":{"iat":1.250},"pass":` + bare + "}}"},
		{"refused", wire.Refused(hallpass.RefusalSpent, nil), `{"valid":false,"reason":"spent"}`},
		{
			"redeemed", wire.Redeemed{Verdict: wire.Verdict{Valid: true}, Use: "x", UsesLeft: &left},
			`{"valid":true,"use":"x","uses_left":0,"duplicate":false}`,
		},
		{
			"redeemed without limit", wire.RedeemedOf(&hallpass.Redemption{Use: use, Duplicate: true}, nil, now),
			`{"valid":true,"pass":` + bare + `},"use":"x","uses_left":null,"duplicate":true}`,
		},
		{"uses", wire.UsePageOf(hallpass.UsePage{Uses: []hallpass.Use{use}, Next: "n"}), `{"uses":[` + fullUse + `],"next":"n"}`},
		{"no uses", wire.UsePageOf(hallpass.UsePage{}), `{"uses":[],"next":null}`},
		{
			"an empty use", wire.UsesOf([]hallpass.Use{{At: now, State: hallpass.UsePending}}),
			`[{"id":"","pass":"","at":"2026-03-01T11:00:00.123456Z","status":0,"state":"pending"}]`,
		},
		{"passes", wire.PassesOf(hallpass.EntryPage{Entries: []hallpass.Entry{entry()}, Next: "n"}, now), `{"passes":[` + pass + `}],"next":"n"}`},
		{"no passes", wire.PassesOf(hallpass.EntryPage{}, now), `{"passes":[],"next":null}`},
		{"shown", wire.Shown{Pass: wire.PassOf(entry(), now), Uses: wire.UsesOf(nil)}, pass + `,"uses":[]}`},
		{"not found", wire.NotFoundOf(hallpass.RefusalUnknownKey), `{"found":false,"reason":"bad_signature"}`},
	} {
		got, err := wire.Marshal(row.v)
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
		}
		if diff := cmp.Diff(row.want, string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
}

func TestASearchSaysOneOfThreeReasons(t *testing.T) {
	t.Parallel()
	want := map[hallpass.Refusal]hallpass.Refusal{
		hallpass.RefusalMissing: "malformed", hallpass.RefusalMalformed: "malformed", hallpass.RefusalUnknownKey: "bad_signature",
		hallpass.RefusalBadSignature: "bad_signature", hallpass.RefusalWrongType: "bad_signature",
		hallpass.RefusalMissingClaim: "bad_signature", hallpass.RefusalWrongAudience: "bad_signature",
		hallpass.RefusalUnknownPass: "unknown_pass",
	}
	for refusal, reason := range want {
		if got := wire.NotFoundOf(refusal).Reason; got != reason {
			t.Errorf("%s: %s, want %s", refusal, got, reason)
		}
	}
}

func TestEachErrorHasOneCodeStatusAndExit(t *testing.T) {
	t.Parallel()
	field := &hallpass.FieldError{Field: "ttl", Reason: "must be positive"}
	for _, row := range []struct {
		err    error
		code   string
		status int
		exit   int
		line   string
	}{
		{hallpass.RefusalSpent, "spent", 403, 1, "spent"},
		{hallpass.RefusalMissing, "missing", 401, 1, "missing"},
		{field, "invalid", 400, 2, "ttl: must be positive"},
		{fmt.Errorf("hallpass: config: %w", field), "invalid", 400, 2, "ttl: must be positive"},
		{fmt.Errorf("%w: there is no key", hallpass.ErrNotFound), "not_found", 404, 1, "not found: there is no key"},
		{hallpass.ErrConflict, "conflict", 409, 3, "conflict"},
		{wire.ErrThrottled, "throttled", 429, 3, "too many requests"},
		{fmt.Errorf("%w: disk:\n full", hallpass.ErrUnavailable), "unavailable", 503, 3, "unavailable: disk: full"},
		{context.Canceled, "unavailable", 503, 3, "context canceled"},
		{errors.New("hallpass: boom"), "internal", 500, 3, "boom"},
	} {
		p := wire.ProblemOf(row.err)
		if p.Code != row.code || p.Status != row.status || p.Exit() != row.exit || p.Line() != row.line || p.Title == "" || p.Type != "urn:hallpass:problem:"+row.code {
			t.Errorf("%v: %+v exit %d line %q, want %s %d %d %q", row.err, p, p.Exit(), p.Line(), row.code, row.status, row.exit, row.line)
		}
		if public := p.Public(); (row.status == 500 || row.status == 503) != (public.Detail == "") {
			t.Errorf("%v is told to the public as %q", row.err, public.Detail)
		}
	}
	got, _ := wire.Marshal(wire.ProblemOf(field))
	want := `{"type":"urn:hallpass:problem:invalid","title":"The request is not valid","status":400,"code":"invalid","field":"ttl","detail":"must be positive"}`
	if string(got) != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestDurationsHaveDays(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"7d": 7 * day, "1d12h": day + 12*time.Hour, "0.5d": day / 2, "90s": 90 * time.Second, "1h30m": 90 * time.Minute,
		"-1d": -day, "-1d1h": -day - time.Hour, "0": 0, "0d": 0, "106751d": 106751 * day,
	} {
		if got, err := wire.ParseDuration("ttl", text); err != nil || got != want {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", "d", "-d", "7", "7 d", "d7", "1d1d", "1dd", "1d-1h", "1d+1h", "1h1d", "--1d", "+-1d", "1e3d", "7days", "106752d",
		"999999999999999999999d", "106751d24h", "infd", "0x1d", "never", "１d",
	} {
		var field *hallpass.FieldError
		if got, err := wire.ParseDuration("ttl", text); !errors.As(err, &field) || field.Field != "ttl" {
			t.Errorf("%q: %v, %v; want a FieldError of ttl", text, got, err)
		}
	}
}

func TestTimesAreRFC3339(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"2026-01-31T18:00:00Z": "2026-01-31T18:00:00Z", "2026-01-31T19:00:00.5+01:00": "2026-01-31T18:00:00.5Z",
		"2026-01-31T18:00:00.123456789Z": "2026-01-31T18:00:00.123456Z",
	} {
		got, err := wire.ParseTime("at", text)
		if err != nil || wire.Time(got) != want {
			t.Errorf("%q: %v, %v; want %v", text, wire.Time(got), err, want)
		}
	}
	for _, text := range []string{"", "now", "2026-01-31", "2026-01-31T18:00:00", "2026-02-30T00:00:00Z", "1769882400"} {
		var field *hallpass.FieldError
		if _, err := wire.ParseTime("at", text); !errors.As(err, &field) || field.Field != "at" {
			t.Errorf("%q: %v, want a FieldError of at", text, err)
		}
	}
}

func TestARequestIsTheSameFromTextAndFromJSON(t *testing.T) {
	t.Parallel()
	var text, body wire.Request
	for name, cell := range map[string]string{
		"scope": "s", "mode": "request", "subject": "u", "max_uses": "0", "ttl": "1d", "not_before": "2026-01-31T18:00:00Z",
		"data": `{"a":1}`, "grants": "GET /a; POST =/b", "recipient": "r", "batch": "b", "url": "/x", "format": "compact",
		"unrecorded": "TRUE",
	} {
		if err := text.SetText(name, cell); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	err := strictjson.Members(`{"scope":"s","mode":"request","subject":"u","max_uses":0,"ttl":"1d","not_before":"2026-01-31T18:00:00Z",
		"data":{"a":1},"grants":["GET /a","POST =/b"],"recipient":"r","batch":"b","url":"/x","format":"compact","unrecorded":true}`, body.SetJSON)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(text, body); diff != "" {
		t.Errorf("from text and from JSON differ:\n%s", diff)
	}
	if text.Spec.MaxUses != hallpass.Unlimited || text.Spec.TTL != 24*time.Hour || len(text.Spec.Grants) != 2 || !text.Spec.Unrecorded {
		t.Errorf("%+v", text.Spec)
	}
	kept := text
	for _, name := range wire.RequestFields() {
		if err := text.SetText(name, ""); err != nil {
			t.Errorf("empty %s: %v", name, err)
		}
		if err := text.SetJSON(name, strictjson.Value{Kind: strictjson.Null, Raw: "null"}); err != nil {
			t.Errorf("null %s: %v", name, err)
		}
	}
	if diff := cmp.Diff(kept, text); diff != "" {
		t.Errorf("empty text and null changed something:\n%s", diff)
	}
}
