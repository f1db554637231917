package hetzner

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"

	"github.com/hetznercloud/hcloud-go/v2/hcloud/schema"
)

// plan is what a server's creation comes to, before anything is taken.
type plan struct {
	server   *server
	nets     []*network
	volumes  []*volume
	firewall []*firewall
	enable   map[string]bool // by address kind
	use      map[string]*primaryIP
}

// planServer validates a request. c.mu is held.
func (c *Cloud) planServer(in serverCreate) (*plan, error) {
	s := &server{status: "initializing", userData: in.UserData, private: map[*network]netip.Addr{}}
	p := &plan{server: s, enable: map[string]bool{"ipv4": true, "ipv6": true}, use: map[string]*primaryIP{}}
	if !hostnameRE.MatchString(in.Name) {
		return nil, invalid("name", "must be a valid hostname")
	}
	if len(in.UserData) > maxUserData {
		return nil, invalid("user_data", "must have at most 32 KiB")
	}
	if in.StartAfterCreate != nil && !*in.StartAfterCreate {
		return nil, invalid("start_after_create", "false is not modelled by the simulator")
	}
	if in.Automount != nil && *in.Automount {
		return nil, invalid("automount", "is not modelled by the simulator")
	}
	if err := p.place(in); err != nil {
		return nil, err
	}
	for _, key := range in.SSHKeys {
		i := slices.IndexFunc(c.keys, func(k *sshKey) bool { return k.id == key.ID || key.Name != "" && k.name == key.Name })
		if i < 0 {
			return nil, notFound("ssh_key", key.ID)
		}
		s.keys = append(s.keys, c.keys[i].public)
	}
	if err := c.planParts(p, in); err != nil {
		return nil, err
	}
	return p, c.planPublic(p, in)
}

// place finds the type, the image and the location.
func (p *plan) place(in serverCreate) error {
	s := p.server
	var known bool
	if s.model, known = modelOf(text(in.ServerType)); !known {
		return invalid("server_type", "server type %s not found", text(in.ServerType))
	}
	s.disk = s.model.disk
	for _, img := range systemImages() {
		if img.ID == in.Image.ID || img.Architecture == s.model.arch && *img.Name == in.Image.Name {
			s.image = &img
		}
	}
	at := location(locationOf(in.Location, in.Datacenter))
	switch {
	case s.image == nil:
		return invalid("image", "image %s not found", text(in.Image))
	case s.image.Architecture != s.model.arch:
		return invalid("image", "image is for %s, server type for %s", s.image.Architecture, s.model.arch)
	case at == nil:
		return invalid("location", "location %q not found", locationOf(in.Location, in.Datacenter))
	case s.model.retired:
		return fail(http.StatusUnprocessableEntity, "invalid_server_type", "server type %s is deprecated and no longer available", s.model.name)
	case !slices.Contains(s.model.where, at.Name):
		return invalid("server_type", "unsupported location for server type")
	case !s.model.available(at.Name):
		return fail(http.StatusPreconditionFailed, "resource_unavailable", "server type %s is not available in %s", s.model.name, at.Name)
	}
	s.location = *at
	return nil
}

func text(v schema.IDOrName) string {
	if v.Name != "" {
		return v.Name
	}
	return fmt.Sprint(v.ID)
}

// planParts finds networks, volumes, firewalls and the group. c.mu is held.
func (c *Cloud) planParts(p *plan, in serverCreate) error {
	s := p.server
	for _, id := range in.Networks {
		n, found := byID(c.networks, id)
		if !found {
			return notFound("network", id)
		}
		p.nets = append(p.nets, n)
	}
	for _, id := range in.Volumes {
		v, found := byID(c.volumes, id)
		switch {
		case !found:
			return notFound("volume", id)
		case v.server != nil:
			return fail(http.StatusConflict, "volume_already_attached", "volume is already attached to a server, detach first")
		case v.location.Name != s.location.Name:
			return invalid("volumes", "volume and server are not in the same location")
		}
		p.volumes = append(p.volumes, v)
	}
	for _, ref := range in.Firewalls {
		f, found := byID(c.firewalls, ref.Firewall)
		if !found {
			return notFound("firewall", ref.Firewall)
		}
		p.firewall = append(p.firewall, f)
	}
	if len(p.firewall) > maxServerFirewalls {
		return fail(http.StatusForbidden, "resource_limit_exceeded", "a server takes at most %d firewalls", maxServerFirewalls)
	}
	if in.PlacementGroup != 0 {
		g, found := byID(c.groups, in.PlacementGroup)
		if !found {
			return notFound("placement_group", in.PlacementGroup)
		}
		if err := c.fits(g); err != nil {
			return err
		}
		s.group = g
	}
	m, err := newMeta(c, c.servers, "server", in.Name, in.Labels)
	s.meta = m
	return err
}

// planPublic finds the primary addresses. c.mu is held.
func (c *Cloud) planPublic(p *plan, in serverCreate) error {
	if in.PublicNet == nil {
		return nil
	}
	for _, want := range []struct {
		kind   string
		enable *bool
		id     int64
	}{{"ipv4", in.PublicNet.EnableIPv4, in.PublicNet.IPv4}, {"ipv6", in.PublicNet.EnableIPv6, in.PublicNet.IPv6}} {
		p.enable[want.kind] = want.enable == nil || *want.enable
		if want.id == 0 || !p.enable[want.kind] {
			continue
		}
		ip, found := byID(c.primaryIPs, want.id)
		switch {
		case !found:
			return notFound("primary_ip", want.id)
		case ip.kind != want.kind:
			return fail(http.StatusUnprocessableEntity, "primary_ip_version_mismatch", "primary ip is not an %s", want.kind)
		case ip.server != nil:
			return fail(http.StatusConflict, "primary_ip_assigned", "primary ip is already assigned to a server")
		case ip.location.Name != p.server.location.Name:
			return fail(http.StatusUnprocessableEntity, "primary_ip_datacenter_mismatch", "primary ip is in another location")
		}
		p.use[want.kind] = ip
	}
	if !p.enable["ipv4"] && !p.enable["ipv6"] && len(p.nets) == 0 {
		return invalid("public_net", "a server without public addresses needs a network")
	}
	return nil
}
