package mail

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"github.com/hallpass-go/hallpass"
)

const (
	// MaxAddress is the longest address in bytes, in its canonical form: what fits
	// between the angle brackets of RFC 5321 section 4.5.3.1.3.
	MaxAddress = 254
	// maxLocal is RFC 5321 section 4.5.3.1.1's.
	maxLocal = 64
	// maxTyped bounds what is looked at before it is canonical: a domain in another
	// script is longer as typed than as sent, but not four times.
	maxTyped = 4 * MaxAddress
)

// Address is an e-mail address in its one canonical form, all ASCII and lower
// case: two addresses are the same exactly if they are equal as strings. Only
// ParseAddress makes one from text; the zero value is no address.
type Address string

// domains is the lookup profile of UTS 46, strict: STD3 rules, hyphens, joiners, the
// Bidi rule, the lengths of the DNS.
var domains = idna.New(
	idna.MapForLookup(), idna.Transitional(false), idna.BidiRule(),
	idna.CheckHyphens(true), idna.CheckJoiners(true), idna.VerifyDNSLength(true),
)

// ParseAddress reads exactly one address, as somebody types it into a form, and
// returns its canonical form. Spaces and tabs around it are dropped. Its error is
// a *hallpass.FieldError with field "email", which does not repeat the text.
//
// The local part is a dot-atom of RFC 5321 section 4.1.2, in lower case: RFC 5321
// lets a host tell Hugo from hugo, but none that matters does, and two accounts
// for one mailbox, or one account for two, is what attacks are made of. Nothing
// else is folded: dots and "+tags" stay. % and ! are refused: to a relay they may
// be a way to another address. Local parts beyond ASCII (RFC 6531) are
// refused: their canonical form is unsettled, and a look-alike letter would make
// another mailbox.
//
// The domain comes out as it is looked up (IDNA 2008 by UTS 46), "xn--" for names
// beyond ASCII, however it was typed. It has at least two labels and is no number,
// so no IP address. Quoted local parts, comments, display names, angle brackets,
// routes, address literals and lists are refused, not reduced.
func ParseAddress(text string) (Address, error) {
	refuse := func(reason string) (Address, error) {
		return "", &hallpass.FieldError{Field: "email", Reason: reason}
	}
	text = strings.Trim(text, " \t")
	switch {
	case text == "":
		return refuse("must be an e-mail address, such as hugo@example.com")
	case len(text) > maxTyped:
		return refuse("is too long for an e-mail address")
	case !utf8.ValidString(text):
		return refuse("is not valid UTF-8")
	}
	for _, r := range text {
		if reason := unfit(r); reason != "" {
			return refuse(reason)
		}
	}
	local, domain, found := strings.Cut(text, "@")
	switch {
	case !found:
		return refuse("has no @")
	case strings.Contains(domain, "@"):
		return refuse("has more than one @")
	}
	if reason := unfitLocal(local); reason != "" {
		return refuse(reason)
	}
	domain, reason := canonicalDomain(domain)
	if reason != "" {
		return refuse(reason)
	}
	address := Address(strings.ToLower(local) + "@" + domain)
	if len(address) > MaxAddress {
		return refuse("is too long for an e-mail address")
	}
	return address, nil
}

// Local returns what stands before the @.
func (a Address) Local() string { local, _, _ := strings.Cut(string(a), "@"); return local }

// Domain returns what stands after the @, "xn--" for names beyond ASCII.
func (a Address) Domain() string { _, domain, _ := strings.Cut(string(a), "@"); return domain }

// canonical reports whether the address is one that ParseAddress returned.
func (a Address) canonical() bool {
	parsed, err := ParseAddress(string(a))
	return err == nil && parsed == a
}

// specials are the characters that some parser of addresses takes for syntax.
const specials = `()<>[]:;,\" @%!/|&?#'` + "`"

