package django_test

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

var (
	formAction   = regexp.MustCompile(`(?s)<form[^>]*action="([^"]*)"`)
	hiddenFields = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)
)

// TestASessionLinkWorksAfterTheButton is what stands behind the category
// session-confirm: the page comes between, and nothing else.
func TestASessionLinkWorksAfterTheButton(t *testing.T) {
	t.Parallel()
	for _, v := range readVectors(t, "testdata/vectors.json").Vectors {
		if v.Kind != "http" || v.System != "django-request-token" || v.quirky() || len(v.Steps) != 2 ||
			!v.hasRow(func(r vectorRow) bool { return r.Mode == "s" && r.MaxUses == 1 }) {
			continue
		}
		db := v.db(t)
		s := requestTokenSetting(db)
		a := newDjangoApp(t, v, db, s)
		link := a.server.URL + v.Steps[0].Request.Target
		status, seen := pressTheButton(t, link)
		if status != http.StatusSeeOther || seen != userID(db, db.Tokens[0].User) {
			t.Errorf("%s: after the button: %d, and then the user %q", v.ID, status, seen)
		}
		var d differences
		step := v.Steps[0]
		d.compareCounts(t, a, s, db, "", step)
		// The button is answered by a redirect, so that is the status of the use.
		for _, what := range d {
			if !strings.HasPrefix(what, "logged") {
				t.Errorf("%s: %s", v.ID, what)
			}
		}
		again, err := http.Get(link)
		if err != nil {
			t.Fatal(err)
		}
		again.Body.Close()
		if again.StatusCode != http.StatusForbidden {
			t.Errorf("%s: the link again: %d", v.ID, again.StatusCode)
		}
	}
}

// pressTheButton opens a link as a browser does, presses the one button there, and
// says who is signed in afterwards.
func pressTheButton(t *testing.T, link string) (status int, seen string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	page, err := browser.Get(link)
	if err != nil {
		t.Fatal(err)
	}
	defer page.Body.Close()
	text, err := io.ReadAll(page.Body)
	if err != nil {
		t.Fatal(err)
	}
	action := formAction.FindSubmatch(text)
	if action == nil {
		t.Fatalf("no form on the page (%d):\n%s", page.StatusCode, text)
	}
	target, err := page.Request.URL.Parse(html.UnescapeString(string(action[1])))
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{}
	for _, field := range hiddenFields.FindAllSubmatch(text, -1) {
		form.Set(string(field[1]), html.UnescapeString(string(field[2])))
	}
	answer, err := browser.PostForm(target.String(), form)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	open, err := page.Request.URL.Parse("/open/")
	if err != nil {
		t.Fatal(err)
	}
	next, err := browser.Get(open.String())
	if err != nil {
		t.Fatal(err)
	}
	next.Body.Close()
	return answer.StatusCode, next.Header.Get("X-Seen-User")
}
