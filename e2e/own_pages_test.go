package e2e_test

import (
	"os"
	"path/filepath"
	"testing"
)

// TestPagesOfLinksAreReplaced: a page with markup of one's own works in a browser, with
// the texts of a file; what is not replaced stays. One press is enough: the gate once
// lost the header by which Chromium tells it from a script's.
func TestPagesOfLinksAreReplaced(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for name, text := range map[string]string{
		"confirm.html": `{{define "main"}}<h1>Fern & Sons ask: {{.Title}}</h1>{{template "card" .}}
{{with .Form}}<form method="post" action="{{.Action}}">{{range .Hidden}}<input type="hidden" name="{{.Name}}" value="{{.Value}}">{{end}}
{{with .Code}}<input name="{{.Name}}" aria-label="code">{{end}}{{if .Tick}}{{template "tick"}}{{end}}<button>{{.Button}}</button></form>{{end}}
{{template "imprint" .}}{{end}}`,
		"_imprint.html": `{{define "imprint"}}<p>Fern & Sons, Kew</p>{{end}}`,
		"texts.json":    `{"refused.spent.title": "That one has been had <b>"}`,
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := startServeOn(t, sqliteFile(t), nil, "--upstream", newUpstream(t).URL, "--pages-templates", folder, "--pages-texts", filepath.Join(folder, "texts.json"),
		"--config", guardedBy(t, "rules:\n  - {path: /report, access: required, scope: report, modes: [public]}\n"))
	pass := s.issueUnder(t, "/.hallpass", issueAPIToken(t, s.store), `{"scope":"report","max_uses":1,"url":"`+s.URL+`/report"}`)
	for _, scripts := range []bool{true, false} {
		b := newProfile(t, scripts)
		b.open(pass.URL)
		if scripts {
			b.sees("Fern & Sons ask: One click to go")
			if !b.says("Fern & Sons, Kew") {
				t.Error("a part of one's own is not there")
			}
			b.click("main form button")
			if !b.says("the application") {

				t.Error("one press did not let the reader in")
			}
		} else {
			b.sees("That one has been had <b>")
		}
		b.behaved(s.URL)
	}
}
