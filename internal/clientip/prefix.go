package clientip

import (
	"fmt"
	"net/netip"
	"strings"
)

// ParsePrefixes reads what an operator declares as trusted: networks such as
// "10.0.0.0/8", and single addresses such as "127.0.0.1" or "::1". The error
// names the entry. An address with bits beyond its network's size is refused:
// whether 10.0.0.5/8 means one proxy or sixteen million is not ours to guess. So is
// the network of all addresses.
func ParsePrefixes(entries []string) ([]netip.Prefix, error) {
	var prefixes []netip.Prefix
	for _, entry := range entries {
		p, err := parsePrefix(strings.TrimSpace(entry))
		if err != nil {
			return nil, err
		}
		prefixes = append(prefixes, p)
	}
	return prefixes, nil
}

func parsePrefix(entry string) (netip.Prefix, error) {
	if !strings.Contains(entry, "/") {
		addr, err := netip.ParseAddr(entry)
		if err != nil || addr.Zone() != "" {
			return netip.Prefix{}, fmt.Errorf("%q is neither an IP address nor a network such as 10.0.0.0/8", entry)
		}
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	p, err := netip.ParsePrefix(entry)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is neither an IP address nor a network such as 10.0.0.0/8", entry)
	}
	if p != p.Masked() {
		return netip.Prefix{}, fmt.Errorf("%q is an address within a network; write %s for the network or %s for the address", entry, p.Masked(), p.Addr())
	}
	p, err = plainPrefix(p)
	if err == nil && p.Bits() == 0 {
		err = fmt.Errorf("%q is everybody, and everybody could then speak for any client; name the addresses of the proxies", entry)
	}
	return p, err
}

// plainPrefix gives a network the form that plain gives addresses: one of
// IPv4-mapped addresses would otherwise never contain any.
func plainPrefix(p netip.Prefix) (netip.Prefix, error) {
	if !p.IsValid() {
		return netip.Prefix{}, fmt.Errorf("%v is no network", p)
	}
	p = p.Masked()
	if p.Addr().Is4In6() { // then it has at least 96 bits, or the mask had cut the mapping
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p, nil
}
