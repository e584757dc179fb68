package look

import (
	"net/http"
	"strings"
)

// WantsPage reports whether the client is a browser that shows pages: it names
// text/html at least as early as any JSON type.
func WantsPage(r *http.Request) bool {
	for _, line := range r.Header.Values("Accept") {
		for item := range strings.SplitSeq(line, ",") {
			kind, _, _ := strings.Cut(item, ";")
			switch kind = strings.ToLower(strings.TrimSpace(kind)); {
			case kind == "text/html", kind == "application/xhtml+xml":
				return true
			case strings.HasSuffix(kind, "/json"), strings.HasSuffix(kind, "+json"):
				return false
			}
		}
	}
	return false
}

// IsPrefetch reports whether a request comes from a machine that looks ahead, not
// from a reader, by one of the names browsers and mail gateways have given it.
func IsPrefetch(r *http.Request) bool {
	for _, name := range []string{"Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"} {
		value := strings.ToLower(r.Header.Get(name))
		if strings.Contains(value, "prefetch") || strings.Contains(value, "prerender") || strings.Contains(value, "preview") {
			return true
		}
	}
	return false
}
