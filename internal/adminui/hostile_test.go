package adminui_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/adminui"
)

var (
	formPattern  = regexp.MustCompile(`(?s)<form[^>]*method="(get|post)"[^>]*action="([^"]*)"[^>]*>.*?</form>`)
	fieldPattern = regexp.MustCompile(`name="([a-z_]+)"(?: value="([^"]*)")?`)
)

// hostiles are values that somebody may send in any field.
var hostiles = map[string]string{
	"markup":           nasty,
	"a script's URL":   "javascript:alert(1)//https://x",
	"line breaks":      "a\r\nSet-Cookie: x=1\r\n\r\n<script>alert(1)</script>",
	"NUL":              "a\x00b",
	"bytes of no text": "\xff\xfe<script>alert(1)</script>",
	"a lot":            strings.Repeat("<script>alert(1)</script>", 4000),
	"a template":       `{{.}}{{template "x"}}{{"<script>alert(1)</script>"}}`,
	"numbers":          "-99999999999999999999",
	"a moment":         "9999999-12-31T00:00:00Z",
}

// TestHostileValuesInEveryFieldOfEveryForm sends them in each field of each form that
// the pages have, the other fields as they are there: nothing runs, nothing breaks, and
// what a field does not say stays as it was.
func TestHostileValuesInEveryFieldOfEveryForm(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	p := s.issue(hallpass.Spec{Scope: "act", Mode: hallpass.ModeRequest, Subject: "hugo", Batch: "november", Recipient: "hugo@example.com"})
	if err := s.issuer.FlushStats(t.Context()); err != nil { // or there is no campaign yet
		t.Fatal(err)
	}
	b := s.as(adminui.RoleAdmin)
	type form struct {
		method, action string
		values         url.Values
	}
	forms := map[string]form{}
	for _, path := range append(everyPage(p.ID), "/revoke/picked?id="+p.ID, "/revoke?scope=act", "/issue?job=campaign") {
		for _, found := range formPattern.FindAllStringSubmatch(b.get(path).body, -1) {
			f := form{strings.ToUpper(found[1]), html.UnescapeString(found[2]), url.Values{}}
			for _, field := range fieldPattern.FindAllStringSubmatch(found[0], -1) {
				f.values.Set(field[1], html.UnescapeString(field[2]))
			}
			forms[f.method+" "+f.action+" "+f.values.Encode()] = f
		}
	}
	actions := map[string]bool{}
	tried := 0
	for name, f := range forms {
		actions[f.method+" "+strings.TrimPrefix(f.action, "/admin")] = true
		path := strings.TrimPrefix(f.action, "/admin")
		if path == "/leave" || path == "/keys/rotate" {
			continue // they have no fields, and do what they do
		}
		for field := range f.values {
			for kind, value := range hostiles {
				sent := url.Values{}
				for k, v := range f.values {
					sent[k] = v
				}
				sent.Set(field, value)
				sent.Del("sure") // nothing is taken back here
				var got page
				if f.method == http.MethodGet {
					got = b.do(http.MethodGet, path+"?"+sent.Encode(), nil)
				} else {
					got = b.do(http.MethodPost, path, sent)
				}
				tried++
				what := name + ", " + field + ": " + kind
				checkInert(t, what, got)
				if location := got.header.Get("Location"); location != "" && !strings.HasPrefix(location, "/admin/") {
					t.Errorf("%s: it leads to %s", what, location)
				}
				if len(got.header.Values("Set-Cookie")) > 1 {
					t.Errorf("%s: cookies %q", what, got.header.Values("Set-Cookie"))
				}
			}
		}
	}
	for _, want := range []string{
		"POST /find", "GET /passes", "GET /uses", "GET /events", "GET /revoke", "POST /revoke", "POST /revoke/picked", "POST /issue", "POST /pass/revoke",
		"POST /pass/link", "POST /issue/upload", "GET /campaign",
	} {
		if !actions[want] {
			t.Errorf("no page has a form for %s", want)
		}
	}
	if entry, err := s.issuer.Entry(t.Context(), p.ID); err != nil || !entry.RevokedAt.IsZero() || entry.Subject != "hugo" {
		t.Errorf("the pass is another: %+v, %v", entry, err)
	}
	if got := b.get("/keys"); got.status != http.StatusOK || len(s.ring.List()) != 1 {
		t.Errorf("the operator is out, or the keys are others: %d, %d keys", got.status, len(s.ring.List()))
	}
	if tried < 1000 {
		t.Errorf("only %d requests were tried", tried)
	}
}

// TestHostileTablesAreHarmless: in the fields that say what a table is, and in it.
func TestHostileTablesAreHarmless(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.as(adminui.RoleAdmin)
	for kind, value := range hostiles {
		for _, field := range []string{"scope", "mode", "subject", "max_uses", "ttl", "not_before", "data", "grants", "recipient", "batch", "url", "format", "unrecorded", "column_subject"} {
			got := b.upload("scope,subject\na,1\n", "mode", "request", field, value)
			if strings.HasPrefix(got.header.Get("Content-Type"), "text/html") {
				checkInert(t, field+": "+kind, got)
			}
			if got.status >= 500 {
				t.Errorf("%s: %s: %d", field, kind, got.status)
			}
		}
		if got := b.upload("scope,"+value+"\na,"+value+"\n", "mode", "public"); got.status >= 500 {
			t.Errorf("a table of %s: %d", kind, got.status)
		}
	}
}
