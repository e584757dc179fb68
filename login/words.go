package login

import (
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"golang.org/x/text/language"

	"github.com/hallpass-go/hallpass/internal/look"
)

// Words are the texts and templates of mails and pages. The zero value is
// hallpass's own, in English, French, German, Japanese and Spanish.
type Words struct {
	// Texts holds files such as "pt.json", each a JSON object of message ids and
	// texts: a language more, or, under the tag of one that is there, texts in place
	// of hallpass's. What a file does not say is said in English. An id or a
	// placeholder that English does not have is an error.
	Texts fs.FS
	// Templates holds files that replace mails and pages; docs/login.md lists their
	// names. Any other name is an error.
	Templates fs.FS
	// Fallback is the language of readers who understand none of the others.
	// Defaults to "en".
	Fallback string
}

//go:embed texts/*.json
var ownTexts embed.FS

// catalogue is the texts of all languages.
type catalogue struct {
	texts   []look.Texts // in the order of the matcher's tags
	matcher language.Matcher
}

func newCatalogue(w Words) (*catalogue, error) {
	own, err := fs.Sub(ownTexts, "texts")
	if err != nil {
		return nil, err
	}
	languages := map[string]look.Texts{}
	english := look.English()
	if err := addTexts(languages, english, own, "en.json"); err != nil {
		return nil, err
	}
	english = languages["en"]
	for _, files := range []fs.FS{own, w.Texts} {
		if files == nil {
			continue
		}
		if err := addTexts(languages, english, files, "*.json"); err != nil {
			return nil, err
		}
	}
	def(&w.Fallback, "en")
	if languages[w.Fallback] == nil {
		return nil, wrong("words.fallback", "there are no texts in %q", w.Fallback)
	}
	c := &catalogue{texts: []look.Texts{languages[w.Fallback]}}
	tags := []language.Tag{language.Make(w.Fallback)}
	for _, name := range slices.Sorted(maps.Keys(languages)) {
		if name != w.Fallback {
			tags, c.texts = append(tags, language.Make(name)), append(c.texts, languages[name])
		}
	}
	c.matcher = language.NewMatcher(tags)
	return c, nil
}

// addTexts reads files over what their language has already, or over English.
func addTexts(languages map[string]look.Texts, english look.Texts, files fs.FS, pattern string) error {
	names, err := fs.Glob(files, pattern)
	if err != nil {
		return err
	}
	for _, name := range names {
		tag := strings.TrimSuffix(path.Base(name), ".json")
		if _, err := language.Parse(tag); err != nil {
			return wrong("words.texts", "%s is not named after a language", name)
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return fmt.Errorf("login: texts %s: %w", name, err)
		}
		over, err := look.ParseTexts(name, text)
		if err != nil {
			return wrong("words.texts", "%v", err)
		}
		base := languages[tag]
		if base == nil {
			base = maps.Clone(english)
			base["lang"] = tag
		}
		if tag == "en" && languages[tag] == nil {
			maps.Copy(base, over) // English says which ids there are
			languages[tag] = base
			continue
		}
		if languages[tag], err = base.With(over); err != nil {
			return wrong("words.texts", "%s: %v", name, err)
		}
	}
	return nil
}

// pick returns the texts for a reader, by an Accept-Language header (RFC 9110
// section 12.5.4). One that cannot be read prefers nothing.
func (c *catalogue) pick(accept string) look.Texts {
	const longest = 200 // parsing takes time
	if len(accept) > longest {
		accept = ""
	}
	tags, _, err := language.ParseAcceptLanguage(accept)
	if err != nil || len(tags) == 0 {
		return c.texts[0]
	}
	_, i, confidence := c.matcher.Match(tags...)
	if confidence == language.No {
		i = 0
	}
	return c.texts[i]
}
