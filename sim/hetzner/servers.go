package hetzner

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"sync"

	"github.com/hetznercloud/hcloud-go/v2/hcloud/schema"
)

type server struct {
	meta
	status   string // "initializing", "starting", "running", "stopping", "off", "deleting"
	model    model
	disk     int // GB; keeps its size when a type changes without upgrade_disk
	image    *schema.Image
	location schema.Location
	private  map[*network]netip.Addr
	group    *group
	rebuild  bool // protected against rebuilding
	userData string
	keys     []string // public keys
	built    bool     // the backend has the host
	deleting bool     // hidden from the API, still being destroyed

	// host orders the backend's work on this host.
	host sync.Mutex
}

func (s *server) hostID() string { return fmt.Sprintf("hz-%d", s.id) }

// onHost runs do alone on the server's host. A nil do does nothing.
func (s *server) onHost(do func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		if do == nil {
			return nil
		}
		s.host.Lock()
		defer s.host.Unlock()
		return do(ctx)
	}
}

// serverBody has the datacenter, which clients before 2026 read.
type serverBody struct {
	schema.Server
	Datacenter schema.Datacenter `json:"datacenter"`
}

// serverView is a server as the API shows it. c.mu is held.
func (c *Cloud) serverView(s *server) serverBody {
	zero := uint64(0)
	out := schema.Server{
		ID: s.id, Name: s.name, Status: s.status, Created: s.created, Labels: s.labels,
		ServerType: s.model.view(), IncludedTraffic: 20 << 40, IngoingTraffic: &zero, OutgoingTraffic: &zero,
		Locked: c.busy("server", s.id), Location: s.location, Image: s.image,
		Protection: schema.ServerProtection{Delete: s.protected, Rebuild: s.rebuild},
		Volumes:    c.volumesOf(s), PrimaryDiskSize: s.disk, LoadBalancers: []int64{},
		PublicNet:  schema.ServerPublicNet{FloatingIPs: []int64{}, Firewalls: []schema.ServerFirewall{}},
		PrivateNet: []schema.ServerPrivateNet{},
	}
	if s.group != nil {
		g := c.groupView(s.group)
		out.PlacementGroup = &g
	}
	for _, n := range c.networks {
		if a, in := s.private[n]; in {
			out.PrivateNet = append(out.PrivateNet, schema.ServerPrivateNet{Network: n.id, IP: a.String(), AliasIPs: []string{}, MACAddress: mac(a)})
		}
	}
	for _, f := range c.firewallsOf(s) {
		out.PublicNet.Firewalls = append(out.PublicNet.Firewalls, schema.ServerFirewall{ID: f.id, Status: "applied"})
	}
	if ip := c.publicOf(s, "ipv4"); ip != nil {
		out.PublicNet.IPv4 = schema.ServerPublicNetIPv4{ID: ip.id, IP: ip.text(), DNSPtr: ip.pointer()}
	}
	if ip := c.publicOf(s, "ipv6"); ip != nil {
		out.PublicNet.IPv6 = schema.ServerPublicNetIPv6{ID: ip.id, IP: ip.text(), DNSPtr: []schema.ServerPublicNetIPv6DNSPtr{}}
	}
	return serverBody{out, datacenter(s.location)}
}

// mac is the address of a private interface, derived from its IP address.
func mac(a netip.Addr) string {
	b := a.As4()
	return fmt.Sprintf("86:00:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3])
}

// live lists the servers that are not being deleted. c.mu is held.
func (c *Cloud) live() []*server {
	return slices.DeleteFunc(slices.Clone(c.servers), func(s *server) bool { return s.deleting })
}

// nextPrivate is the lowest free address of a subnet. The network's first
// address is its gateway's. c.mu is held.
func (c *Cloud) nextPrivate(n *network, p netip.Prefix) (netip.Addr, bool) {
	for a := p.Addr().Next(); p.Contains(a.Next()); a = a.Next() {
		if a != n.gateway() && c.holder(n, a) == nil {
			return a, true
		}
	}
	return netip.Addr{}, false
}

// holder is the server that has an address in a network. c.mu is held.
func (c *Cloud) holder(n *network, a netip.Addr) *server {
	for _, s := range c.servers {
		if got, in := s.private[n]; in && got == a {
			return s
		}
	}
	return nil
}

// choose finds the address that a server gets in a network: the one asked for,
// or the first free one of the subnet asked for, or of any in its zone.
// c.mu is held.
func (c *Cloud) choose(s *server, n *network, ip, ipRange string) (netip.Addr, error) {
	var zone []subnet
	for _, sub := range n.subnets {
		if sub.NetworkZone == s.location.NetworkZone && (ipRange == "" || sub.IPRange == ipRange) {
			zone = append(zone, sub)
		}
	}
	if len(zone) == 0 {
		return netip.Addr{}, fail(http.StatusConflict, "no_subnet_available", "network '%d' has no subnet for network zone %q", n.id, s.location.NetworkZone)
	}
	if ip == "" {
		for _, sub := range zone {
			if a, free := c.nextPrivate(n, sub.prefix); free {
				return a, nil
			}
		}
		return netip.Addr{}, fail(http.StatusConflict, "no_subnet_available", "no free IP is left in the network '%d'", n.id)
	}
	a, err := netip.ParseAddr(ip)
	if err != nil || !slices.ContainsFunc(zone, func(sub subnet) bool { return sub.prefix.Contains(a) && a != sub.prefix.Addr() }) {
		return netip.Addr{}, invalid("ip", "%q is in no subnet of the network", ip)
	}
	if a == n.gateway() || c.holder(n, a) != nil {
		return netip.Addr{}, fail(http.StatusConflict, "ip_not_available", "IP %s is not available", ip)
	}
	return a, nil
}
