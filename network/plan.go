package network

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/construct-server/infra/stacks"
)

// eighths is the number of blocks that a network is cut into. The first is
// the cloud's (network address, gateway), the last two are free for what may
// come: load balancers, more roles. None of a role's addresses is the first,
// the second or the last of the network, which clouds keep for themselves.
const eighths = 8

const (
	minBits = 16 // largest network: 8,192 addresses a role
	maxBits = 28 // smallest network: 2 addresses a role
)

// block is the role's eighth. These numbers are for ever: changing one moves
// running servers.
func block(role stacks.Role) (int, error) {
	switch role {
	case stacks.Gateway:
		return 1, nil
	case stacks.App:
		return 2, nil
	case stacks.DB:
		return 3, nil
	case stacks.Message:
		return 4, nil
	case stacks.Media:
		return 5, nil
	case stacks.Internet: // not ours to number
	}
	return 0, fmt.Errorf("no addresses are planned for role %q", role)
}

// Block is the part of the network that holds all of a role's servers, now
// and later.
func Block(cidr netip.Prefix, role stacks.Role) (netip.Prefix, error) {
	if err := check(cidr); err != nil {
		return netip.Prefix{}, err
	}
	n, err := block(role)
	if err != nil {
		return netip.Prefix{}, err
	}
	size := 1 << (32 - cidr.Bits()) / eighths
	return netip.PrefixFrom(offset(cidr.Addr(), n*size), cidr.Bits()+3), nil
}

// Address is the private address of a role's server. Indices count from 1.
func Address(cidr netip.Prefix, role stacks.Role, index int) (netip.Addr, error) {
	b, err := Block(cidr, role)
	if err != nil {
		return netip.Addr{}, err
	}
	if most := 1 << (32 - b.Bits()); index < 1 || index > most {
		return netip.Addr{}, fmt.Errorf("plan address of %s-%d: %s holds %d servers of a role", role, index, cidr, most)
	}
	return offset(b.Addr(), index-1), nil
}

// Plan is every server's private address, by role and index.
type Plan map[stacks.Role][]netip.Addr

// NewPlan plans as many servers as counts says. All problems are reported.
func NewPlan(cidr netip.Prefix, counts map[stacks.Role]int) (Plan, error) {
	plan := Plan{}
	var problems []error
	for _, role := range stacks.Roles(true) {
		for i := range counts[role] {
			addr, err := Address(cidr, role, i+1)
			if err != nil {
				problems = append(problems, err)
				break
			}
			plan[role] = append(plan[role], addr)
		}
	}
	return plan, errors.Join(problems...)
}

func check(cidr netip.Prefix) error {
	if !cidr.IsValid() || !cidr.Addr().Is4() || cidr != cidr.Masked() || cidr.Bits() < minBits || cidr.Bits() > maxBits {
		return fmt.Errorf("construct:network.cidr: %s cannot be divided among the roles (want an IPv4 network from /%d to /%d)", cidr, minBits, maxBits)
	}
	return nil
}

// offset adds n to an IPv4 address.
func offset(addr netip.Addr, n int) netip.Addr {
	b := addr.As4()
	v := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	v += uint32(n)
	return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
}
