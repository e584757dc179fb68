package hallpass_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-go/hallpass"
)

// presented is one request: a token taken apart, and what the site knows.
type presented struct {
	header, payload map[string]any
	junk            string // put into the payload as text
	forged, absent  bool
	noRow           bool
	used            int64
	rule, inactive  bool
	p               hallpass.Presentation
}

// faults has one fault for each refusal, in the order of the refusals. Any two
// can be made at once.
var faults = []struct {
	want hallpass.Refusal
	make func(*presented)
}{
	{hallpass.RefusalMissing, func(r *presented) { r.absent = true }},
	{hallpass.RefusalMalformed, func(r *presented) { r.junk = `,"x":1,"x":2` }},
	{hallpass.RefusalUnknownKey, func(r *presented) { r.header["kid"] = "nobody" }},
	{hallpass.RefusalBadSignature, func(r *presented) { r.forged = true }},
	{hallpass.RefusalWrongType, func(r *presented) { r.header["typ"] = "at+jwt" }},
	{hallpass.RefusalMissingClaim, func(r *presented) { r.payload["max"] = nil }},
	{hallpass.RefusalWrongAudience, func(r *presented) { r.payload["iss"] = "elsewhere" }},
	{hallpass.RefusalNotYetValid, func(r *presented) { r.payload["nbf"] = t0.Add(time.Second).Unix() }},
	{hallpass.RefusalExpired, func(r *presented) { r.payload["exp"] = t0.Unix() }},
	{hallpass.RefusalWrongScope, func(r *presented) { r.p.Scope = "other" }},
	{hallpass.RefusalNotGranted, func(r *presented) { r.p.Path = "/reports" }},
	{hallpass.RefusalUnknownPass, func(r *presented) { r.noRow = true }},
	{hallpass.RefusalRevoked, func(r *presented) { r.rule = true }},
	{hallpass.RefusalUnknownSubject, func(r *presented) { r.inactive = true }},
	{hallpass.RefusalWrongSubject, func(r *presented) { r.p.Subject = "bob" }},
	{hallpass.RefusalSpent, func(r *presented) { r.used = 10 }},
	{hallpass.RefusalNeedsConfirmation, func(r *presented) { r.p.Confirmed = false }},
}

// present makes the site, the row and the token, and redeems it.
func present(t *testing.T, sign signer, r *presented) (redeemed, checked error) {
	t.Helper()
	s := newSiteWith(t, sign, func(c *hallpass.Config) {
		c.Active = func(context.Context, string) (bool, error) { return !r.inactive, nil }
	})
	if !r.noRow {
		row := hallpass.Entry{Pass: hallpass.Pass{
			ID: passID, Scope: "report", Mode: hallpass.ModeSession, Subject: "ada",
			IssuedAt: t0, MaxUses: 10, Recorded: true,
		}, Used: r.used}
		if err := s.Store.Record(t.Context(), []hallpass.Entry{row}); err != nil {
			t.Fatal(err)
		}
	}
	if r.rule {
		if err := s.RevokeGroup(t.Context(), hallpass.Revocation{Subject: "ada", Before: t0.Add(time.Minute)}); err != nil {
			t.Fatal(err)
		}
	}
	payload := claims(r.payload)
	text := sign.jwt(sign.header(r.header), payload[:len(payload)-1]+r.junk+"}")
	if r.forged {
		text = flip(text, len(text)-3)
	}
	if r.absent {
		text = ""
	}
	r.p.Token = hallpass.NewToken(text)
	_, redeemed = s.Redeem(t.Context(), r.p)
	_, _, checked = s.Check(t.Context(), r.p)
	return redeemed, checked
}

func goodRequest() *presented {
	return &presented{
		header:  map[string]any{},
		payload: map[string]any{"mod": "s", "unr": nil, "grt": []string{"GET /report"}},
		p:       hallpass.Presentation{Scope: "report", Method: "GET", Path: "/report", SignedIn: "ada", Confirmed: true},
	}
}

