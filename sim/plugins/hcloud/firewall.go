package hcloud

import (
	"context"
	"fmt"
	"net"

	"github.com/construct-server/infra/sim/plugins/provider"
	"github.com/hetznercloud/hcloud-go/v2/hcloud"
)

func (c *cloud) firewall() *provider.Resource {
	networks := provider.Property{Type: provider.ListOf(provider.String), Set: true}
	return &provider.Resource{
		Inputs: provider.Schema{
			"name":   {Type: provider.String, Required: true, AutoName: 255},
			"labels": {Type: provider.MapOf(provider.String), Computed: true},
			"applyTos": {Computed: true, Set: true, Type: provider.ListOf(provider.Object(provider.Schema{
				"labelSelector": {Type: provider.String}, "server": {Type: provider.Int},
			}))},
			"rules": {Set: true, Type: provider.ListOf(provider.Object(provider.Schema{
				"direction":      {Type: provider.String, Required: true, OneOf: []string{"in", "out"}},
				"protocol":       {Type: provider.String, Required: true, OneOf: []string{"tcp", "udp", "icmp", "esp", "gre"}},
				"port":           {Type: provider.String},
				"sourceIps":      networks,
				"destinationIps": networks,
				"description":    {Type: provider.String},
			}))},
		},
		Create: c.createFirewall, Read: c.readFirewall, Update: c.updateFirewall, Delete: c.deleteFirewall,
	}
}

func (c *cloud) createFirewall(ctx context.Context, in provider.Values) (string, provider.Output, error) {
	rules, err := firewallRules(in)
	if err != nil {
		return "", nil, err
	}
	res, _, err := c.Firewall.Create(ctx, hcloud.FirewallCreateOpts{
		Name: in.String("name"), Labels: in.StringMap("labels"), Rules: rules, ApplyTo: members(in),
	})
	if err != nil {
		return "", nil, fmt.Errorf("create firewall: %w", err)
	}
	id := text(res.Firewall.ID)
	if err := c.finish(ctx, res.Actions...); err != nil {
		return id, nil, fmt.Errorf("wait for firewall: %w", err)
	}
	out, err := c.readFirewall(ctx, id, in)
	return id, out, err
}

func firewallRules(in provider.Values) ([]hcloud.FirewallRule, error) {
	var rules []hcloud.FirewallRule
	for _, r := range in.Objects("rules") {
		rule := hcloud.FirewallRule{
			Direction: hcloud.FirewallRuleDirection(r.String("direction")),
			Protocol:  hcloud.FirewallRuleProtocol(r.String("protocol")),
		}
		if r.Has("port") {
			rule.Port = hcloud.Ptr(r.String("port"))
		}
		if r.Has("description") {
			rule.Description = hcloud.Ptr(r.String("description"))
		}
		var err error
		if rule.SourceIPs, err = prefixes(r.Strings("sourceIps")); err != nil {
			return nil, fmt.Errorf("sourceIps: %w", err)
		}
		if rule.DestinationIPs, err = prefixes(r.Strings("destinationIps")); err != nil {
			return nil, fmt.Errorf("destinationIps: %w", err)
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

func prefixes(list []string) ([]net.IPNet, error) {
	var out []net.IPNet
	for _, s := range list {
		_, n, err := net.ParseCIDR(s)
		if err != nil {
			return nil, err
		}
		out = append(out, *n)
	}
	return out, nil
}

// members are what a firewall applies to.
func members(in provider.Values) []hcloud.FirewallResource {
	var out []hcloud.FirewallResource
	for _, m := range in.Objects("applyTos") {
		if selector := m.String("labelSelector"); selector != "" {
			out = append(out, hcloud.FirewallResource{
				Type:          hcloud.FirewallResourceTypeLabelSelector,
				LabelSelector: &hcloud.FirewallResourceLabelSelector{Selector: selector},
			})
			continue
		}
		out = append(out, serverMember(int64(m.Int("server"))))
	}
	return out
}

func serverMember(id int64) hcloud.FirewallResource {
	return hcloud.FirewallResource{
		Type: hcloud.FirewallResourceTypeServer, Server: &hcloud.FirewallResourceServer{ID: id},
	}
}

func (c *cloud) readFirewall(ctx context.Context, id string, _ provider.Values) (provider.Output, error) {
	n, err := number(id)
	if err != nil {
		return nil, err
	}
	f, _, err := c.Firewall.GetByID(ctx, n)
	if f, err = present(f, err); err != nil {
		return nil, err
	}
	rules, applied := []any{}, []any{}
	for _, r := range f.Rules {
		m := map[string]any{"direction": string(r.Direction), "protocol": string(r.Protocol)}
		if r.Port != nil {
			m["port"] = *r.Port
		}
		if r.Description != nil {
			m["description"] = *r.Description
		}
		m["sourceIps"], m["destinationIps"] = spelled(r.SourceIPs), spelled(r.DestinationIPs)
		rules = append(rules, m)
	}
	for _, a := range f.AppliedTo {
		switch a.Type {
		case hcloud.FirewallResourceTypeLabelSelector:
			applied = append(applied, map[string]any{"labelSelector": a.LabelSelector.Selector})
		case hcloud.FirewallResourceTypeServer:
			applied = append(applied, map[string]any{"server": a.Server.ID})
		}
	}
	return provider.Output{"name": f.Name, "labels": f.Labels, "rules": rules, "applyTos": applied}, nil
}

func spelled(list []net.IPNet) []string {
	out := make([]string, 0, len(list))
	for _, n := range list {
		out = append(out, n.String())
	}
	return out
}

func (c *cloud) updateFirewall(ctx context.Context, id string, old, in provider.Values) (provider.Output, error) {
	n, err := number(id)
	if err != nil {
		return nil, err
	}
	f := &hcloud.Firewall{ID: n}
	if !old.Same(in, "name") || (in.Has("labels") && !old.Same(in, "labels")) {
		_, _, err := c.Firewall.Update(ctx, f, hcloud.FirewallUpdateOpts{
			Name: in.String("name"), Labels: in.StringMap("labels"),
		})
		if err != nil {
			return nil, fmt.Errorf("update firewall: %w", err)
		}
	}
	rules, err := firewallRules(in)
	if err != nil {
		return nil, err
	}
	actions, _, err := c.Firewall.SetRules(ctx, f, hcloud.FirewallSetRulesOpts{Rules: rules})
	if err == nil {
		err = c.finish(ctx, actions...)
	}
	if err != nil {
		return nil, fmt.Errorf("set rules of firewall: %w", err)
	}
	if in.Has("applyTos") {
		if err := c.reapply(ctx, f, members(old), members(in)); err != nil {
			return nil, err
		}
	}
	return c.readFirewall(ctx, id, in)
}
