package django_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// stepDifference is by what one step of an http vector differs, apart from what
// differed before it already.
type stepDifference struct {
	index     int
	request   vectorRequest
	want, got int // statuses
	// lost is how many uses fewer than the package hallpass counted in this step; logs
	// the same of what was logged; before is lost in all earlier steps.
	lost, logs, before int
	// user is who was seen and who was to be, where these differ, and address where
	// from.
	user, address *[2]string
	// spent says that hallpass has counted as many uses as there were.
	spent bool
	// other differences have no reason.
	other bool
}

func (s stepDifference) none() bool {
	return s.want == s.got && s.lost == 0 && s.logs == 0 && s.user == nil && s.address == nil && !s.other
}

// honoursMore reports whether something is honoured that the package refuses.
func (s stepDifference) honoursMore() bool { return s.got < 400 && s.want >= 400 }

var stepText = regexp.MustCompile(`^step (\d+): (status|user|count of (-?\d+)|uses|logged address|.*?) is (.*), not (.*)$`)

// steps are the differences by step; false where one is of no step.
func (v vector) steps(d differences) ([]stepDifference, bool) {
	all := make([]stepDifference, len(v.Steps))
	lost, logs := make([]map[string]int, len(v.Steps)), make([]int, len(v.Steps))
	for i, s := range v.Steps {
		all[i] = stepDifference{index: i, request: s.Request, want: s.Expect.Status, got: s.Expect.Status}
		lost[i] = map[string]int{}
	}
	for _, text := range d {
		m := stepText.FindStringSubmatch(text)
		if m == nil {
			return nil, false
		}
		n, err := strconv.Atoi(m[1])
		if err != nil || n < 1 || n > len(all) {
			return nil, false
		}
		s, got, want := &all[n-1], m[4], m[5]
		gotN, _ := strconv.Atoi(got)
		wantN, _ := strconv.Atoi(want)
		switch {
		case m[2] == "status":
			s.got = gotN
		case m[2] == "user":
			s.user = &[2]string{got, want}
		case m[2] == "logged address":
			s.address = &[2]string{got, want}
		case m[2] == "uses":
			logs[n-1] = wantN - gotN
		case m[3] != "":
			lost[n-1][m[3]] = wantN - gotN
		default:
			s.other = true
		}
	}
	for i := range all {
		all[i].spent = v.spent(i, lost[i])
		for _, n := range lost[i] {
			all[i].lost += n
		}
		all[i].logs = logs[i]
		if i > 0 {
			for _, n := range lost[i-1] {
				all[i].before += n
			}
			all[i].lost -= all[i].before
			all[i].logs -= logs[i-1]
		}
	}
	return all, true
}

// spent reports whether hallpass has counted all uses of a token by the end of a step.
func (v vector) spent(step int, lost map[string]int) bool {
	var after map[string]int64
	if json.Unmarshal(v.Steps[step].Expect.Tokens, &after) != nil {
		return false
	}
	return v.hasRow(func(r vectorRow) bool {
		return after[itoa(r.ID)]-int64(lost[itoa(r.ID)]) >= r.MaxUses
	})
}

// counts reports whether hallpass counted n uses fewer in the step, and as many fewer
// are logged.
func (s stepDifference) counts(n int) bool {
	return s.lost == n && s.logs == n && s.user == nil && s.address == nil && !s.other
}

func (s stepDifference) to(view string) bool { return strings.HasPrefix(s.request.Target, view) }

// viewStatus is what the view answers when it runs.
func (s stepDifference) viewStatus() int {
	if s.to("/boom/") {
		return http.StatusInternalServerError
	}
	if text, there := strings.CutPrefix(s.request.Target, "/status/"); there {
		text, _, _ = strings.Cut(text, "/")
		n, _ := strconv.Atoi(text)
		return n
	}
	return http.StatusOK
}

func (s stepDifference) refused() bool { return s.got >= 400 && s.got < 500 }

// refusedHonoured: hallpass refuses a token that the package takes, which counts it
// unless the view fails or its log is off.
func refusedHonoured(_ vector, s stepDifference) bool {
	uncounted := s.to("/boom/") || s.to("/nolog/")
	return s.refused() && s.want == s.viewStatus() &&
		(s.counts(1) && !uncounted || s.counts(0) && (uncounted || s.to("/open/") || s.to("/opt/")))
}

