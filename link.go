package hallpass

import (
	"net/url"
	"slices"
	"strings"
)

// DefaultParam is the query parameter that carries a token.
const DefaultParam = "rt"

// Link adds a token to a URL under the given query parameter (DefaultParam if
// empty), as the Django packages do. The path and the fragment keep their
// spelling, the parameters their order, repetitions and values; they are written
// in the usual form encoding. A token already there under the parameter is
// replaced where it stands.
//
// The URL is http, https or relative; anything else is a *FieldError with field
// "url". Link does not judge where it leads: a host in it, also in "//host/path",
// is the caller's choice.
func Link(rawURL string, token Token, param string) (string, error) {
	if param == "" {
		param = DefaultParam
	}
	if err := checkLinkURL(rawURL); err != nil {
		return "", err
	}
	bare, fragment, hasFragment := strings.Cut(rawURL, "#")
	base, query, _ := strings.Cut(bare, "?")
	own := url.QueryEscape(param) + "=" + url.QueryEscape(token.text)
	var pairs []string
	placed := false
	for pair := range strings.SplitSeq(query, "&") {
		name, value, hasValue := strings.Cut(pair, "=")
		name = formDecode(name)
		switch {
		case pair == "", name == param && placed:
			continue
		case name == param:
			pair, placed = own, true
		case hasValue:
			pair = url.QueryEscape(name) + "=" + url.QueryEscape(formDecode(value))
		default:
			pair = url.QueryEscape(name)
		}
		pairs = append(pairs, pair)
	}
	if !placed {
		pairs = append(pairs, own)
	}
	link := base + "?" + strings.Join(pairs, "&")
	if hasFragment {
		link += "#" + fragment
	}
	return link, nil
}

// formDecode undoes form encoding; a percent sign that begins no escape stands
// for itself, as browsers and Python read it.
func formDecode(s string) string {
	if !strings.ContainsAny(s, "%+") {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '+':
			b = append(b, ' ')
		case c == '%' && i+2 < len(s) && unhex(s[i+1]) >= 0 && unhex(s[i+2]) >= 0:
			b = append(b, byte(unhex(s[i+1])<<4|unhex(s[i+2])))
			i += 2
		default:
			b = append(b, c)
		}
	}
	return string(b)
}

func checkLinkURL(rawURL string) error {
	u, err := url.Parse(rawURL)
	switch {
	case err != nil:
		return fieldErrorf("url", "cannot be read as a URL")
	case strings.ContainsAny(rawURL, "\\ \t\r\n"):
		return fieldErrorf("url", "must not contain spaces or backslashes; encode them")
	case u.Scheme == "":
		return nil
	case (u.Scheme == "http" || u.Scheme == "https") && u.Host != "":
		return nil
	}
	return fieldErrorf("url", "must be http or https with a host, such as https://example.com/page, or relative")
}

// WithoutToken returns the URL without any parameter of that name, everything
// else as it was.
func WithoutToken(rawURL, param string) string {
	bare, fragment, hasFragment := strings.Cut(rawURL, "#")
	base, query, hasQuery := strings.Cut(bare, "?")
	if hasQuery {
		kept := slices.DeleteFunc(strings.Split(query, "&"), func(pair string) bool {
			name, _, _ := strings.Cut(pair, "=")
			decoded, err := url.QueryUnescape(name)
			return err == nil && decoded == param
		})
		if base += "?"; len(kept) == 0 {
			base = base[:len(base)-1]
		}
		bare = base + strings.Join(kept, "&")
	}
	if hasFragment {
		bare += "#" + fragment
	}
	return bare
}

// FindToken finds the token in what a person pasted: a bare token, a whole link,
// or a link wrapped into another one by a mail gateway. White space that mail
// programs put in is dropped. param is looked at first (DefaultParam if empty),
// then any parameter whose value has the shape of a signed token.
func FindToken(pasted, param string) (Token, bool) {
	if param == "" {
		param = DefaultParam
	}
	return findToken(strings.Join(strings.Fields(pasted), ""), param, 3)
}

func findToken(text, param string, depth int) (Token, bool) {
	if t := NewToken(text); t.form() != "" && !strings.ContainsAny(text, "/?#&=") {
		return t, true
	}
	u, err := url.Parse(text)
	if err != nil || depth == 0 {
		return Token{}, false
	}
	// In the order of the text, so that the same text gives the same token.
	var values []string
	for _, part := range []string{u.RawQuery, u.EscapedFragment()} {
		for pair := range strings.SplitSeq(part, "&") {
			name, value, _ := strings.Cut(pair, "=")
			if value = formDecode(value); formDecode(name) == param {
				return NewToken(value), true
			}
			values = append(values, value)
		}
	}
	for _, v := range values {
		if form := NewToken(v).form(); (form == FormatSigned || form == FormatCompact || form == formForeign) && !strings.ContainsAny(v, "/?#&=") {
			return NewToken(v), true
		}
		if strings.HasPrefix(v, "http://") || strings.HasPrefix(v, "https://") {
			if t, ok := findToken(v, param, depth-1); ok {
				return t, true
			}
		}
	}
	return Token{}, false
}

// trackingParams are added to links by mailing tools and shops after the fact.
var trackingParams = []string{"gclid", "fbclid", "msclkid", "mc_cid", "mc_eid", "igshid", "yclid", "dclid"}

// canonicalTarget is the path and query that a pass can be bound to: the cleaned
// path, and the parameters sorted, without the token and without what tracking
// tools add. False where the path is ambiguous.
func canonicalTarget(rawURL, param string) (string, bool) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Opaque != "" || strings.HasPrefix(rawURL, "//") {
		return "", false // a browser's "//x/y" is host x, a server's is path //x/y
	}
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	clean, ok := CleanPath(path)
	if !ok {
		return "", false
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return "", false
	}
	query.Del(param)
	for name := range query {
		if strings.HasPrefix(name, "utm_") || slices.Contains(trackingParams, name) {
			query.Del(name)
		}
	}
	target := (&url.URL{Path: clean}).EscapedPath()
	if len(query) > 0 {
		target += "?" + query.Encode() // sorts by name, keeps the order of values
	}
	return target, true
}
