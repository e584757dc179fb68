package adminui_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/adminui"
)

func TestWithoutASessionNothingIsShown(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	p := s.issue(hallpass.Spec{Scope: "the-scope", Subject: "the-subject"})
	b := s.browser()
	for _, path := range append(everyPage(p.ID), "/passes/export", "/uses/export", "/events/export", "/nowhere") {
		got := b.get(path)
		if got.status != http.StatusUnauthorized || !strings.Contains(got.body, "hallpass admin-link") {
			t.Errorf("%s: %d", path, got.status)
		}
		if strings.Contains(got.body, "the-scope") || strings.Contains(got.body, "the-subject") {
			t.Errorf("%s: something of the store is shown", path)
		}
	}
	if got := b.post("/pass/revoke", "id", p.ID); got.status != http.StatusUnauthorized {
		t.Errorf("an action: %d", got.status)
	}
}

func TestOnlyAPassWithARoleOpensTheAdmin(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for name, data := range map[string]string{
		"no data": `null`, "no role": `{}`, "an unknown role": `{"role":"root"}`, "a role in capitals": `{"role":"ADMIN"}`,
		"rights that cannot be read": `{"role":"admin","issue":{"scope":["a"]}}`, "no object": `["admin"]`,
	} {
		link, _ := s.link("mallory", data)
		b := s.browser()
		b.enter(link)
		if got := b.get("/passes"); got.status != http.StatusUnauthorized {
			t.Errorf("%s: %d", name, got.status)
		}
	}
	// Another scope, and another mode, are no way in.
	for name, spec := range map[string]hallpass.Spec{
		"another scope": {Scope: "login", Mode: hallpass.ModeSession, Subject: "mallory", Data: []byte(`{"role":"admin"}`)},
		"another mode":  {Scope: adminui.Scope, Mode: hallpass.ModeRequest, Subject: "mallory", Data: []byte(`{"role":"admin"}`)},
	} {
		link, err := hallpass.Link(s.ui.URL(), s.issue(spec).Token, "")
		if err != nil {
			t.Fatal(err)
		}
		b := s.browser()
		b.enter(link)
		if got := b.get("/passes"); got.status != http.StatusUnauthorized {
			t.Errorf("%s: %d", name, got.status)
		}
	}
}

func TestALinkIntoTheAdminWorksOnceAndNotForAMachineThatLooks(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	link, _ := s.link("greta", `{"role":"viewer"}`)
	machine, person := s.browser(), s.browser()
	for range 3 {
		machine.get(link)
		machine.do(http.MethodHead, link, nil)
	}
	if got := machine.get("/"); got.status != http.StatusUnauthorized {
		t.Fatalf("a machine that looked is in: %d", got.status)
	}
	if got := person.enter(link); got.status != http.StatusSeeOther || strings.Contains(got.header.Get("Location"), "rt=") {
		t.Fatalf("its reader: %d, to %s", got.status, got.header.Get("Location"))
	}
	if got := person.get("/"); got.status != http.StatusOK {
		t.Fatalf("the overview: %d", got.status)
	}
	if got := s.browser().enter(link); got.status != http.StatusForbidden {
		t.Errorf("the second time: %d", got.status)
	}
}

func TestASessionEndsWithItsPassAndByItsButton(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.browser()
	link, issued := s.link("greta", `{"role":"viewer"}`)
	b.enter(link)
	if got := b.get("/"); got.status != http.StatusOK {
		t.Fatal(got.status)
	}
	if _, err := s.issuer.RevokePass(t.Context(), issued.Pass); err != nil {
		t.Fatal(err)
	}
	if got := b.get("/"); got.status != http.StatusUnauthorized {
		t.Errorf("after its pass was taken back: %d", got.status)
	}
	b = s.as(adminui.RoleViewer)
	if got := b.post("/leave"); got.status != http.StatusSeeOther {
		t.Fatal(got.status)
	}
	if got := b.get("/"); got.status != http.StatusUnauthorized {
		t.Errorf("after signing out: %d", got.status)
	}
}