// refusedUncounted: hallpass refuses where the package runs the view as if there were
// no token.
func refusedUncounted(s stepDifference) bool {
	return s.refused() && s.want == s.viewStatus() && s.counts(0)
}

// honouredUnread: hallpass takes a token that the package does not read.
func honouredUnread(s stepDifference) bool {
	if s.to("/opt/") { // which the package serves without it
		user := s.user
		s.user = nil
		return s.got == s.want && s.counts(-1) && (user == nil || user[1] == "")
	}
	return s.want == http.StatusForbidden && s.got == s.viewStatus() && (s.counts(-1) || s.to("/boom/") && s.counts(0))
}

// lookAnswered: the guard answers itself, and counts nothing.
func lookAnswered(_ vector, s stepDifference) bool {
	return isLook(s.request) && (s.got == http.StatusOK || s.got == http.StatusNoContent) &&
		(s.want == http.StatusForbidden || s.want == s.viewStatus()) && s.counts(0)
}

// crashed: the package fails before it counts.
func crashed(_ vector, s stepDifference) bool {
	return s.refused() && s.want == http.StatusInternalServerError && s.counts(0)
}

// confirmed: a page with a button stands before the login, which so has not happened
// yet; or there is none for who may not log in.
func confirmed(v vector, s stepDifference) bool {
	user := s.user
	s.user = nil
	if user != nil && !v.hasRow(func(r vectorRow) bool { return r.Mode == "s" && r.User != nil && *r.User == user[1] }) {
		return false
	}
	if !v.offersIn(s.request) {
		return s.got == s.want && s.counts(0)
	}
	switch {
	case s.got == http.StatusOK && s.want == http.StatusForbidden:
		return s.counts(0) || s.index > 0 && s.counts(-1) // another token of somebody who is not logged in
	case s.got == http.StatusOK && s.want == s.viewStatus(), s.got == http.StatusForbidden && s.want == s.viewStatus():
		return s.counts(1) || (s.to("/boom/") || s.to("/nolog/") || s.to("/open/")) && s.counts(0)
	}
	return false
}

// logless: the quota holds where the log is off.
func logless(_ vector, s stepDifference) bool {
	if !s.to("/nolog/") {
		return false
	}
	return s.got == s.want && s.counts(-1) || s.got == http.StatusForbidden && s.want == http.StatusOK && s.spent && s.counts(0)
}

// revokedBefore: the view of an earlier step ended the token.
func revokedBefore(v vector, s stepDifference) bool {
	return slices.ContainsFunc(v.Steps[:s.index], func(e vectorStep) bool { return strings.HasPrefix(e.Request.Target, "/expire/") }) &&
		refusedHonoured(v, s)
}

// declaredProxy: the address is that of the connection, not of a header anybody writes.
func declaredProxy(v vector, s stepDifference) bool {
	address := s.address
	s.address = nil
	return address != nil && s.got == s.want && s.counts(0) && v.anyStep(func(r vectorRequest) bool {
		first, _, _ := strings.Cut(r.Headers["X-Forwarded-For"], ",")
		return strings.TrimSpace(first) == address[1]
	})
}

// carriedOver: hallpass counted a use more before, so the quota ends earlier.
func carriedOver(s stepDifference) bool {
	return s.before < 0 && s.spent && s.got == http.StatusForbidden && s.want == s.viewStatus() && (s.counts(1) || s.counts(0))
}

// offersIn reports whether a request holds a token where the package looks for one.
func (v vector) offersIn(r vectorRequest) bool { return len(v.offersOf(r)) > 0 }

// offersOf are the values of the parameter, in the query and then in the body.
func (v vector) offersOf(r vectorRequest) []string {
	_, query, _ := strings.Cut(r.Target, "?")
	values, _ := url.ParseQuery(query)
	all := values[v.param()]
	switch {
	case strings.Contains(r.ContentType, "json"):
		var body map[string]any
		_ = json.Unmarshal([]byte(r.Body), &body)
		if text, isText := body[v.param()].(string); isText {
			all = append(all, text)
		}
	case strings.Contains(r.ContentType, "form-urlencoded"):
		body, _ := url.ParseQuery(r.Body)
		all = append(all, body[v.param()]...)
	}
	return all
}
