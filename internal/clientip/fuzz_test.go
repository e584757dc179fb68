package clientip_test

import (
	"net/netip"
	"testing"
)

// FuzzOf: whatever the header says, the answer is a plain address or none;
// the header of an untrusted peer changes nothing; and what a trusted proxy
// appends wins over anything that stood there before.
func FuzzOf(f *testing.F) {
	for _, remote := range []string{"10.0.0.1:99", "198.51.100.9:99", "[fe80::1%eth0]:99", "@", "", "pipe"} {
		f.Add(remote, "203.0.113.7, 10.0.0.2", "[2001:db8::7]:1, ::ffff:10.0.0.3%x")
		f.Add(remote, `for="[2001:db8::7]:_x";host="a\",b", for=10.0.0.2`, `for="`)
	}
	f.Fuzz(func(t *testing.T, remote, first, second string) {
		for header, last := range map[string]string{
			"X-Forwarded-For": "203.0.113.99:1",
			"Forwarded":       `proto=https;for="203.0.113.99:1"`,
		} {
			r := resolver(t, "10.0.0.0/8 fe80::/10", header, nil)
			got := r.Of(request(remote, header, first, second))
			if got.Is4In6() || got.Zone() != "" {
				t.Fatalf("%s: %v is not plain", header, got)
			}
			if bare := r.Of(request(remote, header)); !r.Trusted(request(remote, header)) && got != bare {
				t.Fatalf("%s: an untrusted peer %q moved the address from %v to %v", header, remote, bare, got)
			}
			for _, lines := range [][]string{{first, second, last}, {first, second + ", " + last}} {
				if got := r.Of(request("10.0.0.1:99", header, lines...)); got != netip.MustParseAddr("203.0.113.99") {
					t.Fatalf("%s: %q gives %v", header, lines, got)
				}
			}
		}
	})
}