func TestGrantsOfTheOperatorsPassJudgeEveryRequest(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.browser()
	link, _ := s.link("greta", `{"role":"admin"}`,
		hallpass.Grant{Method: "GET", Path: "/admin/", Exact: true}, hallpass.Grant{Method: "GET", Path: "/admin/passes"})
	b.enter(link)
	for path, want := range map[string]int{
		"/": http.StatusOK, "/passes": http.StatusOK, "/passes/export": http.StatusOK, "/keys": http.StatusForbidden, "/pass?id=x": http.StatusForbidden,
	} {
		if got := b.get(path); got.status != want {
			t.Errorf("%s: %d, want %d", path, got.status, want)
		}
	}
	if got := b.post("/keys/rotate"); got.status != http.StatusForbidden {
		t.Errorf("an action beyond the grants: %d", got.status)
	}
}

// actions are the posts, with the least role each takes.
func actions(id string) map[string]struct {
	role adminui.Role
	form []string
} {
	type action = struct {
		role adminui.Role
		form []string
	}
	return map[string]action{
		"/find":             {adminui.RoleViewer, []string{"q", "hugo"}},
		"/pass/link":        {adminui.RoleIssuer, []string{"id", id}},
		"/issue/preview":    {adminui.RoleIssuer, []string{"scope", "a"}},
		"/issue":            {adminui.RoleIssuer, []string{"scope", "a"}},
		"/pass/revoke":      {adminui.RoleIssuer, []string{"id", id}},
		"/revoke/picked":    {adminui.RoleIssuer, []string{"id", id, "sure", "yes"}},
		"/issue/upload":     {adminui.RoleIssuer, nil},
		"/leave":            {adminui.RoleViewer, nil},
		"/revoke":           {adminui.RoleAdmin, []string{"batch", "b", "sure", "yes", "issued_before", "2026-01-01"}},
		"/sessions/end":     {adminui.RoleAdmin, []string{"kind", "operator", "id", "none"}},
		"/sessions/unblock": {adminui.RoleAdmin, []string{"kind", "account", "name", "a"}},
		"/keys/rotate":      {adminui.RoleAdmin, nil},
		"/keys/retire":      {adminui.RoleAdmin, []string{"id", "none", "sure", "yes"}},
	}
}

// TestEveryActionIsTested: the list above has all posts there are.
func TestEveryActionIsTested(t *testing.T) {
	t.Parallel()
	listed := map[string]adminui.Role{}
	for path, action := range actions("") {
		listed[path] = action.role
	}
	if diff := cmp.Diff(adminui.Actions(), listed); diff != "" {
		t.Errorf("the actions (-there +tested):\n%s", diff)
	}
}

func TestEachActionTakesItsRole(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for _, role := range adminui.Roles() {
		for path, action := range actions("") {
			b := s.as(role)
			if action.form != nil && action.form[0] == "id" {
				action.form[1] = s.issue(hallpass.Spec{Scope: "a", TTL: 3600e9, MaxUses: 3}).ID
			}
			got := b.post(path, action.form...)
			refused := got.status == http.StatusForbidden
			allowed := index(role) >= index(action.role)
			if refused == allowed {
				t.Errorf("%s as %s: %d", path, role, got.status)
			}
		}
	}
}

func index(role adminui.Role) int {
	for n, r := range adminui.Roles() {
		if r == role {
			return n
		}
	}
	return -1
}

