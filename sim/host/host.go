// Package host is what a simulated cloud asks of the machines it rents out.
//
// Two backends implement it: container (a systemd container that behaves as a
// VPS) and dry (an SSH server that records commands). The clouds own every
// name, address and id; a backend only makes them true.
package host

import (
	"context"
	"net/netip"
	"time"
)

// Backend runs hosts. Methods are safe for concurrent use, idempotent, and
// return when the change is in effect.
type Backend interface {
	// Kind is "container" or "dry".
	Kind() string
	// PublicPrefix is the range of which public addresses may be handed out.
	// The first 10 addresses are the simulator's own.
	PublicPrefix() netip.Prefix
	// NextPublic returns an unused public address and reserves it; Release frees it.
	NextPublic() (netip.Addr, error)
	ReleasePublic(netip.Addr)

	CreateNetwork(ctx context.Context, n Network) error
	DeleteNetwork(ctx context.Context, id string) error

	// Create powers a new host on. It returns before sshd answers.
	Create(ctx context.Context, s Spec) error
	Destroy(ctx context.Context, id string) error
	PowerOff(ctx context.Context, id string) error
	// ShutDown asks a host to shut down in order; it is off afterwards.
	ShutDown(ctx context.Context, id string) error
	PowerOn(ctx context.Context, id string) error
	Reboot(ctx context.Context, id string) error

	AttachNetwork(ctx context.Context, hostID, networkID string, addr netip.Addr) error
	DetachNetwork(ctx context.Context, hostID, networkID string) error

	// AssignPublic adds a further public address (reserved IP) to a host.
	AssignPublic(ctx context.Context, hostID string, addr netip.Addr) error
	UnassignPublic(ctx context.Context, hostID string, addr netip.Addr) error

	CreateVolume(ctx context.Context, id string, sizeGB int) error
	ResizeVolume(ctx context.Context, id string, sizeGB int) error
	// AttachVolume shows the volume as /dev/disk/by-id/<byID> on the host.
	AttachVolume(ctx context.Context, volumeID, hostID, byID string) error
	DetachVolume(ctx context.Context, volumeID, hostID string) error
	DeleteVolume(ctx context.Context, id string) error

	// SetFirewall replaces the cloud firewall's effective rules for a host.
	// nil means: no cloud firewall, everything passes.
	SetFirewall(ctx context.Context, hostID string, f *Firewall) error

	// RefuseSSH makes the host's SSH port refuse (fault injection).
	RefuseSSH(ctx context.Context, hostID string, refuse bool) error
	// SwapHostKey makes the sshd of a running host show another ed25519 key
	// than the user data's, or that one again (fault injection).
	SwapHostKey(ctx context.Context, hostID string, swap bool) error
	// Commands lists the SSH commands run on a host so far, oldest first.
	Commands(ctx context.Context, hostID string) ([]Command, error)

	// Close removes every host, network and volume the backend made.
	Close(ctx context.Context) error
}

// Cutter is a Backend that knows a command over SSH before it answers it, and
// so can lose the answer (fault injection). Container hosts do not: their sshd
// tells nobody what it runs.
type Cutter interface {
	// OnCommand sets who is asked, for each command, whether its connection
	// shall be cut, and how long after the command has got its input. The host
	// carries the command out all the same, and records it.
	OnCommand(ask func(hostID, command string) (after time.Duration, cut bool))
}

// Loser is a Backend with packets, which can lose some of them (fault injection).
// Dry hosts have connections only.
type Loser interface {
	// LosePackets drops that share of all packets to, from and between hosts, in
	// percent, in each direction; 0 ends it.
	LosePackets(ctx context.Context, percent int) error
}

// Network is a private network.
type Network struct {
	ID     string
	Prefix netip.Prefix
	MTU    int // 1500 on DigitalOcean, 1450 on Hetzner
}

// Spec describes a host at creation.
type Spec struct {
	ID             string // unique within the simulator, [a-z0-9-]
	Hostname       string
	UserData       string   // cloud-init user data, as the cloud was given it
	AuthorizedKeys []string // the cloud's SSH keys, for root
	MemoryMB       int
	VCPUs          int
	PublicIPv4     netip.Addr // invalid: no public interface
	PublicIPv6     netip.Addr // may be invalid
	NetworkID      string     // private network at creation; may be empty
	PrivateIPv4    netip.Addr
	Volumes        []Volume  // attached at creation
	Firewall       *Firewall // in effect before the first packet
}

// Volume is a volume attached at creation.
type Volume struct{ ID, ByID string }

// Firewall is a host's effective cloud firewall: stateful, default deny in
// both directions where Inbound or Outbound filters.
type Firewall struct {
	Inbound        []Rule
	Outbound       []Rule
	FilterInbound  bool // false: everything inbound passes
	FilterOutbound bool
	FilterPrivate  bool // whether private-network traffic is filtered as well (DigitalOcean, modelled; never on Hetzner)
}

// Rule admits traffic.
type Rule struct {
	Protocol string // "tcp", "udp", "icmp"
	PortFrom uint16 // 0 with PortTo 0: all ports
	PortTo   uint16
	Peers    []netip.Prefix // sources inbound, destinations outbound
}

// Command is one SSH command as the host saw it.
type Command struct {
	Time    time.Time
	User    string
	Text    string // may be empty on container hosts, where sshd logs only that one ran
	Exit    int
	Elapsed time.Duration
}
