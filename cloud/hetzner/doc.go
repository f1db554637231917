// Package hetzner adapts Hetzner Cloud to cloud.Provider.
//
// Its cloud firewall does not see private traffic at all, so only rules with
// addresses are sent to it; the hosts filter the rest themselves. Private
// addresses are chosen. The project is fixed by the token.
package hetzner
