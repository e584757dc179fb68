package server_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass/internal/adminui"
	"github.com/hallpass-go/hallpass/internal/server"
	"github.com/hallpass-go/hallpass/login"
	"github.com/hallpass-go/hallpass/mail"
)

// adminPlace is a server whose admin lets a@ops.example in, as the role that is set.
func adminPlace(t *testing.T, role *atomic.Value, change func(*server.Config)) *person {
	t.Helper()
	return newPlace(t, nil, func(c *server.Config) {
		c.Upstream = nil
		c.Admin.Allow = func(a mail.Address) (adminui.Role, bool) {
			role, listed := role.Load().(adminui.Role)
			return role, listed && role != "" && a == "a@ops.example"
		}
		if change != nil {
			change(c)
		}
	}).person()
}

// signIn signs an operator in by code.
func (p *person) signIn(address string) seen {
	p.t.Helper()
	if got := p.post("/admin/login/code", url.Values{"email": {address}}); got.status != http.StatusSeeOther {
		p.t.Fatalf("asking for a mail: %d\n%s", got.status, got.body)
	}
	p.mails++
	code, _ := p.inbox.latest(p.t, p.mails)
	return p.post("/admin/login", url.Values{"code": {code}})
}

func TestAListedOperatorSignsInByEmail(t *testing.T) {
	t.Parallel()
	var role atomic.Value
	role.Store(adminui.RoleIssuer)
	p := adminPlace(t, &role, nil)
	if got := p.open("/admin/"); got.status != http.StatusUnauthorized || !strings.Contains(got.body, `href="/admin/login"`) {
		t.Fatalf("the door offers no e-mail: %d\n%s", got.status, got.body)
	}
	if got := p.signIn("a@ops.example"); got.status != http.StatusSeeOther || got.header.Get("Location") != "/admin/" {
		t.Fatalf("signing in: %d to %q\n%s", got.status, got.header.Get("Location"), got.body)
	}
	if got := p.open("/admin/issue"); got.status != http.StatusOK || !strings.Contains(got.body, "a@ops.example") {
		t.Errorf("an issuer's page: %d", got.status)
	}
	if got := p.open("/admin/revoke"); got.status != http.StatusForbidden {
		t.Errorf("an admin's page for an issuer: %d", got.status)
	}
	events := p.open("/admin/events").body
	if !strings.Contains(events, "by e-mail, as issuer") {
		t.Error("the sign-in is not in the log")
	}
	last := ""
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline) && !strings.Contains(last, "a@ops.example"); time.Sleep(50 * time.Millisecond) {
		_, last, _ = strings.Cut(p.open("/admin/sessions").body, "Signed in last</h2>")
		last, _, _ = strings.Cut(last, "<footer")
	}
	if !strings.Contains(last, "<bdi>a@ops.example</bdi>") || !strings.Contains(last, string(adminui.Scope)) {
		t.Errorf("who signed in last does not name the operator: %s", last)
	}
	role.Store(adminui.RoleViewer)
	if got := p.open("/admin/"); got.status != http.StatusUnauthorized {
		t.Errorf("after the role changed: %d", got.status)
	}
	role.Store(adminui.Role(""))
	if got := p.open("/admin/"); got.status != http.StatusUnauthorized {
		t.Errorf("after the address was taken off the list: %d", got.status)
	}
}

func TestAnAddressThatIsNotListedGetsNoMailAndNothingElseOpensTheAdmin(t *testing.T) {
	t.Parallel()
	var role atomic.Value
	role.Store(adminui.RoleAdmin)
	p := adminPlace(t, &role, func(c *server.Config) {
		c.Login.ReviewAccounts = map[mail.Address]string{"a@ops.example": "111111"}
	})
	// hugo@example.com may log in to applications, and no more.
	if got := p.post("/admin/login/code", url.Values{"email": {"hugo@example.com"}}); got.status != http.StatusSeeOther {
		t.Fatalf("asking: %d", got.status)
	}
	p.post("/admin/login/code", url.Values{"email": {"a@ops.example"}})
	p.mails++
	p.inbox.latest(t, p.mails) // the mail of the one who is listed came, and it alone
	if len(p.inbox.mails) != 1 || p.inbox.mails[0].To != "a@ops.example" {
		t.Errorf("mails: %d", len(p.inbox.mails))
	}
	// The fixed code of a review account opens no admin.
	if got := p.post("/admin/login", url.Values{"code": {"111111"}}); got.status == http.StatusSeeOther && got.header.Get("Location") == "/admin/" {
		t.Error("the fixed code signed an operator in")
	}
	asJSON := []string{"Content-Type", "application/json", "Accept", "application/json"}
	for _, path := range []string{"/admin/login/code", "/admin/login", "/admin/login/link", "/admin/login/refresh", "/admin/login/claims"} {
		if got := p.do(http.MethodPost, path, `{"email":"a@ops.example","code":"111111"}`, asJSON...); got.status < 400 || strings.Contains(got.body, `"access"`) {
			t.Errorf("a program at %s: %d %s", path, got.status, got.body)
		}
	}
	// What the application's login proved is nothing here.
	token := p.tokensAt("/login", "hugo@example.com")
	if got := p.do(http.MethodGet, "/admin/", "", append(asBrowser, "Authorization", "Bearer "+token)...); got.status != http.StatusUnauthorized {
		t.Errorf("an access token: %d", got.status)
	}
}

