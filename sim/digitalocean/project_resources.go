package digitalocean

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/digitalocean/godo"
)

type projectAssign struct {
	Resources []string `json:"resources"`
}

type resourcesBody struct {
	Resources []godo.ProjectResource `json:"resources"`
	listMeta
}

// projectOf is the project of a resource. c.mu is held.
func (c *Cloud) projectOf(urn string) *project {
	for _, p := range c.projects {
		if slices.ContainsFunc(p.assigned, func(r godo.ProjectResource) bool { return r.URN == urn }) {
			return p
		}
	}
	return c.project("default")
}

// assignTo moves a resource to a project, and says what became of it: a
// resource that does not exist fails by itself, never the request. c.mu is held.
func (c *Cloud) assignTo(p *project, urn string) godo.ProjectResource {
	res := godo.ProjectResource{URN: urn, Links: &godo.ProjectResourceLinks{Self: selfLink(urn)}, Status: "not_found"}
	if !slices.Contains(c.urns(), urn) {
		return res
	}
	ofURN := func(r godo.ProjectResource) bool { return r.URN == urn }
	if i := slices.IndexFunc(p.assigned, ofURN); i >= 0 {
		res = p.assigned[i]
		res.Status = "already_assigned"
		return res
	}
	for _, o := range c.projects {
		o.assigned = slices.DeleteFunc(o.assigned, ofURN)
	}
	res.AssignedAt, res.Status = stamp(time.Now()), "assigned"
	p.assigned = append(p.assigned, res)
	return res
}

// resourcePaths are the API's paths by the types of resource in URNs.
var resourcePaths = map[string]string{
	"droplet": "droplets", "volume": "volumes", "reservedip": "reserved_ips", "floatingip": "floating_ips", "domain": "domains",
}

func selfLink(urn string) string {
	parts := strings.SplitN(urn, ":", 3)
	return "https://api.digitalocean.com/v2/" + resourcePaths[parts[1]] + "/" + parts[2]
}

// urns lists everything that belongs to some project. c.mu is held.
func (c *Cloud) urns() []string {
	var out []string
	for _, d := range c.droplets {
		if !d.deleting {
			out = append(out, d.urn())
		}
	}
	for _, v := range c.volumes {
		out = append(out, "do:volume:"+v.ID)
	}
	for _, ip := range c.reserved {
		out = append(out, "do:reservedip:"+ip.addr.String())
	}
	for _, d := range c.domains {
		out = append(out, "do:domain:"+d.name)
	}
	return out
}

// resourcesOf lists what belongs to a project and still exists. c.mu is held.
func (c *Cloud) resourcesOf(p *project) []godo.ProjectResource {
	var out []godo.ProjectResource
	for _, urn := range c.urns() {
		if c.projectOf(urn) != p {
			continue
		}
		i := slices.IndexFunc(p.assigned, func(r godo.ProjectResource) bool { return r.URN == urn })
		if i >= 0 {
			res := p.assigned[i]
			res.Status = "ok"
			out = append(out, res)
			continue
		}
		out = append(out, godo.ProjectResource{URN: urn, AssignedAt: p.CreatedAt, Links: &godo.ProjectResourceLinks{Self: selfLink(urn)}, Status: "ok"})
	}
	return out
}

func (c *Cloud) listProjectResources(r *http.Request) (reply, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.project(r.PathValue("id"))
	if p == nil {
		return reply{}, notFound()
	}
	page, meta := paginate(r, c.resourcesOf(p))
	return ok(resourcesBody{page, meta})
}

func (c *Cloud) assignResources(r *http.Request) (reply, error) {
	var in projectAssign
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.project(r.PathValue("id"))
	if p == nil {
		return reply{}, notFound()
	}
	for _, urn := range in.Resources {
		if parts := strings.SplitN(urn, ":", 3); len(parts) < 3 || parts[0] != "do" || resourcePaths[parts[1]] == "" {
			return reply{}, unprocessable("resource %q is not a URN that the simulator knows (want do:TYPE:ID)", urn)
		}
	}
	out := []godo.ProjectResource{}
	for _, urn := range in.Resources {
		out = append(out, c.assignTo(p, strings.Replace(urn, "do:floatingip:", "do:reservedip:", 1)))
	}
	_, meta := paginate(r, out)
	return ok(resourcesBody{out, meta})
}
