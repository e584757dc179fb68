package e2e_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass/internal/needs"
)

// badRequest is one way to be wrong. raw, where set, is what goes over the wire.
type badRequest struct {
	name, method, path, contentType, body string
	noToken                               bool
	header                                [2]string
}

func badRequests() []badRequest {
	const issue, redeem, j = "/v1/passes", "/v1/redeem", "application/json"
	return []badRequest{
		{name: "wrong type", path: issue, body: `{"scope":7}`},
		{name: "unknown field", path: issue, body: `{"scope":"a","colour":"red"}`},
		{name: "huge body", path: issue, body: `{"scope":"` + strings.Repeat("a", 3<<20) + `"}`},
		{name: "very huge body", path: redeem, body: strings.Repeat(" ", 8<<20)},
		{name: "bad JSON", path: issue, body: `{"scope":`},
		{name: "trailing data", path: issue, body: `{"scope":"a"} {}`},
		{name: "a list", path: issue, body: `[]`},
		{name: "duplicate member", path: issue, body: `{"scope":"a","scope":"b"}`},
		{name: "wrong content type", path: issue, contentType: "text/plain", body: `{"scope":"a"}`},
		{name: "a form", path: issue, contentType: "application/x-www-form-urlencoded", body: `scope=a`},
		{name: "NUL", path: issue, body: "{\"scope\":\"a\x00\"}"},
		{name: "deep nesting", path: issue, body: `{"scope":"a","data":` + strings.Repeat(`[`, 100000) + strings.Repeat(`]`, 100000) + `}`},
		{name: "a huge number", path: issue, body: `{"scope":"a","max_uses":1e999999}`},
		{name: "no UTF-8", path: issue, body: "{\"scope\":\"\xff\xfe\"}"},
		{name: "no scope", path: issue, body: `{}`},
		{name: "empty body", path: issue},
		{name: "wrong method", method: http.MethodDelete, path: issue},
		{name: "no such path", path: "/v1/nothing"},
		{name: "dot segments", method: http.MethodGet, path: "/v1/../../etc/passwd"},
		{name: "a bad cursor", method: http.MethodGet, path: "/v1/passes?after=%00&limit=-1"},
		{name: "too long a page", method: http.MethodGet, path: "/v1/passes?limit=100000"},
		{name: "no token", path: issue, body: `{"scope":"a"}`, noToken: true},
		{name: "a bad token", path: issue, body: `{"scope":"a"}`, noToken: true, header: [2]string{"Authorization", "Bearer " + strings.Repeat(".", 30000)}},
		{name: "a token with dots", path: issue, body: `{"scope":"a"}`, noToken: true, header: [2]string{"Authorization", "Bearer a.b.c"}},
		{name: "bulk of nonsense", path: "/v1/passes/bulk", contentType: j, body: "nonsense\nnonsense\n"},
		{name: "huge header", path: issue, body: `{}`, header: [2]string{"X-Filler", strings.Repeat("a", 100<<10)}},
	}
}

var problemCode = regexp.MustCompile(`"code":"[a-z_]+"`)

func TestAThousandBadRequestsGetAClearAnswer(t *testing.T) {
	t.Parallel()
	store := sqliteFile(t)
	token := issueAPIToken(t, store)
	s := startServeOn(t, store, nil)
	kinds := badRequests()
	jobs := make(chan badRequest)
	var gone sync.WaitGroup
	for range 16 {
		gone.Go(func() {
			c := newClient()
			defer c.close()
			for b := range jobs {
				c.sendBad(t, s, token, b)
			}
		})
	}
	for i := range 1040 {
		jobs <- kinds[i%len(kinds)]
	}
	close(jobs)
	gone.Wait()
	if most := peakMemory(t, s.cmd.Process.Pid); most > 256<<20 {
		t.Errorf("the server took %d MB", most>>20)
	} else {
		t.Logf("the server took %d MB at most", most>>20)
	}
	if got := s.call(t, token, "/v1/passes", `{"scope":"a"}`); got.status != http.StatusCreated {
		t.Errorf("afterwards: %d", got.status)
	}
	if body := get(t, s.OpsURL+"/metrics").body; strings.Contains(body, `class="5xx"`) {
		t.Error("a bad request was a failure of the server")
	}
}

