package hetzner

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/construct-server/infra/sim/host"
	"github.com/hetznercloud/hcloud-go/v2/hcloud/schema"
)

type primaryIP struct {
	meta
	kind       string // "ipv4" or "ipv6"
	addr       netip.Addr
	prefix     netip.Prefix // of an ipv6
	location   schema.Location
	server     *server // nil when unassigned
	autoDelete bool
}

type primaryIPCreate struct {
	Name         string            `json:"name"`
	Type         string            `json:"type"`
	AssigneeType string            `json:"assignee_type"`
	AssigneeID   *int64            `json:"assignee_id"`
	Labels       map[string]string `json:"labels"`
	AutoDelete   bool              `json:"auto_delete"`
	Location     string            `json:"location"`
	Datacenter   string            `json:"datacenter"`
}

type primaryIPUpdate struct {
	edit
	AutoDelete *bool `json:"auto_delete"`
}

// primaryIPBody has the datacenter, which clients before 2026 read.
type primaryIPBody struct {
	schema.PrimaryIP
	Datacenter schema.Datacenter `json:"datacenter"`
}

// text is the address, or the range of an ipv6.
func (ip *primaryIP) text() string {
	if ip.kind == "ipv6" {
		return ip.prefix.String()
	}
	return ip.addr.String()
}

// pointer is the reverse name that Hetzner sets at first.
func (ip *primaryIP) pointer() string {
	if ip.kind == "ipv6" {
		return ""
	}
	b := ip.addr.As4()
	return fmt.Sprintf("static.%d.%d.%d.%d.clients.your-server.de", b[3], b[2], b[1], b[0])
}

func (ip *primaryIP) view() primaryIPBody {
	out := schema.PrimaryIP{
		ID: ip.id, IP: ip.text(), Labels: ip.labels, Name: ip.name, Type: ip.kind,
		Protection: schema.PrimaryIPProtection{Delete: ip.protected}, DNSPtr: []schema.PrimaryIPDNSPTR{},
		AssigneeType: "server", AutoDelete: ip.autoDelete, Created: ip.created, Location: ip.location,
	}
	if p := ip.pointer(); p != "" {
		out.DNSPtr = append(out.DNSPtr, schema.PrimaryIPDNSPTR{DNSPtr: p, IP: ip.addr.String()})
	}
	if ip.server != nil {
		out.AssigneeID = &ip.server.id
	}
	return primaryIPBody{out, datacenter(ip.location)}
}

// newPrimaryIP takes an address. c.mu is held.
func (c *Cloud) newPrimaryIP(name, kind string, at schema.Location, labels map[string]string) (*primaryIP, error) {
	m, err := newMeta(c, c.primaryIPs, "primary ip", name, labels)
	if err != nil {
		return nil, err
	}
	ip := &primaryIP{meta: m, kind: kind, location: at}
	if kind == "ipv4" {
		if ip.addr, err = c.backend.NextPublic(); err != nil {
			return nil, fmt.Errorf("take a public address: %w", err)
		}
	} else {
		ip.prefix = host.PublicIPv6(c.backend.PublicPrefix(), int(m.id-firstID))
		ip.addr = ip.prefix.Addr().Next()
	}
	c.primaryIPs = append(c.primaryIPs, ip)
	return ip, nil
}

func (c *Cloud) createPrimaryIP(r *http.Request) (reply, error) {
	var in primaryIPCreate
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	if in.Type != "ipv4" && in.Type != "ipv6" {
		return reply{}, invalid("type", "must be ipv4 or ipv6")
	}
	if in.AssigneeType != "" && in.AssigneeType != "server" {
		return reply{}, invalid("assignee_type", "must be server")
	}
	if in.AssigneeID != nil {
		return reply{}, invalid("assignee_id", "is not modelled by the simulator: create the address, then assign it")
	}
	at := location(locationOf(in.Location, in.Datacenter))
	if at == nil {
		return reply{}, invalid("location", "must name a location")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	ip, err := c.newPrimaryIP(in.Name, in.Type, *at, in.Labels)
	if err != nil {
		return reply{}, err
	}
	ip.autoDelete = in.AutoDelete
	return created(map[string]any{"primary_ip": ip.view(), "action": nil})
}

// locationOf is the location that a request names, possibly by a datacenter.
func locationOf(location, datacenter string) string {
	if location == "" {
		location, _, _ = strings.Cut(datacenter, "-")
	}
	return location
}

func (c *Cloud) updatePrimaryIP(r *http.Request) (reply, error) {
	var in primaryIPUpdate
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	ip, err := inPath(r, c.primaryIPs, "primary_ip")
	if err != nil {
		return reply{}, err
	}
	if err := apply(&ip.meta, c.primaryIPs, "primary ip", in.edit); err != nil {
		return reply{}, err
	}
	if in.AutoDelete != nil {
		ip.autoDelete = *in.AutoDelete
	}
	return ok(map[string]primaryIPBody{"primary_ip": ip.view()})
}

func (c *Cloud) protectPrimaryIP(r *http.Request) (reply, error) {
	return changeProtection(c, r, "primary_ip", func() []*primaryIP { return c.primaryIPs })
}

func (c *Cloud) deletePrimaryIP(r *http.Request) (reply, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ip, err := inPath(r, c.primaryIPs, "primary_ip")
	switch {
	case err != nil:
		return reply{}, err
	case ip.protected:
		return reply{}, protected("primary ip")
	case ip.server != nil && ip.server.status != "off":
		return reply{}, notStopped()
	case ip.server != nil || c.busy("primary_ip", ip.id):
		return reply{}, locked("primary ip")
	}
	c.dropPrimaryIP(ip)
	return gone()
}

// dropPrimaryIP gives an address back. c.mu is held.
func (c *Cloud) dropPrimaryIP(ip *primaryIP) {
	c.primaryIPs = slices.DeleteFunc(c.primaryIPs, func(o *primaryIP) bool { return o == ip })
	if ip.kind == "ipv4" {
		c.backend.ReleasePublic(ip.addr)
	}
}
