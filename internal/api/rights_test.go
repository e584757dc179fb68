package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
)

func grants(texts ...string) (out []hallpass.Grant) {
	for _, text := range texts {
		g, err := hallpass.ParseGrant(text)
		if err != nil {
			panic(err)
		}
		out = append(out, g)
	}
	return out
}

func TestWhoMayCall(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	spec := hallpass.Spec{Scope: hallpass.ScopeAPI}
	with := func(edit func(*hallpass.Spec)) string { c := spec; edit(&c); return s.issue(c).Token.Reveal() }
	revoked := s.issue(spec)
	if _, err := s.RevokePass(t.Context(), revoked.Pass); err != nil {
		t.Fatal(err)
	}
	const invalidToken, insufficient = `error="invalid_token"`, `error="insufficient_scope"`
	for _, row := range []struct {
		name      string
		edit      func(*http.Request)
		status    int
		code      string
		challenge string
	}{
		{"nobody", without("Authorization"), 401, "bad_signature", `realm="hallpass"`},
		{"another scheme", header("Authorization", "Basic YTpi"), 401, "bad_signature", `realm="hallpass"`},
		{"an empty token", header("Authorization", "Bearer "), 401, "bad_signature", invalidToken},
		{"two tokens", func(r *http.Request) { r.Header.Add("Authorization", "Bearer x") }, 401, "bad_signature", invalidToken},
		{"a token in the query", func(r *http.Request) { r.URL.RawQuery = "rt=" + s.token; r.Header.Del("Authorization") }, 401, "bad_signature", ""},
		{"a token in a cookie", func(r *http.Request) { r.Header.Set("Cookie", "rt="+s.token); r.Header.Del("Authorization") }, 401, "bad_signature", ""},
		{"another purpose", as(s.issue(hallpass.Spec{Scope: "hallpass:admin"}).Token.Reveal()), 403, "wrong_scope", insufficient},
		{"a session pass", as(with(func(c *hallpass.Spec) { c.Mode, c.Subject = hallpass.ModeSession, "u" })), 403, "wrong_scope", insufficient},
		{"a revoked pass", as(revoked.Token.Reveal()), 401, "revoked", invalidToken},
		{"a pass for later", as(with(func(c *hallpass.Spec) { c.NotBefore = time.Now().Add(time.Hour) })), 401, "not_yet_valid", invalidToken},
		{"another method", as(with(func(c *hallpass.Spec) { c.Grants = grants("POST /v1/passes") })), 403, "not_granted", insufficient},
		{"another path", as(with(func(c *hallpass.Spec) { c.Grants = grants("GET /v1/pass") })), 403, "not_granted", insufficient},
		{"another method by a header", func(r *http.Request) {
			r.Header.Set("X-HTTP-Method-Override", "DELETE")
			as(with(func(c *hallpass.Spec) { c.Grants = grants("GET /v1/passes") }))(r)
		}, 403, "not_granted", insufficient},
		{"a granted path", as(with(func(c *hallpass.Spec) { c.Grants = grants("GET /v1/passes") })), 200, "", ""},
		{"a short token", as(with(func(c *hallpass.Spec) { c.Format = hallpass.FormatShort })), 200, "", ""},
		{"a compact, unrecorded one in request mode", as(with(func(c *hallpass.Spec) {
			c.Format, c.Unrecorded, c.Mode, c.Subject = hallpass.FormatCompact, true, hallpass.ModeRequest, "worker"
		})), 200, "", ""},
	} {
		got := s.call("GET", "/v1/passes", "", row.edit)
		if got.StatusCode != row.status || got.text("code") != row.code || !strings.Contains(got.Header.Get("WWW-Authenticate"), row.challenge) {
			t.Errorf("%s: %d %q %s", row.name, got.StatusCode, got.Header.Get("WWW-Authenticate"), got.body)
		}
	}
	page, err := s.Uses(t.Context(), hallpass.UseQuery{})
	if err != nil || len(page.Uses) != 0 {
		t.Errorf("calling left %d uses, %v", len(page.Uses), err)
	}
	once := with(func(c *hallpass.Spec) { c.MaxUses = 1 })
	if got := s.call("GET", "/v1/uses", "", as(once)); got.StatusCode != 200 {
		t.Error(got.body)
	}
	if got := s.call("GET", "/v1/uses", "", as(once)); got.StatusCode != 401 || got.text("code") != "spent" {
		t.Errorf("a quota on an API pass is not kept: %s", got.body)
	}
}

