package firewall

import (
	"fmt"
	"net/netip"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/construct-server/infra/cloud"
	"github.com/construct-server/infra/stacks"
)

// firewallToken is part of every child's URN; a renamed one needs an alias.
const firewallToken = "construct:firewall:Firewall"

// Args are required in full.
type Args struct {
	Cloud     cloud.Provider
	Group     *cloud.Group
	Options   Options
	Operators []netip.Prefix // who may dial SSH
}

// Firewall is the matrix as one cloud firewall for each role, and as a ruleset
// for each server.
type Firewall struct {
	pulumi.ResourceState

	matrix    []Row
	operators []netip.Prefix
	byRole    map[stacks.Role]*cloud.Firewall
}

// New creates the firewalls. Children: name-<role>.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Firewall, error) {
	f := &Firewall{
		matrix: Matrix(args.Options), operators: args.Operators,
		byRole: map[stacks.Role]*cloud.Firewall{},
	}
	if err := ctx.RegisterComponentResourceV2(firewallToken, name, pulumi.Map{}, f, opts...); err != nil {
		return nil, fmt.Errorf("register firewall %q: %w", name, err)
	}
	peers := Peers{Roles: stacks.Roles(args.Options.Features.Media), Operators: args.Operators}
	for _, role := range peers.Roles {
		rules, err := args.Cloud.NewFirewall(ctx, name+"-"+string(role), &cloud.FirewallArgs{
			Role: string(role), Rules: CloudRules(f.matrix, role, peers), Group: args.Group,
		}, pulumi.Parent(f))
		if err != nil {
			return nil, err
		}
		f.byRole[role] = rules
	}
	if err := ctx.RegisterResourceOutputs(f, pulumi.Map{}); err != nil {
		return nil, fmt.Errorf("register outputs of firewall %q: %w", name, err)
	}
	return f, nil
}

// Of is the firewall of a role's servers.
func (f *Firewall) Of(role stacks.Role) *cloud.Firewall { return f.byRole[role] }

// Server is one server's private address, known once the server exists.
type Server struct {
	Role    stacks.Role
	Address pulumi.StringInput
}

// Ruleset is what one server's own firewall loads, once the address of every
// server is known.
func (f *Firewall) Ruleset(server Server, all []Server) pulumi.StringOutput {
	addresses := []any{server.Address}
	for _, s := range all {
		addresses = append(addresses, s.Address)
	}
	return pulumi.All(addresses...).ApplyT(func(known []any) (string, error) {
		h := Host{Role: server.Role, Servers: map[stacks.Role][]netip.Addr{}, Operators: f.operators}
		var err error
		if h.Private, err = parseAddress(server.Role, known[0]); err != nil {
			return "", err
		}
		for i, s := range all {
			addr, err := parseAddress(s.Role, known[i+1])
			if err != nil {
				return "", err
			}
			h.Servers[s.Role] = append(h.Servers[s.Role], addr)
		}
		return HostRules(f.matrix, h)
	}).(pulumi.StringOutput)
}

func parseAddress(role stacks.Role, known any) (netip.Addr, error) {
	text, _ := known.(string)
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("private address of a %s server: %w", role, err)
	}
	return addr, nil
}
