package roles

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/construct-server/infra/cloud"
	"github.com/construct-server/infra/deploy"
	"github.com/construct-server/infra/network"
	"github.com/construct-server/infra/stacks"
)

// nodeToken is part of every child's URN. Renaming it replaces machines unless
// the old token is kept as an alias.
const nodeToken = "construct:roles:Node"

// swapMB is a small host's swap file, in MB (deploy.HostArgs says which hosts
// are small).
const swapMB = 2048

// NodeArgs is one machine of a role.
type NodeArgs struct {
	Fleet *Fleet      // required
	Role  stacks.Role // required
	Index int         // from 1; names the machine for ever
	Size  cloud.Size  // required
	// VolumeGB is the data volume's size; 0: no volume.
	VolumeGB int
	// Address is the public address that outlives the machine. Default: one
	// of the cloud's choosing.
	Address *cloud.Address
	// Gateway is the way to the machine. nil: it is dialled directly.
	Gateway *Node
	// ProtectServer and ProtectData refuse deletion and replacement.
	ProtectServer, ProtectData bool
}

func (a *NodeArgs) validate() error {
	var problems []error
	if a.Fleet == nil || a.Size.Slug == "" {
		problems = append(problems, errors.New("Fleet, Size: required"))
	}
	if a.Index < 1 {
		problems = append(problems, fmt.Errorf("Index: %d (want at least 1)", a.Index))
	}
	if a.VolumeGB < 0 {
		problems = append(problems, fmt.Errorf("VolumeGB: %d", a.VolumeGB))
	}
	return errors.Join(problems...)
}

// Node is one machine running one role's stack.
type Node struct {
	pulumi.ResourceState

	PublicIP  pulumi.StringOutput `pulumi:"publicIp"` // the stable one, if it has one
	PrivateIP pulumi.StringOutput `pulumi:"privateIp"`
	// Release and Firewall are the digests of what should run on the node; set by
	// start. They do not wait for it: an up that fails must leave outputs, or
	// nobody would know how to reach its servers.
	Release, Firewall pulumi.StringOutput

	fleet      *Fleet
	role       stacks.Role
	name       string // "db-1"
	serverName string // the cloud's: "construct-prod-db-1"
	hostKeys   deploy.HostKeys
	access     deploy.Access
	server     *cloud.Server
	volume     *cloud.Volume // nil: none
	attachment *cloud.Attachment
	host       *deploy.Host
}

// NewNode creates the machine and its volume and sets it up. It is ready for
// start then.
func NewNode(ctx *pulumi.Context, args *NodeArgs, opts ...pulumi.ResourceOption) (*Node, error) {
	name := fmt.Sprintf("%s-%d", args.Role, args.Index)
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("node %q: %w", name, err)
	}
	n := &Node{fleet: args.Fleet, role: args.Role, name: name, serverName: args.Fleet.scope.Name(name)}
	inputs := pulumi.Map{"role": pulumi.String(args.Role), "size": pulumi.String(args.Size.Slug)}
	if err := ctx.RegisterComponentResourceV2(nodeToken, name, inputs, n, opts...); err != nil {
		return nil, fmt.Errorf("register node %q: %w", name, err)
	}
	var err error
	n.hostKeys, err = deploy.NewHostKeys(n.fleet.login.HostKeySeed, n.fleet.login.PreviousHostKeySeed, n.serverName)
	if err != nil {
		return nil, err
	}
	if err := n.createMachine(ctx, args); err != nil {
		return nil, err
	}
	n.PublicIP, n.PrivateIP = n.server.PublicIP, n.server.PrivateIP
	n.access = n.fleet.access(n.server, n.hostKeys.Pinned, args.Gateway)
	return n, n.setUp(ctx, args)
}

