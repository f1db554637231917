package digitalocean

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/construct-server/infra/sim/host"
	"github.com/digitalocean/godo"
)

// rules validates rules and turns them into the form in which the API shows
// them. c.mu is held.
func (c *Cloud) rules(in []inboundRule, out []outboundRule) ([]godo.InboundRule, []godo.OutboundRule, error) {
	inbound, outbound := []godo.InboundRule{}, []godo.OutboundRule{}
	for i, r := range in {
		ports, p, err := c.rule(r.Protocol, r.Ports, r.Sources)
		if err != nil {
			return nil, nil, unprocessable("inbound_rules[%d]: %s", i, err)
		}
		inbound = append(inbound, godo.InboundRule{Protocol: r.Protocol, PortRange: ports, Sources: (*godo.Sources)(&p)})
	}
	for i, r := range out {
		ports, p, err := c.rule(r.Protocol, r.Ports, r.Destinations)
		if err != nil {
			return nil, nil, unprocessable("outbound_rules[%d]: %s", i, err)
		}
		outbound = append(outbound, godo.OutboundRule{Protocol: r.Protocol, PortRange: ports, Destinations: &p})
	}
	return inbound, outbound, nil
}

// rule checks one rule. The API shows "all" ports as "0". c.mu is held.
func (c *Cloud) rule(protocol, ports string, p *peers) (string, godo.Destinations, error) {
	var none godo.Destinations
	if !slices.Contains([]string{"tcp", "udp", "icmp"}, protocol) {
		return "", none, unprocessable("protocol %q is invalid (want tcp, udp or icmp)", protocol)
	}
	if ports == "all" || protocol == "icmp" && ports == "" {
		ports = "0"
	}
	if _, _, err := portRange(ports); err != nil {
		return "", none, err
	}
	if p == nil {
		return "", none, unprocessable("sources or destinations must be given")
	}
	if len(p.LoadBalancerUIDs)+len(p.KubernetesIDs) > 0 {
		return "", none, unprocessable("load_balancer_uids and kubernetes_ids are not modelled by the simulator")
	}
	if len(p.Addresses)+len(p.Tags)+len(p.DropletIDs) == 0 {
		return "", none, unprocessable("no sources or destinations")
	}
	for _, a := range p.Addresses {
		if _, err := parsePeer(a); err != nil {
			return "", none, unprocessable("address %q is invalid", a)
		}
	}
	for _, t := range p.Tags {
		if !slices.Contains(c.tags, t) {
			return "", none, unprocessable("tag %q does not exist", t)
		}
	}
	for _, id := range p.DropletIDs {
		if c.droplet(id) == nil {
			return "", none, unprocessable("droplet %d does not exist", id)
		}
	}
	return ports, godo.Destinations{Addresses: p.Addresses, Tags: p.Tags, DropletIDs: p.DropletIDs}, nil
}

// portRange reads "22", "8000-9000" or "0" (all ports).
func portRange(s string) (uint16, uint16, error) {
	lo, hi, isRange := strings.Cut(s, "-")
	if !isRange {
		hi = lo
	}
	from, err := strconv.ParseUint(lo, 10, 16)
	if err != nil {
		return 0, 0, unprocessable("ports %q are invalid", s)
	}
	to, err := strconv.ParseUint(hi, 10, 16)
	if err != nil || to < from {
		return 0, 0, unprocessable("ports %q are invalid", s)
	}
	return uint16(from), uint16(to), nil
}

// parsePeer reads an address or a range.
func parsePeer(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	return netip.ParsePrefix(s)
}

func (f *firewall) covers(d *droplet) bool {
	return slices.Contains(f.DropletIDs, d.id) ||
		slices.ContainsFunc(f.Tags, func(t string) bool { return slices.Contains(d.tags, t) })
}

// effective is what all firewalls of a droplet let pass together; nil when it
// has none. Both directions deny by default, private traffic included.
// c.mu is held.
func (c *Cloud) effective(d *droplet) *host.Firewall {
	var out *host.Firewall
	for _, f := range c.firewalls {
		if !f.covers(d) {
			continue
		}
		if out == nil {
			out = &host.Firewall{FilterInbound: true, FilterOutbound: true, FilterPrivate: true}
		}
		for _, r := range f.InboundRules {
			out.Inbound = append(out.Inbound, c.hostRule(r.Protocol, r.PortRange, godo.Destinations(*r.Sources)))
		}
		for _, r := range f.OutboundRules {
			out.Outbound = append(out.Outbound, c.hostRule(r.Protocol, r.PortRange, *r.Destinations))
		}
	}
	return out
}

// hostRule resolves a rule's peers to addresses as of now. c.mu is held.
func (c *Cloud) hostRule(protocol, ports string, p godo.Destinations) host.Rule {
	from, to, err := portRange(ports)
	if err != nil {
		from, to = 0, 0
	}
	out := host.Rule{Protocol: protocol, PortFrom: from, PortTo: to, Peers: []netip.Prefix{}}
	for _, a := range p.Addresses {
		if prefix, err := parsePeer(a); err == nil {
			out.Peers = append(out.Peers, prefix.Masked())
		}
	}
	for _, d := range c.droplets {
		if d.deleting || !slices.Contains(p.DropletIDs, d.id) &&
			!slices.ContainsFunc(p.Tags, func(t string) bool { return slices.Contains(d.tags, t) }) {
			continue
		}
		for _, a := range c.addressesOf(d) {
			out.Peers = append(out.Peers, netip.PrefixFrom(a, a.BitLen()))
		}
	}
	return out
}

// addressesOf lists every address of a droplet. c.mu is held.
func (c *Cloud) addressesOf(d *droplet) []netip.Addr {
	out := []netip.Addr{d.public4, d.private4}
	if d.public6.IsValid() {
		out = append(out, d.public6)
	}
	for _, ip := range c.reserved {
		if ip.droplet == d.id {
			out = append(out, ip.addr)
		}
	}
	return out
}
