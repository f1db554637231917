package digitalocean

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-digitalocean/sdk/v4/go/digitalocean"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/construct-server/infra/cloud"
)

// NewNetwork creates the VPC. A VPC answers 409 while a deleted droplet is
// still leaving it, and the provider gives up after two minutes unless told.
func (p *Provider) NewNetwork(ctx *pulumi.Context, name string, args *cloud.NetworkArgs, opts ...pulumi.ResourceOption) (*cloud.Network, error) {
	before, err := p.defaultNetwork(ctx, name+"-default", opts)
	if err != nil {
		return nil, err
	}
	vpc, err := digitalocean.NewVpc(ctx, name, &digitalocean.VpcArgs{
		Name:        pulumi.String(p.scope.Name()),
		Region:      pulumi.String(p.scope.Region),
		IpRange:     pulumi.String(args.CIDR.String()),
		Description: pulumi.String("Private network of " + p.scope.Name()),
	}, with(opts, pulumi.Timeouts(&pulumi.CustomTimeouts{Delete: "10m"}), pulumi.DependsOn(before))...)
	if err != nil {
		return nil, fmt.Errorf("create VPC %q: %w", name, err)
	}
	return &cloud.Network{ID: vpc.ID().ToStringOutput()}, nil
}

// defaultNetwork keeps the deployment's VPC from being its region's default.
// DigitalOcean makes the account's first VPC in a region the default, and never
// deletes that: destruction would fail. So an account without one is given one
// first, empty and free of charge, which stays when the deployment goes and is
// taken up again when it comes back.
func (p *Provider) defaultNetwork(ctx *pulumi.Context, name string, opts []pulumi.ResourceOption) ([]pulumi.Resource, error) {
	own := p.scope.Name("default")
	found, err := digitalocean.LookupVpc(ctx, &digitalocean.LookupVpcArgs{Region: pulumi.StringRef(p.scope.Region)})
	switch {
	case err == nil && found.Name != own:
		return nil, nil
	case err == nil:
		opts = with(opts, pulumi.Import(pulumi.ID(found.Id)))
	case !strings.Contains(err.Error(), "unable to find default VPC"):
		return nil, fmt.Errorf("look for the default VPC of region %q: %w", p.scope.Region, err)
	}
	vpc, err := digitalocean.NewVpc(ctx, name, &digitalocean.VpcArgs{
		Name:        pulumi.String(own),
		Region:      pulumi.String(p.scope.Region),
		Description: pulumi.String("Default of the region, so that no deployment's network is"),
	}, with(opts, pulumi.RetainOnDelete(true))...)
	if err != nil {
		return nil, fmt.Errorf("create VPC %q: %w", name, err)
	}
	return []pulumi.Resource{vpc}, nil
}

// NewAddress reserves an IP. It is assigned where the server is made.
func (p *Provider) NewAddress(ctx *pulumi.Context, name string, _ *cloud.AddressArgs, opts ...pulumi.ResourceOption) (*cloud.Address, error) {
	ip, err := digitalocean.NewReservedIp(ctx, name, &digitalocean.ReservedIpArgs{
		Region: pulumi.String(p.scope.Region),
	}, opts...)
	if err != nil {
		return nil, fmt.Errorf("reserve IP %q: %w", name, err)
	}
	return &cloud.Address{IP: ip.IpAddress, URN: ip.ReservedIpUrn}, nil
}
