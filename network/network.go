package network

import (
	"fmt"
	"net/netip"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/construct-server/infra/cloud"
)

// networkToken is part of every child's URN; a renamed one needs an alias.
const networkToken = "construct:network:Network"

// Args are required in full, save Zone.
type Args struct {
	Cloud cloud.Provider
	CIDR  netip.Prefix
	Zone  string // cloud.Catalogue.Zone
}

// Network is the private network of a deployment.
type Network struct {
	pulumi.ResourceState

	ID pulumi.StringOutput `pulumi:"networkId"` // what servers are attached to

	Cloud *cloud.Network
}

// New creates the private network.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Network, error) {
	if err := check(args.CIDR); err != nil {
		return nil, err
	}
	n := &Network{}
	inputs := pulumi.Map{"cidr": pulumi.String(args.CIDR.String())}
	if err := ctx.RegisterComponentResourceV2(networkToken, name, inputs, n, opts...); err != nil {
		return nil, fmt.Errorf("register network %q: %w", name, err)
	}
	network, err := args.Cloud.NewNetwork(ctx, name, &cloud.NetworkArgs{CIDR: args.CIDR, Zone: args.Zone}, pulumi.Parent(n))
	if err != nil {
		return nil, err
	}
	n.Cloud, n.ID = network, network.ID
	if err := ctx.RegisterResourceOutputs(n, pulumi.Map{"networkId": n.ID}); err != nil {
		return nil, fmt.Errorf("register outputs of network %q: %w", name, err)
	}
	return n, nil
}
