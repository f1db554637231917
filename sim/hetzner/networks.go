package hetzner

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"

	"github.com/construct-server/infra/sim/host"
	"github.com/hetznercloud/hcloud-go/v2/hcloud/schema"
)

// networkMTU is the MTU of Hetzner's private networks, in bytes.
const networkMTU = 1450

type network struct {
	meta
	prefix  netip.Prefix
	subnets []subnet
	expose  bool
}

func (n *network) hostID() string { return fmt.Sprintf("hz-net-%d", n.id) }

type networkCreate struct {
	Name                  string            `json:"name"`
	IPRange               string            `json:"ip_range"`
	Subnets               []subnetAdd       `json:"subnets"`
	Labels                map[string]string `json:"labels"`
	ExposeRoutesToVSwitch bool              `json:"expose_routes_to_vswitch"`
}

type networkUpdate struct {
	edit
	ExposeRoutesToVSwitch *bool `json:"expose_routes_to_vswitch"`
}

// networkView is a network as the API shows it. c.mu is held.
func (c *Cloud) networkView(n *network) schema.Network {
	out := schema.Network{
		ID: n.id, Name: n.name, Created: n.created, IPRange: n.prefix.String(), Labels: n.labels,
		Subnets: []schema.NetworkSubnet{}, Routes: []schema.NetworkRoute{}, Servers: []int64{}, LoadBalancers: []int64{},
		Protection: schema.NetworkProtection{Delete: n.protected}, ExposeRoutesToVSwitch: n.expose,
	}
	for _, s := range n.subnets {
		out.Subnets = append(out.Subnets, s.NetworkSubnet)
	}
	for _, s := range c.servers {
		if _, in := s.private[n]; in {
			out.Servers = append(out.Servers, s.id)
		}
	}
	return out
}

func (c *Cloud) createNetwork(r *http.Request) (reply, error) {
	var in networkCreate
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	p, err := netip.ParsePrefix(in.IPRange)
	if err != nil || !p.Addr().Is4() || p != p.Masked() || !p.Addr().IsPrivate() || p.Bits() > 24 || p.Bits() < 8 {
		return reply{}, invalid("ip_range", "%q must be a private IPv4 range of at least /24, without host bits", in.IPRange)
	}
	c.mu.Lock()
	m, err := newMeta(c, c.networks, "network", in.Name, in.Labels)
	if err != nil {
		c.mu.Unlock()
		return reply{}, err
	}
	n := &network{meta: m, prefix: p, expose: in.ExposeRoutesToVSwitch}
	for _, s := range in.Subnets {
		if err := n.add(s); err != nil {
			c.mu.Unlock()
			return reply{}, err
		}
	}
	c.networks = append(c.networks, n)
	c.mu.Unlock()
	if err := c.backend.CreateNetwork(r.Context(), host.Network{ID: n.hostID(), Prefix: p, MTU: networkMTU}); err != nil {
		c.mu.Lock()
		c.networks = slices.DeleteFunc(c.networks, func(o *network) bool { return o == n })
		c.mu.Unlock()
		return reply{}, fmt.Errorf("create network %q: %w", n.name, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return created(map[string]schema.Network{"network": c.networkView(n)})
}

func (c *Cloud) updateNetwork(r *http.Request) (reply, error) {
	var in networkUpdate
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	n, err := inPath(r, c.networks, "network")
	if err != nil {
		return reply{}, err
	}
	if err := apply(&n.meta, c.networks, "network", in.edit); err != nil {
		return reply{}, err
	}
	if in.ExposeRoutesToVSwitch != nil {
		n.expose = *in.ExposeRoutesToVSwitch
	}
	return ok(map[string]schema.Network{"network": c.networkView(n)})
}

func (c *Cloud) protectNetwork(r *http.Request) (reply, error) {
	return changeProtection(c, r, "network", func() []*network { return c.networks })
}

func (c *Cloud) deleteNetwork(r *http.Request) (reply, error) {
	c.mu.Lock()
	n, err := inPath(r, c.networks, "network")
	if err == nil {
		err = c.deletable(n)
	}
	if err != nil {
		c.mu.Unlock()
		return reply{}, err
	}
	c.networks = slices.DeleteFunc(c.networks, func(o *network) bool { return o == n })
	c.mu.Unlock()
	if err := c.backend.DeleteNetwork(c.work.Context(), n.hostID()); err != nil {
		c.mu.Lock()
		c.networks = append(c.networks, n)
		c.mu.Unlock()
		return reply{}, fmt.Errorf("delete network %q: %w", n.name, err)
	}
	return gone()
}

// deletable says why a network may not be deleted. c.mu is held.
func (c *Cloud) deletable(n *network) error {
	if n.protected {
		return protected("network")
	}
	for _, s := range c.servers {
		if _, in := s.private[n]; in {
			return inUse("network with ID '%d' is still in use by server '%d'", n.id, s.id)
		}
	}
	return nil
}

// changeProtection sets a resource's delete protection.
func changeProtection[T entity](c *Cloud, r *http.Request, kind string, all func() []T) (reply, error) {
	var in protection
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e, err := inPath(r, all(), kind)
	if err != nil {
		return reply{}, err
	}
	if in.Delete != nil {
		e.base().protected = *in.Delete
	}
	return acted(c.done("change_protection", ref(kind, e.base().id)))
}
