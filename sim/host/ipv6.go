package host

import "net/netip"

// PublicIPv6 is the n-th /64 of the documentation range (RFC 3849) that goes
// with a range of public IPv4 addresses. Simulators on one machine have
// different IPv4 ranges; without different IPv6 ranges the packet filter of one
// would judge the other's hosts. n counts from 0 and begins again at 8192.
func PublicIPv6(public netip.Prefix, n int) netip.Prefix {
	n %= 8192
	v4 := public.Masked().Addr().As4()
	b := netip.MustParseAddr("2001:db8::").As16()
	b[4], b[5], b[6], b[7] = v4[1], v4[2], v4[3]+byte(n>>8), byte(n) //nolint:gosec // n is small
	return netip.PrefixFrom(netip.AddrFrom16(b), 64)
}
