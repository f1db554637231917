package cloud

import "net/netip"

// Direction is seen from the server.
type Direction string

// The directions.
const (
	Inbound  Direction = "in"
	Outbound Direction = "out"
)

// Protocol is a transport protocol by the name that both clouds use.
type Protocol string

// The protocols.
const (
	TCP  Protocol = "tcp"
	UDP  Protocol = "udp"
	ICMP Protocol = "icmp"
)

// Rule admits traffic between a role's servers and peers.
type Rule struct {
	Direction Direction
	Protocol  Protocol
	Port      int // 0: every port of the protocol
	// Prefixes and Roles are the peers; a peer in either is admitted.
	Prefixes []netip.Prefix
	Roles    []string
	Why      string // at most 255 characters
}
