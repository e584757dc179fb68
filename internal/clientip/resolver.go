// Package clientip finds the address of the client behind declared proxies.
//
// Nobody is trusted by default: forwarded headers of other peers are ignored
// (oauth2-proxy CVE-2026-40575, Traefik CVE-2026-35051). The header of a
// trusted peer is read from the right, where that peer wrote; what stands on
// the left was sent by the client and is whatever it liked.
package clientip

import (
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// DefaultHeader is the header that is read when none is named.
const DefaultHeader = "X-Forwarded-For"

// Options are the rarer settings of a Resolver.
type Options struct {
	// TrustUnix trusts peers that have no network address because they came
	// through a Unix socket, which only local processes that may open it can.
	// Defaults to false.
	TrustUnix bool
}

// Resolver finds client addresses. It does not change and is safe for
// concurrent use.
type Resolver struct {
	trusted   []netip.Prefix
	trustUnix bool
	header    string
	entry     func(string) (netip.Addr, bool)
	cut       func(string) (before, last string, more bool)
}

// New returns a Resolver that believes the peers within trusted, and reads
// their addresses from header: X-Forwarded-For where it is empty, Forwarded
// (RFC 7239), or another header with a list of addresses or a single one. No
// prefixes means that nobody is trusted. opts may be nil. It refuses a header
// that is no header name: it would never be there, and every client behind a
// proxy would share one address.
func New(trusted []netip.Prefix, header string, opts *Options) (*Resolver, error) {
	if header == "" {
		header = DefaultHeader
	}
	if strings.ContainsFunc(header, func(c rune) bool { return !isTokenChar(c) }) {
		return nil, errors.New("the header for the client address is no header name")
	}
	r := &Resolver{header: http.CanonicalHeaderKey(header), entry: parseEntry, cut: cutEntry}
	if r.header == "Forwarded" {
		r.entry, r.cut = parseElement, cutElement
	}
	for _, p := range trusted {
		p, err := plainPrefix(p)
		if err != nil {
			return nil, err
		}
		r.trusted = append(r.trusted, p)
	}
	if opts != nil {
		r.trustUnix = opts.TrustUnix
	}
	return r, nil
}

// Of is the address of the client: that of the peer unless the peer is
// trusted, else the rightmost address of the header that is not trusted. What
// cannot be read ends the search with the last address that was; so does the
// left end of the header. It is never an IPv4-mapped address and has no zone.
// The zero Addr means that there is no address: a Unix socket whose peer is not
// trusted or said nothing.
func (r *Resolver) Of(req *http.Request) netip.Addr {
	client := peer(req)
	if !r.Trusted(req) {
		return client
	}
	// RFC 9110 section 5.3: several field lines are one list, in order.
	for _, line := range slices.Backward(req.Header.Values(r.header)) {
		for more := true; more; {
			var last string
			line, last, more = r.cut(line)
			addr, ok := r.entry(last)
			if !ok {
				return client
			}
			client = addr
			if !r.trusts(addr) {
				return client
			}
		}
	}
	return client
}

// Trusted reports whether the peer, who sent the request over the wire, is a
// declared proxy: whether its forwarded headers count.
func (r *Resolver) Trusted(req *http.Request) bool {
	if addr := peer(req); addr.IsValid() {
		return r.trusts(addr)
	}
	return r.trustUnix && isUnix(req.RemoteAddr)
}

func (r *Resolver) trusts(addr netip.Addr) bool {
	for _, p := range r.trusted {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// peer is the zero Addr where RemoteAddr holds no IP address.
func peer(req *http.Request) netip.Addr {
	if ap, err := netip.ParseAddrPort(req.RemoteAddr); err == nil {
		return plain(ap.Addr())
	}
	// net/http always has a port, other servers and tests may not.
	if addr, err := netip.ParseAddr(req.RemoteAddr); err == nil {
		return plain(addr)
	}
	return netip.Addr{}
}

// isUnix knows how package net shows a Unix socket's peer: nothing or "@" for
// the usual one without a name, else its abstract name or path.
func isUnix(remote string) bool {
	return remote == "" || remote[0] == '@' || remote[0] == '/'
}

// plain gives each address one form: 192.0.2.1 and ::ffff:192.0.2.1 are the
// same client, and a zone says which of our interfaces it came through.
func plain(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }

// Network is what limits count by: an IPv4 address alone, and the /64 of an
// IPv6 address, as one subscriber has at least that many (better-auth
// GHSA-p6v2-xcpg-h6xw). The zero Addr has the zero Prefix, so that clients
// without an address share one limit.
func Network(addr netip.Addr) netip.Prefix {
	addr = plain(addr)
	bits := 64
	if addr.Is4() {
		bits = 32
	}
	network, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return network
}
