package roles

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/construct-server/infra/deploy"
	"github.com/construct-server/infra/firewall"
	"github.com/construct-server/infra/stacks"
)

// After lists the roles whose releases must be healthy before a role's own:
// db, then message, then app and media, then gateway. Only direct
// predecessors are named.
func After(role stacks.Role, media bool) []stacks.Role {
	switch role {
	case stacks.DB:
		return nil
	case stacks.Message:
		return []stacks.Role{stacks.DB}
	case stacks.App, stacks.Media:
		return []stacks.Role{stacks.Message}
	case stacks.Gateway:
		if media {
			return []stacks.Role{stacks.App, stacks.Media}
		}
		return []stacks.Role{stacks.App}
	case stacks.Internet: // runs nothing
	}
	return nil
}

// StartArgs is one release of one role.
type StartArgs struct {
	Nodes      []*Node                 // every server of the fleet
	Bundle     deploy.Bundle           // required
	Commit     string                  // what Bundle is made from; default unknown
	After      []pulumi.CustomResource // what must be healthy first
	Registries []deploy.Registry
	// SoakSeconds is how long a new container must live before it gets requests.
	SoakSeconds int
}

// start tells the host the fleet's addresses, closes what it has no use for,
// and ships the release.
func (n *Node) start(ctx *pulumi.Context, args *StartArgs) (*deploy.Release, error) {
	inside := pulumi.Parent(n)
	var peers []deploy.Peer
	var servers []firewall.Server
	for _, other := range args.Nodes {
		peers = append(peers, deploy.Peer{Name: other.role.Host(), Address: other.PrivateIP})
		servers = append(servers, firewall.Server{Role: other.role, Address: other.PrivateIP})
	}
	hostNetwork, err := deploy.NewHostNetwork(ctx, n.name, &deploy.HostNetworkArgs{
		Host: n.host, Private: n.PrivateIP, Public: n.PublicIP, Peers: peers,
	}, inside)
	if err != nil {
		return nil, err
	}
	hostFirewall, err := deploy.NewHostFirewall(ctx, n.name, &deploy.HostFirewallArgs{
		Host: n.host, Rules: n.fleet.firewall.Ruleset(firewall.Server{Role: n.role, Address: n.PrivateIP}, servers),
	}, inside)
	if err != nil {
		return nil, err
	}
	release, err := deploy.NewRelease(ctx, n.name, &deploy.ReleaseArgs{
		Host: n.host, Network: hostNetwork, Firewall: hostFirewall, Bundle: args.Bundle, Commit: args.Commit,
		After: args.After, Registries: args.Registries, SoakSeconds: args.SoakSeconds,
	}, inside)
	if err != nil {
		return nil, err
	}
	n.Release, n.Firewall = pulumi.String(args.Bundle.Digest).ToStringOutput(), hostFirewall.Digest
	outputs := pulumi.Map{"publicIp": n.PublicIP, "privateIp": n.PrivateIP, "release": release.Digest}
	if err := ctx.RegisterResourceOutputs(n, outputs); err != nil {
		return nil, fmt.Errorf("register outputs of node %q: %w", n.name, err)
	}
	return release, nil
}
