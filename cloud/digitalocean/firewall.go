package digitalocean

import (
	"fmt"
	"strconv"

	"github.com/pulumi/pulumi-digitalocean/sdk/v4/go/digitalocean"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/construct-server/infra/cloud"
)

// allPorts is how the API says every port of TCP or UDP.
const allPorts = "1-65535"

// NewFirewall creates a firewall on the role's tag. It is stateful and drops
// what no rule admits, in both directions; at most 50 rules.
func (p *Provider) NewFirewall(ctx *pulumi.Context, name string, args *cloud.FirewallArgs, opts ...pulumi.ResourceOption) (*cloud.Firewall, error) {
	var in digitalocean.FirewallInboundRuleArray
	var out digitalocean.FirewallOutboundRuleArray
	for _, r := range args.Rules {
		ports, addresses, tags := portRange(r), prefixes(r), peerTags(r, args.Group)
		switch r.Direction {
		case cloud.Inbound:
			in = append(in, digitalocean.FirewallInboundRuleArgs{
				Protocol: pulumi.String(r.Protocol), PortRange: ports,
				SourceAddresses: addresses, SourceTags: tags,
			})
		case cloud.Outbound:
			out = append(out, digitalocean.FirewallOutboundRuleArgs{
				Protocol: pulumi.String(r.Protocol), PortRange: ports,
				DestinationAddresses: addresses, DestinationTags: tags,
			})
		}
	}
	f, err := digitalocean.NewFirewall(ctx, name, &digitalocean.FirewallArgs{
		Name:          pulumi.String(p.scope.Name(args.Role)),
		Tags:          pulumi.StringArray{args.Group.Tags[args.Role]},
		InboundRules:  in,
		OutboundRules: out,
	}, opts...)
	if err != nil {
		return nil, fmt.Errorf("create firewall %q: %w", name, err)
	}
	return &cloud.Firewall{Resource: f}, nil
}

func portRange(r cloud.Rule) pulumi.StringPtrInput {
	switch {
	case r.Protocol == cloud.ICMP:
		return nil
	case r.Port == 0:
		return pulumi.String(allPorts)
	default:
		return pulumi.String(strconv.Itoa(r.Port))
	}
}

// prefixes is nil without any, so that an absent list stays absent.
func prefixes(r cloud.Rule) pulumi.StringArrayInput {
	if len(r.Prefixes) == 0 {
		return nil
	}
	list := make(pulumi.StringArray, len(r.Prefixes))
	for i, prefix := range r.Prefixes {
		list[i] = pulumi.String(prefix.String())
	}
	return list
}

func peerTags(r cloud.Rule, group *cloud.Group) pulumi.StringArrayInput {
	if len(r.Roles) == 0 {
		return nil
	}
	list := make(pulumi.StringArray, len(r.Roles))
	for i, role := range r.Roles {
		list[i] = group.Tags[role]
	}
	return list
}
