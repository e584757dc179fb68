package gate_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/gate"
)

func TestRulesForLoginsSayWhatIsWrong(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		rule  gate.Rule
		field string // empty: nothing is
	}{
		"no more than the access":       {gate.Rule{Access: gate.AccessLogin}, ""},
		"with some of those who may":    {gate.Rule{Access: gate.AccessLogin, Allow: []string{"ada@example.com", "*@example.org"}}, ""},
		"with an exact host":            {gate.Rule{Access: gate.AccessLogin, Host: "app.example.com"}, ""},
		"with any host of a domain":     {gate.Rule{Access: gate.AccessLogin, Host: "*.example.com"}, "rules.0.host"},
		"with a scope":                  {gate.Rule{Access: gate.AccessLogin, Scope: "login"}, "rules.0.scope"},
		"with modes":                    {gate.Rule{Access: gate.AccessLogin, Modes: []hallpass.Mode{hallpass.ModeSession}}, "rules.0.modes"},
		"with a pattern that is none":   {gate.Rule{Access: gate.AccessLogin, Allow: []string{"ada"}}, "rules.0.allow"},
		"patterns on a rule for passes": {gate.Rule{Scope: "app", Allow: []string{"*"}}, "rules.0.allow"},
		"patterns on a public rule":     {gate.Rule{Access: gate.AccessPublic, Allow: []string{"*"}}, "rules.0.allow"},
		"an access that is none":        {gate.Rule{Access: "logins"}, "rules.0.access"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := gate.Rules{tt.rule}.Check()
			field, wrong := errors.AsType[*hallpass.FieldError](err)
			if wrong != (tt.field != "") || wrong && field.Field != tt.field {
				t.Errorf("%v, want one of %q", err, tt.field)
			}
		})
	}
}

func TestLoginPagesAreOnTheHostsOfTheRules(t *testing.T) {
	t.Parallel()
	rules := gate.Rules{
		{Access: gate.AccessLogin}, {Path: "/x", Access: gate.AccessLogin}, {Host: "Other.example.com", Access: gate.AccessLogin},
		{Host: "open.example.com", Access: gate.AccessPublic}, {Host: "*.example.net", Scope: "app"},
	}
	for base, want := range map[string][]string{
		"https://App.example.com":      {"https://app.example.com", "https://other.example.com"},
		"https://app.example.com:8443": {"https://app.example.com:8443", "https://other.example.com:8443"},
		"http://[::1]:8080":            {"http://[::1]:8080", "http://other.example.com:8080"},
	} {
		if got := rules.LoginOrigins(base); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", base, got, want)
		}
	}
}

// With a rule for logins and nobody who lets people log in, everybody was sent to
// a page that is not there.
func TestWithoutLoginsARuleForThemDecidesNothing(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	if err := f.gate.SetRules(gate.Rules{{Access: gate.AccessLogin}}); err != nil {
		t.Fatal(err)
	}
	c := newClient(t)
	if got := f.do(c, "GET", f.proxy.URL+"/x", "", "Accept", "text/html"); got.status != 503 {
		t.Errorf("%d %s", got.status, got.body)
	}
	for _, path := range []string{"/.hallpass/login", "/.hallpass/login/code", "/.hallpass/logout"} {
		if got := f.do(c, "POST", f.proxy.URL+path, "", "Accept", "text/html"); got.status != 403 {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
}
