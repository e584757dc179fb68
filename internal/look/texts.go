package look

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Texts are the words of one language by message id. A text names what is put
// into it in braces, as in "Sign in as {account}". Ids that end in ".one" and
// ".other" are chosen by number. Texts are plain: markup in them is shown, never
// obeyed. The id "lang" is the language tag of the pages.
type Texts map[string]string

//go:embed en.json
var english []byte

// English returns a new copy of the texts the parts and functions of this
// package use.
func English() Texts {
	return mustTexts("en.json", english)
}

// ParseTexts reads a JSON object of message ids and texts.
func ParseTexts(name string, text []byte) (Texts, error) {
	var t Texts
	if err := json.Unmarshal(text, &t); err != nil {
		return nil, fmt.Errorf("texts %s: %w", name, err)
	}
	return t, nil
}

func mustTexts(name string, text []byte) Texts {
	t, err := ParseTexts(name, text)
	if err != nil {
		panic(err)
	}
	return t
}

var placeholder = regexp.MustCompile(`\{[a-z]+\}`)

// With returns t with the texts of over in place of its own. An id that t does
// not know, or a placeholder that its text does not have, is an error naming the
// id: a misspelt one would otherwise be found by a reader.
func (t Texts) With(over Texts) (Texts, error) {
	merged := maps.Clone(t)
	for _, id := range slices.Sorted(maps.Keys(over)) {
		base, known := t[id]
		if !known {
			return nil, fmt.Errorf("texts: unknown message id %q", id)
		}
		for _, p := range placeholder.FindAllString(over[id], -1) {
			// A number may be spelt out in ".one" and stay a digit in ".other".
			if !strings.Contains(base, p) && p != "{n}" {
				return nil, fmt.Errorf("texts: message %q has no placeholder %s", id, p)
			}
		}
		merged[id] = over[id]
	}
	return merged, nil
}

// Text returns the text of a message with its placeholders filled from pairs of
// name and value. An unknown id shows itself.
func (t Texts) Text(id string, pairs ...string) string {
	text, ok := t[id]
	if !ok {
		return id
	}
	if len(pairs) == 0 {
		return text
	}
	// One pass over the text, so a value that looks like a placeholder stays as it is.
	braced := slices.Clone(pairs)
	for i := 0; i+1 < len(braced); i += 2 {
		braced[i] = "{" + braced[i] + "}"
	}
	return strings.NewReplacer(braced[:len(braced)&^1]...).Replace(text)
}

// Count returns the text of id + ".one" or id + ".other" for n, with {n} filled.
func (t Texts) Count(id string, n int64, pairs ...string) string {
	form := ".other"
	if n == 1 {
		form = ".one"
	}
	return t.Text(id+form, append([]string{"n", strconv.FormatInt(n, 10)}, pairs...)...)
}
