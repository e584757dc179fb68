package look_test

import (
	"crypto/sha256"
	"encoding/base64"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/hallpass-go/hallpass/internal/look"
)

func TestTheStylesheetAsksNobodyForAnything(t *testing.T) {
	t.Parallel()
	css := look.CSS()
	for _, banned := range []string{"url(", "@import", "@font-face", "//", "</", "/*", "expression"} {
		if strings.Contains(css, banned) {
			t.Errorf("the stylesheet contains %q", banned)
		}
	}
	if open, closed := strings.Count(css, "{"), strings.Count(css, "}"); open != closed || open == 0 {
		t.Errorf("%d opening and %d closing braces", open, closed)
	}
	for _, needed := range []string{"prefers-color-scheme: dark", "prefers-reduced-motion", "@media print", ":focus-visible", "pointer: coarse"} {
		if !strings.Contains(css, needed) {
			t.Errorf("the stylesheet has no %s", needed)
		}
	}
}

func TestEveryCustomPropertyIsDefined(t *testing.T) {
	t.Parallel()
	css := look.CSS()
	for _, m := range regexp.MustCompile(`var\((--[a-z-]+)\)`).FindAllStringSubmatch(css, -1) {
		if !strings.Contains(css, m[1]+":") {
			t.Errorf("%s is used and nowhere defined", m[1])
		}
	}
}

func TestTheHashIsThatOfTheInlinedStyle(t *testing.T) {
	t.Parallel()
	page, err := look.Parse(nil, "p", `{{define "title"}}T{{end}}{{define "main"}}M{{end}}`)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := page.Execute(&b, nil); err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(b.String(), "<style>")
	style, _, found := strings.Cut(rest, "</style>")
	if !found {
		t.Fatal("the page has no style element")
	}
	sum := sha256.Sum256([]byte(style))
	if got, want := look.CSSHash(), "sha256-"+base64.StdEncoding.EncodeToString(sum[:]); got != want {
		t.Errorf("CSSHash() = %s, want %s", got, want)
	}
}

func TestPolicyListsProperOriginsOnly(t *testing.T) {
	t.Parallel()
	base := "default-src 'none'; style-src '" + look.CSSHash() + "'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
	tests := []struct {
		name    string
		targets []string
		want    string
	}{
		{"no target", nil, ""},
		{"an empty target", []string{""}, ""},
		{"an origin", []string{"https://app.example"}, " https://app.example"},
		{"a URL gives its origin", []string{"https://App.Example:8443/a?b=c#d"}, " https://app.example:8443"},
		{"the same twice", []string{"https://app.example/a", "https://app.example/b"}, " https://app.example"},
		{"loopback", []string{"http://127.0.0.1:8080"}, " http://127.0.0.1:8080"},
		{"a directive in the host", []string{"https://app.example;script-src *"}, ""},
		{"a quote in the host", []string{"https://'unsafe-inline'"}, ""},
		{"a wildcard host", []string{"https://*.example"}, ""},
		{"a script", []string{"javascript:alert(1)"}, ""},
		{"user information", []string{"https://app.example@evil.example"}, ""},
		{"no scheme", []string{"//evil.example"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := look.Policy(tt.targets...); got != base+tt.want {
				t.Errorf("Policy(%q) ends in %q, want %q", tt.targets, strings.TrimPrefix(got, base), tt.want)
			}
		})
	}
}

func TestLocalURL(t *testing.T) {
	t.Parallel()
	const site = "https://app.example"
	tests := []struct {
		target string
		want   bool
	}{
		{"/", true},
		{"/a/b?c=d&e=%2F#f", true},
		{"/ü", true},
		{"https://app.example/a", true},
		{"https://APP.example/a", true},
		{"", false},
		{"a", false},
		{"?rt=1", false},
		{"//evil.example", false},
		{"///evil.example", false},
		{`/\evil.example`, false},
		{`\\evil.example`, false},
		{"/\tevil", false},
		{"/\r\nevil", false},
		{" /a", false},
		{"https:evil.example", false},
		{"https:/evil.example", false},
		{"https:///evil.example", false},
		{"https://evil.example/a", false},
		{"http://app.example/a", false},
		{"https://app.example:8443/a", false},
		{"https://app.example@evil.example/", false},
		{"https://user@app.example/", false},
		{"https://app.example.evil.example/", false},
		{"javascript:alert(1)", false},
		{"JaVaScRiPt:alert(1)", false},
		{"data:text/html,x", false},
		{"/%zz", false},
	}
	for _, tt := range tests {
		if got := look.LocalURL(tt.target, site); got != tt.want {
			t.Errorf("LocalURL(%q) = %t, want %t", tt.target, got, tt.want)
		}
	}
	if look.LocalURL("https://app.example/") {
		t.Error("an absolute URL is local although no origin is allowed")
	}
	if look.LocalURL("https://app.example/", "") {
		t.Error("an absolute URL is local although the allowed origin is empty")
	}
}

// The files are read from the folder so that a misspelt id cannot hide.
func TestEveryTextInThePartsExists(t *testing.T) {
	t.Parallel()
	texts := look.English()
	for _, file := range []string{"layout.html", "parts.html"} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\bt "([^"]+)"`).FindAllStringSubmatch(string(source), -1) {
			if _, ok := texts[m[1]]; !ok {
				t.Errorf("%s uses the text %q, which does not exist", file, m[1])
			}
		}
	}
}
