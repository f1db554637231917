package hetzner

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"slices"

	"github.com/hetznercloud/hcloud-go/v2/hcloud/schema"
)

type subnet struct {
	schema.NetworkSubnet
	prefix netip.Prefix
}

type subnetAdd struct {
	Type        string `json:"type"`
	IPRange     string `json:"ip_range"`
	NetworkZone string `json:"network_zone"`
}

type subnetDelete struct {
	IPRange string `json:"ip_range"`
}

// add puts a subnet into a network. Without a range it takes the next free /24.
func (n *network) add(in subnetAdd) error {
	if in.Type != "cloud" && in.Type != "server" {
		return invalid("type", "%q is not modelled by the simulator (want cloud)", in.Type)
	}
	if !slices.ContainsFunc(locations, func(l schema.Location) bool { return l.NetworkZone == in.NetworkZone }) {
		return invalid("network_zone", "%q is unknown", in.NetworkZone)
	}
	p, err := netip.ParsePrefix(in.IPRange)
	if in.IPRange == "" {
		p, err = n.free()
	}
	switch {
	case err != nil || p != p.Masked() || p.Bits() > 30:
		return invalid("ip_range", "%q must be a range of at least /30, without host bits", in.IPRange)
	case !n.prefix.Contains(p.Addr()) || p.Bits() < n.prefix.Bits():
		return invalid("ip_range", "%s is not inside the network's %s", p, n.prefix)
	case slices.ContainsFunc(n.subnets, func(s subnet) bool { return s.prefix.Overlaps(p) }):
		return invalid("ip_range", "%s overlaps with another subnet of the network", p)
	}
	n.subnets = append(n.subnets, subnet{schema.NetworkSubnet{
		Type: in.Type, IPRange: p.String(), NetworkZone: in.NetworkZone, Gateway: n.gateway().String(),
	}, p})
	return nil
}

// gateway is the first address of the network's range.
func (n *network) gateway() netip.Addr { return n.prefix.Addr().Next() }

func (n *network) free() (netip.Prefix, error) {
	for a := n.prefix.Addr(); n.prefix.Contains(a); {
		p := netip.PrefixFrom(a, 24)
		if !slices.ContainsFunc(n.subnets, func(s subnet) bool { return s.prefix.Overlaps(p) }) {
			return p, nil
		}
		b := a.As4()
		if b[2]++; b[2] == 0 {
			if b[1]++; b[1] == 0 {
				break
			}
		}
		a = netip.AddrFrom4(b)
	}
	return netip.Prefix{}, fmt.Errorf("no free range")
}

func (c *Cloud) addSubnet(r *http.Request) (reply, error) {
	var in subnetAdd
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	n, err := inPath(r, c.networks, "network")
	if err != nil {
		return reply{}, err
	}
	if c.busy("network", n.id) {
		return reply{}, locked("network")
	}
	if err := n.add(in); err != nil {
		return reply{}, err
	}
	return acted(c.start("add_subnet", c.speed.Action, func(context.Context) error { return nil }, func() {}, ref("network", n.id)))
}

func (c *Cloud) deleteSubnet(r *http.Request) (reply, error) {
	var in subnetDelete
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	n, err := inPath(r, c.networks, "network")
	if err != nil {
		return reply{}, err
	}
	i := slices.IndexFunc(n.subnets, func(s subnet) bool { return s.IPRange == in.IPRange })
	if i < 0 {
		return reply{}, notFound("subnet", in.IPRange)
	}
	if c.busy("network", n.id) {
		return reply{}, locked("network")
	}
	for _, s := range c.servers {
		if a, in := s.private[n]; in && n.subnets[i].prefix.Contains(a) {
			return reply{}, fail(http.StatusConflict, "service_error", "cannot remove subnet because servers are attached to it")
		}
	}
	n.subnets = slices.Delete(n.subnets, i, i+1)
	return acted(c.start("delete_subnet", c.speed.Action, func(context.Context) error { return nil }, func() {}, ref("network", n.id)))
}
