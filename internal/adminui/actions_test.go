package adminui_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/adminui"
)

func (s *site) actionsOf(actor string) (names []string) {
	s.t.Helper()
	page, err := s.issuer.Events(s.t.Context(), hallpass.EventFilter{Kind: hallpass.EventAdmin, Actor: actor})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, e := range page.Events {
		names = append(names, e.Action)
	}
	return names
}

func TestSearchTellsWhatIsPasted(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.as(adminui.RoleViewer)
	recorded := s.issue(hallpass.Spec{Scope: "newsletter:unsubscribe", Mode: hallpass.ModeRequest, Subject: "42", MaxUses: 1})
	unrecorded := s.issue(hallpass.Spec{Scope: "act", Mode: hallpass.ModeRequest, Subject: "43", MaxUses: 1, Unrecorded: true})
	short := s.issue(hallpass.Spec{Scope: "login", Mode: hallpass.ModeSession, Subject: "44", Format: hallpass.FormatShort})
	link := func(i hallpass.Issued) string {
		l, err := hallpass.Link("https://app.example.com/do?x=1", i.Token, "")
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	elsewhere := newSite(t, nil).issue(hallpass.Spec{Scope: "a"})
	text := recorded.Token.Reveal()
	bad := text[:len(text)-6] + "AAAAAA"
	for name, tt := range map[string]struct {
		pasted string
		status int
		says   string
	}{
		"a whole link":              {link(recorded), http.StatusOK, "May unsubscribe (newsletter) as user 42, once"},
		"a token alone":             {text, http.StatusOK, "properly signed"},
		"a token over two lines":    {text[:60] + "\r\n" + text[60:], http.StatusOK, "properly signed"},
		"an unrecorded one":         {link(unrecorded), http.StatusOK, "nobody has used it"},
		"a short one":               {link(short), http.StatusOK, "May sign in as user 44"},
		"a link in brackets":        {"<" + link(recorded) + ">", http.StatusOK, "properly signed"},
		"a link in a sentence":      {"Hello, click " + link(recorded) + " thanks", http.StatusOK, "properly signed"},
		"a link that is escaped":    {url.QueryEscape(link(recorded)), http.StatusOK, "properly signed"},
		"a header":                  {"Authorization: Bearer " + text, http.StatusOK, "properly signed"},
		"a short one in a path":     {"https://app.example.com/do/" + short.Token.Reveal(), http.StatusOK, "May sign in as user 44"},
		"one that was changed":      {bad, http.StatusNotFound, "This is badly signed"},
		"one with a letter changed": {bad, http.StatusNotFound, "a character was changed"},
		"one that was cut":          {text[:len(text)-1], http.StatusNotFound, "This link is cut off"},
		"a link cut in its claims":  {link(recorded)[:90], http.StatusNotFound, "This link is cut off"},
		"claims cut, alone":         {text[:80], http.StatusNotFound, "This link is cut off"},
		"a short link that was cut": {strings.TrimSuffix(link(short), short.Token.Reveal()[20:]), http.StatusNotFound, "This link is cut off"},
		"a link with more behind":   {link(recorded) + "x", http.StatusNotFound, "goes on behind its end"},
		"one of somebody else, cut": {link(elsewhere)[:len(link(elsewhere))-3], http.StatusNotFound, "This is not one of ours"},
		"one of somebody else":      {link(elsewhere), http.StatusNotFound, "This is not one of ours"},
	} {
		got := b.post("/find", "q", tt.pasted)
		if got.status != tt.status || !strings.Contains(got.plain(), tt.says) {
			t.Errorf("%s: %d, and it does not say %q", name, got.status, tt.says)
		}
		if location := got.header.Get("Location"); location != "" {
			t.Errorf("%s: it was led to %s", name, location)
		}
		if tt.status == http.StatusOK && strings.Contains(got.body, strings.Fields(tt.pasted)[0]) {
			t.Errorf("%s: a viewer sees the whole token", name)
		}
	}
	for pasted, want := range map[string]string{
		recorded.ID: "/admin/pass?id=" + recorded.ID, "hugo@example.com": "/admin/passes?q=hugo%40example.com", "": "/admin/passes",
		" " + strings.ToUpper(recorded.ID) + " ": "/admin/pass?id=" + recorded.ID,
	} {
		if got := b.post("/find", "q", pasted); got.header.Get("Location") != want {
			t.Errorf("%q leads to %q, want %q", pasted, got.header.Get("Location"), want)
		}
	}
	for _, around := range []string{text, "see " + text, "<" + link(short) + ">"} {
		got := b.get("/passes?q=" + url.QueryEscape(around))
		if strings.Contains(got.body, text) || strings.Contains(got.body, short.Token.Reveal()) {
			t.Error("a token in an address is repeated on the page")
		}
	}
}

func TestAPassShowsWhatCameOfIt(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.as(adminui.RoleViewer)
	p := s.issue(hallpass.Spec{Scope: "act", Mode: hallpass.ModeRequest, Subject: "42", MaxUses: 1, Unrecorded: true, Data: json.RawMessage(`{"list":"weekly"}`)})
	use := hallpass.Presentation{Token: p.Token, Scope: "act", Method: "GET", Path: "/do", ClientIP: "192.0.2.7", UserAgent: "Reader/1.0"}
	if _, err := s.issuer.RedeemOnce(t.Context(), use, http.StatusOK); err != nil {
		t.Fatal(err)
	}
	got := b.get("/pass?id=" + p.ID)
	for _, want := range []string{"192.0.2.7", "Reader/1.0", "GET /do", "Used up", "The one use it promised", "weekly", "unrecorded"} {
		if !strings.Contains(got.body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if uses := b.get("/uses?pass=" + p.ID); !strings.Contains(uses.body, "192.0.2.7") {
		t.Error("the list of uses lacks it")
	}
}

func TestTakingBackIsCountedFirstAndWrittenDown(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.as(adminui.RoleAdmin)
	var first hallpass.Issued
	for range 3 {
		first = s.issue(hallpass.Spec{Scope: "act", Batch: "november"})
	}
	other := s.issue(hallpass.Spec{Scope: "act", Batch: "december"})
	counted := b.get("/revoke?batch=november")
	if !strings.Contains(counted.body, "3 passes would stop working") {
		t.Fatalf("the count is not on the page:\n%s", counted.body)
	}
	before := between(counted.body, `name="issued_before" value="2`, `"`)
	time.Sleep(time.Millisecond)
	later := s.issue(hallpass.Spec{Scope: "act", Batch: "november"})
	if got := b.post("/revoke", "batch", "november", "issued_before", "2"+before); got.status != http.StatusBadRequest {
		t.Errorf("without the tick: %d", got.status)
	}
	if got := b.post("/revoke", "batch", "november", "issued_before", "2"+before, "sure", "yes"); got.status != http.StatusSeeOther {
		t.Fatalf("taking back: %d\n%s", got.status, got.body)
	}
	for name, tt := range map[string]struct {
		id   string
		want hallpass.State
	}{"counted": {first.ID, hallpass.StateRevoked}, "issued later": {later.ID, hallpass.StateActive}, "another": {other.ID, hallpass.StateActive}} {
		entry, err := s.issuer.Entry(t.Context(), tt.id)
		if err != nil || entry.State(s.issuer.Now()) != tt.want {
			t.Errorf("%s: %s, %v", name, entry.State(s.issuer.Now()), err)
		}
	}
	if got := b.post("/pass/revoke", "id", other.ID); got.status != http.StatusSeeOther {
		t.Fatal(got.status)
	}
	if entry, _ := s.issuer.Entry(t.Context(), other.ID); entry.RevokedAt.IsZero() {
		t.Error("the pass was not taken back")
	}
	// An unrecorded one that nobody used is taken back by its token.
	unused := s.issue(hallpass.Spec{Scope: "act", Unrecorded: true})
	shown := b.post("/find", "q", unused.Token.Reveal())
	if got := b.post("/pass/revoke", "token", html.UnescapeString(between(shown.body, `name="token" value="`, `"`))); got.status != http.StatusSeeOther {
		t.Fatalf("by its token: %d", got.status)
	}
	if _, err := s.issuer.Redeem(t.Context(), hallpass.Presentation{Token: unused.Token, Scope: "act"}); err == nil {
		t.Error("an unrecorded pass that was taken back was honoured")
	}
	if names := s.actionsOf("greta"); !slices.Contains(names, "passes.revoke") || !slices.Contains(names, "pass.revoke") || !slices.Contains(names, "admin.sign_in") {
		t.Errorf("written down: %v", names)
	}
}

func TestIssuingShowsTheLinkOnceAndTheSameFormTwiceIsOnePass(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.as(adminui.RoleIssuer)
	key := between(b.get("/issue").body, `name="key" value="`, `"`)
	form := []string{"key", key, "scope", "newsletter:unsubscribe", "mode", "request", "subject", "42", "max_uses", "1", "ttl", "3d", "url", "https://app.example.com/u"}
	preview := b.post("/issue/preview", form...)
	if !strings.Contains(preview.plain(), "May unsubscribe (newsletter) as user 42, once, until") {
		t.Errorf("the preview does not say what it permits:\n%s", preview.body)
	}
	part := b.do(http.MethodPost, "/issue/preview", valuesOf(form), "HX-Request", "true")
	if !strings.HasPrefix(strings.TrimSpace(part.body), `<div id="preview"`) || strings.Contains(part.body, "<html") {
		t.Errorf("a script gets more than the preview:\n%s", part.body)
	}
	if page, _ := s.issuer.Entries(t.Context(), hallpass.EntryFilter{Scope: "newsletter:unsubscribe"}); len(page.Entries) != 0 {
		t.Error("a preview issued a pass")
	}
	first, second := b.post("/issue", form...), b.post("/issue", form...)
	if first.status != http.StatusOK || second.status != http.StatusOK {
		t.Fatal(first.status, second.status)
	}
	link := html.UnescapeString(between(first.body, `data-copy="`, `"`))
	if !strings.HasPrefix(link, "https://app.example.com/u?rt=") || !strings.Contains(first.body, `<svg class="qr"`) {
		t.Errorf("no link or no QR code: %q", link)
	}
	token, _ := hallpass.FindToken(link, "")
	if _, err := s.issuer.Redeem(t.Context(), hallpass.Presentation{Token: token, Scope: "newsletter:unsubscribe"}); err != nil {
		t.Errorf("the link does not work: %v", err)
	}
	if page, _ := s.issuer.Entries(t.Context(), hallpass.EntryFilter{Scope: "newsletter:unsubscribe"}); len(page.Entries) != 1 {
		t.Errorf("%d passes of one form", len(page.Entries))
	}
	if got := b.post("/issue", "scope", "a", "mode", "request"); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, "Nothing was issued") {
		t.Errorf("a form that is wrong: %d", got.status)
	}
}

func valuesOf(pairs []string) url.Values {
	form := url.Values{}
	for n := 0; n+1 < len(pairs); n += 2 {
		form.Set(pairs[n], pairs[n+1])
	}
	return form
}

func (b *browser) upload(table string, fields ...string) page {
	b.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for n := 0; n+1 < len(fields); n += 2 {
		_ = w.WriteField(fields[n], fields[n+1])
	}
	file, _ := w.CreateFormFile("file", "people.csv")
	_, _ = io.WriteString(file, table)
	_ = w.Close()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.server.URL+"/admin/issue/upload", &body)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", w.FormDataContentType())
	r.Header.Set("Origin", b.server.URL)
	return b.send(r)
}

func TestATableComesBackWithItsLinks(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.as(adminui.RoleIssuer)
	got := b.upload("\ufeffUser;mail;remark\n42;hugo@example.com;=1+1\n;nobody@example.com;x\n44;@greta;-2\n",
		"scope", "newsletter:unsubscribe", "mode", "request", "max_uses", "1", "url", "https://app.example.com/u", "batch", "november",
		"column_subject", "User", "column_recipient", "mail")
	if got.status != http.StatusOK || got.header.Get("X-Hallpass-Lines") != "3" {
		t.Fatal(got.status, between(got.body, `class="lead">`, "<"))
	}
	r := csv.NewReader(strings.NewReader(got.body))
	r.Comma = ';'
	rows, err := r.ReadAll()
	if err != nil || len(rows) != 4 {
		t.Fatalf("%v\n%s", err, got.body)
	}
	if want := []string{"User", "mail", "remark", "id", "token", "url", "error"}; !slices.Equal(rows[0], want) {
		t.Errorf("the header is %v", rows[0])
	}
	token, _ := hallpass.FindToken(rows[1][5], "")
	entry, _, err := s.issuer.Check(t.Context(), hallpass.Presentation{Token: token})
	if err != nil || entry.Subject != "42" || entry.Recipient != "hugo@example.com" || entry.Batch != "november" || entry.MaxUses != 1 {
		t.Errorf("the first line's pass: %+v, %v", entry.Pass, err)
	}
	if rows[1][2] != "'=1+1" || rows[3][1] != "'@greta" || rows[3][2] != "'-2" {
		t.Errorf("cells that a spreadsheet runs: %q %q %q", rows[1][2], rows[3][1], rows[3][2])
	}
	if rows[2][3] != "" || !strings.Contains(rows[2][6], "subject") {
		t.Errorf("a line without a subject: %q", rows[2])
	}
	if names := s.actionsOf("greta"); !slices.Contains(names, "passes.issue") || !slices.Contains(names, "passes.issued") {
		t.Errorf("written down: %v", names)
	}
	for name, bad := range map[string][]string{
		"no file content":  {"", "scope", "a"},
		"a misspelt limit": {"scope,max_use\na,1\n"},
		"a missing column": {"scope\na\n", "column_subject", "user"},
		"a wrong default":  {"subject\n1\n", "scope", "a", "ttl", "soon"},
	} {
		if got := b.upload(bad[0], bad[1:]...); got.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", name, got.status)
		}
	}
	if got := b.upload("scope,mode,subject\nhallpass:admin,session,me\nlogin,session,me\ninvite,public,\n"); strings.Count(got.body, "your pass lets you issue") != 2 {
		t.Errorf("lines beyond the operator's rights:\n%s", got.body)
	}
	if got := s.as(adminui.RoleViewer).upload("scope\na\n"); got.status != http.StatusForbidden {
		t.Errorf("a viewer: %d", got.status)
	}
}

