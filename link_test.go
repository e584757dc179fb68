package hallpass_test

import (
	"encoding/json"
	"errors"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-go/hallpass"
)

// The cases were made by django-request-token itself.
func TestLinkWritesWhatDjangoWrites(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/tokenise.json")
	if err != nil {
		t.Fatal(err)
	}
	var rows []struct {
		ID, Token, URL, Param, Want string
		Quirk                       *string
	}
	if err := json.Unmarshal(text, &rows); err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if row.Quirk != nil {
			continue // it drops parameters without a value; Link keeps them
		}
		got, err := hallpass.Link(row.URL, hallpass.NewToken(row.Token), row.Param)
		if err != nil || got != row.Want {
			t.Errorf("%s: %q is\n%s (%v), want\n%s", row.ID, row.URL, got, err, row.Want)
		}
		if found, ok := hallpass.FindToken(got, row.Param); !ok || found.Reveal() != row.Token {
			t.Errorf("%s: the token is not found in %q", row.ID, got)
		}
	}
	if len(rows) < 10 {
		t.Errorf("only %d cases", len(rows))
	}
}

func TestLink(t *testing.T) {
	t.Parallel()
	const short = "0123456789ABCDEFabcdef"
	rows := []struct{ name, url, param, want string }{
		{"a bare path", "/p", "", "/p?rt=" + short},
		{"another parameter", "/p?a=1", "token", "/p?a=1&token=" + short},
		{"repetitions in order", "/p?b=2&a=1&b=1", "", "/p?b=2&a=1&b=1&rt=" + short},
		{"parameters without a value", "/p?flag&empty=", "", "/p?flag&empty=&rt=" + short},
		{"an empty query", "/p?", "", "/p?rt=" + short},
		{"an old token in the middle", "/p?a=1&rt=old&b=2", "", "/p?a=1&rt=" + short + "&b=2"},
		{"two old tokens", "/p?rt=old&a=1&rt=older", "", "/p?rt=" + short + "&a=1"},
		{"an old token behind an escape", "/p?r%74=old", "", "/p?rt=" + short},
		{"a parameter that only begins alike", "/p?rtx=1", "", "/p?rtx=1&rt=" + short},
		{"a fragment with a question mark", "/p#a?rt=1&b", "", "/p?rt=" + short + "#a?rt=1&b"},
		{"a percent sign that begins no escape", "/p?q=100%", "", "/p?q=100%25&rt=" + short},
		{"a path with escapes", "/a%2Fb%20c", "", "/a%2Fb%20c?rt=" + short},
		{"a parameter name to be escaped", "/p", "a b", "/p?a+b=" + short},
	}
	for _, row := range rows {
		if got, err := hallpass.Link(row.url, hallpass.NewToken(short), row.param); err != nil || got != row.want {
			t.Errorf("%s: %q, %v", row.name, got, err)
		}
	}
	for name, text := range map[string]string{
		"a script": "javascript:alert(1)", "a mail": "mailto:a@b.example", "a file": "file:///etc/passwd", "no host": "https:///p", "https:evil": "https:evil",
		"a backslash": `/\evil.example`, "a space": "/a b", "a newline": "/a\nb", "a tab": "https://ex\tample.com/", "CR LF": "/p\r\nSet-Cookie: x", "a NUL": "/\x00",
		"a broken host": "http://[::1/p", "a broken escape in the host": "http://%zz/",
	} {
		if got, err := hallpass.Link(text, hallpass.NewToken(short), ""); err == nil {
			t.Errorf("%s became %q", name, got)
		} else if f, ok := errors.AsType[*hallpass.FieldError](err); !ok || f.Field != "url" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFindToken(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	signed := s.issue(t, hallpass.Spec{}).Token.Reveal()
	compact := s.issue(t, hallpass.Spec{Format: hallpass.FormatCompact}).Token.Reveal()
	short := s.issue(t, hallpass.Spec{Format: hallpass.FormatShort}).Token.Reveal()
	const djangoValue = "eyJhIjoxfQ:1vwfSq:GTlmME7PXgmYEcrnI-_bZG2V4VNnqrKJ9wvWY3oZyrQ"
	wrapped := "https://safelinks.example/?url=" + url.QueryEscape("https://site.example/p?a=1&rt="+signed) + "&data=x.y.z"
	rows := []struct{ name, pasted, param, want string }{
		{"bare", signed, "", signed},
		{"bare compact", compact, "", compact},
		{"bare short", short, "", short},
		{"with line breaks of a mail program", signed[:30] + "\r\n " + signed[30:], "", signed},
		{"in a link", "https://site.example/p?a=1&rt=" + signed + "&utm_source=x#top", "", signed},
		{"a short one in a link", "https://site.example/p?rt=" + short, "", short},
		{"a short one in a link without a scheme", "www.site.example?rt=" + short, "", short},
		{"under another name", "https://site.example/p?t=" + short, "t", short},
		{"under a name nobody said", "https://site.example/p?whatever=" + signed, "", signed},
		{"compact, under a name nobody said", "https://site.example/p?whatever=" + compact, "", compact},
		{"a signed value of Django, bare", djangoValue, "", djangoValue},
		{"a signed value of Django, under a name nobody said", "https://site.example/p?at=12:30:00&TOKEN=" + url.QueryEscape(djangoValue), "", djangoValue},
		{"in the fragment", "https://site.example/p#rt=" + signed, "", signed},
		{"in a link that a gateway wrapped", wrapped, "", signed},
		{"wrapped twice", "https://other.example/?u=" + url.QueryEscape(wrapped), "", signed},
		{"the first of two", "https://site.example/p?x=" + signed + "&y=" + compact, "", signed},
		{"a short one under a name nobody said", "https://site.example/p?id=" + short, "", ""},
		{"nothing", "", "", ""},
		{"a link without one", "https://site.example/p?a=1", "", ""},
		{"a path", "/p", "", ""},
	}
	for _, row := range rows {
		for range 5 {
			got, ok := hallpass.FindToken(row.pasted, row.param)
			if got.Reveal() != row.want || ok != (row.want != "") {
				t.Errorf("%s: %q, %v", row.name, got.Reveal(), ok)
				break
			}
		}
	}
}

func TestATargetIgnoresWhatMailingToolsAdd(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.issue(t, hallpass.Spec{Target: "https://site.example/p%C3%A4th?b=2&a=1&a=0&utm_campaign=x"})
	if p.Target != "/p%C3%A4th?a=1&a=0&b=2" {
		t.Errorf("the target is %q", p.Target)
	}
	for target, want := range map[string]string{
		"/p%C3%A4th?b=2&a=1&a=0":                          "valid",
		"/päth?a=1&b=2&a=0&rt=" + p.Token.Reveal():        "valid",
		"/p%c3%a4th?a=1&a=0&b=2&gclid=1&utm_x=2&fbclid=3": "valid",
		"/p%C3%A4th?b=2&a=0&a=1":                          "not_granted",
		"/p%C3%A4th?b=2&a=1":                              "not_granted",
		"/p%C3%A4th?b=2&a=1&a=0&c=":                       "not_granted",
		"/p%C3%A4th/?b=2&a=1&a=0":                         "not_granted",
		"/x/../p%C3%A4th?b=2&a=1&a=0":                     "not_granted",
		"//evil.example/p%C3%A4th?b=2&a=1&a=0":            "not_granted",
		"/p%C3%A4th?b=2&a=1;a=0":                          "not_granted",
		"/p%C3%A4th":                                      "not_granted",
		"":                                                "not_granted",
	} {
		if _, err := s.redeem(t, p.Token, func(q *hallpass.Presentation) { q.Target = target }); reason(err) != want {
			t.Errorf("%q: %v, want %s", target, err, want)
		}
	}
}

// pairsOf reads a query as net/url does, keeping the order.
func pairsOf(query string) (pairs [][2]string, ok bool) {
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		n, err := url.QueryUnescape(name)
		v, err2 := url.QueryUnescape(value)
		if err != nil || err2 != nil {
			return nil, false
		}
		pairs = append(pairs, [2]string{n, v})
	}
	return pairs, true
}

func FuzzLink(f *testing.F) {
	for _, seed := range []string{
		"https://example.com/", "/p?a=1&a=2&b=%20#f", "?x=1", "", "//h/p", "/p?rt=old&c", "/ü?é=日本", "/p?a=1;b=2", "/p?q=100%", "https://u:p@h:1/;x?y#z",
	} {
		f.Add(seed, "rt", "0123456789ABCDEFabcdef")
	}
	f.Add("/p?tok=1", "tok", "a.b.c")
	f.Fuzz(func(t *testing.T, rawURL, param, text string) {
		if text == "" {
			return
		}
		link, err := hallpass.Link(rawURL, hallpass.NewToken(text), param)
		if err != nil {
			return
		}
		if param == "" {
			param = hallpass.DefaultParam
		}
		before, err := url.Parse(rawURL)
		if err != nil {
			t.Fatal(err)
		}
		after, err := url.Parse(link)
		if err != nil {
			t.Fatalf("%q made %q: %v", rawURL, link, err)
		}
		if diff := cmp.Diff([]string{before.Scheme, before.Host, before.EscapedPath(), before.EscapedFragment(), before.User.String()},
			[]string{after.Scheme, after.Host, after.EscapedPath(), after.EscapedFragment(), after.User.String()}); diff != "" {
			t.Fatalf("%q made %q: %s", rawURL, link, diff)
		}
		if got := after.Query()[param]; len(got) != 1 || got[0] != text {
			t.Fatalf("%q made %q, which carries %q", rawURL, link, got)
		}
		if bare, ok := pairsOf(before.RawQuery); ok {
			with, ok := pairsOf(after.RawQuery)
			if !ok {
				t.Fatalf("%q made %q", rawURL, link)
			}
			drop := func(pairs [][2]string) (kept [][2]string) {
				for _, p := range pairs {
					if p[0] != param {
						kept = append(kept, p)
					}
				}
				return kept
			}
			if diff := cmp.Diff(drop(bare), drop(with)); diff != "" {
				t.Fatalf("%q made %q:\n%s", rawURL, link, diff)
			}
		}
		// A name or token with white space would not survive a mail program.
		if len(strings.Fields(link)) == 1 {
			if found, ok := hallpass.FindToken(link, param); !ok || found.Reveal() != text {
				t.Fatalf("in %q %q is found, %v", link, found.Reveal(), ok)
			}
		}
	})
}
