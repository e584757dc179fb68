package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
)

var recordTests = []test{
	{"what is recorded comes back exactly", func(t *testing.T, s suite) {
		one := s.open(t)
		end := time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC)
		odd := `Zoë "o'Neill" \ ` + "\t\n\u2028 e\u0301 \U0001f9d1\u200d\U0001f680 %41 \x7f"
		var big strings.Builder
		big.WriteString(`{"text":"`)
		for i := range 20_000 {
			fmt.Fprintf(&big, "%d é ", i)
		}
		big.WriteString(`"}`)
		entries := []hallpass.Entry{
			{Pass: hallpass.Pass{ID: newID()}},
			entryOf(recorded(0)),
			{
				Pass: hallpass.Pass{
					ID: "django:" + odd, Scope: hallpass.Scope(odd), Mode: hallpass.ModeSession,
					Subject: odd, Data: json.RawMessage(` { "a" : 1.0e3, "a":12345678901234567890, "s":"\u00e9\/" } `),
					Grants: []hallpass.Grant{
						{Method: "GET", Path: "/"},
						{Method: "POST", Path: "/a b/=é\U0001f680/100%", Exact: true},
						{Method: "DELETE", Path: "/a"},
					},
					Recipient: odd, Batch: odd, Target: "/a?b=c&d=é",
					IssuedAt: base, NotBefore: base, ExpiresAt: end,
					MaxUses: 1<<31 - 1, Recorded: true, Key: odd,
				},
				Used: 1<<31 - 2, Refunds: 3, RevokedAt: end, Browser: odd, KeepUntil: end,
			},
			{Pass: hallpass.Pass{ID: newID(), Data: json.RawMessage("null"), MaxUses: 1<<53 - 1}},
			{Pass: hallpass.Pass{ID: newID(), Data: json.RawMessage(big.String())}},
			{
				Pass: hallpass.Pass{
					ID: newID(), IssuedAt: time.Unix(0, 0), NotBefore: time.Unix(0, 0),
					ExpiresAt: time.Unix(0, 0), MaxUses: 1 << 40,
				},
				RevokedAt: time.Unix(0, 0), KeepUntil: time.Unix(0, 0),
			},
		}
		if err := one.Record(t.Context(), entries); err != nil {
			t.Fatal(err)
		}
		for _, want := range entries {
			same(t, "the row", entry(t, one, want.ID), want)
		}
		for _, got := range allEntries(t, one, hallpass.EntryQuery{Limit: 100}) {
			same(t, "the listed row", got, entry(t, one, got.ID))
		}
	}},

	{"times are kept to the microsecond, in UTC", func(t *testing.T, s suite) {
		one := s.open(t)
		zone := time.FixedZone("east", 5*3600)
		fine := time.Date(2031, 1, 2, 3, 4, 5, 678_901_999, zone)
		want := time.Date(2031, 1, 1, 22, 4, 5, 678_901_000, time.UTC)
		p := hallpass.Pass{ID: newID(), IssuedAt: fine, NotBefore: fine, ExpiresAt: fine}
		if err := one.Record(t.Context(), []hallpass.Entry{{Pass: p, RevokedAt: fine, KeepUntil: fine}}); err != nil {
			t.Fatal(err)
		}
		e := entry(t, one, p.ID)
		for name, got := range map[string]time.Time{
			"IssuedAt": e.IssuedAt, "NotBefore": e.NotBefore, "ExpiresAt": e.ExpiresAt,
			"RevokedAt": e.RevokedAt, "KeepUntil": e.KeepUntil,
		} {
			if got != want {
				t.Errorf("%s = %v, want %v", name, got, want)
			}
		}
		r := reservationOf(unrecorded(0), "")
		r.Use.At = fine
		won, err := one.Reserve(t.Context(), r)
		if err != nil || won.Use.At != want {
			t.Errorf("Reserve = At %v, %v, want %v", won.Use.At, err, want)
		}
		if got := allUses(t, one, r.Pass.ID)[0].At; got != want {
			t.Errorf("At = %v, want %v", got, want)
		}
		if got := revoke(t, one, unrecorded(0), fine).RevokedAt; got != want {
			t.Errorf("RevokedAt = %v, want %v", got, want)
		}
	}},

	{"a use comes back exactly", func(t *testing.T, s suite) {
		one := s.open(t)
		for _, text := range []string{"", `"quoted" \ 'text'`, "é \U0001f680\u2028", strings.Repeat("ü", 256), "null", "0"} {
			r := reservationOf(unrecorded(0), text)
			r.Use.Subject, r.Use.ClientIP, r.Use.UserAgent, r.Use.Method, r.Use.Path = text, text, text, text, text
			r.Use.State, r.Use.Status = hallpass.UseSettled, 599
			if _, err := one.Reserve(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			same(t, "the use", allUses(t, one, r.Pass.ID), []hallpass.Use{r.Use})
		}
	}},

	{"recording again keeps the row", func(t *testing.T, s suite) {
		one := s.open(t)
		p := recorded(1)
		record(t, one, p)
		redeem(t, one, p, "")
		before := entry(t, one, p.ID)
		changed := p
		changed.Scope, changed.MaxUses, changed.Data = "other", 99, []byte(`1`)
		fresh := recorded(1)
		record(t, one, changed, p, fresh, fresh)
		same(t, "the row", entry(t, one, p.ID), before)
		refused(t, one, p, "", hallpass.RefusalSpent)
		redeem(t, one, fresh, "")
	}},

	{"a repeat inside one call keeps the first", func(t *testing.T, s suite) {
		one := s.open(t)
		p := recorded(1)
		other := p
		other.MaxUses = 50
		record(t, one, p, other)
		same(t, "the row", entry(t, one, p.ID), entryOf(p))
	}},

	{"recording nothing is nothing", func(t *testing.T, s suite) {
		if err := s.open(t).Record(t.Context(), nil); err != nil {
			t.Error(err)
		}
	}},

	{"the same passes recorded by many at once make one row each", func(t *testing.T, s suite) {
		a, b := s.pair(t)
		entries := make([]hallpass.Entry, 50)
		for i := range entries {
			entries[i] = entryOf(recorded(1))
		}
		var won atomic.Int64
		atOnce(20, func(i int) {
			one := a
			if i%2 == 1 {
				one = b
			}
			if err := one.Record(t.Context(), entries); err != nil {
				t.Errorf("Record: %v", err)
			}
			_, err := one.Reserve(t.Context(), reservationOf(entries[0].Pass, ""))
			if err == nil {
				won.Add(1)
			} else if !errors.Is(err, hallpass.RefusalSpent) {
				t.Errorf("Reserve: %v", err)
			}
		})
		if won.Load() != 1 {
			t.Errorf("%d callers won, want 1", won.Load())
		}
		if rows := allEntries(t, a, hallpass.EntryQuery{Limit: 100}); len(rows) != len(entries) {
			t.Errorf("there are %d rows, want %d", len(rows), len(entries))
		}
	}},

	{"an entry belongs to its reader", func(t *testing.T, s suite) {
		one := s.open(t)
		p := recorded(1)
		p.Data = []byte(`{"a":1}`)
		p.Grants = []hallpass.Grant{{Method: "GET", Path: "/a"}}
		record(t, one, p)
		e := entry(t, one, p.ID)
		e.Data[2], e.Grants[0].Path = 'b', "/b"
		again := entry(t, one, p.ID)
		if string(again.Data) != `{"a":1}` || again.Grants[0].Path != "/a" {
			t.Errorf("a reader changed the row to %s %v", again.Data, again.Grants)
		}
	}},
}