func TestALongTableIsIssuedWhole(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.as(adminui.RoleIssuer)
	var table strings.Builder
	table.WriteString("subject,remark\n")
	note := strings.Repeat("n", 1500)
	const lines = 4000 // more than is kept in memory, and several chunks
	for n := range lines {
		fmt.Fprintf(&table, "%d,%s\n", n, note)
	}
	got := b.upload(table.String(), "scope", "act", "mode", "request", "unrecorded", "true")
	rows, err := csv.NewReader(strings.NewReader(got.body)).ReadAll()
	if err != nil || len(rows) != lines+1 {
		t.Fatalf("%d: %d rows, %v", got.status, len(rows), err)
	}
	if rows[lines][0] != "3999" || rows[lines][3] == "" || rows[lines][1] != note {
		t.Errorf("the last row is %q…", rows[lines][0])
	}
}

func TestExportsStreamEverythingAndAreSafeInASpreadsheet(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.as(adminui.RoleViewer)
	const passes = 2300 // several pages
	specs := func(yield func(hallpass.Spec) bool) {
		for n := range passes {
			if !yield(hallpass.Spec{Scope: "act", Mode: hallpass.ModeRequest, Subject: fmt.Sprintf("=cmd|%d", n), Batch: "november"}) {
				return
			}
		}
	}
	for _, err := range s.issuer.IssueAll(t.Context(), specs) {
		if err != nil {
			t.Fatal(err)
		}
	}
	rows, err := csv.NewReader(strings.NewReader(b.get("/passes/export?batch=november").body)).ReadAll()
	if err != nil || len(rows) != passes+1 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, row := range rows[1:] {
		if !strings.HasPrefix(row[3], "'=cmd|") {
			t.Fatalf("a subject that a spreadsheet runs: %q", row[3])
		}
	}
	lines := strings.Split(strings.TrimSpace(b.get("/passes/export?batch=november&format=jsonl").body), "\n")
	var pass struct{ Subject, State string }
	if err := json.Unmarshal([]byte(lines[0]), &pass); err != nil || len(lines) != passes || pass.Subject != "=cmd|2299" || pass.State != "active" {
		t.Errorf("%d lines, the first is %+v, %v", len(lines), pass, err)
	}
	for _, path := range []string{"/uses/export", "/events/export", "/uses/export?format=jsonl", "/events/export?format=jsonl"} {
		if got := b.get(path); got.status != http.StatusOK || !strings.HasPrefix(got.header.Get("Content-Disposition"), "attachment") {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	if got := b.get("/passes/export?format=xls"); got.status != http.StatusBadRequest {
		t.Errorf("an unknown format: %d", got.status)
	}
	if names := s.actionsOf("greta"); !slices.Contains(names, "passes.export") || !slices.Contains(names, "events.export") {
		t.Errorf("written down: %v", names)
	}
}

func TestListsGoOnFromPageToPage(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.as(adminui.RoleViewer)
	for n := range 120 {
		s.issue(hallpass.Spec{Scope: "act", Mode: hallpass.ModeRequest, Subject: fmt.Sprintf("user-%03d", n)})
	}
	seen, path := 0, "/passes?scope=act"
	for range 5 {
		got := b.get(path)
		seen += strings.Count(got.body, `class="row-link"`)
		next := html.UnescapeString(between(got.body, `rel="next" href="/admin`, `"`))
		if next == "" {
			break
		}
		path = next
	}
	if seen != 120 {
		t.Errorf("%d of 120 passes were listed", seen)
	}
}

func TestKeysAreRotatedOnceByAForm(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.as(adminui.RoleAdmin)
	p := s.issue(hallpass.Spec{Scope: "act"})
	from := between(b.get("/keys").body, `name="from" value="`, `"`)
	if got := b.post("/keys/rotate", "from", from); got.status != http.StatusSeeOther {
		t.Fatalf("rotating: %d", got.status)
	}
	if got := b.post("/keys/rotate", "from", from); got.status != http.StatusConflict {
		t.Errorf("the same form again: %d", got.status)
	}
	if active, _ := s.ring.Keyring().Active(); active.ID() == from || len(s.ring.List()) != 2 {
		t.Errorf("%d keys, %s signs", len(s.ring.List()), active.ID())
	}
	if _, err := s.issuer.Verify(hallpass.Presentation{Token: p.Token}); err != nil {
		t.Errorf("what the former key signed: %v", err)
	}
	if got := b.post("/keys/retire", "id", from); got.status != http.StatusBadRequest {
		t.Errorf("retiring without the tick: %d", got.status)
	}
	if got := b.post("/keys/retire", "id", from, "sure", "yes"); got.status != http.StatusSeeOther {
		t.Fatalf("retiring: %d", got.status)
	}
	if _, err := s.issuer.Verify(hallpass.Presentation{Token: p.Token}); err == nil {
		t.Error("what a retired key signed is honoured")
	}
}

func TestAnActionThatFailsIsWrittenDownAsFailed(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.as(adminui.RoleAdmin)
	if got := b.post("/keys/retire", "id", "no-such-key", "sure", "yes"); got.status < 400 {
		t.Fatal(got.status)
	}
	if names := s.actionsOf("greta"); !slices.Contains(names, "key.retire.failed") {
		t.Errorf("written down: %v", names)
	}
}

func TestSessionsAreEnded(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b, other := s.as(adminui.RoleAdmin), s.browser()
	link, _ := s.link("ivo", `{"role":"viewer"}`)
	other.enter(link)
	list, _, err := s.ui.Own().List(t.Context(), "ivo", "", 10)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	if !strings.Contains(b.get("/sessions").body, "ivo") {
		t.Error("the session is not listed")
	}
	if got := b.post("/sessions/end", "kind", "operator", "id", list[0].ID, "subject", "ivo"); got.status != http.StatusSeeOther {
		t.Fatal(got.status)
	}
	if got := other.get("/"); got.status != http.StatusUnauthorized {
		t.Errorf("after its end: %d", got.status)
	}
}

func TestSecretsAreNotShown(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	got := s.as(adminui.RoleAdmin).get("/settings")
	if strings.Contains(got.body, "the-secret-itself") || !strings.Contains(got.body, "HALLPASS_MASTER_KEY") {
		t.Error("a secret is shown, or where it came from is not")
	}
}

// nasty is what a stranger may have put into any field.
const nasty = `"><script>alert(1)</script><img src=x onerror=alert(1)>'{{.}}` + "\u202e"

func TestTextsOfStrangersRunNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *adminui.Config) { c.Site = nasty })
	data, err := json.Marshal(map[string]string{nasty: nasty})
	if err != nil {
		t.Fatal(err)
	}
	p := s.issue(hallpass.Spec{Scope: hallpass.Scope(nasty[:60]), Mode: hallpass.ModeRequest, Subject: nasty, Recipient: nasty, Batch: nasty, Data: data})
	use := hallpass.Presentation{Token: p.Token, Scope: p.Scope, Method: "GET", Path: "/" + nasty, UserAgent: nasty, ClientIP: nasty}
	if _, err := s.issuer.RedeemOnce(t.Context(), use, 200); err != nil {
		t.Fatal(err)
	}
	err = s.issuer.RecordAction(t.Context(), hallpass.Event{
		Actor: nasty, Action: nasty, Detail: nasty, Subject: nasty, Batch: nasty, Scope: p.Scope, Pass: p.ID, UserAgent: nasty, Path: nasty, ClientIP: nasty,
	})
	if err != nil {
		t.Fatal(err)
	}
	b := s.browser()
	link, _ := s.link(nasty, `{"role":"admin"}`)
	b.enter(link)
	q := url.QueryEscape(nasty)
	paths := append(everyPage(p.ID), "/passes?q="+q+"&scope="+q+"&subject="+q+"&batch="+q, "/uses?subject="+q, "/events?actor="+q,
		"/revoke?batch="+q+"&scope="+q, "/campaign?batch="+q, "/sessions?subject="+q, "/?span="+q, "/passes?state="+q, "/pass?id="+q)
	for _, path := range paths {
		checkInert(t, path, b.get(path))
	}
	for path, form := range map[string][]string{
		"/find":          {"q", nasty},
		"/issue":         {"scope", nasty, "mode", nasty, "subject", nasty, "data", nasty, "grants", nasty, "url", nasty},
		"/issue/preview": {"scope", nasty, "mode", "request", "subject", nasty, "url", "javascript:alert(1)", "batch", nasty, "recipient", nasty},
		"/pass/link":     {"id", p.ID, "url", "javascript:alert(1)"},
	} {
		checkInert(t, path, b.post(path, form...))
	}
}

func checkInert(t *testing.T, path string, got page) {
	t.Helper()
	if got.status >= 500 {
		t.Errorf("%s: %d", path, got.status)
	}
	for _, bad := range []string{"<script>alert", "<img src=x", `href="javascript:`} {
		if strings.Contains(got.body, bad) {
			t.Errorf("%s: the page has %q in it", path, bad)
		}
	}
}