// createMachine creates the volume, where the role keeps data, then the server,
// and attaches the one to the other.
func (n *Node) createMachine(ctx *pulumi.Context, args *NodeArgs) error {
	inside := []pulumi.ResourceOption{pulumi.Parent(n)}
	if args.VolumeGB == 0 {
		return n.createServer(ctx, args, inside...)
	}
	name := n.name + "-data"
	var err error
	n.volume, err = n.fleet.cloud.NewVolume(ctx, name, &cloud.VolumeArgs{
		Role: string(n.role), SizeGB: args.VolumeGB, Group: n.fleet.group, Protect: args.ProtectData,
	}, inside...)
	if err != nil {
		return err
	}
	if err := n.createServer(ctx, args, pulumi.Parent(n), pulumi.DependsOn([]pulumi.Resource{n.volume.Resource})); err != nil {
		return err
	}
	n.attachment, err = n.fleet.cloud.AttachVolume(ctx, name, n.volume, n.server, inside...)
	return err
}

// createServer creates the server, which has its host keys from its first boot.
func (n *Node) createServer(ctx *pulumi.Context, args *NodeArgs, opts ...pulumi.ResourceOption) error {
	f := n.fleet
	userData, err := deploy.UserData(deploy.UserDataArgs{
		Hostname: n.serverName, AdminUser: f.login.User, AuthorizedKeys: f.login.AuthorizedKeys,
		HostKeys: n.hostKeys, SSHPort: f.login.Port,
	})
	if err != nil {
		return err
	}
	address, err := network.Address(f.cidr, n.role, args.Index)
	if err != nil {
		return err
	}
	n.server, err = f.cloud.NewServer(ctx, n.name, &cloud.ServerArgs{
		Role: string(n.role), Slug: args.Size.Slug, Next: args.Size.Next,
		UserData: pulumi.ToSecret(pulumi.String(userData)).(pulumi.StringOutput),
		Key:      f.key, Group: f.group, Network: f.network.Cloud, Firewall: f.firewall.Of(n.role),
		PrivateIP: address, Address: args.Address, KeepsData: args.VolumeGB > 0, Protect: args.ProtectServer,
	}, opts...)
	return err
}

// access is how the program reaches a server: directly, or at its private
// address through the gateway.
func (f *Fleet) access(server *cloud.Server, hostKey string, gateway *Node) deploy.Access {
	a := deploy.Access{
		Host: server.PublicIP, Port: f.login.Port, User: f.login.User,
		PrivateKey: f.login.PrivateKey, HostKey: hostKey,
	}
	if gateway != nil {
		a.Host, a.Proxy = server.PrivateIP, &gateway.access
	}
	return a
}

// setUp waits for the machine to boot and makes it a host.
func (n *Node) setUp(ctx *pulumi.Context, args *NodeArgs) error {
	host := &deploy.HostArgs{
		Name: n.serverName, Access: n.access,
		Server: n.server.Resource, ServerID: pulumi.Sprintf("%d", n.server.ID),
		NetworkCIDR: n.fleet.cidr, DockerMTU: n.fleet.cloud.DockerMTU(), SwapMB: swapMB,
		AuthorizedKeys: n.fleet.login.AuthorizedKeys, HostKeys: n.hostKeys,
		Hardening: n.fleet.hardening(args),
	}
	if args.Gateway != nil {
		host.Gateway = args.Gateway.host
	}
	if n.volume != nil {
		host.Device, host.VolumeGB = n.attachment.Device, args.VolumeGB
		host.SetupAfter = []pulumi.CustomResource{n.attachment.Resource}
	}
	var err error
	n.host, err = deploy.NewHost(ctx, n.name, host, pulumi.Parent(n))
	return err
}

// Name is the machine's within the deployment: "db-1".
func (n *Node) Name() string { return n.name }

// Address is what is dialled to reach the node by SSH.
func (n *Node) Address() pulumi.StringInput { return n.access.Host }

// HostKey is the public key that the node's sshd shows, in authorized_keys
// format.
func (n *Node) HostKey() string { return n.access.HostKey }

// ServerName is the server's name in the cloud's console.
func (n *Node) ServerName() string { return n.serverName }

// URNs are the cloud's names of what the node is made of.
func (n *Node) URNs() []pulumi.StringInput {
	urns := []pulumi.StringInput{n.server.URN}
	if n.volume != nil {
		urns = append(urns, n.volume.URN)
	}
	return urns
}
