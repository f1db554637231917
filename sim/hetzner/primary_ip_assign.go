package hetzner

import (
	"context"
	"net/http"
)

type primaryIPAssign struct {
	AssigneeID   int64  `json:"assignee_id"`
	AssigneeType string `json:"assignee_type"`
}

func notStopped() error {
	return fail(http.StatusUnprocessableEntity, "server_not_stopped", "server must be stopped")
}

func (c *Cloud) assignPrimaryIP(r *http.Request) (reply, error) {
	var in primaryIPAssign
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	ip, err := inPath(r, c.primaryIPs, "primary_ip")
	if err != nil {
		return reply{}, err
	}
	s, found := byID(c.servers, in.AssigneeID)
	switch {
	case in.AssigneeType != "server":
		return reply{}, invalid("assignee_type", "must be server")
	case !found || s.deleting:
		return reply{}, notFound("server", in.AssigneeID)
	case ip.server != nil:
		return reply{}, fail(http.StatusConflict, "primary_ip_already_assigned", "primary ip is already assigned")
	case s.status != "off":
		return reply{}, notStopped()
	case s.location.Name != ip.location.Name:
		return reply{}, fail(http.StatusUnprocessableEntity, "primary_ip_datacenter_mismatch", "primary ip and server are not in the same location")
	case c.publicOf(s, ip.kind) != nil:
		return reply{}, fail(http.StatusConflict, "server_has_"+ip.kind, "server has a primary %s already", ip.kind)
	case c.busy("server", s.id):
		return reply{}, locked("server")
	}
	do := func(ctx context.Context) error { return c.backend.AssignPublic(ctx, s.hostID(), ip.addr) }
	return acted(c.start("assign_primary_ip", c.speed.Action, s.onHost(ip.ifV4(do)), func() { ip.server = s },
		ref("primary_ip", ip.id), ref("server", s.id)))
}

func (c *Cloud) unassignPrimaryIP(r *http.Request) (reply, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ip, err := inPath(r, c.primaryIPs, "primary_ip")
	if err != nil {
		return reply{}, err
	}
	s := ip.server
	switch {
	case s == nil:
		return reply{}, invalid("assignee_id", "primary ip is not assigned")
	case s.status != "off":
		return reply{}, notStopped()
	case c.busy("server", s.id):
		return reply{}, locked("server")
	}
	do := func(ctx context.Context) error { return c.backend.UnassignPublic(ctx, s.hostID(), ip.addr) }
	return acted(c.start("unassign_primary_ip", c.speed.Action, s.onHost(ip.ifV4(do)), func() { ip.server = nil },
		ref("primary_ip", ip.id), ref("server", s.id)))
}

// ifV4 drops work for IPv6 addresses, which backends only take at creation.
func (ip *primaryIP) ifV4(do func(context.Context) error) func(context.Context) error {
	if ip.kind == "ipv6" {
		return nil
	}
	return do
}

// publicOf is a server's address of a kind, nil if it has none. c.mu is held.
func (c *Cloud) publicOf(s *server, kind string) *primaryIP {
	for _, ip := range c.primaryIPs {
		if ip.server == s && ip.kind == kind {
			return ip
		}
	}
	return nil
}
