package hetzner

import (
	"strconv"

	"github.com/construct-server/infra/sim/api"
)

// Resources implements api.Cloud. A server that is still being destroyed is
// listed; the NS and SOA records that every zone has are not.
func (c *Cloud) Resources() map[string][]api.Resource {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[string][]api.Resource{}
	collect(out, "network", c.networks)
	collect(out, "ssh_key", c.keys)
	collect(out, "placement_group", c.groups)
	collect(out, "primary_ip", c.primaryIPs)
	collect(out, "firewall", c.firewalls)
	collect(out, "server", c.servers)
	collect(out, "volume", c.volumes)
	collect(out, "zone", c.zones)
	for _, n := range c.networks {
		for _, s := range n.subnets {
			out["subnet"] = append(out["subnet"], api.Resource{ID: s.IPRange, Name: n.name})
		}
	}
	for _, z := range c.zones {
		for _, s := range z.rrsets {
			if s.kind != "NS" && s.kind != "SOA" {
				out["rrset"] = append(out["rrset"], api.Resource{ID: s.name + "/" + s.kind, Name: s.kind + " " + s.name + " " + z.name})
			}
		}
	}
	return out
}

func collect[T entity](out map[string][]api.Resource, kind string, all []T) {
	for _, e := range all {
		m := e.base()
		out[kind] = append(out[kind], api.Resource{ID: strconv.FormatInt(m.id, 10), Name: m.name})
	}
}

// Hosts implements api.Cloud.
func (c *Cloud) Hosts() []api.Host {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := []api.Host{}
	for _, s := range c.servers {
		h := api.Host{ID: s.hostID(), Name: s.name, Cloud: c.Name(), Status: s.status}
		if ip := c.publicOf(s, "ipv4"); ip != nil {
			h.PublicIPv4 = ip.addr.String()
		}
		for _, n := range c.networks {
			if a, in := s.private[n]; in {
				h.Private = append(h.Private, a.String())
			}
		}
		out = append(out, h)
	}
	return out
}
