package cli

import "strings"

// SettingsTable is the table of serve's settings for docs/serve.md.
func SettingsTable() string {
	var b strings.Builder
	b.WriteString("| setting | meaning |\n|---|---|\n")
	for _, f := range settingFields() {
		tag := f.Tag
		b.WriteString("| `" + tag.Get("setting") + "` | " + tag.Get("help") + " |\n")
	}
	return b.String()
}
