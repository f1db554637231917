package hetzner

import (
	"net/http"
	"slices"

	"github.com/hetznercloud/hcloud-go/v2/hcloud/schema"
)

// maxGroupServers is the most servers that one spread group takes.
const maxGroupServers = 10

type group struct {
	meta
	kind string
}

type groupCreate struct {
	Name   string            `json:"name"`
	Type   string            `json:"type"`
	Labels map[string]string `json:"labels"`
}

// groupView is a placement group as the API shows it. c.mu is held.
func (c *Cloud) groupView(g *group) schema.PlacementGroup {
	return schema.PlacementGroup{ID: g.id, Name: g.name, Labels: g.labels, Created: g.created, Type: g.kind, Servers: c.serversOf(g)}
}

func (c *Cloud) serversOf(g *group) []int64 {
	out := []int64{}
	for _, s := range c.servers {
		if s.group == g {
			out = append(out, s.id)
		}
	}
	return out
}

// fits says why a placement group takes no more servers. c.mu is held.
func (c *Cloud) fits(g *group) error {
	if len(c.serversOf(g)) >= maxGroupServers {
		return fail(http.StatusConflict, "placement_error", "placement group has %d servers already", maxGroupServers)
	}
	return nil
}

func (c *Cloud) createGroup(r *http.Request) (reply, error) {
	var in groupCreate
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	if in.Type != "spread" {
		return reply{}, invalid("type", "must be spread")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	m, err := newMeta(c, c.groups, "placement group", in.Name, in.Labels)
	if err != nil {
		return reply{}, err
	}
	g := &group{meta: m, kind: in.Type}
	c.groups = append(c.groups, g)
	return created(map[string]any{"placement_group": c.groupView(g), "action": nil})
}

func (c *Cloud) deleteGroup(r *http.Request) (reply, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	g, err := inPath(r, c.groups, "placement_group")
	if err != nil {
		return reply{}, err
	}
	if len(c.serversOf(g)) > 0 {
		return reply{}, inUse("placement group with ID '%d' is still in use", g.id)
	}
	c.groups = slices.DeleteFunc(c.groups, func(o *group) bool { return o == g })
	return gone()
}
