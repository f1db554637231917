package digitalocean

import (
	"fmt"

	"github.com/pulumi/pulumi-digitalocean/sdk/v4/go/digitalocean"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/construct-server/infra/cloud"
)

// NewGroup creates one tag for the stack and one for each role, which the
// firewalls refer to.
func (p *Provider) NewGroup(ctx *pulumi.Context, name string, args *cloud.GroupArgs, opts ...pulumi.ResourceOption) (*cloud.Group, error) {
	group := &cloud.Group{Tags: map[string]pulumi.StringOutput{}}
	stack, err := p.newTag(ctx, name, p.scope.Name(), opts)
	if err != nil {
		return nil, err
	}
	group.Tags[""] = stack
	for _, role := range args.Roles {
		tag, err := p.newTag(ctx, name+"-"+role, p.scope.Name(role), opts)
		if err != nil {
			return nil, err
		}
		group.Tags[role] = tag
	}
	return group, nil
}

func (p *Provider) newTag(ctx *pulumi.Context, name, tag string, opts []pulumi.ResourceOption) (pulumi.StringOutput, error) {
	t, err := digitalocean.NewTag(ctx, name, &digitalocean.TagArgs{Name: pulumi.String(tag)}, opts...)
	if err != nil {
		return pulumi.StringOutput{}, fmt.Errorf("create tag %q: %w", tag, err)
	}
	return t.Name, nil
}

// NewKey registers a public key, without which DigitalOcean would set a root
// password and mail it.
func (p *Provider) NewKey(ctx *pulumi.Context, name string, args *cloud.KeyArgs, opts ...pulumi.ResourceOption) (*cloud.Key, error) {
	key, err := digitalocean.NewSshKey(ctx, name, &digitalocean.SshKeyArgs{
		Name:      pulumi.String(p.scope.Name()),
		PublicKey: pulumi.String(args.PublicKey),
	}, opts...)
	if err != nil {
		return nil, fmt.Errorf("create SSH key %q: %w", name, err)
	}
	return &cloud.Key{ID: key.ID().ToStringOutput()}, nil
}

// NewProject shows the stack's resources together in the console.
func (p *Provider) NewProject(ctx *pulumi.Context, name string, args *cloud.ProjectArgs, opts ...pulumi.ResourceOption) error {
	_, err := digitalocean.NewProject(ctx, name, &digitalocean.ProjectArgs{
		Name:        pulumi.String(p.scope.Name()),
		Description: pulumi.String("Construct Server, stack " + p.scope.Stack),
		Purpose:     pulumi.String("Web Application"),
		Resources:   pulumi.StringArray(args.Members),
	}, opts...)
	if err != nil {
		return fmt.Errorf("create project %q: %w", name, err)
	}
	return nil
}
