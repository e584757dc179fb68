package look_test

import (
	"net/http/httptest"
	"testing"

	"github.com/hallpass-go/hallpass/internal/look"
)

func TestABrowserIsKnownByWhatItWouldShow(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		accept []string
		want   bool
	}{
		"a browser":                       {[]string{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}, true},
		"one that writes it in capitals":  {[]string{" Text/HTML ; q=1"}, true},
		"one that knows XHTML alone":      {[]string{"application/xhtml+xml"}, true},
		"a program":                       {[]string{"application/json"}, false},
		"one that takes pages after JSON": {[]string{"application/json, text/html"}, false},
		"the same in two lines":           {[]string{"application/problem+json", "text/html"}, false},
		"pages before JSON":               {[]string{"text/plain", "text/html, application/json"}, true},
		"whatever there is":               {[]string{"*/*"}, false},
		"nothing said":                    {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest("GET", "/", nil)
			r.Header["Accept"] = c.accept
			if got := look.WantsPage(r); got != c.want {
				t.Errorf("WantsPage = %t", got)
			}
		})
	}
}

func TestWhatLooksAheadIsNoReader(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		header, value string
		want          bool
	}{
		{"Sec-Purpose", "prefetch;prerender", true}, {"Purpose", "Prefetch", true}, {"X-Purpose", "preview", true}, {"X-Moz", "prefetch", true},
		{"Sec-Purpose", "", false}, {"Purpose", "reading", false}, {"Accept", "prefetch", false},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set(c.header, c.value)
		if got := look.IsPrefetch(r); got != c.want {
			t.Errorf("%s: %s: IsPrefetch = %t", c.header, c.value, got)
		}
	}
}
