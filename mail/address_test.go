package mail_test

import (
	"errors"
	netmail "net/mail"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/mail"
)

func TestAnAddressHasOneForm(t *testing.T) {
	t.Parallel()
	local64 := strings.Repeat("l", 64)
	for _, test := range []struct{ name, text, want string }{
		{"a plain one stays", "hugo@example.com", "hugo@example.com"},
		{"case does not matter, before the @ either", "Hugo.X@EXAMPLE.Com", "hugo.x@example.com"},
		{"spaces and tabs around it are dropped", " \thugo@example.com\t ", "hugo@example.com"},
		{"dots and tags stay", "h.u.g.o+news@gmail.com", "h.u.g.o+news@gmail.com"},
		{"all that a dot-atom may hold and no relay rewrites", "#$&'*+-/=?^_`{|}~@example.com", "#$&'*+-/=?^_`{|}~@example.com"},
		{"a domain beyond ASCII", "hugo@bücher.example", "hugo@xn--bcher-kva.example"},
		{"the same in capitals", "hugo@BÜCHER.example", "hugo@xn--bcher-kva.example"},
		{"the same decomposed", "hugo@bu\u0308cher.example", "hugo@xn--bcher-kva.example"},
		{"the same as it is looked up", "hugo@xn--bcher-kva.example", "hugo@xn--bcher-kva.example"},
		{"the same as it is looked up, in capitals", "hugo@XN--BCHER-KVA.example", "hugo@xn--bcher-kva.example"},
		{"sharp s is its own letter", "hugo@straße.example", "hugo@xn--strae-oqa.example"},
		{"a Cyrillic homograph is another domain", "hugo@ex\u0430mple.com", "hugo@xn--exmple-4nf.com"},
		{"and the same one in its other spelling", "hugo@xn--exmple-4nf.com", "hugo@xn--exmple-4nf.com"},
		{"full-width letters are those letters", "hugo@ｅｘａｍｐｌｅ.com", "hugo@example.com"},
		{"the Kelvin sign is a k", "hugo@\u212aelvin.example", "hugo@kelvin.example"},
		{"a joiner where its script needs it", "hugo@\u0646\u0627\u0645\u0647\u200c\u0627\u06cc.example", "hugo@xn--mgba3gch31f060k.example"},
		{"64 characters before the @", local64 + "@example.com", local64 + "@example.com"},
		{"a number within the domain", "hugo@1.example", "hugo@1.example"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := mail.ParseAddress(test.text)
			if err != nil || string(got) != test.want {
				t.Fatalf("ParseAddress(%q) = %q, %v; want %q", test.text, got, err, test.want)
			}
			if string(got) != got.Local()+"@"+got.Domain() {
				t.Errorf("%q is not %q @ %q", got, got.Local(), got.Domain())
			}
			holds(t, got)
		})
	}
}

