// Package firewall is the flow matrix: the only place where a port is opened.
//
// Matrix is pure data, derived from the flows that the services declare, plus
// what hosts themselves need: SSH, ping inside the fleet, and the way out. It
// is applied twice: as the cloud's firewall by the component Firewall, and as
// each host's own nftables ruleset (HostRules), which the component ships where
// addresses are known. docs/firewall.md is generated from it. What no row admits
// is dropped.
package firewall
