package django_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

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

// differenceRule is a documented difference. It decides from the vector alone, never
// from its name or from what it says of itself, and explains no difference but those
// that its reason makes.
type differenceRule struct {
	id string
	// more says that hallpass may answer where the package refuses; elsewhere it
	// honours nothing that the package does not.
	more   bool
	covers func(v vector) bool
	// text says whether one difference is of this kind, step the same of what differs
	// in one step of an http vector. One of them may be missing.
	text func(v vector, text string) bool
	step func(v vector, s stepDifference) bool
}

// explains are which of the differences have this reason.
func (r differenceRule) explains(v vector, d differences) []bool {
	if steps, ok := v.steps(d); ok && v.Kind == "http" {
		all := make([]bool, len(steps))
		for i, s := range steps {
			all[i] = s.none() || carriedOver(s) || r.step != nil && (r.more || !s.honoursMore()) && r.step(v, s)
		}
		return all
	}
	all := make([]bool, len(d))
	for i, text := range d {
		all[i] = r.text != nil && (r.more || !honouredMore.MatchString(text)) && r.text(v, text)
	}
	return all
}

// categoryOf returns the first category that explains a vector which differs. Where
// none does alone, several may together; it is then the first that explains something
// which the others do not.
func categoryOf(v vector, d differences) string {
	var open []bool
	first := ""
	for _, r := range categories {
		if !r.covers(v) {
			continue
		}
		explained := r.explains(v, d)
		if !slices.Contains(explained, false) {
			return r.id
		}
		if open == nil {
			open = make([]bool, len(explained))
		}
		for i, is := range explained {
			if is && !open[i] {
				open[i] = true
				if first == "" {
					first = r.id
				}
			}
		}
	}
	if open == nil || slices.Contains(open, false) {
		return ""
	}
	return first
}

var honouredMore = regexp.MustCompile(`(status|status of the view) is 2\d\d, not [45]|verdict is valid, not refused`)

// says is the text of a rule.
func says(pattern string) func(vector, string) bool {
	text := regexp.MustCompile(pattern)
	return func(_ vector, difference string) bool { return text.MatchString(difference) }
}

var (
	refusal = says(`^(status( of the view)? is 4\d\d, not 2\d\d|verdict is refused, not valid)$`)
	grant   = says(`^(status is 2\d\d, not 40[13]|verdict is valid, not refused)$`)
)

// viewRefused is what a stricter reading of a JWT makes: the package's decoder still
// says what it says, and its view honours the token.
var viewRefused = says(`^status of the view is 4\d\d, not 2\d\d$`)

func jwtRule(id string, covers func(v vector) bool) differenceRule {
	return differenceRule{id: id, covers: func(v vector) bool { return v.isHTTPJWT() && v.hasJWT() && covers(v) }, text: viewRefused, step: refusedHonoured}
}

func scopedRule(id string, covers func(v vector) bool) differenceRule {
	return differenceRule{id: id, covers: func(v vector) bool { return v.Kind == "dts-auth" && covers(v) }, text: refusal}
}

