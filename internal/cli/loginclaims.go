package cli

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/hallpass-go/hallpass/login"
	"github.com/hallpass-go/hallpass/mail"
)

// readClaims reads login.claims: a list in order, from patterns to what is known of
// the addresses they cover. The first that covers an address decides. What login
// would refuse at each mail is refused here, and so is one subject for many.
//
//	login:
//	  claims:
//	    ada@example.com: {role: editor}
//	    "*@example.com": {role: reader}
func readClaims(node *yaml.Node) (func(mail.Address) login.Claims, error) {
	if node.Kind != yaml.MappingNode {
		return nil, fieldError("login.claims", "must be a section of patterns, each with claims")
	}
	type entry struct {
		who    mail.Patterns
		claims login.Claims
	}
	var entries []entry
	for i := 0; i+1 < len(node.Content); i += 2 {
		pattern, value := node.Content[i].Value, node.Content[i+1]
		who, err := mail.ParsePatterns([]string{pattern})
		if err != nil {
			return nil, fieldError("login.claims", "%q is neither an address, nor *@ and a domain, nor *", pattern)
		}
		var claims map[string]any
		if err := value.Decode(&claims); err != nil || value.Kind != yaml.MappingNode {
			return nil, fieldError("login.claims", "%s must have a section of claims", pattern)
		}
		for name := range claims {
			switch {
			case login.ReservedClaim(name):
				return nil, fieldError("login.claims", "%s: the claim %q is hallpass's own, in any spelling", pattern, name)
			case name == "sub" && strings.Contains(pattern, "*"):
				return nil, fieldError("login.claims", "%s: sub says who somebody is, and everybody under this pattern would be the same; give it to single addresses", pattern)
			}
		}
		entries = append(entries, entry{who, claims})
	}
	return func(a mail.Address) login.Claims {
		for _, e := range entries {
			if e.who.Allows(a) {
				copied := login.Claims{}
				for name, value := range e.claims {
					copied[name] = asJSON(value)
				}
				return copied
			}
		}
		return nil
	}, nil
}

// asJSON turns what YAML knows and JSON does not into JSON's own kinds.
func asJSON(value any) any {
	switch v := value.(type) {
	case map[any]any:
		out := map[string]any{}
		for key, inner := range v {
			out[fmt.Sprint(key)] = asJSON(inner)
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for key, inner := range v {
			out[key] = asJSON(inner)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, inner := range v {
			out[i] = asJSON(inner)
		}
		return out
	}
	return value
}
