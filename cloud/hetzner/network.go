package hetzner

import (
	"fmt"

	"github.com/pulumi/pulumi-hcloud/sdk/go/hcloud"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/construct-server/infra/cloud"
)

// NewNetwork creates the network and one subnet that fills it. Both refuse to
// go while a deleted server is still leaving them.
func (p *Provider) NewNetwork(ctx *pulumi.Context, name string, args *cloud.NetworkArgs, opts ...pulumi.ResourceOption) (*cloud.Network, error) {
	patient := with(opts, pulumi.Timeouts(&pulumi.CustomTimeouts{Delete: "10m"}))
	network, err := hcloud.NewNetwork(ctx, name, &hcloud.NetworkArgs{
		Name:    pulumi.String(p.scope.Name()),
		IpRange: pulumi.String(args.CIDR.String()),
		Labels:  p.labels(""),
	}, patient...)
	if err != nil {
		return nil, fmt.Errorf("create network %q: %w", name, err)
	}
	subnet, err := hcloud.NewNetworkSubnet(ctx, name, &hcloud.NetworkSubnetArgs{
		NetworkId:   number(network.ID()),
		Type:        pulumi.String("cloud"),
		NetworkZone: pulumi.String(args.Zone),
		IpRange:     pulumi.String(args.CIDR.String()),
	}, patient...)
	if err != nil {
		return nil, fmt.Errorf("create subnet %q: %w", name, err)
	}
	return &cloud.Network{ID: subnet.ID().ToStringOutput()}, nil
}

// NewAddress creates a primary IP that outlives its server.
func (p *Provider) NewAddress(ctx *pulumi.Context, name string, args *cloud.AddressArgs, opts ...pulumi.ResourceOption) (*cloud.Address, error) {
	ip, err := hcloud.NewPrimaryIp(ctx, name, &hcloud.PrimaryIpArgs{
		Name:       pulumi.String(p.scope.Name(name)),
		Type:       pulumi.String("ipv4"),
		Location:   pulumi.String(p.scope.Region),
		AutoDelete: pulumi.Bool(false),
		Labels:     p.labels(args.Role),
	}, opts...)
	if err != nil {
		return nil, fmt.Errorf("create primary IP %q: %w", name, err)
	}
	return &cloud.Address{ID: number(ip.ID()), IP: ip.IpAddress}, nil
}
