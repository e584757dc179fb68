package find

import (
	"net/url"
	"regexp"

	"github.com/hallpass-go/hallpass"
)

// Runs that look like a token, whoever made it: signed, compact, Django's, short.
var (
	longRun  = regexp.MustCompile(`[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{16,}|hp_[A-Za-z0-9_-]{16,}|\.?[A-Za-z0-9_-]{8,}:[0-9A-Za-z]{4,}:[A-Za-z0-9_-]{16,}`)
	shortRun = regexp.MustCompile(`\b[0-9A-Za-z]{22}\b`)
)

// Within returns the token in a text that has more around it: a sentence, brackets,
// quotation marks, a header, a link that was escaped. Where HasToken says no, such a
// text must still not be shown, or stand in an address.
func Within(text string) (string, bool) {
	if len(text) > most {
		return "", false
	}
	// Unescaped first: of "%3Dtoken" a run would begin with the 3.
	forms := []string{text}
	if plain, err := url.QueryUnescape(text); err == nil && plain != text {
		forms = []string{plain, text}
	}
	for _, run := range []*regexp.Regexp{longRun, shortRun} {
		for _, form := range forms {
			for _, found := range run.FindAllString(form, -1) {
				if HasToken(found) {
					return found, true
				}
			}
		}
	}
	return "", false
}

// Holds reports whether a text must not be shown because a token may be in it. One
// that is nothing but a short token's form may be a subject, and is none.
func Holds(text string) bool {
	if _, within := Within(text); !within {
		return false
	}
	token, whole := hallpass.FindToken(text, "")
	return !whole || token.Reveal() != text || !shortRun.MatchString(text) || len(text) != 22
}
