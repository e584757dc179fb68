package django_test

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/django"
	"github.com/hallpass-go/hallpass/internal/strictjson"
	"github.com/hallpass-go/hallpass/mail"
)

// listedDifferences are the vectors of each category in docs/django.md.
type listedDifferences map[string][]string

// readDifferences reads the table under "Deliberate differences": the category in
// backquotes in the first column, ids in the second.
func readDifferences(t *testing.T) listedDifferences {
	t.Helper()
	text, err := os.ReadFile("../docs/django.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "## Deliberate differences")
	section, _, _ = strings.Cut(section, "\n## ")
	listed := listedDifferences{}
	for line := range strings.Lines(section) {
		cells := strings.Split(line, "|")
		if len(cells) < 5 || !strings.HasPrefix(strings.TrimSpace(cells[1]), "`") {
			continue
		}
		category := strings.Trim(strings.TrimSpace(cells[1]), "`")
		if listed[category] != nil {
			t.Errorf("docs/django.md lists %s twice", category)
		}
		listed[category] = []string{}
		for word := range strings.FieldsSeq(strings.NewReplacer(",", " ", "`", " ").Replace(cells[2])) {
			if strings.Count(word, "-") >= 2 {
				listed[category] = append(listed[category], word)
			}
		}
	}
	return listed
}

// check compares the list with what differed.
func (l listedDifferences) check(t *testing.T, found listedDifferences) {
	t.Helper()
	for _, category := range slices.Sorted(mapsKeys(found)) {
		for _, id := range found[category] {
			if !slices.Contains(l[category], id) {
				t.Errorf("%s differs as %q; docs/django.md does not list it there", id, category)
			}
		}
	}
	for _, category := range slices.Sorted(mapsKeys(l)) {
		for _, id := range l[category] {
			if !slices.Contains(found[category], id) {
				t.Errorf("docs/django.md lists %s as %q, and it does not differ that way", id, category)
			}
		}
		if !slices.ContainsFunc(categories, func(r differenceRule) bool { return r.id == category }) {
			t.Errorf("docs/django.md lists the category %q, which no rule decides", category)
		}
	}
}

// differenceRule is a documented difference; covers decides from the vector alone.
type differenceRule struct {
	id string
	// more says that hallpass may answer where the package refuses; elsewhere it
	// honours nothing that the package does not.
	more   bool
	covers func(v vector) bool
	// only, when set, is what each of the differences says.
	only *regexp.Regexp
}

// categoryOf returns the first category that covers a vector which differs.
func categoryOf(v vector, d differences) string {
	for _, c := range categories {
		if c.covers(v) && (c.more || !d.honoursMore()) && d.areOnly(c.only) {
			return c.id
		}
	}
	return ""
}

var honouredMore = regexp.MustCompile(`(status|status of the view) is 2\d\d, not [45]|verdict is valid, not refused`)

// honoursMore reports whether something is honoured that the package refuses.
func (d differences) honoursMore() bool {
	return slices.ContainsFunc(d, honouredMore.MatchString)
}

func (d differences) areOnly(what *regexp.Regexp) bool {
	return what == nil || !slices.ContainsFunc(d, func(text string) bool { return !what.MatchString(text) })
}

// categories stand in the order in which they are looked for: what is most telling
// comes first.
var categories = []differenceRule{
	{id: "published-key", more: false, covers: func(v vector) bool { _, err := django.ParseKey(v.file.Keys[v.Key].text()); return err != nil }},
	{id: "crash-refused", more: false, covers: func(v vector) bool {
		return v.Expect.Verdict == "server_error" || v.Expect.ViewStatus == 500
	}},
	{id: "stamp-beyond-float", more: false, covers: vector.stampBeyondFloat},
	{id: "skip-code-checks", covers: func(v vector) bool { return v.Flow.SkipCodeChecks || len(v.Flow.SkipCodesFor) > 0 },
		only: regexp.MustCompile(`POST /login: status is (403|404|412), not 200`)},
	{id: "quiet-cooldown", more: true, covers: func(v vector) bool { return v.flowStep("/authenticate", 412) },
		only: regexp.MustCompile(`POST /authenticate: status is 204, not 412`)},
	{id: "no-enumeration", more: true, covers: func(v vector) bool { return v.flowStep("/authenticate", 404) },
		only: regexp.MustCompile(`POST /authenticate: status is 204, not 404`)},
	{id: "one-address", more: true, covers: vector.spellsAddressTwice,
		only: regexp.MustCompile(`POST /login: status is (200|403|412), not 404`)},
	{id: "verified-logout", more: true, covers: func(v vector) bool { return v.quirky() && v.flowStep("/logout", 204) },
		only: regexp.MustCompile(`POST /logout: status is 40[03], not 204|POST /refresh: status is 200, not 403|sessions is 1, not 0`)},
	{id: "account-block", covers: func(v vector) bool { return v.Kind == "jea-flow" && v.wrongCodes() >= v.Flow.attempts() },
		only: regexp.MustCompile(`POST /login: status is 412, not (200|403|404)`)},
	{id: "network-block", more: true, covers: func(v vector) bool { return v.Kind == "jea-flow" && len(v.addresses()) > 1 },
		only: regexp.MustCompile(`POST /login: status is (200|403|404), not 412`)},
	{id: "flow-first", covers: func(v vector) bool { return v.flowStep("/login", 412) },
		only: regexp.MustCompile(`POST /login: status is 404, not 412`)},
	{id: "code-life", covers: func(v vector) bool { return v.Flow.CodeLifetime > 600 },
		only: regexp.MustCompile(`POST /login: status is 404, not (200|403)`)},

	{id: "blank-parameters", more: true, covers: func(v vector) bool { return v.quirky() && v.Kind == "tokenise" }},
	{id: "session-confirm", more: true, covers: func(v vector) bool {
		return v.Kind == "http" && v.hasRow(func(r vectorRow) bool { return r.Mode == "s" })
	}},
	{id: "active-subject", more: false, covers: func(v vector) bool { return v.quirky() && v.inactiveSubject() }},
	{id: "one-algorithm", more: false, covers: func(v vector) bool {
		return !strings.Contains(v.header(), `"alg":"HS256"`) && v.isHTTPJWT()
	}},
	{id: "one-spelling", more: false, covers: func(v vector) bool { return v.isHTTPJWT() && !v.strictlySpelled() }},
	{id: "duplicate-claim", more: false, covers: func(v vector) bool { return v.isHTTPJWT() && v.duplicateClaim() }},
	{id: "typed-times", more: false, covers: func(v vector) bool { return v.isHTTPJWT() && v.textTimes() }},
	{id: "other-type", more: false, covers: func(v vector) bool {
		typ, isText := v.headers()["typ"].(string)
		return v.isHTTPJWT() && isText && !strings.EqualFold(typ, "JWT")
	}},
	{id: "odd-header", more: false, covers: func(v vector) bool { return v.isHTTPJWT() && v.oddHeader() }},
	{id: "long-token", more: false, covers: func(v vector) bool {
		return (v.isHTTPJWT() || v.Kind == "dts-auth") && v.longestToken() > hallpass.MaxTokenLength
	}},
	{id: "strict-json", more: false, covers: func(v vector) bool {
		return v.isHTTPJWT() && !(strictjson.Valid(v.header()) && strictjson.Valid(string(v.segment(1))))
	}},
	{id: "whole-id", more: false, covers: func(v vector) bool { return v.isHTTPJWT() && v.oddID() }},
	{id: "plain-recipient", more: false, covers: func(v vector) bool { return v.Kind == "dts-auth" && v.oddRecipient() }},
	{id: "links-refuse", more: false, covers: func(v vector) bool { return v.quirky() && v.System == "django-jwt-expiringlinks" }},
	{id: "quota-without-log", more: false, covers: func(v vector) bool {
		return v.quirky() && v.anyStep(func(r vectorRequest) bool { return strings.HasPrefix(r.Target, "/nolog/") })
	}},
	{id: "expire-revokes", more: false, covers: func(v vector) bool {
		return v.quirky() && v.anyStep(func(r vectorRequest) bool { return strings.HasPrefix(r.Target, "/expire/") })
	}},
	{id: "client-address", more: true, covers: func(v vector) bool {
		return v.quirky() && v.anyStep(func(r vectorRequest) bool { return r.Headers["X-Forwarded-For"] != "" })
	}},
	{id: "optional-refuses", more: false, covers: func(v vector) bool {
		return v.Kind == "http" && v.anyStep(func(r vectorRequest) bool { return strings.HasPrefix(r.Target, "/opt/") })
	}},
	{id: "any-json-type", more: true, covers: func(v vector) bool {
		return v.Kind == "http" && v.anyStep(func(r vectorRequest) bool {
			return strings.Contains(r.ContentType, "json") && r.ContentType != "application/json"
		})
	}},
	{id: "repeated-parameter", more: false, covers: func(v vector) bool {
		param := v.param()
		return v.anyStep(func(r vectorRequest) bool {
			return strings.Count(r.Target, "?"+param+"=")+strings.Count(r.Target, "&"+param+"=") > 1
		})
	}},
	{id: "look-answered", more: true, covers: func(v vector) bool { return v.Kind == "http" && v.anyStep(isLook) && !v.anyStep(isUnread) }},
	{id: "every-method", more: true, covers: func(v vector) bool { return v.Kind == "http" && v.anyStep(isUnread) }},

	{id: "future-issue", more: false, covers: func(v vector) bool { return v.Kind == "dts-auth" && v.signedAhead() }},
	{id: "exact-types", more: false, covers: func(v vector) bool { return v.Kind == "dts-auth" && v.boolAge() }},
	{id: "ambiguous-path", more: false, covers: func(v vector) bool { return v.Kind == "dts-auth" && v.ambiguousPath() }},
	{id: "method-case", more: false, covers: func(v vector) bool {
		return v.Kind == "dts-auth" && v.Request.Method != strings.ToUpper(v.Request.Method)
	}},
	{id: "segment-match", more: false, covers: func(v vector) bool {
		return v.Kind == "dts-auth" && v.Expect.Verdict == "valid" && !v.onSegment(v.Request.Method)
	}},
	{id: "get-grants-head", more: true, covers: func(v vector) bool {
		return v.Kind == "dts-auth" && v.Request.Method == "HEAD" && v.Expect.Verdict == "refused"
	}},
	{id: "either-iri", more: true, covers: func(v vector) bool {
		method := v.Request.Method
		return v.Kind == "dts-auth" && v.Expect.Verdict == "refused" && !v.grantedAsWritten(method) && v.onSegment(method)
	}},
	{id: "quirk-refused", more: false, covers: func(v vector) bool { return v.quirky() && !v.file.ours && v.Expect.Verdict == "valid" }},
}

// flowStep reports whether the package answered a request of a jea-flow so.
func (v vector) flowStep(target string, status int) bool {
	return v.Kind == "jea-flow" && slices.ContainsFunc(v.Steps, func(s vectorStep) bool {
		return s.Request.Target == target && s.Expect.Status == status
	})
}

func (v vector) wrongCodes() (n int) {
	for _, s := range v.Steps {
		if s.Request.Target == "/login" && s.Expect.Status == 403 {
			n++
		}
	}
	return n
}

// addresses are those that codes were entered for, each with its spellings.
func (v vector) addresses() map[mail.Address][]string {
	all := map[mail.Address][]string{}
	for _, s := range v.Steps {
		if a := s.Request.address(); a != "" && !slices.Contains(all[a], s.Request.email()) {
			all[a] = append(all[a], s.Request.email())
		}
	}
	return all
}

func (v vector) spellsAddressTwice() bool {
	if v.Kind != "jea-flow" {
		return false
	}
	for _, spellings := range v.addresses() {
		if len(spellings) > 1 {
			return true
		}
	}
	return false
}

func (v vector) quirky() bool { return v.Quirk != nil }

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
	var db vectorDB
	if json.Unmarshal(v.DB, &db) != nil {
		return nil
	}
	return db.Tokens
}

func (v vector) hasRow(is func(vectorRow) bool) bool { return slices.ContainsFunc(v.rows(), is) }

// inactiveSubject reports whether the user of the token may no longer act.
func (v vector) inactiveSubject() bool {
	var db vectorDB
	if json.Unmarshal(v.DB, &db) != nil {
		return false
	}
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

func (v vector) segment(n int) []byte {
	parts := strings.Split(v.Token, ".")
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

func (v vector) header() string { return string(v.segment(0)) }

func (v vector) strictlySpelled() bool {
	for part := range strings.SplitSeq(v.Token, ".") {
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
