package cloud

import (
	"net/netip"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// GroupArgs are required in full.
type GroupArgs struct {
	Roles []string // every role of the deployment, in start order
}

// Group is what servers and firewalls of one deployment refer to.
type Group struct {
	// Tags by role, and the deployment's own under "". Empty on a cloud that
	// labels servers without a resource.
	Tags map[string]pulumi.StringOutput
	// PlacementID keeps servers on different machines; the zero value on a
	// cloud that offers no such promise.
	PlacementID pulumi.IntOutput
}

// NetworkArgs are required in full, save Zone.
type NetworkArgs struct {
	CIDR netip.Prefix
	Zone string // Catalogue.Zone; empty on a cloud without zones
}

// Network is the private network.
type Network struct {
	// ID is what a server is attached to: the VPC's or the subnet's id,
	// never a URN.
	ID pulumi.StringOutput
}

// KeyArgs are required in full.
type KeyArgs struct {
	// PublicKey is an authorized_keys line. Both clouds refuse a key that the
	// account already has, so it must be the stack's own.
	PublicKey string
}

// Key is a public SSH key known to the cloud.
type Key struct {
	ID pulumi.StringOutput
}

// FirewallArgs are required in full.
type FirewallArgs struct {
	Role  string
	Rules []Rule // sorted; default is drop in both directions
	Group *Group
}

// Firewall is one role's firewall.
type Firewall struct {
	Resource pulumi.CustomResource // a server must not exist before it
	ID       pulumi.IntOutput
}

// AddressArgs are required in full.
type AddressArgs struct {
	Role string // the role whose server will have it
}

// Address is a public IPv4 address that outlives its server.
type Address struct {
	ID pulumi.IntOutput // the zero value where an address is its own id
	IP pulumi.StringOutput
	// URN is the cloud's own name of the address, for ProjectArgs.Members.
	URN pulumi.StringOutput
}

// ServerArgs are required in full, save Address and Protect.
type ServerArgs struct {
	Role     string
	Slug     string // the cloud's own size, from Catalogue
	Next     string // Size.Next; may be empty
	UserData pulumi.StringInput
	Key      *Key
	Group    *Group
	Network  *Network
	Firewall *Firewall
	// PrivateIP is asked for where the cloud lets a server choose.
	PrivateIP netip.Addr
	Address   *Address // default: an address of the cloud's choosing
	// KeepsData says that a volume is in use on it: a cloud that would detach it
	// first shuts the server down before that.
	KeepsData bool
	Protect   bool // refuse deletion and replacement
}

// Server is one machine.
type Server struct {
	Resource pulumi.CustomResource
	ID       pulumi.IntOutput
	// PublicIP is known once the server answers there and has joined the
	// private network, so that whoever dials it may also dial through it.
	PublicIP  pulumi.StringOutput
	PrivateIP pulumi.StringOutput
	URN       pulumi.StringOutput // for ProjectArgs.Members
}

// VolumeArgs are required in full, save Protect.
type VolumeArgs struct {
	Role    string
	SizeGB  int
	Group   *Group
	Protect bool // refuse deletion
}

// Volume is a block volume.
type Volume struct {
	// Resource is what its server depends on: a server is deleted first, and
	// lets go of its volumes as it goes.
	Resource pulumi.CustomResource
	Name     string // the cloud's name of it
	ID       pulumi.IDOutput
	URN      pulumi.StringOutput // for ProjectArgs.Members
}

// Attachment is a volume on a server.
type Attachment struct {
	// Resource is what a host's set-up waits for.
	Resource pulumi.CustomResource
	// Device is the volume's path on the host, known once it is attached.
	Device pulumi.StringOutput
}

// DNSArgs are required in full, save Existing.
type DNSArgs struct {
	Domain string // the public name: "chat.example.com"
	Zone   string // the zone that holds it: Domain itself or a parent of it
	// Existing says that the zone is there already and is not ours to delete.
	Existing bool
	Address  *Address
}

// Record is Domain as its zone's records spell it: "@" for the zone itself.
func (a *DNSArgs) Record() string {
	if a.Domain == a.Zone {
		return "@"
	}
	return strings.TrimSuffix(a.Domain, "."+a.Zone)
}

// DNS is the public name's record.
type DNS struct {
	Record pulumi.CustomResource
	URN    pulumi.StringOutput // of the zone, for ProjectArgs.Members; the zero value if not ours
}

// ProjectArgs are required in full.
type ProjectArgs struct {
	Members []pulumi.StringInput // URNs
}
