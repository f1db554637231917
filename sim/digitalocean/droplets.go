package digitalocean

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/construct-server/infra/sim/host"
	"github.com/digitalocean/godo"
)

type droplet struct {
	id         int
	name       string
	size       plan
	region     string
	image      *godo.Image
	userData   string
	keys       []string // public keys
	tags       []string
	ipv6       bool
	backups    bool
	monitoring bool
	status     string // "new", "active", "off"
	created    time.Time
	vpc        *vpc
	public4    netip.Addr
	public6    netip.Addr
	private4   netip.Addr
	built      bool // the backend has the host
	deleting   bool // hidden from the API, still being destroyed

	// host orders the backend's work on this host.
	host sync.Mutex
}

func (d *droplet) hostID() string { return fmt.Sprintf("do-%d", d.id) }
func (d *droplet) urn() string    { return fmt.Sprintf("do:droplet:%d", d.id) }

type dropletBody struct {
	Droplet godo.Droplet `json:"droplet"`
	Links   *godo.Links  `json:"links,omitempty"`
}

type dropletsBody struct {
	Droplets []godo.Droplet `json:"droplets"`
	listMeta
}

// droplet finds a droplet that is not being deleted. c.mu is held.
func (c *Cloud) droplet(id int) *droplet {
	i := slices.IndexFunc(c.droplets, func(d *droplet) bool { return d.id == id && !d.deleting })
	if i < 0 {
		return nil
	}
	return c.droplets[i]
}

func (c *Cloud) dropletRef(ref string) *droplet {
	id, err := strconv.Atoi(ref)
	if err != nil {
		return nil
	}
	return c.droplet(id)
}

// dropletView is a droplet as the API shows it. c.mu is held.
func (c *Cloud) dropletView(d *droplet) godo.Droplet {
	out := godo.Droplet{
		ID: d.id, Name: d.name, Memory: d.size.memory, Vcpus: d.size.cpus, Disk: d.size.disk,
		Region: regionView(d.region), Image: d.image, Size: sizeView(d.size), SizeSlug: d.size.slug,
		BackupIDs: []int{}, SnapshotIDs: []int{}, Features: d.features(),
		Locked: c.busy(d.id), Status: d.status, Created: stamp(d.created),
		Tags: slices.Clone(d.tags), VolumeIDs: c.volumesOf(d.id),
		Networks: &godo.Networks{V4: []godo.NetworkV4{}, V6: []godo.NetworkV6{}},
	}
	if d.vpc != nil {
		out.VPCUUID = d.vpc.ID
	}
	if d.status == "new" {
		return out
	}
	out.Networks.V4 = append(out.Networks.V4, godo.NetworkV4{
		IPAddress: d.private4.String(), Netmask: netmask(d.vpc.prefix), Gateway: d.vpc.prefix.Addr().Next().String(), Type: "private",
	}, godo.NetworkV4{
		IPAddress: d.public4.String(), Netmask: netmask(c.backend.PublicPrefix()),
		Gateway: c.backend.PublicPrefix().Masked().Addr().Next().String(), Type: "public",
	})
	if d.public6.IsValid() {
		out.Networks.V6 = append(out.Networks.V6, godo.NetworkV6{
			IPAddress: d.public6.String(), Netmask: c.publicV6().Bits(), Gateway: c.publicV6().Addr().Next().String(), Type: "public",
		})
	}
	return out
}

func (d *droplet) features() []string {
	out := []string{"droplet_agent", "private_networking"}
	if d.ipv6 {
		out = append(out, "ipv6")
	}
	if d.backups {
		out = append(out, "backups")
	}
	if d.monitoring {
		out = append(out, "monitoring")
	}
	return out
}

func netmask(p netip.Prefix) string {
	bits := ^uint32(0) << (32 - p.Bits())
	return netip.AddrFrom4([4]byte{byte(bits >> 24), byte(bits >> 16), byte(bits >> 8), byte(bits)}).String()
}

// publicV6 is the range of public IPv6 addresses, one link for all droplets.
func (c *Cloud) publicV6() netip.Prefix { return host.PublicIPv6(c.backend.PublicPrefix(), 0) }

// v6 is the IPv6 address of a droplet, derived from its number.
func (c *Cloud) v6(id int) netip.Addr {
	b := c.publicV6().Addr().As16()
	n := uint32(id - firstID + 16) //nolint:gosec // ids start at firstID
	b[12], b[13], b[14], b[15] = byte(n>>24), byte(n>>16), byte(n>>8), byte(n)
	return netip.AddrFrom16(b)
}

func (c *Cloud) getDroplet(r *http.Request) (reply, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	// Shown until it is gone: whoever waits for that may then delete its volumes.
	i := slices.IndexFunc(c.droplets, func(d *droplet) bool { return strconv.Itoa(d.id) == r.PathValue("id") })
	if i < 0 {
		return reply{}, notFound()
	}
	return ok(dropletBody{Droplet: c.dropletView(c.droplets[i])})
}

func (c *Cloud) listDroplets(r *http.Request) (reply, error) {
	q := r.URL.Query()
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []godo.Droplet
	for _, d := range c.droplets {
		if d.deleting ||
			q.Get("name") != "" && d.name != q.Get("name") ||
			q.Get("tag_name") != "" && !slices.Contains(d.tags, q.Get("tag_name")) {
			continue
		}
		all = append(all, c.dropletView(d))
	}
	page, meta := paginate(r, all)
	return ok(dropletsBody{page, meta})
}

// nextPrivate returns the lowest free address of a VPC. The first is its
// gateway's. c.mu is held.
func (c *Cloud) nextPrivate(v *vpc) (netip.Addr, error) {
	used := map[netip.Addr]bool{}
	for _, d := range c.droplets {
		if d.vpc == v {
			used[d.private4] = true
		}
	}
	for a := v.prefix.Addr().Next().Next(); v.prefix.Contains(a.Next()); a = a.Next() {
		if !used[a] {
			return a, nil
		}
	}
	return netip.Addr{}, unprocessable("VPC %q has no free address left", v.Name)
}
