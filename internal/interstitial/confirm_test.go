package interstitial_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/interstitial"
)

func confirm(t *testing.T, v interstitial.ConfirmView) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	if err := newPages(t, nil).Confirm(w, httptest.NewRequest("GET", "/", nil), v); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestConfirmSaysWhatTheButtonDoes(t *testing.T) {
	t.Parallel()
	public := hallpass.Entry{Pass: hallpass.Pass{Scope: "invite", Mode: hallpass.ModePublic, Subject: "hugo@example.com"}}
	tests := []struct {
		name string
		view interstitial.ConfirmView
		want []string
		not  []string
	}{
		{"a session", interstitial.ConfirmView{Entry: sessionEntry()}, []string{">Sign in as h•••o@example.com<", ">Sign in</button>", "once", "in 10 minutes", "Waiting for you"}, nil},
		{"a request", interstitial.ConfirmView{Entry: requestEntry()}, []string{">Continue as h•••o@example.com<", ">Continue</button>", "7 more times", "GET /reports"}, nil},
		{"a public pass names nobody", interstitial.ConfirmView{Entry: public}, []string{">Continue<", ">Continue</button>", "anyone with the link"}, []string{"•••"}},
		{"an unknown mode counts as public", interstitial.ConfirmView{Entry: hallpass.Entry{}}, []string{">Continue</button>"}, nil},
		{"the application's words", interstitial.ConfirmView{Entry: requestEntry(), Title: "Leave?", Sentence: "No more letters.", Button: "Unsubscribe"}, []string{"<h1>Leave?</h1>", "<title>Leave?</title>", ">No more letters.<", ">Unsubscribe</button>"}, []string{"Continue"}},
		{"a nicer name for the subject", interstitial.ConfirmView{Entry: sessionEntry(), Account: "fern@garden.example"}, []string{"Sign in as f•••n@garden.example"}, []string{"h•••o"}},
		{"somebody else is signed in", interstitial.ConfirmView{Entry: sessionEntry(), SignedInAs: "anna@example.com"}, []string{"You are signed in as a•••a@example.com", "signs in h•••o@example.com"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.view.Action, tt.view.Now = action(), noon
			page := confirm(t, tt.view).Body.String()
			for _, want := range tt.want {
				if !strings.Contains(page, want) {
					t.Errorf("the page does not say %q", want)
				}
			}
			for _, not := range tt.not {
				if strings.Contains(page, not) {
					t.Errorf("the page says %q", not)
				}
			}
		})
	}
}

func TestConfirmPostsTheHiddenFields(t *testing.T) {
	t.Parallel()
	hidden := []interstitial.Field{{Name: "nonce", Value: `a"b<c>&d`}, {Name: "rt", Value: "e.y.J"}}
	w := confirm(t, interstitial.ConfirmView{
		Entry: sessionEntry(), Now: noon,
		Action: interstitial.Action{URL: "/account?x=1&y=%2F&z=a+b", Hidden: hidden},
	})
	var got []interstitial.Field
	var form element
	for _, e := range elements(t, w.Body.String()) {
		switch {
		case e.name == "form":
			form = e
		case e.name == "input":
			got = append(got, interstitial.Field{Name: e.attrs["name"], Value: e.attrs["value"]})
		}
	}
	if diff := cmp.Diff(hidden, got); diff != "" {
		t.Errorf("hidden fields (-want +got):\n%s", diff)
	}
	if form.attrs["method"] != "post" || form.attrs["action"] != "/account?x=1&y=%2F&z=a+b" {
		t.Errorf("form %v", form.attrs)
	}
}

func TestConfirmAsksForTheCode(t *testing.T) {
	t.Parallel()
	for _, wrong := range []bool{false, true} {
		w := confirm(t, interstitial.ConfirmView{Entry: sessionEntry(), Now: noon, Action: action(), Code: &interstitial.CodeField{Name: "the_code", Wrong: wrong}})
		found := false
		for _, e := range elements(t, w.Body.String()) {
			if e.name == "input" && e.attrs["name"] == "the_code" {
				found = true
				if e.attrs["autocomplete"] != "one-time-code" || e.attrs["inputmode"] != "numeric" {
					t.Errorf("the field is %v", e.attrs)
				}
				if got := e.attrs["aria-invalid"] == "true"; got != wrong {
					t.Errorf("aria-invalid is %t, want %t", got, wrong)
				}
			}
		}
		if !found {
			t.Error("there is no field for the code")
		}
		if got := strings.Contains(w.Body.String(), "That was not the code"); got != wrong {
			t.Errorf("the page complains: %t, want %t", got, wrong)
		}
	}
}

func TestConfirmListsTheTargetInItsPolicy(t *testing.T) {
	t.Parallel()
	w := confirm(t, interstitial.ConfirmView{
		Entry: sessionEntry(), Now: noon, Target: "https://app.example/somewhere",
		Action: interstitial.Action{URL: "https://app.example/hallpass/confirm"},
	})
	if got := w.Header().Get("Content-Security-Policy"); !strings.HasSuffix(got, "form-action 'self' https://app.example") {
		t.Errorf("policy %q", got)
	}
}

