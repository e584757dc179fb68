package adminui_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/adminui"
)

func pickedPath(ids ...string) string { return "/revoke/picked?" + url.Values{"id": ids}.Encode() }

// takeBack sends what the page's form does.
func (b *browser) takeBack(ids []string, more ...string) page {
	b.t.Helper()
	for _, id := range ids {
		more = append(more, "id", id)
	}
	return b.post("/revoke/picked", more...)
}

func TestPassesThatWereTickedAreTakenBack(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.as(adminui.RoleIssuer)
	var ids []string
	for n := range 4 {
		ids = append(ids, s.issue(hallpass.Spec{Scope: "act", Mode: hallpass.ModeRequest, Subject: fmt.Sprint("user ", n)}).ID)
	}
	list := b.get("/passes").body
	for _, id := range ids {
		if !strings.Contains(list, `name="id" value="`+id+`" form="picks"`) {
			t.Errorf("%s cannot be ticked", id)
		}
	}
	if got := b.post("/pass/revoke", "id", ids[3]); got.status != http.StatusSeeOther {
		t.Fatal(got.status)
	}
	got := b.get(pickedPath(ids[0], ids[1], ids[1], ids[3], "nobody's"))
	for _, want := range []string{
		"2 passes would stop working", "1 of those that were ticked was taken back before", "1 of those that were ticked is not in the store",
		"user 0", "user 1", `name="id" value="` + ids[0] + `"`,
	} {
		if !strings.Contains(got.body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(got.body, "user 2") {
		t.Error("one that was not ticked is there")
	}
	if got := b.takeBack(ids[:2]); got.status != http.StatusBadRequest {
		t.Errorf("without the tick: %d", got.status)
	}
	// One is used up, and one is taken back, between the look and the press.
	if _, _, err := s.issuer.RevokeID(t.Context(), ids[0]); err != nil {
		t.Fatal(err)
	}
	if got := b.takeBack(ids[:2], "sure", "yes"); got.status != http.StatusSeeOther || got.header.Get("Location") != "/admin/passes?done=picked" {
		t.Errorf("with it: %d", got.status)
	}
	for n, revoked := range []bool{true, true, false, true} {
		entry, err := s.issuer.Entry(t.Context(), ids[n])
		if err != nil || entry.RevokedAt.IsZero() == revoked {
			t.Errorf("pass %d: taken back at %s, %v", n, entry.RevokedAt, err)
		}
	}
	if page, err := s.issuer.Events(t.Context(), hallpass.EventFilter{Pass: ids[1], Kind: hallpass.EventAdmin}); err != nil || len(page.Events) != 1 || page.Events[0].Actor != "greta" {
		t.Errorf("the time line of the second: %+v, %v", page.Events, err)
	}
}

func TestPickingKeepsToWhatAnOperatorMay(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	mine := s.issue(hallpass.Spec{Scope: "act", Mode: hallpass.ModeRequest, Subject: "1"}).ID
	session := s.issue(hallpass.Spec{Scope: "login", Mode: hallpass.ModeSession, Subject: "1"}).ID
	viewer, issuer := s.as(adminui.RoleViewer), s.as(adminui.RoleIssuer)
	if strings.Contains(viewer.get("/passes").body, `form="picks"`) {
		t.Error("a viewer can tick passes")
	}
	if got := viewer.get(pickedPath(mine)); got.status != http.StatusForbidden {
		t.Errorf("a viewer sees the page: %d", got.status)
	}
	if got := viewer.takeBack([]string{mine}, "sure", "yes"); got.status != http.StatusForbidden {
		t.Errorf("a viewer takes back: %d", got.status)
	}
	got := issuer.get(pickedPath(mine, session))
	if !strings.Contains(got.body, "Your pass does not let you take back") || strings.Contains(got.body, "Take them back</button>") {
		t.Error("an issuer is offered to take a session back")
	}
	if got := issuer.takeBack([]string{mine, session}, "sure", "yes"); got.status != http.StatusForbidden {
		t.Errorf("an issuer takes a session back: %d", got.status)
	}
	for _, id := range []string{mine, session} {
		if entry, err := s.issuer.Entry(t.Context(), id); err != nil || !entry.RevokedAt.IsZero() {
			t.Errorf("%s was taken back (%v)", id, err)
		}
	}
	if got := issuer.get("/revoke/picked"); got.status != http.StatusOK || !strings.Contains(got.body, "nothing to take back") {
		t.Errorf("without any: %d", got.status)
	}
	if got := issuer.get(pickedPath(make([]string, 201)...)); got.status != http.StatusBadRequest {
		t.Errorf("too many: %d", got.status)
	}
}

// TestAnOperatorIsToldThatHeTakesBackHisOwnPass and then everything asked for is done
// before it is.
func TestAnOperatorIsToldThatHeTakesBackHisOwnPass(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.as(adminui.RoleAdmin)
	page, err := s.issuer.Entries(t.Context(), hallpass.EntryFilter{Scope: adminui.Scope, Limit: 1})
	if err != nil || len(page.Entries) != 1 {
		t.Fatal(page.Entries, err)
	}
	own, other := page.Entries[0].ID, s.issue(hallpass.Spec{Scope: "act"}).ID
	const says = "it signs you out"
	if !strings.Contains(b.get(pickedPath(own, other)).body, says) || strings.Contains(b.get(pickedPath(other)).body, says) {
		t.Error("picking the own pass is not said, or another one is said to be it")
	}
	for path, want := range map[string]bool{
		"/revoke?scope=" + url.QueryEscape(string(adminui.Scope)): true, "/revoke?subject=greta": true, "/revoke?issued_before=2099-01-01": true,
		"/revoke?scope=act": false, "/revoke?subject=hugo": false, "/revoke?issued_before=2020-01-01": false,
	} {
		if got := b.get(path); strings.Contains(got.body, says) != want {
			t.Errorf("%s: that it reaches the operator is said: %t", path, !want)
		}
	}
	if got := b.get("/revoke?issued_before=2099-01-01").body; !strings.Contains(got, "everything that hallpass was ever asked for") {
		t.Error("taking back everything is not said to be that")
	}
	if got := b.takeBack([]string{own, other}, "sure", "yes"); got.status != http.StatusSeeOther {
		t.Fatal(got.status)
	}
	if entry, err := s.issuer.Entry(t.Context(), other); err != nil || entry.RevokedAt.IsZero() {
		t.Errorf("the other pass still works (%v)", err)
	}
	if got := b.get("/"); got.status != http.StatusUnauthorized {
		t.Errorf("the operator is still in: %d", got.status)
	}
}
