// Package look is how hallpass's pages look and speak: the one stylesheet, the
// layout every page stands on, the pass card and the other shared parts, and
// the functions and texts templates use.
//
// It needs no script, no request to another host and no style attribute, so
// that its pages work under a policy that forbids all three.
package look

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/url"
	"regexp"
	"strings"
	"sync"
)

//go:embed look.css
var source string

var (
	comments = regexp.MustCompile(`(?s)/\*.*?\*/`)
	indents  = regexp.MustCompile(`\s*\n\s*`)
)

// The stylesheet travels with every page, so its comments and indents stay home.
var stylesheet = sync.OnceValue(func() string {
	return strings.TrimSpace(indents.ReplaceAllString(comments.ReplaceAllString(source, ""), "\n"))
})

var stylesheetHash = sync.OnceValue(func() string {
	sum := sha256.Sum256([]byte(stylesheet()))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
})

// CSS returns the stylesheet, exactly as the layout inlines it.
func CSS() string { return stylesheet() }

// CSSHash returns the stylesheet's hash as a Content-Security-Policy source
// without its quotes, such as "sha256-…".
func CSSHash() string { return stylesheetHash() }

func inlineCSS() template.CSS { return template.CSS(stylesheet()) }

// Policy returns the Content-Security-Policy for pages on the layout: the
// inlined stylesheet, images from the page's own origin, forms to it and to the
// origins of formTargets, and nothing else. A browser also holds the redirect
// that follows a form to this list. Targets without a proper http or https
// origin are left out, so they cannot add directives.
func Policy(formTargets ...string) string {
	var b strings.Builder
	b.WriteString("default-src 'none'; style-src '" + CSSHash() + "'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; form-action 'self'")
	seen := map[string]bool{}
	for _, target := range formTargets {
		origin, ok := Origin(target)
		if !ok || seen[origin] {
			continue
		}
		seen[origin] = true
		b.WriteString(" " + origin)
	}
	return b.String()
}

var plainHost = regexp.MustCompile(`^(?:[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$`)

// Origin returns the scheme, host and port of an absolute http or https URL.
// URLs with user information, or a host written with anything but letters,
// digits, dots, hyphens and underscores, have none.
func Origin(target string) (string, bool) {
	if strings.ContainsFunc(target, func(r rune) bool { return r <= 0x20 || r == 0x7f || r == '\\' }) {
		return "", false
	}
	u, err := url.Parse(target)
	if err != nil || u.User != nil || u.Opaque != "" {
		return "", false
	}
	host := strings.ToLower(u.Host)
	if (u.Scheme != "http" && u.Scheme != "https") || !plainHost.MatchString(host) {
		return "", false
	}
	return u.Scheme + "://" + host, true
}

// ReturnURL is LocalURL for where somebody is sent after a login, which anybody may
// have put into a link. A path with empty or dot segments is none: it stays on the
// site, but an application that cleans it and redirects could make it "//evil".
func ReturnURL(target string, allowed ...string) bool {
	if !LocalURL(target, allowed...) {
		return false
	}
	u, err := url.Parse(target)
	if err != nil || strings.Contains(u.Path, "//") || strings.Contains(u.Path, `\`) {
		return false
	}
	for segment := range strings.SplitSeq(u.Path, "/") {
		if segment == "." || segment == ".." {
			return false
		}
	}
	return true
}

// LocalURL reports whether target stays where the page is: a path on the page's
// own origin, or an absolute URL whose origin is that of one of the allowed
// ones. "//evil", "/\evil", "https:evil", "javascript:" and URLs with user
// information or control characters are not.
func LocalURL(target string, allowed ...string) bool {
	if strings.ContainsFunc(target, func(r rune) bool { return r <= 0x20 || r == 0x7f || r == '\\' }) {
		return false
	}
	u, err := url.Parse(target)
	if err != nil {
		return false
	}
	if strings.HasPrefix(target, "/") {
		return !strings.HasPrefix(target, "//") && u.Host == "" && u.Scheme == ""
	}
	origin, ok := Origin(target)
	if !ok {
		return false
	}
	for _, a := range allowed {
		if o, ok := Origin(a); ok && o == origin {
			return true
		}
	}
	return false
}
