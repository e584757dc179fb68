package api_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/api"
)

var t0 = time.Date(2026, 3, 1, 12, 0, 0, 250_000_000, time.UTC)

func atT0(_ *api.Config, c *hallpass.Config) { c.Now = func() time.Time { return t0 } }

var changing = []struct {
	pattern *regexp.Regexp
	word    string
}{
	{regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`), "ID"},
	{regexp.MustCompile(`eyJ[\w-]+\.[\w-]+\.[\w-]+`), "TOKEN"},
	{regexp.MustCompile(`"[0-9A-Za-z]{22}"`), `"SHORT"`},
	{regexp.MustCompile(`"key":"[\w-]+"`), `"key":"KEY"`},
}

// steady replaces what differs from run to run.
func steady(text string) string {
	for _, c := range changing {
		text = c.pattern.ReplaceAllString(text, c.word)
	}
	return strings.TrimSuffix(text, "\n")
}

func TestEachEndpointAnswersExactly(t *testing.T) {
	t.Parallel()
	s := newSite(t, atT0)
	const ada = `"scope":"report","mode":"request","subject":"ada","data":{"n":1.0},"grants":["GET /r","PUT =/s"],"recipient":"Ada","batch":"b",` +
		`"issued_at":"2026-03-01T12:00:00.25Z","not_before":"2026-03-01T12:00:00Z","expires_at":"2026-03-08T12:00:01Z","max_uses":2,"recorded":true`
	const asked = `{"scope":"report","mode":"request","subject":"ada","max_uses":2,"ttl":"7d","not_before":"2026-03-01T13:00:00+01:00","data":{"n": 1.0},` +
		`"grants":["GET /r","PUT =/s"],"recipient":"Ada","batch":"b","url":"https://x.example/r?a=1","format":"signed","unrecorded":false}`
	issued := s.call("POST", "/v1/passes", asked)
	id, token := issued.text("id"), issued.text("token")
	const claims = `"claims":{"jti":"ID","sub":"report","mod":"r","aud":"ada","max":2,"exp":1772971201,"nbf":1772366400,"iat":1772366400.250000,"iss":"hallpass",` +
		`"grt":["GET /r","PUT =/s"],"bat":"b"}`
	fresh := `{"id":"ID",` + ada + `,"used":0,"uses_left":2,"state":"active","key":"KEY"`
	once := `{"id":"ID",` + ada + `,"used":1,"uses_left":1,"state":"active","key":"KEY"`
	use := `{"id":"ID","pass":"ID","subject":"ada","at":"2026-03-01T12:00:00.25Z","client_ip":"192.0.2.1","user_agent":"UA","method":"GET","path":"/r",`
	const redeem = `"scope":"report","method":"GET","path":"/r","client_ip":"192.0.2.1","user_agent":"UA","use_id":"u1","hold":true}`
	useID := ""
	for _, row := range []struct {
		name, method, path, body string
		status                   int
		want                     string
	}{
		{"issue", "POST", "/v1/passes", asked, 201, fresh + `,"token":"TOKEN","url":"https://x.example/r?a=1&rt=TOKEN"}`},
		{"issue what is unlimited", "POST", "/v1/passes", `{"scope":"x","max_uses":0,"ttl":null,"unrecorded":true}`, 201,
			`{"id":"ID","scope":"x","mode":"public","issued_at":"2026-03-01T12:00:00.25Z","max_uses":0,"recorded":false,"used":0,"uses_left":null,"state":"active","key":"KEY","token":"TOKEN"}`},
		{"show", "GET", "/v1/passes/{id}", "", 200, fresh + "}"},
		{"verify", "POST", "/v1/verify", `{"token":"{token}","scope":"report","method":"GET","path":"/r/1"}`, 200, `{"valid":true,` + claims + `,"pass":` + fresh + "}}"},
		{"verify for another path", "POST", "/v1/verify", `{"token":"{token}","method":"GET","path":"/rest"}`, 200, `{"valid":false,"reason":"not_granted",` + claims + "}"},
		{"verify what is no token", "POST", "/v1/verify", `{"token":"x"}`, 200, `{"valid":false,"reason":"malformed"}`},
		{"verify nothing", "POST", "/v1/verify", `{"token":""}`, 200, `{"valid":false,"reason":"missing"}`},
		{"redeem without method and path", "POST", "/v1/redeem", `{"token":"{token}","scope":"report"}`, 200, `{"valid":false,"reason":"not_granted",` + claims + "}"},
		{"redeem for another subject", "POST", "/v1/redeem", `{"token":"{token}","subject":"bob",` + redeem, 200, `{"valid":false,"reason":"wrong_subject",` + claims + "}"},
		{"redeem", "POST", "/v1/redeem", `{"token":"{token}",` + redeem, 200,
			`{"valid":true,` + claims + `,"pass":` + once + `},"use":"ID","subject":"ada","data":{"n":1.0},"uses_left":1,"duplicate":false}`},
		{"redeem again", "POST", "/v1/redeem", `{"token":"{token}",` + redeem, 200,
			`{"valid":true,` + claims + `,"pass":` + once + `},"use":"ID","subject":"ada","data":{"n":1.0},"uses_left":1,"duplicate":true}`},
		{"introspect", "POST", "/v1/introspect", `token={token}&token_type_hint=access_token`, 200,
			`{"active":true,"scope":"report","sub":"ada","iss":"hallpass","jti":"ID","token_type":"Bearer","exp":1772971201,"iat":1772366400,"nbf":1772366400}`},
		{"the held use", "GET", "/v1/uses?limit=5&pass={id}", "", 200, `{"uses":[` + use + `"status":0,"state":"pending"}],"next":null}`},
		{"settle", "POST", "/v1/settle", `{"pass":"{id}","use":"{use}","status":503,"refund":true}`, 200, use + `"status":503,"state":"refunded"}`},
		{"settle again", "POST", "/v1/settle", `{"pass":"{id}","use":"{use}","status":200}`, 200, use + `"status":503,"state":"refunded"}`},
		{"uses of the pass", "GET", "/v1/passes/{id}/uses", "", 200, `{"uses":[` + use + `"status":503,"state":"refunded"}],"next":null}`},
		{"add uses", "PATCH", "/v1/passes/{id}", `{"add_uses":1}`, 200,
			strings.NewReplacer(`"max_uses":2`, `"max_uses":3`, `"uses_left":2`, `"uses_left":3`).Replace(fresh) + "}"},
		{"extend", "PATCH", "/v1/passes/{id}", `{"expires_at":"2026-03-09T12:00:01Z"}`, 200,
			strings.NewReplacer(`"max_uses":2`, `"max_uses":3`, `"uses_left":2`, `"uses_left":3`, "03-08", "03-09").Replace(fresh) + `,"token":"TOKEN"}`},
		{"list", "GET", "/v1/passes?scope=x&mode=public&state=active", "", 200, `{"passes":[],"next":null}`},
		{"a batch", "GET", "/v1/batches/b", "", 200,
			`{"batch":"b","issued":2,"used":0,"uses":0,"active":2,"not_yet_valid":0,"expired":0,"spent":0,"revoked":0,"complete":true}`},
		{"a dry run", "POST", "/v1/revocations", `{"batch":"b","subject":"ada","issued_before":"2026-03-01T12:00:00.5Z","dry_run":true}`, 200,
			`{"subject":"ada","batch":"b","issued_before":"2026-03-01T12:00:00.5Z","dry_run":true,"passes":2}`},
		{"revoke", "POST", "/v1/passes/{id}/revoke", "", 200, strings.NewReplacer(`"max_uses":2`, `"max_uses":3`, `"uses_left":2`, `"uses_left":3`,
			"03-08", "03-09", `"active"`, `"revoked","revoked_at":"2026-03-01T12:00:00.25Z"`).Replace(fresh) + "}"},
		{"introspect what is revoked", "POST", "/v1/introspect", `token={token}`, 200, `{"active":false}`},
		{"introspect what is no token", "POST", "/v1/introspect", `token=x`, 200, `{"active":false}`},
		{"revoke a group", "POST", "/v1/revocations", `{"batch":"b"}`, 200, `{"batch":"b","issued_before":"2026-03-01T12:00:00.25Z","dry_run":false}`},
		{"sessions", "GET", "/v1/sessions", "", 200, `{"sessions":[],"next":null}`},
		{"end a session", "POST", "/v1/sessions/x/end", "{}", 404,
			`{"type":"urn:hallpass:problem:not_found","title":"There is no such thing","status":404,"code":"not_found","detail":"not found"}`},
		{"show what is not there", "GET", "/v1/passes/x", "", 404,
			`{"type":"urn:hallpass:problem:not_found","title":"There is no such thing","status":404,"code":"not_found","detail":"not found"}`},
		{"uses of what is not there", "GET", "/v1/passes/x/uses", "", 404,
			`{"type":"urn:hallpass:problem:not_found","title":"There is no such thing","status":404,"code":"not_found","detail":"not found"}`},
		{"a wrong field", "POST", "/v1/passes", `{"scope":"a","max_uses":-1}`, 400,
			`{"type":"urn:hallpass:problem:invalid","title":"The request is not valid","status":400,"code":"invalid","field":"max_uses","detail":"must not be negative; 0 means unlimited"}`},
		{"settle what is not there", "POST", "/v1/settle", `{"pass":"{id}","use":"x","status":200}`, 404,
			`{"type":"urn:hallpass:problem:not_found","title":"There is no such thing","status":404,"code":"not_found","detail":"not found"}`},
		{"a path that is not there", "GET", "/v1/nix", "", 404,
			`{"type":"urn:hallpass:problem:not_found","title":"Not Found","status":404,"code":"not_found","detail":"there is no such endpoint"}`},
	} {
		filled := strings.NewReplacer("{id}", id, "{token}", token, "{use}", useID)
		edits := []func(*http.Request){}
		if strings.HasSuffix(row.path, "introspect") {
			edits = append(edits, header("Content-Type", "application/x-www-form-urlencoded"))
		}
		got := s.call(row.method, filled.Replace(row.path), filled.Replace(row.body), edits...)
		if row.name == "redeem" {
			useID = got.text("use")
		}
		if got.StatusCode != row.status || steady(got.body) != row.want {
			t.Errorf("%s: %d\n%s", row.name, got.StatusCode, cmp.Diff(row.want, steady(got.body)))
		}
		kind := "application/json"
		if row.status >= 400 {
			kind = "application/problem+json"
		}
		if got.Header.Get("Content-Type") != kind || got.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", row.name, got.Header)
		}
	}
}

func TestASessionPassNeedsItsPerson(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	token := s.issue(hallpass.Spec{Mode: hallpass.ModeSession, Subject: "ada"}).Token.Reveal()
	if got := s.call("POST", "/v1/redeem", `{"token":"`+token+`","scope":"report"}`); got.text("reason") != "needs_confirmation" {
		t.Errorf("unconfirmed: %s", got.body)
	}
	if got := s.call("POST", "/v1/redeem", `{"token":"`+token+`","scope":"report","confirmed":true}`); got.member("valid") != true || got.text("subject") != "ada" {
		t.Errorf("confirmed: %s", got.body)
	}
}

func TestALinkIsAsGoodAsItsToken(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	issued := s.issue(hallpass.Spec{Target: "https://x.example/a?b=1"})
	link, err := hallpass.Link("https://x.example/a?b=1&utm_source=mail", issued.Token, "")
	if err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]string{
		`{"token":"` + link + `","scope":"report"}`:                                             "",
		`{"token":"` + issued.Token.Reveal() + `","scope":"report","path":"/a?b=1"}`:            "",
		`{"token":"` + issued.Token.Reveal() + `","scope":"report","path":"/a?b=2"}`:            "not_granted",
		`{"token":"` + issued.Token.Reveal() + `","scope":"report","path":"/a","method":"GET"}`: "not_granted",
		`{"token":" ` + issued.Token.Reveal() + `\n","scope":"report","path":"/a?b=1&utm_x=1"}`: "",
	} {
		if got := s.call("POST", "/v1/redeem", body); got.text("reason") != want {
			t.Errorf("%s\n%s, want %q", body, got.body, want)
		}
	}
	page, err := s.Uses(t.Context(), hallpass.UseQuery{})
	if err != nil || len(page.Uses) != 3 {
		t.Fatalf("%+v, %v", page, err)
	}
	for _, u := range page.Uses {
		if strings.Contains(u.Path, "?") {
			t.Errorf("the audit has the query %q", u.Path)
		}
	}
}

func TestARepeatedIssueGivesTheSamePass(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	key := header("Idempotency-Key", "k")
	first := s.call("POST", "/v1/passes", `{"scope":"a","ttl":"1h"}`, key)
	again := s.call("POST", "/v1/passes", `{"ttl":"60m","scope":"a"}`, key)
	if first.StatusCode != 201 || first.body != again.body {
		t.Errorf("first %s\nagain %s", first.body, again.body)
	}
	other := s.call("POST", "/v1/passes", `{"scope":"a","ttl":"1h"}`, key, as(s.caller(hallpass.Spec{})))
	if other.StatusCode != 201 || other.text("id") == first.text("id") {
		t.Errorf("another caller got %s", other.body)
	}
	bad := s.call("POST", "/v1/passes", `{"scope":"a"}`, header("Idempotency-Key", strings.Repeat("k", 129)))
	if bad.StatusCode != 400 || bad.text("field") != "idempotency_key" {
		t.Errorf("a long key: %s", bad.body)
	}
}

func TestIfMatchGuardsAgainstLostUpdates(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	issued := s.issue(hallpass.Spec{})
	path := "/v1/passes/" + issued.ID
	tag := s.call("GET", path, "").Header.Get("ETag")
	first := s.call("PATCH", path, `{"add_uses":5}`, header("If-Match", tag))
	if first.StatusCode != 200 || first.Header.Get("ETag") == tag || first.Header.Get("ETag") != s.call("GET", path, "").Header.Get("ETag") {
		t.Errorf("%d %v %s", first.StatusCode, first.Header, first.body)
	}
	again := s.call("PATCH", path, `{"add_uses":5}`, header("If-Match", tag))
	if again.StatusCode != 412 || again.text("code") != "conflict" {
		t.Errorf("%d %s", again.StatusCode, again.body)
	}
	if got := s.call("GET", path, ""); got.member("max_uses") != 15.0 {
		t.Error(got.body)
	}
}

func TestAPrefixCoversAllButTheWellKnown(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *api.Config, _ *hallpass.Config) { c.Prefix = "/pass" })
	if got := s.call("GET", "/v1/passes", ""); got.StatusCode != 200 {
		t.Error(got.StatusCode, got.body)
	}
	if got := s.call("GET", "/openapi.json", "", without("Authorization")); got.StatusCode != 200 || !strings.Contains(got.body, `"url":"/pass"`) {
		t.Error(got.StatusCode)
	}
	s.url = strings.TrimSuffix(s.url, "/pass")
	for path, status := range map[string]int{"/v1/passes": 404, "/openapi.json": 404, "/.well-known/jwks.json": 200, "/.well-known/hallpass-jwks.json": 200} {
		if got := s.call("GET", path, ""); got.StatusCode != status {
			t.Errorf("%s: %d", path, got.StatusCode)
		}
	}
	granted := s.caller(hallpass.Spec{Grants: []hallpass.Grant{{Method: "GET", Path: "/pass/v1/uses"}}})
	if got := s.call("GET", "/pass/v1/uses", "", as(granted)); got.StatusCode != 200 {
		t.Error(got.StatusCode, got.body)
	}
}
