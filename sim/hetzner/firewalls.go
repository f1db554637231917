package hetzner

import (
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/hetznercloud/hcloud-go/v2/hcloud/schema"
)

// Limits (Hetzner's firewall documentation): firewalls of a project, firewalls
// of a server, rules of a firewall, and effective rules, where each source or
// destination of a rule counts.
const (
	maxFirewalls       = 50
	maxServerFirewalls = 5
	maxRules           = 50
	maxEffectiveRules  = 500
)

type firewall struct {
	meta
	rules     []schema.FirewallRule
	servers   []int64
	selectors []string
}

type rule struct {
	Direction      string   `json:"direction"`
	SourceIPs      []string `json:"source_ips"`
	DestinationIPs []string `json:"destination_ips"`
	Protocol       string   `json:"protocol"`
	Port           *string  `json:"port"`
	Description    *string  `json:"description"`
}

type firewallCreate struct {
	Name    string            `json:"name"`
	Labels  map[string]string `json:"labels"`
	Rules   []rule            `json:"rules"`
	ApplyTo []firewallTarget  `json:"apply_to"`
}

// firewallView is a firewall as the API shows it. c.mu is held.
func (c *Cloud) firewallView(f *firewall) schema.Firewall {
	out := schema.Firewall{ID: f.id, Name: f.name, Labels: f.labels, Created: f.created, Rules: f.rules, AppliedTo: []schema.FirewallResource{}}
	for _, id := range f.servers {
		out.AppliedTo = append(out.AppliedTo, schema.FirewallResource{Type: "server", Server: &schema.FirewallResourceServer{ID: id}})
	}
	for _, sel := range f.selectors {
		res := schema.FirewallResource{Type: "label_selector", LabelSelector: &schema.FirewallResourceLabelSelector{Selector: sel}, AppliedToResources: []schema.FirewallResource{}}
		for _, s := range c.servers {
			if !s.deleting && selects(sel, s.labels) {
				res.AppliedToResources = append(res.AppliedToResources, schema.FirewallResource{Type: "server", Server: &schema.FirewallResourceServer{ID: s.id}})
			}
		}
		out.AppliedTo = append(out.AppliedTo, res)
	}
	return out
}

// judge checks rules and turns them into the form in which the API shows them.
func judge(in []rule) ([]schema.FirewallRule, error) {
	out := []schema.FirewallRule{}
	effective := 0
	for i, r := range in {
		at := func(name string) string { return "rules." + strconv.Itoa(i) + "." + name }
		peers, other := r.SourceIPs, r.DestinationIPs
		if r.Direction == "out" {
			peers, other = other, peers
		}
		switch {
		case r.Direction != "in" && r.Direction != "out":
			return nil, invalid(at("direction"), "must be in or out")
		case len(peers) == 0 || len(other) > 0:
			return nil, invalid(at("source_ips"), "an inbound rule wants source_ips, an outbound one destination_ips")
		case !slices.Contains([]string{"tcp", "udp", "icmp"}, r.Protocol):
			return nil, invalid(at("protocol"), "%q is not modelled by the simulator (want tcp, udp or icmp)", r.Protocol)
		case r.Protocol == "icmp" && r.Port != nil:
			return nil, invalid(at("port"), "icmp has none")
		case r.Protocol != "icmp" && (r.Port == nil || !validPort(*r.Port)):
			return nil, invalid(at("port"), "must be a port, a range or any")
		}
		for _, p := range peers {
			if prefix, err := netip.ParsePrefix(p); err != nil || prefix != prefix.Masked() {
				return nil, invalid(at("source_ips"), "%q is not a range without host bits", p)
			}
		}
		effective += len(peers)
		v := schema.FirewallRule{
			Direction: r.Direction, Protocol: r.Protocol, Port: r.Port, Description: r.Description,
			SourceIPs: slices.Clone(r.SourceIPs), DestinationIPs: slices.Clone(r.DestinationIPs),
		}
		if v.SourceIPs == nil {
			v.SourceIPs = []string{}
		}
		if v.DestinationIPs == nil {
			v.DestinationIPs = []string{}
		}
		out = append(out, v)
	}
	if len(in) > maxRules || effective > maxEffectiveRules {
		return nil, invalid("rules", "at most %d rules, and %d with each source counted", maxRules, maxEffectiveRules)
	}
	return out, nil
}

func validPort(s string) bool {
	_, _, err := portRange(s)
	return err == nil
}

// portRange reads "22", "8000-9000" or "any"; any is 0 to 0.
func portRange(s string) (uint16, uint16, error) {
	if s == "any" {
		return 0, 0, nil
	}
	lo, hi, isRange := strings.Cut(s, "-")
	if !isRange {
		hi = lo
	}
	from, err := strconv.ParseUint(lo, 10, 16)
	if err != nil {
		return 0, 0, err
	}
	to, err := strconv.ParseUint(hi, 10, 16)
	if err != nil {
		return 0, 0, err
	}
	if from == 0 || to < from {
		return 0, 0, strconv.ErrRange
	}
	return uint16(from), uint16(to), nil
}

func (c *Cloud) createFirewall(r *http.Request) (reply, error) {
	var in firewallCreate
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	rules, err := judge(in.Rules)
	if err != nil {
		return reply{}, err
	}
	c.mu.Lock()
	if len(c.firewalls) >= maxFirewalls {
		c.mu.Unlock()
		return reply{}, fail(http.StatusForbidden, "resource_limit_exceeded", "firewall limit exceeded")
	}
	m, err := newMeta(c, c.firewalls, "firewall", in.Name, in.Labels)
	if err != nil {
		c.mu.Unlock()
		return reply{}, err
	}
	f := &firewall{meta: m, rules: rules}
	if err := c.applyFirewall(f, in.ApplyTo, false); err != nil {
		c.mu.Unlock()
		return reply{}, err
	}
	c.firewalls = append(c.firewalls, f)
	actions := []schema.Action{}
	if len(in.ApplyTo) > 0 {
		actions = append(actions, c.done("apply_firewall", ref("firewall", f.id)))
	}
	out := schema.FirewallCreateResponse{Firewall: c.firewallView(f), Actions: actions}
	c.mu.Unlock()
	c.syncFirewalls()
	return created(out)
}

func (c *Cloud) deleteFirewall(r *http.Request) (reply, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f, err := inPath(r, c.firewalls, "firewall")
	if err != nil {
		return reply{}, err
	}
	if len(f.servers)+len(f.selectors) > 0 {
		return reply{}, inUse("firewall with ID '%d' is still in use", f.id)
	}
	c.firewalls = slices.DeleteFunc(c.firewalls, func(o *firewall) bool { return o == f })
	return gone()
}
