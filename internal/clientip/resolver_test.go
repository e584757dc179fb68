package clientip_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hallpass-go/hallpass/internal/clientip"
)

func resolver(t testing.TB, trusted, header string, opts *clientip.Options) *clientip.Resolver {
	t.Helper()
	prefixes, err := clientip.ParsePrefixes(strings.Fields(trusted))
	if err != nil {
		t.Fatal(err)
	}
	r, err := clientip.New(prefixes, header, opts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func request(remote, header string, lines ...string) *http.Request {
	return &http.Request{RemoteAddr: remote, Header: http.Header{header: lines}}
}

// show is the address as text, "none" for the zero Addr.
func show(addr netip.Addr) string {
	if !addr.IsValid() {
		return "none"
	}
	return addr.String()
}

func TestOfReadsXForwardedForFromTheRight(t *testing.T) {
	t.Parallel()
	const proxies = "10.0.0.0/8 192.0.2.1 fd00::/8 fe80::/10"
	tests := []struct {
		name    string
		trusted string
		remote  string
		lines   []string
		want    string
	}{
		{"nobody is trusted by default", "", "10.0.0.1:99", []string{"203.0.113.7"}, "10.0.0.1"},
		{"an untrusted peer's header is ignored", proxies, "198.51.100.9:99", []string{"203.0.113.7"}, "198.51.100.9"},
		{"a trusted peer without the header is the client", proxies, "10.0.0.1:99", nil, "10.0.0.1"},
		{"a trusted peer names the client", proxies, "10.0.0.1:99", []string{"203.0.113.7"}, "203.0.113.7"},
		{"what the client claims on the left is ignored", proxies, "10.0.0.1:99", []string{"127.0.0.1, 1.1.1.1, 203.0.113.7"}, "203.0.113.7"},
		{"trusted proxies on the right are skipped", proxies, "10.0.0.1:99", []string{"1.1.1.1, 203.0.113.7, 192.0.2.1, 10.9.9.9"}, "203.0.113.7"},
		{"a forged trusted proxy left of the client is not reached", proxies, "10.0.0.1:99", []string{"1.1.1.1, 10.0.0.2, 203.0.113.7"}, "203.0.113.7"},
		{"several lines are one list, in order", proxies, "10.0.0.1:99", []string{"1.1.1.1, 2.2.2.2", "203.0.113.7, 10.0.0.2", "10.0.0.3"}, "203.0.113.7"},
		{"a list of trusted proxies alone gives the first of them", proxies, "10.0.0.1:99", []string{"10.0.0.3,10.0.0.2"}, "10.0.0.3"},
		{"garbage on the right gives the peer", proxies, "10.0.0.1:99", []string{"203.0.113.7, unknown"}, "10.0.0.1"},
		{"garbage further left gives the last good address", proxies, "10.0.0.1:99", []string{"203.0.113.7, <script>, 10.0.0.2"}, "10.0.0.2"},
		{"garbage left of the client is not reached", proxies, "10.0.0.1:99", []string{"<script>, 203.0.113.7"}, "203.0.113.7"},
		{"an empty entry is garbage", proxies, "10.0.0.1:99", []string{"203.0.113.7, , 10.0.0.2"}, "10.0.0.2"},
		{"an empty header is garbage", proxies, "10.0.0.1:99", []string{""}, "10.0.0.1"},
		{"an empty line at the end is garbage", proxies, "10.0.0.1:99", []string{"203.0.113.7", ""}, "10.0.0.1"},
		{"white space around entries", proxies, "10.0.0.1:99", []string{"\t 203.0.113.7 \t,10.0.0.2 "}, "203.0.113.7"},

		{"a port", proxies, "10.0.0.1:99", []string{"203.0.113.7:4711"}, "203.0.113.7"},
		{"a port that is none", proxies, "10.0.0.1:99", []string{"203.0.113.7:http"}, "10.0.0.1"},
		{"an empty port", proxies, "10.0.0.1:99", []string{"203.0.113.7:"}, "10.0.0.1"},
		{"a port in RFC 7239's disguise is garbage here", proxies, "10.0.0.1:99", []string{"203.0.113.7:_x"}, "10.0.0.1"},
		{"IPv6", proxies, "10.0.0.1:99", []string{"2001:db8::7"}, "2001:db8::7"},
		{"IPv6 in brackets", proxies, "10.0.0.1:99", []string{"[2001:db8::7]"}, "2001:db8::7"},
		{"IPv6 in brackets with a port", proxies, "10.0.0.1:99", []string{"[2001:db8::7]:4711"}, "2001:db8::7"},
		{"IPv6 in a long spelling", proxies, "10.0.0.1:99", []string{"2001:0DB8:0:0:0:0:0:7"}, "2001:db8::7"},
		{"a bracket that is not closed", proxies, "10.0.0.1:99", []string{"[2001:db8::7"}, "10.0.0.1"},
		{"text after the bracket", proxies, "10.0.0.1:99", []string{"[2001:db8::7]x"}, "10.0.0.1"},
		{"IPv4 in brackets", proxies, "10.0.0.1:99", []string{"[203.0.113.7]"}, "10.0.0.1"},
		{"IPv4 with leading zeros", proxies, "10.0.0.1:99", []string{"203.0.113.007"}, "10.0.0.1"},
		{"IPv4 as one number", proxies, "10.0.0.1:99", []string{"3405803783"}, "10.0.0.1"},
		{"an IPv4-mapped address", proxies, "10.0.0.1:99", []string{"::ffff:203.0.113.7"}, "203.0.113.7"},
		{"a trusted IPv4-mapped address", proxies, "10.0.0.1:99", []string{"203.0.113.7, ::ffff:10.0.0.2"}, "203.0.113.7"},
		{"a zone", proxies, "10.0.0.1:99", []string{"2001:db8::7%eth0"}, "2001:db8::7"},
		{"quotes are garbage here", proxies, "10.0.0.1:99", []string{`"203.0.113.7"`}, "10.0.0.1"},
		{"a network is garbage", proxies, "10.0.0.1:99", []string{"203.0.113.0/24"}, "10.0.0.1"},

		{"a trusted IPv6 peer", proxies, "[fd00::1]:99", []string{"203.0.113.7"}, "203.0.113.7"},
		{"a trusted peer with a zone", proxies, "[fe80::1%eth0]:99", []string{"203.0.113.7"}, "203.0.113.7"},
		{"a trusted peer on a dual-stack socket", proxies, "[::ffff:10.0.0.1]:99", []string{"203.0.113.7"}, "203.0.113.7"},
		{"an untrusted peer on a dual-stack socket", proxies, "[::ffff:198.51.100.9]:99", []string{"203.0.113.7"}, "198.51.100.9"},
		{"an untrusted peer with a zone", "", "[fe80::1%eth0]:99", nil, "fe80::1"},
		{"a trusted network of mapped addresses", "::ffff:10.0.0.0/104", "10.0.0.1:99", []string{"203.0.113.7"}, "203.0.113.7"},
		{"a peer without a port", proxies, "10.0.0.1", []string{"203.0.113.7"}, "203.0.113.7"},
		{"a Unix socket is not trusted", proxies, "@", []string{"203.0.113.7"}, "none"},
		{"a peer without an address is not trusted", proxies, "", []string{"203.0.113.7"}, "none"},
		{"a peer that is garbage is not trusted", proxies, "pipe", []string{"203.0.113.7"}, "none"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := resolver(t, tt.trusted, "", nil)
			if got := show(r.Of(request(tt.remote, "X-Forwarded-For", tt.lines...))); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestOfReadsForwardedFromTheRight(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		lines []string
		want  string
	}{
		{"a plain address", []string{"for=203.0.113.7"}, "203.0.113.7"},
		{"all parameters, as RFC 7239 shows them", []string{`by=203.0.113.43; For="[2001:db8:cafe::17]:4711" ;proto=http;host="a,b;c"`}, "2001:db8:cafe::17"},
		{"IPv6 without its quotes", []string{"for=[2001:db8::7]"}, "2001:db8::7"},
		{"a disguised port", []string{`for="203.0.113.7:_Port-1"`}, "203.0.113.7"},
		{"a list", []string{"for=1.1.1.1, for=203.0.113.7;proto=https, for=10.0.0.2"}, "203.0.113.7"},
		{"several lines", []string{"for=1.1.1.1", "for=203.0.113.7, for=10.0.0.2", "for=10.0.0.3"}, "203.0.113.7"},
		{"a comma within quotes", []string{`for=203.0.113.7;host="a, for=1.1.1.1", for=10.0.0.2`}, "203.0.113.7"},
		{"an escaped quote within quotes", []string{`for=203.0.113.7;host="a\", for=1.1.1.1", for=10.0.0.2`}, "203.0.113.7"},
		{"an escaped backslash before the end of quotes", []string{`for=1.1.1.1;host="a\\", for=203.0.113.7`}, "203.0.113.7"},
		{"a quote the client left open does not swallow the proxy's entry", []string{`for="1.1.1.1, for=203.0.113.7`}, "203.0.113.7"},
		{"nor with the proxy's entry in quotes", []string{`for="1.1.1.1, for="[2001:db8::7]"`}, "2001:db8::7"},
		{"a quote left open in an earlier line", []string{`for="1.1.1.1`, "for=203.0.113.7"}, "203.0.113.7"},
		{"an unknown client gives the last good address", []string{"for=203.0.113.7, for=unknown, for=10.0.0.2"}, "10.0.0.2"},
		{"a disguised client", []string{"for=203.0.113.7, for=_hidden"}, "10.0.0.1"},
		{"an element without for", []string{"for=203.0.113.7, proto=https"}, "10.0.0.1"},
		{"an element with two for", []string{"for=203.0.113.7;for=1.1.1.1"}, "10.0.0.1"},
		{"an element with for twice in different cases", []string{"for=203.0.113.7;FOR=1.1.1.1"}, "10.0.0.1"},
		{"an address without for", []string{"203.0.113.7"}, "10.0.0.1"},
		{"a space before the equals sign", []string{"for =203.0.113.7"}, "10.0.0.1"},
		{"text after a quoted value", []string{`for="203.0.113.7"x`}, "10.0.0.1"},
		{"an empty value", []string{"for="}, "10.0.0.1"},
		{"an empty element", []string{"for=203.0.113.7,"}, "10.0.0.1"},
		{"only a quote", []string{`for="`}, "10.0.0.1"},
		{"a backslash at the end", []string{`for="\`}, "10.0.0.1"},
		{"no header", nil, "10.0.0.1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			req := request("10.0.0.1:99", "Forwarded", tt.lines...)
			req.Header.Set("X-Forwarded-For", "9.9.9.9") // not the header that was named
			if got := show(resolver(t, "10.0.0.0/8", "forwarded", nil).Of(req)); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestNewTakesAnyHeaderNameAndRefusesWhatIsNone(t *testing.T) {
	t.Parallel()
	req := request("10.0.0.1:99", "X-Real-Ip", "203.0.113.7")
	if got := show(resolver(t, "10.0.0.0/8", "x-real-ip", nil).Of(req)); got != "203.0.113.7" {
		t.Errorf("X-Real-Ip: got %s", got)
	}
	for _, header := range []string{"X Forwarded For", "X-Forwarded-For:", "é"} {
		if _, err := clientip.New(nil, header, nil); err == nil {
			t.Errorf("the header %q is taken", header)
		}
	}
	if _, err := clientip.New([]netip.Prefix{{}}, "", nil); err == nil {
		t.Error("the zero Prefix is taken")
	}
}

func TestTrustedSpeaksOfThePeerAlone(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		remote string
		unix   bool
		want   bool
	}{
		"a declared proxy":                                 {"10.0.0.1:99", false, true},
		"another peer":                                     {"198.51.100.9:99", false, false},
		"a Unix socket":                                    {"@", false, false},
		"a Unix socket that is trusted":                    {"@", true, true},
		"a Unix socket without a name":                     {"", true, true},
		"a Unix socket with a name":                        {"@proxy", true, true},
		"a Unix socket with a path":                        {"/run/proxy.sock", true, true},
		"garbage where Unix sockets are trusted":           {"pipe", true, false},
		"another network peer where Unix ones are trusted": {"198.51.100.9:99", true, false},
	} {
		r := resolver(t, "10.0.0.0/8", "", &clientip.Options{TrustUnix: row.unix})
		if got := r.Trusted(request(row.remote, "X-Forwarded-For", "10.0.0.1")); got != row.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

// Through a real server, as the way in which net/http shows a Unix socket's
// peer is what TrustUnix depends on.
func TestOfBehindAUnixSocket(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		trust bool
		want  string
	}{{true, "203.0.113.7"}, {false, "none"}} {
		r := resolver(t, "", "", &clientip.Options{TrustUnix: row.trust})
		got := make(chan string, 1)
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
			got <- show(r.Of(req))
		}))
		path := filepath.Join(t.TempDir(), "s")
		listener, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		server.Listener = listener
		server.Start()
		defer server.Close()
		client := &http.Client{Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "unix", path)
			},
		}}
		defer client.CloseIdleConnections()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://unix/", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Forwarded-For", "1.1.1.1, 203.0.113.7")
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if addr := <-got; addr != row.want {
			t.Errorf("trusted %v: got %s, want %s", row.trust, addr, row.want)
		}
	}
}

// net/http lets a megabyte of header through. Anything but linear time shows
// here as a test that does not end.
func TestOfIsQuickOnAHugeHeader(t *testing.T) {
	t.Parallel()
	for _, header := range []string{"X-Forwarded-For", "Forwarded"} {
		for _, part := range []string{"10.0.0.2,", "for=10.0.0.2,", ",", `"`, `\`, `\"`, "[", ":", "for=\"", ";", "=", "9"} {
			line := strings.Repeat(part, 1<<18/len(part))
			for _, text := range []string{line, line + " for=10.0.0.2", line + "10.0.0.2", `for="` + line + `"`} {
				resolver(t, "10.0.0.0/8", header, nil).Of(request("10.0.0.1:99", header, text))
			}
		}
	}
}

func TestNetworkIsOneAddressOrA64(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]string{
		"203.0.113.7":            "203.0.113.7/32",
		"::ffff:203.0.113.7":     "203.0.113.7/32",
		"2001:db8:1:2:3:4:5:6":   "2001:db8:1:2::/64",
		"fe80::1%eth0":           "fe80::/64",
		"2001:db8:1:2:ffff::%lo": "2001:db8:1:2::/64",
	} {
		if got := clientip.Network(netip.MustParseAddr(addr)).String(); got != want {
			t.Errorf("%s: got %s, want %s", addr, got, want)
		}
	}
	if got := clientip.Network(netip.Addr{}); got != (netip.Prefix{}) {
		t.Errorf("no address: got %s", got)
	}
}