func TestNobodyMintsBeyondHisOwn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const hour = time.Hour
	api := func(data string) hallpass.Spec { return hallpass.Spec{Data: json.RawMessage(data)} }
	withGrants := hallpass.Spec{Grants: grants("POST /v1", "GET /v1/passes"), TTL: hour}
	for _, row := range []struct {
		name   string
		caller hallpass.Spec
		asked  string
		status int
	}{
		{"by default any scope", api(``), `{"scope":"a"}`, 201},
		{"by default request mode", api(``), `{"scope":"a","mode":"request","subject":"u"}`, 201},
		{"by default no session", api(``), `{"scope":"a","mode":"session","subject":"u"}`, 403},
		{"data of another kind is no limit", api(`{"owner":"x"}`), `{"scope":"a"}`, 201},
		{"an empty limit is the default", api(`{"issue":{}}`), `{"scope":"a"}`, 201},
		{"data that cannot be read gives no right", api(`"x"`), `{"scope":"a"}`, 403},
		{"nor does a limit that cannot", api(`{"issue":{"scope":["a"]}}`), `{"scope":"a"}`, 403},
		{"nor one of another type", api(`{"issue":{"scopes":"a"}}`), `{"scope":"a"}`, 403},
		{"a listed scope", api(`{"issue":{"scopes":["a","b"]}}`), `{"scope":"b"}`, 201},
		{"a scope not listed", api(`{"issue":{"scopes":["a"]}}`), `{"scope":"ab"}`, 403},
		{"an empty list", api(`{"issue":{"scopes":[]}}`), `{"scope":"a"}`, 403},
		{"a listed mode", api(`{"issue":{"modes":["session"]}}`), `{"scope":"a","mode":"session","subject":"u"}`, 201},
		{"a mode not listed", api(`{"issue":{"modes":["session"]}}`), `{"scope":"a"}`, 403},
		{"a bad field comes first", api(`{"issue":{"scopes":[]}}`), `{"scope":"a","max_uses":-1}`, 400},

		{"hallpass's own scopes, even listed", api(`{"issue":{"scopes":["hallpass:admin"]}}`), `{"scope":"hallpass:admin"}`, 403},
		{"the same again", api(``), `{"scope":"hallpass:api"}`, 403},
		{"the same but for an end", api(``), `{"scope":"hallpass:api","ttl":"1h"}`, 201},
		{"the same but for a quota", api(``), `{"scope":"hallpass:api","max_uses":5}`, 201},
		{"the same but for grants", api(``), `{"scope":"hallpass:api","grants":["GET /v1"]}`, 201},
		{"fewer scopes", api(`{"issue":{"scopes":["a","b"]}}`), `{"scope":"hallpass:api","data":{"issue":{"scopes":["a"]}}}`, 201},
		{"the same scopes", api(`{"issue":{"scopes":["a","b"]}}`), `{"scope":"hallpass:api","data":{"issue":{"scopes":["b","a"]}}}`, 403},
		{"other scopes", api(`{"issue":{"scopes":["a"]}}`), `{"scope":"hallpass:api","ttl":"1h","data":{"issue":{"scopes":["b"]}}}`, 403},
		{"all scopes", api(`{"issue":{"scopes":["a"]}}`), `{"scope":"hallpass:api","ttl":"1h"}`, 403},
		{"some of all scopes", api(``), `{"scope":"hallpass:api","data":{"issue":{"scopes":["b"]}}}`, 201},
		{"fewer modes", api(``), `{"scope":"hallpass:api","data":{"issue":{"modes":["public"]}}}`, 201},
		{"more modes", api(``), `{"scope":"hallpass:api","ttl":"1h","data":{"issue":{"modes":["session"]}}}`, 403},
		{"rights that cannot be read", api(``), `{"scope":"hallpass:api","ttl":"1h","data":{"issue":1}}`, 400},
		{"narrower grants", withGrants, `{"scope":"hallpass:api","ttl":"10m","grants":["POST /v1/passes","HEAD /v1/passes"]}`, 201},
		{"one grant more", withGrants, `{"scope":"hallpass:api","ttl":"10m","grants":["POST /v1","GET /v1/uses"]}`, 403},
		{"a grant of the same letters", withGrants, `{"scope":"hallpass:api","ttl":"10m","grants":["POST /v10"]}`, 403},
		{"no grants", withGrants, `{"scope":"hallpass:api","ttl":"10m"}`, 403},
		{"a later end", withGrants, `{"scope":"hallpass:api","ttl":"2h","grants":["POST /v1"]}`, 403},
		{"no end", hallpass.Spec{TTL: hour}, `{"scope":"hallpass:api","max_uses":1}`, 403},
		{"no quota of a quota", hallpass.Spec{MaxUses: 5}, `{"scope":"hallpass:api","ttl":"1h"}`, 403},
		{"a part of a quota, which both would then have", hallpass.Spec{MaxUses: 5}, `{"scope":"hallpass:api","max_uses":3}`, 403},
		{"by a pass that leaves no row to revoke", hallpass.Spec{Unrecorded: true}, `{"scope":"hallpass:api","ttl":"1h"}`, 403},
		{"one that leaves no row", api(``), `{"scope":"hallpass:api","ttl":"1h","unrecorded":true}`, 403},
		{"another subject", hallpass.Spec{Subject: "ada"}, `{"scope":"hallpass:api","ttl":"1h","subject":"bob"}`, 403},
		{"a subject of one without", api(``), `{"scope":"hallpass:api","ttl":"1h","subject":"bob"}`, 403},
		{"the same subject", hallpass.Spec{Subject: "ada"}, `{"scope":"hallpass:api","ttl":"1h","subject":"ada"}`, 201},
		{"another batch", hallpass.Spec{Batch: "b"}, `{"scope":"hallpass:api","ttl":"1h","batch":"c"}`, 403},
		{"other parents", api(``), `{"scope":"hallpass:api","ttl":"1h","data":{"parents":[]}}`, 400},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			token := s.caller(row.caller)
			got := s.call("POST", "/v1/passes", row.asked, as(token))
			if got.StatusCode != row.status {
				t.Errorf("%d %s", got.StatusCode, got.body)
			}
			if row.status == 403 && (got.text("code") != "not_granted" || !strings.Contains(got.Header.Get("WWW-Authenticate"), "insufficient_scope")) {
				t.Errorf("%v %s", got.Header, got.body)
			}
			bulk := s.call("POST", "/v1/passes/bulk", row.asked, as(s.caller(row.caller)), header("Content-Type", "application/x-ndjson"))
			if ok := row.status == 201; bulk.StatusCode != 200 || strings.Contains(bulk.body, `"error"`) == ok {
				t.Errorf("in a bulk: %d %s", bulk.StatusCode, bulk.body)
			}
		})
	}
}

func TestNobodyExtendsWhatHeMayNotIssue(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	own := s.issue(hallpass.Spec{Scope: hallpass.ScopeAPI, TTL: time.Hour})
	if got := s.call("PATCH", "/v1/passes/"+own.ID, `{"ttl":"2h"}`, as(own.Token.Reveal())); got.StatusCode != 403 {
		t.Errorf("a caller extends itself: %d %s", got.StatusCode, got.body)
	}
	session := s.issue(hallpass.Spec{Mode: hallpass.ModeSession, Subject: "ada"})
	if got := s.call("PATCH", "/v1/passes/"+session.ID, `{"ttl":"2h"}`); got.StatusCode != 403 || got.text("token") != "" {
		t.Errorf("a caller gets a token that signs somebody in: %d %s", got.StatusCode, got.body)
	}
}
