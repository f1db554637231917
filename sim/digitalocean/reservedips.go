package digitalocean

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"slices"

	"github.com/digitalocean/godo"
)

type reservedIP struct {
	addr    netip.Addr
	region  string
	droplet int  // 0 when unassigned
	busy    bool // still being taken off a deleted droplet
}

type reservedCreate struct {
	Region    string `json:"region"`
	DropletID int    `json:"droplet_id"`
	ProjectID string `json:"project_id"`
}

type reservedAction struct {
	Type      string `json:"type"`
	DropletID int    `json:"droplet_id"`
}

type reservedBody struct {
	ReservedIP godo.ReservedIP `json:"reserved_ip"`
	Links      *godo.Links     `json:"links,omitempty"`
}

type reservedListBody struct {
	ReservedIPs []godo.ReservedIP `json:"reserved_ips"`
	listMeta
}

// reservedView is an address as the API shows it. c.mu is held.
func (c *Cloud) reservedView(ip *reservedIP) godo.ReservedIP {
	out := godo.ReservedIP{
		Region: regionView(ip.region), IP: ip.addr.String(),
		ProjectID: c.projectOf("do:reservedip:" + ip.addr.String()).ID,
		Locked:    c.busyKey(ip.addr.String()),
	}
	if d := c.droplet(ip.droplet); d != nil {
		view := c.dropletView(d)
		out.Droplet = &view
	}
	return out
}

// reservedFor finds an address. c.mu is held.
func (c *Cloud) reservedFor(addr string) *reservedIP {
	i := slices.IndexFunc(c.reserved, func(ip *reservedIP) bool { return ip.addr.String() == addr })
	if i < 0 {
		return nil
	}
	return c.reserved[i]
}

func (c *Cloud) createReserved(r *http.Request) (reply, error) {
	var in reservedCreate
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var d *droplet
	if in.DropletID != 0 {
		if d = c.droplet(in.DropletID); d == nil {
			return reply{}, unprocessable("droplet %d was not found", in.DropletID)
		}
		in.Region = d.region
	}
	if regionView(in.Region) == nil {
		return reply{}, unprocessable("region is invalid")
	}
	p := c.projects[0]
	if in.ProjectID != "" {
		if p = c.project(in.ProjectID); p == nil {
			return reply{}, unprocessable("project_id is invalid")
		}
	}
	addr, err := c.backend.NextPublic()
	if err != nil {
		return reply{}, fmt.Errorf("take a public address: %w", err)
	}
	ip := &reservedIP{addr: addr, region: in.Region}
	c.reserved = append(c.reserved, ip)
	c.assignTo(p, "do:reservedip:"+addr.String())
	out := reservedBody{Links: &godo.Links{}}
	if d != nil {
		a := c.startAssign(ip, d)
		out.Links.Actions = []godo.LinkAction{{ID: a.id, Rel: "assign_ip", HREF: fmt.Sprintf("http://%s/v2/actions/%d", r.Host, a.id)}}
	}
	out.ReservedIP = c.reservedView(ip)
	return reply{http.StatusAccepted, out}, nil
}

func (c *Cloud) listReserved(r *http.Request) (reply, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []godo.ReservedIP
	for _, ip := range c.reserved {
		all = append(all, c.reservedView(ip))
	}
	page, meta := paginate(r, all)
	return ok(reservedListBody{page, meta})
}

func (c *Cloud) getReserved(r *http.Request) (reply, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ip := c.reservedFor(r.PathValue("id"))
	if ip == nil {
		return reply{}, notFound()
	}
	return ok(reservedBody{ReservedIP: c.reservedView(ip)})
}

func (c *Cloud) deleteReserved(r *http.Request) (reply, error) {
	c.mu.Lock()
	ip := c.reservedFor(r.PathValue("id"))
	if ip == nil {
		c.mu.Unlock()
		return reply{}, notFound()
	}
	if ip.busy || c.busyKey(ip.addr.String()) {
		c.mu.Unlock()
		return reply{}, unprocessable("The reserved IP has a pending event.")
	}
	d := c.droplet(ip.droplet)
	c.reserved = slices.DeleteFunc(c.reserved, func(o *reservedIP) bool { return o == ip })
	c.mu.Unlock()
	if d != nil {
		err := onHost(d, func(ctx context.Context) error { return c.backend.UnassignPublic(ctx, d.hostID(), ip.addr) })(c.work.Context())
		if err != nil {
			return reply{}, fmt.Errorf("unassign %s: %w", ip.addr, err)
		}
		c.syncFirewalls()
	}
	c.backend.ReleasePublic(ip.addr)
	return gone()
}

func (c *Cloud) actOnReserved(r *http.Request) (reply, error) {
	var in reservedAction
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	ip := c.reservedFor(r.PathValue("id"))
	if ip == nil {
		return reply{}, notFound()
	}
	if ip.busy || c.busyKey(ip.addr.String()) {
		return reply{}, unprocessable("The reserved IP already has a pending event.")
	}
	switch in.Type {
	case "assign":
		d := c.droplet(in.DropletID)
		switch {
		case d == nil:
			return reply{}, unprocessable("droplet %d was not found", in.DropletID)
		case d.region != ip.region:
			return reply{}, unprocessable("The reserved IP and the Droplet are not in the same region.")
		case d.status == "new" || c.busy(d.id):
			return reply{}, unprocessable("Droplet already has a pending event.")
		}
		return created(actionBody{c.view(c.startAssign(ip, d))})
	case "unassign":
		d := c.droplet(ip.droplet)
		if d == nil {
			return reply{}, unprocessable("The reserved IP is not assigned to a Droplet.")
		}
		a := c.start(action{kind: "unassign_ip", resourceType: "reserved_ip", key: ip.addr.String(), region: ip.region},
			c.speed.Action,
			onHost(d, func(ctx context.Context) error { return c.backend.UnassignPublic(ctx, d.hostID(), ip.addr) }),
			func() { ip.droplet = 0 })
		return created(actionBody{c.view(a)})
	}
	return reply{}, unprocessable("action type %q is invalid", in.Type)
}

// startAssign moves an address to a droplet. c.mu is held.
func (c *Cloud) startAssign(ip *reservedIP, d *droplet) *action {
	from := c.droplet(ip.droplet)
	return c.start(action{kind: "assign_ip", resourceType: "reserved_ip", key: ip.addr.String(), region: ip.region},
		c.speed.Action,
		func(ctx context.Context) error {
			if from != nil && from != d {
				off := onHost(from, func(ctx context.Context) error { return c.backend.UnassignPublic(ctx, from.hostID(), ip.addr) })
				if err := off(ctx); err != nil {
					return err
				}
			}
			return onHost(d, func(ctx context.Context) error { return c.backend.AssignPublic(ctx, d.hostID(), ip.addr) })(ctx)
		},
		func() { ip.droplet = d.id })
}
