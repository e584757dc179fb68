package clientip

import (
	"net/netip"
	"strings"
)

// cutEntry takes the last entry off a list of addresses.
func cutEntry(list string) (before, last string, more bool) {
	i := strings.LastIndexByte(list, ',')
	if i < 0 {
		return "", list, false
	}
	return list[:i], list[i+1:], true
}

// parseEntry reads one entry of X-Forwarded-For. The header has no standard:
// besides addresses there are ports (Azure) and brackets around IPv6.
func parseEntry(entry string) (netip.Addr, bool) {
	return parseNode(strings.Trim(entry, " \t"), false)
}

// parseNode reads an address with an optional port. With obfuscated, the port
// may be a name with an underscore (RFC 7239 section 6.3).
func parseNode(node string, obfuscated bool) (netip.Addr, bool) {
	host, port, hasPort := node, "", false
	if rest, ok := strings.CutPrefix(node, "["); ok {
		var closed bool
		if host, port, closed = strings.Cut(rest, "]"); !closed || !strings.Contains(host, ":") {
			return netip.Addr{}, false
		}
		if port != "" {
			if port, hasPort = strings.CutPrefix(port, ":"); !hasPort {
				return netip.Addr{}, false
			}
		}
	} else if strings.Count(node, ":") == 1 { // more of them are IPv6
		host, port, hasPort = strings.Cut(node, ":")
	}
	if hasPort && !isPort(port, obfuscated) {
		return netip.Addr{}, false
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}, false
	}
	return plain(addr), true
}

func isPort(port string, obfuscated bool) bool {
	if name, ok := strings.CutPrefix(port, "_"); ok && obfuscated {
		return name != "" && !strings.ContainsFunc(name, func(c rune) bool {
			return !isDigit(c) && !isLetter(c) && c != '.' && c != '_' && c != '-'
		})
	}
	return port != "" && len(port) <= 5 && !strings.ContainsFunc(port, func(c rune) bool { return !isDigit(c) })
}

// cutElement takes the last element off a Forwarded list. It goes from the
// right, as the trusted end is there: read from the left, a quote that the
// client opened and never closed would swallow what the proxy appended.
func cutElement(list string) (before, last string, more bool) {
	quoted := false
	for i := len(list) - 1; i >= 0; i-- {
		switch list[i] {
		case '"':
			backslashes := i - len(strings.TrimRight(list[:i], `\`))
			if backslashes%2 == 0 {
				quoted = !quoted
			}
		case ',':
			if !quoted {
				return list[:i], list[i+1:], true
			}
		}
	}
	return "", list, false
}

// parseElement reads one element of Forwarded (RFC 7239 section 4), and of it
// the for parameter. An element without one, with two, or with a for that is
// "unknown" or an obfuscated name tells no address.
func parseElement(element string) (netip.Addr, bool) {
	var node string
	found := false
	for rest := strings.Trim(element, " \t"); rest != ""; {
		name, after, ok := strings.Cut(rest, "=")
		if !ok || name == "" || strings.ContainsFunc(name, func(c rune) bool { return !isTokenChar(c) }) {
			return netip.Addr{}, false
		}
		var value string
		if value, rest, ok = cutValue(after); !ok {
			return netip.Addr{}, false
		}
		if strings.EqualFold(name, "for") {
			if found {
				return netip.Addr{}, false
			}
			node, found = value, true
		}
		if rest == "" {
			break
		}
		if rest[0] != ';' {
			return netip.Addr{}, false
		}
		rest = strings.TrimLeft(rest[1:], " \t")
	}
	if !found {
		return netip.Addr{}, false
	}
	return parseNode(node, true)
}

// cutValue takes a token or a quoted string off the front. A token may hold
// colons and brackets: many proxies forget the quotes that RFC 7239 asks for.
func cutValue(text string) (value, rest string, ok bool) {
	if !strings.HasPrefix(text, `"`) {
		end := strings.IndexAny(text, "; \t\"")
		if end < 0 {
			end = len(text)
		}
		return text[:end], strings.TrimLeft(text[end:], " \t"), end > 0
	}
	var unquoted strings.Builder
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '"':
			return unquoted.String(), strings.TrimLeft(text[i+1:], " \t"), true
		case '\\':
			if i++; i == len(text) {
				return "", "", false
			}
		}
		unquoted.WriteByte(text[i])
	}
	return "", "", false
}

// isTokenChar knows the characters of a token, RFC 9110 section 5.6.2.
func isTokenChar(c rune) bool {
	return isDigit(c) || isLetter(c) || strings.ContainsRune("!#$%&'*+-.^_`|~", c)
}

func isDigit(c rune) bool { return '0' <= c && c <= '9' }

func isLetter(c rune) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
