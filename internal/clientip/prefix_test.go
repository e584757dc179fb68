package clientip_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hallpass-go/hallpass/internal/clientip"
)

func TestParsePrefixesTakesNetworksAndAddresses(t *testing.T) {
	t.Parallel()
	got, err := clientip.ParsePrefixes([]string{"10.0.0.0/8", "127.0.0.1", " ::1 ", "fd00::/8", "::/80", "::ffff:192.0.2.1", "::ffff:10.0.0.0/104"})
	if err != nil {
		t.Fatal(err)
	}
	var want []netip.Prefix
	for _, p := range []string{"10.0.0.0/8", "127.0.0.1/32", "::1/128", "fd00::/8", "::/80", "192.0.2.1/32", "10.0.0.0/8"} {
		want = append(want, netip.MustParsePrefix(p))
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if none, err := clientip.ParsePrefixes(nil); err != nil || len(none) != 0 {
		t.Errorf("nothing: got %v, %v", none, err)
	}
}

func TestParsePrefixesNamesTheEntryItRefuses(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ entry, says string }{
		"nothing":                     {"", `""`},
		"everybody":                   {"0.0.0.0/0", `"0.0.0.0/0" is everybody`},
		"everybody by IPv6":           {"::/0", `"::/0" is everybody`},
		"everybody, mapped":           {"::ffff:0.0.0.0/96", `"::ffff:0.0.0.0/96" is everybody`},
		"a name":                      {"localhost", `"localhost"`},
		"an address with a port":      {"10.0.0.1:80", `"10.0.0.1:80"`},
		"a zone":                      {"fe80::1%eth0", `"fe80::1%eth0"`},
		"too large a size":            {"10.0.0.0/33", `"10.0.0.0/33"`},
		"two entries in one":          {"10.0.0.0/8,127.0.0.1", `"10.0.0.0/8,127.0.0.1"`},
		"an address within a network": {"10.0.0.5/8", "write 10.0.0.0/8 for the network or 10.0.0.5 for the address"},
	} {
		_, err := clientip.ParsePrefixes([]string{"127.0.0.1", row.entry})
		if err == nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: got %v, want %s in it", name, err, row.says)
		}
	}
}
