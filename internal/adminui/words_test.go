package adminui_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hallpass-go/hallpass/internal/adminui"
)

func TestWhatAPassPermitsIsSaidInWords(t *testing.T) {
	t.Parallel()
	b := newSite(t, nil).as(adminui.RoleAdmin)
	for want, form := range map[string][]string{
		"May unsubscribe as user 42, once, without an end.":                             {"scope", "unsubscribe", "mode", "request", "subject", "42", "max_uses", "1"},
		"May sign in as hugo@example.com for “login”, once, until ":                     {"scope", "login", "mode", "session", "subject", "hugo@example.com"},
		"Anyone who has it may invite, 10 times, without an end.":                       {"scope", "invite"},
		"May use only GET /api/reports and below as user 7, as often as needed, until ": {"scope", "api", "mode", "request", "subject", "7", "grants", "GET /api/reports"},
		"Anyone who has it may use only POST /a, twice, until ":                         {"scope", "api", "grants", "POST =/a", "max_uses", "2"},
		"May mark read (mail inbox) as user 42, as often as needed, without an end.":    {"scope", "mail:inbox:mark_read", "mode", "request", "subject", "42", "max_uses", "0"},
	} {
		got := b.post("/issue/preview", form...)
		if got.status != http.StatusOK || !strings.Contains(got.plain(), want) {
			t.Errorf("the preview says %q, want %q", between(got.plain(), `class="pass-sentence">`, "<"), want)
		}
	}
}
