package hetzner

import (
	"fmt"
	"strconv"

	"github.com/pulumi/pulumi-hcloud/sdk/go/hcloud"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/construct-server/infra/cloud"
)

// NewFirewall creates the role's firewall on public traffic. It is stateful;
// inbound is denied by default, outbound from the first outbound rule on.
// Rules whose peers are roles are left out: Hetzner's firewall never sees
// private traffic, and a rule that cannot match would only seem to protect.
func (p *Provider) NewFirewall(ctx *pulumi.Context, name string, args *cloud.FirewallArgs, opts ...pulumi.ResourceOption) (*cloud.Firewall, error) {
	var rules hcloud.FirewallRuleArray
	for _, r := range args.Rules {
		if len(r.Prefixes) > 0 {
			rules = append(rules, rule(r))
		}
	}
	f, err := hcloud.NewFirewall(ctx, name, &hcloud.FirewallArgs{
		Name:   pulumi.String(p.scope.Name(args.Role)),
		Labels: p.labels(args.Role),
		Rules:  rules,
	}, opts...)
	if err != nil {
		return nil, fmt.Errorf("create firewall %q: %w", name, err)
	}
	return &cloud.Firewall{Resource: f, ID: number(f.ID())}, nil
}

func rule(r cloud.Rule) hcloud.FirewallRuleArgs {
	peers := make(pulumi.StringArray, len(r.Prefixes))
	for i, prefix := range r.Prefixes {
		peers[i] = pulumi.String(prefix.String())
	}
	args := hcloud.FirewallRuleArgs{
		Description: pulumi.String(r.Why),
		Direction:   pulumi.String(r.Direction),
		Protocol:    pulumi.String(r.Protocol),
		Port:        port(r),
	}
	switch r.Direction {
	case cloud.Inbound:
		args.SourceIps = peers
	case cloud.Outbound:
		args.DestinationIps = peers
	}
	return args
}

func port(r cloud.Rule) pulumi.StringPtrInput {
	switch {
	case r.Protocol == cloud.ICMP:
		return nil
	case r.Port == 0:
		return pulumi.String("any")
	default:
		return pulumi.String(strconv.Itoa(r.Port))
	}
}
