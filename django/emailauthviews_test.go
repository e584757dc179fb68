package django_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass/django"
	"github.com/hallpass-go/hallpass/login"
)

// flowVector is a vector of the kind with these settings, without its steps.
func flowVector(t *testing.T, is func(vector) bool) vector {
	t.Helper()
	for _, v := range readVectors(t, "testdata/vectors.json").Vectors {
		if v.Kind == "jea-flow" && is(v) {
			return v
		}
	}
	t.Fatal("there is no such vector")
	return vector{}
}

func TestRefreshTokensThatDjangoMadeAreTakenOver(t *testing.T) {
	t.Parallel()
	taken, chained := 0, 0
	for _, v := range readVectors(t, "testdata/vectors.json").Vectors {
		for _, step := range v.Steps {
			access, refresh := pairOf(step.Expect.Body)
			if v.Kind != "jea-flow" || step.Request.Target != "/login" || refresh == "" {
				continue
			}
			s, err := newFlowSite(t, v, func(c *login.Config) {
				c.Former, c.Tokens, c.RefreshGrace = []login.TokenForm{*c.Tokens}, nil, 0
			})
			if err != nil {
				t.Fatal(err)
			}
			s.now = v.now(t).Add(floatDuration(step.Request.DT) + 3*time.Minute)
			a, err := s.login.OpenAccess(access)
			if err != nil {
				t.Errorf("%s: its access token: %v", v.ID, err)
			}
			tokens, err := s.login.Refresh(t.Context(), refresh)
			if v.Config.Rotate {
				chained++
				if err == nil {
					t.Errorf("%s: a token of a chain was taken over, though nobody said that it is current", v.ID)
				}
				continue
			}
			if err != nil || tokens.Session.Subject != a.Subject || !strings.HasPrefix(tokens.Refresh.Reveal(), "hpr_") {
				t.Errorf("%s: taken over as %+v, %v", v.ID, tokens.Session, err)
			}
			taken++
		}
	}
	if taken == 0 || chained == 0 {
		t.Errorf("%d tokens were taken over and %d of chains refused; nothing was tried", taken, chained)
	}
}

