package hetzner

import (
	"context"
	"net/http"

	"github.com/hetznercloud/hcloud-go/v2/hcloud/schema"
)

type changeType struct {
	ServerType  schema.IDOrName `json:"server_type"`
	UpgradeDisk bool            `json:"upgrade_disk"`
}

type attachNetwork struct {
	Network  int64    `json:"network"`
	IP       string   `json:"ip"`
	AliasIPs []string `json:"alias_ips"`
	IPRange  string   `json:"ip_range"`
}

type detachNetwork struct {
	Network int64 `json:"network"`
}

type changeAliasIPs struct {
	Network  int64    `json:"network"`
	AliasIPs []string `json:"alias_ips"`
}

type addToGroup struct {
	PlacementGroup int64 `json:"placement_group"`
}

type serverProtection struct {
	Delete  *bool `json:"delete"`
	Rebuild *bool `json:"rebuild"`
}

// change is a server action: what it does to the host, and then to the server.
type change struct {
	command string
	do      func(context.Context) error
	then    func()
	also    []schema.ActionResourceReference
}

// acting decodes a body into in, plans a change of an idle server with it, and
// starts it.
func acting[T any](c *Cloud, plan func(s *server, in T) (change, error)) handler {
	return func(r *http.Request) (reply, error) {
		var in T
		if err := decode(r, &in); err != nil {
			return reply{}, err
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		s, err := inPath(r, c.live(), "server")
		if err != nil {
			return reply{}, err
		}
		if c.busy("server", s.id) {
			return reply{}, locked("server")
		}
		ch, err := plan(s, in)
		if err != nil {
			return reply{}, err
		}
		if ch.then == nil {
			ch.then = func() {}
		}
		return acted(c.start(ch.command, c.speed.Action, s.onHost(ch.do), ch.then, append(ch.also, ref("server", s.id))...))
	}
}

type empty struct{}

// power is an action that ends in a status.
func (c *Cloud) power(command, status string, do func(context.Context, string) error) handler {
	return acting(c, func(s *server, _ empty) (change, error) {
		run := func(ctx context.Context) error { return do(ctx, s.hostID()) }
		if s.status == status && (status == "off" || command == "start_server") {
			run = nil // already so: the API says success
		}
		return change{command: command, do: run, then: func() { s.status = status }}, nil
	})
}

func (c *Cloud) changeServerType(s *server, in changeType) (change, error) {
	m, known := modelOf(text(in.ServerType))
	switch {
	case !known:
		return change{}, invalid("server_type", "server type %s not found", text(in.ServerType))
	case s.status != "off":
		return change{}, notStopped()
	case m.retired || m.arch != s.model.arch || m.disk < s.disk:
		return change{}, fail(http.StatusUnprocessableEntity, "invalid_server_type", "server type %s does not fit this server", m.name)
	case !m.available(s.location.Name):
		return change{}, fail(http.StatusPreconditionFailed, "resource_unavailable", "server type %s is not available in %s", m.name, s.location.Name)
	}
	// The API starts the server afterwards: the official provider, which stops
	// it before, does not.
	return change{command: "change_server_type", do: func(ctx context.Context) error { return c.backend.PowerOn(ctx, s.hostID()) }, then: func() {
		s.model, s.status = m, "running"
		if in.UpgradeDisk {
			s.disk = m.disk
		}
	}}, nil
}

func (c *Cloud) attachToNetwork(s *server, in attachNetwork) (change, error) {
	n, found := byID(c.networks, in.Network)
	if !found {
		return change{}, notFound("network", in.Network)
	}
	if len(in.AliasIPs) > 0 {
		return change{}, invalid("alias_ips", "is not modelled by the simulator")
	}
	if _, in := s.private[n]; in {
		return change{}, fail(http.StatusConflict, "server_already_attached", "server is already attached to the network")
	}
	for other := range s.private {
		if other.prefix.Overlaps(n.prefix) {
			return change{}, fail(http.StatusConflict, "networks_overlap", "the network's IP range overlaps with one of the server's networks")
		}
	}
	if c.busy("network", n.id) {
		return change{}, fail(http.StatusConflict, "conflict", "network '%d' has an action running, please retry", n.id)
	}
	a, err := c.choose(s, n, in.IP, in.IPRange)
	if err != nil {
		return change{}, err
	}
	// The address is taken now, so that two attachments cannot share it.
	s.private[n] = a
	return change{
		command: "attach_to_network",
		do: func(ctx context.Context) error {
			err := c.backend.AttachNetwork(ctx, s.hostID(), n.hostID(), a)
			if err != nil {
				c.mu.Lock()
				delete(s.private, n)
				c.mu.Unlock()
			}
			return err
		},
	}, nil
}

func (c *Cloud) detachFromNetwork(s *server, in detachNetwork) (change, error) {
	n, found := byID(c.networks, in.Network)
	if !found {
		return change{}, notFound("network", in.Network)
	}
	if _, in := s.private[n]; !in {
		return change{}, fail(http.StatusNotFound, "not_found", "server is not attached to the network")
	}
	return change{
		command: "detach_from_network",
		do:      func(ctx context.Context) error { return c.backend.DetachNetwork(ctx, s.hostID(), n.hostID()) },
		then:    func() { delete(s.private, n) },
	}, nil
}

func (c *Cloud) changeAliases(s *server, in changeAliasIPs) (change, error) {
	n, found := byID(c.networks, in.Network)
	if !found {
		return change{}, notFound("network", in.Network)
	}
	if _, in := s.private[n]; !in {
		return change{}, fail(http.StatusNotFound, "not_found", "server is not attached to the network")
	}
	if len(in.AliasIPs) > 0 {
		return change{}, invalid("alias_ips", "is not modelled by the simulator")
	}
	return change{command: "change_alias_ips"}, nil
}

func (c *Cloud) addToPlacementGroup(s *server, in addToGroup) (change, error) {
	g, found := byID(c.groups, in.PlacementGroup)
	switch {
	case !found:
		return change{}, notFound("placement_group", in.PlacementGroup)
	case s.group != nil:
		return change{}, fail(http.StatusConflict, "server_already_added", "server is in a placement group already")
	case s.status != "off":
		return change{}, notStopped()
	}
	if err := c.fits(g); err != nil {
		return change{}, err
	}
	return change{command: "add_to_placement_group", then: func() { s.group = g }}, nil
}

func (c *Cloud) removeFromPlacementGroup(s *server, _ empty) (change, error) {
	if s.group == nil {
		return change{}, fail(http.StatusNotFound, "not_found", "server is in no placement group")
	}
	return change{command: "remove_from_placement_group", then: func() { s.group = nil }}, nil
}

func (c *Cloud) protectServer(s *server, in serverProtection) (change, error) {
	del, rebuild := s.protected, s.rebuild
	if in.Delete != nil {
		del = *in.Delete
	}
	if in.Rebuild != nil {
		rebuild = *in.Rebuild
	}
	if del != rebuild {
		return change{}, invalid("rebuild", "delete and rebuild protection must be the same")
	}
	return change{command: "change_protection", then: func() { s.protected, s.rebuild = del, rebuild }}, nil
}
