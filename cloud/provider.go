package cloud

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// Provider creates a cloud's resources. Every method that takes opts passes
// them to each resource that it creates, so that a caller's Parent holds for
// all of them.
type Provider interface {
	// DockerMTU is the largest MTU that containers may use, in bytes; 0 means
	// Docker's own default.
	DockerMTU() int

	// Preflight asks the cloud's catalogue for the region and every size
	// before any resource is registered. It creates nothing and reports all
	// problems at once, each as "path: problem (want …)".
	Preflight(ctx *pulumi.Context, want []SizeRequest) (Catalogue, error)

	// NewGroup makes what servers are gathered by: tags on one cloud, a
	// placement group on the other.
	NewGroup(ctx *pulumi.Context, name string, args *GroupArgs, opts ...pulumi.ResourceOption) (*Group, error)
	NewNetwork(ctx *pulumi.Context, name string, args *NetworkArgs, opts ...pulumi.ResourceOption) (*Network, error)
	NewKey(ctx *pulumi.Context, name string, args *KeyArgs, opts ...pulumi.ResourceOption) (*Key, error)
	// NewFirewall filters every server of one role, from its first packet on.
	NewFirewall(ctx *pulumi.Context, name string, args *FirewallArgs, opts ...pulumi.ResourceOption) (*Firewall, error)
	// NewAddress reserves a public IPv4 address that outlives servers.
	NewAddress(ctx *pulumi.Context, name string, args *AddressArgs, opts ...pulumi.ResourceOption) (*Address, error)
	NewServer(ctx *pulumi.Context, name string, args *ServerArgs, opts ...pulumi.ResourceOption) (*Server, error)
	// NewVolume creates a volume, before the server that it belongs to.
	NewVolume(ctx *pulumi.Context, name string, args *VolumeArgs, opts ...pulumi.ResourceOption) (*Volume, error)
	// AttachVolume attaches a volume to a server. It is not detached when the
	// server goes: that would take the device away from a mounted file system.
	AttachVolume(ctx *pulumi.Context, name string, volume *Volume, server *Server, opts ...pulumi.ResourceOption) (*Attachment, error)
	// NewDNS points the public name at an address.
	NewDNS(ctx *pulumi.Context, name string, args *DNSArgs, opts ...pulumi.ResourceOption) (*DNS, error)
	// NewProject shows the members together in the cloud's console. A cloud
	// that fixes the project by its token creates nothing.
	NewProject(ctx *pulumi.Context, name string, args *ProjectArgs, opts ...pulumi.ResourceOption) error
}
