package look_test

import (
	"errors"
	"html/template"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/look"
)

const small = `{{define "title"}}T{{end}}{{define "main"}}`

func TestParseNamesThePageThatDoesNotWork(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text, want string }{
		{"a syntax error", small + `{{if}}{{end}}`, "page door:"},
		{"an unknown function", small + `{{sesame}}{{end}}`, "page door:"},
		{"no main", `{{define "title"}}T{{end}}`, `page door: defines no template "main"`},
		{"no title", `{{define "main"}}M{{end}}`, `page door: defines no template "title"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := look.Parse(nil, "door", tt.text); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Parse = %v, want %q", err, tt.want)
			}
		})
	}
}

// A page called like a part once emptied the part.
func TestAPageMayBeCalledLikeAPart(t *testing.T) {
	t.Parallel()
	page, err := look.Parse(nil, "wordmark", small+`<p>M</p>{{end}}`)
	if err != nil {
		t.Fatal(err)
	}
	if got := render(t, page, nil); !strings.Contains(got, "<span>hallpass</span>") {
		t.Error("the wordmark is gone")
	}
}

func TestParseFSSharesFilesWithAnUnderscore(t *testing.T) {
	t.Parallel()
	fsys := fstest.MapFS{
		"pages/_shared.html": {Data: []byte(`{{define "greeting"}}Good day{{end}}{{define "title"}}Shared{{end}}`)},
		"pages/home.html":    {Data: []byte(`{{define "main"}}{{template "greeting"}}{{end}}`)},
		"pages/inbox.html":   {Data: []byte(`{{define "title"}}Inbox{{end}}{{define "main"}}{{template "greeting"}}{{end}}`)},
	}
	pages, err := look.ParseFS(nil, fsys, "pages/*.html")
	if err != nil {
		t.Fatal(err)
	}
	if len(pages) != 2 {
		t.Fatalf("%d pages, want 2", len(pages))
	}
	for name, title := range map[string]string{"home": "Shared", "inbox": "Inbox"} {
		got := render(t, pages[name], nil)
		if !strings.Contains(got, "Good day") || !strings.Contains(got, "<title>"+title+"</title>") {
			t.Errorf("%s is %s", name, got)
		}
	}
	if _, err := look.ParseFS(nil, fsys, "nowhere/*.html"); err == nil {
		t.Error("a pattern that matches nothing is no error")
	}
}

func TestServe(t *testing.T) {
	t.Parallel()
	page, err := look.Parse(nil, "door", small+`<p>{{.Name}}</p>{{end}}`)
	if err != nil {
		t.Fatal(err)
	}
	view := struct{ Name string }{"<b>"}
	get, head := httptest.NewRecorder(), httptest.NewRecorder()
	if err := look.Serve(get, httptest.NewRequest("GET", "/", nil), http.StatusTeapot, page, view, "https://app.example"); err != nil {
		t.Fatal(err)
	}
	if err := look.Serve(head, httptest.NewRequest("HEAD", "/", nil), http.StatusTeapot, page, view, "https://app.example"); err != nil {
		t.Fatal(err)
	}
	if get.Code != http.StatusTeapot || !strings.Contains(get.Body.String(), "<p>&lt;b&gt;</p>") {
		t.Errorf("status %d, body %s", get.Code, get.Body)
	}
	if head.Body.Len() != 0 || head.Code != get.Code {
		t.Errorf("HEAD: status %d, %d bytes of body", head.Code, head.Body.Len())
	}
	for name := range get.Header() {
		if get.Header().Get(name) != head.Header().Get(name) {
			t.Errorf("%s is %q for GET and %q for HEAD", name, get.Header().Get(name), head.Header().Get(name))
		}
	}
}

func TestServeAnswersAPlain500WhenTheTemplateFails(t *testing.T) {
	t.Parallel()
	page, err := look.Parse(nil, "door", small+`<p>half a page {{.Fail}}</p>{{end}}`)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	err = look.Serve(w, httptest.NewRequest("GET", "/", nil), http.StatusOK, page, failing{})
	if !errors.Is(err, errFailing) {
		t.Errorf("error %v", err)
	}
	if w.Code != http.StatusInternalServerError || w.Body.String() != "internal error\n" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("status %d, headers %v, body %q", w.Code, w.Header(), w.Body)
	}
}

var errFailing = errors.New("a secret of ours")

type failing struct{}

func (failing) Fail() (string, error) { return "", errFailing }

func TestCardOfShowsStrangersNoMoreThanTheyNeed(t *testing.T) {
	t.Parallel()
	entry := hallpass.Entry{
		Pass: hallpass.Pass{
			ID: "the-id", Scope: "newsletter", Mode: hallpass.ModeRequest, Subject: "hugo@example.com",
			Data: []byte(`"the-data"`), Recipient: "the-recipient", Batch: "the-batch", Key: "the-key",
			ExpiresAt: noon.Add(72 * time.Hour), MaxUses: 10,
		},
		Used: 3, Browser: "the-browser",
	}
	page, err := look.Parse(nil, "card", small+`{{template "pass" .}}{{end}}`)
	if err != nil {
		t.Fatal(err)
	}
	got := render(t, page, look.CardOf(entry, "Unsubscribe", noon))
	for _, want := range []string{"Unsubscribe", "h•••o@example.com", "in 3 days", "7 more times", "newsletter", "Valid", "<svg"} {
		if !strings.Contains(got, want) {
			t.Errorf("the card does not show %q", want)
		}
	}
	for _, secret := range []string{"hugo", "the-id", "the-data", "the-recipient", "the-batch", "the-key", "the-browser"} {
		if strings.Contains(got, secret) {
			t.Errorf("the card shows %q", secret)
		}
	}
}

func TestACardThatIsOverPromisesNoMoreUses(t *testing.T) {
	t.Parallel()
	page, err := look.Parse(nil, "card", small+`{{template "pass" .}}{{end}}`)
	if err != nil {
		t.Fatal(err)
	}
	for name, e := range map[string]hallpass.Entry{
		"expired": {Pass: hallpass.Pass{MaxUses: 10, ExpiresAt: noon}},
		"revoked": {Pass: hallpass.Pass{MaxUses: 10}, RevokedAt: noon},
		"spent":   {Pass: hallpass.Pass{MaxUses: 10}, Used: 10},
	} {
		if got := render(t, page, look.CardOf(e, "x", noon)); !strings.Contains(got, "no more") {
			t.Errorf("%s: the card still promises uses", name)
		}
	}
}

func render(t *testing.T, page *template.Template, view any) string {
	t.Helper()
	var b strings.Builder
	if err := page.Execute(&b, view); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
