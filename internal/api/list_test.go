package api_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/wire"
)

func TestPagesNeitherRepeatNorMissWhileRowsArrive(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	want := map[string]bool{}
	for range 250 {
		want[s.issue(hallpass.Spec{Batch: "b"}).ID] = true
	}
	seen := map[string]bool{}
	after := ""
	for pages := 0; ; pages++ {
		path := "/v1/passes?batch=b&limit=40"
		if after != "" {
			path += "&after=" + after
		}
		var page wire.Passes
		if err := json.Unmarshal([]byte(s.call("GET", path, "").body), &page); err != nil {
			t.Fatal(err)
		}
		for _, p := range page.Passes {
			if seen[p.ID] {
				t.Errorf("%s comes twice", p.ID)
			}
			seen[p.ID] = true
			delete(want, p.ID)
		}
		for range 7 {
			s.issue(hallpass.Spec{Batch: "b"})
		}
		if page.Next == nil {
			break
		}
		after = *page.Next
	}
	if len(want) > 0 || len(seen) != 250 {
		t.Errorf("%d missed, %d seen", len(want), len(seen))
	}
}

func TestUsesComeInPages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	issued := s.issue(hallpass.Spec{MaxUses: hallpass.Unlimited})
	for range 5 {
		if _, err := s.RedeemOnce(t.Context(), hallpass.Presentation{Token: issued.Token, Scope: "report"}, 200); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]bool{}
	path := "/v1/passes/" + issued.ID + "/uses?limit=2"
	for after := ""; ; {
		var page wire.Uses
		if err := json.Unmarshal([]byte(s.call("GET", path+after, "").body), &page); err != nil {
			t.Fatal(err)
		}
		for _, u := range page.Uses {
			seen[u.ID] = true
		}
		if page.Next == nil {
			break
		}
		after = "&after=" + *page.Next
	}
	if len(seen) != 5 {
		t.Errorf("%d uses", len(seen))
	}
}

func TestABatchIsCounted(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	redeem := func(i hallpass.Issued) {
		if _, err := s.RedeemOnce(t.Context(), hallpass.Presentation{Token: i.Token, Scope: "report"}, 200); err != nil {
			t.Fatal(err)
		}
	}
	const batch = "spring/2026"
	spec := hallpass.Spec{Batch: batch, MaxUses: 2}
	s.issue(spec)
	once := s.issue(spec)
	redeem(once)
	spent := s.issue(spec)
	redeem(spent)
	redeem(spent)
	revoked := s.issue(spec)
	if _, err := s.RevokePass(t.Context(), revoked.Pass); err != nil {
		t.Fatal(err)
	}
	s.issue(hallpass.Spec{Batch: batch, NotBefore: time.Now().Add(time.Hour)})
	s.issue(hallpass.Spec{Batch: batch, Unrecorded: true}) // of this one nobody knows yet
	got := s.call("GET", "/v1/batches/spring%2F2026", "")
	want := `{"batch":"spring/2026","issued":5,"used":2,"uses":3,"active":2,"not_yet_valid":1,"expired":0,"spent":1,"revoked":1,"complete":true}`
	if steady(got.body) != want {
		t.Error(got.body)
	}
}

func ndjson(r *http.Request) { r.Header.Set("Content-Type", "application/x-ndjson") }

func TestABulkAnswersLineByLine(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	body := `{"scope":"a","url":"/x"}` + "\n\n" + `{"scope":""}` + "\r\n{\n" + `{"scope":"a","nope":1}` + "\n" +
		`{"scope":"` + strings.Repeat("a", 700<<10) + `"}` + "\n" + `{"scope":"a","format":"short"}`
	got := s.call("POST", "/v1/passes/bulk", body, ndjson)
	lines := strings.Split(strings.TrimSpace(steady(got.body)), "\n")
	if got.StatusCode != 200 || len(lines) != 6 || got.Header.Get("Content-Type") != "application/x-ndjson" || got.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v\n%s", got.StatusCode, got.Header, got.body)
	}
	for n, want := range []string{
		`"token":"TOKEN","url":"/x?rt=TOKEN"}`,
		`{"line":3,"error":{"type":"urn:hallpass:problem:invalid","title":"The request is not valid","status":400,"code":"invalid","field":"scope","detail":"is required: the name of what the pass is for"}}`,
		`{"line":4,"error":{"type":"urn:hallpass:problem:invalid","title":"The request is not valid","status":400,"code":"invalid","field":"body",`,
		`"field":"nope","detail":"is no field here"}}`,
		`{"line":6,"error":{"type":"urn:hallpass:problem:invalid","title":"Request Entity Too Large","status":413,`,
		`"token":"SHORT"}`,
	} {
		if !strings.Contains(lines[n], want) {
			t.Errorf("line %d is %s\nwant %s", n, lines[n], want)
		}
	}
}

