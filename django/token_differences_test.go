package django_test

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hallpass-go/hallpass"
)

func (v vector) isHTTPJWT() bool { return v.Kind == "jwt-decode" || v.Kind == "http" }

func (v vector) param() string {
	switch v.System {
	case "django-jwt-expiringlinks":
		return "jwt"
	case "drf-tmp-scoped-token":
		return "TOKEN"
	}
	return "rt"
}

func (v vector) requests() []vectorRequest {
	if v.Kind == "dts-auth" {
		return []vectorRequest{v.Request}
	}
	var all []vectorRequest
	for _, s := range v.Steps {
		all = append(all, s.Request)
	}
	return all
}

func (v vector) anyStep(is func(vectorRequest) bool) bool {
	return slices.ContainsFunc(v.requests(), is)
}

func isLook(r vectorRequest) bool {
	return strings.Contains(r.Target, "=") && (r.Method == "HEAD" || r.Method == "OPTIONS")
}

func isUnread(r vectorRequest) bool {
	return strings.Contains(r.Target, "=") && (r.Method == "PUT" || r.Method == "PATCH" || r.Method == "DELETE")
}

func (v vector) rows() []vectorRow {
	return v.database().Tokens
}

// database is the state that a vector begins with, which it may name.
func (v vector) database() (db vectorDB) {
	var name string
	if json.Unmarshal(v.DB, &name) == nil {
		return v.file.DBs[name]
	}
	_ = json.Unmarshal(v.DB, &db)
	return db
}

func (v vector) hasRow(is func(vectorRow) bool) bool { return slices.ContainsFunc(v.rows(), is) }

// inactiveSubject reports whether the user of the token may no longer act.
func (v vector) inactiveSubject() bool {
	db := v.database()
	var claims struct{ User json.Number }
	_ = json.Unmarshal(v.Expect.Claims, &claims)
	for _, u := range db.Users {
		if u.IsActive == nil || *u.IsActive {
			continue
		}
		if claims.User.String() == json.Number(itoa(u.ID)).String() ||
			v.hasRow(func(r vectorRow) bool { return r.User != nil && *r.User == u.Username }) {
			return true
		}
	}
	return false
}

// jwt is the token that a vector is about, or the first that it offers.
func (v vector) jwt() string {
	if v.Token != "" {
		return v.Token
	}
	for _, r := range v.requests() {
		for _, text := range v.offersOf(r) {
			return text
		}
	}
	return ""
}

func (v vector) hasJWT() bool { return strings.Count(v.jwt(), ".") == 2 && len(v.segment(0)) > 0 }

func (v vector) segment(n int) []byte {
	parts := strings.Split(v.jwt(), ".")
	if len(parts) <= n {
		return nil
	}
	raw, _ := base64.RawURLEncoding.DecodeString(parts[n])
	return raw
}

// headers are the members of a JWT's header.
func (v vector) headers() (members map[string]any) {
	_ = json.Unmarshal(v.segment(0), &members)
	return members
}

func (v vector) oddHeader() bool {
	h := v.headers()
	for _, name := range []string{"crit", "b64"} {
		if _, there := h[name]; there {
			return true
		}
	}
	typ, there := h["typ"]
	_, isText := typ.(string)
	return there && !isText
}

// longestToken is the length of the longest value that the vector offers as a token.
func (v vector) longestToken() int {
	n := len(v.Token)
	for _, r := range v.requests() {
		for _, value := range r.Headers {
			n = max(n, len(value)-len("TmpToken "))
		}
	}
	return n
}

// oddID reports whether `jti` is a number that Django cuts to find a row.
func (v vector) oddID() bool {
	var claims struct{ JTI any }
	_ = json.Unmarshal(v.segment(1), &claims)
	n, isNumber := claims.JTI.(float64)
	return isNumber && (n != math.Trunc(n) || math.Abs(n) > 1<<53)
}

func (v vector) oddRecipient() bool {
	var claims struct{ Recipient any }
	_ = json.Unmarshal(v.Expect.Claims, &claims)
	switch r := claims.Recipient.(type) {
	case nil, float64:
		return false
	case string:
		return utf8.RuneCountInString(r) > 255 || strings.ContainsFunc(r, unicode.IsControl)
	}
	return true
}

// stampBeyondFloat reports whether a signed timestamp is larger than any float: the
// package fails on it by a real clock and not by a frozen one of whole seconds.
func (v vector) stampBeyondFloat() bool {
	parts := strings.Split(v.Token, ":")
	return v.Kind == "signing-loads" && len(parts) >= 3 && len(strings.TrimLeft(parts[len(parts)-2], "-0")) > 171
}

func (v vector) strictlySpelled() bool {
	for part := range strings.SplitSeq(v.jwt(), ".") {
		if _, err := base64.RawURLEncoding.Strict().DecodeString(part); err != nil {
			return false
		}
	}
	return true
}

func (v vector) duplicateClaim() bool {
	dec := json.NewDecoder(strings.NewReader(string(v.segment(1))))
	seen, depth, isName := map[string]bool{}, 0, false
	for {
		token, err := dec.Token()
		if err != nil {
			return false
		}
		switch token := token.(type) {
		case json.Delim:
			if token == '{' || token == '[' {
				depth++
				isName = true
				continue
			}
			depth--
		case string:
			if depth == 1 && isName {
				if seen[token] {
					return true
				}
				seen[token], isName = true, false
				continue
			}
		}
		isName = true
	}
}

func (v vector) textTimes() bool {
	var claims map[string]any
	if json.Unmarshal(v.segment(1), &claims) != nil {
		return false
	}
	for _, name := range []string{"exp", "nbf", "iat"} {
		if claim, there := claims[name]; there {
			if _, number := claim.(float64); !number {
				return true
			}
		}
	}
	return false
}

func (v vector) boolAge() bool {
	var claims map[string]any
	_ = json.Unmarshal(v.Expect.Claims, &claims)
	_, is := claims["max_age"].(bool)
	return is
}

// ambiguousPath reports what DESIGN refuses to guess about.
func (v vector) ambiguousPath() bool {
	path, _, _ := strings.Cut(v.Request.Target, "?")
	_, clean := hallpass.CleanPath(path)
	return !clean && v.Expect.Verdict == "valid"
}
