package digitalocean

import (
	"strconv"

	"github.com/construct-server/infra/sim/api"
)

// Resources implements api.Cloud. A droplet that is still being destroyed is
// listed; default VPCs and the default project, which an account always has,
// are not.
func (c *Cloud) Resources() map[string][]api.Resource {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[string][]api.Resource{}
	add := func(kind, id, name string) { out[kind] = append(out[kind], api.Resource{ID: id, Name: name}) }
	for _, v := range c.vpcs {
		if !v.Default {
			add("vpc", v.ID, v.Name)
		}
	}
	for _, k := range c.keys {
		add("ssh_key", strconv.Itoa(k.ID), k.Name)
	}
	for _, t := range c.tags {
		add("tag", t, t)
	}
	for _, d := range c.droplets {
		add("droplet", strconv.Itoa(d.id), d.name)
	}
	for _, v := range c.volumes {
		add("volume", v.ID, v.Name)
	}
	for _, f := range c.firewalls {
		add("firewall", f.ID, f.Name)
	}
	for _, ip := range c.reserved {
		add("reserved_ip", ip.addr.String(), ip.addr.String())
	}
	for _, d := range c.domains {
		add("domain", d.name, d.name)
		for _, rec := range d.records {
			if rec.Type != "NS" {
				add("domain_record", strconv.Itoa(rec.ID), rec.Type+" "+rec.Name+" "+d.name)
			}
		}
	}
	for _, p := range c.projects {
		if !p.IsDefault {
			add("project", p.ID, p.Name)
		}
	}
	return out
}

// Hosts implements api.Cloud.
func (c *Cloud) Hosts() []api.Host {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := []api.Host{}
	for _, d := range c.droplets {
		h := api.Host{
			ID: d.hostID(), Name: d.name, Cloud: c.Name(), Status: d.status,
			PublicIPv4: d.public4.String(), Private: []string{d.private4.String()},
		}
		if d.deleting {
			h.Status = "deleting"
		}
		for _, ip := range c.reserved {
			if ip.droplet == d.id {
				h.Stable = append(h.Stable, ip.addr.String())
			}
		}
		out = append(out, h)
	}
	return out
}