func TestWhatIsNoAddressIsRefusedAndNotRepeated(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("d", 60)
	for name, text := range map[string]string{
		"nothing":                                   "",
		"only spaces":                               "  \t",
		"no @":                                      "hugo.example.com",
		"nothing before the @":                      "@example.com",
		"nothing after the @":                       "hugo@",
		"two @":                                     "a@b@example.com",
		"a quoted local part":                       `"a@evil.example"@victim.example`,
		"a quoted local part without need":          `"hugo"@example.com`,
		"a list":                                    "hugo@example.com,evil@example.net",
		"a list with a space":                       "hugo@example.com, evil@example.net",
		"a list with a semicolon":                   "hugo@example.com;evil@example.net",
		"a line feed and a header":                  "hugo@example.com\nBcc: evil@example.net",
		"a carriage return":                         "hugo@example.com\rBcc: evil@example.net",
		"CR and LF at the end":                      "hugo@example.com\r\n",
		"LF at the start":                           "\nhugo@example.com",
		"NUL":                                       "hugo@example.com\x00.evil.example",
		"DEL":                                       "hu\x7fgo@example.com",
		"a C1 control":                              "hugo@exam\u0085ple.com",
		"invalid UTF-8":                             "hugo@ex\xffample.com",
		"angle brackets":                            "<hugo@example.com>",
		"a display name":                            "Hugo <hugo@example.com>",
		"a comment":                                 "hugo(comment)@example.com",
		"a comment after":                           "hugo@example.com (comment)",
		"a group":                                   "friends: hugo@example.com;",
		"the percent hack":                          "hugo%evil.example@example.com",
		"a bang path":                               "evil.example!hugo@example.com",
		"a source route":                            "<@relay.example:hugo@example.com>",
		"a bare source route":                       "@relay.example:hugo@example.com",
		"mailto":                                    "mailto:hugo@example.com",
		"an IPv4 literal":                           "hugo@[192.0.2.1]",
		"an IPv6 literal":                           "hugo@[IPv6:2001:db8::1]",
		"an IPv4 address":                           "hugo@192.0.2.1",
		"an IPv4 address in hex":                    "hugo@192.0.2.0x1",
		"an IPv4 address in hex without digits":     "hugo@192.0.2.0x",
		"an IPv6 address":                           "hugo@2001:db8::1",
		"one label":                                 "hugo@localhost",
		"a dot at the end":                          "hugo@example.com.",
		"two dots in the domain":                    "hugo@example..com",
		"a dot before the domain":                   "hugo@.example.com",
		"a dot at the local part's start":           ".hugo@example.com",
		"a dot at the local part's end":             "hugo.@example.com",
		"two dots in the local part":                "hu..go@example.com",
		"a full-width @ alone":                      "hugo\uff20example.com",
		"a full-width @ beside another":             "hugo@victim.example\uff20evil.example",
		"a small @":                                 "hugo@victim.example\ufe6bevil.example",
		"a full-width comma":                        "hugo@example.com\uff0cevil",
		"a full-width solidus":                      "hugo@example.com\uff0fevil",
		"a full-width <":                            "hugo@example.com\uff1c",
		"account of":                                "hugo@ex\u2100ample.com",
		"an ideographic full stop":                  "hugo@example\u3002com",
		"a full-width full stop":                    "hugo@example\uff0ecom",
		"a half-width ideographic full stop":        "hugo@example\uff61com",
		"an ellipsis":                               "hugo@example\u2026com",
		"a backslash":                               `hu\go@example.com`,
		"a space within":                            "hu go@example.com",
		"a no-break space around":                   "\u00a0hugo@example.com",
		"an em space within":                        "hugo@exam\u2003ple.com",
		"an ideographic space":                      "hugo@exam\u3000ple.com",
		"a line separator":                          "hugo@example.com\u2028",
		"a right-to-left override":                  "hugo@\u202emoc.elpmaxe",
		"a right-to-left mark":                      "hugo@example\u200f.com",
		"an isolate":                                "\u2066hugo@example.com\u2069",
		"a zero width space":                        "hugo@exam\u200bple.com",
		"a zero width joiner that joins nothing":    "hugo@exam\u200dple.com",
		"a soft hyphen":                             "hugo@exam\u00adple.com",
		"a byte order mark":                         "\ufeffhugo@example.com",
		"a word joiner":                             "hugo@exam\u2060ple.com",
		"a variation selector":                      "hugo@example\ufe0f.com",
		"a combining grapheme joiner":               "hugo@exam\u034fple.com",
		"a Hangul filler":                           "hugo@exam\u3164ple.com",
		"a tag character":                           "hugo@example\U000e0041.com",
		"a letter beyond ASCII before the @":        "hügo@example.com",
		"a Cyrillic letter before the @":            "hug\u043e@example.com",
		"full-width letters before the @":           "ｈｕｇｏ@example.com",
		"a joiner before the @":                     "hu\u200dgo@example.com",
		"65 characters before the @":                strings.Repeat("l", 65) + "@example.com",
		"255 characters":                            strings.Repeat("l", 64) + "@" + long + "." + long + "." + long + "." + strings.Repeat("e", 7),
		"300 characters":                            "hugo@" + strings.Repeat("a.", 146) + "com",
		"a megabyte":                                strings.Repeat("a", 1<<20) + "@example.com",
		"a megabyte of dots":                        "hugo@" + strings.Repeat(".", 1<<20),
		"a label of 64":                             "hugo@" + strings.Repeat("a", 64) + ".com",
		"a label that starts with a hyphen":         "hugo@-example.com",
		"a label that ends with a hyphen":           "hugo@example-.com",
		"an underscore in the domain":               "hugo@ex_ample.com",
		"a percent sign in the domain":              "hugo@example.com%00",
		"an xn-- that is no punycode":               "hugo@xn--\u00fc.example",
		"an xn-- of what needs none":                "hugo@xn--example-.com",
		"an xn-- of nothing":                        "hugo@xn--.com",
		"an xn-- of a capital letter":               "hugo@xn--BCHER-2PA.example",
		"an xn-- of decomposed text":                "hugo@xn--bucher-xyd.example",
		"an xn-- of a full-width @":                 "hugo@xn--ab-iw3n.example",
		"an xn-- of a soft hyphen":                  "hugo@xn--example-nka.com",
		"the old bang path":                         "relay!hugo",
		"a word with an @ that is a percent escape": "hugo%40example.com",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := mail.ParseAddress(text)
			var field *hallpass.FieldError
			if !errors.As(err, &field) || field.Field != "email" || got != "" {
				t.Fatalf("ParseAddress(%.80q) = %q, %v; want a FieldError of email", text, got, err)
			}
			for _, part := range []string{"evil", "victim", "192.0.2", "relay"} {
				if strings.Contains(err.Error(), part) {
					t.Errorf("%v repeats what was typed", err)
				}
			}
		})
	}
}

