package guard_test

import (
	"bytes"
	"mime/multipart"
	"net/url"
	"strings"
	"testing"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/guard"
)

const everywhere = guard.Query | guard.Header | guard.Form | guard.JSON | guard.Cookie

var api = hallpass.Spec{Scope: "api", Mode: hallpass.ModeRequest, Subject: "7", MaxUses: hallpass.Unlimited, TTL: hallpass.NoExpiry}

func TestTransports(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.handle("/all", "api", &guard.Options{Transports: everywhere, Confirm: guard.ConfirmNever})
	s.handle("/tmp", "api", &guard.Options{Transports: guard.Header, Keyword: "TmpToken"})
	s.handle("/link", "api", &guard.Options{Transports: guard.Query, Confirm: guard.ConfirmNever})
	s.handle("/small", "api", &guard.Options{Transports: guard.Form, MaxBody: 100})
	token := s.issue(api).Token.Reveal()
	form := "application/x-www-form-urlencoded"
	many := func(names ...string) (string, string) {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		for _, n := range names {
			w.WriteField(n, token)
		}
		w.WriteField("other", "kept")
		w.Close()
		return b.String(), w.FormDataContentType()
	}
	multi, multiType := many("rt")
	double, doubleType := many("rt", "rt")
	rows := []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		part                     string
	}{
		{"a query parameter", "GET", "/all?rt=" + token, "", nil, 200, "subject=7"},
		{"a query parameter of a PUT", "PUT", "/all?rt=" + token, "text", nil, 200, "PUT /all subject=7 data= confirmed=false body=text"},
		{"an encoded parameter name", "GET", "/all?r%74=" + token, "", nil, 200, "subject=7"},
		{"a bearer header", "DELETE", "/all", "", []string{"Authorization", "Bearer " + token}, 200, "DELETE /all subject=7"},
		{"a bearer header in another case", "GET", "/all", "", []string{"Authorization", "bEARER  " + token}, 200, "subject=7"},
		{"a keyword of the route", "GET", "/tmp", "", []string{"Authorization", "TmpToken " + token}, 200, "subject=7"},
		{"a tab behind the keyword", "GET", "/tmp", "", []string{"Authorization", "TmpToken\t" + token}, 200, "subject=7"},
		{"HEAD with a header runs the handler", "HEAD", "/all", "", []string{"Authorization", "Bearer " + token}, 200, ""},
		{"a form field, and the body is still there", "POST", "/all", "a=1&rt=" + token, []string{"Content-Type", form}, 200, "body=a=1&rt="},
		{"a multipart field", "POST", "/all", multi, []string{"Content-Type", multiType}, 200, "kept"},
		{"a JSON member", "PATCH", "/all", `{"a":[1],"rt":"` + token + `"}`, []string{"Content-Type", "application/json; charset=utf-8"}, 200, `body={"a"`},
		{"a JSON member of another JSON type", "POST", "/all", `{"rt":"` + token + `"}`, []string{"Content-Type", "application/vnd.api+json"}, 200, "subject=7"},
		{"a cookie on a safe method", "GET", "/all", "", []string{"Cookie", "hallpass=" + token}, 200, "subject=7"},
		{"a cookie on an unsafe method of our own page", "POST", "/all", "", []string{"Cookie", "hallpass=" + token, "Sec-Fetch-Site", "same-origin"}, 200, "subject=7"},
		{"a cookie on an unsafe method of another site", "POST", "/all", "", []string{"Cookie", "hallpass=" + token, "Sec-Fetch-Site", "cross-site"}, 401, "bad_signature"},

		{"two transports at once", "GET", "/all?rt=" + token, "", []string{"Authorization", "Bearer " + token}, 401, "bad_signature"},
		{"one parameter twice", "GET", "/all?rt=" + token + "&rt=" + token, "", nil, 403, "bad_signature"},
		{"one parameter twice, once empty", "GET", "/all?rt=&rt=" + token, "", nil, 403, "bad_signature"},
		{"one parameter twice, once encoded", "GET", "/all?rt=" + token + "&%72t=x", "", nil, 403, "bad_signature"},
		{"two headers", "GET", "/all", "", []string{"Authorization", "Bearer " + token, "Authorization", "Bearer " + token}, 401, "bad_signature"},
		{"one form field twice", "POST", "/all", "rt=" + token + "&rt=" + token, []string{"Content-Type", form}, 403, "bad_signature"},
		{"one multipart field twice", "POST", "/all", double, []string{"Content-Type", doubleType}, 403, "bad_signature"},
		{"one JSON member twice", "POST", "/all", `{"rt":"` + token + `","rt":"x"}`, []string{"Content-Type", "application/json"}, 403, "bad_signature"},
		{"one JSON member twice behind an escape", "POST", "/all", `{"rt":"` + token + `","\u0072t":"x"}`, []string{"Content-Type", "application/json"}, 403, "bad_signature"},
		{"two cookies", "GET", "/all", "", []string{"Cookie", "hallpass=" + token + "; hallpass=" + token}, 403, "bad_signature"},
		{"no token", "GET", "/all", "", nil, 401, "bad_signature"},
		{"another scheme", "GET", "/all", "", []string{"Authorization", "Basic " + token}, 401, "bad_signature"},
		{"a scheme alone", "GET", "/all", "", []string{"Authorization", "Bearer "}, 401, "bad_signature"},

		{"a header where only links count", "GET", "/link", "", []string{"Authorization", "Bearer " + token}, 403, "bad_signature"},
		{"a form where only links count", "POST", "/link", "rt=" + token, []string{"Content-Type", form}, 403, "bad_signature"},
		{"a body over the limit", "POST", "/small", "rt=" + token + strings.Repeat("x", 100), []string{"Content-Type", form}, 413, "invalid"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			a := newBrowser(t).do(row.method, s.server.URL+row.path, strings.NewReader(row.body), row.headers...)
			want(t, a, row.status, row.part)
		})
	}
}

