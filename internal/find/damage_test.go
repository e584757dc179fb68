package find_test

import (
	"net/url"
	"testing"

	"github.com/hallpass-go/hallpass/internal/find"
)

func TestDamageIsToldAsFarAsTheFormTellsIt(t *testing.T) {
	t.Parallel()
	const (
		header = "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsxIn0"
		claims = "eyJqdGkiOiIwMWEyMmZlYSJ9"
		sig    = "0rKQ_a-FFTEJahtygcpuxf50xR_-OXpcG6h1eOn1SJ0"
		signed = header + "." + claims + "." + sig
		link   = "https://app.example.com/do?rt="
		short  = "0123456789abcdefABCDEF"
	)
	for name, tt := range map[string]struct {
		text string
		want find.Damage
	}{
		"nothing":                           {"", find.Untold},
		"a subject":                         {"eyJack", find.Untold},
		"a whole one, changed":              {signed, find.Changed},
		"in a link":                         {link + signed, find.Changed},
		"in an escaped link":                {url.QueryEscape(link + signed), find.Changed},
		"cut in its header":                 {link + header[:20], find.Cut},
		"cut behind its header":             {header + ".", find.Cut},
		"cut in its claims":                 {header + "." + claims[:9], find.Cut},
		"cut before its signature":          {header + "." + claims + ".", find.Cut},
		"cut by one letter":                 {link + signed[:len(signed)-1], find.Cut},
		"with a letter too many":            {signed + "A", find.Long},
		"cut at the end of a sentence":      {"see " + link + signed[:len(signed)-3], find.Cut},
		"cut in the middle of a sentence":   {"see " + signed[:len(signed)-3] + " there", find.Untold},
		"over two lines":                    {signed[:60] + "\r\n" + signed[60:], find.Untold},
		"with a header that says nothing":   {"eyJhIjoxfQ0000.e30.AAAA", find.Untold},
		"of an algorithm that is none here": {"eyJhbGciOiJSUzI1NiJ9.e30.AAAA", find.Untold},
		"a short one, cut":                  {link + short[:21], find.Cut},
		"a link without one":                {link, find.Cut},
		"a short one, changed":              {link + short, find.Untold},
		"a short one with something more":   {link + short + "x", find.Long},
		"a short one by itself, cut":        {short[:20], find.Untold},
		"a compact one":                     {"hp_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", find.Untold},
	} {
		if got := find.DamageOf(tt.text); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}
