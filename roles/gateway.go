package roles

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/construct-server/infra/cloud"
	"github.com/construct-server/infra/stacks"
)

// gatewayToken is part of every child's URN; a renamed one needs an alias.
const gatewayToken = "construct:roles:Gateway"

// GatewayArgs are required in full, save Domain, Zone and ExistingZone.
type GatewayArgs struct {
	Fleet *Fleet
	Size  cloud.Size
	// Domain is the public name. Default: none, and no DNS.
	Domain string
	Zone   string // the zone of Domain's record; required with Domain
	// ExistingZone says that the zone is not this deployment's to create.
	ExistingZone bool
}

// Gateway is the public entrance, and the way to every other host.
type Gateway struct {
	pulumi.ResourceState
	members

	address *cloud.Address
	dns     *cloud.DNS // nil without a domain
}

var _ Member = (*Gateway)(nil)

// NewGateway creates the stable address, the server, and the domain's record.
func NewGateway(ctx *pulumi.Context, name string, args *GatewayArgs, opts ...pulumi.ResourceOption) (*Gateway, error) {
	g := &Gateway{}
	if err := g.register(ctx, gatewayToken, name, stacks.Gateway, g, opts); err != nil {
		return nil, err
	}
	inside := pulumi.Parent(g)
	var err error
	g.address, err = args.Fleet.cloud.NewAddress(ctx, name+"-1", &cloud.AddressArgs{Role: string(stacks.Gateway)}, inside)
	if err != nil {
		return nil, err
	}
	if args.Domain != "" {
		g.dns, err = args.Fleet.cloud.NewDNS(ctx, name, &cloud.DNSArgs{
			Domain: args.Domain, Zone: args.Zone, Existing: args.ExistingZone, Address: g.address,
		}, inside)
		if err != nil {
			return nil, err
		}
	}
	if err := g.addNode(ctx, NodeArgs{Fleet: args.Fleet, Size: args.Size, Address: g.address}); err != nil {
		return nil, err
	}
	return g, nil
}

// Start implements [Member]. The record must be there before the release asks
// for a certificate.
func (g *Gateway) Start(ctx *pulumi.Context, args *StartArgs) ([]pulumi.CustomResource, error) {
	own := *args
	if g.dns != nil {
		own.After = append([]pulumi.CustomResource{g.dns.Record}, args.After...)
	}
	return g.members.Start(ctx, &own)
}

// way is how other nodes are dialled: through the first gateway, or directly.
func (g *Gateway) way() *Node {
	if n := g.nodes[0]; !n.fleet.login.Direct {
		return n
	}
	return nil
}

// PublicIP is the address that outlives the server.
func (g *Gateway) PublicIP() pulumi.StringOutput { return g.nodes[0].PublicIP }

// URNs are the cloud's names of what belongs to the gateway beside its node.
func (g *Gateway) URNs() []pulumi.StringInput {
	urns := []pulumi.StringInput{g.address.URN}
	if g.dns != nil && g.dns.URN.OutputState != nil {
		urns = append(urns, g.dns.URN)
	}
	return urns
}
