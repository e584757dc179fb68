package api_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// badRequest is one of a kind; n makes it a little different each time.
type badRequest struct {
	kind   string
	status int
	code   string
	field  string
	make   func(n int) (method, path, body string, edit func(*http.Request))
}

func none(*http.Request) {}

var badRequests = []badRequest{
	{"wrong type", 400, "invalid", "scope", func(n int) (string, string, string, func(*http.Request)) {
		return "POST", "/v1/passes", fmt.Sprintf(`{"scope":%d}`, n), none
	}},
	{"wrong type in a verdict", 400, "invalid", "hold", func(n int) (string, string, string, func(*http.Request)) {
		return "POST", "/v1/redeem", fmt.Sprintf(`{"token":"x","scope":"a","hold":%d}`, n), none
	}},
	{"unknown field", 400, "invalid", "max_use", func(n int) (string, string, string, func(*http.Request)) {
		return "POST", "/v1/passes", fmt.Sprintf(`{"scope":"a","max_use":%d}`, n), none
	}},
	{"a field in other letters", 400, "invalid", "Token", func(int) (string, string, string, func(*http.Request)) {
		return "POST", "/v1/verify", `{"Token":"x"}`, none
	}},
	{"huge body", 413, "invalid", "body", func(n int) (string, string, string, func(*http.Request)) {
		return "POST", "/v1/passes", `{"scope":"` + strings.Repeat("a", 600<<10+n) + `"}`, none
	}},
	{"huge body of unknown length", 413, "invalid", "body", func(n int) (string, string, string, func(*http.Request)) {
		return "POST", "/v1/passes", "-", func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(strings.Repeat(" ", 600<<10+n))), -1
		}
	}},
	{"bad JSON", 400, "invalid", "body", func(n int) (string, string, string, func(*http.Request)) {
		return "POST", "/v1/revocations", `{"scope":"a","batch":"b"}`[:1+n%23], none
	}},
	{"a name twice", 400, "invalid", "body", func(n int) (string, string, string, func(*http.Request)) {
		return "POST", "/v1/verify", fmt.Sprintf(`{"token":"%d","to\u006ben":"x"}`, n), none
	}},
	{"two values", 400, "invalid", "body", func(n int) (string, string, string, func(*http.Request)) {
		return "POST", "/v1/passes", fmt.Sprintf(`{"scope":"a"} %d`, n), none
	}},
	{"no object", 400, "invalid", "body", func(n int) (string, string, string, func(*http.Request)) {
		return "POST", "/v1/passes", []string{"[]", "1", "null", `"x"`, "true"}[n%5], none
	}},
	{"no body", 400, "invalid", "body", func(int) (string, string, string, func(*http.Request)) { return "POST", "/v1/settle", "", none }},
	{"wrong content type", 415, "invalid", "content-type", func(n int) (string, string, string, func(*http.Request)) {
		kinds := []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json; charset=utf-16", ";", "application/xml"}
		return "POST", "/v1/passes", `{"scope":"a"}`, header("Content-Type", kinds[n%len(kinds)])
	}},
	{"compressed", 415, "invalid", "content-encoding", func(int) (string, string, string, func(*http.Request)) {
		return "POST", "/v1/passes", "\x1f\x8b", header("Content-Encoding", "gzip")
	}},
	{"NUL", 400, "invalid", "body", func(n int) (string, string, string, func(*http.Request)) {
		return "POST", "/v1/passes", "{\"scope\":\"a\x00" + strings.Repeat("b", n%7) + "\"}", none
	}},
	{"NUL in an escape", 400, "invalid", "use_id", func(int) (string, string, string, func(*http.Request)) {
		return "POST", "/v1/redeem", `{"token":"x","scope":"a","use_id":"\u0000"}`, none
	}},
	{"NUL in a path", 400, "invalid", "id", func(int) (string, string, string, func(*http.Request)) {
		return "GET", "/v1/passes/a%00b", "", none
	}},
	{"no UTF-8 in a query", 400, "invalid", "scope", func(int) (string, string, string, func(*http.Request)) {
		return "GET", "/v1/passes?scope=%ff", "", none
	}},
	{"no UTF-8 in a body", 400, "invalid", "body", func(int) (string, string, string, func(*http.Request)) {
		return "POST", "/v1/verify", "{\"token\":\"\xff\"}", none
	}},
	{"deep nesting", 400, "invalid", "body", func(n int) (string, string, string, func(*http.Request)) {
		return "POST", "/v1/passes", `{"scope":"a","data":` + strings.Repeat("[", 40+n*100) + strings.Repeat("]", 40+n*100) + "}", none
	}},
	{"huge numbers", 400, "invalid", "max_uses", func(n int) (string, string, string, func(*http.Request)) {
		return "POST", "/v1/passes", `{"scope":"a","max_uses":` + []string{"1e400", "9999999999999999999999", "-9999999999999999999999", "1.5", "2147483648"}[n%5] + "}", none
	}},
	{"a number beyond its kind", 400, "invalid", "add_uses", func(int) (string, string, string, func(*http.Request)) {
		return "PATCH", "/v1/passes/x", `{"add_uses":99999999999999999999}`, none
	}},
	{"a cursor of nobody", 400, "invalid", "after", func(n int) (string, string, string, func(*http.Request)) {
		return "GET", fmt.Sprintf("/v1/%s?after=%d", []string{"passes", "uses"}[n%2], n), "", none
	}},
	{"a page too large", 400, "invalid", "limit", func(n int) (string, string, string, func(*http.Request)) {
		return "GET", "/v1/" + []string{"passes", "uses", "sessions"}[n%3] + "?limit=" + []string{"1001", "0", "-1", "x", "1e3", "99999999999999999999"}[n%6], "", none
	}},
	{"a parameter twice", 400, "invalid", "scope", func(int) (string, string, string, func(*http.Request)) {
		return "GET", "/v1/passes?scope=a&scope=b", "", none
	}},
	{"an unknown parameter", 400, "invalid", "offset", func(n int) (string, string, string, func(*http.Request)) {
		return "GET", fmt.Sprintf("/v1/passes?offset=%d", n), "", none
	}},
	{"a broken query", 400, "invalid", "query", func(int) (string, string, string, func(*http.Request)) {
		return "GET", "/v1/passes?scope=%zz", "", none
	}},
	{"wrong method", 405, "invalid", "", func(n int) (string, string, string, func(*http.Request)) {
		return []string{"PUT", "DELETE", "OPTIONS", "TRACE", "BREW"}[n%5], "/v1/passes", "", none
	}},
	{"no such path", 404, "not_found", "", func(n int) (string, string, string, func(*http.Request)) {
		return "GET", []string{"/", "/v2/passes", "/v1/passes/", "//v1/passes", "/v1/./passes", "/v1/passes/x/y", "/metrics"}[n%7], "", none
	}},
	{"an empty field that would widen", 400, "invalid", "batch", func(int) (string, string, string, func(*http.Request)) {
		return "POST", "/v1/revocations", `{"scope":"a","batch":""}`, none
	}},
	{"a revocation of everything", 400, "invalid", "body", func(int) (string, string, string, func(*http.Request)) {
		return "POST", "/v1/revocations", `{}`, none
	}},
	{"no address", 400, "invalid", "client_ip", func(int) (string, string, string, func(*http.Request)) {
		return "POST", "/v1/redeem", `{"token":"x","scope":"a","client_ip":"1.2.3"}`, none
	}},
	{"a long use id", 400, "invalid", "use_id", func(n int) (string, string, string, func(*http.Request)) {
		return "POST", "/v1/redeem", `{"token":"x","scope":"a","use_id":"` + strings.Repeat("x", 129+n) + `"}`, none
	}},
	{"no scope to honour", 400, "invalid", "scope", func(int) (string, string, string, func(*http.Request)) {
		return "POST", "/v1/redeem", `{"token":"x"}`, none
	}},
	{"an impossible time", 400, "invalid", "not_before", func(int) (string, string, string, func(*http.Request)) {
		return "POST", "/v1/passes", `{"scope":"a","not_before":"2026-02-30T00:00:00Z"}`, none
	}},
	{"an impossible life", 400, "invalid", "ttl", func(n int) (string, string, string, func(*http.Request)) {
		return "POST", "/v1/passes", `{"scope":"a","ttl":"` + []string{"-1h", "7", "0", "forever", "1000000d"}[n%5] + `"}`, none
	}},
	{"a grant of two readings", 400, "invalid", "grants", func(n int) (string, string, string, func(*http.Request)) {
		return "POST", "/v1/passes", `{"scope":"a","grants":["GET ` + []string{"/a/../b", "/a%2fb", "/a//b", "/a;b", "a"}[n%5] + `"]}`, none
	}},
	{"no form", 400, "invalid", "token", func(int) (string, string, string, func(*http.Request)) {
		return "POST", "/v1/introspect", "a=b", header("Content-Type", "application/x-www-form-urlencoded")
	}},
	{"a body that is not wanted", 400, "invalid", "reason", func(int) (string, string, string, func(*http.Request)) {
		return "POST", "/v1/passes/x/revoke", `{"reason":"x"}`, none
	}},
	{"an empty bulk", 400, "invalid", "body", func(int) (string, string, string, func(*http.Request)) {
		return "POST", "/v1/passes/bulk", "\n\n", header("Content-Type", "application/x-ndjson")
	}},
	{"a bulk of another type", 415, "invalid", "content-type", func(int) (string, string, string, func(*http.Request)) {
		return "POST", "/v1/passes/bulk", `{"scope":"a"}`, none
	}},
}