// holds is what every accepted address promises.
func holds(t interface {
	Helper()
	Fatalf(string, ...any)
}, a mail.Address) {
	t.Helper()
	again, err := mail.ParseAddress(string(a))
	if err != nil || again != a {
		t.Fatalf("%q is no fixed point: %q, %v", a, again, err)
	}
	parsed, err := netmail.ParseAddress(string(a))
	if err != nil || parsed.Address != string(a) || parsed.Name != "" {
		t.Fatalf("net/mail reads %q as %v, %v", a, parsed, err)
	}
	list, err := netmail.ParseAddressList(string(a))
	if err != nil || len(list) != 1 {
		t.Fatalf("net/mail reads %q as the list %v, %v", a, list, err)
	}
	if len(a) > mail.MaxAddress || strings.ToLower(string(a)) != string(a) {
		t.Fatalf("%q is too long or not in lower case", a)
	}
	for i := range len(a) {
		if a[i] <= ' ' || a[i] > '~' || strings.IndexByte(`,;:<>()[]\"`, a[i]) >= 0 {
			t.Fatalf("%q contains %q", a, a[i])
		}
	}
}

func TestWhateverIsAcceptedIsAFixedPointAndOneAddress(t *testing.T) {
	t.Parallel()
	runes := append([]rune(`ab.ZK09-_+@@,;<>()[]"\' `), '\t', '\r', '\n', 0, 0x7f, 'ü', '\u0308', 'ß', 'а', '。', '．', '＠', '﹫', '\u200d', '\u202e', '℀', 'ﬁ', 'Ａ', 'א', '\u00ad')
	text := rapid.OneOf(
		rapid.StringOf(rapid.RuneFrom(runes)),
		rapid.Custom(func(t *rapid.T) string {
			word := rapid.StringOfN(rapid.RuneFrom(runes), 1, 8, -1)
			return word.Draw(t, "local") + "@" + word.Draw(t, "label") + "." + word.Draw(t, "top")
		}),
		rapid.StringMatching(`[A-Za-z0-9.+]{1,9}@([a-zA-Zäöüéα-ω0-9-]{1,9}\.){1,3}[a-zA-Zäöüα-ω]{2,5}`),
	)
	accepted := 0
	rapid.Check(t, func(t *rapid.T) {
		a, err := mail.ParseAddress(text.Draw(t, "text"))
		if err == nil {
			accepted++
			holds(t, a)
		}
	})
	if accepted == 0 {
		t.Error("nothing was accepted, so nothing was tested")
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, text := range []string{
		"hugo@example.com", `"a@evil"@victim.example`, "a@b@c.d", "<a@b.c>", "a(comment)@b.cd", "hugo@bücher.example",
		"hugo@xn--bcher-kva.example", "hugo\uff20example.com", "a@b.c,d@e.f", "a@b.c\r\nBcc: d@e.f", "a@1.2.3.4", "a@\u0646\u200c\u0627.ir",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if a, err := mail.ParseAddress(text); err == nil {
			holds(t, a)
			if b, err := mail.ParseAddress(strings.ToUpper(string(a))); err != nil || b != a {
				t.Fatalf("in capitals %q is %q, %v", a, b, err)
			}
		}
	})
}

func TestAnAllowListAllowsWhatItNames(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		patterns []string
		address  string
		want     bool
	}{
		{"an empty list allows nobody", nil, "hugo@example.com", false},
		{"an address allows itself", []string{"hugo@example.com"}, "hugo@example.com", true},
		{"however it was written", []string{" Hugo@EXAMPLE.com "}, "hugo@example.com", true},
		{"and nobody else", []string{"hugo@example.com"}, "greta@example.com", false},
		{"a domain allows who is there", []string{"*@example.com"}, "greta@example.com", true},
		{"not who is in a subdomain", []string{"*@example.com"}, "greta@a.example.com", false},
		{"nor who is in a longer one", []string{"*@example.com"}, "greta@badexample.com", false},
		{"a domain beyond ASCII", []string{"*@bücher.example"}, "hugo@xn--bcher-kva.example", true},
		{"a star allows everybody", []string{"*"}, "hugo@example.com", true},
		{"the second counts too", []string{"a@example.com", "*@example.net"}, "hugo@example.net", true},
		{"even a star does not allow what is no address", []string{"*"}, "hugo", false},
		{"nor what is not canonical", []string{"*@example.com"}, "Hugo@example.com", false},
		{"a star in an address is a character of that address alone", []string{"*@example.com"}, "*@example.com", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			patterns, err := mail.ParsePatterns(test.patterns)
			if err != nil {
				t.Fatal(err)
			}
			if got := patterns.Allows(mail.Address(test.address)); got != test.want {
				t.Errorf("%q allows %q: %v, want %v", patterns, test.address, got, test.want)
			}
		})
	}
}

func TestABadPatternIsAFieldError(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "**", "*@", "@example.com", "*.example.com", "*@*", "*@*.example.com", "h*@example.com", "a@b@example.com", "*@example.com,x", "example.com", "*@192.0.2.1"} {
		_, err := mail.ParsePatterns([]string{"*@example.com", text})
		var field *hallpass.FieldError
		if !errors.As(err, &field) || field.Field != "login_allow" {
			t.Errorf("ParsePatterns(%q): %v, want a FieldError of login_allow", text, err)
		}
	}
}
