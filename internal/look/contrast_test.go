package look_test

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/hallpass-go/hallpass/internal/look"
)

var property = regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{6});`)

// schemes reads the colours of the two schemes from the stylesheet. What the
// dark one does not name it takes from the light one.
func schemes(t *testing.T) map[string]map[string]string {
	t.Helper()
	light, rest, found := strings.Cut(look.CSS(), "@media (prefers-color-scheme: dark)")
	if !found {
		t.Fatal("the stylesheet has no dark scheme")
	}
	dark, _, _ := strings.Cut(rest, "*::before")
	all := map[string]map[string]string{"light": {}, "dark": {}}
	for _, m := range property.FindAllStringSubmatch(light, -1) {
		all["light"][m[1]], all["dark"][m[1]] = m[2], m[2]
	}
	for _, m := range property.FindAllStringSubmatch(dark, -1) {
		all["dark"][m[1]] = m[2]
	}
	return all
}

// luminance is the relative luminance of WCAG 2.2.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	n, err := strconv.ParseUint(strings.TrimPrefix(hex, "#"), 16, 32)
	if err != nil {
		t.Fatalf("colour %q: %v", hex, err)
	}
	linear := func(c uint64) float64 {
		v := float64(c&0xff) / 255
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(n>>16) + 0.7152*linear(n>>8) + 0.0722*linear(n)
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func TestEveryTextColourCanBeReadOnEveryGround(t *testing.T) {
	t.Parallel()
	const text, control = 4.5, 3.0 // WCAG 2.2, 1.4.3 and 1.4.11
	pairs := []struct {
		front, ground string
		least         float64
	}{
		{"on-ink", "ink", text},
		{"on-ink", "ink-lift", text},
		{"ink", "honoured-tint", text},
		{"ink", "refused-tint", text},
		{"ink", "waiting-tint", text},
		{"honoured", "honoured-tint", text},
		{"refused", "refused-tint", text},
		{"waiting", "waiting-tint", text},
		{"edge", "paper", control},
		{"edge", "card", control},
	}
	for _, front := range []string{"ink", "muted", "honoured", "refused", "waiting", "link"} {
		for _, ground := range []string{"paper", "card", "well"} {
			pairs = append(pairs, struct {
				front, ground string
				least         float64
			}{front, ground, text})
		}
	}
	for scheme, colours := range schemes(t) {
		for _, p := range pairs {
			front, ground := colours[p.front], colours[p.ground]
			if front == "" || ground == "" {
				t.Errorf("%s: no colour for %s or %s", scheme, p.front, p.ground)
				continue
			}
			if got := contrast(t, front, ground); got < p.least {
				t.Errorf("%s: %s %s on %s %s has contrast %.2f, want at least %.1f", scheme, p.front, front, p.ground, ground, got, p.least)
			}
		}
	}
}

func TestTheColoursAreThoseOfTheDesign(t *testing.T) {
	t.Parallel()
	want := map[string]map[string]string{
		"light": {"paper": "#fbfaf6", "ink": "#1b2a41", "muted": "#56616f", "honoured": "#0b6e4f", "refused": "#b3261e", "waiting": "#855200", "link": "#1f4e9e"},
		"dark":  {"paper": "#14181f", "ink": "#e9e6dd", "muted": "#a7afba", "honoured": "#5fd3a4", "refused": "#ff8f85", "waiting": "#f0c14b", "link": "#8ab4ff"},
	}
	for scheme, colours := range schemes(t) {
		for name, value := range want[scheme] {
			if colours[name] != value {
				t.Errorf("%s: %s is %s, want %s", scheme, name, colours[name], value)
			}
		}
	}
}