func TestNoPageLeadsOffTheSite(t *testing.T) {
	t.Parallel()
	p := newPages(t, nil)
	request := requestEntry()
	for _, target := range []string{
		"javascript:alert('secret')", "JavaScript:alert('secret')", "data:text/html,secret", "vbscript:secret",
		"//evil.example/secret", `/\evil.example/secret`, "///evil.example/secret", "https:evil.example/secret",
		"https://evil.example/secret", "https://app.example@evil.example/secret", "/\tsecret", "/\nsecret", " //secret",
	} {
		bad := interstitial.Action{URL: target}
		for name, write := range map[string]func(w http.ResponseWriter, r *http.Request) error{
			"confirm": func(w http.ResponseWriter, r *http.Request) error {
				return p.Confirm(w, r, interstitial.ConfirmView{Entry: request, Action: bad, Target: "https://app.example", Now: noon})
			},
			"fresh link": func(w http.ResponseWriter, r *http.Request) error {
				return p.Refused(w, r, interstitial.RefusedView{Refusal: hallpass.RefusalExpired, Entry: &request, FreshLink: &bad, Target: "https://app.example", Now: noon})
			},
			"already done": func(w http.ResponseWriter, r *http.Request) error {
				return p.AlreadyDone(w, r, interstitial.AlreadyDoneView{Next: target, Target: "https://app.example", Now: noon})
			},
			"moving on": func(w http.ResponseWriter, r *http.Request) error {
				return p.MovingOn(w, r, interstitial.MovingOnView{URL: target, Target: "https://app.example"})
			},
			"no cookie": func(w http.ResponseWriter, r *http.Request) error {
				return p.NoCookie(w, r, interstitial.NoCookieView{Open: target, Target: "https://app.example"})
			},
		} {
			w := httptest.NewRecorder()
			err := write(w, httptest.NewRequest("GET", "/", nil))
			switch {
			case err == nil:
				t.Errorf("%s shows %q", name, target)
			case strings.Contains(err.Error(), "secret"):
				t.Errorf("%s: the error repeats the URL, which may carry a token: %v", name, err)
			case w.Code != http.StatusInternalServerError || w.Body.String() != "internal error\n":
				t.Errorf("%s answers %d %q", name, w.Code, w.Body)
			}
		}
	}
}

const hostile = `"><script>alert(1)</script><b onclick='x' style="y">{{.}}</b><!-- javascript:alert(1)`

func TestNoFieldCanWriteMarkup(t *testing.T) {
	t.Parallel()
	p := newPages(t, &interstitial.Options{Site: hostile})
	session := sessionEntry()
	session.Scope, session.Subject, session.Recipient = hostile, hostile, hostile
	session.Batch, session.ID, session.Key, session.Target = hostile, hostile, hostile, hostile
	session.Data = []byte(`"</script><script>alert(1)"`)
	session.Grants = []hallpass.Grant{{Method: hostile, Path: hostile}}
	act := interstitial.Action{URL: "/?q=" + "%22%3E<script>alert(1)</script>", Hidden: []interstitial.Field{{Name: hostile, Value: hostile}}}
	for name, write := range map[string]func(w http.ResponseWriter, r *http.Request) error{
		"confirm": func(w http.ResponseWriter, r *http.Request) error {
			return p.Confirm(w, r, interstitial.ConfirmView{
				Entry: session, Title: hostile, Sentence: hostile, Button: hostile, Account: hostile, SignedInAs: hostile,
				Action: act, Code: &interstitial.CodeField{Name: hostile, Wrong: true}, Target: hostile, Now: noon,
			})
		},
		"confirm by default": func(w http.ResponseWriter, r *http.Request) error {
			return p.Confirm(w, r, interstitial.ConfirmView{Entry: session, Action: act, Now: noon})
		},
		"refused": func(w http.ResponseWriter, r *http.Request) error {
			return p.Refused(w, r, interstitial.RefusedView{
				Refusal: hallpass.RefusalExpired, Entry: &session, Sentence: hostile, Account: hostile,
				SignedInAs: hostile, FreshLink: &act, Target: hostile, Now: noon,
			})
		},
		"refused for a reason of its own": func(w http.ResponseWriter, r *http.Request) error {
			return p.Refused(w, r, interstitial.RefusedView{Refusal: hostile, Entry: &session, Now: noon})
		},
		"wrong subject": func(w http.ResponseWriter, r *http.Request) error {
			return p.Refused(w, r, interstitial.RefusedView{Refusal: hallpass.RefusalWrongSubject, Entry: &session, SignedInAs: hostile, Now: noon})
		},
		"already done": func(w http.ResponseWriter, r *http.Request) error {
			return p.AlreadyDone(w, r, interstitial.AlreadyDoneView{Entry: &session, Sentence: hostile, Account: hostile, Next: act.URL, Target: hostile, Now: noon})
		},
		"moving on": func(w http.ResponseWriter, r *http.Request) error {
			return p.MovingOn(w, r, interstitial.MovingOnView{URL: act.URL, Target: hostile, Title: hostile, Sentence: hostile})
		},
		"no cookie": func(w http.ResponseWriter, r *http.Request) error {
			return p.NoCookie(w, r, interstitial.NoCookieView{Open: act.URL, Target: hostile})
		},
		"fresh link sent": func(w http.ResponseWriter, r *http.Request) error {
			return p.FreshLinkSent(w, r, interstitial.FreshLinkSentView{Account: hostile})
		},
		"unsubscribed": func(w http.ResponseWriter, r *http.Request) error {
			return p.Unsubscribed(w, r, interstitial.UnsubscribedView{Account: hostile, List: hostile})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			if err := write(w, httptest.NewRequest("GET", "/", nil)); err != nil {
				t.Fatal(err)
			}
			checkInert(t, w.Body.String())
			if strings.Contains(w.Body.String(), "<script") {
				t.Error("the page has a script")
			}
			if policy := w.Header().Get("Content-Security-Policy"); strings.Contains(policy, "script") {
				t.Errorf("policy %q", policy)
			}
		})
	}
}
