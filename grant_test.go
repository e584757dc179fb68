package hallpass_test

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hallpass-go/hallpass"
)

// granted asks a site whether a pass with the grants covers the request.
func (s *site) granted(t testing.TB, method, path string, grants ...string) bool {
	t.Helper()
	text := s.Sign.pass(map[string]any{"grt": grants})
	_, err := s.Verify(hallpass.Presentation{Token: hallpass.NewToken(text), Method: method, Path: path})
	if err != nil && !errors.Is(err, hallpass.RefusalNotGranted) {
		t.Fatalf("%q for %s %s: %v", grants, method, path, err)
	}
	return err == nil
}

func TestWhatAGrantCovers(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	rows := []struct {
		name, grant, method, path string
		want                      bool
	}{
		{"itself", "GET /foo", "GET", "/foo", true},
		{"what is below it", "GET /foo", "GET", "/foo/bar/baz", true},
		{"itself with a trailing slash", "GET /foo", "GET", "/foo/", true},
		{"not what only begins like it", "GET /foo", "GET", "/foobar", false},
		{"not what only begins like it, with a dot", "GET /foo", "GET", "/foo.json", false},
		{"not what is above it", "GET /foo/bar", "GET", "/foo", false},
		{"not another case", "GET /foo", "GET", "/Foo", false},
		{"the root covers all", "GET /", "GET", "/foo/bar", true},
		{"a folder", "GET /foo/", "GET", "/foo/bar", true},
		{"not what is beside a folder", "GET /foo/", "GET", "/foo", false},
		{"the other user's number", "GET /api/users/1", "GET", "/api/users/10", false},
		{"exactly itself", "GET =/foo", "GET", "/foo", true},
		{"exactly, so not what is below", "GET =/foo", "GET", "/foo/bar", false},
		{"exactly, so not with a trailing slash", "GET =/foo", "GET", "/foo/", false},
		{"GET covers HEAD", "GET /foo", "HEAD", "/foo", true},
		{"HEAD does not cover GET", "HEAD /foo", "GET", "/foo", false},
		{"not another method", "GET /foo", "POST", "/foo", false},
		{"not a method in lower case", "GET /foo", "get", "/foo", false},
		{"not an unknown method", "GET /foo", "GETX", "/foo", false},
		{"an encoded letter", "GET /foo", "GET", "/%66oo", true},
		{"an IRI asked for in its encoded form", "GET /ünï", "GET", "/%C3%BCn%C3%AF", true},
		{"an encoded IRI asked for plainly", "GET /%c3%bcn%C3%AF", "GET", "/ünï", true},
		{"a space", "GET /a b", "GET", "/a%20b", true},
		{"a plus is a plus", "GET /a+b", "GET", "/a%20b", false},
		{"a percent sign", "GET /100%25", "GET", "/100%25", true},
		{"the asterisk form", "OPTIONS /", "OPTIONS", "*", false},
		{"an absolute URL", "GET /", "GET", "http://host/foo", false},
		{"no slash", "GET /", "GET", "foo", false},
	}
	for _, row := range rows {
		if got := s.granted(t, row.method, row.path, row.grant); got != row.want {
			t.Errorf("%s: %q for %s %s is %v", row.name, row.grant, row.method, row.path, got)
		}
	}
}

func TestAPathThatCouldBeReadInTwoWaysIsNotGranted(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, path := range []string{
		"/foo/../admin", "/foo/..", "/foo/.", "/./foo", "/../foo", "/foo/%2e%2e/admin", "/foo/%2E%2e", "/foo/.%2e/admin", "/foo/%2e",
		"/foo/%2fadmin", "/foo%2Fbar", "/foo/%5cadmin", "/foo\\bar", "/foo/..%5cadmin", "/foo/%5C..", "//foo", "/foo//bar", "/foo//", "//",
		"/foo;x", "/foo;/../admin", "/foo/..;/admin", "/foo%3bx", "/foo%00", "/foo\x00", "/foo%0a", "/foo\n", "/foo%7f", "/foo%1f",
		"/foo%2561", "/foo%252e%252e/admin", "/foo%25%32%65", "/foo%252f", "/foo%", "/foo%4", "/foo%zz", "/foo%u002e",
		"/foo%ff", "/foo\xff", "/foo%c0%ae%c0%ae/admin", "/foo%e0%80%af", "/foo%ed%a0%80", "/foo/%c2\x8c", "/foo?x", "/foo#x", "/foo%3fx", "/foo%23x",
	} {
		if s.granted(t, "GET", path, "GET /") {
			t.Errorf("%q is granted", path)
		}
		if clean, ok := hallpass.CleanPath(path); ok {
			t.Errorf("%q is clean as %q", path, clean)
		}
		if g, err := hallpass.ParseGrant("GET " + path); err == nil {
			t.Errorf("%q is a grant: %+v", path, g)
		}
	}
}