func TestEachFaultHasItsRefusal(t *testing.T) {
	t.Parallel()
	sign := newSigner(t, hallpass.HS256)
	if redeemed, checked := present(t, sign, goodRequest()); redeemed != nil || checked != nil {
		t.Fatalf("a pass without a fault: redeemed %v, checked %v", redeemed, checked)
	}
	var order []hallpass.Refusal
	for _, f := range faults {
		order = append(order, f.want)
		r := goodRequest()
		f.make(r)
		redeemed, checked := present(t, sign, r)
		if !errors.Is(redeemed, f.want) {
			t.Errorf("%s: Redeem says %v", f.want, redeemed)
		}
		if f.want != hallpass.RefusalNeedsConfirmation && !errors.Is(checked, f.want) {
			t.Errorf("%s: Check says %v", f.want, checked)
		}
	}
	if diff := cmp.Diff(hallpass.Refusals(), order); diff != "" {
		t.Errorf("the closed set (-want +tested):\n%s", diff)
	}
}

func TestOfTwoFaultsTheEarlierIsNamed(t *testing.T) {
	t.Parallel()
	sign := newSigner(t, hallpass.HS256)
	for i, first := range faults {
		for _, second := range faults[i+1:] {
			t.Run(fmt.Sprintf("%s before %s", first.want, second.want), func(t *testing.T) {
				t.Parallel()
				r := goodRequest()
				second.make(r)
				first.make(r)
				redeemed, checked := present(t, sign, r)
				if !errors.Is(redeemed, first.want) {
					t.Errorf("Redeem says %v", redeemed)
				}
				if !errors.Is(checked, first.want) {
					t.Errorf("Check says %v", checked)
				}
			})
		}
	}
}

func TestWhatIsMalformedComesBeforeTheSignature(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for name, edits := range map[string]map[string]any{
		"an unknown mode":              {"mod": "x"},
		"a mode in capitals":           {"mod": "R"},
		"an empty id":                  {"jti": ""},
		"a grant without a method":     {"grt": []string{"/report"}},
		"a grant with a dot segment":   {"grt": []string{"GET /a/../b"}},
		"a grant that is no text":      {"grt": []int{1}},
		"grants that are no list":      {"grt": "GET /a"},
		"a number as an id":            {"jti": 7},
		"a number as a scope":          {"sub": 7},
		"the audience in a list":       {"aud": []string{"ada"}},
		"the issuer in a list":         {"iss": []string{"hallpass"}},
		"a quota as text":              {"max": "10"},
		"a negative quota":             {"max": -1},
		"a fraction of a quota":        {"max": 1.5},
		"a fractional end":             {"exp": 1.5},
		"an end as text":               {"exp": "1900000000"},
		"an end at zero":               {"exp": 0},
		"an end before 1970":           {"exp": -1},
		"an end after the year 9999":   {"exp": int64(253402300800)},
		"an exponent in the end":       {"exp": json.RawMessage("2e9")},
		"a number beyond any float":    {"exp": json.RawMessage("1e400")},
		"a fractional start":           {"nbf": 1.5},
		"a negative time of issue":     {"iat": -1},
		"an exponent in time of issue": {"iat": json.RawMessage("1.7e9")},
		"null as an end":               {"exp": json.RawMessage("null")},
		"unrecorded as a number":       {"unr": 1},
	} {
		good := s.Sign.pass(edits)
		bad := flip(good, len(good)-3)
		for what, text := range map[string]string{"well signed": good, "badly signed": bad} {
			if _, err := s.verify(text); !errors.Is(err, hallpass.RefusalMalformed) {
				t.Errorf("%s, %s: %v", name, what, err)
			}
		}
	}
}

func TestEachMissingClaim(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	rows := []struct {
		name  string
		edits map[string]any
		want  string
	}{
		{"no id", map[string]any{"jti": nil}, "missing_claim"},
		{"no scope", map[string]any{"sub": nil}, "missing_claim"},
		{"no mode", map[string]any{"mod": nil}, "missing_claim"},
		{"no quota", map[string]any{"max": nil}, "missing_claim"},
		{"no issuer", map[string]any{"iss": nil}, "missing_claim"},
		{"no subject in request mode", map[string]any{"aud": nil}, "missing_claim"},
		{"an empty subject in request mode", map[string]any{"aud": ""}, "missing_claim"},
		{"no subject in session mode", map[string]any{"aud": nil, "mod": "s"}, "missing_claim"},
		{"no end in session mode", map[string]any{"exp": nil, "mod": "s"}, "missing_claim"},
		{"no end with grants", map[string]any{"exp": nil, "grt": []string{"GET /a"}}, "missing_claim"},
		{"no subject in public mode", map[string]any{"aud": nil, "mod": "n"}, "valid"},
		{"no end", map[string]any{"exp": nil}, "valid"},
		{"no time of issue", map[string]any{"iat": nil}, "valid"},
		{"no claim of an unrecorded pass", map[string]any{"unr": nil}, "valid"},
		{"a claim nobody knows", map[string]any{"more": []any{1, "x"}}, "valid"},
	}
	for _, row := range rows {
		if _, err := s.verify(s.Sign.pass(row.edits)); reason(err) != row.want {
			t.Errorf("%s: %s, want %s", row.name, reason(err), row.want)
		}
	}
}

