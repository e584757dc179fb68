package gate

import (
	"cmp"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/hallpass-go/hallpass"
)

// identity is who a request is made for; the zero identity is nobody.
type identity struct {
	subject, scope, mode, pass, data string
	// bearer says that the Authorization header was ours, link that the URL had a
	// token.
	bearer, link bool
}

// maxHeaderData is the largest payload that travels in a header, encoded.
const maxHeaderData = 4 << 10

func identityOf(p hallpass.Pass) identity {
	who := identity{
		scope: headerText(string(p.Scope)), mode: string(p.Mode), pass: headerText(p.ID),
	}
	if p.Mode != hallpass.ModePublic {
		who.subject = headerText(p.Subject)
	}
	if data := base64.RawURLEncoding.EncodeToString(p.Data); len(data) <= maxHeaderData {
		who.data = data
	}
	return who
}

// extPrefix marks a value that is percent-encoded UTF-8 (RFC 8187 section 3.2).
const extPrefix = "UTF-8''"

// headerText is a text as a header can carry it: as it is where it is printable
// ASCII, else percent-encoded behind extPrefix.
func headerText(text string) string {
	plain := !strings.HasPrefix(text, extPrefix) && strings.TrimSpace(text) == text &&
		!strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 || r > 0x7e })
	if plain {
		return text
	}
	return extPrefix + url.PathEscape(text)
}

func (h IdentityHeaders) withDefaults() IdentityHeaders {
	return IdentityHeaders{
		Subject: cmp.Or(h.Subject, "X-Hallpass-Subject"), Scope: cmp.Or(h.Scope, "X-Hallpass-Scope"),
		Mode: cmp.Or(h.Mode, "X-Hallpass-Mode"), Pass: cmp.Or(h.Pass, "X-Hallpass-Pass"), Data: cmp.Or(h.Data, "X-Hallpass-Data"),
	}
}

func (h IdentityHeaders) values(who identity) [][2]string {
	return [][2]string{{h.Subject, who.subject}, {h.Scope, who.scope}, {h.Mode, who.mode}, {h.Pass, who.pass}, {h.Data, who.data}}
}

// clear removes every header that an application could take for one of ours: any
// case, and underscores or dots for hyphens, which CGI-like servers do not tell
// apart.
func (h IdentityHeaders) clear(header http.Header) {
	for name := range header {
		if h.names(name) || strings.HasPrefix(plainName(name), "x-hallpass-") {
			delete(header, name)
		}
	}
}

func (h IdentityHeaders) names(name string) bool {
	for _, pair := range h.values(identity{}) {
		if plainName(name) == plainName(pair[0]) {
			return true
		}
	}
	return false
}

func plainName(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "-", ".", "-").Replace(name))
}

// withoutOurs is a Cookie header without hallpass's cookies, as it was otherwise.
func (g *Gate) withoutOurs(cookies []string) string {
	var kept []string
	for _, line := range cookies {
		for pair := range strings.SplitSeq(line, ";") {
			name, _, _ := strings.Cut(strings.TrimSpace(pair), "=")
			if strings.TrimSpace(pair) == "" || g.isOurCookie(strings.TrimSpace(name)) {
				continue
			}
			kept = append(kept, strings.TrimSpace(pair))
		}
	}
	return strings.Join(kept, "; ")
}

func (g *Gate) isOurCookie(name string) bool {
	plain := strings.TrimPrefix(strings.TrimPrefix(name, "__Host-"), "__Secure-")
	return strings.HasPrefix(plain, "hallpass-") || slices.Contains(g.cfg.OwnCookies, name)
}

// authorizationFor is what the application gets of the Authorization header.
func authorizationFor(header http.Header, who identity) string {
	if who.bearer {
		return ""
	}
	return header.Get("Authorization")
}
