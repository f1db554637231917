package digitalocean

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/construct-server/infra/sim/host"
	"github.com/digitalocean/godo"
)

// vpcMTU is the MTU of DigitalOcean's private network, in bytes.
const vpcMTU = 1500

type vpc struct {
	godo.VPC
	prefix netip.Prefix
	// lingering holds members that are deleted but not yet detached: the name
	// of the droplet by its id.
	lingering map[int]string
	wiring    sync.Mutex
}

func (v *vpc) networkID() string { return "do-vpc-" + v.ID }

type vpcCreate struct {
	Name        string `json:"name"`
	Region      string `json:"region"`
	Description string `json:"description"`
	IPRange     string `json:"ip_range"`
}

type vpcUpdate struct {
	Name        *string `json:"name"`
	Description *string `json:"description"`
	Default     *bool   `json:"default"`
}

type vpcBody struct {
	VPC godo.VPC `json:"vpc"`
}

type vpcsBody struct {
	VPCs []godo.VPC `json:"vpcs"`
	listMeta
}

type membersBody struct {
	Members []godo.VPCMember `json:"members"`
	listMeta
}

func (c *Cloud) createVPC(r *http.Request) (reply, error) {
	var in vpcCreate
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	c.mu.Lock()
	v, err := c.newVPC(in)
	c.mu.Unlock()
	if err != nil {
		return reply{}, err
	}
	return created(vpcBody{v.VPC})
}

// wire makes the network that a VPC is, before its first droplet: an account's
// default VPC is never used by most, and a machine has only so many ranges.
func (c *Cloud) wire(ctx context.Context, v *vpc) error {
	v.wiring.Lock()
	defer v.wiring.Unlock()
	if err := c.backend.CreateNetwork(ctx, host.Network{ID: v.networkID(), Prefix: v.prefix, MTU: vpcMTU}); err != nil {
		return fmt.Errorf("create network %q: %w", v.Name, err)
	}
	return nil
}

// vpc finds a VPC. c.mu is held.
func (c *Cloud) vpc(id string) *vpc {
	i := slices.IndexFunc(c.vpcs, func(v *vpc) bool { return v.ID == id })
	if i < 0 {
		return nil
	}
	return c.vpcs[i]
}

func (c *Cloud) listVPCs(r *http.Request) (reply, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []godo.VPC
	for _, v := range c.vpcs {
		all = append(all, v.VPC)
	}
	page, meta := paginate(r, all)
	return ok(vpcsBody{page, meta})
}

func (c *Cloud) getVPC(r *http.Request) (reply, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v := c.vpc(r.PathValue("id"))
	if v == nil {
		return reply{}, notFound()
	}
	return ok(vpcBody{v.VPC})
}

func (c *Cloud) updateVPC(r *http.Request) (reply, error) {
	var in vpcUpdate
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	v := c.vpc(r.PathValue("id"))
	if v == nil {
		return reply{}, notFound()
	}
	if in.Name != nil {
		if slices.ContainsFunc(c.vpcs, func(o *vpc) bool { return o != v && o.Name == *in.Name }) {
			return reply{}, unprocessable("name %q is already in use by another VPC in your account", *in.Name)
		}
		v.Name = *in.Name
	}
	if in.Description != nil {
		v.Description = *in.Description
	}
	if in.Default != nil && *in.Default != v.Default {
		if v.Default {
			return reply{}, unprocessable("default cannot be unset: make another VPC the default")
		}
		for _, o := range c.vpcs {
			if o.RegionSlug == v.RegionSlug {
				o.Default = false
			}
		}
		v.Default = true
	}
	return ok(vpcBody{v.VPC})
}

// members lists a VPC's members, the lingering ones included. c.mu is held.
func (c *Cloud) members(v *vpc) []godo.VPCMember {
	var out []godo.VPCMember
	for _, d := range c.droplets {
		if d.vpc == v && !d.deleting {
			out = append(out, godo.VPCMember{URN: d.urn(), Name: d.name, CreatedAt: d.created.UTC().Truncate(time.Second)})
		}
	}
	ids := make([]int, 0, len(v.lingering))
	for id := range v.lingering {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		out = append(out, godo.VPCMember{URN: fmt.Sprintf("do:droplet:%d", id), Name: v.lingering[id]})
	}
	return out
}

func (c *Cloud) listMembers(r *http.Request) (reply, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v := c.vpc(r.PathValue("id"))
	if v == nil {
		return reply{}, notFound()
	}
	page, meta := paginate(r, c.members(v))
	return ok(membersBody{page, meta})
}

func (c *Cloud) deleteVPC(r *http.Request) (reply, error) {
	c.mu.Lock()
	v := c.vpc(r.PathValue("id"))
	if v == nil {
		c.mu.Unlock()
		return reply{}, notFound()
	}
	if v.Default {
		c.mu.Unlock()
		return reply{}, &apiError{http.StatusForbidden, "forbidden", "Can not delete default VPCs"}
	}
	if len(c.members(v)) > 0 {
		c.mu.Unlock()
		return reply{}, conflict("Can not delete VPC with members")
	}
	c.vpcs = slices.DeleteFunc(c.vpcs, func(o *vpc) bool { return o == v })
	c.mu.Unlock()
	if err := c.backend.DeleteNetwork(c.work.Context(), v.networkID()); err != nil {
		c.mu.Lock()
		c.vpcs = append(c.vpcs, v)
		c.mu.Unlock()
		return reply{}, fmt.Errorf("delete network %q: %w", v.Name, err)
	}
	return gone()
}
