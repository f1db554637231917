package deploy

import (
	"net/netip"
	"strconv"
)

// Hardening is what set-up closes a host by. The zero value is a host that only
// the gateway dials, that passes nothing on and never reboots by itself.
type Hardening struct {
	// Forward lists what sshd passes connections on to, as host:port where
	// either may be "*". Default: nothing.
	Forward []string
	// Operators are the networks that dial this host's sshd from outside.
	// Addresses that fail to log in are banned there. Default: nobody does.
	Operators []netip.Prefix
	// RebootAt is when the host may reboot for an upgrade, as a systemd
	// calendar expression. Default: never.
	RebootAt string
}

// Networks as small as these are an operator's own, and never banned: whoever
// else is in them could bring the same about by other means. Of larger ones,
// each address answers for itself.
const (
	trustedBits4 = 24
	trustedBits6 = 48
)

// trusted are the networks that no ban touches: the fleet's, and the operators'
// if they are small.
func (h Hardening) trusted(fleet netip.Prefix) []netip.Prefix {
	if len(h.Operators) == 0 {
		return nil
	}
	trusted := []netip.Prefix{fleet}
	for _, p := range h.Operators {
		if p.Addr().Is4() && p.Bits() >= trustedBits4 || p.Addr().Is6() && p.Bits() >= trustedBits6 {
			trusted = append(trusted, p)
		}
	}
	return trusted
}

// hardeningWords are set-up's arguments that say who may come in and how.
func (a *HostArgs) hardeningWords() []string {
	words := []string{"--admin", a.Access.User, "--ssh-port", strconv.Itoa(a.Access.port())}
	for _, f := range a.Hardening.Forward {
		words = append(words, "--forward", f)
	}
	for _, p := range a.Hardening.trusted(a.NetworkCIDR) {
		words = append(words, "--trust", p.String())
	}
	if a.Hardening.RebootAt != "" {
		words = append(words, "--reboot-at", a.Hardening.RebootAt)
	}
	return words
}