// TestAPassThatOnlyLooksCanSearchAndLeave: both are posts, and neither does more than
// its pages do.
func TestAPassThatOnlyLooksCanSearchAndLeave(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	enter := func(grants ...hallpass.Grant) *browser {
		b := s.browser()
		link, _ := s.link("ivo", `{"role":"admin"}`, grants...)
		b.enter(link)
		return b
	}
	looks := enter(hallpass.Grant{Method: "GET", Path: "/admin/"})
	narrow := enter(hallpass.Grant{Method: "GET", Path: "/admin/", Exact: true}, hallpass.Grant{Method: "GET", Path: "/admin/keys"})
	p := s.issue(hallpass.Spec{Scope: "a", Subject: "hugo", Mode: hallpass.ModeRequest})
	if got := looks.post("/find", "q", p.ID); got.status != http.StatusSeeOther && got.status != http.StatusOK {
		t.Errorf("whoever may see passes cannot search: %d", got.status)
	}
	if got := narrow.post("/find", "q", p.ID); got.status != http.StatusForbidden {
		t.Errorf("whoever may not see passes searches them: %d", got.status)
	}
	for path, action := range actions(p.ID) {
		if path == "/find" || path == "/leave" {
			continue
		}
		if got := looks.post(path, action.form...); got.status != http.StatusForbidden {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	for _, b := range []*browser{looks, narrow} {
		if got := b.post("/leave"); got.status != http.StatusSeeOther {
			t.Errorf("leaving: %d", got.status)
		}
		if got := b.get("/keys"); got.status != http.StatusUnauthorized {
			t.Errorf("after that: %d", got.status)
		}
	}
}

func TestAPostFromElsewhereDoesNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.as(adminui.RoleAdmin)
	for name, header := range map[string][]string{
		"another site":                  {"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"},
		"another site, old browser":     {"Origin", "https://evil.example", "Sec-Fetch-Site", ""},
		"a neighbour":                   {"Sec-Fetch-Site", "same-site"},
		"no origin at all":              {"Origin", "", "Sec-Fetch-Site", ""},
		"an origin that is not told":    {"Origin", "null", "Sec-Fetch-Site", ""},
		"the same host, another scheme": {"Origin", "https://" + strings.TrimPrefix(s.server.URL, "http://") + "9", "Sec-Fetch-Site", ""},
	} {
		p := s.issue(hallpass.Spec{Scope: "a"})
		for path, action := range actions(p.ID) {
			form := url.Values{}
			for n := 0; n+1 < len(action.form); n += 2 {
				form.Set(action.form[n], action.form[n+1])
			}
			if got := b.do(http.MethodPost, path, form, header...); got.status != http.StatusForbidden {
				t.Errorf("%s, %s: %d", name, path, got.status)
			}
		}
		entry, err := s.issuer.Entry(t.Context(), p.ID)
		if err != nil || !entry.RevokedAt.IsZero() {
			t.Errorf("%s: the pass was taken back (%v)", name, err)
		}
	}
	if len(s.ring.List()) != 1 {
		t.Error("a key was made")
	}
	// Nor does a link do anything.
	for path := range actions("x") {
		if got := b.get(path); got.status != http.StatusMethodNotAllowed && got.status != http.StatusOK && got.status != http.StatusNotFound {
			t.Errorf("GET %s: %d", path, got.status)
		}
	}
}

func TestAnOperatorIssuesOnlyWhatHisPassLetsHim(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.browser()
	link, _ := s.link("ivo", `{"role":"issuer","issue":{"scopes":["invite"],"modes":["public"]}}`)
	b.enter(link)
	for _, tt := range []struct {
		scope, mode string
		want        int
	}{
		{"invite", "public", http.StatusOK},
		{"invite", "request", http.StatusUnprocessableEntity},
		{"login", "public", http.StatusUnprocessableEntity},
		{"hallpass:admin", "session", http.StatusUnprocessableEntity},
	} {
		if got := b.post("/issue", "scope", tt.scope, "mode", tt.mode, "subject", "42"); got.status != tt.want {
			t.Errorf("%s, %s: %d, want %d", tt.scope, tt.mode, got.status, tt.want)
		}
	}
	// Nor may he see, or take back, another's.
	other := s.issue(hallpass.Spec{Scope: "login", Mode: hallpass.ModeSession, Subject: "hugo"})
	for _, path := range []string{"/pass/link", "/pass/revoke"} {
		if got := b.post(path, "id", other.ID); got.status != http.StatusForbidden {
			t.Errorf("%s of another's pass: %d", path, got.status)
		}
	}
	// A session pass is its subject's, so only an admin has its link shown again, even
	// where an issuer may issue such.
	b = s.browser()
	link, _ = s.link("ida", `{"role":"issuer","issue":{"modes":["session"]}}`)
	b.enter(link)
	signedPass := s.issue(hallpass.Spec{Scope: "login", Mode: hallpass.ModeSession, Subject: "hugo", Format: hallpass.FormatSigned})
	if got := b.post("/pass/link", "id", signedPass.ID); got.status != http.StatusForbidden {
		t.Errorf("an issuer had a session pass shown: %d", got.status)
	}
	if got := s.as(adminui.RoleAdmin).post("/pass/link", "id", signedPass.ID); got.status != http.StatusOK {
		t.Errorf("an admin had no session pass shown: %d", got.status)
	}
	// hallpass's own scopes come from the command line, whatever the role.
	admin := s.as(adminui.RoleAdmin)
	for _, scope := range []string{"hallpass:admin", "hallpass:api"} {
		got := admin.post("/issue", "scope", scope, "mode", "session", "subject", "me", "data", `{"role":"admin"}`)
		if got.status != http.StatusUnprocessableEntity {
			t.Errorf("an admin issued %s: %d", scope, got.status)
		}
	}
}