func TestOldFrontEndsAreAnsweredAsBefore(t *testing.T) {
	t.Parallel()
	v := flowVector(t, func(v vector) bool {
		return !v.quirky() && v.CipherKey == "" && v.Flow.Updateable != nil && !v.Config.Rotate
	})
	v.Steps = nil
	s, err := newFlowSite(t, v, nil)
	if err != nil {
		t.Fatal(err)
	}
	const form, json = "application/x-www-form-urlencoded", "application/json"
	for _, c := range []struct {
		name, method, target, kind, body string
		status                           int
		part                             string
	}{
		{"another method", "PUT", "/login", json, `{}`, 405, `{"detail":"Method \"PUT\" not allowed."}`},
		{"a GET of a POST", "GET", "/refresh", "", ``, 405, `{"detail":`},
		{"another type", "POST", "/login", "text/plain", `x`, 415, `{"detail":`},
		{"a body too large", "POST", "/login", json, `{"email":"` + strings.Repeat("a", 9000) + `"}`, 413, `{"detail":`},
		{"no JSON object", "POST", "/authenticate", json, `[1]`, 400, `{"detail":"JSON parse error`},
		{"a name twice", "POST", "/authenticate", json, `{"email":"a@example.org","email":"b@example.org"}`, 400, `{"detail":"JSON parse error`},
		{"both missing", "POST", "/login", json, `{}`, 400, `{"code":["This field is required."],"email":["This field is required."]}`},
		{"not text", "POST", "/authenticate", json, `{"email":["a@example.org"]}`, 400, `{"email":["Not a valid string."]}`},
		{"blank", "POST", "/authenticate", json, `{"email":" "}`, 400, `{"email":["This field may not be blank."]}`},
		{"no address", "POST", "/authenticate", form, `email=nobody`, 400, `{"email":["`},
		{"a form", "POST", "/authenticate", form, `email=ann%40example.org&csrf=1`, 204, ``},
		{"a number, and a field too many", "POST", "/login", json, `{"email":"ann@example.org","code":1234567,"next":"https://evil.example"}`, 403, `{"detail":"Incorrect login code."}`},
		{"an address nobody asked for", "POST", "/login", json, `{"email":"bob@example.org","code":"1234567"}`, 404, `{"detail":"No login code found."}`},
		{"no token", "POST", "/refresh", "", ``, 400, `{"token":["This field is required."]}`},
		{"three parts of nothing", "POST", "/refresh", json, `{"token":"a.b.c"}`, 403, `{"detail":"Error decoding signature."}`},
		{"no data", "POST", "/update", json, `{"token":"a.b.c"}`, 400, `{"data":["This field is required."]}`},
		{"nobody's claims", "GET", "/claims", "", ``, 401, `{"detail":"Authentication credentials were not provided."}`},
		{"the login's own paths", "POST", "/login/refresh", json, `{}`, 401, `"code":"bad_signature"`},
	} {
		r := vectorRequest{Method: c.method, Target: c.target, ContentType: c.kind, Body: c.body}
		status, body := s.do(r)
		if status != c.status || !strings.Contains(string(body), c.part) {
			t.Errorf("%s: %d %s, want %d %s", c.name, status, body, c.status, c.part)
		}
	}
	for path, part := range map[string]string{"/login": "<form", "/login/link?token=x": "<html"} {
		_, body := s.do(vectorRequest{Method: "GET", Target: path, Headers: map[string]string{"Accept": "text/html"}})
		if !strings.Contains(string(body), part) {
			t.Errorf("%s is no page: %s", path, body)
		}
	}
	status, _ := s.do(vectorRequest{Method: "POST", Target: "/authenticate", ContentType: "application/json", Body: `{"email":"eve@example.org"}`, Headers: map[string]string{"Sec-Fetch-Site": "cross-site"}})
	if status != http.StatusForbidden {
		t.Errorf("another site asked for a mail: %d", status)
	}
}

func TestAnErrorThatIsNotOfTheOldPathsIsLeftAlone(t *testing.T) {
	t.Parallel()
	r, err := http.NewRequestWithContext(t.Context(), "POST", "/login", nil)
	if err != nil {
		t.Fatal(err)
	}
	if (django.EmailAuthViews{}).Refused(nil, r, 403, http.ErrBodyNotAllowed) {
		t.Error("it was answered")
	}
}

func TestOldFrontEndsWithCookiesStaySignedIn(t *testing.T) {
	t.Parallel()
	v := flowVector(t, func(v vector) bool { return v.CipherKey != "" })
	v.Steps = nil
	s, err := newFlowSite(t, v, func(c *login.Config) { c.HTTP.Prefer = "cookies"; c.Path = "/auth" })
	if err != nil {
		t.Fatal(err)
	}
	post := func(path, body string) int {
		t.Helper()
		status, _ := s.do(vectorRequest{Method: "POST", Target: path, ContentType: "application/json", Body: body})
		return status
	}
	if status := post("/auth/authenticate", `{"email":"ann@example.org"}`); status != 204 {
		t.Fatal(status)
	}
	<-s.handled
	if status := post("/auth/login", `{"email":"ann@example.org","code":"`+s.codes["ann@example.org"]+`"}`); status != 204 {
		t.Fatal(status)
	}
	s.browsers[""] = s.browsers["ann@example.org"]
	for _, path := range []string{"/auth/refresh", "/auth/logout"} {
		if status := post(path, ""); status != 204 {
			t.Errorf("%s: %d", path, status)
		}
	}
	if status := post("/auth/refresh", ""); status != 400 {
		t.Errorf("after the logout: %d", status)
	}
}
