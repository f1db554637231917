package hetzner

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"

	"github.com/construct-server/infra/sim/host"
	"github.com/hetznercloud/hcloud-go/v2/hcloud/schema"
)

// maxUserData is Hetzner's limit, in bytes.
const maxUserData = 32 << 10

var hostnameRE = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9.-]{0,61}[a-zA-Z0-9])?$`)

type serverCreate struct {
	Name             string            `json:"name"`
	ServerType       schema.IDOrName   `json:"server_type"`
	Image            schema.IDOrName   `json:"image"`
	SSHKeys          []schema.IDOrName `json:"ssh_keys"`
	Location         string            `json:"location"`
	Datacenter       string            `json:"datacenter"`
	UserData         string            `json:"user_data"`
	StartAfterCreate *bool             `json:"start_after_create"`
	Labels           map[string]string `json:"labels"`
	Automount        *bool             `json:"automount"`
	Volumes          []int64           `json:"volumes"`
	Networks         []int64           `json:"networks"`
	Firewalls        []struct {
		Firewall int64 `json:"firewall"`
	} `json:"firewalls"`
	PlacementGroup int64 `json:"placement_group"`
	PublicNet      *struct {
		EnableIPv4 *bool `json:"enable_ipv4"`
		EnableIPv6 *bool `json:"enable_ipv6"`
		IPv4       int64 `json:"ipv4"`
		IPv6       int64 `json:"ipv6"`
	} `json:"public_net"`
}

type serverCreateBody struct {
	Server       serverBody      `json:"server"`
	Action       schema.Action   `json:"action"`
	NextActions  []schema.Action `json:"next_actions"`
	RootPassword *string         `json:"root_password"`
}

func (c *Cloud) createServer(r *http.Request) (reply, error) {
	var in serverCreate
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	p, err := c.planServer(in)
	if err != nil {
		return reply{}, err
	}
	spec, err := c.takeFor(p)
	if err != nil {
		return reply{}, err
	}
	s := p.server
	c.servers = append(c.servers, s)
	spec.Firewall = c.effective(s)
	s.host.Lock()
	more := p.nets[min(1, len(p.nets)):]
	a := c.start("create_server", c.speed.Boot, func(ctx context.Context) error {
		defer s.host.Unlock()
		if err := c.backend.Create(ctx, spec); err != nil {
			return err
		}
		for _, n := range more {
			if err := c.backend.AttachNetwork(ctx, s.hostID(), n.hostID(), s.private[n]); err != nil {
				return err
			}
		}
		return nil
	}, func() { s.built, s.status = true, "running" }, ref("server", s.id))
	next := []schema.Action{c.done("start_server", ref("server", s.id))}
	return created(serverCreateBody{Server: c.serverView(s), Action: a, NextActions: next, RootPassword: rootPassword(s)})
}

// rootPassword is what the API returns when no SSH key was given.
func rootPassword(s *server) *string {
	if len(s.keys) > 0 {
		return nil
	}
	password := "simulated-root-password"
	return &password
}

// takeFor takes addresses, volumes and firewalls for a server, and returns its
// host's spec. c.mu is held.
func (c *Cloud) takeFor(p *plan) (host.Spec, error) {
	s := p.server
	spec := host.Spec{
		ID: s.hostID(), Hostname: s.name, UserData: s.userData, AuthorizedKeys: s.keys,
		MemoryMB: int(s.model.memory * 1024), VCPUs: s.model.cores,
	}
	for i, n := range p.nets {
		a, err := c.choose(s, n, "", "")
		if err != nil {
			return spec, err
		}
		s.private[n] = a
		if i == 0 {
			spec.NetworkID, spec.PrivateIPv4 = n.hostID(), a
		}
	}
	for _, kind := range []string{"ipv4", "ipv6"} {
		ip := p.use[kind]
		if ip == nil && p.enable[kind] {
			var err error
			if ip, err = c.newPrimaryIP(fmt.Sprintf("primary_ip-%d-%s", s.id, kind), kind, s.location, nil); err != nil {
				return spec, err
			}
			ip.autoDelete = true
		}
		if ip == nil {
			continue
		}
		ip.server = s
		if kind == "ipv4" {
			spec.PublicIPv4 = ip.addr
		} else {
			spec.PublicIPv6 = ip.addr
		}
	}
	for _, v := range p.volumes {
		v.server = s
		spec.Volumes = append(spec.Volumes, host.Volume{ID: v.hostID(), ByID: v.byID()})
	}
	for _, f := range p.firewall {
		f.servers = append(slices.Clone(f.servers), s.id)
	}
	return spec, nil
}