// tokensAt is tokens at another path.
func (p *person) tokensAt(path, address string) string {
	p.t.Helper()
	asJSON := []string{"Content-Type", "application/json"}
	p.do(http.MethodPost, path+"/code", `{"email":"`+address+`"}`, asJSON...)
	p.mails++
	code, _ := p.inbox.latest(p.t, p.mails)
	got := p.do(http.MethodPost, path, `{"email":"`+address+`","code":"`+code+`"}`, asJSON...)
	found := regexp.MustCompile(`"access":"([^"]+)"`).FindStringSubmatch(got.body)
	if found == nil {
		p.t.Fatalf("%d %s", got.status, got.body)
	}
	return found[1]
}

// What goes on for long judges its operator again, however he came in.
func TestAnOperatorByEmailIssuesATableAndTakesLongListsAlong(t *testing.T) {
	t.Parallel()
	var role atomic.Value
	role.Store(adminui.RoleAdmin)
	p := adminPlace(t, &role, nil)
	if got := p.signIn("a@ops.example"); got.status != http.StatusSeeOther {
		t.Fatalf("signing in: %d", got.status)
	}
	const rows = 2100 // more than two pages of an export
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	_ = form.WriteField("scope", "act")
	file, _ := form.CreateFormFile("file", "people.csv")
	_, _ = io.WriteString(file, "recipient\n"+strings.Repeat("hugo@example.com\n", rows))
	_ = form.Close()
	got := p.do(http.MethodPost, "/admin/issue/upload", body.String(), "Content-Type", form.FormDataContentType(), "Origin", p.cfg.BaseURL)
	if lines := strings.Count(got.body, "\n"); got.status != http.StatusOK || lines != rows+1 {
		t.Errorf("the table: %d, %d lines", got.status, lines)
	}
	got = p.open("/admin/passes/export?format=jsonl&scope=act")
	if lines := strings.Count(got.body, "\n"); got.status != http.StatusOK || lines != rows {
		t.Errorf("the list: %d, %d lines", got.status, lines)
	}
}

func TestTheAdminListsAndEndsLoginsAndLiftsBlocks(t *testing.T) {
	t.Parallel()
	var role atomic.Value
	role.Store(adminui.RoleAdmin)
	p := adminPlace(t, &role, func(c *server.Config) { c.Login.Limits = login.Limits{Resend: -1, NetworkFailures: 1} })
	p.tokensAt("/login", "hugo@example.com")
	operator := p.place.person()
	if got := operator.signIn("a@ops.example"); got.status != http.StatusSeeOther {
		t.Fatalf("signing in: %d", got.status)
	}
	page := operator.open("/admin/sessions").body
	id := regexp.MustCompile(`name="kind" value="person"><input type="hidden" name="id" value="([^"]+)"`).FindStringSubmatch(page)
	if id == nil || !strings.Contains(page, "e-mail, with tokens") || !strings.Contains(page, "hugo@example.com") {
		t.Fatalf("the program's login is not listed:\n%s", page)
	}
	if got := operator.post("/admin/sessions/end", url.Values{"kind": {"person"}, "id": {id[1]}, "subject": {"hugo@example.com"}}); got.status != http.StatusSeeOther {
		t.Fatalf("ending it: %d\n%s", got.status, got.body)
	}
	if page = operator.open("/admin/sessions").body; strings.Contains(page, "e-mail, with tokens") {
		t.Error("the login is there after it was ended")
	}

	stranger := p.place.person()
	stranger.post("/login/code", url.Values{"email": {"hugo@example.com"}})
	for range 3 {
		stranger.post("/login", url.Values{"code": {"000000"}})
	}
	page = operator.open("/admin/sessions").body
	name := regexp.MustCompile(`name="kind" value="network"><input type="hidden" name="name" value="([^"]+)"`).FindStringSubmatch(page)
	if name == nil {
		t.Fatalf("the network is not among the blocked:\n%s", page)
	}
	if got := operator.post("/admin/sessions/unblock", url.Values{"kind": {"network"}, "name": {name[1]}}); got.status != http.StatusSeeOther {
		t.Fatalf("lifting: %d\n%s", got.status, got.body)
	}
	if page = operator.open("/admin/sessions").body; strings.Contains(page, name[1]) {
		t.Error("the block is there after it was lifted")
	}
}
