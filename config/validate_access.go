package config

import (
	"fmt"
	"net/netip"
	"slices"
)

// fleetPorts are listened on by some service, metrics endpoint or resolver of
// the fleet; sshd must not be asked to take one of them.
var fleetPorts = []int{
	53, 80, 443, 2020, 3000, 5432, 6379, 8001, 8002, 8003, 8004, 8005, 8006, 8080,
	9090, 9092, 9093, 9100, 9115, 9121, 9187, 9644, 33145, 50051, 50052,
}

// Prefixes shorter than these are the whole Internet in pieces.
const (
	widestIPv4 = 8
	widestIPv6 = 16
)

func (v *validator) sshAccess() {
	if len(v.SSH.AllowedCIDRs) == 0 {
		v.add("ssh.allowedCidrs", "is missing", "the networks that may connect by SSH, for example 203.0.113.7/32")
	}
	for i, p := range v.SSH.AllowedCIDRs {
		path := fmt.Sprintf("ssh.allowedCidrs[%d]", i)
		switch {
		case !p.IsValid():
			v.add(path, "is not a network in CIDR notation", "for example 203.0.113.7/32")
		case p.Masked() != p:
			v.add(path, "has host bits set", p.Masked().String())
		case slices.Contains(v.SSH.AllowedCIDRs[:i], p):
			v.add(path, "is listed twice", "each network once")
		case isWide(p) && !v.SSH.AllowAnywhere:
			v.add(path, "lets the whole Internet try to log in", "your own networks, or allowAnywhere: true beside it")
		}
	}
	switch {
	case v.SSH.Port < 1 || v.SSH.Port > 65535:
		v.add("ssh.port", "is not a port", "1 to 65535")
	case slices.Contains(fleetPorts, v.SSH.Port):
		v.add("ssh.port", "is the port of another service", "22 or another free port")
	}
}

func isWide(p netip.Prefix) bool {
	if p.Addr().Is4() {
		return p.Bits() < widestIPv4
	}
	return p.Bits() < widestIPv6
}

// Prefixes of which parts are used by something else on the hosts.
var (
	// dockerPools are Docker's default address pools (moby, ipamutils).
	dockerPools = []netip.Prefix{
		netip.MustParsePrefix("172.17.0.0/16"), netip.MustParsePrefix("172.18.0.0/15"),
		netip.MustParsePrefix("172.20.0.0/14"), netip.MustParsePrefix("172.24.0.0/13"),
		netip.MustParsePrefix("192.168.0.0/16"),
	}
	// digitalOceanReserved cannot be a VPC's (its VPC documentation, "Plan
	// your network").
	digitalOceanReserved = []netip.Prefix{
		netip.MustParsePrefix("10.229.0.0/16"), netip.MustParsePrefix("10.244.0.0/16"),
		netip.MustParsePrefix("10.245.0.0/16"), netip.MustParsePrefix("10.246.0.0/24"),
	}
	// resolverNet holds the hosts' own resolver, 169.254.20.53, and the
	// clouds' metadata services.
	resolverNet = netip.MustParsePrefix("169.254.0.0/16")
)

const widestNetwork = 16

func (v *validator) network() {
	const path, example = "network.cidr", "for example 10.20.0.0/24"
	p := v.Network.CIDR
	if !p.IsValid() {
		v.add(path, "is not a network in CIDR notation", example)
		return
	}
	facts, known := factsOf(v.Cloud)
	overlaps := func(others []netip.Prefix) bool { return slices.ContainsFunc(others, p.Overlaps) }
	switch {
	case p.Masked() != p:
		v.add(path, "has host bits set", p.Masked().String())
	case p.Overlaps(resolverNet):
		v.add(path, "overlaps the link-local network of resolver and metadata", example)
	case !p.Addr().IsPrivate() || !p.Addr().Is4():
		v.add(path, "is not a private IPv4 network", example)
	case p.Bits() < widestNetwork:
		v.add(path, fmt.Sprintf("is larger than /%d", widestNetwork), example)
	case known && p.Bits() > facts.maxNetworkBits:
		v.add(path, fmt.Sprintf("is smaller than /%d, %s's smallest", facts.maxNetworkBits, facts.title), example)
	case overlaps(dockerPools):
		v.add(path, "overlaps the networks that Docker uses on the hosts", example)
	case v.Cloud == DigitalOcean && overlaps(digitalOceanReserved):
		v.add(path, "overlaps a range that DigitalOcean keeps for itself", example)
	}
}
