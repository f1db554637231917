package hetzner

import (
	"fmt"

	"github.com/pulumi/pulumi-hcloud/sdk/go/hcloud"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/construct-server/infra/cloud"
)

// NewGroup creates a placement group that keeps the servers on different
// machines (at most ten of them). Roles are labels, which need no resource.
func (p *Provider) NewGroup(ctx *pulumi.Context, name string, _ *cloud.GroupArgs, opts ...pulumi.ResourceOption) (*cloud.Group, error) {
	group, err := hcloud.NewPlacementGroup(ctx, name, &hcloud.PlacementGroupArgs{
		Name:   pulumi.String(p.scope.Name()),
		Type:   pulumi.String("spread"),
		Labels: p.labels(""),
	}, opts...)
	if err != nil {
		return nil, fmt.Errorf("create placement group %q: %w", name, err)
	}
	return &cloud.Group{PlacementID: number(group.ID())}, nil
}

// NewKey registers a public key, without which Hetzner would set a root
// password and mail it.
func (p *Provider) NewKey(ctx *pulumi.Context, name string, args *cloud.KeyArgs, opts ...pulumi.ResourceOption) (*cloud.Key, error) {
	key, err := hcloud.NewSshKey(ctx, name, &hcloud.SshKeyArgs{
		Name:      pulumi.String(p.scope.Name()),
		PublicKey: pulumi.String(args.PublicKey),
		Labels:    p.labels(""),
	}, opts...)
	if err != nil {
		return nil, fmt.Errorf("create SSH key %q: %w", name, err)
	}
	return &cloud.Key{ID: key.ID().ToStringOutput()}, nil
}

// NewProject creates nothing: the token belongs to one project.
func (*Provider) NewProject(*pulumi.Context, string, *cloud.ProjectArgs, ...pulumi.ResourceOption) error {
	return nil
}
