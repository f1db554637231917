package hetzner

import (
	"context"
	"net/http"
	"net/netip"
	"slices"
)

func (c *Cloud) deleteServer(r *http.Request) (reply, error) {
	c.mu.Lock()
	s, err := inPath(r, c.live(), "server")
	if err == nil && s.protected {
		err = protected("server")
	}
	if err != nil {
		c.mu.Unlock()
		return reply{}, err
	}
	s.deleting, s.status = true, "deleting"
	for _, f := range c.firewalls {
		f.servers = slices.DeleteFunc(slices.Clone(f.servers), func(id int64) bool { return id == s.id })
	}
	a := c.start("delete_server", c.speed.Action,
		s.onHost(func(ctx context.Context) error { return c.backend.Destroy(ctx, s.hostID()) }),
		func() { c.buried(s) }, ref("server", s.id))
	c.mu.Unlock()
	c.syncFirewalls()
	return ok(actionBody{a})
}

// buried frees what a destroyed server held. c.mu is held.
func (c *Cloud) buried(s *server) {
	c.servers = slices.DeleteFunc(c.servers, func(o *server) bool { return o == s })
	s.private = map[*network]netip.Addr{}
	s.group = nil
	for _, v := range c.volumes {
		if v.server == s {
			v.server = nil
		}
	}
	for _, ip := range slices.Clone(c.primaryIPs) {
		if ip.server != s {
			continue
		}
		ip.server = nil
		if ip.autoDelete {
			c.dropPrimaryIP(ip)
		}
	}
	go c.pushes.Forget(s.hostID()) // takes the other lock, which is never taken inside c.mu
}
