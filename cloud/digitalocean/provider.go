package digitalocean

import (
	"fmt"
	"strconv"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/construct-server/infra/cloud"
)

// image is the operating system of every droplet, by slug.
const image = "debian-12-x64"

// Provider is DigitalOcean. It holds no state.
type Provider struct{ scope cloud.Scope }

var _ cloud.Provider = (*Provider)(nil)

// New returns DigitalOcean for one stack. The token and the endpoint are the
// configuration of Pulumi's own provider.
func New(scope cloud.Scope) *Provider { return &Provider{scope: scope} }

// DockerMTU is Docker's default: the VPC carries 1500 bytes.
func (*Provider) DockerMTU() int { return 0 }

// number turns a droplet's id into the integer that other resources want.
func number(id pulumi.IDOutput) pulumi.IntOutput {
	return id.ApplyT(func(id pulumi.ID) (int, error) {
		n, err := strconv.Atoi(string(id))
		if err != nil {
			return 0, fmt.Errorf("read droplet id %q: %w", id, err)
		}
		return n, nil
	}).(pulumi.IntOutput)
}

// with adds an adapter's own options to the caller's, leaving theirs alone.
func with(opts []pulumi.ResourceOption, own ...pulumi.ResourceOption) []pulumi.ResourceOption {
	return append(append([]pulumi.ResourceOption{}, opts...), own...)
}