func TestARepeatedBulkGivesTheSamePasses(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var body strings.Builder
	for n := range 2500 {
		fmt.Fprintf(&body, `{"scope":"a","recipient":"%d","format":"%s"}`+"\n", n, []string{"signed", "short", "compact"}[n%3])
	}
	key := header("Idempotency-Key", "tonight")
	first := s.call("POST", "/v1/passes/bulk", body.String(), ndjson, key)
	again := s.call("POST", "/v1/passes/bulk", body.String(), ndjson, key)
	if first.body != again.body || strings.Count(first.body, "\n") != 2500 || strings.Contains(first.body, `"error"`) {
		t.Errorf("%d and %d bytes", len(first.body), len(again.body))
	}
	if other := s.call("POST", "/v1/passes/bulk", body.String(), ndjson); other.body == first.body {
		t.Error("without a key nothing repeats")
	}
}

func TestABulkIsAnsweredWhileItIsSent(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	in, out := io.Pipe()
	r, err := http.NewRequestWithContext(t.Context(), "POST", s.url+"/v1/passes/bulk", in)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	ndjson(r)
	go func() { _, _ = io.WriteString(out, `{"scope":"a"}`+"\n") }()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answers := bufio.NewScanner(response.Body)
	for range 3 {
		if !answers.Scan() || !strings.Contains(answers.Text(), `"token"`) {
			t.Fatal(answers.Text(), answers.Err())
		}
		if _, err := io.WriteString(out, `{"scope":"a"}`+"\n"); err != nil {
			t.Fatal(err)
		}
	}
	out.Close()
	if !answers.Scan() || answers.Scan() {
		t.Error("the last line has no answer, or two")
	}
}

// stream is a bulk request whose lines are sent one by one.
func (s *site) stream(token string) (out io.WriteCloser, answers *bufio.Scanner) {
	s.t.Helper()
	in, out := io.Pipe()
	r, err := http.NewRequestWithContext(s.t.Context(), "POST", s.url+"/v1/passes/bulk", in)
	if err != nil {
		s.t.Fatal(err)
	}
	as(token)(r)
	ndjson(r)
	go func() { _, _ = io.WriteString(out, `{"scope":"a"}`+"\n") }()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { response.Body.Close() })
	answers = bufio.NewScanner(response.Body)
	if !answers.Scan() || !strings.Contains(answers.Text(), `"token"`) {
		s.t.Fatal(answers.Text(), answers.Err())
	}
	return out, answers
}

// A bulk that was begun went on issuing when its caller was taken back.
func TestABulkEndsWithItsCaller(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	caller := s.issue(hallpass.Spec{Scope: hallpass.ScopeAPI, MaxUses: 1}) // spent by this request, which goes on
	out, answers := s.stream(caller.Token.Reveal())
	if _, err := s.RevokePass(t.Context(), caller.Pass); err != nil {
		t.Fatal(err)
	}
	go func() {
		_, _ = io.WriteString(out, strings.Repeat(`{"scope":"a"}`+"\n", 1500))
		out.Close()
	}()
	for n := range 1500 {
		if !answers.Scan() || !strings.HasPrefix(answers.Text(), fmt.Sprintf(`{"line":%d,"error":{`, n+2)) || !strings.Contains(answers.Text(), `"code":"revoked"`) {
			t.Fatalf("line %d: %s, %v", n+2, answers.Text(), answers.Err())
		}
	}
	if answers.Scan() {
		t.Error(answers.Text())
	}
	page, err := s.Entries(t.Context(), hallpass.EntryFilter{Scope: "a"})
	if err != nil || len(page.Entries) != 1 {
		t.Errorf("%d passes were issued, %v", len(page.Entries), err)
	}
}

func TestABulkEndsWhenItsCallerExpires(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	out, answers := s.stream(s.caller(hallpass.Spec{TTL: time.Second}))
	defer out.Close()
	if !answers.Scan() || !strings.HasPrefix(answers.Text(), `{"line":2,"error":{`) || !strings.Contains(answers.Text(), `"code":"expired"`) {
		t.Errorf("%s, %v", answers.Text(), answers.Err())
	}
	if answers.Scan() {
		t.Error(answers.Text())
	}
}
