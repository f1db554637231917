package digitalocean

import (
	"context"
	"net/http"
	"slices"
)

func (c *Cloud) deleteDroplet(r *http.Request) (reply, error) {
	c.mu.Lock()
	d := c.dropletRef(r.PathValue("id"))
	if d == nil {
		c.mu.Unlock()
		return reply{}, notFound()
	}
	c.remove(d)
	c.mu.Unlock()
	c.syncFirewalls()
	return gone()
}

// remove hides a droplet at once and destroys it in the background. Until that
// is done its volumes count as attached, and for a while longer the VPC still
// has it as a member. c.mu is held.
func (c *Cloud) remove(d *droplet) {
	d.deleting = true
	d.vpc.lingering[d.id] = d.name
	var held []*reservedIP
	for _, ip := range c.reserved {
		if ip.droplet == d.id {
			ip.droplet, ip.busy = 0, true
			held = append(held, ip)
		}
	}
	for _, f := range c.firewalls {
		f.DropletIDs = slices.DeleteFunc(slices.Clone(f.DropletIDs), func(id int) bool { return id == d.id })
	}
	c.work.Go(0, func(ctx context.Context) error {
		d.host.Lock()
		defer d.host.Unlock()
		for _, ip := range held {
			if err := c.backend.UnassignPublic(ctx, d.hostID(), ip.addr); err != nil {
				c.logf("digitalocean: unassign %s from host %q: %v", ip.addr, d.hostID(), err)
			}
		}
		return c.backend.Destroy(ctx, d.hostID())
	}, func(err error) {
		if err != nil {
			c.logf("digitalocean: destroy host %q: %v", d.hostID(), err)
		}
		c.pushes.Forget(d.hostID())
		c.backend.ReleasePublic(d.public4)
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, ip := range held {
			ip.busy = false
		}
		c.droplets = slices.DeleteFunc(c.droplets, func(o *droplet) bool { return o == d })
		for _, v := range c.volumes {
			if slices.Contains(v.DropletIDs, d.id) {
				v.DropletIDs = []int{}
			}
		}
		c.work.Go(c.speed.Linger, func(context.Context) error { return nil }, func(error) {
			c.mu.Lock()
			defer c.mu.Unlock()
			delete(d.vpc.lingering, d.id)
		})
	})
}