func TestGrantsReadWhatTheyWrite(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]hallpass.Grant{
		"GET /a":         {Method: "GET", Path: "/a"},
		"DELETE =/":      {Method: "DELETE", Path: "/", Exact: true},
		"PUT /a%20b":     {Method: "PUT", Path: "/a b"},
		"PATCH /ü/":      {Method: "PATCH", Path: "/ü/"},
		"OPTIONS /50%25": {Method: "OPTIONS", Path: "/50%"},
		"HEAD /=a":       {Method: "HEAD", Path: "/=a"},
	} {
		got, err := hallpass.ParseGrant(text)
		if err != nil || got != want {
			t.Errorf("%q is %+v, %v", text, got, err)
		}
		if back, err := hallpass.ParseGrant(got.String()); err != nil || back != got {
			t.Errorf("%q comes back as %+v, %v", got.String(), back, err)
		}
		var fromJSON hallpass.Grant
		encoded, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(encoded, &fromJSON); err != nil || fromJSON != got {
			t.Errorf("%s comes back as %+v, %v", encoded, fromJSON, err)
		}
	}
	for _, text := range []string{"", "GET", "GET ", "/a", "get /a", "TRACE /a", "CONNECT /a", "GET  /a", "GET a", "GET ==/a", "GET /a?b", "GET\t/a", "* /a"} {
		if g, err := hallpass.ParseGrant(text); err == nil {
			t.Errorf("%q is %+v", text, g)
		} else if f, ok := errors.AsType[*hallpass.FieldError](err); !ok || f.Field != "grants" {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// ambiguous is written apart from the code it judges: it looks at the text, and
// at the text decoded as often as it can be.
func ambiguous(path string) bool {
	for range 5 {
		if strings.ContainsAny(path, "\\;?#") || strings.Contains(path, "//") || !utf8.ValidString(path) {
			return true
		}
		for _, c := range []byte(path) {
			if c < 0x20 || c == 0x7f {
				return true
			}
		}
		for _, segment := range strings.Split(path, "/") {
			if segment == "." || segment == ".." {
				return true
			}
		}
		slashes := strings.Count(path, "/")
		next, err := url.PathUnescape(path)
		if err != nil || next == path {
			return false
		}
		if strings.Count(next, "/") != slashes {
			return true
		}
		path = next
	}
	return true
}

func FuzzGrant(f *testing.F) {
	s := newSite(f)
	for _, seed := range [][2]string{
		{"/foo", "/foo/bar"}, {"/foo", "/foobar"}, {"/foo/", "/foo/%2e%2e/x"}, {"/", "/a%2fb"}, {"/ü", "/%C3%BC/x"}, {"=/a", "/a/"},
		{"/a", "/a/%252e%252e/b"}, {"/a", "/a;x/b"}, {"/a", "/a//b"}, {"/a", "/a\\b"}, {"/100%25", "/100%25/x"}, {"/a", "/a/%c0%ae"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, granted, asked string) {
		clean, ok := hallpass.CleanPath(asked)
		if ok {
			if ambiguous(asked) {
				t.Fatalf("%q is clean as %q", asked, clean)
			}
			// The clean form, written as a URL writes it, is its own clean form.
			if again, ok := hallpass.CleanPath((&url.URL{Path: clean}).EscapedPath()); !ok || again != clean {
				t.Fatalf("%q is %q and then %q, %v", asked, clean, again, ok)
			}
			if !strings.Contains(clean, "%") {
				if again, ok := hallpass.CleanPath(clean); !ok || again != clean {
					t.Fatalf("%q is not its own clean form: %q, %v", clean, again, ok)
				}
			}
		}
		g, err := hallpass.ParseGrant("GET " + granted)
		if err != nil {
			return
		}
		if back, err := hallpass.ParseGrant(g.String()); err != nil || back != g {
			t.Fatalf("%q is %+v and then %+v, %v", granted, g, back, err)
		}
		if asked == "" || len(granted) > 500 || !s.granted(t, "GET", asked, g.String()) {
			return
		}
		switch {
		case !ok:
			t.Fatalf("%q is granted by %q and not clean", asked, granted)
		case clean == g.Path:
		case g.Exact:
			t.Fatalf("%q is granted by exactly %q", asked, granted)
		case !strings.HasPrefix(clean, strings.TrimSuffix(g.Path, "/")+"/"):
			t.Fatalf("%q is granted by %q", asked, granted)
		}
	})
}
