package interstitial_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hallpass-go/hallpass/internal/interstitial"
	"github.com/hallpass-go/hallpass/internal/look"
)

func templates(pairs ...string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		fsys[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return fsys
}

func TestNewNamesWhatDoesNotWork(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		opts interstitial.Options
		want string
	}{
		{"a syntax error", interstitial.Options{Templates: templates("confirm.html", `{{define "main"}}{{if}}{{end}}`)}, "page confirm:"},
		{"a field that does not exist", interstitial.Options{Templates: templates("refused.html", `{{define "main"}}{{.Nope}}{{end}}`)}, "page refused:"},
		{"a part that does not exist", interstitial.Options{Templates: templates("refused.html", `{{define "main"}}{{template "nope"}}{{end}}`)}, "page refused:"},
		{"a value where nothing is safe", interstitial.Options{Templates: templates("refused.html", `{{define "main"}}<a {{if .Code}}href="{{end}}{{.Title}}">{{end}}`)}, "page refused:"},
		{"a field that is sometimes nil", interstitial.Options{Templates: templates("already_done.html", `{{define "main"}}{{.Card.Sentence}}{{end}}`)}, "page already_done:"},
		{"a confirmation without its form", interstitial.Options{Templates: templates("confirm.html", `{{define "main"}}{{.Title}}{{end}}`)}, "page confirm: it lacks the form"},
		{"a form without its hidden fields", interstitial.Options{Templates: templates("confirm.html", `{{define "main"}}{{with .Form}}<form method="post" action="{{.Action}}">{{with .Code}}<input name="{{.Name}}">{{end}}{{if .Tick}}{{template "tick"}}{{end}}<button>Go</button></form>{{end}}{{end}}`)}, "page confirm: it lacks the form"},
		{"a form without the code", interstitial.Options{Templates: templates("confirm.html", `{{define "main"}}{{with .Form}}<form method="post" action="{{.Action}}">{{range .Hidden}}<input name="{{.Name}}" value="{{.Value}}">{{end}}{{if .Tick}}{{template "tick"}}{{end}}<button>Go</button></form>{{end}}{{end}}`)}, "page confirm: it lacks the form"},
		{"no main", interstitial.Options{Templates: templates("unavailable.html", `<p>hello</p>`)}, "page unavailable:"},
		{"a file that is no page", interstitial.Options{Templates: templates("confrim.html", `{{define "main"}}{{end}}`)}, "page confrim: there is no such page; the pages are confirm, refused,"},
		{"an unknown text", interstitial.Options{Texts: look.Texts{"confirm.titel": "x"}}, `unknown message id "confirm.titel"`},
		{"an unknown placeholder", interstitial.Options{Texts: look.Texts{"confirm.replace": "{user}"}}, `message "confirm.replace" has no placeholder {user}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := interstitial.New(&tt.opts); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("New = %v, want %q", err, tt.want)
			}
		})
	}
}

// TestAFormOfOnesOwnIsTaken, with other quotes and parts than ours.
func TestAFormOfOnesOwnIsTaken(t *testing.T) {
	t.Parallel()
	newPages(t, &interstitial.Options{Templates: templates("confirm.html", `{{define "main"}}{{with .Form}}<form method='post' action='{{.Action}}'>
		{{range .Hidden}}<input type=hidden name='{{.Name}}' value='{{.Value}}'>{{end}}{{with .Code}}<input name={{.Name}}>{{end}}
		{{if .Tick}}{{template "tick"}}{{end}}<input type=submit value="{{.Button}}"></form>{{end}}{{end}}`)})
}

func TestATemplateReplacesOnePage(t *testing.T) {
	t.Parallel()
	p := newPages(t, &interstitial.Options{Templates: templates(
		"confirm.html", `{{define "main"}}<h1>Ours: {{.Title}}</h1>{{template "form" .}}{{template "imprint"}}{{end}}`,
		"_imprint.html", `{{define "imprint"}}<p>Fern &amp; Sons</p>{{end}}`,
	)})
	for _, c := range allPages() {
		page := get(t, p, c).Body.String()
		checkInert(t, page)
		if got, want := strings.Contains(page, "<h1>Ours: "), strings.HasPrefix(c.name, "confirm"); got != want {
			t.Errorf("%s: replaced %t, want %t", c.name, got, want)
		}
	}
}

func TestTextsReplaceSingleTexts(t *testing.T) {
	t.Parallel()
	p := newPages(t, &interstitial.Options{Site: "Fern & Sons", Texts: look.Texts{
		"lang": "de", "confirm.title.session": "Bist du das?", "card.until": "Bis", "refused.expired.title": "Abgelaufen <b>",
	}})
	for _, c := range allPages() {
		page := get(t, p, c).Body.String()
		if !strings.Contains(page, `<html lang="de">`) || !strings.Contains(page, `<span class="site">Fern &amp; Sons</span>`) {
			t.Errorf("%s: language or site is missing", c.name)
		}
		switch c.name {
		case "confirm a session":
			if !strings.Contains(page, "<h1>Bist du das?</h1>") || !strings.Contains(page, "<dt>Bis</dt>") {
				t.Error("the texts were not replaced")
			}
		case "refused expired":
			if !strings.Contains(page, "<h1>Abgelaufen &lt;b&gt;</h1>") {
				t.Error("markup in a text is obeyed")
			}
		}
	}
}

// Ids are put together from parts, so this looks for the ids' ends as well.
func TestEveryTextIsUsed(t *testing.T) {
	t.Parallel()
	var source strings.Builder
	for _, pattern := range []string{"*.go", "pages/*.html", "../look/*.go", "../look/*.html"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			source.Write(text)
		}
	}
	built := regexp.MustCompile(`^(state|time)\.|^refused\.[a-z_]+\.(title|happened|safe|next)$|^(no_cookie|fresh_link_sent|unavailable|throttled)\.|^(confirm\.(title|sentence|button)|refused\.sentence)\.|\.(one|other|short)$`)
	texts := interstitial.English()
	for id := range texts {
		if !strings.Contains(source.String(), `"`+id+`"`) && !built.MatchString(id) {
			t.Errorf("nothing uses the text %s", id)
		}
	}
	for _, m := range regexp.MustCompile(`(?:\bt |Text\()"([a-z_.]+[a-z])"`).FindAllStringSubmatch(source.String(), -1) {
		if _, ok := texts[m[1]]; !ok && strings.Contains(m[1], ".") {
			t.Errorf("the text %s is used and does not exist", m[1])
		}
	}
}