// unfit says why a character cannot stand anywhere in an address.
func unfit(r rune) string {
	switch {
	case strings.ContainsRune(`()<>[]:;,\"`, r):
		return "must be one plain address, without name, brackets, quotes, comments, or a second address"
	case r < ' ' || r == 0x7f || unicode.Is(unicode.Cc, r):
		return "must not contain control characters"
	case unicode.IsSpace(r) || unicode.Is(unicode.Z, r):
		return "must not contain spaces"
	case r < utf8.RuneSelf:
		return ""
	case invisible(r):
		return "must not contain invisible characters"
	case imitates(r):
		return "must not contain a character that imitates one of the syntax, such as a full-width @"
	}
	return ""
}

// invisible characters are dropped by the mapping of a domain: what a reader sees,
// and what another program makes of the text, could differ. The two joiners are
// not among them: where they may stand is checked with the domain, and kept.
func invisible(r rune) bool {
	if r == '\u200c' || r == '\u200d' {
		return false
	}
	return unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Variation_Selector, r) ||
		unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
}

// imitates reports whether a character beyond ASCII becomes one of the syntax, or
// a dot, for whoever normalises (NFKC) the text.
func imitates(r rune) bool {
	if strings.ContainsRune("\u3002\uff0e\uff61", r) { // dots to IDNA, not all to NFKC
		return true
	}
	return strings.ContainsAny(norm.NFKC.String(string(r)), specials+".")
}

// unfitLocal says why text is no dot-atom (RFC 5321 section 4.1.2, RFC 5322 section
// 3.2.3), or is "".
func unfitLocal(local string) string {
	switch {
	case local == "":
		return "has nothing before the @"
	case local[0] == '.' || local[len(local)-1] == '.' || strings.Contains(local, ".."):
		return "has a misplaced dot before the @"
	}
	for _, r := range local {
		switch {
		case r >= utf8.RuneSelf:
			return "may have letters beyond a to z after the @ only"
		// Relays rewrite a%b@c and b!a@c to a@b (Postfix does by default): the mail would
		// go to another address than the one that was judged.
		case r == '%' || r == '!':
			return "must not contain a % or a ! before the @, which some mail servers take for the way to another address"
		case r != '.' && !isAtomText(byte(r)):
			return "has a character that cannot stand before the @"
		}
	}
	if len(local) > maxLocal {
		return "has more than 64 characters before the @"
	}
	return ""
}

func isAtomText(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		strings.IndexByte("#$&'*+-/=?^_`{|}~", c) >= 0
}

// canonicalDomain returns the form in which a domain is looked up, or why there is
// none.
func canonicalDomain(domain string) (canonical, reason string) {
	switch {
	case domain == "":
		return "", "has nothing after the @"
	case strings.HasSuffix(domain, "."):
		return "", "must not end with a dot"
	}
	canonical, err := domains.ToASCII(domain)
	// An ASCII name comes out as it went in. The exception would be an "xn--" label
	// that is another spelling of a name that has a plainer one.
	if err != nil || isASCII(domain) && canonical != strings.ToLower(domain) || !isASCII(canonical) {
		return "", "has no valid domain after the @"
	}
	if again, err := domains.ToASCII(canonical); err != nil || again != canonical {
		return "", "has no valid domain after the @"
	}
	labels := strings.Split(canonical, ".")
	switch last := labels[len(labels)-1]; {
	case len(labels) < 2:
		return "", "must have a whole domain after the @, such as example.com"
	case isNumber(last):
		return "", "must have a domain after the @, not an IP address"
	}
	return canonical, ""
}

// isNumber reports whether the last label of a name makes the whole an IPv4 address
// to some parser: digits, or hexadecimal with 0x.
func isNumber(label string) bool {
	digits := "0123456789"
	if hex, found := strings.CutPrefix(label, "0x"); found {
		label, digits = hex, digits+"abcdef"
	}
	return strings.Trim(label, digits) == ""
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}
