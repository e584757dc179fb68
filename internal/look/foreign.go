package look

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"
	"unicode"
)

// Visible returns a text that others wrote with all that could hide it, turn it
// round, or move the cursor of a terminal shown as escapes such as \u202e. It is for
// titles and terminals; pages have Foreign.
func Visible(text string) string {
	if !strings.ContainsFunc(text, unseen) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if unseen(r) {
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// unseen reports whether a character has no shape of its own: controls, marks of
// direction, blanks of no width, and what renderers leave out (Unicode 16, 5.21).
func unseen(r rune) bool {
	return !unicode.IsGraphic(r) || unicode.In(r, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}

// Foreign is Visible for pages: the text is isolated, so that its direction of
// writing does not reach what stands around it, and the escapes are muted. Empty text
// stays empty.
func Foreign(text any) template.HTML {
	whole := fmt.Sprint(text)
	if whole == "" {
		return ""
	}
	var b strings.Builder
	b.WriteString("<bdi>")
	rest := whole
	for rest != "" {
		at := strings.IndexFunc(rest, unseen)
		if at < 0 {
			break
		}
		b.WriteString(template.HTMLEscapeString(rest[:at]))
		rest = rest[at:]
		end := strings.IndexFunc(rest, func(r rune) bool { return !unseen(r) })
		if end < 0 {
			end = len(rest)
		}
		b.WriteString(`<span class="unseen">` + template.HTMLEscapeString(Visible(rest[:end])) + `</span>`)
		rest = rest[end:]
	}
	b.WriteString(template.HTMLEscapeString(rest) + "</bdi>")
	return template.HTML(b.String())
}
