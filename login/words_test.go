package login_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hallpass-go/hallpass/internal/look"
	"github.com/hallpass-go/hallpass/login"
	"github.com/hallpass-go/hallpass/mail"
)

func readTexts(t *testing.T, file string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var texts map[string]string
	if err := json.Unmarshal(text, &texts); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return texts
}

func TestEveryLanguageSaysEverything(t *testing.T) {
	t.Parallel()
	english := map[string]string(look.English())
	maps.Copy(english, readTexts(t, "texts/en.json"))
	files, err := filepath.Glob("texts/*.json")
	if err != nil || len(files) < 5 {
		t.Fatalf("%v, %v", files, err)
	}
	placeholder := regexp.MustCompile(`\{[a-z]+\}`)
	for _, file := range files {
		if file == filepath.Join("texts", "en.json") {
			continue
		}
		texts := readTexts(t, file)
		if want := strings.TrimSuffix(filepath.Base(file), ".json"); texts["lang"] != want {
			t.Errorf("%s says its language is %q", file, texts["lang"])
		}
		for id, said := range english {
			other, ok := texts[id]
			if !ok || other == "" {
				t.Errorf("%s does not say %q", file, id)
			}
			want, got := placeholder.FindAllString(said, -1), placeholder.FindAllString(other, -1)
			slices.Sort(want)
			slices.Sort(got)
			if !slices.Equal(want, got) {
				t.Errorf("%s: %q has %v, want %v", file, id, got, want)
			}
		}
	}
}

func (e *engine) letter(start login.Start) mail.Message {
	e.t.Helper()
	start.Client = from(1)
	begun, err := e.Begin(e.t.Context(), start)
	if err != nil {
		e.t.Fatal(err)
	}
	return e.outbox.waitForFlow(e.t, begun.Flow)
}

func TestTheMailHasTheCodeAloneOnALineAndTheLink(t *testing.T) {
	t.Parallel()
	e := newEngine(t, func(c *login.Config) { c.Site = "Sesame & <Sons>" })
	m := e.letter(login.Start{Email: "hugo@example.com"})
	lines := strings.Split(m.Text, "\n")
	if !slices.Contains(lines, m.Data["code"]) || !slices.Contains(lines, m.Data["link"]) {
		t.Errorf("code and link are not alone on their lines:\n%s", m.Text)
	}
	if strings.Contains(m.Subject, m.Data["code"]) {
		t.Error("the code is in the subject")
	}
	for _, want := range []string{"Firefox on Linux", "10.0.0.1", "in 10 minutes"} {
		if !strings.Contains(m.Text, want) || !strings.Contains(m.HTML, want) {
			t.Errorf("the mail does not say %q", want)
		}
	}
	if strings.Contains(m.HTML, "<Sons>") || !strings.Contains(m.HTML, "Sesame &amp; &lt;Sons&gt;") {
		t.Error("the site's name is not escaped")
	}
	if !strings.HasPrefix(m.Data["link"], "https://example.com/login/link?token=l-") {
		t.Errorf("link = %s", m.Data["link"])
	}
}

func TestTheMailSpeaksTheReadersLanguage(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil)
	for i, c := range []struct{ accept, want string }{
		{"", "Sign in to example.com"},
		{"de-CH, en;q=0.5", "Anmelden bei example.com"},
		{"fr-CA", "Se connecter à example.com"},
		{"es-419,es;q=0.9", "Iniciar sesión en example.com"},
		{"ja", "example.com へのログイン"},
		{"xx, tlh;q=0.3", "Sign in to example.com"},
		{"en-GB;q=0.1, de;q=0.9", "Anmelden bei example.com"},
		{strings.Repeat("de,", 100), "Sign in to example.com"},
		{"\x00;;;,,q=", "Sign in to example.com"},
	} {
		m := e.letter(login.Start{Email: strings.Repeat("x", i+1) + "@example.com", Language: c.accept})
		if m.Subject != c.want {
			t.Errorf("%.20q: %q, want %q", c.accept, m.Subject, c.want)
		}
	}
}

func TestAnotherLanguageIsOneFile(t *testing.T) {
	t.Parallel()
	e := newEngine(t, func(c *login.Config) {
		c.Words.Texts = fstest.MapFS{
			"pt.json": {Data: []byte(`{"mail.subject":"Entrar em {site}"}`)},
			"en.json": {Data: []byte(`{"mail.subject":"Your way into {site}"}`)},
		}
	})
	if m := e.letter(login.Start{Email: "a@example.com", Language: "pt-BR"}); m.Subject != "Entrar em example.com" || m.Data["language"] != "pt" {
		t.Errorf("%q in %q", m.Subject, m.Data["language"])
	}
	if m := e.letter(login.Start{Email: "b@example.com"}); m.Subject != "Your way into example.com" {
		t.Errorf("%q", m.Subject)
	}
}

func TestWordsThatCannotWorkAreFoundAtOnce(t *testing.T) {
	t.Parallel()
	for name, w := range map[string]login.Words{
		"an unknown id":          {Texts: fstest.MapFS{"pt.json": {Data: []byte(`{"mail.sujet":"x"}`)}}},
		"an unknown placeholder": {Texts: fstest.MapFS{"en.json": {Data: []byte(`{"mail.subject":"{code}"}`)}}},
		"no JSON":                {Texts: fstest.MapFS{"pt.json": {Data: []byte(`{`)}}},
		"no language":            {Texts: fstest.MapFS{"portuguese language.json": {Data: []byte(`{}`)}}},
		"an unknown fallback":    {Fallback: "pt"},
		"a broken template":      {Templates: fstest.MapFS{"mail.txt": {Data: []byte(`{{.Code`)}}},
		"an unknown field":       {Templates: fstest.MapFS{"mail.html": {Data: []byte(`{{.Kode}}`)}}},
		"an unknown file":        {Templates: fstest.MapFS{"mial.html": {Data: []byte(`x`)}}},
	} {
		if err := newWith(t, func(c *login.Config) { c.Words = w }); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestTheMailsTemplatesAreReplaceable(t *testing.T) {
	t.Parallel()
	e := newEngine(t, func(c *login.Config) {
		c.Words.Templates = fstest.MapFS{"mail.txt": {Data: []byte("{{.Site}} {{.Code}}\n")}}
	})
	if m := e.letter(login.Start{Email: "hugo@example.com"}); m.Text != "example.com "+m.Data["code"]+"\n" || !strings.Contains(m.HTML, m.Data["code"]) {
		t.Errorf("%q", m.Text)
	}
}
