package find_test

import (
	"net/url"
	"testing"

	"github.com/hallpass-go/hallpass/internal/find"
)

func TestATokenIsFoundInWhateverStandsAroundIt(t *testing.T) {
	t.Parallel()
	const (
		signed  = "eyJhbGciOiJIUzI1NiJ9.eyJqdGkiOiIwMWEyMmZlYSJ9.0rKQ_a-FFTEJahtygcpuxf50xR_-OXpcG6h1eOn1SJ0"
		short   = "0123456789abcdefABCDEF"
		compact = "hp_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
	)
	link := "https://app.example.com/do?rt="
	for name, text := range map[string]string{
		"a sentence": "Hello, click " + link + signed + " thanks", "brackets": "<" + link + signed + ">", "round ones": "(" + link + signed + ")",
		"quotes": `"` + link + signed + `"`, "a header": "Authorization: Bearer " + signed, "a fragment": "https://app.example.com/do#rt=" + signed,
		"a path": "https://app.example.com/do/" + signed, "a short one in a path": "https://app.example.com/do/" + short,
		"a short one in a sentence": "see " + link + short + " there", "a compact one behind a word": "x " + compact,
		"an escaped link": url.QueryEscape(link + signed), "a bare one": signed,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := find.Within(text)
			if !ok || got != signed && got != short && got != compact {
				t.Errorf("Within = %q, %v", got, ok)
			}
			if !find.Holds(text) {
				t.Error("the text may be shown")
			}
		})
	}
	for _, text := range []string{
		"", "42", "hugo@example.com", "newsletter:unsubscribe", "01a22fea-2165-76b8-8851-1a77aded7c9b", "user-9999500", "spring campaign 2026",
		short, // as good a subject as any
	} {
		if find.Holds(text) {
			t.Errorf("%q is taken for a token", text)
		}
	}
}