func (c *client) sendBad(t *testing.T, s *server, token string, b badRequest) {
	t.Helper()
	method, contentType := b.method, b.contentType
	if method == "" {
		method = http.MethodPost
	}
	if contentType == "" {
		contentType = "application/json"
	}
	headers := []string{"Content-Type", contentType}
	if !b.noToken {
		headers = append(headers, "Authorization", "Bearer "+token)
	}
	if b.header[0] != "" {
		headers = append(headers, b.header[0], b.header[1])
	}
	got, err := c.do(method, s.URL+b.path, b.body, headers...)
	switch {
	case got.status == 0 && len(b.body) > 1<<20 && err != nil:
		// The server answers and hangs up while the body is still being sent; a
		// client may see only that.
	case err != nil && got.status == 0:
		t.Errorf("%s: %v", b.name, err)
	case b.path == "/v1/passes/bulk" && got.status == http.StatusOK && problemCode.MatchString(got.body):
		// Each line has its own error.
	case got.status < 400 || got.status >= 500:
		t.Errorf("%s: status %d", b.name, got.status)
	case got.status != http.StatusRequestHeaderFieldsTooLarge && !problemCode.MatchString(got.body):
		t.Errorf("%s: status %d without a code: %.200s", b.name, got.status, got.body)
	}
}

// peakMemory is the most that a process ever had in memory.
func peakMemory(t *testing.T, pid int) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		needs.Missing(t, "/proc, which tells what a process takes")
	}
	found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(text)
	if found == nil {
		needs.Missing(t, "a /proc that tells what a process took at most")
	}
	kb, _ := strconv.ParseInt(string(found[1]), 10, 64)
	return kb << 10
}

// Clients that send slowly are let go, and cost the others nothing.
func TestSlowClientsAreCut(t *testing.T) {
	if testing.Short() {
		needs.Missing(t, "a run without -short: it takes as long as the server's patience")
	}
	t.Parallel()
	store := sqliteFile(t)
	token := issueAPIToken(t, store)
	s := startServeOn(t, store, nil)
	addr := strings.TrimPrefix(s.URL, "http://")
	var gone sync.WaitGroup
	for i := range 50 {
		for name, start := range map[string]string{
			"header": "POST /v1/passes HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
			"body": "POST /v1/passes HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAuthorization: Bearer " + token +
				"\r\nContent-Length: 1000\r\n\r\n{\"scope\":",
		} {
			gone.Go(func() { slowly(t, fmt.Sprintf("%s %d", name, i), addr, start) })
		}
	}
	ended := make(chan struct{})
	go func() {
		gone.Wait()
		close(ended)
	}()
	for asked := 0; ; asked++ {
		select {
		case <-ended:
			if asked < 10 {
				t.Errorf("asked %d times meanwhile", asked)
			}
			return
		case <-time.After(200 * time.Millisecond):
			if got := get(t, s.URL+"/.well-known/jwks.json"); got.status != http.StatusOK {
				t.Fatalf("meanwhile: %d", got.status)
			}
		}
	}
}

// slowly sends a byte now and then until it is cut, which must be with 4xx or
// without any answer.
func slowly(t *testing.T, name, addr, start string) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(45 * time.Second))
	status := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(conn).ReadString('\n')
		status <- line
	}()
	_, err = conn.Write([]byte(start))
	for began := time.Now(); err == nil; {
		select {
		case line := <-status:
			if line != "" && !strings.HasPrefix(line, "HTTP/1.1 4") {
				t.Errorf("%s: %s", name, line)
			}
			if took := time.Since(began); took > 40*time.Second {
				t.Errorf("%s: cut after %s", name, took)
			}
			return
		case <-time.After(500 * time.Millisecond):
			_, err = conn.Write([]byte(" "))
		}
	}
}