func TestTimeIsJudgedAtTheExactMoment(t *testing.T) {
	t.Parallel()
	micro := time.Microsecond
	start, end := t0.Add(time.Minute), t0.Add(2*time.Minute)
	rows := []struct {
		name   string
		leeway time.Duration
		at     time.Time
		want   string
	}{
		{"the last moment before the start", 0, start.Add(-micro), "not_yet_valid"},
		{"the start", 0, start, "valid"},
		{"the last moment before the end", 0, end.Add(-micro), "valid"},
		{"the end", 0, end, "expired"},
		{"before the start by more than the leeway", 5 * time.Second, start.Add(-5*time.Second - micro), "not_yet_valid"},
		{"before the start by the leeway", 5 * time.Second, start.Add(-5 * time.Second), "valid"},
		{"after the end by less than the leeway", 5 * time.Second, end.Add(5*time.Second - micro), "valid"},
		{"after the end by the leeway", 5 * time.Second, end.Add(5 * time.Second), "expired"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, func(c *hallpass.Config) { c.Leeway = row.leeway })
			text := s.Sign.pass(map[string]any{"nbf": start.Unix(), "exp": end.Unix()})
			s.Clock.Set(row.at)
			if _, err := s.verify(text); reason(err) != row.want {
				t.Errorf("%s, want %s", reason(err), row.want)
			}
		})
	}
}

func TestOurOwnTimeOfIssueMayLieAMinuteAhead(t *testing.T) {
	t.Parallel()
	for iat, want := range map[string]string{
		"1772366460":                "valid",
		"1772366460.000001":         "not_yet_valid",
		"1772366461":                "not_yet_valid",
		"1772366459.999999":         "valid",
		"1772366459.99999999999999": "valid", // further decimals are dropped
	} {
		s := newSite(t)
		text := s.Sign.pass(map[string]any{"iat": json.RawMessage(iat)})
		if _, err := s.verify(text); reason(err) != want {
			t.Errorf("iat %s at %d: %s, want %s", iat, t0.Unix(), reason(err), want)
		}
	}
}

func TestVerifiedClaimsAreThoseThatWereSigned(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	payload := `{ "jti":"` + passID + `","sub":"r\u00e9port","mod":"n","max":0,"iss":"hallpass",
		"dat":{"n":1e400,"big":123456789012345678901234567890},"x":1.50}`
	v, err := s.verify(s.Sign.jwt(s.Sign.header(nil), payload))
	if err != nil {
		t.Fatal(err)
	}
	if string(v.Claims) != payload {
		t.Errorf("claims are %s", v.Claims)
	}
	want := hallpass.Pass{
		ID: passID, Scope: "réport", Mode: hallpass.ModePublic, Recorded: true, Key: s.Sign.key.ID(),
		Data: json.RawMessage(`{"n":1e400,"big":123456789012345678901234567890}`),
	}
	if diff := cmp.Diff(want, v.Pass); diff != "" {
		t.Errorf("pass (-want +got):\n%s", diff)
	}
}

func TestARefusalAfterTheSignatureNamesThePass(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, row := range []struct {
		edits map[string]any
		named bool
	}{
		{map[string]any{"exp": t0.Unix()}, true},
		{map[string]any{"iss": "elsewhere"}, true},
		{map[string]any{"mod": "x"}, false},
	} {
		v, err := s.verify(s.Sign.pass(row.edits))
		if named := v.Pass.ID == passID; err == nil || named != row.named {
			t.Errorf("%v: %v, pass %+v", row.edits, err, v.Pass)
		}
		text := s.Sign.pass(row.edits)
		if v, _ := s.verify(flip(text, len(text)-3)); v.Pass.ID != "" || v.Claims != nil {
			t.Errorf("%v: an unproven pass is shown: %+v", row.edits, v)
		}
	}
}

