package roles

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/construct-server/infra/stacks"
)

// Member is a role that was built and can be started.
type Member interface {
	Role() stacks.Role
	Nodes() []*Node
	// Start ships the role's release to its nodes, one after the other, and
	// returns what the next role waits for.
	Start(ctx *pulumi.Context, args *StartArgs) ([]pulumi.CustomResource, error)
}

// members is what the five components have in common.
type members struct {
	role  stacks.Role
	owner pulumi.ComponentResource
	nodes []*Node
}

// Role implements [Member].
func (m *members) Role() stacks.Role { return m.role }

// Nodes implements [Member].
func (m *members) Nodes() []*Node { return m.nodes }

// Start implements [Member].
func (m *members) Start(ctx *pulumi.Context, args *StartArgs) ([]pulumi.CustomResource, error) {
	after := args.After
	var releases []pulumi.CustomResource
	digests := pulumi.StringArray{}
	for _, n := range m.nodes {
		one := *args
		one.After = after
		release, err := n.start(ctx, &one)
		if err != nil {
			return nil, err
		}
		after = []pulumi.CustomResource{release.Healthy()}
		releases = append(releases, release.Healthy())
		digests = append(digests, release.Digest)
	}
	if err := ctx.RegisterResourceOutputs(m.owner, pulumi.Map{"releases": digests}); err != nil {
		return nil, fmt.Errorf("register outputs of role %q: %w", m.role, err)
	}
	return releases, nil
}

// register makes a component the owner of a role's nodes.
func (m *members) register(ctx *pulumi.Context, token, name string, role stacks.Role, owner pulumi.ComponentResource, opts []pulumi.ResourceOption) error {
	m.role, m.owner = role, owner
	inputs := pulumi.Map{"role": pulumi.String(role)}
	if err := ctx.RegisterComponentResourceV2(token, name, inputs, owner, opts...); err != nil {
		return fmt.Errorf("register role %q: %w", role, err)
	}
	return nil
}

// addNode creates the role's next node.
func (m *members) addNode(ctx *pulumi.Context, args NodeArgs) error {
	args.Role, args.Index = m.role, len(m.nodes)+1
	n, err := NewNode(ctx, &args, pulumi.Parent(m.owner))
	if err != nil {
		return err
	}
	m.nodes = append(m.nodes, n)
	return nil
}
