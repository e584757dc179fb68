package adminui_test

import (
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/adminui"
)

var markup = regexp.MustCompile(`(?s)<style>.*?</style>|<textarea.*?</textarea>|<[^>]*>`)

// TestNoForeignTextTurnsOrHidesWordsOfThePages: a subject with U+202E in it turned
// the sentence around it, and one with U+200B looked like another.
func TestNoForeignTextTurnsOrHidesWordsOfThePages(t *testing.T) {
	t.Parallel()
	const evil = "ad\u200bmin\u202e\u2067moc.x"
	s := newSite(t, nil)
	b := s.as(adminui.RoleAdmin)
	p := s.issue(hallpass.Spec{
		Scope: "pay:" + evil, Mode: hallpass.ModeRequest, Subject: evil, Recipient: evil, Batch: evil, MaxUses: 1,
		Data: json.RawMessage(`{"note":"` + evil + `"}`),
	})
	use := hallpass.Presentation{Token: p.Token, Scope: "pay:" + evil, UserAgent: evil, Method: http.MethodGet, Path: "/" + evil}
	if _, err := s.issuer.RedeemOnce(t.Context(), use, http.StatusOK); err != nil {
		t.Fatal(err)
	}
	if _, err := s.issuer.RedeemOnce(t.Context(), use, http.StatusOK); err == nil { // refused, and written down
		t.Fatal("it was used twice")
	}
	if got := b.post("/issue", "scope", "newsletter", "mode", "request", "subject", evil, "batch", evil, "url", "https://app.example.com/"); got.status != http.StatusOK {
		t.Fatalf("issuing: %d", got.status)
	}
	pages := map[string]page{
		"preview": b.post("/issue/preview", "scope", "pay:"+evil, "mode", "request", "subject", evil),
		"found":   b.post("/find", "q", p.Token.Reveal()),
	}
	q := url.QueryEscape(evil)
	for _, path := range append(everyPage(p.ID), "/campaign?batch="+q, "/revoke?batch="+q, "/passes?q="+q+"&subject="+q, "/sessions?subject="+q, "/pass?id="+q) {
		pages[path] = b.get(path)
	}
	for path, got := range pages {
		text := html.UnescapeString(markup.ReplaceAllString(got.body, ""))
		if at := strings.IndexFunc(text, func(r rune) bool { return unicode.In(r, unicode.Cf, unicode.Cc) && r != '\n' }); at >= 0 {
			t.Errorf("%s: %+q is not shown as it is: …%+q…", path, []rune(text[at:])[0], text[max(0, at-60):min(len(text), at+60)])
		}
	}
	const shown = `ad<span class="unseen">\u200b</span>min<span class="unseen">\u202e\u2067</span>moc.x`
	if got := pages["/passes"].body; !strings.Contains(got, "as user <bdi>"+shown+"</bdi>, once") {
		t.Errorf("the sentence of the pass is not: as user %s, once", shown)
	}
	// Links and fields have the text itself.
	for path, want := range map[string]string{
		"/passes": `href="/admin/campaign?batch=` + q, "/campaign?batch=" + q: `batch=` + q, "/passes?q=" + q + "&subject=" + q: `name="subject" value="` + evil + `"`,
	} {
		if !strings.Contains(pages[path].body, want) {
			t.Errorf("%s has no %+q", path, want)
		}
	}
}
