package hetzner

import (
	"fmt"
	"strconv"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/construct-server/infra/cloud"
)

// image is the operating system of every server, by name.
const image = "debian-12"

// privateMTU is what Hetzner's private network carries, in bytes. A container
// whose MTU is larger loses its long answers.
const privateMTU = 1450

// Provider is Hetzner Cloud. It holds no state.
type Provider struct {
	scope   cloud.Scope
	account Account
}

var _ cloud.Provider = (*Provider)(nil)

// New returns Hetzner Cloud for one stack. The token and the endpoint are the
// configuration of Pulumi's own provider.
func New(scope cloud.Scope) *Provider { return &Provider{scope: scope} }

// WithPrices returns a provider that knows prices as well, which it asks for
// with the account's token. Without a token it knows none.
func (p *Provider) WithPrices(a Account) *Provider { return &Provider{scope: p.scope, account: a} }

// DockerMTU is the private network's.
func (*Provider) DockerMTU() int { return privateMTU }

// labels select a stack's resources, or one role's.
func (p *Provider) labels(role string) pulumi.StringMap {
	labels := pulumi.StringMap{
		"project": pulumi.String(p.scope.Project),
		"stack":   pulumi.String(p.scope.Stack),
	}
	if role != "" {
		labels["role"] = pulumi.String(role)
	}
	return labels
}

// number turns an id into the integer that other resources want.
func number(id pulumi.IDOutput) pulumi.IntOutput {
	return id.ApplyT(func(id pulumi.ID) (int, error) {
		n, err := strconv.Atoi(string(id))
		if err != nil {
			return 0, fmt.Errorf("read id %q: %w", id, err)
		}
		return n, nil
	}).(pulumi.IntOutput)
}

// with adds an adapter's own options to the caller's, leaving theirs alone.
func with(opts []pulumi.ResourceOption, own ...pulumi.ResourceOption) []pulumi.ResourceOption {
	return append(append([]pulumi.ResourceOption{}, opts...), own...)
}
