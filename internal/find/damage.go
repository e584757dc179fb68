package find

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"

	"github.com/hallpass-go/hallpass"
)

// Damage is what happened to a token on its way, as far as its form alone tells.
type Damage string

const (
	// Untold: its form tells nothing. It may be changed, made up, or whole.
	Untold Damage = ""
	// Cut: it ends too early.
	Cut Damage = "cut"
	// Long: it goes on behind its end.
	Long Damage = "long"
	// Changed: it is as long as it must be, so what is wrong stands within it.
	Changed Damage = "changed"
)

// signatureLength is that of a signature in base64url, by the algorithm that a
// header names (RFC 7518 and 8037).
var signatureLength = map[string]int{
	string(hallpass.HS256): 43, string(hallpass.EdDSA): 86, string(hallpass.ES256): 86,
}

var (
	// begun is the beginning of a signed token: its header begins with {".
	begun = regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{9,}(?:\.[A-Za-z0-9_-]*){0,2}`)
	// parameter is that of a link, with a value that may be a piece of a short token.
	parameter = regexp.MustCompile(`[?&#]` + hallpass.DefaultParam + `=([0-9A-Za-z]*)$`)
)

// shortLength is that of a short token.
const shortLength = 22

// DamageOf looks at what was pasted and is not honoured. It judges no signature.
func DamageOf(text string) Damage {
	if len(text) > most {
		return Untold
	}
	if plain, err := url.QueryUnescape(text); err == nil {
		text = plain
	}
	// Mail programs break lines within a token, and sentences go on behind one: where it
	// makes a difference, nothing can be told.
	whole := damageOf(strings.Join(strings.Fields(text), ""))
	if damageOf(text) != whole {
		return Untold
	}
	return whole
}

func damageOf(text string) Damage {
	token := begun.FindString(text)
	if token == "" {
		return damageOfShort(text)
	}
	parts := strings.Split(token, ".")
	var header struct {
		Algorithm string `json:"alg"`
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[0])
	readable := err == nil && json.Unmarshal(raw, &header) == nil
	length := signatureLength[header.Algorithm]
	switch {
	case len(parts) == 1 && !readable, readable && length > 0 && len(parts) < 3:
		return Cut
	case !readable || length == 0:
		return Untold
	case len(parts[2]) < length:
		return Cut
	case len(parts[2]) > length:
		return Long
	}
	return Changed
}

func damageOfShort(text string) Damage {
	found := parameter.FindStringSubmatch(text)
	switch {
	case found == nil || len(found[1]) == shortLength:
		return Untold
	case len(found[1]) < shortLength:
		return Cut
	}
	return Long
}
