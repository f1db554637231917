package digitalocean

import (
	"context"
	"fmt"

	"github.com/construct-server/infra/sim/plugins/provider"
	"github.com/digitalocean/godo"
)

func (c *cloud) firewall() *provider.Resource {
	return &provider.Resource{
		Inputs: provider.Schema{
			"name":          {Type: provider.String, Required: true, AutoName: 255},
			"dropletIds":    {Type: provider.ListOf(provider.Int), Set: true},
			"inboundRules":  {Type: provider.ListOf(provider.Object(ruleFields("source"))), Set: true},
			"outboundRules": {Type: provider.ListOf(provider.Object(ruleFields("destination"))), Set: true},
			"tags":          tagsProperty(),
		},
		Outputs: map[string]provider.Type{
			"status": provider.String, "createdAt": provider.String,
			"pendingChanges": provider.ListOf(provider.Object(provider.Schema{
				"dropletId": {Type: provider.Int}, "removing": {Type: provider.Bool}, "status": {Type: provider.String},
			})),
		},
		Create: func(ctx context.Context, in provider.Values) (string, provider.Output, error) {
			req, err := firewallRequest(in)
			if err != nil {
				return "", nil, err
			}
			f, _, err := c.Firewalls.Create(ctx, req)
			if err != nil {
				return "", nil, fmt.Errorf("create firewall: %w", err)
			}
			out, err := c.readFirewall(ctx, f.ID, in)
			return f.ID, out, err
		},
		Read: c.readFirewall,
		Update: func(ctx context.Context, id string, _, in provider.Values) (provider.Output, error) {
			req, err := firewallRequest(in)
			if err != nil {
				return nil, err
			}
			if _, _, err := c.Firewalls.Update(ctx, id, req); err != nil {
				return nil, fmt.Errorf("update firewall: %w", err)
			}
			return c.readFirewall(ctx, id, in)
		},
		Delete: func(ctx context.Context, id string, _ provider.Values) error {
			_, err := c.Firewalls.Delete(ctx, id)
			return gone(err)
		},
	}
}

// ruleFields are a rule's; peer is "source" or "destination".
func ruleFields(peer string) provider.Schema {
	set := func(t provider.Type) provider.Property {
		return provider.Property{Type: provider.ListOf(t), Set: true}
	}
	return provider.Schema{
		"protocol":                {Type: provider.String, Required: true, OneOf: []string{"tcp", "udp", "icmp"}},
		"portRange":               {Type: provider.String},
		peer + "Addresses":        set(provider.String),
		peer + "DropletIds":       set(provider.Int),
		peer + "LoadBalancerUids": set(provider.String),
		peer + "KubernetesIds":    set(provider.String),
		peer + "Tags":             set(provider.String),
	}
}

// firewallRequest checks what the official provider checks, and builds the
// request.
func firewallRequest(in provider.Values) (*godo.FirewallRequest, error) {
	inbound, outbound := in.Objects("inboundRules"), in.Objects("outboundRules")
	if len(inbound)+len(outbound) == 0 {
		return nil, fmt.Errorf("firewall %q: at least one rule must be specified", in.String("name"))
	}
	for _, r := range append(append([]provider.Values{}, inbound...), outbound...) {
		if r.String("protocol") != "icmp" && r.String("portRange") == "" {
			return nil, fmt.Errorf("firewall %q: portRange is required if protocol is tcp or udp", in.String("name"))
		}
	}
	req := &godo.FirewallRequest{Name: in.String("name"), DropletIDs: in.Ints("dropletIds"), Tags: in.Strings("tags")}
	for _, r := range inbound {
		req.InboundRules = append(req.InboundRules, godo.InboundRule{
			Protocol: r.String("protocol"), PortRange: r.String("portRange"),
			Sources: &godo.Sources{
				Addresses: r.Strings("sourceAddresses"), Tags: r.Strings("sourceTags"),
				DropletIDs: r.Ints("sourceDropletIds"), LoadBalancerUIDs: r.Strings("sourceLoadBalancerUids"),
				KubernetesIDs: r.Strings("sourceKubernetesIds"),
			},
		})
	}
	for _, r := range outbound {
		req.OutboundRules = append(req.OutboundRules, godo.OutboundRule{
			Protocol: r.String("protocol"), PortRange: r.String("portRange"),
			Destinations: &godo.Destinations{
				Addresses: r.Strings("destinationAddresses"), Tags: r.Strings("destinationTags"),
				DropletIDs: r.Ints("destinationDropletIds"), LoadBalancerUIDs: r.Strings("destinationLoadBalancerUids"),
				KubernetesIDs: r.Strings("destinationKubernetesIds"),
			},
		})
	}
	return req, nil
}

func (c *cloud) readFirewall(ctx context.Context, id string, _ provider.Values) (provider.Output, error) {
	f, _, err := c.Firewalls.Get(ctx, id)
	if err != nil {
		return nil, found(err)
	}
	inbound, outbound := []any{}, []any{}
	for _, r := range f.InboundRules {
		s := r.Sources
		if s == nil {
			s = &godo.Sources{}
		}
		inbound = append(inbound, rule("source", r.Protocol, r.PortRange, godo.Destinations(*s)))
	}
	for _, r := range f.OutboundRules {
		d := r.Destinations
		if d == nil {
			d = &godo.Destinations{}
		}
		outbound = append(outbound, rule("destination", r.Protocol, r.PortRange, *d))
	}
	pending := []any{}
	for _, p := range f.PendingChanges {
		pending = append(pending, map[string]any{"dropletId": p.DropletID, "removing": p.Removing, "status": p.Status})
	}
	return provider.Output{
		"name": f.Name, "status": f.Status, "createdAt": f.Created, "pendingChanges": pending,
		"inboundRules": inbound, "outboundRules": outbound,
		"dropletIds": nonNil(f.DropletIDs), "tags": nonNil(f.Tags),
	}, nil
}

// rule spells a rule as inputs do. The API says "0" for all ports, and for
// none with icmp.
func rule(peer, protocol, ports string, peers godo.Destinations) map[string]any {
	m := map[string]any{"protocol": protocol}
	switch {
	case ports == "0" && protocol != "icmp":
		m["portRange"] = "all"
	case ports != "0" && ports != "":
		m["portRange"] = ports
	}
	for name, list := range map[string][]string{
		"Addresses": peers.Addresses, "Tags": peers.Tags,
		"LoadBalancerUids": peers.LoadBalancerUIDs, "KubernetesIds": peers.KubernetesIDs,
	} {
		if len(list) > 0 {
			m[peer+name] = list
		}
	}
	if len(peers.DropletIDs) > 0 {
		m[peer+"DropletIds"] = peers.DropletIDs
	}
	return m
}
