package look

import (
	"net/http"
	"net/url"
	"strings"
)

// PressedField is the checkbox of a page that was sent by a script: whoever ticks
// it and presses once more is a person, or a robot that really presses.
const PressedField = "pressed"

// SentByScript reports whether a browser says that nobody pressed the button of a
// form. Mail scanners run what is on a page and send its forms; a person's press is
// a navigation, which Chromium and Firefox mark as such with Sec-Fetch-User (Fetch
// Metadata, 2.4). Safari never sends that header, and no browser sends any of them
// to an origin without TLS other than its own machine: those are believed.
func SentByScript(r *http.Request, form url.Values) bool {
	if form.Get(PressedField) != "" {
		return false
	}
	switch r.Header.Get("Sec-Fetch-Mode") {
	case "":
		return false
	case "navigate":
		return r.Header.Get("Sec-Fetch-User") != "?1" && marksPresses(r.UserAgent())
	}
	return true
}

// marksPresses: those on iOS, which are Safari inside, call themselves CriOS and
// FxiOS.
func marksPresses(agent string) bool {
	return strings.Contains(agent, "Chrome/") || strings.Contains(agent, "Firefox/")
}