// categories stand in the order in which they are looked for: what is most telling
// comes first.
var categories = []differenceRule{
	{id: "published-key", covers: vector.publishedKey, text: says(`\bkey: this key is published`)},
	{id: "crash-refused", covers: vector.crashes, step: crashed,
		text: says(`^(verdict is refused, not server_error|status( of the view)? is 4\d\d, not 500|step \d+, \S+ \S+: status is 4\d\d, not 500)$`)},
	{id: "stamp-beyond-float", covers: vector.stampBeyondFloat, text: says(`^verdict is refused, not valid$`)},
	{id: "skip-code-checks", covers: func(v vector) bool { return v.Flow.SkipCodeChecks || len(v.Flow.SkipCodesFor) > 0 },
		text: says(`POST /login: status is (403|404|412), not 200$`)},
	{id: "quiet-cooldown", more: true, covers: func(v vector) bool { return v.flowStep("/authenticate", 412) },
		text: says(`POST /authenticate: status is 204, not 412$`)},
	{id: "no-enumeration", more: true, covers: func(v vector) bool { return v.flowStep("/authenticate", 404) },
		text: says(`POST /authenticate: status is 204, not 404$`)},
	{id: "one-address", more: true, covers: vector.spellsAddressTwice,
		text: says(`POST /login: status is (200|403|412), not 404$`)},
	{id: "verified-logout", more: true, covers: vector.forgedLogout,
		text: says(`POST /logout: status is 40[03], not 204$|POST /refresh: status is 200, not 403$|sessions is 1, not 0$`)},
	{id: "account-block", covers: func(v vector) bool { return v.Kind == "jea-flow" && v.wrongCodes() >= v.Flow.attempts() },
		text: says(`POST /login: status is 412, not (200|403|404)$`)},
	{id: "network-block", more: true, covers: func(v vector) bool { return v.Kind == "jea-flow" && len(v.addresses()) > 1 },
		text: says(`POST /login: status is (200|403|404), not 412$`)},
	{id: "flow-first", covers: func(v vector) bool { return v.flowStep("/login", 412) },
		text: says(`POST /login: status is 404, not 412$`)},
	{id: "code-life", covers: func(v vector) bool { return v.Flow.CodeLifetime > 600 },
		text: says(`POST /login: status is 404, not (200|403)$`)},

	{id: "blank-parameters", more: true, covers: func(v vector) bool { return v.Kind == "tokenise" }, text: blanksStay},
	{id: "session-confirm", more: true, covers: func(v vector) bool {
		return v.Kind == "http" && v.hasRow(func(r vectorRow) bool { return r.Mode == "s" })
	}, step: confirmed},
	{id: "active-subject", covers: vector.inactiveSubject, text: refusal, step: refusedHonoured},
	jwtRule("one-algorithm", func(v vector) bool { return v.headers()["alg"] != "HS256" }),
	jwtRule("one-spelling", func(v vector) bool { return !v.strictlySpelled() }),
	jwtRule("duplicate-claim", vector.duplicateClaim),
	jwtRule("typed-times", vector.textTimes),
	jwtRule("other-type", func(v vector) bool {
		typ, isText := v.headers()["typ"].(string)
		return isText && !strings.EqualFold(typ, "JWT")
	}),
	jwtRule("odd-header", vector.oddHeader),
	{id: "long-token", covers: func(v vector) bool {
		return (v.isHTTPJWT() || v.Kind == "dts-auth") && v.longestToken() > hallpass.MaxTokenLength
	}, text: func(v vector, text string) bool {
		return v.Kind == "dts-auth" && refusal(v, text) || viewRefused(v, text)
	}, step: refusedHonoured},
	jwtRule("strict-json", func(v vector) bool {
		return !(strictjson.Valid(string(v.segment(0))) && strictjson.Valid(string(v.segment(1))))
	}),
	jwtRule("whole-id", vector.oddID),
	scopedRule("plain-recipient", vector.oddRecipient),
	{id: "links-refuse", covers: func(v vector) bool { return v.System == "django-jwt-expiringlinks" },
		step: func(_ vector, s stepDifference) bool { return refusedUncounted(s) }},
	{id: "quota-without-log", covers: func(v vector) bool { return v.Kind == "http" }, step: logless},
	{id: "expire-revokes", covers: func(v vector) bool { return v.Kind == "http" }, step: revokedBefore},
	{id: "client-address", more: true, covers: func(v vector) bool { return v.Kind == "http" }, step: declaredProxy},
	{id: "optional-refuses", covers: func(v vector) bool { return v.Kind == "http" }, step: func(_ vector, s stepDifference) bool {
		return s.to("/opt/") && refusedUncounted(s)
	}},
	{id: "any-json-type", more: true, covers: func(v vector) bool { return v.Kind == "http" }, step: func(_ vector, s stepDifference) bool {
		return strings.Contains(s.request.ContentType, "json") && s.request.ContentType != "application/json" && honouredUnread(s)
	}},
	{id: "repeated-parameter", covers: func(v vector) bool {
		return slices.ContainsFunc(v.requests(), func(r vectorRequest) bool { return len(v.offersOf(r)) > 1 })
	}, text: func(v vector, text string) bool { return v.Kind == "dts-auth" && refusal(v, text) }, step: func(v vector, s stepDifference) bool {
		return len(v.offersOf(s.request)) > 1 && refusedHonoured(v, s)
	}},
	{id: "look-answered", more: true, covers: func(v vector) bool { return v.Kind == "http" && v.anyStep(isLook) && !v.anyStep(isUnread) }, step: lookAnswered},
	{id: "every-method", more: true, covers: func(v vector) bool { return v.Kind == "http" && v.anyStep(isUnread) }, step: func(v vector, s stepDifference) bool {
		return isUnread(s.request) && honouredUnread(s) || lookAnswered(v, s)
	}},

	scopedRule("future-issue", vector.signedAhead),
	scopedRule("exact-types", vector.boolAge),
	scopedRule("ambiguous-path", vector.ambiguousPath),
	scopedRule("method-case", func(v vector) bool { return v.Request.Method != strings.ToUpper(v.Request.Method) }),
	scopedRule("segment-match", func(v vector) bool { return v.grantedAsWritten(v.Request.Method) && !v.onSegment(v.Request.Method) }),
	{id: "get-grants-head", more: true, covers: func(v vector) bool {
		return v.Kind == "dts-auth" && v.Request.Method == "HEAD" && !v.grantedAsWritten("HEAD") && v.onSegment("GET")
	}, text: grant},
	{id: "either-iri", more: true, covers: func(v vector) bool {
		method := v.Request.Method
		return v.Kind == "dts-auth" && !v.grantedAsWritten(method) && v.onSegment(method)
	}, text: grant},
	{id: "quirk-refused", covers: func(v vector) bool { return v.quirky() && !v.file.ours && v.Expect.Verdict == "valid" }, text: refusal},
}

