package login

import (
	"strings"

	"github.com/hallpass-go/hallpass/internal/look"
)

// The names that user agents have, the most telling first: nearly all of them say
// Mozilla and Safari, and Edge says Chrome.
var (
	browsers = []struct{ mark, name string }{
		{"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"}, {"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"},
		{"CriOS/", "Chrome"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}, {"curl/", "curl"},
	}
	systems = []struct{ mark, name string }{
		{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"CrOS", "ChromeOS"},
		{"Mac OS X", "macOS"}, {"Macintosh", "macOS"}, {"Linux", "Linux"},
	}
)

// device is a user agent as a reader would say it, such as "Firefox on Linux". It
// is what the sender claims, and helps the memory, not the security.
func device(t look.Texts, userAgent string) string {
	browser, system := "", ""
	for _, b := range browsers {
		if strings.Contains(userAgent, b.mark) {
			browser = b.name
			break
		}
	}
	for _, s := range systems {
		if strings.Contains(userAgent, s.mark) {
			system = s.name
			break
		}
	}
	switch {
	case browser != "" && system != "":
		return t.Text("login.device", "browser", browser, "system", system)
	case browser != "" || system != "":
		return browser + system
	}
	return t.Text("login.device.unknown")
}
