package look

import (
	"html/template"
	"strings"
	"unicode"
	"unicode/utf8"
)

const bullets = "•••"

// Mask returns an account name as strangers may see it: enough for its owner to
// recognise, too little to write to. "hugo@example.com" is "h•••o@example.com".
// The number of bullets is always the same and says nothing about the length.
func Mask(account string) string {
	account = printable(account)
	local, domain := account, ""
	if at := strings.LastIndexByte(account, '@'); at >= 0 {
		local, domain = account[:at], account[at:]
	}
	first, width := utf8.DecodeRuneInString(local)
	last, _ := utf8.DecodeLastRuneInString(local)
	switch n := utf8.RuneCountInString(local); {
	case account == "":
		return ""
	case n < 2:
		return bullets + domain
	case n < 4:
		return local[:width] + bullets + domain
	default:
		return string(first) + bullets + string(last) + domain
	}
}

// printable takes out what would change how the text around it reads: control
// characters and the invisible marks that reverse the direction of writing.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) {
			return utf8.RuneError
		}
		return r
	}, s)
}

// Short shows a token or an id by its first and last characters, the whole on
// demand. Text that is short already is shown as it is.
func (t Texts) Short(text string) template.HTML {
	whole := template.HTMLEscapeString(text)
	runes := []rune(text)
	if len(runes) <= 20 {
		return template.HTML(`<code class="id">` + whole + `</code>`)
	}
	head, tail := template.HTMLEscapeString(string(runes[:8])), template.HTMLEscapeString(string(runes[len(runes)-6:]))
	return template.HTML(`<details class="short"><summary title="` + template.HTMLEscapeString(t["short.whole"]) +
		`"><code class="id">` + head + `…` + tail + `</code></summary><code class="whole">` + whole + `</code></details>`)
}
