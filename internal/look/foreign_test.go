package look_test

import (
	"testing"

	"github.com/hallpass-go/hallpass/internal/look"
)

func TestForeignTextHidesNothing(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ text, visible, html string }{
		"nothing":                       {"", "", ""},
		"plain":                         {"hugo", "hugo", "<bdi>hugo</bdi>"},
		"letters of other writings":     {"עִברִית 日本", "עִברִית 日本", "<bdi>עִברִית 日本</bdi>"},
		"markup":                        {"<b>&", "<b>&", "<bdi>&lt;b&gt;&amp;</bdi>"},
		"turned round":                  {"a\u202eb\u202c", `a\u202eb\u202c`, `<bdi>a<span class="unseen">\u202e</span>b<span class="unseen">\u202c</span></bdi>`},
		"isolates and marks of order":   {"\u2066\u2069\u200f\u061c", `\u2066\u2069\u200f\u061c`, `<bdi><span class="unseen">\u2066\u2069\u200f\u061c</span></bdi>`},
		"blanks of no width":            {"ad\u200bmin\ufeff", `ad\u200bmin\ufeff`, `<bdi>ad<span class="unseen">\u200b</span>min<span class="unseen">\ufeff</span></bdi>`},
		"controls":                      {"a\x1b[31m\n\x7f", `a\x1b[31m\n\x7f`, `<bdi>a<span class="unseen">\x1b</span>[31m<span class="unseen">\n\x7f</span></bdi>`},
		"fillers, tags, soft hyphens":   {"\u3164\U000e0041\u00ad\ufe0f", `\u3164\U000e0041\u00ad\ufe0f`, `<bdi><span class="unseen">\u3164\U000e0041\u00ad\ufe0f</span></bdi>`},
		"separators of lines, and dots": {"a\u2028b…", `a\u2028b…`, `<bdi>a<span class="unseen">\u2028</span>b…</bdi>`},
	} {
		if got := look.Visible(tt.text); got != tt.visible {
			t.Errorf("%s: Visible(%+q) = %q, want %q", name, tt.text, got, tt.visible)
		}
		if got := string(look.Foreign(tt.text)); got != tt.html {
			t.Errorf("%s: Foreign(%+q) = %q, want %q", name, tt.text, got, tt.html)
		}
	}
}