func TestTheHandlerSeesNoTokenInTheURL(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.handle("/u", "api", &guard.Options{Confirm: guard.ConfirmNever})
	link := s.link("/u?b=2&a=1&b=3", api)
	a := newBrowser(t).open(link)
	want(t, a, 200, "GET /u?b=2&a=1&b=3 subject=7")
	for name, value := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"} {
		if got := a.header.Get(name); got != value {
			t.Errorf("%s of the application's page: %q, want %q", name, got, value)
		}
	}
}

func TestOptionalLetsNobodyInWithABadToken(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.mux.Handle("/", s.guard.Optional("api", &guard.Options{Confirm: guard.ConfirmNever})(httpHandler(s)))
	b := newBrowser(t)
	want(t, b.do("GET", s.server.URL+"/", nil), 200, "no pass")
	want(t, b.do("GET", s.link("/", api), nil), 200, "subject=7")
	want(t, b.do("GET", s.server.URL+"/?rt=nonsense", nil), 403, "bad_signature")
}

func TestGrants(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	guarded := s.guard.Require("api", nil)(httpHandler(s))
	s.server.Config.Handler = guarded // as paths come, uncleaned
	parse := func(text string) hallpass.Grant {
		g, err := hallpass.ParseGrant(text)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	token := s.issue(hallpass.Spec{
		Scope: "api", Mode: hallpass.ModeRequest, Subject: "7",
		Grants: []hallpass.Grant{parse("GET /reports"), parse("POST =/upload"), parse("GET /é")},
	}).Token.Reveal()
	rows := []struct {
		method, path string
		headers      []string
		status       int
	}{
		{"GET", "/reports", nil, 200},
		{"HEAD", "/reports", nil, 200},
		{"GET", "/reports/2026/11?x=..%2f", nil, 200},
		{"GET", "/%C3%A9/x", nil, 200},
		{"POST", "/upload", nil, 200},
		{"POST", "/upload/x", nil, 403},
		{"POST", "/reports", nil, 403},
		{"GET", "/reportsX", nil, 403},
		{"GET", "/Reports", nil, 403},
		{"GET", "/reports/../admin", nil, 403},
		{"GET", "/reports/%2e%2e/admin", nil, 403},
		{"GET", "/reports%2fx", nil, 403},
		{"GET", "/reports/%252e%252e/x", nil, 403},
		{"GET", "/reports//x", nil, 403},
		{"GET", "/reports;x=1", nil, 403},
		{"GET", "/reports/%5c..", nil, 403},
		{"GET", "/reports/%00", nil, 403},
		{"GET", "/reports", []string{"X-HTTP-Method-Override", "DELETE"}, 403},
		{"GET", "/reports", []string{"X-Method-Override", "DELETE"}, 403},
	}
	for _, row := range rows {
		t.Run(row.method+" "+row.path, func(t *testing.T) {
			t.Parallel()
			headers := append([]string{"Authorization", "Bearer " + token}, row.headers...)
			u, err := url.Parse(s.server.URL)
			if err != nil {
				t.Fatal(err)
			}
			u.Opaque = "//" + u.Host + row.path // keeps the spelling
			a := newBrowser(t).doURL(row.method, u, headers...)
			if a.status != row.status {
				t.Errorf("%d, want %d: %s", a.status, row.status, a.body)
			}
			if row.status == 403 && a.code(t) != "not_granted" {
				t.Errorf("%s", a.body)
			}
		})
	}
}