func TestVerifyChecksOnlyWhatIsAsked(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	token := hallpass.NewToken(s.Sign.pass(map[string]any{"grt": []string{"GET /a", "POST =/b"}, "tgt": "/a?x=1"}))
	rows := []struct {
		name string
		p    hallpass.Presentation
		want string
	}{
		{"nothing asked", hallpass.Presentation{}, "valid"},
		{"its scope", hallpass.Presentation{Scope: "report"}, "valid"},
		{"another scope", hallpass.Presentation{Scope: "Report"}, "wrong_scope"},
		{"a granted method alone", hallpass.Presentation{Method: "POST"}, "valid"},
		{"a method nobody granted", hallpass.Presentation{Method: "DELETE"}, "not_granted"},
		{"a granted path alone", hallpass.Presentation{Path: "/a/b"}, "valid"},
		{"a path nobody granted", hallpass.Presentation{Path: "/ab"}, "not_granted"},
		{"the method of one grant and the path of another", hallpass.Presentation{Method: "POST", Path: "/a"}, "not_granted"},
		{"its target", hallpass.Presentation{Target: "/a?utm_source=mail&x=1&rt=zzz"}, "valid"},
		{"another target", hallpass.Presentation{Target: "/a?x=2"}, "not_granted"},
		{"a target with one more parameter", hallpass.Presentation{Target: "/a?x=1&y=2"}, "not_granted"},
		{"a target that a browser would take for a host", hallpass.Presentation{Target: "//host/a?x=1"}, "not_granted"},
		{"its subject", hallpass.Presentation{SignedIn: "ada"}, "valid"},
		{"somebody else signed in", hallpass.Presentation{SignedIn: "bob"}, "wrong_subject"},
		{"for its subject", hallpass.Presentation{Subject: "ada"}, "valid"},
		{"for somebody else", hallpass.Presentation{Subject: "bob"}, "wrong_subject"},
		{"its mode", hallpass.Presentation{Modes: []hallpass.Mode{hallpass.ModePublic, hallpass.ModeRequest}}, "valid"},
		{"another mode", hallpass.Presentation{Modes: []hallpass.Mode{hallpass.ModeSession}}, "wrong_scope"},
	}
	for _, row := range rows {
		row.p.Token = token
		if _, err := s.Verify(row.p); reason(err) != row.want {
			t.Errorf("%s: %s, want %s", row.name, reason(err), row.want)
		}
	}
}

func TestAnInstanceAcceptsOnlyItsOwn(t *testing.T) {
	t.Parallel()
	sign := newSigner(t, hallpass.EdDSA)
	shop := newSiteWith(t, sign, func(c *hallpass.Config) { c.Instance = "shop" })
	blog := newSiteWith(t, sign, func(c *hallpass.Config) { c.Instance = "shopping" })
	any := newSiteWith(t, sign, func(c *hallpass.Config) { c.Instance = "*" })
	token := shop.issue(t, hallpass.Spec{}).Token.Reveal()
	for name, row := range map[string]struct {
		site *site
		want string
	}{"its own": {shop, "valid"}, "another": {blog, "wrong_audience"}, "one for all": {any, "valid"}} {
		if _, err := row.site.verify(token); reason(err) != row.want {
			t.Errorf("%s: %s, want %s", name, reason(err), row.want)
		}
	}
	if _, err := any.Issue(t.Context(), hallpass.Spec{Scope: "x"}); !errors.Is(err, hallpass.ErrUnavailable) {
		t.Errorf("an instance of * issued: %v", err)
	}
}

func TestPublicCollapsesWhatWasNotProven(t *testing.T) {
	t.Parallel()
	hidden := map[hallpass.Refusal]bool{
		hallpass.RefusalMissing:   true,
		hallpass.RefusalMalformed: true, hallpass.RefusalUnknownKey: true, hallpass.RefusalBadSignature: true,
		hallpass.RefusalWrongType: true, hallpass.RefusalMissingClaim: true, hallpass.RefusalUnknownPass: true,
	}
	for _, r := range hallpass.Refusals() {
		want := r
		if hidden[r] {
			want = hallpass.RefusalBadSignature
		}
		if got := r.Public(); got != want {
			t.Errorf("%s is shown as %s, want %s", r, got, want)
		}
	}
}
