package cli

import (
	"reflect"
	"strings"
)

// SettingsTable is the table of serve's settings for docs/serve.md.
func SettingsTable() string {
	var b strings.Builder
	b.WriteString("| setting | meaning |\n|---|---|\n")
	t := reflect.TypeFor[serveSettings]()
	for i := range t.NumField() {
		tag := t.Field(i).Tag
		b.WriteString("| `" + tag.Get("setting") + "` | " + tag.Get("help") + " |\n")
	}
	return b.String()
}
