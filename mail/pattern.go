package mail

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hallpass-go/hallpass"
)

// Pattern says which addresses may log in: one address, "*@example.com" for all of
// exactly that domain (its subdomains are other domains), or "*" for everybody. It
// is canonical as an Address is.
type Pattern string

// Patterns is an allow list. The zero value allows nobody.
type Patterns []Pattern

// ParsePatterns reads an allow list. Its error is a *hallpass.FieldError with field
// "login_allow" that names the entry.
func ParsePatterns(texts []string) (Patterns, error) {
	var patterns Patterns
	for _, text := range texts {
		p, err := parsePattern(strings.Trim(text, " \t"))
		if err != nil {
			return nil, err
		}
		patterns = append(patterns, p)
	}
	return patterns, nil
}

func parsePattern(text string) (Pattern, error) {
	if text == "*" {
		return "*", nil
	}
	typed := text
	domain, whole := strings.CutPrefix(text, "*@")
	if whole {
		typed = "x@" + domain // what follows is judged as the domain of an address
	}
	address, err := ParseAddress(typed)
	if err != nil || strings.Contains(address.Local(), "*") {
		return "", &hallpass.FieldError{
			Field: "login_allow", Reason: fmt.Sprintf("%q is neither an address, nor *@ and a domain, nor *", text),
		}
	}
	if whole {
		return Pattern("*@" + address.Domain()), nil
	}
	return Pattern(address), nil
}

// Allows reports whether a pattern covers the address. What is not a canonical
// address is not allowed, even by "*".
func (p Patterns) Allows(a Address) bool {
	return a.canonical() && slices.ContainsFunc(p, func(one Pattern) bool {
		return one == "*" || one == Pattern(a) || one == Pattern("*@"+a.Domain())
	})
}
