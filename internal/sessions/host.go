package sessions

import (
	"net/netip"
	"strings"
)

// CanonicalHost is the host name in lower case without port and final dot, or
// false for what is none. A port is digits: whatever else stands behind a colon
// could be the host to somebody else.
func CanonicalHost(host string) (string, bool) {
	name := host
	if inside, ok := strings.CutPrefix(host, "["); ok {
		literal, rest, closed := strings.Cut(inside, "]")
		addr, err := netip.ParseAddr(literal)
		if !closed || err != nil || !addr.Is6() || addr.Zone() != "" || rest != "" && !isPort(rest) {
			return "", false
		}
		return addr.String(), true
	}
	if i := strings.IndexByte(host, ':'); i >= 0 {
		if !isPort(host[i:]) {
			return "", false
		}
		name = host[:i]
	}
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	if name == "" || len(name) > 253 || strings.ContainsFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' || r == '-' || r == '_')
	}) {
		return "", false
	}
	return name, true
}

// isPort reports whether a text is a colon and a port.
func isPort(text string) bool {
	digits := strings.TrimPrefix(text, ":")
	return len(digits) >= 1 && len(digits) <= 5 && len(digits) == len(text)-1 && strings.Trim(digits, "0123456789") == ""
}
