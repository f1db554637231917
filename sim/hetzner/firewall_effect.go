package hetzner

import (
	"net/netip"
	"slices"

	"github.com/construct-server/infra/sim/host"
)

func selects(selector string, labels map[string]string) bool {
	match, err := parseSelector(selector)
	return err == nil && match(labels)
}

// firewallsOf lists the firewalls of a server. c.mu is held.
func (c *Cloud) firewallsOf(s *server) []*firewall {
	var out []*firewall
	for _, f := range c.firewalls {
		if slices.Contains(f.servers, s.id) || slices.ContainsFunc(f.selectors, func(sel string) bool { return selects(sel, s.labels) }) {
			out = append(out, f)
		}
	}
	return out
}

// effective is what all firewalls of a server let pass together; nil when it
// has none. Inbound denies by default, outbound only when some rule is
// outbound, and private traffic is never filtered. c.mu is held.
func (c *Cloud) effective(s *server) *host.Firewall {
	all := c.firewallsOf(s)
	if len(all) == 0 {
		return nil
	}
	out := &host.Firewall{FilterInbound: true}
	for _, f := range all {
		for _, r := range f.rules {
			h := host.Rule{Protocol: r.Protocol, Peers: []netip.Prefix{}}
			if r.Port != nil {
				if from, to, err := portRange(*r.Port); err == nil {
					h.PortFrom, h.PortTo = from, to
				}
			}
			for _, p := range append(slices.Clone(r.SourceIPs), r.DestinationIPs...) {
				if prefix, err := netip.ParsePrefix(p); err == nil {
					h.Peers = append(h.Peers, prefix)
				}
			}
			if r.Direction == "in" {
				out.Inbound = append(out.Inbound, h)
			} else {
				out.Outbound, out.FilterOutbound = append(out.Outbound, h), true
			}
		}
	}
	return out
}
