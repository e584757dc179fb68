package adminui_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/adminui"
)

func TestItIsSaidTrulyWhetherALinkCanBeShownAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	const again, once = "can be shown again", "is shown once"
	for name, tt := range map[string]struct {
		role adminui.Role
		says string
		form []string
	}{
		"a signed pass":               {adminui.RoleIssuer, again, []string{"scope", "one"}},
		"a short pass":                {adminui.RoleAdmin, once, []string{"scope", "two", "format", "short"}},
		"an unrecorded pass":          {adminui.RoleAdmin, once, []string{"scope", "three", "unrecorded", "true"}},
		"an admin's session pass":     {adminui.RoleAdmin, again, []string{"scope", "four", "mode", "session", "subject", "42"}},
		"an admin's short session":    {adminui.RoleAdmin, once, []string{"scope", "five", "mode", "session", "subject", "42", "format", "short"}},
		"a compact pass of an issuer": {adminui.RoleIssuer, again, []string{"scope", "six", "format", "compact"}},
	} {
		b := s.as(tt.role)
		if got := b.post("/issue/preview", tt.form...); !strings.Contains(got.body, tt.says) {
			t.Errorf("%s: the preview does not say that it %s", name, tt.says)
		}
		got := b.post("/issue", tt.form...)
		if got.status != http.StatusOK || !strings.Contains(got.body, tt.says) || strings.Contains(got.body, map[string]string{again: once, once: again}[tt.says]) {
			t.Errorf("%s: %d, and it does not say that it %s", name, got.status, tt.says)
		}
		id := between(got.body, `/admin/pass?id=`, `"`)
		if shown := b.post("/pass/link", "id", id).status == http.StatusOK; shown != (tt.says == again) {
			t.Errorf("%s: it says that its link %s, and it can be: %t", name, tt.says, shown)
		}
	}
}

func TestALinkTooLongForAQRCodeSaysSo(t *testing.T) {
	t.Parallel()
	b := newSite(t, nil).as(adminui.RoleIssuer)
	const said = "is too long for a QR code"
	short := b.post("/issue", "scope", "act", "url", "https://app.example.com/")
	if !strings.Contains(short.body, `<svg class="qr"`) || strings.Contains(short.body, said) {
		t.Error("a link of usual length has no QR code")
	}
	long := b.post("/issue", "scope", "act", "url", "https://app.example.com/"+strings.Repeat("long", 750))
	if long.status != http.StatusOK || strings.Contains(long.body, `<svg class="qr"`) || !strings.Contains(long.body, "The link "+said) {
		t.Errorf("%d, and it does not say that there is no QR code", long.status)
	}
}

func TestAnEventOfIssuingLeadsToThePass(t *testing.T) {
	t.Parallel()
	for name, form := range map[string][]string{
		"a signed pass":            {"key", "a-form", "scope", "act", "subject", "42", "max_uses", "1"},
		"a short pass":             {"key", "a-form", "scope", "act", "subject", "42", "format", "short"},
		"a form that has no key":   {"scope", "act", "subject", "42"},
		"a pass of nobody's batch": {"key", "a-form", "scope", "act", "batch", "42"},
	} {
		s := newSite(t, nil)
		b := s.as(adminui.RoleIssuer)
		if got := b.post("/issue", form...); got.status != http.StatusOK {
			t.Fatalf("%s: %d", name, got.status)
		}
		entries, err := s.issuer.Entries(t.Context(), hallpass.EntryFilter{Scope: "act"})
		if err != nil || len(entries.Entries) != 1 {
			t.Fatalf("%s: %d passes, %v", name, len(entries.Entries), err)
		}
		id := entries.Entries[0].ID
		events, err := s.issuer.Events(t.Context(), hallpass.EventFilter{Pass: id})
		if err != nil || len(events.Events) != 1 || events.Events[0].Action != "pass.issue" {
			t.Errorf("%s: its pass has the events %v, %v", name, events.Events, err)
		}
		shown := b.get("/events?kind=admin").body
		if want := `<a href="/admin/pass?id=` + id + `"><bdi>42</bdi></a>`; events.Events[0].Subject != "" && !strings.Contains(shown, want) {
			t.Errorf("%s: the events have no %s", name, want)
		}
		if !strings.Contains(b.get("/pass?id="+id).body, "Issued a pass") {
			t.Errorf("%s: its page does not say that it was issued", name)
		}
	}
}

func TestAnEventOfATableLeadsToItsCampaign(t *testing.T) {
	t.Parallel()
	b := newSite(t, nil).as(adminui.RoleIssuer)
	if got := b.upload("subject\n42\n", "scope", "act", "batch", "spring"); got.status != http.StatusOK {
		t.Fatal(got.status)
	}
	const link = `<a href="/admin/campaign?batch=spring"><bdi>spring</bdi></a>`
	if n := strings.Count(b.get("/events?kind=admin").body, link); n != 2 { // begun and finished
		t.Errorf("%d links to the campaign", n)
	}
}