func (v vector) publishedKey() bool {
	_, err := django.ParseKey(v.file.Keys[v.Key].text())
	return err != nil && strings.Contains(err.Error(), "published")
}

// crashes reports whether the package failed.
func (v vector) crashes() bool {
	return v.Expect.Verdict == "server_error" || v.Expect.ViewStatus == 500 ||
		slices.ContainsFunc(v.Steps, func(s vectorStep) bool { return s.Expect.Status == 500 })
}

var urlDifference = regexp.MustCompile(`^url is (.*), not (.*)$`)

// blanksStay says whether two URLs differ by the parameters without a value that the
// package leaves out, and by nothing else.
func blanksStay(_ vector, text string) bool {
	m := urlDifference.FindStringSubmatch(text)
	if m == nil {
		return false
	}
	path, query, _ := strings.Cut(m[1], "?")
	var kept []string
	for pair := range strings.SplitSeq(query, "&") {
		if _, value, _ := strings.Cut(pair, "="); value != "" {
			kept = append(kept, pair)
		}
	}
	return path+"?"+strings.Join(kept, "&") == m[2]
}

// flowStep reports whether the package answered a request of a jea-flow so.
func (v vector) flowStep(target string, status int) bool {
	return v.Kind == "jea-flow" && slices.ContainsFunc(v.Steps, func(s vectorStep) bool {
		return s.Request.Target == target && s.Expect.Status == status
	})
}

// forgedLogout reports whether the package ended a session by a token that it had not
// given.
func (v vector) forgedLogout() bool {
	given := map[string]bool{}
	for _, s := range v.Steps {
		access, refresh := pairOf(s.Expect.Body)
		given[access], given[refresh] = true, true
		var sent struct{ Token string }
		_ = json.Unmarshal([]byte(s.Request.Body), &sent)
		if v.Kind == "jea-flow" && s.Request.Target == "/logout" && s.Expect.Status == 204 && !given[sent.Token] {
			return true
		}
	}
	return false
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