func TestAThousandBadRequestsAreTheSendersFault(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		bad := badRequests[r.IntN(len(badRequests))]
		method, path, body, edit := bad.make(r.IntN(100))
		got := s.call(method, path, body, edit)
		if got.StatusCode != bad.status || got.text("code") != bad.code || got.text("field") != bad.field || got.text("detail") == "" ||
			got.text("title") == "" || got.member("status") != float64(bad.status) || got.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %s %s: %d %s", bad.kind, method, path, got.StatusCode, got.body)
		}
	}
	if len(badRequests) < 20 {
		t.Error("too few kinds")
	}
	if s.log.Len() > 0 {
		t.Errorf("a sender's fault is in our log:\n%s", s.log)
	}
}

func TestABodyThatNeverEndsIsTheSendersFault(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for name, tail := range map[string]string{
		"a broken chunk": "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
		"a short body":   "Content-Length: 100\r\n\r\n{\"scope\":",
	} {
		host := strings.TrimPrefix(s.url, "http://")
		conn, err := net.Dial("tcp", host)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = fmt.Fprintf(conn, "POST /v1/passes HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n%s", host, s.token, tail)
		_ = conn.(*net.TCPConn).CloseWrite()
		text, _ := io.ReadAll(conn)
		if !strings.HasPrefix(string(text), "HTTP/1.1 400 ") || !strings.Contains(string(text), `"code":"invalid","field":"body"`) {
			t.Errorf("%s: %s", name, text)
		}
	}
}
