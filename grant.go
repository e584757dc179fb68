package hallpass

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"
)

// Grant permits one method on one path. Grants only narrow what a subject may
// do; they never add to it.
type Grant struct {
	// Method is one of GET HEAD POST PUT PATCH DELETE OPTIONS. GET grants HEAD.
	Method string
	// Path is the decoded path and starts with a slash. It is a prefix on segment
	// boundaries: "/foo" grants "/foo" and "/foo/bar" and never "/foobar".
	Path string
	// Exact makes Path match itself only.
	Exact bool
}

var grantMethods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

// ParseGrant reads "GET /path" or, for an exact match, "GET =/path". The path
// may be percent-encoded or plain; both mean the same grant. Its errors are
// *FieldError with field "grants".
func ParseGrant(text string) (Grant, error) {
	method, path, found := strings.Cut(text, " ")
	if !found {
		return Grant{}, fieldErrorf("grants", "%q needs a method and a path, such as %q", text, "GET /reports")
	}
	if !slices.Contains(grantMethods, method) {
		return Grant{}, fieldErrorf("grants", "unknown method %q; use one of %s", method, strings.Join(grantMethods, " "))
	}
	path, exact := strings.CutPrefix(path, "=")
	if !strings.HasPrefix(path, "/") {
		return Grant{}, fieldErrorf("grants", "the path %q must start with a slash", path)
	}
	if strings.ContainsAny(path, "?#") {
		return Grant{}, fieldErrorf("grants", "the path %q must not carry a query or fragment", path)
	}
	clean, ok := CleanPath(path)
	if !ok {
		return Grant{}, fieldErrorf("grants", "the path %q can be read in two ways; write it without dot segments, double slashes, semicolons, backslashes or encoded slashes", path)
	}
	return Grant{Method: method, Path: clean, Exact: exact}, nil
}

// String returns the form that ParseGrant reads: plain but for a percent sign.
func (g Grant) String() string {
	path := strings.ReplaceAll(g.Path, "%", "%25")
	if g.Exact {
		path = "=" + path
	}
	return g.Method + " " + path
}

// MarshalJSON writes the grant as its String.
func (g Grant) MarshalJSON() ([]byte, error) { return json.Marshal(g.String()) }

// UnmarshalJSON reads what MarshalJSON writes.
func (g *Grant) UnmarshalJSON(text []byte) error {
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	parsed, err := ParseGrant(s)
	if err != nil {
		return err
	}
	*g = parsed
	return nil
}

// matches reports whether the grant covers the method and the cleaned path. An
// empty method or path is not checked.
func (g Grant) matches(method, cleanPath string) bool {
	if method != "" && method != g.Method && (g.Method != "GET" || method != "HEAD") {
		return false
	}
	if cleanPath == "" || cleanPath == g.Path {
		return true
	}
	if g.Exact || !strings.HasPrefix(cleanPath, g.Path) {
		return false
	}
	return strings.HasSuffix(g.Path, "/") || cleanPath[len(g.Path)] == '/'
}

// granted reports whether any grant covers the request. No grants cover all.
func granted(grants []Grant, method, path string) bool {
	if len(grants) == 0 {
		return true
	}
	clean := ""
	if path != "" {
		var ok bool
		if clean, ok = CleanPath(path); !ok {
			return false
		}
	}
	return slices.ContainsFunc(grants, func(g Grant) bool { return g.matches(method, clean) })
}

// CleanPath returns the one decoded form of a request's path, or false where two
// programs could read the path differently: dot segments, empty segments,
// backslashes, semicolons, control characters, encoded slashes, encoded
// delimiters, anything still encoded after decoding once, invalid UTF-8. A path
// that could lead somewhere else is better refused than guessed at.
func CleanPath(escaped string) (string, bool) {
	if !strings.HasPrefix(escaped, "/") {
		return "", false
	}
	path, ok := unescapeOnce(escaped)
	// Half a character encoded and half not is valid only after decoding.
	if !ok || !utf8.ValidString(path) || !utf8.ValidString(escaped) {
		return "", false
	}
	for rest := path[1:]; ; {
		segment, after, more := strings.Cut(rest, "/")
		if segment == "." || segment == ".." || (segment == "" && more) {
			return "", false
		}
		if !more {
			return path, true
		}
		rest = after
	}
}

// unescapeOnce decodes percent escapes. It refuses whatever could mean more
// than one thing, in the plain or in the encoded form.
func unescapeOnce(s string) (string, bool) {
	if !strings.Contains(s, "%") {
		return s, !strings.ContainsFunc(s, ambiguousRune) && !strings.ContainsAny(s, "?#")
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' {
			if i+2 >= len(s) || unhex(s[i+1]) < 0 || unhex(s[i+2]) < 0 {
				return "", false
			}
			c = byte(unhex(s[i+1])<<4 | unhex(s[i+2]))
			if c == '/' {
				return "", false
			}
			i += 2
		}
		b.WriteByte(c)
	}
	path := b.String()
	for i := 0; i+2 < len(path); i++ {
		if path[i] == '%' && unhex(path[i+1]) >= 0 && unhex(path[i+2]) >= 0 {
			return "", false
		}
	}
	return path, !strings.ContainsFunc(path, ambiguousRune) && !strings.ContainsAny(path, "?#")
}

func ambiguousRune(r rune) bool {
	return r < 0x20 || r == 0x7f || r == '\\' || r == ';'
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
